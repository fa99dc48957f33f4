"""Fetching the Flickr sets from a local server: text first, single pictures by range, the same ones as read takes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import data_helpers
from data_helpers import cards
from data_helpers.errors import BudgetError, DataError, GatedError, UnknownNameError
from data_helpers.serve import Server

TEXT = r"[^/]*Images\.txt|Flickr8k[^/]*|\w+Annotations\.txt"
MEMBERS = {
    "flickr8k": {"Flickr8k_text.zip": TEXT, "Flickr8k_Dataset.zip": r"Flicker8k_.*"},
    "flickr30k": {"annotations.zip": r"(Sentences|Annotations)/.*"},
}


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Server]:
    """Serve the miniatures' files at the cards' addresses; the hashes of the real ones are taken out of the cards."""
    served, own = tmp_path / "hosts", tmp_path / "cards"
    own.mkdir()
    for stem, archives in MEMBERS.items():
        root = data_helpers.miniature(stem)
        names = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.is_file()]
        for file in cards.parsed(stem).files:
            if not file.urls:
                continue
            target = served / re.sub(r"^https?://", "", file.urls[0])
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.name in archives:
                with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
                    for name in names:
                        if re.fullmatch(archives[file.name], name):
                            bundle.write(root / name, name)
            else:
                target.write_bytes((root / file.name).read_bytes())
        text = (cards.HERE / f"{stem}.toml").read_text(encoding="utf-8")
        bare = re.sub(r'(?m)^(md5 = "|sha256 = "|bytes = \d).*\n(?=[^\[]*)', "", text.partition("[facts.")[0])
        sample = re.sub(r"(?s)\[sample\].*?\n\n", "", bare)
        (own / f"{stem}.toml").write_text(sample, encoding="utf-8")
    monkeypatch.setenv("DATA_HELPERS_CARDS", str(own))
    monkeypatch.setenv("DATA_HELPERS_RETRIES", "0")
    with Server(served) as server:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", server.url)
        yield server


def test_captions_come_without_a_picture(hosts: Server, tmp_path: Path) -> None:
    root = data_helpers.fetch("flickr8k", label_types=["captions"], root=tmp_path / "f8")
    assert {path.name for path in root.iterdir() if not path.name.startswith(".")} >= {"Flickr8k.token.txt"}
    assert not (root / "Flicker8k_Dataset").exists()
    assert not any("Flickr8k_Dataset" in request.path for request in hosts.requests)


def test_single_pictures_come_by_range_and_are_those_that_read_takes(hosts: Server, tmp_path: Path) -> None:
    plan = data_helpers.plan("flickr8k", split="test", max_samples=3, root=tmp_path / "f8")
    assert plan.pictures == 3 and not plan.exact and plan.bytes
    root = data_helpers.fetch("flickr8k", split="test", max_samples=3, shuffle=True, seed=7, root=tmp_path / "f8")
    pictures = sorted(path.stem for path in (root / "Flicker8k_Dataset").iterdir())
    read = data_helpers.read("flickr8k", root, split="test", max_samples=3, shuffle=True, seed=7)
    assert sorted(str(sample.id) for sample in read) == pictures and len(pictures) == 3
    archive = [request for request in hosts.requests if "Flickr8k_Dataset.zip" in request.path]
    assert archive and all("Range" in request.headers for request in archive)
    assert len(data_helpers.plan("flickr8k", split="test", max_samples=3, shuffle=True, seed=7, root=root).parts) == 0
    original = data_helpers.miniature("flickr8k") / "Flicker8k_Dataset"
    for stem in pictures:
        assert (root / "Flicker8k_Dataset" / f"{stem}.jpg").read_bytes() == (original / f"{stem}.jpg").read_bytes()
    with pytest.raises(UnknownNameError, match="names no picture nobody"):
        data_helpers.fetch("flickr8k", image_ids=[pictures[0], "nobody"], root=root)
    with pytest.raises(BudgetError):
        data_helpers.fetch("flickr8k", root=tmp_path / "all", max_bytes=1000)
    with pytest.raises(DataError, match="captions, lemmas"):
        data_helpers.plan("flickr8k", label_types=["nowhere"])


def test_entities_come_picture_by_picture_or_whole(hosts: Server, tmp_path: Path) -> None:
    root = data_helpers.fetch("flickr30k", split="test", max_samples=4, root=tmp_path / "part")
    samples = list(data_helpers.read("flickr30k", root, split="test", max_samples=4))
    assert len(list((root / "Sentences").iterdir())) == len(list((root / "Annotations").iterdir())) == 4
    assert all(sample.labels["phrases"] and sample.labels["boxes"] for sample in samples)
    whole = data_helpers.fetch("flickr30k", root=tmp_path / "whole")
    assert data_helpers.summary("flickr30k", whole)["labels"] == {
        kind: count - 5 * (kind == "captions")  # the picture that is missing has captions in the token file alone
        for kind, count in data_helpers.summary("flickr30k", data_helpers.miniature("flickr30k"))["labels"].items()
    }
    lists = data_helpers.fetch("flickr30k", label_types=["lists"], root=tmp_path / "lists")
    assert not (lists / "Sentences").exists() and (lists / "UNRELATED_CAPTIONS").is_file()


def test_pictures_of_flickr30k_are_a_lesson(hosts: Server, tmp_path: Path) -> None:
    with pytest.raises(GatedError, match=r"forms\.illinois\.edu/sec/229675"):
        data_helpers.fetch("flickr30k", label_types=["pictures"], root=tmp_path / "gated")
