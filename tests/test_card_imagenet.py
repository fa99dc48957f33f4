"""ImageNet's card: its table of the thousand classes is that of the real lists, and its ReaL counts are true."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from data_helpers import cards

CARD = cards.parsed("imagenet")


def classes() -> list[dict[str, str]]:
    with (cards.HERE / "tables" / "imagenet-classes.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_both_orders_number_the_thousand_classes_once() -> None:
    rows = classes()
    assert "imagenet-classes.csv" in CARD.tables
    assert len(rows) == CARD.facts["classes"].value
    assert [int(row["index"]) for row in rows] == list(range(1000)), "counts from 0, in the order of wnids"
    assert [row["wnid"] for row in rows] == sorted({row["wnid"] for row in rows})
    assert sorted(int(row["devkit"]) for row in rows) == list(range(1, 1001)), "counts from 1, in its own order"
    # WordNet's own words repeat, and so do the short names; torchvision's were made to differ.
    names = {row["wnid"]: row["name"] for row in rows}
    assert names["n02012849"] == names["n03126707"] == "crane"
    assert len(set(names.values())) == len(rows) - 1 and len({row["torchvision"] for row in rows}) == len(rows)
    short = [row["short"] for row in rows]
    assert sorted({name for name in short if short.count(name) > 1}) == ["crane", "maillot"]


@pytest.mark.real
def test_the_real_lists_agree_with_the_table(real: Path) -> None:
    folder = real / "imagenet"
    rows = classes()
    kit = folder / "daksim_Imagenet-1K-Formatter"
    mapped = {line.split()[1]: line.split() for line in (kit / "map_clsloc.txt").read_text("utf-8").splitlines()}
    assert {row["devkit"]: [row["wnid"], row["devkit"], row["short"]] for row in rows} == mapped
    synsets = (folder / "JasmineLi-805_res18" / "LOC_synset_mapping.txt").read_text("utf-8").splitlines()
    # This copy of the mapping renames what would repeat; words.txt has WordNet's words.
    renamed = {"n02012849": "crane_bird", "n03710637": "maillot_1", "n03710721": "maillot_2, tank suit"}
    assert [f"{row['wnid']} {renamed.get(row['wnid'], row['name'])}" for row in rows] == [s.strip() for s in synsets]
    words = (folder / "rangeetpan_IMagenet" / "tiny-imagenet-200" / "words.txt").read_text("utf-8").splitlines()
    assert {f"{row['wnid']}\t{row['name']}" for row in rows} <= set(words)

    index = {int(row["devkit"]): int(row["index"]) for row in rows}
    truth = [index[int(line)] for line in (kit / "ILSVRC2012_validation_ground_truth.txt").read_text().split()]
    assert len(truth) == CARD.facts["val_images"].value and {truth.count(k) for k in range(1000)} == {50}
    again = json.loads(
        (folder / "huggingface_pytorch-image-models/timm/data/_info/imagenet_real_labels.json").read_text("utf-8")
    )
    scored = [(label, found) for label, found in zip(truth, again, strict=True) if found]
    assert len(again) - len(scored) == CARD.facts["real_empty"].value
    assert len(scored) == CARD.facts["real_scored"].value
    assert sum(label not in found for label, found in scored) == CARD.facts["real_rejects"].value
