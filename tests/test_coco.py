"""COCO's reader: real files counted against themselves, every bad input told, masks against pycocotools."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import shutil
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as api

from data_helpers import coco, show, stats
from data_helpers.coco import decoding, halves, masks, parts, tally
from data_helpers.errors import DataError, FormatError, MissingFileError, UnknownNameError
from data_helpers.samples import Sample, Scan, Selection

pytestmark = pytest.mark.filterwarnings("error", "ignore:__array__:DeprecationWarning")

FOLDERS = {
    "Obmutescence_COCO-MINI": ["annotations/*.json"],
    "MiXaiLL76_faster_coco_eval": ["tests/dataset/cocoapi/*.json"],
    "openvinotoolkit_datumaro": ["tests/assets/coco_dataset/coco/annotations/*.json"],
    "cocodataset_panopticapi": ["sample_data/*.json"],
}


def read(root: Path, **want: Any) -> list[Sample]:
    return list(coco.read(root, Selection(**want)))


def box(number: int, image: int = 1, category: int = 1, **more: Any) -> dict[str, Any]:
    polygon = [[1, 1, 4, 1, 4, 4, 1, 4]]
    base = {"id": number, "image_id": image, "category_id": category, "bbox": [1, 1, 3, 3], "area": 9.0, "iscrowd": 0}
    return base | {"segmentation": polygon} | more


def document(*annotations: Any, **more: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "000000000001.jpg", "width": 8, "height": 6, "license": 4}],
        "annotations": list(annotations),
        "categories": [{"id": 1, "name": "cat", "supercategory": "animal"}],
        "licenses": [{"id": 4, "name": "Attribution License", "url": "http://creativecommons.org/licenses/by/2.0/"}],
    } | more


def picture(mode: str = "RGB", size: tuple[int, int] = (8, 6), exif: int | None = None) -> bytes:
    file = io.BytesIO()
    extra: dict[str, Any] = {}
    if exif is not None:
        tags = Image.Exif()
        tags[0x0112] = exif
        extra["exif"] = tags
    Image.new(mode, size).save(file, "JPEG", **extra)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    """Write a folder of one list and one picture; ``None`` leaves the picture out."""

    def write(content: Any, data: bytes | None = picture(), name: str = "instances_val2017.json") -> Path:
        path = tmp_path / "annotations" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        if data is not None:
            (tmp_path / "val2017").mkdir(exist_ok=True)
            (tmp_path / "val2017" / "000000000001.jpg").write_bytes(data)
        return tmp_path

    return write


def kinds(found: Scan) -> list[str]:
    return [problem.kind for problem in found.problems]


@pytest.mark.real
@pytest.mark.parametrize("name", FOLDERS)
def test_every_count_of_real_files_equals_the_files_own(real: Path, name: str) -> None:
    root = real / "coco" / name
    expected: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    images: dict[str, set[int]] = {}
    boxes: set[tuple[int, int]] = set()
    for path in sorted(
        (path for glob in FOLDERS[name] for path in root.glob(glob)), key=lambda p: "keypoints" in p.name
    ):
        data = json.loads(path.read_text())
        split = next((word for word in ("train", "val") if word in path.stem), "all")
        images.setdefault(split, set()).update(image["id"] for image in data["images"])
        names = {category["id"]: category["name"] for category in data.get("categories", ())}
        for note in data.get("annotations", ()):
            if "caption" in note:
                expected["captions"] += 1
            elif "segments_info" in note:
                expected["panoptic"] += 1
            elif path.stem.startswith("stuff_"):
                expected["stuff"] += 1
            elif "bbox" not in note:
                expected["classes"] += 1
            elif (note["image_id"], note["id"]) not in boxes:
                boxes.add((note["image_id"], note["id"]))
                expected["boxes"] += 1
                expected["masks"] += bool(note["segmentation"])
                classes[names[note["category_id"]]] += 1
            expected["keypoints"] += note.get("num_keypoints", 0) > 0
    found = coco.scan(root)
    assert {kind: count for kind, count in found.labels.items() if count} == {k: n for k, n in expected.items() if n}
    assert found.images == sum(map(len, images.values()))
    assert {name: found.classes[name] for name in classes} == dict(classes)
    samples = read(root)
    assert len(samples) == found.images
    told: Counter[str] = Counter()
    for sample in samples:
        told.update({kind: len(records) for kind, records in sample.labels.items()})
    assert told == Counter(found.labels)
    assert sum(sample.image is not None for sample in samples) == found.images_on_disk == len(list(root.rglob("*.jpg")))
    # Only pictures that are not there may be wrong with real files.
    assert set(kinds(found)) <= {"missing-picture", "gray-picture"}


@pytest.mark.real
def test_part_of_a_real_folder_reads(real: Path, tmp_path: Path) -> None:
    mini = real / "coco" / "Obmutescence_COCO-MINI"
    whole = coco.scan(mini)
    alone = coco.scan(mini / "annotations")
    assert (alone.labels, alone.splits) == (whole.labels, whole.splits)
    pictures = coco.scan(mini / "val2017")
    assert pictures.images == pictures.images_on_disk == 18 and pictures.splits == {"val2017": 18}
    assert {type(sample.id) for sample in read(mini / "val2017")} == {int}
    (tmp_path / "annotations").mkdir()
    shutil.copy(mini / "annotations" / "captions_val2017.json", tmp_path / "annotations")
    assert coco.scan(tmp_path).labels == {"captions": 395}
    assert coco.recognise(mini) == coco.recognise(mini / "val2017") == "COCO 2017"
    assert coco.recognise(real / "flickr8k") is None


@pytest.mark.real
def test_results_are_read_as_pycocotools_reads_them(real: Path) -> None:
    from pycocotools.coco import COCO

    truth = real / "coco/MiXaiLL76_faster_coco_eval/tests/dataset/cocoapi/instances_val2014_100.json"
    results = real / "coco/cocodataset_cocoapi/results"
    peer = COCO(str(truth))
    for name in (
        "instances_val2014_fakebbox100",
        "instances_val2014_fakesegm100",
        "person_keypoints_val2014_fakekeypoints100",
    ):
        path = results / f"{name}_results.json"
        loaded = peer.loadRes(str(path)).dataset["annotations"]
        ours = coco.read_results(path, image_ids=peer.getImgIds())
        assert len(ours) == len(loaded) == len(json.loads(path.read_text()))
        for mine, theirs in zip(ours, loaded, strict=True):
            assert (mine.id, mine.image_id, mine.score) == (theirs["id"], theirs["image_id"], theirs["score"])
            assert mine.area == theirs["area"] and list(mine.bbox or ()) == list(theirs["bbox"])
            if "segmentation" in theirs:
                assert mine.segmentation == theirs["segmentation"]
    with pytest.raises(FormatError, match="images are not among the given ones"):
        coco.read_results(results / "captions_val2014_fakecap_results.json", image_ids=peer.getImgIds())
    assert coco.read_results(results / "captions_val2014_fakecap_results.json")[0].caption


def test_results_with_empty_boxes_and_crowds_are_read_as_pycocotools_reads_them(folder: Any, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    root = folder(document(box(1)))
    drawn = api.encode(np.eye(6, 8, dtype=np.uint8, order="F"))
    runs = {"size": [6, 8], "counts": drawn["counts"].decode()}
    one = {"image_id": 1, "category_id": 1, "score": 0.5, "iscrowd": 1, "segmentation": runs}
    path = tmp_path / "results.json"
    for results in ([one | {"bbox": []}], [one], [one | {"segmentation": [], "bbox": [1, 2, 3, 4]}]):
        path.write_text(json.dumps(results))
        (theirs,) = COCO(str(root / "annotations" / "instances_val2017.json")).loadRes(str(path)).dataset["annotations"]
        (mine,) = coco.read_results(path)
        assert (mine.iscrowd, mine.area, mine.score) == (theirs["iscrowd"], theirs["area"], theirs["score"])
        assert list(mine.bbox or ()) == (list(theirs["bbox"]) or [0, 0, 6, 6])


@pytest.mark.real
def test_a_list_of_categories_reads(real: Path) -> None:
    path = real / "coco" / "cocodataset_panopticapi" / "panoptic_coco_categories.json"
    names = [category.name for category in coco.read_categories(str(path))]
    assert names == [category["name"] for category in json.loads(path.read_text())]
    results = real / "coco" / "cocodataset_cocoapi" / "results"
    assert coco.read_categories(results / "instances_val2014_fakebbox100_results.json") == []


@pytest.mark.real
def test_masks_of_real_files_equal_pycocotools(real: Path) -> None:
    from pycocotools.coco import COCO

    for path in sorted((real / "coco").rglob("instances_*2017.json")) + sorted(
        (real / "coco").rglob("*detection_format.json")
    ):
        peer = COCO(str(path))
        for note in coco.read_file(path).annotations or ():
            image = peer.imgs[note.image_id]
            mine = coco.mask(note, image["height"], image["width"])
            assert mine.dtype == bool and (mine == peer.annToMask(peer.anns[note.id]).astype(bool)).all()


@pytest.mark.real
def test_panoptic_maps_agree_with_their_segments_to_the_pixel(real: Path) -> None:
    samples = read(real / "coco" / "cocodataset_panopticapi", label_types="panoptic")
    assert len(samples) == 2
    for sample in samples:
        (note,) = sample.labels["panoptic"]
        ids = coco.read_panoptic(sample.extra["panoptic_png"])
        assert ids.shape == (sample.height, sample.width)
        areas = {segment.id: int((ids == segment.id).sum()) for segment in note.segments_info}
        assert areas == {segment.id: segment.area for segment in note.segments_info}
        assert set(np.unique(ids)) - {0} == set(areas)
        assert all(segment.label for segment in note.segments_info)


def test_a_sample_has_what_the_files_say(folder: Any) -> None:
    root = folder(document(box(7), box(8, iscrowd=1, segmentation={"size": [6, 8], "counts": [40, 4, 4]})))
    (root / "annotations" / "captions_val2017.json").write_text(
        json.dumps({"images": document()["images"], "annotations": [{"id": 1, "image_id": 1, "caption": "A cat."}]})
    )
    (sample,) = read(root)
    assert (sample.id, sample.split, sample.width, sample.height) == (1, "val2017", 8, 6)
    assert sample.image == root / "val2017" / "000000000001.jpg"
    assert sample.licence == "CC BY 2.0" and sample.extra["license"] == 4
    assert [note.label for note in sample.labels["boxes"]] == ["cat", "cat"]
    assert sample.labels["boxes"][1].segmentation == {"size": [6, 8], "counts": [40, 4, 4]}
    # A crowd's runs go down the columns: 40 are six columns and four pixels of the seventh.
    crowd = coco.mask(sample.labels["masks"][1], 6, 8)
    assert np.argwhere(crowd).tolist() == [[0, 7], [1, 7], [4, 6], [5, 6]]
    assert sample.labels["captions"][0].caption == "A cat."
    assert json.loads(__import__("msgspec").json.encode(sample.labels["boxes"][0]))["segmentation"] == [
        [1, 1, 4, 1, 4, 4, 1, 4]
    ]


def test_the_folder_of_lists_is_one_to_stand_in(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(document(box(7), box(2**64)))
    monkeypatch.chdir(root / "annotations")
    (sample,) = read(Path())
    assert sample.image == root / "val2017" / "000000000001.jpg"
    found = coco.scan(Path())
    assert [(one.kind, str(2**64) in one.detail) for one in found.problems] == [("bad-file", True)]


def test_people_of_two_lists_are_one_box(folder: Any) -> None:
    points = [1, 1, 2] * 2
    category = {"id": 1, "name": "person", "keypoints": ["nose", "tail"], "skeleton": [[1, 2]]}
    folder(document(box(1), box(2), categories=[category]))
    root = folder(
        document(
            box(1, keypoints=points, num_keypoints=2), box(3, keypoints=[0] * 6, num_keypoints=0), categories=[category]
        ),
        name="person_keypoints_val2017.json",
    )
    found = coco.scan(root)
    assert found.labels == {"boxes": 3, "keypoints": 1, "masks": 3} and found.classes == {"person": 3}
    (sample,) = read(root)
    assert [note.id for note in sample.labels["boxes"]] == [1, 2, 3]
    assert sample.labels["keypoints"][0].keypoints == points and found.problems == []
    # Who numbers stuff from 1 has not told of these people before.
    (root / "annotations" / "instances_val2017.json").rename(root / "annotations" / "stuff_val2017.json")
    assert coco.scan(root).labels == {"boxes": 2, "keypoints": 1, "masks": 2, "stuff": 2}
    assert [note.id for note in read(root)[0].labels["boxes"]] == [1, 3]


def test_selection(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    for split in ("train2017", "val2017"):
        images = [{"id": number, "file_name": f"{number}.jpg", "width": 8, "height": 6} for number in (9, 3, 5)]
        names = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
        content = document(box(1, 3), box(2, 5, 2), images=images, categories=names)
        (tmp_path / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    assert [(s.split, s.id) for s in read(tmp_path, max_samples=4)] == [
        ("train2017", 3), ("train2017", 5), ("train2017", 9), ("val2017", 3)
    ]  # fmt: skip
    assert [s.id for s in read(tmp_path, split="val2017", classes="dog")] == [5]
    assert [s.id for s in read(tmp_path, split="val2017", image_ids=["9", 3])] == [3, 9]
    (first, *_) = read(tmp_path, split="val2017", label_types="masks")
    assert list(first.labels) == ["masks"]
    shuffled = [(s.split, s.id) for s in read(tmp_path, shuffle=True, seed=3)]
    assert shuffled == [(s.split, s.id) for s in read(tmp_path, shuffle=True, seed=3)]
    assert sorted(shuffled) == sorted((s.split, s.id) for s in read(tmp_path))
    assert read(tmp_path, max_samples=0) == []
    for wrong in ({"split": "test"}, {"classes": "unicorn"}, {"label_types": "smells"}):
        with pytest.raises(UnknownNameError, match="Expected one of"):
            read(tmp_path, **wrong)


def test_lists_of_one_split_may_number_their_licences_differently(folder: Any) -> None:
    table = [{"id": 4, "name": "Attribution License", "url": "http://creativecommons.org/licenses/by/2.0/"}]
    other = [{"id": 4, "name": "All rights reserved", "url": ""}]
    more = {"id": 2, "file_name": "000000000002.jpg", "width": 8, "height": 6, "license": 4}
    folder(document(box(1), licenses=table))
    own = {"images": [more], "licenses": other, "annotations": []}
    root = folder(own, name="captions_val2017.json")
    assert [sample.licence for sample in read(root)] == ["CC BY 2.0", "All rights reserved"]
    # Who takes a picture's record from a later list takes that list's licences with it.
    folder(document(licenses=other), name="captions_val2017.json")
    folder(document(images=[{"id": 2, "license": 4}], licenses=table))
    folder(own, name="stuff_val2017.json")
    assert [sample.licence for sample in read(root)] == ["All rights reserved"] * 2


def test_a_list_without_a_split_in_its_name_joins_the_one_with_its_pictures(folder: Any) -> None:
    folder(document(box(1)))
    root = folder(document(box(2)), name="my_own_detections.json")
    assert coco.scan(root).splits == {"val2017": 1} and coco.scan(root).labels["boxes"] == 2


BAD_RECORDS: dict[str, tuple[dict[str, Any], str]] = {
    "orphan": (box(1, image=5), "image 5"),
    "unknown-category": (box(1, category=77), "category 77"),
    "zero-area-box": (box(1, bbox=[1, 1, 3, 0]), "[1.0, 1.0, 3.0, 0.0]"),
    "bad-box": (box(1, bbox=[1, 1, -3, 2]), "negative"),
    "outside-box": (box(1, bbox=[1, 1, 30, 2]), "leaves the picture"),
    "bad-polygon": (box(1, segmentation=[[1, 1, 4, 1, 4, 4], [1, 1, 2, 2]]), "at least 3 points"),
    "bad-rle": (box(1, segmentation={"size": [8, 6], "counts": [40, 8]}), "the picture's is [6, 8]"),
    "bad-keypoints": (box(1, keypoints=[1, 1], num_keypoints=1), "multiple of 3"),
    "empty-caption": ({"id": 1, "image_id": 1, "caption": "  "}, "no text"),
    "bad-area": (box(1, area=-2), "-2 square pixels"),
    "bad-crowd": (box(1, iscrowd=2), "expected 0 or 1"),
}


def test_ids_and_sizes_of_a_list_are_looked_at(folder: Any) -> None:
    images = [{"id": 1, "file_name": "000000000001.jpg", "width": 0, "height": 6}]
    categories = [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]
    nameless = {**box(1), "id": None}
    found = coco.scan(folder(document(nameless, box(2), images=images, categories=categories)))
    told = {problem.kind: f"{problem.where} {problem.detail}" for problem in found.problems}
    assert "category 1 the id stands 2 times" in told["duplicate-id"]
    assert "1 of 2 annotations have no id" in told["missing-id"]
    assert "image 1 is listed as 0x6 pixels" in told["bad-size"]


@pytest.mark.parametrize("kind", BAD_RECORDS)
def test_a_bad_record_is_a_problem_that_names_it(folder: Any, kind: str) -> None:
    record, told = BAD_RECORDS[kind]
    found = coco.scan(folder(document(record)))
    (problem,) = found.problems
    assert problem.kind == kind and told in problem.detail
    assert problem.where == "instances_val2017.json: annotation 1"


@pytest.mark.parametrize(
    ("segmentation", "told"),
    [
        ([[1, 1, 2, 2]], "3 points"),
        ([[1, 1, 2, 2, 3]], "3 points"),
        ([[1, 1, 2, 2, 3, "x"]], "flat list"),
        ([[1, 1, 2, 2, 3, 1e300]], "million"),
        ([[1, 1, 2, 2, 3, 10**400]], "million"),
        ({"size": [6, 8], "counts": [40, 7]}, "47 pixels"),
        ({"size": [6, 8], "counts": [60, -12]}, "negative"),
        ({"size": [6, 8], "counts": "~~~"}, "compressed"),
        ({"size": [6, 8], "counts": "P"}, "cut short"),
        ({"size": [6, 8], "counts": "ooooooooooooo0"}, "compressed"),
        ({"size": "6x8", "counts": [48]}, "expected [height, width]"),
        ({"counts": [48]}, "expected [height, width]"),
        ({"size": [6, 8], "counts": 48}, "expected a list or a string"),
        ([], "no mask"),
        (None, "no mask"),
    ],
)
def test_a_mask_that_cannot_be_drawn_says_why(segmentation: Any, told: str, tmp_path: Path) -> None:
    path = tmp_path / "instances_val2017.json"
    path.write_text(json.dumps(document(box(1, segmentation=segmentation))))
    (note,) = coco.read_file(path).annotations or ()
    with pytest.raises(FormatError) as error:
        coco.mask(note, 6, 8)
    assert told in str(error.value)
    assert isinstance(error.value, DataError) and isinstance(error.value, ValueError)
    assert kinds(coco.scan(tmp_path))[:1] != [] or not segmentation


BAD_FILES: dict[str, tuple[Any, str]] = {
    "cut short": (json.dumps(document(box(1))).encode()[:-40], "ends at byte"),
    "html": (b"<!DOCTYPE html><title>404</title>", "at byte 0"),
    "empty": (b"", "empty file"),
    "number": (b"17", "expected an object"),
    "text": (b'"annotations"', "expected an object"),
    "list of numbers": (b"[1, 2]", "object"),
    "images is no list": (document(images={"id": 1}), "images: expected a list"),
    "NaN": (json.dumps(document(box(1, bbox=[1, 1, float("nan"), 3]))).encode(), "NaN is no number in JSON"),
    "infinity": (json.dumps(document(box(1, area=float("inf")))).encode(), "Infinity is no number in JSON"),
    "box of three": (document(box(1), box(2, bbox=[1, 2, 3])), "annotations[1]"),
    "no image id": (document({"id": 1, "category_id": 1}), "annotations[0]"),
    "id is a word": (document(box("one")), "annotations[0]"),  # type: ignore[arg-type]
    "name is a number": (document(categories=[{"id": 1, "name": 1}]), "categories[0]"),
    "deep": (b'{"info": ' + b"[" * 100_000, "JSON"),
    "not UTF-8": (b'{"images": [{"id": 1, "file_name": "\xff\xfe"}]}', "JSON"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_broken_file_is_told_with_its_place(folder: Any, name: str) -> None:
    content, told = BAD_FILES[name]
    root = folder(content)
    with pytest.raises(FormatError) as error:
        read(root)
    assert told in str(error.value) and "instances_val2017.json" in str(error.value)
    found = coco.scan(root)
    assert kinds(found)[0] == "bad-file" and told in found.problems[0].detail


def test_a_box_is_outside_of_its_own_picture(folder: Any) -> None:
    content = document(box(1, 1, bbox=[1, 1, 40, 40]), box(2, 2, bbox=[1, 1, 40, 40]))
    content["images"].append({"id": 2, "file_name": "2.jpg", "width": 99, "height": 99})
    (problem, _) = coco.scan(folder(content)).problems
    assert (problem.kind, problem.where) == ("outside-box", "instances_val2017.json: annotation 1")
    assert kinds(coco.scan(folder(document(box(1, bbox=[0, 0, 8.5, 6]))))) == []
    # Numbers beyond all bounds are told as well.
    assert kinds(coco.scan(folder(json.dumps(document(box(1))).replace("[1, 1, 3, 3]", "[1, 1, 1e999, 3]").encode())))
    assert kinds(coco.scan(folder(document(box(2**70))))) and kinds(coco.scan(folder(document(box(1, image=2**70)))))


def test_ids_as_text_are_read_and_told(folder: Any) -> None:
    root = folder(document(box(1) | {"id": "12", "image_id": "1", "category_id": "1"}))
    assert kinds(coco.scan(root)) == ["text-number"]
    assert read(root)[0].labels["boxes"][0].id == 12


BARE = {key: value for key, value in box(1).items() if key != "bbox"}
ODD_LISTS: dict[str, tuple[str, Any, dict[str, int], list[str]]] = {
    "stuff without a box": ("stuff_val2017.json", BARE, {"stuff": 1}, []),
    "stuff without an outline": ("stuff_val2017.json", box(1, segmentation=[]), {"stuff": 1}, []),
    "an outline without a box": ("instances_val2017.json", BARE, {"boxes": 0, "masks": 1}, []),
    "an empty box": ("instances_val2017.json", BARE | {"bbox": []}, {"boxes": 0, "masks": 1}, []),
    "no text": ("captions_val2017.json", {"id": 1, "image_id": 1, "caption": ""}, {"captions": 1}, ["empty-caption"]),
    "no segments": (
        "panoptic_val2017.json",
        {"image_id": 1, "file_name": "1.png", "segments_info": []},
        {"panoptic": 1},
        ["missing-panoptic"],
    ),
    "no joints, it says": (
        "person_keypoints_val2017.json",
        box(1, keypoints=[1, 1, 0], num_keypoints=-1),
        {"boxes": 1, "masks": 1, "keypoints": 0},
        ["bad-keypoints"],
    ),
}


def test_of_a_picture_there_is_one_panoptic_record(folder: Any) -> None:
    record = {"image_id": 1, "file_name": "1.png", "segments_info": []}
    found = coco.scan(folder(document(record, record), name="panoptic_val2017.json"))
    assert ("bad-panoptic", "2 records, expected one") in [(one.kind, one.detail) for one in found.problems]


@pytest.mark.parametrize("case", ODD_LISTS)
def test_what_is_counted_is_what_is_read(folder: Any, case: str) -> None:
    name, record, counts, problems = ODD_LISTS[case]
    root = folder(document(record), name=name)
    found = coco.scan(root)
    (sample,) = read(root)
    assert found.labels == {kind: len(records) for kind, records in sample.labels.items()} == counts
    assert kinds(found) == problems


def test_blanks_in_an_empty_outline_are_none(folder: Any) -> None:
    root = folder(json.dumps(document(box(1, segmentation=[[]]), box(2))).replace("[[]]", "[ [ ] ]").encode())
    assert coco.scan(root).labels == {"boxes": 2, "masks": 1}
    assert [len(read(root)[0].labels[kind]) for kind in ("boxes", "masks")] == [2, 1]


def test_numbers_of_more_than_64_bits_are_told_beside_missing_ones(folder: Any) -> None:
    root = folder(document(BARE | {"id": None}, box(2**70), box(2**71)))
    (problem,) = coco.scan(root).problems
    assert problem.kind == "bad-file" and str(2**70) in problem.detail
    images = [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "2.jpg", "width": 2**70, "height": 6}]
    assert kinds(coco.scan(folder(document(box(1), images=images))))[0] == "bad-file"


def test_garbage_of_the_caller_is_collected_as_ever(folder: Any) -> None:
    """Reading again and again keeps nobody's cycles alive."""

    class Node:
        def __init__(self) -> None:
            self.own, self.more = self, [[] for _ in range(99)]

    alive = weakref.WeakSet[Node]()
    root = folder(document(box(1)))
    for _ in range(300):
        read(root)
        alive.add(Node())
    assert len(alive) < 250


def test_other_kinds_of_files_are_told(folder: Any) -> None:
    lvis = [{"id": 1, "name": "aerosol_can", "synset": "aerosol.n.02", "frequency": "c"}]
    assert kinds(coco.scan(folder(document(box(1), categories=lvis)))) == ["lvis-file"]
    assert kinds(coco.scan(folder(document(box(1), box(1))))) == ["duplicate-id"]
    twice = document(box(1))
    twice["images"] *= 2
    assert kinds(coco.scan(folder(twice))) == ["duplicate-id"]
    folder(document(box(1)))
    root = folder(
        [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.5}], name="instances_val2017_res.json"
    )
    assert kinds(coco.scan(root)) == ["results-file"]
    assert coco.scan(root).labels["boxes"] == 1
    root = folder({"version": 3}, name="package.json")
    assert sorted(kinds(coco.scan(root))) == ["other-file", "results-file"]
    with pytest.raises(FormatError, match="expected a list of results"):
        coco.read_results(root / "annotations" / "instances_val2017.json")


PICTURES = {
    "not-a-picture": b"<html>404 Not Found</html>",
    "rotated-picture": picture(exif=6),
    "gray-picture": picture("L"),
    "cmyk-picture": picture("CMYK"),
    "wrong-size": picture(size=(9, 6)),
    "cut-picture": picture()[:-4],
    "missing-picture": None,
}


@pytest.mark.parametrize("wrong", [{}, {"a": 1}, ["x"], [[1]], "text", 7, [1e999, 1, 2] * 3, None, [True] * 6])
def test_labels_of_a_wrong_shape_never_break_a_reader(folder: Any, wrong: Any) -> None:
    content = json.dumps(document(box(1, keypoints=wrong, segmentation=wrong))).replace("Infinity", "1e999")
    root = folder(content.encode())
    assert set(kinds(coco.scan(root))) <= {"bad-polygon", "bad-rle", "bad-keypoints"}
    samples = read(root)
    assert show.gallery(samples).pictures == 1
    assert repr(samples[0].labels["boxes"][0]).startswith("Annotation(")


@pytest.mark.parametrize("wrong", [b'{"size": [6, 8], "counts": "\xff"}', b'["\xff"]', b'"\xc3"', b'{"\xff": 1}'])
def test_bytes_that_are_no_text_are_told(folder: Any, wrong: bytes, tmp_path: Path) -> None:
    record = json.dumps(box(1, bbox=None, keypoints="?", segmentation="?")).encode().replace(b'"?"', wrong)
    root = folder(json.dumps(document("?")).encode().replace(b'"?"', record))
    assert kinds(coco.scan(root)) == ["bad-rle" if wrong[:1] == b"{" else "bad-polygon", "bad-keypoints"]
    (sample,) = samples = read(root)
    assert show.gallery(samples).pictures == 1
    with pytest.raises(FormatError, match="annotation 1: segmentation"):
        coco.mask(sample.labels["masks"][0], 6, 8)
    (tmp_path / "results.json").write_bytes(b"[" + record + b"]")
    with pytest.raises(FormatError, match="record 0: annotation 1: segmentation"):
        coco.read_results(tmp_path / "results.json")


@pytest.mark.parametrize("kind", PICTURES)
def test_a_bad_picture_is_a_problem(folder: Any, kind: str) -> None:
    found = coco.scan(folder(document(box(1)), PICTURES[kind]))
    (problem,) = found.problems
    assert problem.kind == kind and problem.where.endswith("val2017/000000000001.jpg")
    assert found.images == 1 and found.images_on_disk == (kind != "missing-picture")


def test_pictures_beside_the_lists(folder: Any) -> None:
    root = folder(document(box(1)))
    (root / "val2017" / "000000000002.jpg").write_bytes(picture())
    assert kinds(coco.scan(root)) == ["unlisted-picture"]
    (root / "images").mkdir()
    (root / "val2017").rename(root / "images" / "val2017")
    assert read(root)[0].image == root / "images" / "val2017" / "000000000001.jpg"
    outside = document(box(1))
    outside["images"][0]["file_name"] = "../annotations/instances_val2017.json"
    assert read(folder(outside))[0].image is None


def test_nothing_of_coco(tmp_path: Path) -> None:
    assert kinds(coco.scan(tmp_path)) == ["nothing-found"] and coco.recognise(tmp_path) is None
    with pytest.raises(MissingFileError, match="neither annotations"):
        read(tmp_path)
    with pytest.raises(MissingFileError, match="no such file"):
        coco.read_file(tmp_path / "none.json")


@pytest.mark.parametrize("name", ["annotations/instances_val2017.json.gz", "annotations_trainval2017.zip"])
def test_lists_still_packed_are_told(folder: Any, name: str) -> None:
    root = folder(document(box(1)))
    (root / name).write_bytes(b"")
    assert kinds(coco.scan(root)) == []
    (root / "annotations" / "instances_val2017.json").unlink()
    (problem,) = coco.scan(root).problems
    assert (problem.kind, problem.where) == ("packed-list", name) and "unpack" in problem.detail
    (root / "val2017" / "000000000001.jpg").unlink()
    assert kinds(coco.scan(root)) == ["packed-list"]


def test_panoptic_problems(folder: Any) -> None:
    segments = [{"id": 258, "category_id": 1, "area": 48, "bbox": [0, 0, 8, 6], "iscrowd": 0}]
    content = document({"image_id": 1, "file_name": "000000000001.png", "segments_info": segments})
    name = "panoptic_val2017.json"
    root = folder(content, name=name)
    assert kinds(coco.scan(root)) == ["missing-panoptic"]
    maps = root / "annotations" / "panoptic_val2017"
    maps.mkdir()
    Image.new("RGB", (8, 6), (2, 1, 0)).save(maps / "000000000001.png")
    assert coco.scan(root).problems == [] and coco.scan(root).classes == {"cat": 1}
    wrong = Image.new("RGB", (8, 6), (2, 1, 0))
    wrong.putpixel((0, 0), (9, 9, 9))
    wrong.save(maps / "000000000001.png")
    details = " ".join(problem.detail for problem in coco.scan(root).problems)
    assert "unknown segment 592137" in details and "area 48, 47 pixels" in details
    Image.new("RGB", (6, 8), (2, 1, 0)).save(maps / "000000000001.png")
    assert "the map is 6x8, the picture 8x6" in coco.scan(root).problems[0].detail
    ghost = {"image_id": 1, "file_name": "000000000001.png", "segments_info": [{"id": 7, "category_id": 1}]}
    details = [problem.detail for problem in coco.scan(folder(document(ghost), name=name)).problems]
    assert "segment 7: 0 pixels in the map" in details
    for box_of, kind in (([0, 0, -8, 6], "bad-box"), ([9, 0, 8, 6], "outside-box"), ([1, 1, 0, 2], "zero-area-box")):
        segment = document({"image_id": 1, "file_name": "1.png", "segments_info": [segments[0] | {"bbox": box_of}]})
        (problem,) = [one for one in coco.scan(folder(segment, name=name)).problems if one.kind.endswith("box")]
        assert problem.kind == kind and "a record of image 1" in problem.where
    empty = document({"image_id": 1, "file_name": "000000000001.png", "segments_info": []})
    assert "unknown-category" not in kinds(coco.scan(folder(empty, name=name)))
    folder(content, name=name)
    (maps / "000000000001.png").write_text("404")
    assert kinds(coco.scan(root)) == ["bad-panoptic"]
    with pytest.raises(FormatError, match="not a panoptic PNG"):
        coco.read_panoptic(maps / "000000000001.png")


@settings(max_examples=60)
@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_both_run_length_forms_equal_pycocotools(height: int, width: int, data: st.DataObject) -> None:
    bits = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    wanted = np.array(bits, np.uint8).reshape(height, width)
    code = api.encode(np.asfortranarray(wanted))
    text = code["counts"].decode()
    plain = masks.runs(text).tolist()
    assert api.frPyObjects({"size": [height, width], "counts": plain}, height, width)["counts"] == code["counts"]
    for counts in (text, plain):
        note = coco.Annotation(1, raw_segmentation=_raw({"size": [height, width], "counts": counts}))
        assert (coco.mask(note, height, width) == wanted.astype(bool)).all()


def _raw(value: Any) -> Any:
    import msgspec

    return msgspec.Raw(json.dumps(value).encode())


@settings(max_examples=150)
@given(st.text(st.characters(min_codepoint=40, max_codepoint=120), max_size=30))
def test_any_string_of_counts_decodes_or_says_why(text: str) -> None:
    note = coco.Annotation(1, raw_segmentation=_raw({"size": [6, 8], "counts": text}))
    with contextlib.suppress(FormatError):
        assert coco.mask(note, 6, 8).shape == (6, 8)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_never_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(json.dumps(document(box(1, keypoints=[1, 2, 2], num_keypoints=1), box(2))).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 30))]
    path = tmp_path / "annotations" / "instances_val2017.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(content))
    (tmp_path / "val2017").mkdir(exist_ok=True)
    (tmp_path / "val2017" / "000000000001.jpg").write_bytes(picture())
    found = coco.scan(tmp_path)
    assert isinstance(found, Scan)
    try:
        samples = read(tmp_path)
        show.gallery(samples)
        if any(sample.labels.get("boxes") for sample in samples):
            stats.class_sizes(samples)
            stats.spatial_heatmap(samples)
        for sample in samples:
            for note in sample.labels.get("masks", ()):
                coco.mask(note, sample.height or 6, sample.width or 8)
    except DataError as error:
        assert found.problems, error


NUMBERS = st.integers(-9, 2_000_000) | st.floats(-2e6, 2e6).map(lambda value: round(value, 9)) | st.floats()
PARTS = st.lists(st.integers(-9, 999), min_size=6, max_size=6) | st.lists(NUMBERS, max_size=9)
ODD = st.sampled_from(
    [None, True, 5, "[[", "x", {}, [], [[]], [5], [[1] * 6, 5], [5, [1] * 6], [[1] * 5 + ["Y"]], [[[1] * 6]]]
)


@settings(max_examples=400)
@given(
    st.lists(st.lists(PARTS, min_size=1, max_size=3) | ODD, max_size=4),
    st.sampled_from([(", ", ": "), (",", ":")]),
)
def test_bytes_tell_of_polygons_what_numbers_tell(outlines: list[Any], separators: tuple[str, str]) -> None:
    texts = [json.dumps(outline, separators=separators) for outline in outlines]
    try:
        raws = [msgspec.Raw(text.encode()) for text in texts]
        msgspec.json.decode(f"[{','.join(texts)}]", type=list[msgspec.Raw])
    except msgspec.DecodeError:
        # NaN and Infinity are no JSON: such a list is never asked about.
        return
    for outline in outlines:
        try:
            if not isinstance(outline, list) or not outline:
                raise FormatError("")
            masks.check_polygons(outline)
        except FormatError:
            assert not masks.are_polygons(raws)
            return
    # What is written with an exponent, or is a million to the digit, is left to those who decode.
    unsure = "e" in "".join(texts) or any(abs(value) >= 1e6 for part in chain(*outlines) for value in part)
    assert masks.are_polygons(raws) != unsure


RECORDS = st.one_of(
    st.sampled_from([record for record, _ in BAD_RECORDS.values()]),
    st.builds(box, st.integers(1, 9), st.integers(1, 2), st.integers(1, 2)),
    st.builds(
        lambda n, text: {"id": n, "image_id": 1, "caption": text}, st.integers(1, 9), st.sampled_from(["", "a }, {"])
    ),
    st.builds(lambda n: box(n, keypoints=[1, 1, 2], num_keypoints=1), st.integers(1, 9)),
    st.builds(lambda n: box(n, segmentation={"size": [6, 8], "counts": [40, n]}), st.integers(1, 9)),
    st.just({"image_id": 1, "segments_info": [{"id": n, "category_id": n} for n in (1, 2)], "file_name": "a.png"}),
    st.just({"id": "7", "image_id": 1}),
    st.just({"id": 7}),
    st.just(box(7, num_keypoints="x")),
    st.just(box(7, segmentation=[[1, 1, 4, 1, 4, 4, 2]])),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(RECORDS, min_size=1, max_size=12),
    st.integers(1, 500),
    st.sampled_from([(", ", ": "), (",", ":"), (",\n", ": ")]),
    st.permutations(["images", "annotations", "categories", "licenses"]),
    st.sampled_from([b"", b"]", b"}"]),
)
def test_a_list_counted_in_pieces_tells_the_same(
    folder: Any, records: Any, size: int, separators: Any, order: list[str], more: bytes
) -> None:
    content = document(*records)
    text = json.dumps({key: content[key] for key in order}, separators=separators).encode() + more
    root = folder(text)
    # One of several lists: whether people stand twice must be told from the first piece.
    folder(document(box(1), box(2)), name="person_instances_val2017.json")
    whole = coco.scan(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "LARGE", 0)
        patch.setattr(decoding, "PIECE", size)
        assert coco.scan(root) == whole


def test_what_nests_or_outgrows_is_told_in_pieces_too(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [box(number) for number in range(2, 20)]
    deep = json.dumps(document(box(1), *many)).replace('"area": 9.0', '"odd": ' + "[" * 100_000 + "]" * 100_000, 1)
    far = json.dumps(document(box(1, segmentation=[[1, 1, 4, 1, 4, 77]]), *many)).replace("77", "1e400")
    big = json.dumps(document(*many, images=[{"id": 2**63, "file_name": "a.jpg"}]))
    category = json.dumps(document(*many, categories=[{"id": 1, "name": "cat"}, {"id": 2**63, "name": "dog"}]))
    # Of two faults that one is told which the whole file tells.
    both = json.dumps(document(box(2**70), *many)).replace('"id": 10', '"id": 10,')
    whole = [coco.scan(folder(text.encode())) for text in (deep, far, big, category, both)]
    assert [kinds(scan)[:1] for scan in whole[:3]] == [["bad-file"], ["bad-polygon"], ["bad-file"]]
    assert whole[3].problems == []
    monkeypatch.setattr(parts, "LARGE", 0)
    monkeypatch.setattr(decoding, "PIECE", 400)
    assert [coco.scan(folder(text.encode())) for text in (deep, far, big, category, both)] == whole


@pytest.mark.parametrize("last", [[], [box(99)]])
def test_of_two_lists_in_one_file_the_last_counts(
    folder: Any, monkeypatch: pytest.MonkeyPatch, last: list[dict[str, Any]]
) -> None:
    content = json.dumps(document(*(box(number) for number in range(1, 20))))
    root = folder(f'{content[:-1]}, "annotations": {json.dumps(last)}}}'.encode())
    whole = coco.scan(root)
    assert whole.labels.get("boxes", 0) == len(last)
    monkeypatch.setattr(parts, "LARGE", 0)
    monkeypatch.setattr(decoding, "PIECE", 400)
    assert coco.scan(root) == whole


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Small lists too are counted by two processes, a few records at a time; this one waits for the other's first."""
    seen = SimpleNamespace(mine=set(), theirs=set(), wait=20.0)
    take = halves.claim

    def claim(folder: str, unit: tuple[int, int]) -> bool:
        until = time.monotonic() + seen.wait
        while seen.mine and not seen.theirs and time.monotonic() < until:
            seen.theirs |= {int(path.name) for path in Path(folder).iterdir()} - seen.mine
            time.sleep(0.01)
        if mine := take(folder, unit):
            seen.mine.add(unit[0])
        return mine

    monkeypatch.setattr(halves, "claim", claim)
    monkeypatch.setattr(parts, "LARGE", 0)
    monkeypatch.setattr(halves, "WORTH", 0)
    monkeypatch.setattr(halves, "UNIT", 300)
    monkeypatch.setattr(decoding, "PIECE", 300)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    return seen


def test_the_second_process_takes_no_module_of_the_folder_it_is_in(
    folder: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, second: SimpleNamespace
) -> None:
    (tmp_path / "msgspec.py").write_text(f"open({str(tmp_path / 'taken')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    assert coco.scan(folder(document(*(box(number) for number in range(1, 20))))).labels["boxes"] == 19
    assert second.theirs and not (tmp_path / "taken").exists()


def test_a_large_list_is_counted_in_pieces(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compact JSON, as COCO's own lists are, is cut; what has lines is read whole."""
    seen: list[int] = []
    take, sound = tally.Tally.take, tally.Tally._take_sound
    monkeypatch.setattr(tally.Tally, "take", lambda self, notes: seen.append(len(notes)) or take(self, notes))
    monkeypatch.setattr(tally.Tally, "_take_sound", lambda self, text: seen.append(0) or sound(self, text))
    monkeypatch.setattr(parts, "LARGE", 0)
    monkeypatch.setattr(decoding, "PIECE", 400)
    content = document(*(box(number) for number in range(1, 10)))
    odd = document(*(box(number) for number in range(1, 9)), box(9, iscrowd=2))
    for text, expected in (
        (json.dumps(content), [0, 0, 0]),
        (json.dumps(odd), [0, 0, 0, 3]),
        (json.dumps(content, indent=1), [9]),
    ):
        seen.clear()
        assert coco.scan(folder(text.encode())).labels["boxes"] == 9 and seen == expected


TAKES_ONE = """
import sys
from pathlib import Path
from data_helpers.coco import decoding, halves
path, start, end, size, folder = sys.argv[1:]
units = decoding.spans(decoding.load(Path(path)), (int(start), int(end)), int(size))
halves.claim(folder, list(units)[-1])
"""


@pytest.mark.parametrize("last", [box(30), box(30, bbox=[1, 1, 30, 2]), {"id": "30", "image_id": 1}])
@pytest.mark.parametrize("program", [halves.PROGRAM, TAKES_ONE, "raise SystemExit('cannot')"])
def test_two_processes_count_what_one_counts(
    folder: Any, monkeypatch: pytest.MonkeyPatch, second: SimpleNamespace, last: Any, program: str
) -> None:
    """Both ends have problems of their own; what the other process took and did not tell of, this one counts too."""
    many = [box(number, image=number % 9) for number in range(2, 40)]
    root = folder(document(box(1, image=7), box(1, category=9), *many, last, box(41, area=-1), box(41, area=-2)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "LARGE", 1 << 30)
        whole = coco.scan(root)
    counted: list[int] = []

    def pieces(*given: Any) -> Iterator[bytes]:
        for piece in decoding.pieces(*given):
            counted.append(piece.count(b'"image_id"'))
            yield piece

    monkeypatch.setattr(halves, "pieces", pieces)
    monkeypatch.setattr(halves, "PROGRAM", program)
    second.wait = 20.0 if "halves" in program else 0.0
    assert coco.scan(root) == whole
    assert bool(second.theirs) == ("halves" in program)
    if last["id"] == 30:
        assert (sum(counted) < 43) == ("main()" in program)


def test_the_collector_is_on_again(folder: Any) -> None:
    root = folder(document(box(1)))
    assert gc.isenabled()
    for _ in coco.read(root, Selection()):
        assert gc.isenabled()
    with pytest.raises(FormatError):
        read(folder(b"{"))
    assert gc.isenabled()
    gc.disable()
    try:
        coco.scan(root)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_lists_of_other_tools_read(folder: Any, tmp_path: Path) -> None:
    """labelme's nulls, the backslashes of Label Studio on Windows, Roboflow's names, what macOS leaves beside files."""
    content = document(box(1), licenses=[{"id": 0, "name": None, "url": None}])
    content["images"][0] |= {"file_name": "val2017\\000000000001.jpg", "license": 0}
    content["annotations"][0] |= {"iscrowd": None, "area": None, "keypoints": None}
    content["categories"][0] |= {"keypoints": None, "skeleton": None}
    root = folder(content)
    (root / "annotations" / "._instances_val2017.json").write_bytes(b"\0\5\x16\7")
    (sample,) = read(root)
    assert sample.image == root / "val2017" / "000000000001.jpg" and sample.licence is None
    assert coco.scan(root).problems == []
    robo = tmp_path / "robo"
    for split in ("train", "valid"):
        (robo / split).mkdir(parents=True)
        (robo / split / "_annotations.coco.json").write_text(json.dumps(document(box(1))))
        (robo / split / "000000000001.jpg").write_bytes(picture())
        (robo / split / "._000000000001.jpg").write_bytes(b"\0\5\x16\7")
    assert coco.recognise(robo) == "COCO layout"
    assert coco.scan(robo).problems == []
    assert [(one.split, one.image is not None) for one in read(robo)] == [("train", True), ("valid", True)]


def test_archives_may_be_unpacked_each_into_its_own_folder(tmp_path: Path) -> None:
    lists = tmp_path / "annotations_trainval2017" / "annotations"
    pictures = tmp_path / "val2017" / "val2017"
    for made in (lists, pictures):
        made.mkdir(parents=True)
    (lists / "instances_val2017.json").write_text(json.dumps(document(box(1))))
    (pictures / "000000000001.jpg").write_bytes(picture())
    assert [sample.image for sample in read(tmp_path)] == [pictures / "000000000001.jpg"]
    assert coco.scan(tmp_path).problems == []


def test_what_fiftyone_keeps_raw_is_not_counted_twice(tmp_path: Path) -> None:
    """Its zoo leaves the downloaded lists in raw/, beside the part it makes of them."""
    for made in (tmp_path / "raw", tmp_path / "validation" / "data"):
        made.mkdir(parents=True)
    (tmp_path / "raw" / "instances_val2017.json").write_text(json.dumps(document(box(1), box(2))))
    (tmp_path / "validation" / "labels.json").write_text(json.dumps(document(box(1))))
    (tmp_path / "info.json").write_text("{}")
    (tmp_path / "validation" / "data" / "000000000001.jpg").write_bytes(picture())
    found = coco.scan(tmp_path)
    assert (found.splits, found.labels["boxes"]) == ({"validation": 1}, 1)
    assert kinds(found) == ["other-file"]
    (tmp_path / "info.json").unlink()
    assert coco.scan(tmp_path).labels["boxes"] == 3


def test_lists_may_share_a_folder_of_pictures(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for split in ("train", "val"):
        content = document(box(1))
        content["images"][0]["file_name"] = f"{split}.jpg"
        (tmp_path / f"{split}.json").write_text(json.dumps(content))
        (tmp_path / "images" / f"{split}.jpg").write_bytes(picture())
    assert coco.scan(tmp_path).problems == []
    (tmp_path / "images" / "more.jpg").write_bytes(picture())
    (problem,) = coco.scan(tmp_path).problems
    assert (problem.kind, problem.where) == ("unlisted-picture", "images/more.jpg")


@pytest.mark.parametrize(
    ("images", "record", "kind"),
    [
        ({"width": -8}, {}, "bad-size"),
        ({"width": 10**12, "height": 10**12}, {}, "bad-size"),
        ({}, {"category_id": None}, "unknown-category"),
        ({}, {"keypoints": [1, 1, 7], "num_keypoints": 1}, "bad-keypoints"),
        ({}, {"keypoints": [1, 7, 2], "num_keypoints": 1}, "bad-keypoints"),
        ({"license": 9}, {}, "unknown-licence"),
        ({}, {"bbox": ["NaN", 1, 3, 3]}, "bad-box"),
        ({}, {"area": "NaN"}, "bad-area"),
        ({"file_name": "x/" + "a" * 5000 + ".jpg"}, {}, "missing-picture"),
    ],
)
def test_odd_numbers_are_told_and_break_nothing(folder: Any, images: Any, record: Any, kind: str) -> None:
    content = document(box(1, **record))
    content["images"][0] |= images
    root = folder(content)
    assert kind in kinds(coco.scan(root))
    samples = read(root)
    show.gallery(samples)._repr_html_()
    assert stats.spatial_heatmap(samples).max() <= 1 and len(stats.class_sizes(samples)) <= 1
    if kind == "bad-size":
        with pytest.raises(FormatError, match="no mask is made for such a size"):
            coco.mask(samples[0].labels["masks"][0], samples[0].height or 6, samples[0].width or 8)


def test_a_mask_needs_a_record_and_a_size() -> None:
    note = coco.Annotation(1, raw_segmentation=_raw([[1, 1, 4, 1, 4, 4]]))
    for size in ((6.0, 8.0), ("6", "8"), (None, None)):
        with pytest.raises(FormatError, match="expected the picture's size"):
            coco.mask(note, *size)  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="has no mask"):
        coco.mask({"segmentation": [[1, 1, 4, 1, 4, 4]]}, 6, 8)
    with pytest.raises(FormatError, match="or no number"):
        masks.check_polygons([[1.0, float("nan"), 4.0, 1.0, 4.0, 4.0]])


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"bbox": [1, 1, -2, 2]}, "record 0: bbox is"),
        ({"bbox": ["NaN", 1, 2, 2]}, "record 0: bbox is"),
        ({"bbox": []}, "record 0: found neither bbox"),
        ({"bbox": [1, 2]}, "results[0]: Expected `array` of length 4"),
        ({"segmentation": {"size": [1 << 40, 2], "counts": [(1 << 40) - 1, (1 << 40) - 1, 2]}}, "record 0: RLE: size"),
    ],
)
def test_results_of_no_sane_size_are_told(tmp_path: Path, record: dict[str, Any], told: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{"image_id": 1, "category_id": 1, "score": 0.5, **record}]))
    with pytest.raises(FormatError) as error:
        coco.read_results(path)
    assert told in str(error.value) and "coco.read_results reads it" not in str(error.value)
