"""Tables of `stats`: each against a count made by hand or by another way."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from data_helpers import coco, stats
from data_helpers.errors import UnknownNameError
from data_helpers.samples import Sample, Selection


class Box(NamedTuple):
    label: str
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0


class Name(NamedTuple):
    label: str


class Caption(NamedTuple):
    caption: str


def sample(number: int, boxes: list[Box] | None = None, **more: Any) -> Sample:
    labels = {} if boxes is None else {"boxes": boxes}
    return Sample(id=number, width=100, height=50, split="a", labels=labels | more.pop("labels", {}), **more)


CAT, DOG = Box("cat", (0, 0, 50, 50)), Box("dog", (50, 0, 10, 10), 1)
SAMPLES = [sample(1, [CAT, CAT, DOG]), sample(2, [DOG]), sample(3, [])]


def test_objects_are_counted_by_one_definition() -> None:
    assert stats.class_balance(SAMPLES) == [
        {"class": "cat", "pictures": 1, "objects": 2, "crowds": 0, "per picture": 2.0, "mean share %": 100.0},
        {"class": "dog", "pictures": 2, "objects": 2, "crowds": 2, "per picture": 1.0, "mean share %": 2.0},
    ]
    assert stats.objects_per_image(SAMPLES) == [
        {"objects": 0, "pictures": 1},
        {"objects": 1, "pictures": 1},
        {"objects": 2, "pictures": 0},
        {"objects": 3, "pictures": 1},
    ]
    (overview,) = stats.overview(SAMPLES)
    assert (overview["pictures"], overview["objects"], overview["crowds"], overview["classes"]) == (3, 4, 2, 2)
    rows = {row["class"]: row for row in stats.object_distribution(SAMPLES)}
    assert (rows["cat"]["0"], rows["cat"]["2"], rows["dog"]["1"], rows["dog"]["10+"]) == (2, 1, 2, 0)
    assert [row["share %"] for row in stats.objects(SAMPLES)] == [50.0, 50.0, 2.0, 2.0]
    assert [row["size"] for row in stats.objects(SAMPLES)] == ["medium", "medium", "small", "small"]
    sizes = stats.class_sizes(SAMPLES)
    assert [row["class"] for row in sizes] == ["cat", "dog"] and sizes[0]["area mean"] == 2500
    assert stats.area_shares(SAMPLES)[0] == {"class": "cat", "mean area": 2500.0, "part %": 96.2}


def test_maps() -> None:
    names, counts = stats.cooccurrence(SAMPLES)
    assert names == ["dog", "cat"] and counts.tolist() == [[2, 1], [1, 1]]
    assert stats.pairs(SAMPLES) == [{"class": "dog", "with": "cat", "pictures": 1}]
    heat = stats.spatial_heatmap(SAMPLES, "cat", grid=4)
    assert heat.tolist() == [[1, 1, 0, 0]] * 4
    # A dog covers the first fifth of the height: on a grid of ten rows that is the middle of two of them.
    assert stats.spatial_heatmap(SAMPLES, "dog", grid=10).sum() == 2
    assert [row["uncovered %"] for row in stats.images(SAMPLES)] == [
        pytest.approx(48, abs=2),
        pytest.approx(98, abs=1),
        100,
    ]
    rows = stats.images(SAMPLES, classes=["dog", "cat"])
    assert [(row["area cat"], row["area dog"]) for row in rows] == [(5000, 100), (0, 100), (0, 0)]
    named = [sample(1, labels={"classes": [Name("n01")]})]
    assert stats.images(named, classes=["n01"])[0]["area n01"] is None
    with pytest.raises(UnknownNameError, match=r"'cow': no picture has it\. Expected one of: cat, dog\."):
        stats.images(SAMPLES, classes=["cat", "cow"])
    outside = [sample(1, [Box("cat", (-50, -50, 500, 500))])]
    assert stats.spatial_heatmap(outside).min() == 1


def test_missing_is_not_empty() -> None:
    samples = [
        sample(1, [CAT, Box("cat", (1, 1, 0, 5))], labels={"captions": [Caption("a cat"), Caption("  ")]}),
        sample(2, []),
        sample(3),
    ]
    boxes, captions = stats.missing_and_empty(samples)
    assert boxes == {"labels": "boxes", "with": 1, "empty": 1, "missing": 1, "empty records": 1}
    assert captions == {"labels": "captions", "with": 1, "empty": 0, "missing": 2, "empty records": 1}


def test_pictures() -> None:
    samples = [sample(1, licence="CC BY 2.0"), sample(2, licence="CC BY 2.0"), sample(3), Sample(id=4)]
    assert stats.licences(samples)[1] == {"licence": "not stated", "pictures": 2, "share %": 50.0}
    assert stats.picture_sizes(samples)[0] == {"width": 100, "height": 50, "pictures": 3}


def test_classes_take_the_place_of_boxes_and_nothing_is_told() -> None:
    samples = [sample(1, labels={"classes": [Name("n01")]}), sample(2, labels={"classes": [Name("n01"), Name("n02")]})]
    assert [(row["class"], row["objects"], row["mean share %"]) for row in stats.class_balance(samples)] == [
        ("n01", 2, 0.0), ("n02", 1, 0.0)
    ]  # fmt: skip
    with pytest.raises(UnknownNameError, match="cannot be counted"):
        stats.class_balance([sample(1)])
    assert stats.overview([]) == [] and stats.licences([]) == [] and stats.missing_and_empty([]) == []


@pytest.mark.real
def test_real_tables_equal_the_annotation_file(real: Path) -> None:
    root = real / "coco" / "Obmutescence_COCO-MINI"
    samples = list(coco.read(root, Selection(split="val2017")))
    data = json.loads((root / "annotations" / "instances_val2017.json").read_text())
    names = {category["id"]: category["name"] for category in data["categories"]}
    objects = Counter(names[note["category_id"]] for note in data["annotations"])
    pictures = {(note["image_id"], names[note["category_id"]]) for note in data["annotations"]}
    rows = {row["class"]: row for row in stats.class_balance(samples)}
    assert {name: row["objects"] for name, row in rows.items()} == dict(objects)
    assert {name: row["pictures"] for name, row in rows.items()} == dict(Counter(name for _, name in pictures))
    assert sum(row["crowds"] for row in rows.values()) == sum(note["iscrowd"] for note in data["annotations"])
    together: Counter[tuple[str, str]] = Counter()
    for image in {number for number, _ in pictures}:
        together.update(combinations(sorted(name for number, name in pictures if number == image), 2))
    chosen, counts = stats.cooccurrence(samples, top=80)
    for i, j in combinations(range(len(chosen)), 2):
        assert counts[i, j] == counts[j, i] == together[tuple(sorted((chosen[i], chosen[j])))]  # type: ignore[index]
    areas = [note["area"] for note in data["annotations"]]
    bands = Counter(row["size"] for row in stats.objects(samples))
    assert bands["small"] == sum(area < 1024 for area in areas) and bands["large"] == sum(area > 9216 for area in areas)
    summed: Counter[tuple[int, str]] = Counter()
    for note in data["annotations"]:
        summed[note["image_id"], names[note["category_id"]]] += note["area"]
    for row in stats.images(samples, classes=["person", "chair"]):
        for name in ("person", "chair"):
            assert row[f"area {name}"] == pytest.approx(summed[row["id"], name], abs=0.051)
        assert row["objects"] == sum(note["image_id"] == row["id"] for note in data["annotations"])
    licences = Counter(image["license"] for image in data["images"])
    assert sorted(row["pictures"] for row in stats.licences(samples)) == sorted(licences.values())
    assert np.isclose(sum(row["objects"] * row["pictures"] for row in stats.objects_per_image(samples)), len(areas))
