"""Plans, budgets, COCO's own route, every file of every card by a local copy of its route, adopting and mirrors."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import data_helpers
from data_helpers import cards, files
from data_helpers.__main__ import main
from data_helpers.errors import (
    BudgetError,
    ChecksumError,
    FormatError,
    GatedError,
    MissingFileError,
    UnknownNameError,
)
from data_helpers.files import adopt, adopting, fetch_card, lay_out, ledger, plan_card
from data_helpers.files.plans import ARCHIVES
from data_helpers.remote import tries, web
from data_helpers.samples import Selection
from data_helpers.serve import Server, mirror

CARDS = {stem: cards.parsed(stem) for stem in data_helpers.list_datasets()}
FILES = [(stem, file.name) for stem, card in CARDS.items() for file in card.files]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tries, "WAIT", 0.005)
    monkeypatch.setenv("DATA_HELPERS_TIMEOUT", "20")
    yield
    web.forget()


# ---- a twin of COCO's host


def coco_twin(folder: Path) -> dict[str, bytes]:
    """Build a host with lists of 200 pictures in two splits, and the pictures."""
    host = folder / "images.cocodataset.org"
    (host / "annotations").mkdir(parents=True)
    rng = random.Random(5)
    categories = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}]
    lists, pictures = {}, {}
    for split, first in (("train2017", 1), ("val2017", 1001)):
        images = [
            {"id": n, "file_name": f"{n:012}.jpg", "width": 64, "height": 48, "license": 1}
            for n in range(first, first + 100)
        ]
        boxes = [
            {"id": i["id"] * 10, "image_id": i["id"], "category_id": rng.choice((1, 18)), "bbox": [1, 2, 3, 4],
             "area": 12, "iscrowd": 0, "segmentation": [[1, 2, 3, 4, 5, 6]]}
            for i in images
        ]  # fmt: skip
        captions = [{"id": i["id"], "image_id": i["id"], "caption": "a picture"} for i in images]
        base = {"info": {}, "licenses": [{"id": 1, "name": "CC BY", "url": ""}], "images": images}
        lists[f"instances_{split}"] = {**base, "annotations": boxes, "categories": categories}
        lists[f"person_keypoints_{split}"] = {**base, "annotations": [], "categories": categories[:1]}
        lists[f"captions_{split}"] = {**base, "annotations": captions}
        for image in images:
            name = f"{split}/{image['file_name']}"
            pictures[name] = b"\xff\xd8\xff\xe0" + rng.randbytes(rng.randint(500, 3000)) + b"\xff\xd9"
            (host / name).parent.mkdir(exist_ok=True)
            (host / name).write_bytes(pictures[name])
    with zipfile.ZipFile(host / "annotations" / "annotations_trainval2017.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in lists.items():
            archive.writestr(f"annotations/{name}.json", json.dumps(body))
    return pictures


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    folder = tmp_path_factory.mktemp("twin")
    return folder, coco_twin(folder)


@pytest.fixture
def server(twin: tuple[Path, dict[str, bytes]], home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(twin[0]) as running:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", running.url)
        yield running


DOGS: dict[str, Any] = {"split": "val2017", "max_samples": 20, "classes": ["dog"], "label_types": ["boxes", "captions"]}


def jpgs(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.glob("*2017/*.jpg")}


def test_coco_takes_one_list_a_label_type_and_just_the_pictures(
    server: Server, twin: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    root = data_helpers.fetch("coco", **DOGS, root=tmp_path / "coco")
    asked = [request.path for request in server.requests]
    # Its size, its directory, and the members: one request each, or one for both where they are neighbours.
    assert len([path for path in asked if path.endswith(".zip")]) <= 4
    assert sorted(path.name for path in (root / "annotations").iterdir()) == [
        "captions_val2017.json",
        "instances_val2017.json",
    ]
    assert len(jpgs(root)) == 20 and all((root / name).read_bytes() == twin[1][name] for name in jpgs(root))
    samples = list(data_helpers.read("coco", root, **DOGS))
    assert [sample.image for sample in samples] == sorted(root / name for name in jpgs(root))
    assert all(any(box.label == "dog" for box in sample.labels["boxes"]) for sample in samples)
    from pycocotools.coco import COCO

    assert len(COCO(root / "annotations" / "instances_val2017.json").getImgIds()) == 100
    before = len(server.requests)
    assert data_helpers.fetch("coco", **DOGS, root=root) == root
    assert len(server.requests) == before, "the second time nothing moves"
    again = data_helpers.plan("coco", **DOGS, root=root)
    assert again.parts == [] and again.bytes == 0 and len(again.present) == 22


def test_the_same_seed_chooses_the_same_pictures_whatever_is_on_disk(server: Server, tmp_path: Path) -> None:
    choice: dict[str, Any] = {
        "split": "val2017",
        "max_samples": 15,
        "shuffle": True,
        "seed": 51,
        "label_types": ["captions"],
    }
    empty = data_helpers.fetch("coco", **choice, root=tmp_path / "empty")
    used = tmp_path / "used"
    for more in (DOGS, {"split": "train2017", "max_samples": 3}):
        data_helpers.fetch("coco", **more, root=used)
    before = jpgs(used)
    data_helpers.fetch("coco", **choice, root=used)
    chosen = jpgs(empty)
    assert len(chosen) == 15 and jpgs(used) == before | chosen
    assert {s.image.name for s in data_helpers.read("coco", empty, **choice) if s.image} == {
        Path(n).name for n in chosen
    }
    other = data_helpers.fetch("coco", **(choice | {"seed": 52}), root=tmp_path / "other")
    assert jpgs(other) != chosen


def test_a_picture_cut_or_edited_since_is_fetched_again_and_the_edit_kept(
    server: Server, twin: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    root = data_helpers.fetch("coco", **DOGS, root=tmp_path / "coco")
    cut, edited, touched = sorted(jpgs(root))[:3]
    (root / cut).write_bytes(twin[1][cut][:-5])
    (root / edited).write_bytes(twin[1][edited][::-1])
    (root / touched).touch()
    before = len(server.requests)
    data_helpers.fetch("coco", **DOGS, root=root)
    assert {(root / name).read_bytes() == twin[1][name] for name in jpgs(root) if "altered" not in name} == {True}
    assert (root / f"{edited}.altered-1").read_bytes() == twin[1][edited][::-1]
    asked = [request.path for request in server.requests[before:]]
    assert len(asked) == 2 and not any(touched in path for path in asked)


def test_fetching_and_reading_go_through_the_splits_in_one_order(server: Server, tmp_path: Path) -> None:
    # A list of the test pictures, as COCO publishes it: no labels, and its name comes after `captions_...`.
    host = server.folder / "images.cocodataset.org"
    images = [{"id": n, "file_name": f"{n:012}.jpg", "width": 64, "height": 48} for n in range(9001, 9004)]
    archive = host / "annotations" / "image_info_test2017.zip"
    (host / "test2017").mkdir()
    try:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
            writer.writestr("annotations/image_info_test2017.json", json.dumps({"images": images, "annotations": []}))
        for image in images:
            (host / "test2017" / str(image["file_name"])).write_bytes(b"\xff\xd8\xff\xe0 a picture \xff\xd9")
        want: dict[str, Any] = {"split": ["test2017", "val2017"], "max_samples": 102}
        root = data_helpers.fetch("coco", **want, root=tmp_path / "coco")
        samples = list(data_helpers.read("coco", root, **want))
        assert [sample.split for sample in samples] == ["val2017"] * 100 + ["test2017"] * 2
        assert all(sample.image for sample in samples), "what was fetched is what the same words read"
    finally:
        archive.unlink()
        shutil.rmtree(host / "test2017")


def test_the_sample_tier_is_announced_and_read(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    samples = data_helpers.read("coco", "sample")
    read = list(samples)
    assert samples.tier == "sample" and len(read) == 50 and all(sample.image for sample in read)
    dogs = list(data_helpers.read("coco", "sample", classes="dog", max_samples=5, image_ids=range(1001, 1101)))
    assert 0 < len(dogs) <= 5 and {sample.id for sample in dogs} < {sample.id for sample in read}
    assert f"{CARDS['coco'].sample.bytes:,} bytes" in capsys.readouterr().err  # type: ignore[union-attr]
    assert data_helpers.summary("coco", "sample")["images_on_disk"] == 50


def test_plan_tells_bytes_and_moves_none(server: Server, tmp_path: Path) -> None:
    plan = data_helpers.plan("coco", **DOGS, root=tmp_path / "coco")
    assert not server.requests and not (tmp_path / "coco").exists()
    mean = CARDS["coco"].extra["picture_bytes_mean"]
    assert plan.pictures == 20 and plan.bytes > 20 * mean and not plan.exact
    assert [part.member for part in plan.parts] == [
        "annotations/instances_val2017.json",
        "annotations/captions_val2017.json",
    ]
    text = str(plan)
    for word in ("annotations_trainval2017.zip", "images.cocodataset.org", "20 single pictures", "CC BY 4.0"):
        assert word in text
    assert json.loads(msgspec.json.encode(plan.to_json()))["bytes"] == plan.bytes
    whole = data_helpers.plan("coco", split="val2017", root=tmp_path / "coco")
    assert "val2017.zip" in [part.name for part in whole.parts], "a whole split comes as its archive"


def test_without_a_split_only_as_many_lists_come_as_it_takes(server: Server, tmp_path: Path) -> None:
    want: dict[str, Any] = {"max_samples": 1, "label_types": "boxes"}
    plan = data_helpers.plan("coco", **want, root=tmp_path / "coco")
    assert [part.member for part in plan.parts] == ["annotations/instances_train2017.json"]
    assert any("train2017" in note and "val2017" in note for note in plan.notes)
    root = data_helpers.fetch("coco", **want, root=tmp_path / "coco")
    assert [path.name for path in (root / "annotations").iterdir()] == ["instances_train2017.json"]
    assert [sample.image is not None for sample in data_helpers.read("coco", root, **want)] == [True]
    # The twin's first split has a hundred pictures: the next one's list is asked for when that is known to be too few.
    more = data_helpers.fetch("coco", **want | {"max_samples": 150}, root=tmp_path / "more")
    assert {path.name for path in (more / "annotations").iterdir()} == {
        "instances_train2017.json", "instances_val2017.json"
    }  # fmt: skip
    assert len(jpgs(more)) == 150
    assert not [part for part in data_helpers.plan("coco", root=root).parts if re.search("201[45]", part.name)]
    every = data_helpers.plan("coco", **want, shuffle=True, seed=1, root=tmp_path / "shuffled")
    assert len([part for part in every.parts if part.member]) > 1, "chance chooses among all splits"


def test_ids_that_no_list_names_are_named(server: Server, tmp_path: Path) -> None:
    want: dict[str, Any] = {"split": "val2017", "label_types": "captions"}
    with pytest.raises(UnknownNameError, match=r"7, 8000 are in no list of val2017"):
        data_helpers.fetch("coco", **want, image_ids=[1001, 7, "000000008000"], root=tmp_path / "coco")
    assert not jpgs(tmp_path / "coco")
    found = data_helpers.fetch("coco", **want, image_ids=[1001, "000000001002"], root=tmp_path / "coco")
    assert jpgs(found) == {"val2017/000000001001.jpg", "val2017/000000001002.jpg"}


def test_unknown_classes_are_told_before_a_byte_moves(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unicorn.*person"):
        data_helpers.fetch("coco", classes=["unicorn"], max_samples=1, root=tmp_path / "coco")
    assert not server.requests


def test_planning_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_HELPERS_HOME", str(tmp_path / "cache"))
    for stem in ("coco", "lfw", "flickr8k", "imagenet"):
        assert data_helpers.plan(stem).root.startswith(str(tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()


def test_a_plan_leaves_out_the_dead_and_other_sizes_of_the_same_and_says_so(tmp_path: Path) -> None:
    dead = ["lfw-deepfunneled.tgz"]
    lfw = [msgspec.structs.replace(file, status="dead") if file.name in dead else file for file in CARDS["lfw"].files]
    card = msgspec.structs.replace(CARDS["lfw"], files=lfw)
    every = plan_card(card, Selection(), tmp_path)
    assert not set(dead) & {part.name for part in every.parts}
    assert all(any(name in note and "label_types" in note for note in every.notes) for name in dead)
    named = plan_card(card, Selection(label_types=["pairs", "deepfunneled"]), tmp_path)
    assert set(dead) < {part.name for part in named.parts}
    nettes = {name for name in (file.name for file in CARDS["imagenet"].files) if name.startswith("imagenette")}
    plan = plan_card(CARDS["imagenet"], Selection(), tmp_path)
    assert nettes & {part.name for part in plan.parts} == {"imagenette2-160.tgz"}
    assert any("imagenette2-320.tgz" in note and 'split="imagenette2-320"' in note for note in plan.notes)
    large = plan_card(CARDS["imagenet"], Selection(split="imagenette2"), tmp_path)
    assert [part.name for part in large.parts] == ["imagenette2.tgz"]
    assert len(large.parts[0].md5) == 1 and large.parts[0].rivals, "torchvision's archive counts as well"


@pytest.mark.parametrize(
    "wrong", [{"split": "val2016"}, {"label_types": ["smells"]}, {"classes": ["unicorn"], "split": "val2017"}]
)
def test_unknown_names_are_told_with_those_that_exist(wrong: dict[str, Any], server: Server, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Expected one of"):
        data_helpers.fetch("coco", **{"max_samples": 1} | wrong, root=tmp_path / "coco")


def test_the_budget_is_kept_before_anything_moves(server: Server, tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match=r"coco: needs [\d,]+ bytes.*max_bytes=100,000"):
        data_helpers.fetch("coco", **DOGS, root=tmp_path / "coco", max_bytes=100_000)
    assert not server.requests


def test_the_command_line_asks_before_what_is_large(server: Server, tmp_path: Path, capsys: Any) -> None:
    arguments = ["fetch", "coco", "--split", "val2017", "--root", str(tmp_path / "coco")]
    assert main(arguments) == 1
    assert "--yes" in capsys.readouterr().err and not server.requests
    small = ["--max-samples", "2", "--label-types", "boxes", "--json"]
    assert main([*arguments, *small]) == 0
    assert json.loads(capsys.readouterr().out)["root"] == str(tmp_path / "coco")
    assert main(["plan", "coco", "--split", "val2017", *small]) == 0
    assert json.loads(capsys.readouterr().out)["dataset"] == "coco"


# ---- every file of every card, by a local copy of its route


def _stand_in(name: str) -> bytes:
    """Return a small sound file of a name's kind."""
    made = io.BytesIO()
    body = name.encode() * 50
    low = name.lower()
    if low.endswith(".zip"):
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("inner/file.txt", body)
    elif low.endswith(ARCHIVES):
        mode = {"gz": "w:gz", "z2": "w:bz2", "xz": "w:xz"}.get("gz" if low.endswith("tgz") else low[-2:], "w")
        with tarfile.open(fileobj=made, mode=mode) as tar:  # type: ignore[call-overload]
            entry = tarfile.TarInfo("inner/file.txt")
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    elif low.endswith(".gz"):
        import gzip

        return gzip.compress(body)
    else:
        starts = {".jpg": b"\xff\xd8", ".png": b"\x89PNG", ".parquet": b"PAR1"}
        start = next((mark for end, mark in starts.items() if low.endswith(end)), b"")
        return start + body + (b"PAR1" if start == b"PAR1" else b"")
    return made.getvalue()


def _twin_file(file: cards.File, body: bytes) -> cards.File:
    """Return a card's file with size and hashes of its stand-in: the route stays the card's own."""
    known = hashlib.sha256(body).hexdigest()
    return msgspec.structs.replace(
        file,
        bytes=len(body) if file.bytes is not None else None,
        sha256=known if file.sha256 else None,
        md5=hashlib.md5(body).hexdigest() if file.md5 else None,
        accept=[],
    )


@pytest.mark.parametrize(("stem", "name"), FILES, ids=[f"{stem}: {name}" for stem, name in FILES])
def test_every_file_of_every_card_by_its_own_route(
    stem: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = next(file for file in CARDS[stem].files if file.name == name)
    if not file.urls:
        card = msgspec.structs.replace(CARDS[stem], files=[file])
        with pytest.raises(GatedError) as told:
            fetch_card(card, Selection(), tmp_path / "root", max_bytes=None, progress=None)
        for word in (card.access.terms, card.access.apply_url, *card.access.steps, file.name, file.sha256 or ""):
            assert word in str(told.value)
        return
    body = _stand_in(file.name)
    file = _twin_file(file, body)
    card = msgspec.structs.replace(CARDS[stem], files=[file])
    # The file is served at the last address alone: all before it are dead, as hosts are.
    host_path = file.urls[-1].split("://", 1)[1].split("?")[0]
    (tmp_path / "site" / host_path).parent.mkdir(parents=True)
    (tmp_path / "site" / host_path).write_bytes(body)
    with Server(tmp_path / "site") as server:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", server.url)
        assert [part.urls for part in plan_card(card, Selection(), tmp_path / "root").parts] == [tuple(file.urls)]
        fetch_card(card, Selection(), tmp_path / "root", max_bytes=None, progress=False)
        asked = len(server.requests)
        fetch_card(card, Selection(), tmp_path / "root", max_bytes=None, progress=False)
        assert len(server.requests) == asked
    root = tmp_path / "root"
    if file.unpack is not None and file.name.lower().endswith(ARCHIVES):
        assert (root / file.unpack / "inner/file.txt").read_bytes() == file.name.encode() * 50
        assert (root / ".archives" / file.name).read_bytes() == body
    else:
        assert (root / file.name).read_bytes() == body


@pytest.mark.parametrize(
    "stem", [stem for stem, card in CARDS.items() if card.access.route != "open" and card.sample is None]
)
def test_a_dataset_without_a_lawful_sample_explains_itself(stem: str, home: Path) -> None:
    with pytest.raises(GatedError) as told:
        data_helpers.read(stem, "sample")
    assert CARDS[stem].access.terms in str(told.value) and f"adopt {stem}" in str(told.value)


# ---- unpacking, adopting, mirrors


@pytest.fixture
def invented(tmp_path: Path) -> tuple[cards.Card, Path]:
    """A card of three files that only their owners hand out, and a folder in which the reader has put them."""
    mine = tmp_path / "mine"
    (mine / "deep").mkdir(parents=True)
    archive, listed = _stand_in("pictures.tgz"), b"one\ntwo\n"
    (mine / "deep" / "pictures.tgz").write_bytes(archive)
    (mine / "list.txt").write_bytes(listed)
    entries = [
        {
            "name": "pictures.tgz",
            "bytes": len(archive),
            "sha256": hashlib.sha256(archive).hexdigest(),
            "unpack": "images",
        },
        {"name": "meta/list.txt", "md5": hashlib.md5(listed).hexdigest()},
        {"name": "tables/*.parquet"},
    ]
    common = {"urls": [], "inside": "what", "status": "gated", "verified": "2026", "gated": True}
    more = msgspec.convert([common | entry for entry in entries], list[cards.File])
    return msgspec.structs.replace(CARDS["coco"], files=more), mine


def test_adopt_checks_and_takes_in(invented: tuple[cards.Card, Path], tmp_path: Path) -> None:
    card, mine = invented
    before = {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()}
    root = adopt(card, mine, tmp_path / "root")
    assert (root / "images/inner/file.txt").is_file() and (root / "meta/list.txt").read_bytes() == b"one\ntwo\n"
    assert {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()} == before, "the reader's files stay"
    (root / "meta/list.txt").write_text("changed")
    assert (mine / "list.txt").read_bytes() == b"one\ntwo\n", "and are not shared with ours"


def test_adopt_takes_nothing_that_is_not_the_published_file(invented: tuple[cards.Card, Path], tmp_path: Path) -> None:
    card, mine = invented
    (mine / "list.txt").write_bytes(b"one\nTWO\n")
    with pytest.raises(ChecksumError, match=r"list\.txt: MD5 [0-9a-f]{32}, expected"):
        adopt(card, mine, tmp_path / "root")
    assert not (tmp_path / "root").exists()
    for path in list(mine.rglob("*")):
        if path.is_file():
            path.unlink()
    with pytest.raises(MissingFileError, match=r"pictures\.tgz") as told:
        adopt(card, mine, tmp_path / "root")
    assert "DATA_HELPERS_ROOT_COCO" in str(told.value)


def test_adopt_tells_what_it_could_not_check_and_keeps_what_is_in_the_way(
    invented: tuple[cards.Card, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card, mine = invented
    (mine / "tables").mkdir()
    (mine / "tables" / "a.parquet").write_bytes(b"PAR1 PAR1")
    (tmp_path / "root" / "meta").mkdir(parents=True)
    (tmp_path / "root" / "meta" / "list.txt").write_text("my own notes")
    root = adopt(card, mine, tmp_path / "root")
    said = capsys.readouterr().err
    assert "tables/a.parquet" in said and "unchecked" in said and "list.txt" not in said
    assert (root / "meta" / "list.txt.altered-1").read_text() == "my own notes"
    assert (root / "meta" / "list.txt").read_bytes() == b"one\ntwo\n"


def test_adopt_looks_at_sizes_of_all_accepted_files_and_reads_each_once(
    invented: tuple[cards.Card, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, mine = invented
    other = b"one\ntwo\nthree\n"
    accepted = {"md5": hashlib.md5(other).hexdigest(), "bytes": len(other), "date": "2026", "note": "a rival"}
    listed = msgspec.structs.replace(card.files[1], bytes=8, accept=[msgspec.convert(accepted, cards.Accepted)])
    card = msgspec.structs.replace(card, files=[listed])
    (mine / "list.txt").write_bytes(b"one\ntwo\nthree")
    with pytest.raises(ChecksumError, match=r"13 bytes, expected 8 or 14"):
        adopt(card, mine, tmp_path / "root")
    (mine / "list.txt").write_bytes(other)
    read: list[Path] = []
    real = ledger.digests
    monkeypatch.setattr(ledger, "digests", lambda path, *names: (read.append(path), real(path, *names))[1])
    monkeypatch.setattr(adopting, "digests", ledger.digests)
    root = adopt(card, mine, tmp_path / "root")
    assert (root / "meta" / "list.txt").read_bytes() == other and read == [mine / "list.txt"]
    assert files.make_plan(card, [files.part_of(listed)], root).parts == [], "a rival that was taken counts as there"
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 5, 5))  # type: ignore[attr-defined]
    with pytest.raises(BudgetError, match="5 free"):
        adopt(card, mine, tmp_path / "full")
    assert not list((tmp_path / "full").rglob("*.txt"))


def test_adopted_files_count_as_there(invented: tuple[cards.Card, Path], tmp_path: Path) -> None:
    card, mine = invented
    adopt(card, mine, tmp_path / "root")
    parts = [files.part_of(file) for file in card.files[:2]]
    assert files.make_plan(card, parts, tmp_path / "root").parts == []
    (tmp_path / "root/images/inner/file.txt").unlink()
    assert [part.name for part in files.make_plan(card, parts, tmp_path / "root").parts] == ["pictures.tgz"]


def test_a_classroom_fetches_from_what_the_teacher_fetched(
    server: Server, twin: tuple[Path, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = data_helpers.fetch("coco", **DOGS, root=tmp_path / "teacher")
    with mirror(teacher) as classroom:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", classroom.url)
        student = data_helpers.fetch("coco", **DOGS, root=tmp_path / "student")
    assert jpgs(student) == jpgs(teacher)
    for path in teacher.rglob("*.js*"):
        if not any(piece.startswith(".") for piece in path.relative_to(teacher).parts):
            assert (student / path.relative_to(teacher)).read_bytes() == path.read_bytes()
    assert lay_out(teacher, tmp_path / "again") == tmp_path / "again"
    with pytest.raises(MissingFileError, match="Fetch first"):
        (tmp_path / "empty").mkdir()
        lay_out(tmp_path / "empty", tmp_path / "nothing")


def test_a_mirror_keeps_ports_apart_and_refuses_two_files_for_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, body in (("a.example", b"first"), ("a.example:8080", b"second")):
        (tmp_path / "site" / name).mkdir(parents=True)
        (tmp_path / "site" / name / "list.txt").write_bytes(body)
    root = tmp_path / "root"
    parts = [files.Part(name=f"{n}.txt", urls=(f"http://{host}/list.txt",)) for n, host in
             enumerate(("a.example", "a.example:8080"))]  # fmt: skip
    with Server(tmp_path / "site") as source:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", source.url)
        files.fetch_parts(parts, root)
        with mirror(root) as classroom:
            monkeypatch.setenv("DATA_HELPERS_MIRROR", classroom.url)
            files.fetch_parts(parts, tmp_path / "student")
        assert [(tmp_path / "student" / f"{n}.txt").read_bytes() for n in (0, 1)] == [b"first", b"second"]
        monkeypatch.setenv("DATA_HELPERS_MIRROR", source.url)
        asked = files.Part(name="2.txt", urls=("http://a.example/list.txt?page=2",))
        (tmp_path / "site" / "a.example" / "list.txt").write_bytes(b"another page")
        files.fetch_parts([asked], root)
    with pytest.raises(FormatError, match=r"2\.txt and .*0\.txt both came from a\.example/list\.txt"):
        lay_out(root, tmp_path / "again")


def test_an_unsound_archive_without_a_hash_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = _stand_in("pictures.tgz")
    entry = {"name": "pictures.tgz", "urls": ["https://a.example/pictures.tgz"], "inside": "", "status": "live",
             "verified": "2026", "unpack": "."}  # fmt: skip
    card = msgspec.structs.replace(CARDS["coco"], files=msgspec.convert([entry], list[cards.File]))
    place = tmp_path / "site" / "a.example" / "pictures.tgz"
    place.parent.mkdir(parents=True)
    place.write_bytes(good[:-20])
    with Server(tmp_path / "site") as running:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", running.url)
        with pytest.raises(data_helpers.DataError, match="cut short"):
            fetch_card(card, Selection(), tmp_path / "root", max_bytes=None, progress=False)
        place.write_bytes(good)
        fetch_card(card, Selection(), tmp_path / "root", max_bytes=None, progress=False)
    assert (tmp_path / "root/inner/file.txt").is_file()
    shutil.rmtree(tmp_path / "root" / "inner")
    fetch_card(card, Selection(), tmp_path / "root", max_bytes=None, progress=False)
    assert (tmp_path / "root/inner/file.txt").is_file(), "unpacked again from the kept archive, without the network"
