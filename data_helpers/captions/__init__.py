"""Captions of pictures as the two Flickr sets publish them, and as others re-package them.

Four formats are read, told apart by what is in the file:

- the authors' token files: ``<picture>#<number>``, a TAB, the caption (Flickr8k's ``readme.txt``);
- Kaggle's ``captions.txt``: comma separated, header ``image,caption``, captions with commas in quotes, no number;
- Kaggle's ``results.csv``: header ``image_name| comment_number| comment``;
- Karpathy's ``dataset_<name>.json``: ``images`` with ``filename``, ``split`` and ``sentences`` (``raw``).

Public copies of these files are altered more often than not. What is sound is given; all else is noted with file and
line, never mended by guess.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ..errors import FormatError, MissingFileError
from ..samples import Problem

PHANTOM = re.compile(r"\.jpg\.\d+$", re.I)
KEY = re.compile(r"([^\s#]+)#([0-9]+)(\t| +)(.*)", re.S)
COLUMNS = {"image": 0, "image_name": 0, "number": 1, "comment_number": 1, "caption": 2, "comment": 2}


class Caption(NamedTuple):
    """One caption of a file: the picture's name, its number among that picture's captions (from 0), and its text."""

    image: str
    number: int
    caption: str


class Voice(msgspec.Struct, frozen=True):
    """One caption of a sample, whose picture it belongs to."""

    number: int
    caption: str


class Notes:
    """Problems of one file by line; the same defect on lines that follow each other is told as one range."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._runs: list[list[Any]] = []
        self._last: dict[tuple[str, str], list[Any]] = {}

    def add(self, kind: str, line: int, detail: str) -> None:
        """Note a defect of one line."""
        run = self._last.get((kind, detail))
        if run is not None and run[2] == line - 1:
            run[2] = line
        else:
            self._last[kind, detail] = run = [kind, line, line, detail]
            self._runs.append(run)

    def problems(self) -> list[Problem]:
        """Return what was noted, in order of the lines."""
        runs = sorted(self._runs, key=lambda run: (run[1], run[0]))
        return [Problem(k, f"{self.path.name}:{a}" + (f"-{b}" if b != a else ""), d) for k, a, b, d in runs]


def saved(path: Path) -> bytes:
    """Return a text file's bytes, unless they are those of a Git LFS pointer or a web page saved in its place."""
    data = path.read_bytes()
    head = data[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(b"version https://git-lfs"):
        raise FormatError(f"{path}: a Git LFS pointer, not the file. Get the file itself with `git lfs pull`.")
    if head.startswith((b"<!doctype", b"<html", b"<head")):
        raise FormatError(f"{path}: a web page, not the file. A login or error page was saved: fetch it again.")
    return data


def lines(path: Path, notes: Notes) -> Iterator[tuple[int, str]]:
    """Iterate the numbered lines of a text file without their ends, noting ends and bytes that should not be there.

    Raises
    ------
    MissingFileError, FormatError
        The file is not there, is empty, or is a Git LFS pointer or a web page.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: expected a text file, found {'a folder' if path.is_dir() else 'nothing'}.")
    data = saved(path)
    if not data.strip():
        raise FormatError(f"{path}: the file is empty. Fetch it again, or leave it out.")
    if data.startswith(b"\xef\xbb\xbf"):
        notes.add("byte-order-mark", 1, "a mark that some editors put before the first character")
        data = data[3:]
    rows = data.removesuffix(b"\n").split(b"\n")
    for number, row in enumerate(rows, 1):
        if row.endswith(b"\r"):
            notes.add("crlf", number, "line ends in CR LF, expected LF alone")
            row = row[:-1]
        if b"\r" in row:
            notes.add("bad-line", number, "a CR inside the line: lines of an old Macintosh, expected LF at their ends")
            continue
        try:
            yield number, row.decode("utf-8")
        except UnicodeDecodeError:
            notes.add("bad-line", number, "not UTF-8 text")


def read_names(path: Path, name: re.Pattern[str], notes: Notes) -> dict[str, int]:
    """Read a list of pictures, one name a line, as name to line; what is no such name, or stands twice, is noted."""
    found: dict[str, int] = {}
    for number, row in lines(path, notes):
        if not name.fullmatch(row):
            notes.add("foreign-name", number, f"found {row[:60]!r}, expected one picture's name")
        elif row in found:
            notes.add("duplicate-name", number, f"{row} stands on line {found[row]} already")
        else:
            found[row] = number
    if not found:
        raise FormatError(f"{path}: no line is a picture's name. Expected lines that match {name.pattern}.")
    return found


def read_captions(path: Path, name: re.Pattern[str], notes: Notes) -> tuple[list[Caption], dict[str, str], list[int]]:
    """Read a captions file of any of the four formats.

    Parameters
    ----------
    path
        The file.
    name
        What a picture's name looks like in this dataset; a line with another one is foreign, the phantom's
        (``<picture>.jpg.1``, in the file as it was published) excepted.
    notes
        Collects the defects.

    Returns
    -------
    captions, splits, lines
        The sound captions in the file's order; picture to split, where the file tells it; each caption's line.

    Raises
    ------
    MissingFileError, FormatError
        No such file, or nothing in it is a caption.
    """
    captions: list[Caption] = []
    where: list[int] = []
    splits: dict[str, str] = {}
    seen: dict[tuple[str, int], int] = {}
    texts: dict[str, dict[str, int]] = defaultdict(dict)
    for line, image, number, caption in _rows(path, notes, splits):
        if not name.fullmatch(image):
            if not PHANTOM.search(image):
                notes.add("foreign-line", line, f"{image[:60]!r} is not a picture's name of this dataset")
                continue
            notes.add("phantom-picture", line, f"{image} is no picture's name; the published file has it too")
        if number > 4:
            notes.add("bad-line", line, f"caption number {number}, expected 0 to 4")
            continue
        if (first := seen.setdefault((image, number), line)) != line:
            notes.add("duplicate-caption", line, f"{image}#{number} stands on line {first} already")
            continue
        if not caption.strip():
            notes.add("empty-caption", line, f"{image}#{number} has no text")
        elif (first := texts[image].setdefault(caption, line)) != line:
            notes.add("repeated-caption", line, f"the same words as line {first}")
        captions.append(Caption(image, number, caption))
        where.append(line)
    if not captions:
        raise FormatError(
            f"{path}: no line is a caption. Expected '<picture>.jpg#<number>', a TAB and the caption, "
            "Kaggle's captions.txt or results.csv, or Karpathy's JSON; the first problem: "
            f"{next((f'{p.where}, {p.detail}' for p in notes.problems()), 'nothing found')}."
        )
    counts = Counter(caption.image for caption in captions)
    for first_of, line in zip(captions, where, strict=True):
        if (many := counts.pop(first_of.image, 5)) != 5:
            notes.add("caption-count", line, f"{first_of.image} has {many} captions, expected 5: lines were lost")
    return captions, splits, where


def _rows(path: Path, notes: Notes, splits: dict[str, str]) -> Iterator[tuple[int, str, int, str]]:
    if path.suffix == ".json":
        yield from _karpathy(path, splits)
        return
    rows = lines(path, notes)
    number, head = next(rows, (0, ""))
    for delimiter in "|,;\t":
        fields = [COLUMNS.get(field.strip().lower(), -1) for field in head.split(delimiter)]
        if len(fields) > 1 and {0, 2} <= set(fields):
            yield from _table(rows, delimiter, fields, notes)
            return
    if number:
        yield from _token(number, head, notes)
    for number, row in rows:
        yield from _token(number, row, notes)


def _token(line: int, row: str, notes: Notes) -> Iterator[tuple[int, str, int, str]]:
    found = KEY.fullmatch(row)
    if found is None:
        detail = f"found {row[:60]!r}" if row else "an empty line"
        notes.add("bad-line", line, f"{detail}, expected '<picture>#<number>', a TAB and the caption")
    elif found[3] != "\t":
        notes.add("blank-for-tab", line, "blanks after the caption's number, expected a TAB")
    else:
        yield line, found[1], int(found[2][:9]), found[4]


def _table(
    rows: Iterator[tuple[int, str]], delimiter: str, fields: list[int], notes: Notes
) -> Iterator[tuple[int, str, int, str]]:
    count: Counter[str] = Counter()
    for line, row in rows:
        cells = row.split(delimiter)
        if '"' in row and delimiter != "|":
            try:
                cells = next(csv.reader([row], delimiter=delimiter, strict=True))
            except csv.Error:
                cells = []
        found = {field: cell.strip() if delimiter == "|" else cell for field, cell in zip(fields, cells, strict=False)}
        number = found.get(1, str(count[found.get(0, "")]))
        if len(cells) != len(fields) or not number.isdecimal():
            notes.add("bad-line", line, f"found {row[:60]!r}, expected {len(fields)} fields, {delimiter!r} between")
            continue
        count[found[0]] += 1
        yield line, found[0], int(number[:9]), found[2]


class _Said(msgspec.Struct):
    raw: str


class _Pictured(msgspec.Struct):
    filename: str
    sentences: list[_Said]
    split: str = ""


class _Karpathy(msgspec.Struct):
    images: list[_Pictured]


def _karpathy(path: Path, splits: dict[str, str]) -> Iterator[tuple[int, str, int, str]]:
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file.")
    try:
        images = msgspec.json.decode(saved(path), type=_Karpathy).images
    except msgspec.DecodeError as error:
        raise FormatError(
            f"{path}: not Karpathy's JSON: {error}. Expected an object with 'images', each with 'filename', 'split' "
            "and 'sentences'. If the file is cut short, fetch it again."
        ) from error
    for index, image in enumerate(images, 1):
        splits[image.filename] = image.split
        for number, said in enumerate(image.sentences):
            yield index, image.filename, number, said.raw
