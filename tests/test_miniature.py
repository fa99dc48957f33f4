"""Every miniature: rebuilt it is the same, it is small, says what it is, and credits each picture."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from data_helpers.miniature import MARK, is_miniature, miniature

ROOT = Path(__file__).resolve().parents[1]
# The scripts import what they share by its plain name, as they do when run by hand.
sys.path.insert(0, str(ROOT / "miniatures"))
common = importlib.import_module("common")

ARCHIVES = sorted((ROOT / "data_helpers" / "miniatures").glob("*.zip"))
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.stem)
def archive(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_rebuilding_gives_the_same(archive: Path, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location(f"miniature_{archive.stem}", common.HERE / f"{archive.stem}.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.build(tmp_path)
    assert common.differences(tmp_path, archive) == []


def test_it_is_small_and_packed_alike(archive: Path) -> None:
    assert archive.stat().st_size <= common.LIMIT
    with zipfile.ZipFile(archive) as bundle:
        entries = bundle.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {common.STAMP}


def test_it_says_what_it_is(archive: Path) -> None:
    folder = miniature(archive.stem)
    assert is_miniature(folder)
    note = (folder / MARK).read_text(encoding="utf-8")
    assert "miniature" in note and len(note) > 200


def test_every_picture_has_licence_credit_and_source(archive: Path) -> None:
    with zipfile.ZipFile(archive) as bundle:
        names = [name for name in bundle.namelist() if Path(name).suffix.lower() in SUFFIXES]
        header, *lines = bundle.read("CREDITS.tsv").decode("utf-8").splitlines()
    assert header.split("\t") == list(common.Credit._fields)
    credits = [common.Credit(*line.split("\t")) for line in lines]
    assert all(all(field.strip() for field in credit) for credit in credits)
    listed = Counter(credit.file for credit in credits)
    assert max(listed.values(), default=1) == 1
    # Label maps are drawings of the masks, not photographs: they need no line of their own.
    assert {name for name in names if "panoptic" not in name} <= set(listed)


def test_sources_are_complete_and_licensed() -> None:
    sources = common.sources()
    files = {path.name for path in common.SOURCES.iterdir() if path.suffix in SUFFIXES}
    assert {source.file for source in sources.values()} == files
    allowed = {"CC BY 2.0", "CC BY-SA 2.0", "CC0 1.0", "Public domain"}
    assert {source.licence for source in sources.values()} <= allowed


@pytest.fixture
def folder() -> Path:
    return miniature("coco")


class TestCoco:
    """What COCO's miniature promises: true labels, all label types, and the planted defects."""

    def load(self, folder: Path, name: str) -> Any:
        return json.loads((folder / "annotations" / f"{name}.json").read_text(encoding="utf-8"))

    def test_pictures_have_the_stated_size(self, folder: Path) -> None:
        modes = set()
        absent = []
        for split in ("train2017", "val2017"):
            for row in self.load(folder, f"instances_{split}")["images"]:
                path = folder / split / row["file_name"]
                if not path.is_file():
                    absent.append(row["id"])
                    continue
                with Image.open(path) as picture:
                    assert picture.size == (row["width"], row["height"])
                    modes.add(picture.mode)
        assert modes == {"RGB", "L", "CMYK"} and len(absent) == 1

    def test_at_least_twenty_classes_and_the_planted_defects(self, folder: Path) -> None:
        files = [self.load(folder, f"instances_{split}") for split in ("train2017", "val2017")]
        rows = [row for file in files for row in file["annotations"]]
        assert len({row["category_id"] for row in rows if not row["iscrowd"]}) >= 20
        assert any(row["iscrowd"] for row in rows)
        assert sum(row["bbox"][3] == 0 for row in rows) == 1
        assert [count for count in Counter(row["id"] for row in rows).values() if count > 1] == [2]
        labelled = {row["image_id"] for row in rows}
        assert any(row["id"] not in labelled for row in files[1]["images"])

    def test_labels_lie_inside_their_picture(self, folder: Path) -> None:
        for split in ("train2017", "val2017"):
            file = self.load(folder, f"instances_{split}")
            size = {row["id"]: (row["width"], row["height"]) for row in file["images"]}
            for row in file["annotations"]:
                width, height = size[row["image_id"]]
                x, y, w, h = row["bbox"]
                assert min(x, y) >= 0 and x + w <= width + 0.5 and y + h <= height + 0.5, row["id"]
                if row["iscrowd"]:
                    assert row["segmentation"]["size"] == [height, width]
                    assert sum(row["segmentation"]["counts"]) == width * height

    def test_five_captions_a_picture_and_no_id_twice(self, folder: Path) -> None:
        seen: Counter[int] = Counter()
        for split in ("train2017", "val2017"):
            file = self.load(folder, f"captions_{split}")
            per_image = Counter(row["image_id"] for row in file["annotations"])
            assert min(per_image.values()) >= 5
            seen.update(row["id"] for row in file["annotations"])
        assert max(seen.values()) == 1

    def test_panoptic_areas_match_the_pixels(self, folder: Path) -> None:
        numpy = pytest.importorskip("numpy")
        file = self.load(folder, "panoptic_val2017")
        for row in file["annotations"]:
            with Image.open(folder / "annotations" / "panoptic_val2017" / row["file_name"]) as picture:
                rgb = numpy.asarray(picture).astype(numpy.uint32)
            ids, counts = numpy.unique(rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2], return_counts=True)
            found = {int(key): int(count) for key, count in zip(ids, counts, strict=True) if key}
            assert found == {segment["id"]: segment["area"] for segment in row["segments_info"]}

    @pytest.mark.real
    def test_whole_photographs_carry_cocos_own_labels(self, folder: Path) -> None:
        real = Path(os.environ["DATA_HELPERS_REAL"]) / "coco" / "Obmutescence_COCO-MINI" / "annotations"
        if not real.is_dir():
            pytest.skip(f"no real files at {real}: set DATA_HELPERS_REAL")
        planted = {9_000_918}
        whole = 0
        for split in ("train2017", "val2017"):
            for kind in ("instances", "person_keypoints", "captions"):
                true = json.loads((real / f"{kind}_{split}.json").read_text(encoding="utf-8"))
                ours = self.load(folder, f"{kind}_{split}")
                images = {row["id"] for row in true["images"]} & {row["id"] for row in ours["images"]}
                whole = max(whole, len(images))
                for number in images:
                    rows = {row["id"]: row for row in reversed(ours["annotations"]) if row["image_id"] == number}
                    expected = {row["id"]: row for row in true["annotations"] if row["image_id"] == number}
                    assert {key: row for key, row in rows.items() if key not in planted} == expected, (kind, number)
        assert whole >= 4
