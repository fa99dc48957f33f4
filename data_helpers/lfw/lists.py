"""LFW's lists: people with their numbers of pictures, pairs with their folds. One record for each line, or an error."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import FormatError, MissingFileError
from ..samples import whole


class Person(NamedTuple):
    """One line of a list of people: the folder's name, the number of pictures, the fold of ``people.txt`` or None."""

    name: str
    images: int
    fold: int | None = None


class Pair(NamedTuple):
    """Two pictures' file names (``George_W_Bush_0010.jpg``), whether they show one person, the fold from 1, or None."""

    a: str
    b: str
    same: bool
    fold: int | None = None

    @property
    def people(self) -> tuple[str, str]:
        """The names of the people in the two pictures, which are their folders' names."""
        return self.a[:-9], self.b[:-9]


def picture(name: str, number: int) -> str:
    """Return a picture's file name by the protocol: the number has four digits, with zeros before it."""
    return f"{name}_{number:04d}.jpg"


def _rows(path: Path) -> list[list[str]]:
    """Return the fields of each line; empty lines at the end, CR LF and a missing last line end do no harm.

    TABs part the fields; where a line has none, blanks do.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: expected a list of LFW, found {'a folder' if path.is_dir() else 'nothing'}.")
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf").rstrip()
    try:
        rows = [_fields(line) for line in data.decode("utf-8").split("\n")] if data else []
    except UnicodeDecodeError as error:
        raise _wrong(path, data.count(b"\n", 0, error.start) + 1, "bytes that are no text", "UTF-8 text") from error
    if not rows:
        raise FormatError(f"{path}: the file is empty. Fetch it again, or leave it out.")
    return rows


def _fields(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().split("\t")] if "\t" in line.strip() else line.split()


def _wrong(path: Path, line: int, found: str, expected: str) -> FormatError:
    return FormatError(f"{path}: line {line}: found {found}, expected {expected}. Fetch the file again.")


def _shown(row: Sequence[str]) -> str:
    return repr(" ".join(row)[:60]) if row else "an empty line"


def _number(text: str) -> int:
    """Return a whole number above zero of at most four digits, else 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def _is_name(text: str) -> bool:
    """Tell whether a name can be that of a folder: a list from elsewhere must not lead out of the tree."""
    return bool(text) and text not in (".", "..") and text.isprintable() and not set(text) & set("/\\")


def _persons(path: Path, rows: Sequence[list[str]], first: int, fold: int | None, seen: dict[str, int]) -> list[Person]:
    people = []
    for line, row in enumerate(rows, first):
        if len(row) != 2 or not _is_name(row[0]) or not _number(row[1]):
            raise _wrong(path, line, _shown(row), "a person's name and a number of pictures")
        if row[0] in seen:
            raise _wrong(path, line, f"{row[0]}, who stands on line {seen[row[0]]} already", "each person once")
        seen[row[0]] = line
        people.append(Person(row[0], int(row[1]), fold))
    return people


def read_names(path: str | Path) -> list[Person]:
    """Read ``lfw-names.txt``: one person a line, no header.

    Raises
    ------
    MissingFileError, FormatError
        No such file, or a line is not a name and a number; the message names the line.
    """
    file = Path(path)
    rows = _rows(file)
    if len(rows[0]) == 1 and _number(rows[0][0]):
        raise _wrong(file, 1, f"the number {rows[0][0]} alone", "a name: a list with a header is for read_people")
    return _persons(file, rows, 1, None, {})


def read_people(path: str | Path) -> list[Person]:
    """Read ``people.txt`` (folds of View 2, numbered from 1) or ``peopleDevTrain.txt``, ``peopleDevTest.txt`` (View 1).

    Raises
    ------
    MissingFileError, FormatError
        No such file, no header, a bad line, or fewer or more lines than the headers say; the message names the line.
    """
    file = Path(path)
    rows = _rows(file)
    if len(rows[0]) != 1 or not _number(rows[0][0]):
        raise _wrong(
            file, 1, _shown(rows[0]), "a header, the number of folds or of people; read_names reads lists without"
        )
    first = int(rows[0][0])
    folds = first if len(rows) > 1 and len(rows[1]) == 1 else None
    people: list[Person] = []
    seen: dict[str, int] = {}
    at = 1
    for fold in range(1, folds + 1) if folds else (None,):
        count = first
        if folds:
            if at >= len(rows) or len(rows[at]) != 1 or not (count := _number(rows[at][0])):
                found = _shown(rows[at]) if at < len(rows) else "the end"
                raise _wrong(file, at + 1, found, f"the number of people of fold {fold} of {folds}")
            at += 1
        if at + count > len(rows):
            where = "" if fold is None else f" of fold {fold}"
            raise _wrong(
                file, len(rows) + 1, "the end", f"{at + count - len(rows):,} lines more{where}: it is cut short"
            )
        people += _persons(file, rows[at : at + count], at + 1, fold, seen)
        at += count
    if at < len(rows):
        raise _wrong(file, at + 1, _shown(rows[at]), "the end: the headers promise no further line")
    return people


def read_pairs(path: str | Path, *, folds: int | None = None) -> list[Pair]:
    """Read ``pairs.txt`` (View 2), ``pairsDevTrain.txt`` or ``pairsDevTest.txt`` (View 1).

    A line does not tell its fold: its place does. A file whose lines were sorted or shuffled is therefore an error.

    Parameters
    ----------
    path
        The file. Its first line has the number of folds and of pairs of each kind in a fold, or that number alone.
    folds
        Read a file that has lost its first line, in so many equal folds, of which half the pairs are matched.

    Raises
    ------
    MissingFileError, FormatError
        No such file, a missing header, a bad line, or fewer or more lines than the header says; with the line's number.
    UnknownNameError
        ``folds`` is no whole number.
    """
    file = Path(path)
    folds = whole("folds", folds)
    rows = _rows(file)
    head = [_number(text) for text in rows[0]]
    numbered = True
    if 1 <= len(head) <= 2 and all(head):
        count, each = (head[0], head[1]) if len(head) == 2 else (1, head[0])
        numbered, start = len(head) == 2, 1
        if folds not in (None, count):
            raise _wrong(file, 1, f"a header of {count} folds", f"the {folds} folds asked for, or no header")
    elif folds is None:
        raise _wrong(
            file, 1, _shown(rows[0]), "a header: folds and pairs of each kind, or that number; else say folds="
        )
    else:
        count, start, each = folds, 0, len(rows) // (2 * folds) if folds > 0 else 0
        if not each or len(rows) != 2 * folds * each:
            raise _wrong(file, len(rows), f"{len(rows):,} lines", f"lines for {folds} folds, half of each matched")
    if len(rows) - start < 2 * count * each:
        lacking = f"{2 * count * each - len(rows) + start:,} lines more: it is cut short"
        raise _wrong(file, len(rows) + 1, "the end", lacking)
    pairs = []
    for index, row in enumerate(rows[start:]):
        fold, place = divmod(index, 2 * each)
        if fold >= count:
            raise _wrong(file, start + index + 1, _shown(row), "the end: the header promises no further line")
        same = place < each
        a, b = (row[0], row[0]) if same and row else (row[0], row[-2]) if len(row) > 1 else ("", "")
        numbers = [_number(text) for text in (row[1:] if same else row[1::2])]
        if len(row) != (3 if same else 4) or not all(numbers):
            kind = "a matched pair (name, number, number)" if same else "another pair (name, number, name, number)"
            raise _wrong(file, start + index + 1, _shown(row), f"{kind} of fold {fold + 1}")
        if not (_is_name(a) and _is_name(b)):
            raise _wrong(file, start + index + 1, _shown(row), "names of folders, without '/' or signs not to be seen")
        if (a, numbers[0]) == (b, numbers[1]) or (a == b) != same:
            wanted = "two pictures of one person" if same else "two people"
            raise _wrong(file, start + index + 1, _shown(row), wanted)
        pairs.append(Pair(picture(a, numbers[0]), picture(b, numbers[1]), same, fold + 1 if numbered else None))
    return pairs


def matched_pairs(people: Iterable[Person]) -> list[Pair]:
    """Return every matched pair that exists: all pictures of one person, two by two, for each of the people."""
    found = []
    for person in people:
        names = [picture(person.name, number) for number in range(1, person.images + 1)]
        found += [Pair(a, b, True) for a, b in itertools.combinations(names, 2)]
    return found
