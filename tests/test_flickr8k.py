"""Flickr8k's files: sound lines are given, every alteration is told with file and line, nothing is guessed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_helpers import flickr8k
from data_helpers.errors import DataError, FormatError, MissingFileError
from data_helpers.samples import Problem, Selection

A, B = "1000268201_693b08cb0e.jpg", "1001773457_577c3a7d70.jpg"
WORDS = ["A dog runs .", "The brown dog is running", "dog", "Animal , in motion", "a dog on grass"]


def rows(*images: str) -> list[str]:
    return [f"{image}#{n}\t{image[:10]} {text}" for image in images for n, text in enumerate(WORDS)]


def write(folder: Path, name: str, lines: list[str], end: str = "\n") -> Path:
    path = folder / name
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def found(folder: Path) -> set[tuple[str, str]]:
    return {(problem.kind, problem.where) for problem in flickr8k.scan(folder).problems}


def test_a_sound_file_is_read_whole_and_has_no_problem(tmp_path: Path) -> None:
    path = write(tmp_path, "Flickr8k.token.txt", rows(A, B))
    captions = flickr8k.read_captions(path)
    assert captions[5] == (B, 0, "1001773457 A dog runs .") and len(captions) == 10
    assert found(tmp_path) == set()


# One line of a sound file is altered as the copies in the wild are; what is told must name that very line.
@pytest.mark.parametrize(
    ("kind", "line", "altered", "lost"),
    [
        ("crlf", 3, lambda row: row + "\r", 0),
        ("blank-for-tab", 4, lambda row: row.replace("\t", " "), 1),
        ("bad-line", 7, lambda row: "", 1),
        ("bad-line", 2, lambda row: row[:15], 1),
        ("bad-line", 5, lambda row: row.replace("#4", "#7"), 1),
        ("foreign-line", 6, lambda row: row.replace(B, "IMG_2043.jpg"), 1),
        ("duplicate-caption", 10, lambda row: row.replace("#4", "#3"), 1),
        ("empty-caption", 9, lambda row: row.split("\t")[0] + "\t", 0),
        ("repeated-caption", 8, lambda row: row.split("\t")[0] + "\t1001773457 A dog runs .", 0),
        ("phantom-picture", 1, lambda row: row.replace(".jpg", ".jpg.1"), 0),
    ],
)
def test_each_alteration_is_told_by_its_line(tmp_path: Path, kind: str, line: int, altered: object, lost: int) -> None:
    lines = rows(A, B)
    lines[line - 1] = altered(lines[line - 1])  # type: ignore[operator]
    path = write(tmp_path, "Flickr8k.token.txt", lines)
    assert (kind, f"Flickr8k.token.txt:{line}") in found(tmp_path)
    assert len(flickr8k.read_captions(path)) == 10 - lost


def test_runs_of_one_defect_are_told_as_a_range_and_bytes_that_are_no_text_are_no_crash(tmp_path: Path) -> None:
    path = write(tmp_path, "Flickr8k.token.txt", rows(A, B), end="\r\n")
    assert found(tmp_path) == {("crlf", "Flickr8k.token.txt:1-10")}
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r", b"") + b"\xff\xfe\x00damaged\n\xff\xfe\n")
    assert found(tmp_path) == {("byte-order-mark", "Flickr8k.token.txt:1"), ("bad-line", "Flickr8k.token.txt:11-12")}
    assert len(flickr8k.read_captions(path)) == 10


@given(
    images=st.lists(
        st.tuples(st.integers(0, 10**10), st.integers(0, 16**10 - 1)), min_size=1, max_size=4, unique_by=lambda t: t[0]
    ),
    text=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1).filter(lambda t: t.strip() != ""),
    cut=st.integers(0, 400),
)
def test_any_text_is_given_back_and_any_cut_is_seen(
    tmp_path_factory: pytest.TempPathFactory, images: list[tuple[int, int]], text: str, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("any")
    names = [f"{number}_{secret:010x}.jpg" for number, secret in images]
    captions = [(name, n, f"{n}{text}") for name in names for n in range(5)]
    path = write(folder, "Flickr8k.token.txt", [f"{name}#{n}\t{caption}" for name, n, caption in captions])
    assert flickr8k.read_captions(path) == captions
    assert found(folder) == set()

    data = path.read_bytes()
    path.write_bytes(data[: min(cut, len(data) - 1)])
    try:
        kept = flickr8k.read_captions(path)
    except FormatError as error:
        assert str(path) in str(error)
    else:
        assert kept[:-1] == captions[: len(kept) - 1]
        assert len(kept) == len(captions) or len(kept) % 5 == 0 or "caption-count" in {k for k, _ in found(folder)}


def test_packagings_of_others_give_the_same_captions(tmp_path: Path) -> None:
    token = flickr8k.read_captions(write(tmp_path, "Flickr8k.token.txt", rows(A, B)))
    quoted = [f'{image},"{text}"' if "," in text else f"{image},{text}" for image, _, text in token]
    assert flickr8k.read_captions(write(tmp_path, "captions.txt", ["image,caption", *quoted])) == token
    karpathy = {
        "dataset": "flickr8k",
        "images": [
            {
                "filename": image,
                "imgid": i,
                "split": split,
                "sentences": [{"raw": c.caption, "tokens": [], "sentid": n} for n, c in enumerate(token[5 * i :][:5])],
            }
            for i, (image, split) in enumerate([(A, "train"), (B, "val")])
        ],
    }
    (tmp_path / "only").mkdir()
    path = tmp_path / "only" / "dataset_flickr8k.json"
    path.write_text(json.dumps(karpathy))
    assert flickr8k.read_captions(path) == token
    assert flickr8k.scan(path.parent).splits == {"train": 1, "val": 1}


def test_rows_that_are_no_csv_are_told(tmp_path: Path) -> None:
    lines = ["image,caption", *(f"{A},dog number {n}" for n in range(5))]
    lines[2] = f"{A},Two dogs , unquoted"
    lines[4] = f'{A},"never closed'
    assert len(flickr8k.read_captions(write(tmp_path, "captions.txt", lines))) == 3
    assert {("bad-line", "captions.txt:3"), ("bad-line", "captions.txt:5")} < found(tmp_path)


CR = f"{A}#0\tA dog .\r{A}#1\tA dog runs .\r".encode()
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3395237\n"


@pytest.mark.parametrize(("content", "told"), [(CR, "CR inside"), (POINTER, "LFS pointer"), (b"<html>", "web page")])
def test_what_stands_in_a_files_place_is_named(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "Flickr8k.token.txt").write_bytes(content)
    with pytest.raises(FormatError, match=told):
        flickr8k.read_captions(tmp_path / "Flickr8k.token.txt")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xd8\xff\xe0 a picture", b"<!DOCTYPE html><p>Gone</p>"])
@pytest.mark.parametrize("name", ["Flickr8k.token.txt", "dataset_flickr8k.json", "captions.txt"])
def test_what_is_no_captions_file_is_an_error_that_names_it(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=name):
        flickr8k.read_captions(tmp_path / name)
    with pytest.raises(MissingFileError, match="absent"):
        flickr8k.read_captions(tmp_path / f"absent-{name}")
    with pytest.raises(DataError, match="Expected any of"):
        list(flickr8k.read(tmp_path.parent / "nowhere", Selection()))


def test_lists_are_checked_against_captions_pictures_and_each_other(tmp_path: Path) -> None:
    write(tmp_path, "Flickr8k.token.txt", rows(A, B))
    write(tmp_path, "Flickr_8k.trainImages.txt", [A, "holiday.png", A, "3_aa.jpg"])
    write(tmp_path, "Flickr_8k.devImages.txt", [A])
    write(tmp_path, "Flickr_8k.testImages.txt", ["4_aa.jpg"], end="\r\n")
    (tmp_path / "Flicker8k_Dataset").mkdir()
    (tmp_path / "Flicker8k_Dataset" / A).write_bytes(b"")
    (tmp_path / "Flicker8k_Dataset" / "stray.jpg").write_bytes(b"")
    scan = flickr8k.scan(tmp_path)
    assert found(tmp_path) == {
        ("foreign-name", "Flickr_8k.trainImages.txt:2"),
        ("duplicate-name", "Flickr_8k.trainImages.txt:3"),
        ("missing-captions", "Flickr_8k.trainImages.txt:4"),
        ("split-overlap", "Flickr_8k.devImages.txt:1"),
        ("missing-captions", "Flickr_8k.testImages.txt:1"),
        ("crlf", "Flickr_8k.testImages.txt:1"),
        ("no-split", "Flickr8k.token.txt:6"),
        ("orphan-picture", "Flicker8k_Dataset/stray.jpg"),
        *(("missing-picture", f"Flicker8k_Dataset/{name}") for name in (B, "3_aa.jpg", "4_aa.jpg")),
    }
    assert scan.splits == {"train": 2, "dev": 1, "test": 1}
    assert scan.images == 5 == len(list(flickr8k.read(tmp_path, Selection())))
    assert scan.images_on_disk == 2
    assert [s.id for s in flickr8k.read(tmp_path, Selection(split="dev"))] == [A[:-4]]
    with pytest.raises(DataError, match="train, dev, test"):
        list(flickr8k.read(tmp_path, Selection(split="val")))


def test_scores_are_given_as_published_and_odd_rows_told(tmp_path: Path) -> None:
    experts = [f"{A}\t{B}#2\t1\t1\t2", f"{A}\t{A}#2\t4\t3\t4", f"{A}\t{B}#2\t0\t1\t2", f"{A} {B}#2 1 1 1"]
    crowd = [f"{A}\t{B}#2\t0.333333333333\t1\t2", f"{A}\t{B}#2\t1\t1\t2", f"{A}\t{B}#9\t0\t0\t3", "\x00\x01\x02"]
    crowd.append(f"{A}\t{B}#2\t1.9\t1\t1")
    e = write(tmp_path, "ExpertAnnotations.txt", experts)
    c = write(tmp_path, "CrowdFlowerAnnotations.txt", crowd)
    assert flickr8k.read_expert_scores(e) == [(A, f"{B}#2", 1, 1, 2), (A, f"{A}#2", 4, 3, 4)]
    assert flickr8k.read_crowd_scores(c)[0] == (A, f"{B}#2", 0.333333333333, 1, 2)
    assert found(tmp_path) == {
        ("unsorted-scores", "ExpertAnnotations.txt:2"),
        ("bad-line", "ExpertAnnotations.txt:3"),
        ("bad-line", "ExpertAnnotations.txt:4"),
        ("share-mismatch", "CrowdFlowerAnnotations.txt:2"),
        ("bad-line", "CrowdFlowerAnnotations.txt:3"),
        ("bad-line", "CrowdFlowerAnnotations.txt:4"),
        ("bad-line", "CrowdFlowerAnnotations.txt:5"),
    }
    write(tmp_path, "Flickr8k.token.txt", rows(B))
    assert ("unknown-picture", "ExpertAnnotations.txt:1-2") in found(tmp_path)
    assert ("unknown-caption", "ExpertAnnotations.txt:2") in found(tmp_path)


@pytest.mark.real
def test_the_altered_real_copy_is_told_alteration_by_alteration(real: Path) -> None:
    root = real / "flickr8k" / "Sadika1212_Image-Caption-Generator"
    captions = flickr8k.read_captions(root / "Flickr8k.token.txt")
    # Counted by other means: the file's own line ends, and the keys cut out of them.
    keys = [row.split(b"#")[0] for row in (root / "Flickr8k.token.txt").read_bytes().split(b"\n") if row]
    assert [c.image.encode() for c in captions] == keys and len(keys) == 40450
    assert set(Counter(keys).values()) == {5}
    scan = flickr8k.scan(root)
    assert scan.splits == {"train": 5997, "dev": 1000, "test": 1000}
    assert scan.images == len(set(keys)) == 8090 and scan.labels == {"captions": 40450}
    told = {(p.kind, p.where): p.detail for p in scan.problems}
    assert ("crlf", "Flickr8k.token.txt:1-40450") in told and ("crlf", "Flickr_8k.trainImages.txt:1-5997") in told
    assert ("phantom-picture", "Flickr8k.token.txt:6731-6735") in told
    assert told["lost-lines", "Flickr8k.token.txt"] == "40,450 sound lines, 40,460 were published"
    assert told["lost-lines", "Flickr_8k.trainImages.txt"] == "5,997 sound lines, 6,000 were published"
    # 91 pictures and the phantom are published without a split; the list lost one more that still has its captions.
    assert sum(kind == "no-split" for kind, _ in told) == 93
    assert {kind for kind, _ in told} == {"crlf", "phantom-picture", "lost-lines", "no-split", "repeated-caption"}


@pytest.mark.real
def test_real_rows_of_scores_and_of_kaggles_csv(real: Path) -> None:
    root = real / "flickr8k" / "transcribed"
    captions = flickr8k.read_captions(root / "captions.txt")
    assert len(captions) == 20 and captions[10].caption.startswith("A dog shakes its head near the shore , a red ball")
    assert [c.number for c in captions] == [0, 1, 2, 3, 4] * 4
    experts, crowd = (root / "ExpertAnnotations.txt", root / "CrowdFlowerAnnotations.txt")
    assert [
        "\t".join(map(str, row)) for row in flickr8k.read_expert_scores(experts)
    ] == experts.read_text().splitlines()
    assert [f"{i}\t{c}\t{s:g}\t{y}\t{n}" for i, c, s, y, n in flickr8k.read_crowd_scores(crowd)] == (
        crowd.read_text().splitlines()
    )
    assert not [p for p in flickr8k.scan(root).problems if p.kind not in ("unknown-picture", "unknown-caption")]


def test_one_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path, "Flickr8k.token.txt", rows(A))
    for name in ("ExpertAnnotations.txt", "Flickr_8k.testImages.txt", "Flickr8k.lemma.token.txt"):
        write(tmp_path, name, ["<!DOCTYPE html>"])
    scan = flickr8k.scan(tmp_path)
    assert scan.labels == {"captions": 5}
    assert {p.where for p in scan.problems if p.kind == "bad-file"} == {
        "ExpertAnnotations.txt",
        "Flickr_8k.testImages.txt",
        "Flickr8k.lemma.token.txt",
    }
    with pytest.raises(FormatError, match="testImages"):
        next(flickr8k.read(tmp_path, Selection()))


def test_recognise_looks_at_names_alone(tmp_path: Path) -> None:
    assert flickr8k.recognise(tmp_path) is None
    (tmp_path / "Flickr_8k.devImages.txt").touch()
    assert flickr8k.recognise(tmp_path) == "Flickr8k"
    assert isinstance(flickr8k.scan.__doc__, str) and Problem.__doc__
