"""ImageNet's reader: every published form, one class table, bad input told by name, archives read where they lie."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import shutil
import tarfile
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import data_helpers
from data_helpers import DataError, cards, imagenet
from data_helpers.errors import ArchiveError, FormatError, GatedError

FORMATS = {
    "meta.mat": "test_meta_mat_as_scipy_writes_it",
    "ILSVRC2012_validation_ground_truth.txt": "test_real_lists_agree",
    "LOC_synset_mapping.txt": "test_real_lists_agree",
    "map_clsloc.txt": "test_real_lists_agree",
    "words.txt": "test_real_lists_agree",
    "ReaL labels": "test_real_lists_agree",
    "LOC_val_solution.csv": "test_solutions_with_and_without_boxes",
    "wordnet.is_a.txt": "test_is_a",
    "bounding-box XML": "test_real_annotations",
    "train tar of tars": "test_train_archive_is_read_where_it_lies",
    "class folders": "test_class_folders_and_flat_validation",
    "flat validation folder": "test_class_folders_and_flat_validation",
    "Kaggle's CLS-LOC tree": "test_kaggle_tree",
    "Tiny ImageNet": "test_real_tiny_imagenet",
    "Imagenette": "test_stand_ins_side_by_side",
    "ImageNetV2": "test_stand_ins_side_by_side",
    "devkit as it is packed": "test_packed_devkit",
}
TRUTH = "ILSVRC2012_validation_ground_truth"
FROM_LISTS = (
    "real_empty", "real_scored", "real_rejects", "real_kept", "real_one", "real_two", "real_three", "real_labels",
    "real_many", "real_ceiling", "real_rejects_share", "real_clean_classes",
)  # fmt: skip
TENCH, SNAKE, CRANE = "n01440764", "n01751748", "n02012849"


def test_every_format_has_its_test() -> None:
    assert all(callable(globals().get(name)) for name in FORMATS.values())


def jpeg(path: Path, mode: str = "RGB", form: str = "JPEG", size: tuple[int, int] = (40, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 60).convert(mode).save(path, form)
    return path


def xml(path: Path, wnid: str = TENCH, box: tuple[int, ...] = (1, 2, 30, 20), size: tuple[int, int] = (40, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    corners = "".join(f"<{t}>{v}</{t}>" for t, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    path.write_text(
        f"<annotation><filename>{path.stem}</filename><size><width>{size[0]}</width><height>{size[1]}</height></size>"
        f"<object><name>{wnid}</name><bndbox>{corners}</bndbox></object></annotation>"
    )
    return path


def kinds(root: Path) -> dict[str, str]:
    """Problem kinds of a root to where each one is."""
    return {problem["kind"]: problem["where"] for problem in data_helpers.summary("imagenet", root)["problems"]}


@pytest.mark.real
def test_real_lists_agree(real: Path) -> None:
    kit, folder = real / "imagenet" / "daksim_Imagenet-1K-Formatter", real / "imagenet"
    truth = imagenet.read_ground_truth(kit / "ILSVRC2012_validation_ground_truth.txt")
    assert len(truth) == 50_000 and set(np.bincount(truth)[1:]) == {50}
    mapped = {row.devkit: row.wnid for row in imagenet.read_map_clsloc(kit / "map_clsloc.txt")}
    assert imagenet.convert(truth, "devkit", "wnid") == [mapped[value] for value in truth]
    synsets = imagenet.read_words(folder / "JasmineLi-805_res18" / "LOC_synset_mapping.txt")
    assert list(synsets) == sorted(synsets) == imagenet.convert(range(1000), "index", "wnid")
    words = imagenet.read_words(folder / "rangeetpan_IMagenet" / "tiny-imagenet-200" / "words.txt")
    assert len(words) == 82_115 and words[TENCH] == "tench, Tinca tinca"
    info = folder / "huggingface_pytorch-image-models" / "timm" / "data" / "_info"
    again = imagenet.read_real(info / "imagenet_real_labels.json")
    assert sum(not labels for labels in again) == cards.parsed("imagenet").facts["real_empty"].value
    # Lists are known by content: both orders, and the two lists that look right and are not.
    index = imagenet.convert(truth, "devkit", "index")
    ways = {"devkit": truth, "index": index, "devkit - 1": [v - 1 for v in truth], "index + 1": [v + 1 for v in index]}
    assert {way: imagenet.numbering(values) for way, values in ways.items()} == {way: way for way in ways}
    for way in ("index", "devkit - 1", "index + 1"):
        with pytest.raises(FormatError, match="'devkit'"):
            imagenet.convert(ways[way], "devkit", "wnid")
    assert imagenet.numbering(imagenet.read_wnids(info / "imagenet_synsets.txt")) == "index"
    trap = imagenet.read_class_list(kit / "imagenet_class_index.json")
    assert imagenet.numbering(list(trap)) == "devkit" and min(trap.values()) == 1
    assert kinds(kit) == {"other-order": "imagenet_class_index.json"}
    samples = data_helpers.read("imagenet", kit, max_samples=3)
    assert [sample.labels["classes"][0].wnid for sample in samples] == [mapped[value] for value in truth[:3]]


@pytest.mark.real
def test_real_annotations(real: Path) -> None:
    folder = real / "imagenet" / "transcribed"
    one = imagenet.read_annotation(folder / "Annotations/CLS-LOC/val/ILSVRC2012_val_00000001.xml")
    assert (one.width, one.height) == (500, 375)
    assert [(box.wnid, box.bbox) for box in one.boxes] == [(SNAKE, (111, 108, 330, 85))]
    found = data_helpers.summary("imagenet", folder)
    assert found["splits"] == {"train": 1, "val": 1} and found["classes"] == {TENCH: 1, SNAKE: 1}


@pytest.mark.real
def test_real_tiny_imagenet(real: Path) -> None:
    root = real / "imagenet" / "rangeetpan_IMagenet"
    found = data_helpers.summary("imagenet", root)
    assert found["splits"] == {"test": 2, "train": 2500, "val": 10_100} and found["images_on_disk"] == 28
    assert len(imagenet.read_wnids(root / "tiny-imagenet-200" / "wnids.txt")) == 202, "its author added classes"
    sample = next(iter(data_helpers.read("imagenet", root, image_ids=["val_0"])))
    assert sample.image and sample.labels["boxes"][0].bbox == (0, 32, 44, 30)
    assert sample.labels["classes"][0].wnid == "n03444034"
    assert all(not sample.labels for sample in data_helpers.read("imagenet", root, split="test"))


@pytest.mark.real
def test_real_pictures(real: Path) -> None:
    root = real / "imagenet" / "EliSchwartz_imagenet-sample-images"
    found = data_helpers.summary("imagenet", root)
    assert found["images"] == found["images_on_disk"] == 16 == len(found["classes"]) and not found["problems"]


def test_convert_knows_five_names() -> None:
    forms = ("devkit", "index", "wnid", "name", "torchvision", "keras")
    assert [imagenet.convert(TENCH, "wnid", form) for form in forms[:3]] == [449, 0, TENCH]
    wnids = imagenet.convert(np.arange(1000), "index", "wnid")
    for form in ("devkit", "index", "wnid", "torchvision"):
        assert imagenet.convert(imagenet.convert(wnids, "wnid", form), form, "wnid") == wnids
    assert imagenet.convert("crane bird", "torchvision", "wnid") == CRANE
    assert imagenet.convert("Tinca tinca", "name", "wnid") == TENCH
    for form in ("name", "keras"):
        with pytest.raises(FormatError, match=r"n02012849.*n03126707"):
            imagenet.convert("crane", form, "wnid")
    for value, form in (
        (0, "devkit"),
        (1000, "index"),
        (1001, "devkit"),
        (True, "index"),
        (2.5, "index"),
        ("x", "wnid"),
    ):
        with pytest.raises(FormatError):
            imagenet.convert(value, form, "wnid")
    with pytest.raises(DataError, match="torchvision"):
        imagenet.convert(1, "caffe", "wnid")


def test_meta_mat_as_scipy_writes_it(tmp_path: Path) -> None:
    io_ = pytest.importorskip("scipy.io")
    fields = imagenet.Synset._fields
    table = np.zeros((3, 1), dtype=[(field, object) for field in fields])
    for row, values in zip(
        table[:, 0],
        [
            (449, TENCH, "tench, Tinca tinca", "a fish", 0, np.zeros(0), 0, 1300),
            (490, SNAKE, "sea snake", "a snake", 0, np.zeros(0), 0, 1300),
            (1001, "n00001740", "entity", "what is", 2, np.array([449.0, 490.0]), 19, 0),
        ],
        strict=True,
    ):
        for field, value in zip(fields, values, strict=True):
            row[field] = value
    io_.savemat(tmp_path / "meta.mat", {"synsets": table})
    found = imagenet.read_meta(tmp_path / "meta.mat")
    assert [row.WNID for row in found] == [TENCH, SNAKE, "n00001740"]
    assert data_helpers.summary("imagenet", tmp_path)["classes"] == {TENCH: 0, SNAKE: 0}
    assert found[2].children == (449, 490) and found[0].children == () and found[0].words == "tench, Tinca tinca"
    (tmp_path / "meta.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    with pytest.raises(FormatError, match="synsets"):
        imagenet.read_meta(tmp_path / "meta.mat")


def test_solutions_with_and_without_boxes(tmp_path: Path) -> None:
    path = tmp_path / "LOC_val_solution.csv"
    path.write_text(f"ImageId,PredictionString\nILSVRC2012_val_00000007,{TENCH} 1 2 31 22 {TENCH} 5 6 7 8 \n")
    row = imagenet.read_solution(path)[0]
    assert row.wnid == TENCH and [box.bbox for box in row.boxes] == [(1, 2, 30, 20), (5, 6, 2, 2)]
    path.write_text(f"ImageId,PredictionString\nILSVRC2012_val_00000007,{CRANE}\n")
    assert imagenet.read_solution(path)[0] == ("ILSVRC2012_val_00000007", CRANE, [])
    sample = next(iter(data_helpers.read("imagenet", tmp_path)))
    assert (sample.id, sample.split, sample.labels["classes"][0].wnid) == ("ILSVRC2012_val_00000007", "val", CRANE)
    for bad in (f"x,{TENCH} 1 2 3", "x,tench 1 2 3 4", f"x,{TENCH} 1 2 a 4", "no comma", "x,"):
        path.write_text(f"ImageId,PredictionString\n{bad}\n")
        with pytest.raises(FormatError, match=r"line 2"):
            imagenet.read_solution(path)
        assert "bad-file" in kinds(tmp_path)


def test_is_a(tmp_path: Path) -> None:
    (tmp_path / "wordnet.is_a.txt").write_text("n00001740 n00001930\nn00001740 n00002137\n")
    assert imagenet.read_is_a(tmp_path / "wordnet.is_a.txt")[1] == ("n00001740", "n00002137")
    assert data_helpers.summary("imagenet", tmp_path)["images"] == 0
    (tmp_path / "wordnet.is_a.txt").write_text("n00001740\n")
    assert kinds(tmp_path) == {"bad-file": "wordnet.is_a.txt"}


def archive(path: Path, pictures: dict[str, list[bytes]], form: int = tarfile.GNU_FORMAT) -> Path:
    with tarfile.open(path, "w", format=form) as outer:
        for wnid, files in pictures.items():
            inner = io.BytesIO()
            with tarfile.open(fileobj=inner, mode="w", format=form) as one:
                for number, data in enumerate(files):
                    entry = tarfile.TarInfo(f"{wnid}_{number * 7}.JPEG")
                    entry.size, entry.mtime = len(data), 1.5  # a fraction makes Python write POSIX's extra headers
                    one.addfile(entry, io.BytesIO(data))
            entry = tarfile.TarInfo(f"{wnid}.tar")
            entry.size = len(inner.getvalue())
            outer.addfile(entry, io.BytesIO(inner.getvalue()))
    return path


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_train_archive_is_read_where_it_lies(
    tmp_path: Path, home: Path, form: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = jpeg(tmp_path / "one.JPEG").read_bytes()
    root = tmp_path / "root"
    root.mkdir()
    path = archive(root / "ILSVRC2012_img_train.tar", {TENCH: [data, data + b"x"], SNAKE: [data]}, form)
    tar = imagenet.index(path)
    assert (
        len(tar) == 3
        and tar.broken is None
        and [tar.name(p) for p in tar.of(TENCH)] == [f"{TENCH}_0.JPEG", f"{TENCH}_7.JPEG"]
    )
    assert tar.read(1) == data + b"x"
    found = data_helpers.summary("imagenet", root)
    assert found["classes"] == {TENCH: 2, SNAKE: 1} and found["splits"] == {"train": 3}
    monkeypatch.setattr("data_helpers.imagenet.tars._pass", lambda path: pytest.fail("the cached index is read"))
    sample = next(iter(data_helpers.read("imagenet", root, classes=SNAKE, max_samples=1)))
    assert sample.id == f"{SNAKE}_0" and sample.image and sample.image.read_bytes() == data
    assert all(sample.image is None for sample in data_helpers.read("imagenet", root)), "a whole archive is not copied"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 60_000), flip=st.booleans())
def test_an_archive_that_ends_early_is_told(tmp_path: Path, home: Path, cut: int, flip: bool) -> None:
    whole = archive(tmp_path / "whole", {TENCH: [b"a" * 900] * 9, SNAKE: [b"b" * 900] * 9}).read_bytes()
    root = tmp_path / "root"
    root.mkdir(exist_ok=True)
    path = root / "ILSVRC2012_img_train.tar"
    end = min(cut, whole.rstrip(b"\0").__len__() - 1)
    path.write_bytes(whole[:end])
    try:
        assert imagenet.index(path).broken
    except ArchiveError as error:
        assert path.name in str(error)
    with pytest.raises(DataError):
        list(data_helpers.read("imagenet", root))
    assert kinds(root).get("cut-archive") == path.name
    if flip:
        # Any byte may be wrong: an error of ours or other pictures, never a traceback from deep inside.
        path.write_bytes(whole[:end] + bytes([whole[end] ^ 0xFF]) + whole[end + 1 :])
        with contextlib.suppress(DataError):
            imagenet.index(path)


def test_class_folders_and_flat_validation(tmp_path: Path) -> None:
    for wnid in (TENCH, SNAKE):
        jpeg(tmp_path / "train" / wnid / f"{wnid}_3.JPEG")
    for number in (1, 2, 3):
        jpeg(tmp_path / "val" / f"ILSVRC2012_val_{number:08d}.JPEG")
    kit = tmp_path / "ILSVRC2012_devkit_t12" / "data"
    kit.mkdir(parents=True)
    truth = kit / "ILSVRC2012_validation_ground_truth.txt"
    truth.write_text("449\n490\n429\n")
    xml(tmp_path / "bbox" / "val" / "ILSVRC2012_val_00000002.xml", SNAKE)
    found = data_helpers.summary("imagenet", tmp_path)
    assert found["splits"] == {"train": 2, "val": 3} and found["classes"] == {TENCH: 2, SNAKE: 2, CRANE: 1}
    assert kinds(tmp_path) == {}
    chosen = list(data_helpers.read("imagenet", tmp_path, split="val", classes=SNAKE))
    assert [s.id for s in chosen] == ["ILSVRC2012_val_00000002"] and chosen[0].labels["boxes"][0].wnid == SNAKE
    truth.write_text("449\n490\n")
    assert kinds(tmp_path)["wrong-length"] == truth.name
    truth.write_text("448\n489\n0\n")
    assert "0 found" in next(
        p["detail"] for p in data_helpers.summary("imagenet", tmp_path)["problems"] if p["kind"] == "bad-file"
    )
    with pytest.raises(FormatError, match=r"'index'.*'devkit'"):
        list(data_helpers.read("imagenet", tmp_path))
    truth.write_text("1\n" * 49_999)
    with pytest.raises(FormatError, match="49,999 labels, expected 50,000"):
        imagenet.read_ground_truth(truth)


def test_kaggle_tree(tmp_path: Path) -> None:
    data = tmp_path / "ILSVRC" / "Data" / "CLS-LOC"
    jpeg(data / "train" / TENCH / f"{TENCH}_1.JPEG")
    jpeg(data / "val" / "ILSVRC2012_val_00000001.JPEG")
    jpeg(data / "test" / "ILSVRC2012_test_00000001.JPEG")
    xml(tmp_path / "ILSVRC" / "Annotations" / "CLS-LOC" / "train" / TENCH / f"{TENCH}_1.xml")
    sets = tmp_path / "ILSVRC" / "ImageSets" / "CLS-LOC"
    sets.mkdir(parents=True)
    (sets / "train_cls.txt").write_text(f"{TENCH}/{TENCH}_1 1\n{TENCH}/{TENCH}_2 2\n")
    (tmp_path / "LOC_val_solution.csv").write_text(
        f"ImageId,PredictionString\nILSVRC2012_val_00000001,{SNAKE} 1 1 9 9\n"
    )
    (tmp_path / "LOC_synset_mapping.txt").write_text(f"{TENCH} tench, Tinca tinca\n{SNAKE} sea snake\n")
    found = data_helpers.summary("imagenet", tmp_path)
    assert found["splits"] == {"train": 2, "val": 1, "test": 1} and found["classes"] == {TENCH: 2, SNAKE: 1}
    assert kinds(tmp_path)["missing-picture"] == f"train {TENCH}_2"
    assert data_helpers.identify(tmp_path)["dataset"] == "imagenet"


def test_stand_ins_side_by_side(tmp_path: Path) -> None:
    jpeg(tmp_path / "imagenette2-160" / "train" / TENCH / f"{TENCH}_1.JPEG")
    v2 = tmp_path / "imagenetv2-matched-frequency-format-val"
    jpeg(v2 / "10" / "a.jpeg")
    jpeg(v2 / "2" / "b.jpeg")
    found = data_helpers.summary("imagenet", tmp_path)
    assert found["splits"] == {"imagenette2-160/train": 1, v2.name: 2}
    assert found["classes"] == {TENCH: 1, **{imagenet.convert(i, "index", "wnid"): 1 for i in (10, 2)}}
    assert data_helpers.summary("imagenet", v2)["splits"] == {v2.name: 2}
    assert imagenet.recognise(v2) and imagenet.recognise(tmp_path)


def test_packed_devkit(tmp_path: Path, home: Path) -> None:
    with tarfile.open(tmp_path / "ILSVRC2012_devkit_t12.tar.gz", "w:gz") as kit:
        for name, data in (("ILSVRC2012_validation_ground_truth.txt", b"449\n490\n"), ("meta.mat", b"")):
            entry = tarfile.TarInfo(f"ILSVRC2012_devkit_t12/data/{name}")
            entry.size = len(data)
            kit.addfile(entry, io.BytesIO(data))
    samples = list(data_helpers.read("imagenet", tmp_path))
    assert [sample.labels["classes"][0].wnid for sample in samples] == [TENCH, SNAKE]


BOMB = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]><annotation><filename>&c;</filename></annotation>'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "document type"),
        ("<annotation><filename>x</filename></annotation>", "<size/width>"),
        (
            "<annotation><filename>x</filename><size><width>4</width><height>4</height></size><object/></annotation>",
            "<name>",
        ),
        ("<annotation><filename>x</filename>", "no whole XML"),
        ("<html/>", "<html>"),
        ("", "no whole XML"),
    ],
)
def test_bad_xml_is_told(tmp_path: Path, text: str, says: str) -> None:
    jpeg(tmp_path / "train" / TENCH / f"{TENCH}_1.JPEG")
    path = tmp_path / "Annotations" / "train" / TENCH / f"{TENCH}_1.xml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(FormatError, match=says):
        imagenet.read_boxes(path)
    assert kinds(tmp_path)["bad-annotation"].endswith(f"{TENCH}_1.xml")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300) | st.text(max_size=120).map(str.encode), place=st.integers(0, 400))
def test_parsers_raise_only_errors_of_ours(tmp_path: Path, data: bytes, place: int) -> None:
    good = xml(tmp_path / "x.xml").read_bytes()
    for name, reader, start in (
        ("x.xml", imagenet.read_boxes, good[:place]),
        ("truth.txt", imagenet.read_ground_truth, b"449\n"),
        ("words.txt", imagenet.read_words, b"n01440764\ttench\n"),
        ("map_clsloc.txt", imagenet.read_map_clsloc, b"n01440764 449 tench\n"),
        ("is_a.txt", imagenet.read_is_a, b""),
        ("wnids.txt", imagenet.read_wnids, b""),
        ("s.csv", imagenet.read_solution, b"ImageId,PredictionString\na,n01440764 "),
        ("real.json", imagenet.read_real, b"[[1],"),
        ("list.json", imagenet.read_class_list, b""),
        ("val_annotations.txt", imagenet.read_boxes, b"a\tn01440764\t1\t2\t"),
    ):
        path = tmp_path / name
        path.write_bytes(start + data)
        try:
            reader(path)
        except DataError as error:
            assert name in str(error)


def test_bad_pictures_are_told_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "train" / TENCH
    for mode, name in (("L", "gray"), ("CMYK", "cmyk"), ("RGB", "good")):
        jpeg(folder / f"{TENCH}_{name}.JPEG", mode)
    jpeg(folder / f"{TENCH}_png.JPEG", form="PNG")
    whole = jpeg(folder / f"{TENCH}_cut.JPEG", size=(200, 200))
    whole.write_bytes(whole.read_bytes()[:4000])
    (folder / f"{TENCH}_none.JPEG").write_bytes(b"no picture")
    (folder / f"{TENCH}_empty.JPEG").write_bytes(b"")
    found = [
        (p["kind"], Path(p["where"]).stem.split("_")[1]) for p in data_helpers.summary("imagenet", tmp_path)["problems"]
    ]
    assert {
        ("gray-picture", "gray"),
        ("cmyk-picture", "cmyk"),
        ("png-named-jpeg", "png"),
        ("cut-picture", "cut"),
    } <= set(found)
    assert {("not-a-picture", "none"), ("not-a-picture", "empty")} <= set(found)
    assert not [name for _, name in found if name == "good"]


def test_unknown_wnids_and_labels_that_disagree(tmp_path: Path) -> None:
    jpeg(tmp_path / "train" / "n99999999" / "n99999999_1.JPEG")
    jpeg(tmp_path / "val" / TENCH / "ILSVRC2012_val_00000001.JPEG")
    shutil.copy(next(tmp_path.rglob("*_00000001.JPEG")), tmp_path / "val" / "ILSVRC2012_val_00000001.JPEG")
    xml(tmp_path / "Annotations" / "val" / "ILSVRC2012_val_00000001.xml", SNAKE, (5, 5, 5, 99))
    (tmp_path / "ILSVRC2012_validation_ground_truth.txt").write_text("490\n")
    found = kinds(tmp_path)
    assert found["unknown-wnid"] == "n99999999" and found["other-label"].startswith(f"val/{TENCH}/")
    assert {"duplicate-id", "zero-area-box", "outside-box", "box-of-other-class"} <= set(found)
    with pytest.raises(DataError, match="n00000000"):
        list(data_helpers.read("imagenet", tmp_path, classes="n00000000"))


def test_gate_and_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(GatedError, match=r"(?s)imagenette2-160.*ILSVRC2012_img_train.tar.*SHA-256"):
        data_helpers.fetch("imagenet", root=tmp_path)
    plan = data_helpers.plan("imagenet", split="imagenette2-160", root=tmp_path)
    assert [part.name for part in plan.parts] == ["imagenette2-160.tgz"] and "at least two archives" in str(plan)
    with pytest.raises(DataError, match="nothing of ImageNet"):
        data_helpers.summary("imagenet", tmp_path)


def test_the_miniature_is_what_its_note_says(home: Path) -> None:
    root = data_helpers.miniature("imagenet")
    found = data_helpers.summary("imagenet")
    assert len(found["classes"]) == 40 and set(found["splits"]) == {"train", "val"}
    assert {problem["kind"] for problem in found["problems"]} == {
        "cmyk-picture",
        "gray-picture",
        "png-named-jpeg",
        "cut-picture",
        "zero-area-box",
    }
    # The devkit's own table, the tree's edges and the list of words tell the same story, in true ids and words.
    meta = imagenet.read_meta(root / "ILSVRC2012_devkit_t12" / "data" / "meta.mat")
    leaves = {row.WNID: row.ILSVRC2012_ID for row in meta if row.num_children == 0}
    assert leaves == {wnid: imagenet.convert(wnid, "wnid", "devkit") for wnid in found["classes"]}
    assert {row.WNID: row.words for row in meta} == imagenet.read_words(root / "words.txt")
    by_id = {row.ILSVRC2012_ID: row.WNID for row in meta}
    edges = {(row.WNID, by_id[child]) for row in meta for child in row.children}
    assert edges == set(imagenet.read_is_a(root / "wordnet.is_a.txt"))
    # As many wrong labels as the note tells, and each sample has a licence and a credit, in the archive too.
    samples = list(data_helpers.read("imagenet"))
    assert all(sample.licence and sample.credit for sample in samples)
    told = re.findall(r"(\d+) as [\w ]+[,)]", (root / "MINIATURE.txt").read_text("utf-8"))
    seen = {int(s.id[-8:]): s.labels for s in samples if s.split == "val" and s.labels["real"]}
    wrong = {n for n, labels in seen.items() if labels["classes"][0] not in labels["real"]}
    cats = {n for n, labels in seen.items() if labels["classes"][0].short == "Egyptian cat"}
    assert wrong - cats == set(map(int, told)) and len(told) == 10


def test_the_miniature_s_archive_comes_out_the_same(tmp_path: Path, home: Path) -> None:
    pytest.importorskip("scipy.io")
    from miniatures import imagenet as script

    script.build(tmp_path)
    one, two = (
        imagenet.index(folder / "ILSVRC2012_img_train.tar") for folder in (tmp_path, data_helpers.miniature("imagenet"))
    )
    assert [one.name(p) for p in range(len(one))] == [two.name(p) for p in range(len(two))]
    for place in range(0, len(one), 9):
        a, b = (Image.open(io.BytesIO(tar.read(place))) for tar in (one, two))
        assert a.size == b.size and abs(np.asarray(a, int) - np.asarray(b, int)).mean() < 4


def test_what_is_wrong_in_one_place_hides_nothing_else(tmp_path: Path, home: Path) -> None:
    data = jpeg(tmp_path / "one.JPEG").read_bytes()
    root = tmp_path / "root"
    root.mkdir()
    path = archive(root / "ILSVRC2012_img_train.tar", {TENCH: [data], SNAKE: [data, data]})
    raw = bytearray(path.read_bytes())
    raw[512] ^= 0xFF  # the first header inside the first class
    path.write_bytes(raw)
    assert data_helpers.summary("imagenet", root)["classes"] == {SNAKE: 2} and kinds(root) == {"cut-archive": path.name}
    # A devkit that is none is told the same way twice: nothing of the first try stays in the cache.
    path.unlink()
    kit = root / "ILSVRC2012_devkit_t12.tar.gz"
    kit.write_bytes(b"<html>")
    for _ in range(2):
        assert kinds(root) == {"cut-archive": kit.name}
        with pytest.raises(ArchiveError, match="no archive"):
            list(data_helpers.read("imagenet", root))
    kit.unlink()
    # ImageNetV2's folders end at 999 and have no leading zero.
    for name in ("7", "007", "1000"):
        jpeg(root / "imagenetv2-x" / name / f"{name}.jpeg")
    assert data_helpers.summary("imagenet", root)["images"] == 3
    assert {p["where"] for p in data_helpers.summary("imagenet", root)["problems"]} == {
        "imagenetv2-x/007/007.jpeg",
        "imagenetv2-x/1000/1000.jpeg",
    }


def test_lists_that_contradict_themselves_are_told(tmp_path: Path) -> None:
    (tmp_path / "LOC_synset_mapping.txt").write_text(f"{TENCH} tench\n{TENCH} goldfish\n")
    with pytest.raises(FormatError, match=r"stands twice, as 'tench' and as 'goldfish'"):
        imagenet.read_words(tmp_path / "LOC_synset_mapping.txt")
    (tmp_path / "LOC_synset_mapping.txt").unlink()
    row = "ILSVRC2012_val_00000001,{} 1 2 3 4\n"
    (tmp_path / "LOC_val_solution.csv").write_text("ImageId,PredictionString\n" + row.format(TENCH) + row.format(SNAKE))
    assert kinds(tmp_path) == {"other-label": "val ILSVRC2012_val_00000001"}
    with pytest.raises(FormatError, match="line 1"):
        (tmp_path / "truth.txt").write_text("\u0663\n", encoding="utf-8")
        imagenet.read_ground_truth(tmp_path / "truth.txt")
    assert imagenet.convert(np.array(449), "devkit", "wnid") == TENCH


def test_an_archive_tells_what_is_no_picture_in_it(tmp_path: Path, home: Path) -> None:
    data, png = (jpeg(tmp_path / form, form=form).read_bytes() for form in ("JPEG", "PNG"))
    root = tmp_path / "root"
    root.mkdir()
    path = archive(root / "ILSVRC2012_img_train.tar", {TENCH: [data, png], SNAKE: [b"junk"]})
    with tarfile.open(path, "a") as outer:
        outer.addfile(tarfile.TarInfo("README"))
    found = data_helpers.summary("imagenet", root)
    assert found["classes"] == {TENCH: 2, SNAKE: 1} and {(p["kind"], p["where"]) for p in found["problems"]} == {
        ("png-named-jpeg", f"{path.name} {TENCH}_7.JPEG"),
        ("not-a-picture", f"{path.name} {SNAKE}_0.JPEG"),
        ("other-file", f"{path.name} README"),
    }
    # A class that stands twice is read whole, and told.
    inner = archive(path, {TENCH: [data]}).read_bytes()[: 512 + 10240]
    path.write_bytes(inner + inner + bytes(1024))
    assert imagenet.index(path).of(TENCH).tolist() == [0, 1]
    assert kinds(root) == {"duplicate-id": f"{path.name} {TENCH}.tar"}
    path.write_bytes(bytes(10240))
    assert kinds(root) == {"cut-archive": path.name}
    with pytest.raises(ArchiveError, match="no picture"):
        list(data_helpers.read("imagenet", root))


def test_folders_that_are_no_wnids(tmp_path: Path) -> None:
    jpeg(tmp_path / "elsewhere" / TENCH / "a.JPEG")
    jpeg(tmp_path / "root" / "loose" / "b.JPEG")
    jpeg(tmp_path / "root" / "val" / TENCH / f"{SNAKE}_1.JPEG")
    jpeg(tmp_path / "root" / "val" / TENCH / "c.bmp", form="BMP")
    for number in (1, 1000):
        jpeg(tmp_path / "root" / "test" / str(number) / f"{number}.JPEG")
    (tmp_path / "root" / "train").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    found = data_helpers.summary("imagenet", tmp_path / "root")
    assert found["splits"] == {"train": 1, "val": 2, "test": 2}, "links are followed, each folder once"
    assert found["classes"] == {TENCH: 3}, "folders up to 1000 are no indices"
    assert kinds(tmp_path / "root") == {
        "stray-picture": "loose/b.JPEG",
        "other-label": f"val/{TENCH}/{SNAKE}_1.JPEG",
        "other-format": f"val/{TENCH}/c.bmp",
    }
    # Tiny ImageNet's validation folder alone.
    jpeg(tmp_path / "part" / "images" / "val_0.JPEG")
    (tmp_path / "part" / "val_annotations.txt").write_text(f"val_0.JPEG\t{SNAKE}\t1\t2\t3\t4\n")
    assert data_helpers.summary("imagenet", tmp_path / "part")["images_on_disk"] == 1


def test_lists_as_spreadsheets_and_editors_leave_them(tmp_path: Path) -> None:
    for name, text, reader in (
        ("truth.txt", "\ufeff449\r\n490\r\n\r\n\n", imagenet.read_ground_truth),
        ("s.csv", f'\ufeffImageId,PredictionString\n"a","{TENCH} 1 2 3 4"\n"b","{SNAKE}"\n\n', imagenet.read_solution),
        ("wnids.txt", f"{TENCH}   \n{SNAKE}\n", imagenet.read_class_list),
    ):
        (tmp_path / name).write_bytes(text.encode())
        assert len(reader(tmp_path / name)) == 2  # type: ignore[operator]
    for name, text, reader in (
        ("map_clsloc.txt", f"{TENCH} 1001 tench\n", imagenet.read_map_clsloc),
        ("s.csv", f"a,{TENCH} {SNAKE}\n", imagenet.read_solution),
        ("real.json", "[]", imagenet.read_real),
        ("real.json", f"[{','.join(['[1]'] * 49_999)}]", imagenet.read_real),
        ("index.json", '{"0": ["tench", "tench"]}', imagenet.read_class_list),
        ("index.json", f'{{"0": ["{TENCH}", "tench"], "1": ["{TENCH}", "tench"]}}', imagenet.read_class_list),
        ("", "", imagenet.read_words),
        ("folder.xml", "", imagenet.read_boxes),
    ):
        if text:
            (tmp_path / name).write_text(text)
        else:
            (tmp_path / name).mkdir(exist_ok=True)
        with pytest.raises(DataError, match=name or tmp_path.name):
            reader(tmp_path / name)
    for value in ([["a"]], b"n01440764", [None]):
        with pytest.raises(FormatError, match="no class"):
            imagenet.convert(value, "wnid", "index")
    root = tmp_path / "root"
    root.mkdir()
    (root / "ILSVRC2012_validation_ground_truth.txt").write_text("449\n490\n")
    (root / "LOC_val_solution.csv").write_text(f"ILSVRC2012_val_00000001,{SNAKE}\n")
    (root / "real.json").write_text("[[0]]")
    (root / "map_clsloc.txt").write_text("n99999999 5 x\n")
    assert kinds(root) == {
        "other-label": "val ILSVRC2012_val_00000001",
        "wrong-length": "real labels",
        "unknown-wnid": "map_clsloc.txt n99999999",
    }


@pytest.mark.real
def test_tables_and_facts_are_what_the_real_lists_say(real: Path) -> None:
    def table(name: str) -> list[dict[str, str]]:
        with (cards.HERE / "tables" / f"imagenet-{name}.csv").open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))

    folder = real / "imagenet"
    kit = folder / "daksim_Imagenet-1K-Formatter"
    words = imagenet.read_words(folder / "rangeetpan_IMagenet" / "tiny-imagenet-200" / "words.txt")
    devkit = {row.wnid: row for row in imagenet.read_map_clsloc(kit / "map_clsloc.txt")}
    rows = table("classes")
    ranked = sorted(devkit)
    assert [(r["wnid"], int(r["devkit"]), r["name"], r["short"]) for r in rows] == [
        (wnid, devkit[wnid].devkit, words[wnid], re.sub(r"^(crane)_bird|^(maillot)_\d", r"\1\2", devkit[wnid].name))
        for wnid in ranked
    ]
    names = [row["torchvision"] for row in rows]
    given = imagenet.convert(imagenet.read_ground_truth(kit / f"{TRUTH}.txt"), "devkit", "index")
    seen = imagenet.read_real(
        folder / "huggingface_pytorch-image-models" / "timm" / "data" / "_info" / "imagenet_real_labels.json"
    )
    counts = Counter(map(len, seen))
    assert {int(r["labels"]): int(r["pictures"]) for r in table("real-counts")} == counts
    lost = [(old, new) for old, new in zip(given, seen, strict=True) if new and old not in new]
    pairs = Counter((names[old], names[one]) for old, new in lost for one in new)
    assert {(r["given"], r["seen"]): int(r["pictures"]) for r in table("real-pairs")} == {
        pair: count for pair, count in pairs.items() if count >= 8
    }
    both = Counter(frozenset((names[a], names[b])) for new in seen for a, b in combinations(new, 2))
    assert {frozenset((r["one"], r["other"])): int(r["pictures"]) for r in table("real-together")} == {
        pair: count for pair, count in both.items() if count >= 30
    }
    empty = Counter(old for old, new in zip(given, seen, strict=True) if not new)
    wrong = Counter(old for old, _ in lost)
    many = Counter(old for old, new in zip(given, seen, strict=True) if len(new) > 1 and old in new)
    for place, row in enumerate(table("real-classes")):
        told = [int(row[key]) for key in ("pictures", "without_label", "given_not_seen", "more_than_one")]
        assert told == [50, empty[place], wrong[place], many[place]], row
    for row in table("label-kinds"):
        place = int(row["picture"][-8:]) - 1
        assert row["label"] == names[given[place]]
        assert row["raters_saw"] == (", ".join(names[one] for one in seen[place]) or "no label at all")
    parents = {row["wnid"]: row["parents"].split() for row in table("tree")}
    assert len(set(parents) - set(ranked)) == 860 and not {p for ps in parents.values() for p in ps} & set(ranked)
    shared = Counter(word for row in rows for word in row["name"].split(", "))
    facts = cards.parsed("imagenet").facts
    assert set(facts["shared_words"].note.split(", ")) == {word for word, count in shared.items() if count > 1}
    scored = len(seen) - counts[0]
    assert {key: facts[key].value for key in FROM_LISTS} == dict(
        zip(
            FROM_LISTS,
            (counts[0], scored, len(lost), scored - len(lost), counts[1], counts[2], counts[3], sum(map(len, seen)),
             scored - counts[1], round(100 * (1 - len(lost) / scored), 1), round(100 * len(lost) / scored, 2),
             sum(not empty[place] and not wrong[place] for place in range(1000))),
            strict=True,
        )
    )  # fmt: skip
