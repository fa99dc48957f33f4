"""COCO's card: its sums hold, its tables agree with it, and what is computed is computed again from real files."""

from __future__ import annotations

import csv
import json
import os
import re
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_helpers import cards

CARD = cards.parsed("coco")
FACTS = {key: fact.value for key, fact in CARD.facts.items()}
TABLES = cards.HERE / "tables"
REAL = Path(os.environ.get("DATA_HELPERS_REAL", Path(__file__).parents[2] / "shared" / "real")) / "coco"
MINI = REAL / "Obmutescence_COCO-MINI" / "annotations"

# A computed fact's note begins with its formula over other facts: "= train2017_images + val2017_images".
FORMULAS = {
    key: found[1] for key, fact in CARD.facts.items() if (found := re.match(r"= ([\w +\-*/(),]+?)(?:\. |$)", fact.note))
}


def table(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_most_computed_figures_carry_a_formula_or_a_file() -> None:
    assert len(FORMULAS) >= 30
    for key, fact in CARD.facts.items():
        if fact.origin == "computed" and key not in FORMULAS:
            assert not fact.source.startswith("arithmetic"), f"{key}: arithmetic without a formula in its note"


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["small_objects", "medium_objects", "large_objects"], "annotations"),
        (["sama_small", "sama_medium", "sama_large"], "sama_annotations"),
        (["train2017_objects", "val2017_objects"], "objects"),
        (["train2014_images", "val2014_images"], "labelled_images"),
        (["train2017_person_images", "val2017_person_images"], "person_images"),
        ([f"val2017_licence_{number}" for number in range(1, 9)], "val2017_images"),
        (["thing_classes", "panoptic_stuff_classes"], "panoptic_classes"),
        (["karpathy_train", "karpathy_test", "karpathy_test"], "labelled_images"),
    ],
)
def test_parts_sum_to_the_whole_by_another_way(parts: list[str], whole: str) -> None:
    assert sum(FACTS[part] for part in parts) == FACTS[whole]  # type: ignore[misc]


def test_sizes_of_files_and_facts_agree() -> None:
    for file in CARD.files:
        stem = Path(file.name).stem.replace("_annotations_trainval", "").replace("annotations_trainval", "annotations")
        if file.bytes is not None:
            assert FACTS[f"{stem}_zip_bytes"] == file.bytes
    hashes = [file.sha256 for file in CARD.files if file.sha256] + [file.md5 for file in CARD.files if file.md5]
    assert len(hashes) == len(set(hashes)), "two files share a hash: one of them is copied wrongly"


def test_every_number_of_pictures_in_a_file_is_a_fact() -> None:
    for file in CARD.files:
        found = re.match(r"([\d,]+) JPEG", file.inside)
        if found:
            assert FACTS[f"{Path(file.name).stem}_images"] == int(found[1].replace(",", ""))


def test_the_table_of_classes_agrees_with_the_facts() -> None:
    rows = table("coco-classes.csv")
    assert [int(row["index"]) for row in rows] == list(range(80)) and len(rows) == FACTS["thing_classes"]
    ids = [int(row["id"]) for row in rows]
    assert ids == sorted(ids) and sorted(set(range(1, 91)) - set(ids)) == [12, 26, 29, 30, 45, 66, 68, 69, 71, 83]
    images = {row["name"]: int(row["images"]) for row in rows}
    assert sum(images.values()) == FACTS["image_class_pairs"]
    assert images["person"] == FACTS["person_images"] == max(images.values())
    assert images["hair drier"] == FACTS["hair_drier_images"] == min(images.values())
    assert images["toaster"] == FACTS["toaster_images"]
    assert len({row["supercategory"] for row in rows}) == FACTS["supercategories"]


def test_the_other_tables_agree_with_the_facts() -> None:
    sizes = {row["band"]: row for row in table("coco-sizes.csv")}
    for band in ("small", "medium", "large"):
        assert (
            int(sizes[band]["coco"]) == FACTS[f"{band}_objects"] and int(sizes[band]["sama"]) == FACTS[f"sama_{band}"]
        )
    licences = table("coco-licences.csv")
    assert [int(row["val2017_images"]) for row in licences] == [FACTS[f"val2017_licence_{n}"] for n in range(1, 9)]
    free = sum(int(row["val2017_images"]) for row in licences if row["commercial"] == row["changes"] == "yes")
    assert free == FACTS["val2017_free"]
    others = {rival.value for rival in CARD.facts["annotations"].disagree} | set(FACTS.values())
    assert {int(row["count"]) for row in table("coco-counting.csv")} <= others
    joints = table("coco-joints.csv")
    assert len(joints) == FACTS["keypoints_per_person"]
    assert set(CARD.tables) == {path.name for path in TABLES.glob("coco-*.csv")}


def test_the_chapters_example_counts_right() -> None:
    root = Path(__file__).parents[1]
    true = load(root / "miniatures" / "sources" / "coco.json")["instances"]
    rows = [row for row in true if row["image_id"] == 159269]
    objects = [row for row in rows if not row["iscrowd"]]
    parts = sum(len(row["segmentation"]) for row in objects)
    text = (root / "chapters" / "coco.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"(?m)^\| \*\*(annotation|box|polygon part|crowd)\*\* \|[^|]+\| (\d+) \|", text))
    assert found == {
        "annotation": str(len(rows)),
        "box": str(len(objects)),
        "polygon part": str(parts),
        "crowd": str(len(rows) - len(objects)),
    }


def test_every_figure_in_circulation_for_the_object_count_is_told() -> None:
    told = {rival.value for rival in CARD.facts["annotations"].disagree}
    assert {1_500_000, 2_500_000, 886_284, 2_099_063, 500_000} <= told
    assert all(rival.rule for fact in CARD.facts.values() for rival in fact.disagree)


@pytest.mark.real
class TestRecomputed:
    """Facts that the public slices of the real files are enough for."""

    @pytest.fixture(autouse=True)
    def _real(self) -> None:
        if not MINI.is_dir():
            pytest.skip(f"no real files at {REAL}: set DATA_HELPERS_REAL")

    def test_categories(self) -> None:
        categories = load(MINI / "instances_val2017.json")["categories"]
        rows = table("coco-classes.csv")
        assert [(str(row["id"]), row["name"], row["supercategory"]) for row in categories] == [
            (row["id"], row["name"], row["supercategory"]) for row in rows
        ]
        assert max(row["id"] for row in categories) == FACTS["largest_category_id"]

    def test_panoptic_categories(self) -> None:
        found = load(REAL / "cocodataset_panopticapi" / "panoptic_coco_categories.json")
        assert len(found) == FACTS["panoptic_classes"]
        assert sum(not row["isthing"] for row in found) == FACTS["panoptic_stuff_classes"]
        assert sum(not row["isthing"] and row["id"] < 183 for row in found) == 36
        assert [(str(row["id"]), row["name"], str(row["isthing"])) for row in found] == [
            (row["id"], row["name"], row["thing"]) for row in table("coco-panoptic.csv")
        ]

    def test_person_category(self) -> None:
        (person,) = load(MINI / "person_keypoints_val2017.json")["categories"]
        assert person["keypoints"] == [row["joint"] for row in table("coco-joints.csv")]
        assert len(person["skeleton"]) == FACTS["skeleton_pairs"]

    def test_half_of_a_box_is_background(self) -> None:
        rows = load(MINI / "instances_val2017.json")["annotations"]
        ratios = [r["area"] / (r["bbox"][2] * r["bbox"][3]) for r in rows if not r["iscrowd"]]
        assert round(statistics.median(ratios), 2) == FACTS["mask_box_ratio"]

    def test_area_is_the_polygons_and_a_crowds_is_never_smaller_than_its_mask(self) -> None:
        paths = [*MINI.glob("instances_*.json"), *REAL.rglob("instances_val2014_100.json")]
        seen: set[int] = set()
        for row in (row for path in paths for row in load(path)["annotations"]):
            if row["iscrowd"]:
                mask = sum(row["segmentation"]["counts"][1::2])
                assert row["area"] >= mask, row["id"]
                seen.add(row["id"])
            else:
                area = 0.0
                for part in row["segmentation"]:
                    x, y = np.array(part[::2]), np.array(part[1::2])
                    area += abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
                assert area == pytest.approx(row["area"], abs=0.001), row["id"]
        assert 0 < len(seen) <= int(FACTS["crowds_measured"])

    def test_example_results(self) -> None:
        rows = load(REAL / "cocodataset_cocoapi" / "results" / "instances_val2014_fakebbox100_results.json")
        assert len(rows) == FACTS["fake_results_boxes"]
        assert len({row["image_id"] for row in rows}) == FACTS["fake_results_images"]
