"""Samples in FiftyOne: every label type arrives whole, nobody's dataset is overwritten, a missing database says so."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import data_helpers
from data_helpers import Sample, coco
from data_helpers.errors import DatabaseError, FormatError, UnknownNameError

from .conftest import REAL, REPOSITORY
from .test_notebooks import tool

pytestmark = pytest.mark.database
MINI = REAL / "coco" / "Obmutescence_COCO-MINI"


@pytest.fixture(scope="module", autouse=True)
def fo() -> Iterator[Any]:
    """Start the run's server and import FiftyOne on it, in a database of this module's own."""
    with tool("database").server(Path(os.environ["FIFTYONE_DATABASE_DIR"]) / "shared") as uri:
        os.environ |= {"FIFTYONE_DATABASE_URI": uri, "FIFTYONE_DATABASE_NAME": "test_app"}
        from data_helpers.app import fiftyone

        module = fiftyone()
        yield module
        for name in module.list_datasets():
            module.delete_dataset(name)
        del os.environ["FIFTYONE_DATABASE_URI"], os.environ["FIFTYONE_DATABASE_NAME"]


@pytest.fixture(scope="module")
def miniature(fo: Any) -> Any:
    problems = data_helpers.summary("coco")["problems"]
    return data_helpers.to_fiftyone(data_helpers.read("coco"), "miniature", problems=problems)


def test_counts_are_those_of_summary(miniature: Any) -> None:
    found = data_helpers.summary("coco")
    assert len(miniature) == found["images"]
    for split, images in found["splits"].items():
        assert len(miniature.match_tags(split)) == images
    assert miniature.count("boxes.detections") == found["labels"]["boxes"]
    assert miniature.count("keypoints.keypoints") == found["labels"]["keypoints"]
    assert sum(map(len, miniature.exists("captions").values("captions"))) == found["labels"]["captions"]
    assert miniature.count("panoptic") == found["labels"]["panoptic"]
    assert {"gray-picture", "missing-picture", "zero-area-box"} <= set(miniature.distinct("problems"))
    assert set(miniature.list_saved_views()) == {"crowds", "small objects", "problems"}
    crowds = miniature.load_saved_view("crowds")
    assert crowds.distinct("boxes.detections.iscrowd") == [1]
    assert miniature.info["dataset"] == "coco" and miniature.info["tier"] == "miniature"
    assert "CC BY" in miniature.info["licences"]["annotations"]
    assert set(miniature.distinct("boxes.detections.label")) <= set(miniature.default_classes)


def test_every_label_is_the_record(miniature: Any) -> None:
    """Boxes, masks, keypoints and maps say of each picture just what COCO's files say."""
    by_id = {sample.image_id: sample for sample in miniature if "duplicate-id" not in sample.tags}
    checked = 0
    for sample in data_helpers.read("coco"):
        stored = by_id.get(sample.id)
        if stored is None:
            continue
        width, height = sample.width, sample.height
        boxes = {label.annotation_id: label for label in stored.boxes.detections}
        for record in sample.labels["boxes"]:
            label = boxes[record.id]
            assert label.label == record.label and label.iscrowd == record.iscrowd and label.area == record.area
            x, y, w, h = label.bounding_box
            assert np.allclose((x * width, y * height, w * width, h * height), record.bbox, atol=1e-9)
            whole = coco.mask(record, height, width)
            x, y, w, h = record.bbox
            expected = whole[round(y) : round(y + h), round(x) : round(x + w)]
            assert (label.mask is None) if not expected.size else np.array_equal(label.mask, expected), record.id
            checked += 1
        points = stored.keypoints.keypoints if "keypoints" in sample.labels else []
        for record, label in zip(sample.labels.get("keypoints", ()), points, strict=True):
            values = np.array(record.keypoints).reshape(-1, 3)
            seen = values[:, 2] > 0
            assert label.visibility == values[:, 2].astype(int).tolist()
            places = np.array(label.points) * (width, height)
            assert np.allclose(places[seen], values[seen, :2]) and np.isnan(places[~seen]).all()
        if png := sample.extra.get("panoptic_png"):
            ids = coco.read_panoptic(png)
            for segment in sample.labels["panoptic"][0].segments_info:
                assert (stored.panoptic.mask[ids == segment.id] == segment.category_id).all()
                assert miniature.mask_targets["panoptic"][segment.category_id] == segment.label
            assert (stored.panoptic.mask[ids == 0] == 0).all()
    assert checked > 100
    assert miniature.default_skeleton.labels[miniature.default_skeleton.edges[0][0]] == "left_ankle"


@pytest.mark.real
@pytest.mark.parametrize("split", ["train2017", "val2017"])
def test_equals_fiftyones_own_importer(fo: Any, split: str) -> None:
    """On real files, masks and boxes are those that FiftyOne's importer makes, to the pixel."""
    ours = data_helpers.to_fiftyone(data_helpers.read("coco", MINI, split=split), "ours")
    theirs = fo.Dataset.from_dir(
        dataset_type=fo.types.COCODetectionDataset,
        data_path=str(MINI / split),
        labels_path=str(MINI / "annotations" / f"instances_{split}.json"),
        label_types=["detections", "segmentations"],
        image_ids=[sample.id for sample in data_helpers.read("coco", MINI, split=split) if sample.image],
        progress=False,
    )
    assert len(theirs) > 0
    mine = {sample.file_name: sample for sample in ours}
    fields = ours.get_field_schema(flat=True)
    assert isinstance(fields["boxes.detections.area"], fo.FloatField)
    for sample in theirs:
        boxes, masks = sample.detections.detections, sample.segmentations.detections
        got = mine[Path(sample.filepath).name].boxes.detections
        assert [label.label for label in boxes] == [label.label for label in got]
        for label, other, own in zip(boxes, masks, got, strict=True):
            assert np.allclose(label.bounding_box, own.bounding_box, atol=1e-12)
            assert (label.iscrowd, label.supercategory is not None) == (own.iscrowd, True)
            assert np.array_equal(np.asarray(other.mask), np.asarray(own.mask))


def test_documents_are_those_fiftyone_writes(fo: Any, miniature: Any) -> None:
    """Loading a sample and saving it through FiftyOne's own classes changes nothing in the database."""
    collection = miniature._sample_collection
    before = {document["_id"]: document for document in collection.find()}
    copy = fo.Dataset("copy", overwrite=True)
    copy.add_samples([sample.copy() for sample in miniature], dynamic=True, progress=False)
    volatile = {"_id", "_dataset_id", "created_at", "last_modified_at", "_rand"}

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items() if key != "_id" and one is not None}
        if isinstance(value, list):
            return [plain(one) for one in value]
        if isinstance(value, bytes):
            return fo.core.utils.deserialize_numpy_array(value).tolist()
        return "nan" if value != value else value

    written = list(copy._sample_collection.find())
    assert len(written) == len(before)
    for ours, theirs in zip(before.values(), written, strict=True):
        assert {k: plain(v) for k, v in ours.items() if k not in volatile} == {
            k: plain(v) for k, v in theirs.items() if k not in volatile and v is not None
        }
        assert {"_media_type", "_rand", "created_at", "filepath", "tags"} <= set(ours)


def test_replaces_only_its_own(fo: Any) -> None:
    first = data_helpers.to_fiftyone(data_helpers.read("coco", max_samples=3), "mine")
    assert len(data_helpers.to_fiftyone(data_helpers.read("coco", max_samples=2), "mine")) == 2
    assert first.deleted
    fo.Dataset("theirs")
    with pytest.raises(UnknownNameError, match="theirs"):
        data_helpers.to_fiftyone(data_helpers.read("coco", max_samples=2), "theirs")
    assert fo.dataset_exists("theirs")


def test_half_a_dataset_is_not_left(fo: Any) -> None:
    def broken() -> Iterator[Sample]:
        yield from data_helpers.read("coco", max_samples=2)
        raise ValueError("a sample that breaks")

    with pytest.raises(ValueError, match="breaks"):
        data_helpers.to_fiftyone(broken(), "half", batch=1)
    assert not fo.dataset_exists("half")


def test_a_number_that_the_database_cannot_hold_is_told(fo: Any) -> None:
    sample = Sample(id=1, width=8, height=6, labels={"boxes": [coco.Annotation(1, id=2**63, bbox=(1, 1, 2, 2))]})
    with pytest.raises(FormatError, match="samples 1 to 1 a number takes more than 64 bits"):
        data_helpers.to_fiftyone([sample], "huge")
    assert not fo.dataset_exists("huge")


def test_other_labels_are_kept(fo: Any, tmp_path: Path) -> None:
    """A label FiftyOne has no class for, a picture of unknown size, several classes: all stand in the dataset."""
    from PIL import Image

    from data_helpers.coco import Annotation

    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    box = Annotation(1, id=7, bbox=(3.0, 4.0, 6.0, 8.0), label="cup")
    named = [Annotation(1, label="cup"), Annotation(1, label="tea")]
    samples = [
        Sample(id="a", image=tmp_path / "a.png", labels={"boxes": [box], "ratings": [{"rater": 1, "score": 0.5}]}),
        Sample(id="b", labels={"boxes": [box], "classes": named}, extra={"seen": {"on": "paper"}, "tags": 3}),
    ]
    dataset = data_helpers.to_fiftyone(samples, "other")
    one, other = dataset.first(), dataset.last()
    assert one.boxes.detections[0].bounding_box == [0.1, 0.2, 0.2, 0.4]
    assert one.ratings == [{"rater": 1, "score": 0.5}]
    assert other["boxes"] is None or not isinstance(other["boxes"], list)
    assert other.boxes_of_unknown_size[0]["bbox"] == [3.0, 4.0, 6.0, 8.0]
    assert [label.label for label in other.classes.classifications] == ["cup", "tea"]
    assert other.seen == {"on": "paper"} and other.extra_tags == 3
    assert "missing-picture" in other.tags


@pytest.mark.parametrize(
    ("points", "kept"),
    [
        ('["x", 1, 2]', ["x", 1, 2]),
        ("[1, 1, 2e300]", [1, 1, 2e300]),
        ("[1, 1]", [1, 1]),
        ('{"a": 1}', {"a": 1}),
        # What MongoDB or Python cannot hold stands as it is written.
        (f"[1, 1, {2**70}]", f"[1, 1, {2**70}]"),
        ("[1, 1, 1e999]", "[1, 1, 1e999]"),
        (f"[{10**400}, 1, 2]", f"[{10**400}, 1, 2]"),
        ('{"\\u0000": 1}', '{"\\u0000": 1}'),
        (b'["\xff"]', '["\ufffd"]'),
    ],
)
def test_odd_keypoints_are_kept_as_plain_data(fo: Any, points: str | bytes, kept: Any) -> None:
    import msgspec

    note = coco.Annotation(1, raw_keypoints=msgspec.Raw(points), num_keypoints=1)
    sample = Sample(id=1, width=8, height=6, labels={"keypoints": [note]})
    stored = data_helpers.to_fiftyone([sample], "points").first()
    assert "bad-keypoints" in stored.tags and stored.keypoints.keypoints == []
    assert [record["keypoints"] for record in stored["keypoints_without_place"]] == [kept]


def folder(root: Path, notes: list[dict[str, Any]], name: str = "instances", supercategory: str = "thing") -> Path:
    """Write a list of one picture, 8 by 6 pixels."""
    content = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 8, "height": 6}],
        "annotations": [{"id": n, "image_id": 1, "category_id": 1} | note for n, note in enumerate(notes, 1)],
        "categories": [{"id": 1, "name": "cat", "supercategory": supercategory}],
    }
    (root / "annotations").mkdir(exist_ok=True)
    (root / "annotations" / f"{name}_val2017.json").write_text(json.dumps(content))
    return root


SQUARE = [[2, 1, 5, 1, 5, 4, 2, 4]]


def test_what_has_no_place_is_kept_as_the_file_has_it(fo: Any, tmp_path: Path) -> None:
    """Keypoints, outlines and runs in plain fields are the values of the JSON."""
    points = [*range(48), 0, 0]
    instances = [{"bbox": ["NaN", 0, 3, 3], "segmentation": SQUARE}, {"bbox": [2, 1, 3, 3], "segmentation": SQUARE}]
    folder(tmp_path, instances)
    folder(tmp_path, [{"id": 9, "bbox": [0, 0, 8, 6], "num_keypoints": 16, "keypoints": points}], "person_keypoints")
    wrong = {"size": [4, 4], "counts": [0, 16]}
    folder(tmp_path, [{"segmentation": wrong}], "stuff", "grass-stuff")
    stored = data_helpers.to_fiftyone(data_helpers.read("coco", tmp_path), "x").first()
    assert [record["keypoints"] for record in stored["keypoints_without_place"]] == [points]
    assert [record["segmentation"] for record in stored["boxes_without_box"]] == [SQUARE]
    assert [record["segmentation"] for record in stored["stuff_without_place"]] == [wrong]
    assert [label.bounding_box for label in stored.boxes.detections] == [[2 / 8, 1 / 6, 3 / 8, 3 / 6], [0, 0, 1, 1]]
    assert {"bad-box", "bad-keypoints", "bad-rle"} <= set(stored.tags)
    masks = data_helpers.to_fiftyone(data_helpers.read("coco", tmp_path, label_types="masks"), "x").first()
    assert [record["segmentation"] for record in masks["masks_without_box"]] == [SQUARE]


@pytest.mark.parametrize(("label_types", "field"), [(None, "boxes"), ("masks", "masks")])
@pytest.mark.parametrize("with_box", [True, False])
def test_a_mask_without_a_box_arrives(
    fo: Any, tmp_path: Path, label_types: str | None, field: str, with_box: bool
) -> None:
    """Its box is that of its own pixels; one without a pixel stays plain data."""
    runs = {"size": [6, 8], "counts": [13, 2, 4, 3, 26]}
    empty = {"size": [6, 8], "counts": [48]}
    notes: list[dict[str, Any]] = [
        *([{"bbox": [2, 1, 3, 3], "segmentation": SQUARE, "area": 9}] if with_box else []),
        {"id": 20, "segmentation": SQUARE, "area": 9},
        {"id": 21, "segmentation": runs, "area": 5, "iscrowd": 1},
        {"id": 22, "segmentation": empty, "area": 0},
        {"id": 23, "segmentation": [[1, 1]], "area": 0},
    ]
    samples = data_helpers.read("coco", folder(tmp_path, notes), label_types=label_types)
    stored = data_helpers.to_fiftyone(samples, "masks").first()
    square, crowd = stored[field].detections[-2:]
    assert len(stored[field].detections) == 2 + with_box
    assert (square.annotation_id, square.label, square.area) == (20, "cat", 9)
    assert square.bounding_box == [2 / 8, 1 / 6, 3 / 8, 3 / 6] and square.mask.shape == (3, 3) and square.mask.all()
    assert (crowd.annotation_id, crowd.iscrowd) == (21, 1)
    assert crowd.bounding_box == [2 / 8, 1 / 6, 2 / 8, 3 / 6]
    assert crowd.mask.tolist() == [[True, True], [True, True], [False, True]]
    left = stored[f"{field}_without_box"]
    assert [(record["id"], record["segmentation"]) for record in left] == [(22, empty), (23, [[1, 1]])]
    assert "bad-polygon" in stored.tags


def test_a_mask_without_a_box_of_a_picture_of_unknown_size_is_kept(fo: Any) -> None:
    import msgspec

    outline = msgspec.Raw(json.dumps(SQUARE).encode())
    box, bare = coco.Annotation(1, id=1, bbox=(1, 1, 2, 2)), coco.Annotation(1, id=2, raw_segmentation=outline)
    stored = data_helpers.to_fiftyone([Sample(id=1, labels={"boxes": [box], "masks": [bare]})], "unknown").first()
    assert [record["id"] for record in stored["boxes_of_unknown_size"]] == [1, 2]
    assert stored["boxes_of_unknown_size"][1]["segmentation"] == SQUARE


def test_masks_are_those_of_the_whole_picture(fo: Any) -> None:
    """Cut to their boxes, to the pixel; of one part and several, within their box and beyond it."""
    import random

    import msgspec

    rng = random.Random(0)
    notes = []
    for number in range(300):
        x, y, w, h = rng.randint(0, 30), rng.randint(0, 20), rng.randint(2, 30), rng.randint(2, 25)
        spare = rng.choice([0, 0, 0, 4])

        def corners(size: float, start: float, spare: int = spare) -> float:
            # Tenths: where pycocotools rounds to fifths, half of them are ties.
            return round(rng.uniform(start - spare, start + size + spare), 1)

        parts = [[corners(*((w, x), (h, y))[n % 2]) for n in range(12)] for _ in range(rng.choice([1, 1, 2]))]
        outline = msgspec.Raw(json.dumps(parts).encode())
        notes.append(coco.Annotation(1, id=number, bbox=(x, y, w + 0.5, h + 0.25), raw_segmentation=outline))
    sample = Sample(id=1, width=60, height=45, labels={"boxes": notes, "masks": notes})
    stored = data_helpers.to_fiftyone([sample], "cut").first()
    for note, label in zip(notes, stored.boxes.detections, strict=True):
        x, y, w, h = note.bbox or (0, 0, 0, 0)
        whole = coco.mask(note, 45, 60)
        assert np.array_equal(label.mask, whole[round(y) : round(y + h), round(x) : round(x + w)]), note.id


def test_a_mask_in_its_box_is_a_piece_of_the_whole_picture() -> None:
    """A line halfway between two rows is rounded by where the canvas begins; of large outlines few show it."""
    import random
    from types import SimpleNamespace

    from data_helpers.app.masks import in_box

    rng, drawn = random.Random(6), 0
    for number in range(4000):
        width, height = ((640, 480), (60, 45), (3, 40))[number % 3 if number % 2 else 0]
        middle = [rng.uniform(-0.1, 1.1) * side for side in (width, height)]
        reach = [rng.uniform(0, 0.6) * side for side in (width, height)]
        digits = rng.choice([0, 1, 2, 15])
        parts = [
            [
                round(rng.uniform(middle[n % 2] - reach[n % 2], middle[n % 2] + reach[n % 2]), digits)
                for n in range(count)
            ]
            for count in (rng.randrange(6, 40, 2) for _ in range(rng.choice([1, 1, 3])))
        ]
        edges = [[end(value for part in parts for value in part[axis::2]) for end in (min, max)] for axis in (0, 1)]
        if number % 4 == 3:
            # A box that is not the outline's: it cuts it, or lies beside it.
            edges = [sorted(edge + rng.uniform(-9, 9) for edge in pair) for pair in edges]
        (left, right), (top, bottom) = edges
        box = (left, top, right - left, bottom - top)
        record = SimpleNamespace(segmentation=parts)
        rows, columns = (
            slice(max(0, round(a)), max(0, round(a + n))) for a, n in zip(box[1::-1], box[:1:-1], strict=True)
        )
        whole = coco.mask(record, height, width)[rows, columns]
        found = in_box(record, box, height, width)
        assert found.size == whole.size and (not whole.size or np.array_equal(found, whole)), (
            parts,
            box,
            height,
            width,
        )
        drawn += bool(whole.any())
    assert drawn > 3000


def test_a_picture_of_no_sane_size_ends_no_process(fo: Any) -> None:
    """Memory for a mask as large as its box ended Python where there was none."""
    import msgspec

    outline = msgspec.Raw(b"[[0, 0, 0, 900000, 900000, 900000, 900000, 0]]")
    note = coco.Annotation(1, id=1, bbox=(0, 0, 900_000, 900_000), raw_segmentation=outline)
    sample = Sample(id=1, width=1_000_000, height=1_000_000, labels={"boxes": [note], "masks": [note]})
    stored = data_helpers.to_fiftyone([sample], "vast").first()
    assert stored.boxes.detections[0].mask is None and "bad-polygon" in stored.tags


@pytest.mark.parametrize(
    "box",
    [
        [1, 1, 3, 2],
        [1, 1, -3, 2],
        [1, 1, 3, 0],
        [1, 1, 0, -2],
        [-1, 1, 3, 2],
        [1, -0.5, 3, 2],
        [6, 1, 3, 2],
        [6, 1, 3.5, 2],
        [1, 5, 3, 2.5],
        [-1, 1, 20, 0],
        [1, 1, "Infinity", 1],
        ["NaN", 1, 1, 0],
        [1e308, 1, 1e308, 1],
    ],
)
def test_boxes_are_tagged_in_the_words_of_summary(fo: Any, tmp_path: Path, box: list[Any]) -> None:
    folder(tmp_path, [{"bbox": box, "segmentation": SQUARE}])
    words = {"bad-box", "zero-area-box", "outside-box"}
    expected = {problem["kind"] for problem in data_helpers.summary("coco", tmp_path)["problems"]} & words
    stored = data_helpers.to_fiftyone(data_helpers.read("coco", tmp_path), "tagged").first()
    assert set(stored.tags) & words == expected
    assert bool(expected) is (box not in ([1, 1, 3, 2], [6, 1, 3, 2]))


SEGMENTS = [{"id": 1, "category_id": 1, "area": 20, "bbox": [0, 0, 8, 6]}]


@pytest.mark.parametrize("fault", ["", "transposed", "unknown segment", "another area", "no pixel", "two records"])
def test_wrong_panoptic_maps_are_tagged(fo: Any, tmp_path: Path, fault: str) -> None:
    """Without a word of ``summary``: what a map says against its list is seen as it is stored."""
    from PIL import Image

    ids = np.zeros((6, 8), np.uint8)
    ids[:4, :5] = 1
    if fault == "unknown segment":
        ids[5, 7] = 9
    elif fault == "another area":
        ids[5, 7] = 1
    maps = tmp_path / "annotations" / "panoptic_val2017"
    maps.mkdir(parents=True)
    colours = np.zeros((6, 8, 3), np.uint8)
    colours[..., 0] = ids
    Image.fromarray(colours.swapaxes(0, 1) if fault == "transposed" else colours).save(maps / "1.png")
    notes: list[dict[str, Any]] = [{"file_name": "1.png", "segments_info": SEGMENTS}]
    if fault == "no pixel":
        notes[0]["segments_info"] = [*SEGMENTS, {"id": 8, "category_id": 1}]
    if fault == "two records":
        notes.append({"file_name": "2.png", "segments_info": [{"id": 7, "category_id": 1, "area": 48}]})
    folder(tmp_path, notes, "panoptic")
    stored = data_helpers.to_fiftyone(data_helpers.read("coco", tmp_path), "panoptic").first()
    assert ("bad-panoptic" in stored.tags) is bool(fault)
    left = stored["panoptic_without_place"] if stored.has_field("panoptic_without_place") else []
    if fault == "transposed":
        assert not stored.has_field("panoptic") and not stored.has_field("segments")
        assert [record["segments_info"][0]["area"] for record in left] == [20]
        return
    assert stored.panoptic.mask.tolist() == (ids == 1).astype(int).tolist()
    assert len(stored.segments.detections) == 1
    assert [record["segments_info"][0]["id"] for record in left] == ([7] if fault == "two records" else [])


def test_odd_panoptic_maps_arrive(fo: Any, tmp_path: Path) -> None:
    """Ids that no map holds, boxes of no number, maps of unknown segments: plain data and tags, no traceback."""
    from PIL import Image

    maps = tmp_path / "annotations" / "panoptic_val2017"
    maps.mkdir(parents=True)
    (tmp_path / "val2017").mkdir()
    odd: list[dict[str, Any]] = [{"category_id": 70000}, {"bbox": ["NaN", 0, 1, 1]}, {"id": 3}]
    odd += [{"bbox": [1e308, -1e308, 1e308, 1]}, {"bbox": None}]
    segments = [{"id": 258, "category_id": 1, "area": 48, "bbox": [0, 0, 8, 6]} | one for one in odd]
    content = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": 8, "height": 6} for n in range(5)],
        "annotations": [
            {"image_id": n, "file_name": f"{n}.png", "segments_info": [one]} for n, one in enumerate(segments)
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 70000, "name": "dog"}],
    }
    (tmp_path / "annotations" / "panoptic_val2017.json").write_text(json.dumps(content))
    for number in range(5):
        Image.new("RGB", (8, 6), (2, 1, 0)).save(maps / f"{number}.png")
        Image.new("RGB", (8, 6)).save(tmp_path / "val2017" / f"{number}.jpg")
    problems = data_helpers.summary("coco", tmp_path)["problems"]
    stored = data_helpers.to_fiftyone(data_helpers.read("coco", tmp_path), "odd", problems=problems)
    first, second, third, fourth, fifth = stored
    assert first.panoptic is None and first.panoptic_without_place and "bad-panoptic" in first.tags
    assert (second.panoptic.mask == 1).all() and second.segments.detections == []
    assert [segment.bounding_box for segment in fifth.segments.detections] == [[0, 0, 1, 1]] and len(fifth.tags) == 1
    assert fourth.segments.detections == [] and {"bad-box", "outside-box"} <= set(fourth.tags)
    assert "bad-panoptic" in third.tags and not third.panoptic.mask.any()


@pytest.mark.parametrize("stem", [stem for stem in data_helpers.list_datasets() if stem != "coco"])
def test_every_dataset_arrives(stem: str) -> None:
    samples = list(data_helpers.read(stem))
    dataset = data_helpers.to_fiftyone(samples, f"all-{stem}")
    assert len(dataset) == len(samples)
    # Pairs and other lists beside the pictures are counted in a summary; no single picture carries them.
    kinds = {kind for sample in samples for kind, records in sample.labels.items() if records}
    assert kinds
    for kind in kinds:
        fields = dataset.get_field_schema()
        assert any(name.startswith(kind) for name in fields), (kind, list(fields))
    dataset.first()
    assert dataset.to_dict()


def test_no_database_says_what_to_do(tmp_path: Path) -> None:
    code = (
        "import data_helpers as d\n"
        "try:\n    d.to_fiftyone(d.read('coco', max_samples=1), 'x')\n"
        "except d.DataError as error:\n    print(type(error).__name__, error)"
    )
    env = os.environ | {"FIFTYONE_DATABASE_URI": "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200"}
    env["PYTHONPATH"] = str(REPOSITORY)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith(DatabaseError.__name__), done.stdout + done.stderr
    assert "FIFTYONE_DATABASE_URI" in done.stdout and "doctor" in done.stdout


@pytest.mark.parametrize("prefix", [None, "/user/ada/"])
def test_explore_tells_the_address(
    fo: Any, miniature: Any, prefix: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plain address at home, the proxy's behind JupyterHub and Binder."""
    seen: dict[str, Any] = {}

    class Session:
        server_port = 5151

    def launch(dataset: Any, **options: Any) -> Session:
        seen.update(options)
        return Session()

    monkeypatch.setattr(fo, "launch_app", launch)
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    if prefix:
        monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", prefix)
    data_helpers.explore(miniature)
    printed = capsys.readouterr().out
    if prefix:
        assert seen["config"].proxy_url == "/user/ada/proxy/5151/" and "/user/ada/proxy/5151/" in printed
    else:
        assert "http://localhost:5151/" in printed
    assert fo.app_config.proxy_url is None


def test_the_repository_is_a_zoo_source(fo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FiftyOne's zoo takes an archive of this checkout, fetches by our fetcher and loads by our reader."""
    archive = tmp_path / "site" / "book.zip"
    archive.parent.mkdir()
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "fiftyone.yml",
            "__init__.py",
            "data_helpers",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    names = listed.stdout.split() or [
        str(path.relative_to(REPOSITORY))
        for pattern in ("fiftyone.yml", "__init__.py", "data_helpers/**/*")
        for path in REPOSITORY.glob(pattern)
    ]
    assert {"fiftyone.yml", "__init__.py"} <= set(names)
    with zipfile.ZipFile(archive, "w") as bundle:
        for name in names:
            if (REPOSITORY / name).is_file() and "__pycache__" not in name:
                bundle.write(REPOSITORY / name, f"image-datasets-main/{name}")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(archive.parent))
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    asked: list[dict[str, Any]] = []
    root = data_helpers.miniature("coco")

    def fetched(name: str, **options: Any) -> Path:
        asked.append({"name": name, **options})
        shutil.copytree(root, options["root"], dirs_exist_ok=True)
        return Path(options["root"])

    monkeypatch.setattr(data_helpers, "fetch", fetched)
    monkeypatch.setattr(fo.config, "dataset_zoo_dir", str(tmp_path / "zoo"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        dataset = fo.zoo.load_zoo_dataset(
            f"http://127.0.0.1:{web.server_address[1]}/book.zip",
            split="validation",
            max_samples=4,
            classes=["person"],
            label_types=["detections", "keypoints"],
            dataset_name="from-zoo",
            progress=False,
        )
        web.shutdown()
    assert asked and asked[0]["name"] == "coco"
    assert asked[0]["split"] == "val2017" and asked[0]["max_samples"] == 4 and asked[0]["classes"] == ["person"]
    assert len(dataset) == 4 and dataset.count("boxes.detections") > 0
    assert all("val2017" in sample.tags for sample in dataset)
    assert all(any(label.label == "person" for label in sample.boxes.detections) for sample in dataset)
    assert dataset.default_skeleton is not None
