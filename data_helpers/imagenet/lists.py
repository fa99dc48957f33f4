"""Read ImageNet's lists: one function for each published text file, and the devkit's meta.mat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from .. import cards
from ..errors import FormatError, MissingFileError, missing_extra
from .boxes import WNID, Box, corners
from .classes import check_numbers

FEW = 1000
"""A list of fewer labels than there are classes is an excerpt; a longer one is the whole validation set or broken."""


class Solution(NamedTuple):
    """One row of ``LOC_*_solution.csv``: a picture's stem, its wnid, and its boxes where the copy has them."""

    image: str
    wnid: str
    boxes: list[Box]


class MappedClass(NamedTuple):
    """One line of ``map_clsloc.txt``: wnid, ILSVRC2012_ID, short name."""

    wnid: str
    devkit: int
    name: str


class Edge(NamedTuple):
    """One line of ``wordnet.is_a.txt``: the child is a kind of the parent."""

    parent: str
    child: str


class Synset(NamedTuple):
    """One row of ``meta.mat``, with the devkit's own field names; the thousand classes have ``num_children`` 0."""

    ILSVRC2012_ID: int
    WNID: str
    words: str
    gloss: str
    num_children: int
    children: tuple[int, ...]
    wordnet_height: int
    num_train_images: int


def _text(path: Path) -> str:
    try:
        # A mark of the byte order, as some editors leave it, is no content.
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MissingFileError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: no text in UTF-8 ({error.reason} at byte {error.start}).") from error


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Iterate a list's lines with their numbers, from 1, without their ends; blank lines at the end are none."""
    found = _text(path).split("\n")
    while found and not found[-1].strip():
        found.pop()
    yield from ((number, line.removesuffix("\r")) for number, line in enumerate(found, 1))


def _rows(path: str | Path, pattern: str, expected: str) -> list[re.Match[str]]:
    rows, form = [], re.compile(pattern, re.ASCII)
    for number, line in lines(Path(path)):
        if not (match := form.fullmatch(line)):
            raise FormatError(f"{path}, line {number}: {line[:80]!r} found, expected {expected}.")
        rows.append(match)
    if not rows:
        raise FormatError(f"{path}: the file is empty, expected {expected} a line.")
    return rows


def read_ground_truth(path: str | Path, length: int | None = None) -> list[int]:
    """Read ``ILSVRC2012_validation_ground_truth.txt``: the ILSVRC2012_ID of each validation picture, in their order.

    Parameters
    ----------
    length
        How many labels there must be; by default as many as were published, unless it is a short excerpt.

    Raises
    ------
    MissingFileError, FormatError
        A line that is no id from 1 to 1000; a list that counts from 0; one that was cut or grew.
    """
    ids = [int(row[1]) for row in _rows(path, r"\s*(\d{1,6})\s*", "one class's id from 1 to 1000")]
    _check_length(path, len(ids), "labels", length)
    check_numbers(ids, "devkit", str(path))
    for number, value in enumerate(ids, 1):
        if not 1 <= value <= 1000:
            raise FormatError(f"{path}, line {number}: {value} found, expected a class's id from 1 to 1000.")
    return ids


def _check_length(path: str | Path, found: int, what: str, length: int | None = None) -> None:
    published = int(cards.parsed("imagenet").facts["val_images"].value)
    due = length if length is not None else published if found >= FEW else found
    if found != due or not found:
        raise FormatError(f"{path}: {found:,} {what}, expected {due or published:,}. Get the list again.")


def read_words(path: str | Path) -> dict[str, str]:
    """Read ``words.txt`` or ``LOC_synset_mapping.txt``: wnid to words; errors as for `read_ground_truth`."""
    found: dict[str, str] = {}
    for row in _rows(path, r"(n\d{8})[\t ](.+)", "a wnid and its words"):
        if found.setdefault(row[1], row[2]) != row[2]:
            raise FormatError(f"{path}: {row[1]} stands twice, as {found[row[1]]!r} and as {row[2]!r}; expected once.")
    return found


def read_map_clsloc(path: str | Path) -> list[MappedClass]:
    """Read ``map_clsloc.txt``: wnid, ILSVRC2012_ID and short name; errors as for `read_ground_truth`."""
    rows = _rows(path, r"(n\d{8}) (\d{1,6}) (\S+)", "a wnid, an id from 1 to 1000 and a name")
    check_numbers([int(row[2]) for row in rows], "devkit", str(path))
    for number, row in enumerate(rows, 1):
        if not 1 <= int(row[2]) <= 1000:
            raise FormatError(f"{path}, line {number}: {row[2]} found, expected a class's id from 1 to 1000.")
    return [MappedClass(row[1], int(row[2]), row[3]) for row in rows]


def read_is_a(path: str | Path) -> list[Edge]:
    """Read ``wordnet.is_a.txt``: parent and child; errors as for `read_ground_truth`."""
    return [Edge(row[1], row[2]) for row in _rows(path, r"(n\d{8}) (n\d{8})", "two wnids, parent and child")]


def read_wnids(path: str | Path) -> list[str]:
    """Read a list of wnids (Tiny ImageNet's ``wnids.txt``); errors as for `read_ground_truth`."""
    return [row[1] for row in _rows(path, r"(n\d{8})\s*", "a wnid")]


def read_image_set(path: str | Path) -> list[str]:
    """Read one of ``ImageSets/CLS-LOC``: the pictures' stems, without folder; errors as for `read_ground_truth`."""
    return [row[1] for row in _rows(path, r"(?:\S*/)?([^\s/]+)(?: \d+)?", "a picture and its number")]


def read_solution(path: str | Path) -> list[Solution]:
    """Read ``LOC_train_solution.csv`` or ``LOC_val_solution.csv``, with boxes or, as some copies have it, without.

    Raises
    ------
    MissingFileError, FormatError
        A row that is no picture with groups of a wnid and four corners.
    """
    found, expected = [], "a picture, and after a comma its wnid, or groups of a wnid and four corners"
    for number, line in lines(Path(path)):
        image, comma, rest = line.replace('"', "").partition(",")
        if number == 1 and image == "ImageId":
            continue
        tokens, where = rest.split(), f"{path}, line {number}"
        group = 1 if all(WNID.fullmatch(token) for token in tokens) else 5
        if (
            not (image and comma and tokens)
            or len(tokens) % group
            or not all(map(WNID.fullmatch, tokens[::group]))
            or (group == 1 and len(set(tokens)) > 1)
        ):
            raise FormatError(f"{where}: {line[:80]!r} found, expected {expected}.")
        spots = range(0, len(tokens), group) if group == 5 else ()
        boxes = [Box(image, tokens[i], corners(tokens[i + 1 : i + 5], where)) for i in spots]
        found.append(Solution(image, tokens[0], boxes))
    if not found:
        raise FormatError(f"{path}: no row, expected {expected}.")
    return found


def read_real(path: str | Path) -> list[list[int]]:
    """Read the ReaL labels (``real.json``): for each validation picture in order the classes seen in it, by index.

    Raises
    ------
    MissingFileError, FormatError
        No JSON list of lists of numbers from 0 to 999; one that was cut or grew.
    """
    try:
        found = msgspec.json.decode(_text(Path(path)), type=list[list[int]])
    except msgspec.DecodeError as error:
        raise FormatError(f"{path}: {error}. Expected a list of lists of class indices.") from error
    _check_length(path, len(found), "pictures")
    for place, labels in enumerate(found, 1):
        if wrong := [label for label in labels if not 0 <= label <= 999]:
            raise FormatError(f"{path}, picture {place}: {wrong[0]} found, expected an index from 0 to 999.")
    return found


def read_class_list(path: str | Path) -> dict[str, int]:
    """Read any list of classes: ``LOC_synset_mapping.txt``, ``map_clsloc.txt``, plain wnids, or a JSON class index.

    Returns
    -------
    dict
        wnid to the number that the file gives it, or where it gives none to its place, counted from 0. `numbering` of
        the wnids in their order tells which of the two orders it is.
    """
    path = Path(path)
    if path.suffix == ".json":
        try:
            index = msgspec.json.decode(_text(path), type=dict[int, tuple[str, str]])
        except msgspec.DecodeError as error:
            raise FormatError(f"{path}: {error}. Expected numbers, each with a wnid and a name.") from error
        if wrong := [wnid for wnid, _ in index.values() if not WNID.fullmatch(wnid)]:
            raise FormatError(f"{path}: {wrong[0]!r} found, expected a wnid such as n01440764.")
        if len(found := {wnid: number for number, (wnid, _) in index.items()}) != len(index):
            raise FormatError(f"{path}: {len(index):,} numbers and {len(found):,} wnids; expected one number a wnid.")
        return found
    first = next(iter(lines(path)), (1, ""))[1]
    if re.fullmatch(r"n\d{8} \d+ \S+", first):
        return {row.wnid: row.devkit for row in read_map_clsloc(path)}
    return {wnid: place for place, wnid in enumerate(read_words(path) if len(first.strip()) > 9 else read_wnids(path))}


def read_meta(path: str | Path) -> list[Synset]:
    """Read the devkit's ``meta.mat``: the thousand classes and, above 1000, what they are kinds of.

    Raises
    ------
    MissingExtraError
        SciPy is not installed.
    MissingFileError, FormatError
        No MATLAB file, or one without the struct array ``synsets`` and its fields.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: there is no such file. Unpack ILSVRC2012_devkit_t12.tar.gz.")
    try:
        from scipy.io import loadmat
    except ImportError:
        raise missing_extra("imagenet", "Reading meta.mat") from None
    import numpy as np

    try:
        table = np.atleast_1d(loadmat(path, squeeze_me=True)["synsets"])
        found = [_synset({field: row[field] for field in Synset._fields}) for row in table]
    except Exception as error:
        # The library raises what it likes on a file that is none of its kind.
        raise FormatError(
            f"{path}: no devkit table ({type(error).__name__}: {error}). Expected MATLAB's 'synsets' with the fields "
            f"{', '.join(Synset._fields)}. Unpack it again from ILSVRC2012_devkit_t12.tar.gz."
        ) from error
    for synset in found:
        if not WNID.fullmatch(synset.WNID) or (synset.num_children == 0) != (1 <= synset.ILSVRC2012_ID <= 1000):
            raise FormatError(
                f"{path}: row {synset.WNID!r} with id {synset.ILSVRC2012_ID} and {synset.num_children} children; "
                "expected a wnid, and ids from 1 to 1000 for what has no children."
            )
    return found


def _synset(row: dict[str, Any]) -> Synset:
    import numpy as np

    children = tuple(int(child) for child in np.atleast_1d(row["children"]).ravel())
    kinds: dict[str, Any] = {"children": lambda _: children, "WNID": str, "words": str, "gloss": str}
    return Synset(**{field: kinds.get(field, int)(value) for field, value in row.items()})
