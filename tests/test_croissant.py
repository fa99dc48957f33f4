"""The cards as Croissant: valid by MLCommons' own validator, with the hashes that the cards have."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from data_helpers import list_datasets
from data_helpers.cards import parsed
from data_helpers.croissant import croissant


@pytest.mark.parametrize("name", list_datasets())
def test_a_card_is_valid_croissant_with_real_hashes(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    path = tmp_path / "croissant.json"
    path.write_text(json.dumps(croissant(name)), encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        metadata = mlcroissant.Dataset(jsonld=path).metadata
    assert not metadata.ctx.issues.errors
    card = parsed(name)
    files = {file.name: file for file in card.files}
    assert [one.name for one in metadata.distribution] == [f.name for f in card.files if f.urls and (f.sha256 or f.md5)]
    for one in metadata.distribution:
        file = files[one.name]
        assert (one.sha256, one.content_url) == (file.sha256, file.urls[0])
        assert one.md5 == (None if file.sha256 else file.md5)
        assert one.content_size == (None if file.bytes is None else f"{file.bytes} B")
    described = croissant(name)
    assert "http://mlcommons.org/croissant/1.1" in described["conformsTo"]
    assert metadata.personal_sensitive_information and metadata.data_use_cases == card.tasks
    for file in card.files:
        assert file.name in {one.name for one in metadata.distribution} or file.name in described["description"]


def test_coco_carries_the_hash_of_its_annotations() -> None:
    (file,) = [one for one in croissant("coco")["distribution"] if one["name"] == "annotations_trainval2017.zip"]
    assert file["sha256"] == "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268"
    assert file["contentSize"] == "252907541 B"
