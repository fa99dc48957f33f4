"""CASIA-WebFace's lists, folders and packs: real lists give the card's counts, packs are read to the byte."""

from __future__ import annotations

import csv
import io
import re
import struct
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import data_helpers
from data_helpers import cards, casia, lfw
from data_helpers.errors import FormatError, GatedError, MissingFileError, UnknownNameError
from data_helpers.samples import Selection
from miniatures import casia as script
from miniatures import common

FACTS = {key: fact.value for key, fact in cards.parsed("casia").facts.items()}
TABLES = cards.HERE / "tables"
LISTS = Path("casia_webface/happynear_FaceDatasets/CASIA")
MAGIC = bytes.fromhex("0a23d7ce")
JPEG = b"\xff\xd8drawn\xff\xd9"


def write_pack(folder: Path, pictures: list[tuple[int, bytes]], classes: int | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rec, idx = script.pack(pictures)
    (folder / "train.rec").write_bytes(rec)
    (folder / "train.idx").write_bytes(idx)
    (folder / "property").write_text(
        f"{len({label for label, _ in pictures}) if classes is None else classes},112,112\n"
    )
    return folder


def found(root: Path) -> set[tuple[str, str]]:
    return {(problem.kind, problem.where) for problem in casia.scan(root).problems}


def table(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def words(name: str) -> tuple[str, ...]:
    """A name in small letters without single ones, as the card's rules have it."""
    for sign in "-. ":
        name = name.replace(sign, "_")
    return tuple(part for part in name.lower().split("_") if len(part) > 1)


@pytest.mark.real
def test_the_real_lists_give_the_cards_counts(real: Path) -> None:
    people = casia.read_identities(real / LISTS / "webface_id_name_list.txt")
    assert people[0] == casia.Identity("0000045", "Bruce_Lee")
    assert len(people) == FACTS["names_listed"] == FACTS["identities_paper"] == len({one.id for one in people})
    names = [one.name for one in people]
    assert len(names) - len(set(names)) == FACTS["names_twice"]
    assert sum(not name.isascii() for name in names) == FACTS["names_accented"]
    parts = Counter(len(name.split("_")) for name in names)
    assert {int(row["parts_of_the_name"]): int(row["identities"]) for row in table("casia-names.csv")} == parts
    shared = casia.read_overlap(real / LISTS / "webface_lfw_overlap.txt")
    assert len(shared) == FACTS["overlap_ids"] and {one.id for one in shared} < {one.id for one in people}
    by_id = dict(people)
    dropped = {by_id[number] for number in ("0166921", "1056413", "1193098")}
    assert len(dropped) == FACTS["overlap_dropped"] == FACTS["identities_paper"] - FACTS["identities_pack"]  # type: ignore[operator]

    there = [one.name for one in lfw.read_names(real / "lfw/happynear_FaceDatasets/CASIA/lfw-names.txt")]
    assert dropped <= set(there)
    small = {name.lower() for name in there}
    without, anyhow = {words(name) for name in there}, {tuple(sorted(words(name))) for name in there}
    assert sum(name in set(there) for name in names) == FACTS["overlap_exact"]
    assert sum(name.lower() in small for name in names) == FACTS["overlap_any_case"]
    assert sum(words(name) in without for name in names) == FACTS["overlap_initials"]
    assert sum(tuple(sorted(words(name))) in anyhow for name in names) == FACTS["overlap_any_order"]
    rows = {int(row["identities"]) for row in table("casia-overlap.csv")}
    assert {3, 6, 16, 17, 84} <= rows

    root = real / LISTS
    scan = casia.scan(root)
    assert scan.labels == {"people": 10575, "overlap": 16} and (scan.images, scan.problems) == (0, [])
    assert casia.recognise(root) == "CASIA-WebFace: lists" and list(casia.read(root, Selection())) == []


def test_the_cards_numbers_fit_together() -> None:
    assert FACTS["index_entries"] == FACTS["images_pack"] + 1 + FACTS["identities_pack"]  # type: ignore[operator]
    assert FACTS["header_first"] == FACTS["images_pack"] + 1  # type: ignore[operator]
    assert FACTS["records_without_picture"] == FACTS["identities_pack"] + 1  # type: ignore[operator]
    assert FACTS["identities_amsoftmax"] == FACTS["identities_paper"] - FACTS["removed_amsoftmax"]  # type: ignore[operator]
    assert FACTS["removed_amsoftmax"] == FACTS["removed_facescrub"] + FACTS["lfw_overlap"]  # type: ignore[operator]
    paper, clean = FACTS["images_paper"], FACTS["images_clean"]
    assert round(100 * (1 - clean / paper), 1) == FACTS["clean_removed_share"]  # type: ignore[operator]
    assert round(100 * FACTS["wrong_removed"] / paper, 1) == FACTS["wrong_share"]  # type: ignore[operator]
    rows = {row["dataset"].partition(" (")[0]: row for row in table("casia-successors.csv")}
    wanted = {"MS-Celeb-1M", "VGGFace2", "MegaFace", "CelebA", "FairFace", "DigiFace-1M", "WebFace260M"}
    assert wanted <= set(rows)
    assert all(row["status"] and row["terms"] and row["source"] for row in rows.values())
    assert all(
        re.fullmatch(r"20\d\d(-\d\d){0,2}", row["as_of"]) and row["as_of"] >= row["year"] for row in rows.values()
    )


def test_pictures_are_not_fetched_and_the_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(GatedError, match="scripts no download"):
        data_helpers.fetch("casia", label_types="classes", root=tmp_path / "x")
    with pytest.raises(GatedError, match="no sample of real data"):
        data_helpers.read("casia", "sample")
    card = cards.parsed("casia")
    assert all(file.urls == [] for file in card.files if "classes" in file.label_types or file.gated)
    plan = data_helpers.plan("casia", root=tmp_path / "x")
    assert plan.gated == ["train.rec", "train.idx", "property"]
    assert all(part.name.endswith(".txt") for part in plan.parts)


# One record by hand, from the documentation of the format, so that reader and writer cannot share a mistake.
def test_a_record_written_by_hand_is_read_to_the_byte(tmp_path: Path) -> None:
    one = bytes.fromhex("0a23d7ce 1f000000 00000000 0000e040 0500000000000000 0000000000000000") + JPEG[:7] + b"\0"
    two = bytes.fromhex("0a23d7ce 20000000 02000000 00000000 0600000000000000 0000000000000000 0000803f 00004040")
    first = bytes.fromhex("0a23d7ce 1c000020 00000000 0000003f 0700000000000000 0000000000000000") + b"abcd"
    middle = bytes.fromhex("0a23d7ce 04000040") + b"efgh"
    last = bytes.fromhex("0a23d7ce 02000060") + b"ij\0\0"
    (tmp_path / "train.rec").write_bytes(one + two + first + middle + last)
    places = [0, len(one), len(one + two)]
    (tmp_path / "train.idx").write_text(
        "".join(f"{key}\t{place}\n" for key, place in zip((5, 6, 7), places, strict=True))
    )
    wanted = [
        casia.Record(5, (7.0,), JPEG[:7], places[0]),
        casia.Record(6, (1.0, 3.0), b"", places[1]),
        casia.Record(7, (0.5,), b"abcd" + MAGIC + b"efgh" + MAGIC + b"ij", places[2]),
    ]
    assert list(casia.read_records(tmp_path / "train.rec", tmp_path / "train.idx")) == wanted
    assert list(casia.read_records(tmp_path / "train.rec")) == wanted
    assert list(casia.read_records(tmp_path / "train.rec", tmp_path / "train.idx", keys=[7, 5])) == [
        wanted[2],
        wanted[0],
    ]
    rows = (tmp_path / "train.idx").read_text().splitlines()
    (tmp_path / "train.idx").write_text("\n".join(rows[::-1]))
    # In the order of the file, whatever the index's: a disk reads forwards.
    assert list(casia.read_records(tmp_path / "train.rec", tmp_path / "train.idx")) == wanted
    assert [record.kind for record in wanted] == ["picture", "identity", "picture"]


pictures = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.lists(st.sampled_from([MAGIC, b"x", b"ab", b"\xff\xd8", b"\0\0\0"]), min_size=1, max_size=9).map(b"".join),
    ),
    min_size=1,
    max_size=8,
)


@given(pictures=pictures, data=st.data())
def test_packs_are_read_back_and_a_damage_is_named_by_its_offset(
    tmp_path_factory: pytest.TempPathFactory, pictures: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    folder = write_pack(tmp_path_factory.mktemp("pack"), pictures)
    rec, idx = folder / "train.rec", folder / "train.idx"
    records = list(casia.read_records(rec, idx))
    classes = len({label for label, _ in pictures})
    assert records[0].labels == (len(pictures) + 1, len(pictures) + 1 + classes) and records[0].kind == "header"
    assert [(record.labels, record.picture) for record in records[1 : len(pictures) + 1]] == [
        ((float(label),), picture) for label, picture in pictures
    ]
    assert [record.kind for record in records[len(pictures) + 1 :]] == ["identity"] * classes
    assert [record.key for record in records] == list(range(len(records)))
    scan = casia.scan(folder)
    assert scan.images == len(pictures)
    assert scan.classes == Counter(str(label) for label, _ in pictures)

    whole = rec.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    rec.write_bytes(whole[:cut])
    read: list[casia.Record] = []
    with pytest.raises(FormatError, match=r"train\.rec: offset") as told:
        read.extend(casia.read_records(rec, idx))
    assert read == records[: len(read)] and f"record of key {len(read)}:" in str(told.value)
    assert casia.scan(folder).images <= len(pictures)
    hurt = bytearray(whole)
    hurt[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    rec.write_bytes(hurt)
    try:
        assert len(list(casia.read_records(rec, idx))) == len(records)
    except FormatError as error:
        assert "offset" in str(error)
    casia.scan(folder)


def test_a_damaged_record_hides_no_other(tmp_path: Path) -> None:
    write_pack(tmp_path, [(0, JPEG), (0, JPEG), (1, JPEG), (1, b"\x89PNG...")])
    records = list(casia.read_records(tmp_path / "train.rec", tmp_path / "train.idx"))
    whole = bytearray((tmp_path / "train.rec").read_bytes())
    whole[records[2].offset] = 0
    (tmp_path / "train.rec").write_bytes(whole)
    scan = casia.scan(tmp_path)
    assert scan.images == 3 and scan.classes == {"0": 1, "1": 2}
    assert ("bad-record", f"train.rec:{records[2].offset}") in found(tmp_path)
    message = next(problem.detail for problem in scan.problems if problem.kind == "bad-record")
    assert f"offset {records[2].offset}, record of key 2: found the bytes 0023d7ce" in message
    with pytest.raises(FormatError, match="record of key 2"):
        list(casia.read(tmp_path, Selection()))


def test_labels_in_an_array_and_a_pack_without_header_record(tmp_path: Path) -> None:
    # As im2rec and the later face2rec2 make them: keys from 0, [class, aligned] behind the header, no other records.
    records = [script.packed(key, (label, 1.0), JPEG) for key, label in enumerate((4, 4, 2))]
    frames = [script.frame(record) for record in records]
    offsets = [0, len(frames[0]), len(frames[0] + frames[1])]
    (tmp_path / "train.rec").write_bytes(b"".join(frames))
    (tmp_path / "train.idx").write_text("".join(f"{key}\t{place}\n" for key, place in enumerate(offsets)))
    assert [record.labels for record in casia.read_records(tmp_path / "train.rec", tmp_path / "train.idx")] == [
        (4.0, 1.0), (4.0, 1.0), (2.0, 1.0),
    ]  # fmt: skip
    assert casia.scan(tmp_path).classes == {"4": 2, "2": 1} and found(tmp_path) == {("no-header-record", "train.rec")}
    samples = list(casia.read(tmp_path, Selection()))
    assert [(sample.id, sample.split, sample.extra) for sample in samples] == [
        (str(key), "train", {"key": key, "offset": place}) for key, place in enumerate(offsets)
    ]
    assert samples[0].labels["classes"] == [casia.Face("4")] and samples[0].image is None


def rewrite_index(pack: Path, change: Callable[[list[tuple[str, str]]], list[tuple[str, str]]]) -> None:
    rows = [tuple(row.split("\t")) for row in (pack / "train.idx").read_text().splitlines()]
    (pack / "train.idx").write_text("".join(f"{key}\t{place}\n" for key, place in change(rows)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (lambda rows: rows[:3], {"index-gap", "count-mismatch"}),
        (lambda rows: rows[1:5], {"index-gap", "no-header-record"}),
        (lambda rows: [*rows[:2], ("2", rows[1][1]), *rows[3:]], {"index-gap", "index-overlap", "key-mismatch"}),
        (
            lambda rows: [(key, rows[place - 1][1]) for place, (key, _) in enumerate(rows)],
            {"key-mismatch", "count-mismatch", "bad-identity-record"},
        ),
    ],
    ids=["cut at a line", "without header", "one offset twice", "moved by a record"],
)
def test_an_index_that_leads_elsewhere_is_told(
    tmp_path: Path, change: Callable[[list[tuple[str, str]]], list[tuple[str, str]]], kinds: set[str]
) -> None:
    pack = write_pack(tmp_path, [(0, JPEG), (0, JPEG), (1, JPEG), (1, JPEG + MAGIC * 3)])
    assert found(pack) == set()
    rewrite_index(pack, change)
    assert {kind for kind, _ in found(pack)} == kinds


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
@pytest.mark.filterwarnings("error")
def test_labels_that_are_no_numbers_are_told(tmp_path: Path, value: float) -> None:
    whole = write_pack(tmp_path, [(0, JPEG), (1, JPEG)])
    records, rec = list(casia.read_records(whole / "train.rec")), (whole / "train.rec").read_bytes()
    for record, behind, kind in ((records[0], 32, "count-mismatch"), (records[3], 32, "bad-identity-record")):
        hurt = bytearray(rec)
        struct.pack_into("<f", hurt, record.offset + behind, value)
        (whole / "train.rec").write_bytes(hurt)
        assert {kind for kind, _ in found(whole)} == {kind}
    hurt = bytearray(rec)
    struct.pack_into("<f", hurt, records[1].offset + 12, value)
    (whole / "train.rec").write_bytes(hurt)
    assert ("bad-label", f"train.rec:{records[1].offset}") in found(whole)


def test_a_pack_without_a_byte_or_with_an_offset_out_of_this_world(tmp_path: Path) -> None:
    pack = write_pack(tmp_path, [(0, JPEG)])
    (pack / "train.idx").write_text("0\t0\n1\t999999999999999999\n")
    with pytest.raises(
        FormatError, match=r"offset 999,999,999,999,999,999, record of key 1: found 0 bytes and the end"
    ):
        list(casia.read_records(pack / "train.rec", pack / "train.idx"))
    assert ("bad-record", "train.rec:999999999999999999") in found(pack)
    (pack / "train.idx").write_bytes(b"")
    with pytest.raises(FormatError, match=r"train\.idx: the file is empty"):
        list(casia.read_records(pack / "train.rec", pack / "train.idx"))
    # What cannot be opened is one problem, and numbers are not compared with nothing.
    assert found(pack) == {("bad-file", "train.idx")}
    (pack / "train.idx").unlink()
    assert found(pack) == {("bad-file", "train.rec")}
    (pack / "train.rec").write_bytes(b"")
    with pytest.raises(FormatError, match=r"train\.rec: offset 0: found an empty file"):
        list(casia.read_records(pack / "train.rec"))


def test_a_damaged_length_asks_for_no_memory(tmp_path: Path) -> None:
    pack = write_pack(tmp_path, [(0, JPEG)])
    rec = bytearray((pack / "train.rec").read_bytes())
    struct.pack_into("<I", rec, 4, 0x1FFFFFFF)
    (pack / "train.rec").write_bytes(rec)
    tracemalloc.start()
    with pytest.raises(FormatError, match=r"offset 0.*536,870,911 bytes: it is cut short"):
        list(casia.read_records(pack / "train.rec", pack / "train.idx"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 26


def test_numbers_that_do_not_fit_are_told(tmp_path: Path) -> None:
    pack = write_pack(tmp_path, [(0, JPEG), (1, JPEG), (1, b"GIF89a")], classes=7)
    (pack / "train.lst").write_text("1\ta/1.jpg\t0\n")
    rec = bytearray((pack / "train.rec").read_bytes())
    records = list(casia.read_records(pack / "train.rec", pack / "train.idx"))
    struct.pack_into("<f", rec, records[0].offset + 8 + 24, 9.0)
    struct.pack_into("<f", rec, records[4].offset + 8 + 24 + 4, 4.0)
    struct.pack_into("<f", rec, records[1].offset + 8 + 4, 0.5)
    (pack / "train.rec").write_bytes(rec)
    assert found(tmp_path) == {
        ("bad-picture", f"train.rec:{records[3].offset}"),
        ("bad-label", f"train.rec:{records[1].offset}"),
        ("count-mismatch", "train.rec"),
        ("bad-identity-record", "train.rec"),
        ("count-mismatch", "property"),
        ("count-mismatch", "train.lst"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"0\t0\n1\n", "line 2: found b'1'"),
        (b"0\t0\n1\tx\n", "line 2: "),
        (b"0\t0\n-1\t5\n", "line 2: "),
        (b"0\t0\n1 5\n", "line 2: "),
        (b"0\t0\n\n1\t5\n", "line 2: "),
        (b"0\t0\n1\t99999999999999999999\n", "line 2: "),
        (b"0\t0\n1\t4\n0\t8\n", "line 3: key 0 stands on an earlier line"),
        (b"0\t1\n", "offset 1, record of key 0: found the bytes"),
        (b"0\t0\n7\t999999\n", r"offset 999,999, record of key 7: found 0 bytes and the end"),
    ],
)
def test_a_bad_index_is_an_error_with_its_line(tmp_path: Path, text: bytes, said: str) -> None:
    write_pack(tmp_path, [(0, JPEG)])
    (tmp_path / "train.idx").write_bytes(text)
    with pytest.raises(FormatError, match=said):
        list(casia.read_records(tmp_path / "train.rec", tmp_path / "train.idx"))
    assert casia.scan(tmp_path).problems


def test_pickles_are_refused_and_never_opened(tmp_path: Path) -> None:
    write_pack(tmp_path, [(0, JPEG)])
    for name, data in (("lfw.bin", b"\x80\x03N."), ("agedb_30.bin", b"(lp0\n.")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FormatError, match=r"pickle.*is to run whatever its maker put into it"):
            list(casia.read_records(tmp_path / name))
        assert ("refused-pickle", name) in found(tmp_path)
    (tmp_path / "train.rec").write_bytes(b"\x80\x04N.")
    with pytest.raises(FormatError, match="pickle"):
        list(casia.read(tmp_path, Selection()))
    with pytest.raises(FormatError, match="pickle"):
        casia.read_identities(tmp_path / "lfw.bin")


@pytest.mark.parametrize(
    ("reader", "text", "said"),
    [
        (casia.read_identities, "0000001 A\n123 B\n", "line 2: found '123 B'"),
        (casia.read_identities, "0000001 A\n0000002\n", "line 2: "),
        (casia.read_identities, "0000001 A\n0000001 B\n", "line 2: found id 0000001, which stands on line 1"),
        (casia.read_identities, "", "the file is empty"),
        (casia.read_overlap, "0000001\n12\n", "line 2: found '12'"),
        (casia.read_overlap, "id, name, lfw\n0000001, A\n", "line 2: "),
        (casia.read_overlap, "0000001, A, \n", "line 1: "),
        (casia.read_overlap, "webface_id, webface_name, lfw_name\n", "a header and no line below it"),
        (casia.read_property, "10572,112\n", "line 1: "),
        (casia.read_property, "ten,112,112\n", "line 1: "),
        (casia.read_list, "1\ta.jpg\t0\n2\tb.jpg\t0\n", "line 2: "),
        (casia.read_list, "1 a.jpg 0\n", "line 1: "),
    ],
)
def test_bad_lists_are_errors_with_their_line(tmp_path: Path, reader: object, text: str, said: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(FormatError, match=said):
        reader(path)  # type: ignore[operator]
    with pytest.raises(MissingFileError, match="found nothing"):
        reader(tmp_path / "none")  # type: ignore[operator]


def test_sound_lists_are_read(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes("0000495 Téa_Leoni\r\n0000749 Mädchen Amick\n\n".encode())
    assert casia.read_identities(path)[1] == casia.Identity("0000749", "Mädchen Amick")
    path.write_text(
        "webface_id, webface_name, lfw_name\n0000513, William_H._Macy(William Hall Macy, Jr), William_Macy\n0000514\n"
    )
    assert casia.read_overlap(path) == [
        casia.Overlap("0000513", "William_H._Macy(William Hall Macy, Jr)", "William_Macy"),
        casia.Overlap("0000514"),
    ]
    path.write_text("10572,112,112\n490623\n")
    assert casia.read_property(path) == casia.Property(10572, 112, 112)
    path.write_text("1\ta/b c.jpg\t17\t1\t2\t3\t4\n")
    assert casia.read_list(path) == [casia.Listed(True, "a/b c.jpg", 17)]


def test_image_folders_are_read_and_their_faults_told(tmp_path: Path) -> None:
    for place in ("set/0000045/001.jpg", "set/0000045/002.jpg", "set/0000099/001.jpg", "set/notes/001.jpg"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(JPEG)
    (tmp_path / "set/0000099/002.jpg").write_bytes(b"")
    (tmp_path / "set/0000099/003.jpg").write_bytes(b"<html>gone</html>")
    (tmp_path / "set/0000099/004.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "webface_lfw_overlap.txt").write_text("0000045\n0000045\n")
    (tmp_path / "set/0000099/Thumbs.db").write_bytes(b"x")
    (tmp_path / "set/0000100").mkdir()
    (tmp_path / "webface_id_name_list.txt").write_text("0000045 Ann_Ink\n")
    assert casia.recognise(tmp_path) == "CASIA-WebFace: image folders, lists"
    assert casia.recognise(tmp_path / "set") == "CASIA-WebFace: image folders"
    scan = casia.scan(tmp_path)
    assert (scan.images, scan.classes, scan.splits) == (6, {"0000045": 2, "0000099": 4}, {})
    assert found(tmp_path) == {
        ("empty-picture", "set/0000099/002.jpg"),
        ("bad-picture", "set/0000099/003.jpg"),
        ("bad-picture", "set/0000099/004.jpg"),
        ("duplicate-id", "0000045"),
        ("stray-file", "set/0000099/Thumbs.db"),
        ("empty-folder", "set/0000100"),
        ("unknown-identity", "0000099"),
    }
    (sample,) = casia.read(tmp_path, Selection(classes="0000045", image_ids=["0000045/002"]))
    assert sample.image == tmp_path / "set/0000045/002.jpg" and sample.labels["classes"] == [
        casia.Face("0000045", "Ann_Ink")
    ]
    assert next(casia.read(tmp_path, Selection(label_types="people"))).labels == {}
    for wrong in (Selection(split="train"), Selection(classes="1"), Selection(label_types="boxes")):
        with pytest.raises(UnknownNameError):
            list(casia.read(tmp_path, wrong))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFileError, match="nothing of CASIA-WebFace here"):
        casia.scan(tmp_path / "empty")


def test_the_miniature_is_made_of_records_that_a_rebuild_has_too(tmp_path: Path) -> None:
    script.build(tmp_path)
    with zipfile.ZipFile(common.TARGET / "casia.zip") as bundle:
        bundle.extractall(tmp_path / "packed")
    packs = [
        [*casia.read_records(at / "train.rec", at / "train.idx")] for at in sorted(tmp_path.rglob("faces_webface*"))
    ]
    assert len(packs) == 2 and len(packs[0]) == len(packs[1])
    for one, two in zip(*packs, strict=True):
        assert (one.key, one.labels, one.kind) == (two.key, two.labels, two.kind)
        if one.picture and one.picture != two.picture:
            assert common._unlike(one.picture, two.picture, 4.0) is None
    root = data_helpers.miniature("casia")
    records = list(casia.read_records(root / "faces_webface_112x112/train.rec"))
    assert any(MAGIC in record.picture for record in records), "a record in several parts"
    assert all(Image.open(io.BytesIO(record.picture)).size == (112, 112) for record in records if record.picture)
    kinds = Counter(problem["kind"] for problem in data_helpers.summary("casia")["problems"])
    assert kinds == {"empty-picture": 1, "refused-pickle": 1}
    planted = (root / "planted.tsv").read_text().splitlines()[1:]
    assert f"{len(planted)} pictures that show a person other" in (root / "MINIATURE.txt").read_text()
