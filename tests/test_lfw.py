"""LFW's lists and trees: real files give the published counts, altered ones an error or a problem with its line."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import data_helpers
from data_helpers import cards, lfw
from data_helpers.errors import FormatError, MissingFileError, UnknownNameError
from data_helpers.samples import Selection

FACTS = {key: fact.value for key, fact in cards.parsed("lfw").facts.items()}
NAMES = "happynear_FaceDatasets/CASIA/lfw-names.txt"
PAIRS = {
    "pairs.txt": "davidsandberg_facenet/data/pairs.txt",
    "pairsDevTrain.txt": "Nammath_master-thesis/pairsDevTrainFull.txt",
    "pairsDevTest.txt": "Nammath_master-thesis/pairsDevTest.txt",
}
JPEG = b"\xff\xd8drawn\xff\xd9"


def write(folder: Path, name: str, rows: list[str], end: str = "\n") -> Path:
    path = folder / name
    path.write_bytes("".join(row + end for row in rows).encode())
    return path


def tree(folder: Path, people: dict[str, int]) -> None:
    for person, count in people.items():
        (folder / person).mkdir(parents=True)
        for number in range(1, count + 1):
            (folder / person / lfw.picture(person, number)).write_bytes(JPEG)


def small(folder: Path) -> Path:
    """Lay out a sound root of two folds: four people, a tree, all lists."""
    people = {"Ann_Ink": 3, "Bo-Lee_Ink": 1, "Cy_Ink": 2, "Di_Ink": 2}
    rows = [f"{name}\t{count}" for name, count in people.items()]
    tree(folder / "lfw", people)
    write(folder, "lfw-names.txt", rows)
    write(folder, "people.txt", ["2", "2", *rows[:2], "2", *rows[2:]])
    write(folder, "peopleDevTrain.txt", ["3", rows[0], rows[2], rows[3]])
    write(folder, "peopleDevTest.txt", ["1", rows[1]])
    write(
        folder,
        "pairs.txt",
        ["2\t1", "Ann_Ink\t1\t3", "Ann_Ink\t2\tBo-Lee_Ink\t1", "Cy_Ink\t1\t2", "Cy_Ink\t1\tDi_Ink\t2"],
    )
    write(folder, "pairsDevTrain.txt", ["1", "Di_Ink\t1\t2", "Ann_Ink\t1\tDi_Ink\t1"])
    return folder


def found(root: Path) -> set[tuple[str, str]]:
    return {(problem.kind, problem.where) for problem in lfw.scan(root).problems}


@pytest.mark.real
def test_the_real_lists_give_every_computed_fact_of_the_card(real: Path) -> None:
    people = lfw.read_names(real / "lfw" / NAMES)
    counts = {one.name: one.images for one in people}
    sizes = sorted(counts.values(), reverse=True)
    assert (len(people), sum(sizes)) == (FACTS["people"], FACTS["images"])
    for key, least in (("two_or_more", 2), ("five", 5), ("ten", 10), ("twenty", 20), ("seventy", 70)):
        assert FACTS[f"people_{key}"] == sum(size >= least for size in sizes)
    assert FACTS["images_of_two_or_more"] == sum(size for size in sizes if size > 1)
    assert FACTS["images_of_seventy"] == sum(size for size in sizes if size >= 70)
    assert FACTS["people_one"] == sizes.count(1) and FACTS["largest_class"] == sizes[0] == counts["George_W_Bush"]
    matched = lfw.matched_pairs(people)
    bush = sum(pair.a.startswith("George_W_Bush_0") for pair in matched)
    assert (len(matched), bush) == (FACTS["matched_pairs_possible"], FACTS["bush_pairs"])
    assert round(100 * bush / len(matched), 1) == FACTS["bush_pairs_share"]
    assert sum(sizes) * (sum(sizes) - 1) // 2 == FACTS["pairs_possible"]

    lists = {name: lfw.read_pairs(real / "lfw" / path) for name, path in PAIRS.items()}
    exists = {lfw.picture(name, number) for name, count in counts.items() for number in range(1, count + 1)}
    for pairs in lists.values():
        assert {name for pair in pairs for name in pair[:2]} <= exists
    view2 = lists["pairs.txt"]
    assert Counter((pair.fold, pair.same) for pair in view2) == {
        (f, s): 300 for f in range(1, 11) for s in (True, False)
    }
    for name, each, key in (
        ("pairsDevTrain.txt", 1100, "view1_train_pairs"),
        ("pairsDevTest.txt", 500, "view1_test_pairs"),
    ):
        assert Counter(pair.same for pair in lists[name]) == {True: each, False: each} and FACTS[key] == 2 * each
    used = Counter(name for pair in view2 for name in pair[:2])
    assert (len(view2), len(used)) == (FACTS["view2_pairs"], FACTS["view2_images"])
    assert FACTS["view2_people"] == len({person for pair in view2 for person in pair.people})
    assert FACTS["view2_images_once"] == sum(count == 1 for count in used.values()) and max(used.values()) == 6
    # The two pictures that the card calls wrongly named are in the set, and in no pair of the exam.
    odd = next(one.detail for one in cards.parsed("lfw").defects if "wrong name" in one.what)
    named = {f"{name}.jpg" for name in re.findall(r"[A-Z]\w+_\d{4}", odd)}
    assert len(named) == 2 and named <= exists and not named & set(used)
    assert FACTS["bush_view2"] == sum("George_W_Bush" in pair.people for pair in view2)
    shared = {key: {frozenset(pair[:2]) for pair in pairs} for key, pairs in lists.items()}
    both = [len(shared["pairs.txt"] & shared[name]) for name in ("pairsDevTrain.txt", "pairsDevTest.txt")]
    assert both == [FACTS["shared_train_pairs"], FACTS["shared_test_pairs"]] and sum(both) == FACTS["shared_pairs"]
    fold_of: dict[str, int | None] = {}
    assert all(fold_of.setdefault(person, pair.fold) == pair.fold for pair in view2 for person in pair.people)
    # FiftyOne's loader takes the first word of every line of these two lists for a person.
    taken = [
        {row.split()[0] for row in (real / "lfw" / PAIRS[name]).read_text().splitlines()[1:]}
        for name in list(PAIRS)[1:]
    ]
    test_first = taken[0] - taken[1], taken[1]
    assert sum(map(len, test_first)) == FACTS["fiftyone_people"]
    assert sum(counts[name] for group in test_first for name in group) == FACTS["fiftyone_images"]


@pytest.mark.real
def test_real_files_are_those_of_the_card_and_every_real_root_opens(real: Path) -> None:
    by_name = {file.name: file for file in cards.parsed("lfw").files}
    for name, path in {**PAIRS, "lfw-names.txt": NAMES}.items():
        data = (real / "lfw" / path).read_bytes()
        # Two of the copies have lost the end of their last line.
        data += b"" if data.endswith(b"\n") else b"\n"
        file = by_name[name]
        assert (len(data), hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest()) == (
            file.bytes,
            file.sha256,
            file.md5,
        )
    # Datumaro's list is no whole one: it is refused below.
    roots = [
        Path(path) for path, *_ in os.walk(real / "lfw") if lfw.recognise(Path(path)) and "annotations" not in path
    ]
    assert len(roots) >= 4
    for root in roots:
        scan = lfw.scan(root)
        samples = list(lfw.read(root, Selection()))
        # Datumaro's test assets bear the names of JPEGs and are none.
        assert {problem.kind for problem in scan.problems} == ({"bad-picture"} if "datumaro" in str(root) else set())
        assert len(samples) == scan.images
        assert sum(sample.image is not None for sample in samples) == scan.images_on_disk
    deep = real / "lfw" / "peluz_cv-foundations-6" / "data"
    assert lfw.recognise(deep) == lfw.recognise(deep / "lfw-deepfunneled") == "LFW, lfw-deepfunneled"
    with Image.open(next(lfw.read(deep, Selection())).image or "") as picture:
        assert picture.size == (FACTS["side"], FACTS["side"])
    with pytest.raises(FormatError, match="line 5: found the end, expected 1 lines more"):
        lfw.read_pairs(real / "lfw" / "openvinotoolkit_datumaro/tests/assets/lfw_dataset/test/annotations/pairs.txt")


def test_a_sound_root_is_read_whole(tmp_path: Path) -> None:
    root = small(tmp_path)
    scan = lfw.scan(root)
    assert (scan.images, scan.images_on_disk, scan.problems) == (8, 8, [])
    assert scan.splits == {"train": 7, "test": 1}
    assert scan.labels == {"classes": 8, "pairs": 4, "pairsDevTrain": 2}
    assert scan.classes == {"Ann_Ink": 3, "Bo-Lee_Ink": 1, "Cy_Ink": 2, "Di_Ink": 2}
    assert lfw.read_pairs(root / "pairs.txt")[1] == lfw.Pair("Ann_Ink_0002.jpg", "Bo-Lee_Ink_0001.jpg", False, 1)
    assert lfw.read_pairs(root / "pairs.txt")[1].people == ("Ann_Ink", "Bo-Lee_Ink")
    assert lfw.read_pairs(root / "pairsDevTrain.txt")[0] == lfw.Pair("Di_Ink_0001.jpg", "Di_Ink_0002.jpg", True, None)
    assert lfw.read_people(root / "people.txt")[2] == lfw.Person("Cy_Ink", 2, 2)
    sample = next(lfw.read(root, Selection(image_ids=["Cy_Ink_0002.jpg"])))
    assert (sample.id, sample.split, sample.extra) == ("Cy_Ink_0002", "train", {"number": 2, "fold": 2})
    assert sample.labels["classes"] == [lfw.Face("Cy_Ink")] and sample.image == root / "lfw/Cy_Ink/Cy_Ink_0002.jpg"
    assert [one.id for one in lfw.read(root, Selection(image_ids=["Cy_Ink_0001"]))] == ["Cy_Ink_0001"]
    assert [one.id for one in lfw.read(root, Selection(split="test"))] == ["Bo-Lee_Ink_0001"]
    assert [one.id for one in lfw.read(root, Selection(classes=["Cy_Ink"], max_samples=1))] == ["Cy_Ink_0001"]
    assert next(lfw.read(root, Selection(label_types="pairs"))).labels == {}
    for wrong in (Selection(split="10fold"), Selection(classes="Nobody"), Selection(label_types="boxes")):
        with pytest.raises(UnknownNameError):
            list(lfw.read(root, wrong))


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        (["A\t1\t2"], 1, "a header"),
        (["0\t2", "A\t1\t2"], 1, "a header"),
        (["1\t1\t1"], 1, "a header"),
        (["1\t2", "A\t1\t2", "B\t1\tA\t1"], 4, "2 lines more: it is cut short"),
        (["1\t1", "A\t1\t2", "B\t1\tA\t1", "B\t1\tA\t2"], 4, "the end"),
        (["1\t1", "B\t1\tA\t1", "A\t1\t2"], 2, "a matched pair"),
        (["1\t1", "A\t1\t2", "B\t1\t2"], 3, "another pair"),
        (["1\t1", "A\t1\t2", "B\t1\tB\t2"], 3, "two people"),
        (["1\t1", "A\t1\t1", "B\t1\tA\t2"], 2, "two pictures of one person"),
        (["1\t1", "A\t1\tx", "B\t1\tA\t2"], 2, "a matched pair"),
        (["1\t1", "A\t0\t2", "B\t1\tA\t2"], 2, "a matched pair"),
        (["1\t1", "A\t1\t12345", "B\t1\tA\t2"], 2, "a matched pair"),
        (["1\t1", "", "B\t1\tA\t2"], 2, "an empty line"),
        (["", "1\t1", "A\t1\t2", "B\t1\tA\t2"], 1, "an empty line, expected a header"),
        (["1\t1", "A\t1\t2", "B\t\udcff\tA\t2"], 3, "bytes that are no text"),
        (["1\t1", "../A\t1\t2", "B\t1\tA\t2"], 2, "names of folders"),
        (["1\t1", "A\t1\t2", "B\t1\t..\t2"], 3, "names of folders"),
        (["1\t1", "A\t1\t2", "B\t1\tA\0b\t2"], 3, "names of folders"),
    ],
)
def test_a_bad_list_of_pairs_is_an_error_with_its_line(tmp_path: Path, rows: list[str], line: int, said: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_bytes("\n".join(rows).encode("utf-8", "surrogateescape"))
    with pytest.raises(FormatError, match=f"pairs.txt: line {line}: .*{said}") as told:
        lfw.read_pairs(path)
    (problem,) = lfw.scan(tmp_path).problems if len(rows) > 1 or rows[0] else ()
    assert (problem.kind, problem.where) == ("bad-file", "pairs.txt") and problem.detail in str(told.value)


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        (["A\t1"], 1, "a header"),
        (["2", "A\t1"], 3, "1 lines more: it is cut short"),
        (["1", "A\t1", "B\t1"], 3, "the end"),
        (["2", "1", "A\t1", "B\t1"], 4, "the number of people of fold 2"),
        (["2", "1", "A\t1"], 4, "the number of people of fold 2"),
        (["2", "1", "A\t1", "2", "B\t1"], 6, "1 lines more of fold 2"),
        (["2", "1", "A\t1", "1", "A\t1"], 5, "line 3 already"),
        (["1", "A\tone"], 2, "a person's name and a number"),
        (["1", "A 1 2"], 2, "a person's name and a number"),
        (["1", "A\\B\t2"], 2, "a person's name and a number"),
    ],
)
def test_a_bad_list_of_people_is_an_error_with_its_line(tmp_path: Path, rows: list[str], line: int, said: str) -> None:
    with pytest.raises(FormatError, match=f"people.txt: line {line}: .*{said}"):
        lfw.read_people(write(tmp_path, "people.txt", rows))


def test_lists_are_not_confused_and_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"line 1: .*read_people"):
        lfw.read_names(write(tmp_path, "lfw-names.txt", ["1", "A\t1"]))
    with pytest.raises(FormatError, match="the file is empty"):
        lfw.read_pairs(write(tmp_path, "pairs.txt", []))
    with pytest.raises(MissingFileError, match="found nothing"):
        lfw.read_pairs(tmp_path / "none.txt")
    with pytest.raises(MissingFileError, match="found a folder"):
        lfw.read_names(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFileError, match="nothing of LFW here"):
        list(lfw.read(tmp_path / "empty", Selection()))


def test_a_file_without_header_is_read_by_its_folds(tmp_path: Path) -> None:
    root = small(tmp_path)
    whole = (root / "pairs.txt").read_text().splitlines()
    path = write(tmp_path, "headless.txt", whole[1:], end="\r\n")
    assert lfw.read_pairs(path, folds=2) == lfw.read_pairs(root / "pairs.txt")
    for folds, said in ((3, "lines for 3 folds"), (0, "lines for 0 folds"), (-1, "lines for -1 folds")):
        with pytest.raises(FormatError, match=said):
            lfw.read_pairs(path, folds=folds)
    for wrong in ("2", 2.0):
        with pytest.raises(UnknownNameError, match=f"folds={wrong!r}: expected a whole number"):
            lfw.read_pairs(path, folds=wrong)  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="expected a matched pair"):
        lfw.read_pairs(path, folds=1)
    with pytest.raises(FormatError, match="header of 2 folds"):
        lfw.read_pairs(root / "pairs.txt", folds=10)
    with pytest.raises(FormatError, match=r"line 3: found 'Cy_Ink 1 2', expected another pair"):
        lfw.read_pairs(write(tmp_path, "sorted.txt", [whole[0], *sorted(whole[1:], key=lambda row: row.count("\t"))]))


NAME = st.from_regex(r"[A-Z][a-z]{1,6}(-[A-Z][a-z]{1,4})?_[A-Z][a-z]{1,6}", fullmatch=True)


@given(names=st.lists(NAME, min_size=4, max_size=8, unique=True), data=st.data(), each=st.integers(1, 4))
def test_what_is_written_by_the_rules_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], data: st.DataObject, each: int
) -> None:
    number = st.integers(1, 9999)
    half = len(names) // 2
    pairs = []
    for fold, group in enumerate((names[:half], names[half:]), 1):
        for _ in range(each):
            name, a, b = data.draw(st.tuples(st.sampled_from(group), number, number).filter(lambda t: t[1] != t[2]))
            pairs.append((name, a, name, b, True, fold))
        for _ in range(each):
            pairs.append((group[0], data.draw(number), group[1], data.draw(number), False, fold))
    rows = [f"2\t{each}", *(f"{a}\t{m}\t{n}" if same else f"{a}\t{m}\t{b}\t{n}" for a, m, b, n, same, _ in pairs)]
    folder = tmp_path_factory.mktemp("lists")
    path = write(folder, "pairs.txt", rows, data.draw(st.sampled_from(["\n", "\r\n"])))
    wanted = [lfw.Pair(lfw.picture(a, m), lfw.picture(b, n), same, fold) for a, m, b, n, same, fold in pairs]
    assert lfw.read_pairs(path) == wanted
    cut = data.draw(st.integers(0, len(path.read_bytes()) - 1))
    path.write_bytes(path.read_bytes()[:cut])
    try:
        # A cut within the last number alone cannot be seen: one digit of it is a number, too.
        assert lfw.read_pairs(path)[:-1] == wanted[:-1]
    except FormatError as error:
        assert "pairs.txt" in str(error)


SPOILS = [b"", b"\n", b"\r\n", b"\t", b" ", b"0", b"99999", b"\xff", b"\xef\xbb\xbf", b"/", b"\0", "٣".encode()]


@given(
    spoiled=st.dictionaries(
        st.sampled_from(["pairs.txt", "pairsDevTrain.txt", "people.txt", "peopleDevTrain.txt", "lfw-names.txt"]),
        st.lists(st.tuples(st.integers(0, 99), st.integers(0, 4), st.sampled_from(SPOILS)), min_size=1, max_size=4),
        min_size=1,
    )
)
def test_a_root_of_spoiled_lists_is_scanned_and_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, spoiled: dict[str, list[tuple[int, int, bytes]]]
) -> None:
    root = small(tmp_path_factory.mktemp("spoiled"))
    for name, changes in spoiled.items():
        data = (root / name).read_bytes()
        for place, gone, put in changes:
            data = data[:place] + put + data[place + gone :]
        (root / name).write_bytes(data)
    scan = lfw.scan(root)
    refused = any(problem.kind == "bad-file" for problem in scan.problems)
    try:
        samples = list(lfw.read(root, Selection()))
    except FormatError as error:
        assert refused and str(root) in str(error)
    else:
        assert not refused and len(samples) == scan.images


def test_each_fault_of_a_root_is_told(tmp_path: Path) -> None:
    root = small(tmp_path)
    (root / "lfw/Ann_Ink/Ann_Ink_0003.jpg").unlink()
    (root / "lfw/Di_Ink/Di_Ink_0003.jpg").write_bytes(JPEG)
    (root / "lfw/Di_Ink/Di_Ink_0001.jpg").write_bytes(JPEG[:-1])
    (root / "lfw/Cy_Ink/notes.txt").write_text("x")
    write(root, "peopleDevTest.txt", ["2", "Bo-Lee_Ink\t2", "Cy_Ink\t2"])
    rows = ["2\t2", "Ann_Ink\t1\t2", "Ann_Ink\t2\t1", "Ann_Ink\t1\tCy_Ink\t1", "Ann_Ink\t9\tBo-Lee_Ink\t1"]
    rows += ["Cy_Ink\t1\t2", "Di_Ink\t1\t2", "Cy_Ink\t1\tDi_Ink\t1", "Cy_Ink\t2\tDi_Ink\t1"]
    write(root, "pairs.txt", rows)
    assert found(root) == {
        ("missing-picture", "lfw/Ann_Ink/Ann_Ink_0003.jpg"),
        ("orphan-picture", "lfw/Di_Ink/Di_Ink_0003.jpg"),
        ("bad-picture", "lfw/Di_Ink/Di_Ink_0001.jpg"),
        ("stray-file", "lfw/Cy_Ink/notes.txt"),
        ("count-mismatch", "peopleDevTest.txt"),
        ("split-overlap", "peopleDevTest.txt"),
        ("duplicate-pair", "pairs.txt:3"),
        ("wrong-fold", "pairs.txt:4"),
        ("unknown-picture", "pairs.txt:5"),
    }


def test_the_folders_that_others_make_are_roots(tmp_path: Path) -> None:
    people = {"Ann_Ink": 2, "Cy_Ink": 1}
    tree(tmp_path / "learn/lfw_home/lfw_funneled", people)
    write(tmp_path / "learn/lfw_home", "pairsDevTest.txt", ["1", "Ann_Ink\t1\t2", "Ann_Ink\t1\tCy_Ink\t1"])
    tree(tmp_path / "torch/lfw-py/lfw-deepfunneled", people)
    tree(tmp_path / "kaggle/lfw-deepfunneled/lfw-deepfunneled", people)
    tree(tmp_path / "zoo/train", {"Ann_Ink": 2})
    tree(tmp_path / "zoo/test", {"Cy_Ink": 1})
    tree(tmp_path / "bare/faces", people)
    for place, what in {
        "learn": "LFW, lfw_funneled",
        "learn/lfw_home": "LFW, lfw_funneled",
        "torch": "LFW, lfw-deepfunneled",
        "torch/lfw-py": "LFW, lfw-deepfunneled",
        "kaggle": "LFW, lfw-deepfunneled",
        "zoo": "LFW as FiftyOne's zoo lays it out",
        "bare/faces": "LFW, faces",
    }.items():
        root = tmp_path / place
        assert lfw.recognise(root) == what
        scan = lfw.scan(root)
        assert (scan.images, scan.images_on_disk, scan.problems) == (3, 3, [])
        assert scan.splits == ({"train": 2, "test": 1} if place == "zoo" else {})
    assert lfw.scan(tmp_path / "learn").labels["pairsDevTest"] == 2
    beside = {"pairsDevTest.txt": tmp_path / "learn/lfw_home/pairsDevTest.txt"}
    for place in ("learn", "learn/lfw_home", "learn/lfw_home/lfw_funneled"):
        assert lfw.lists_in(tmp_path / place) == beside
    assert lfw.lists_in(tmp_path / "zoo") == lfw.lists_in(tmp_path) == {}
    assert lfw.recognise(tmp_path) is None and lfw.recognise(tmp_path / "zoo/train/Ann_Ink") is None


def test_names_may_have_blanks_where_tabs_part_the_fields(tmp_path: Path) -> None:
    rows = ["1\t1", "Åsa Ink\t1\t2", "Åsa Ink\t2\tO'Lee (x)\t1"]
    marked = tmp_path / "pairs.txt"
    marked.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).encode())
    assert [pair[:2] for pair in lfw.read_pairs(marked)] == [
        ("Åsa Ink_0001.jpg", "Åsa Ink_0002.jpg"),
        ("Åsa Ink_0002.jpg", "O'Lee (x)_0001.jpg"),
    ]
    assert lfw.read_names(write(tmp_path, "names.txt", ["Ann_Ink 2"])) == [lfw.Person("Ann_Ink", 2)]


def test_a_list_of_the_other_view_under_a_wrong_name_is_told(tmp_path: Path) -> None:
    root = small(tmp_path)
    one, two = root / "pairsDevTrain.txt", root / "pairs.txt"
    first = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(first)
    assert {where for kind, where in found(root) if kind == "wrong-view"} == {"pairs.txt:1", "pairsDevTrain.txt:1"}


def test_no_picture_is_passed_over_because_of_where_the_lists_lie(tmp_path: Path) -> None:
    # Lists within the tree, as some archives have them: the tree itself and the folder above it are both roots.
    tree(tmp_path / "a/lfw", {"Ann_Ink": 2, "Cy_Ink": 1})
    write(tmp_path / "a/lfw", "pairs.txt", ["1\t1", "Ann_Ink\t1\t2", "Ann_Ink\t1\tCy_Ink\t1"])
    # Lists beside the two folders of FiftyOne's zoo.
    tree(tmp_path / "b/train", {"Ann_Ink": 2})
    tree(tmp_path / "b/test", {"Cy_Ink": 1})
    (tmp_path / "b/pairs.txt").write_bytes((tmp_path / "a/lfw/pairs.txt").read_bytes())
    for place in ("a", "a/lfw", "b"):
        scan = lfw.scan(tmp_path / place)
        assert (scan.images, scan.images_on_disk, scan.labels["pairs"], scan.problems) == (3, 3, 2, []), place
    tree(tmp_path / "b/test", {"Ann_Ink": 1})
    assert found(tmp_path / "b") == {("split-overlap", "test/Ann_Ink")}


def test_credits_of_another_kind_do_not_hide_the_pictures(tmp_path: Path) -> None:
    root = small(tmp_path)
    (root / "CREDITS.tsv").write_bytes(b"\xff\xfef\0i\0l\0e\0")
    assert len(list(lfw.read(root, Selection()))) == 8


def test_a_copy_that_lost_pictures_is_told_and_fiftyones_trap_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = cards.parsed("lfw")
    facts = {
        key: msgspec.structs.replace(card.facts[key], value=value) for key, value in (("images", 4), ("people", 3))
    }
    monkeypatch.setattr("data_helpers.lfw.layout.parsed", lambda stem: msgspec.structs.replace(card, facts=facts))
    tree(tmp_path / "zoo/train", {"Ann_Ink": 2})
    tree(tmp_path / "zoo/test", {"Cy_Ink": 1})
    (problem,) = lfw.scan(tmp_path / "zoo").problems
    assert problem.kind == "lost-pictures" and "3 pictures of 2 people on disk, 4 of 3 were published" in problem.detail
    assert "FiftyOne" in problem.detail


def test_a_fetch_takes_the_original_pictures_and_the_lists_unless_asked(tmp_path: Path) -> None:
    card = cards.parsed("lfw")
    usual = {part.name for part in lfw.plan(card, Selection(), tmp_path).parts}
    assert usual == {file.name for file in card.files} - {"lfw-funneled.tgz", "lfw-deepfunneled.tgz"}
    assert {part.name for part in lfw.plan(card, Selection(label_types="funneled"), tmp_path).parts} == {
        "lfw-funneled.tgz"
    }
    assert {part.name for part in lfw.plan(card, Selection(label_types="pairs"), tmp_path).parts} == set(PAIRS)
    test = {part.name for part in lfw.plan(card, Selection(split="test"), tmp_path).parts}
    assert usual - test == {"pairsDevTrain.txt", "peopleDevTrain.txt"} and test < usual
    assert card.sample is not None
    assert card.sample.bytes == lfw.plan(card, Selection(**card.sample.arguments), tmp_path).bytes


def test_the_miniature_has_what_its_note_says() -> None:
    root = data_helpers.miniature("lfw")
    found = data_helpers.summary("lfw")
    assert [problem["kind"] for problem in found["problems"]] == ["missing-picture"]
    counts = Counter(found["classes"].values())
    assert len(found["classes"]) == 40 and min(counts) == 1 and max(counts) == 12
    assert found["labels"] == {"classes": 148, "pairs": 300, "pairsDevTrain": 120, "pairsDevTest": 60}
    folds = Counter((pair.fold, pair.same) for pair in lfw.read_pairs(root / "pairs.txt"))
    assert folds == {(fold, same): 15 for fold in range(1, 11) for same in (True, False)}
    note = (root / "MINIATURE.txt").read_text()
    assert "do not exist" in note and found["problems"][0]["where"].split("/")[-1].removesuffix(".jpg") in note
    with Image.open(next(data_helpers.read("lfw")).image or "") as picture:
        assert picture.size == (250, 250)


def cells(*names: str) -> str:
    """Return the code of some cells of the notebook on verification."""
    path = Path(__file__).parents[1] / "notebooks" / "lfw-verification.ipynb"
    code = {cell["id"]: "".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]}
    return "\n".join(code[name] for name in names)


def test_the_miniature_is_an_exam_of_the_promised_difficulty() -> None:
    root = data_helpers.miniature("lfw")
    there = {f"{sample.id}.jpg": sample.image for sample in data_helpers.read("lfw", root) if sample.image}
    exam = [pair for pair in lfw.read_pairs(root / "pairs.txt") if pair.a in there and pair.b in there]
    same, fold = np.array([pair.same for pair in exam]), np.array([pair.fold for pair in exam])
    space = {"np": np, "math": math, "Image": Image, "files": there, "exam": exam, "same": same, "fold": fold}
    # The last expression of the cell on folds draws a table; the rest are the definitions a reader sees.
    exec(cells("embedding") + "\n" + cells("ten-folds").partition("show.Table")[0], space)
    accuracies: Any = space["accuracies"]
    assert len(accuracies) == 10 and 0.75 <= accuracies.mean() <= 0.95
    # The planted wrong label stands among the hardest genuine pairs.
    note = (root / "MINIATURE.txt").read_text().replace("\n", " ")
    wrong = re.search(r"Planted: (\S+) shows another person", note)
    assert wrong is not None
    score: Any = space["score"]
    hardest = [exam[i] for i in np.argsort(np.where(same, score, np.inf))[:3]]
    assert all(f"{wrong[1]}.jpg" in pair[:2] for pair in hardest)
