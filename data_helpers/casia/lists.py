"""The small files around CASIA-WebFace: ids and names, overlaps with LFW, and what lies beside a pack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import FormatError, MissingFileError
from .recordio import refuse_pickle

ID = re.compile(r"[0-9]{7}")


class Identity(NamedTuple):
    """One line of the list of identities: IMDb's seven-digit id (a folder's name) and the name."""

    id: str
    name: str


class Overlap(NamedTuple):
    """One identity that is in LFW too: its id and, where the list has them, its name here and its name in LFW."""

    id: str
    name: str | None = None
    lfw: str | None = None


class Property(NamedTuple):
    """A pack's ``property``: number of classes, height and width of a picture."""

    classes: int
    height: int
    width: int


class Listed(NamedTuple):
    """One line of ``train.lst``: whether the face was aligned, the picture's path when it was packed, its class."""

    aligned: bool
    path: str
    label: int


def _lines(path: Path, what: str) -> Iterator[tuple[int, str]]:
    """Iterate numbered lines; empty lines at the end, CR LF and a missing last line end do no harm."""
    if not path.is_file():
        raise MissingFileError(f"{path}: expected {what}, found {'a folder' if path.is_dir() else 'nothing'}.")
    refuse_pickle(path)
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf").rstrip()
    if not data:
        raise FormatError(f"{path}: the file is empty; expected {what}.")
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            yield number, line.rstrip(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise _wrong(path, number, "bytes that are no UTF-8 text", what) from error


def _wrong(path: Path, line: int, found: str, expected: str) -> FormatError:
    return FormatError(f"{path}: line {line}: found {found}, expected {expected}. Fetch the file again.")


def read_identities(path: str | Path) -> list[Identity]:
    """Read the public list of ids and names (``webface_id_name_list.txt``): seven digits, a blank, a name.

    Raises
    ------
    MissingFileError, FormatError
        No such file, a line that is not a seven-digit id and a name, or an id that stands twice; with line.
    """
    file, found, seen = Path(path), list[Identity](), dict[str, int]()
    for line, text in _lines(file, "lines of an id and a name"):
        cells = text.split(maxsplit=1)
        if len(cells) != 2 or not ID.fullmatch(cells[0]):
            raise _wrong(file, line, repr(text[:60]), "a seven-digit id, a blank and a name")
        if (first := seen.setdefault(cells[0], line)) != line:
            raise _wrong(file, line, f"id {cells[0]}, which stands on line {first} already", "each id once")
        found.append(Identity(cells[0], cells[1].strip()))
    return found


def read_overlap(path: str | Path) -> list[Overlap]:
    """Read a list of identities shared with LFW: ids alone, or ``id, name, name in LFW`` below a header.

    Raises
    ------
    MissingFileError, FormatError
        No such file, or a line of neither form; the message names the line.
    """
    file, found = Path(path), list[Overlap]()
    for line, text in _lines(file, "lines of ids"):
        cells = [cell.strip() for cell in text.split(",")]
        if line == 1 and cells[0].lower() in ("webface_id", "id"):
            continue
        # A name may have commas of its own: the name in LFW, which has none, stands last.
        if len(cells) > 3:
            cells = [cells[0], ", ".join(cells[1:-1]), cells[-1]]
        if not ID.fullmatch(cells[0]) or len(cells) == 2 or not all(cells):
            raise _wrong(file, line, repr(text[:60]), "a seven-digit id, alone or with both names and commas between")
        found.append(Overlap(*cells))
    if not found:
        raise FormatError(f"{file}: a header and no line below it; expected lines of ids. Fetch the file again.")
    return found


def read_property(path: str | Path) -> Property:
    """Read ``property``: ``classes,height,width``; the second line that newer packers add is left aside.

    Raises
    ------
    MissingFileError, FormatError
        No such file, or the first line is not three whole numbers.
    """
    file = Path(path)
    _, text = next(_lines(file, "'classes,height,width'"))
    cells = [cell.strip() for cell in text.split(",")]
    if len(cells) != 3 or not all(re.fullmatch("[1-9][0-9]{0,8}", cell) for cell in cells):
        raise _wrong(file, 1, repr(text[:60]), "'classes,height,width'")
    return Property(*map(int, cells))


def read_list(path: str | Path) -> list[Listed]:
    """Read ``train.lst``: a flag, a path and a class, TABs between; boxes and landmarks behind them are left aside.

    Raises
    ------
    MissingFileError, FormatError
        No such file, or a line of another form; the message names the line.
    """
    file, found = Path(path), list[Listed]()
    for line, text in _lines(file, "a flag, a path and a class"):
        cells = text.split("\t")
        if len(cells) < 3 or cells[0] not in ("0", "1") or not cells[2].isascii() or not cells[2].isdigit():
            raise _wrong(file, line, repr(text[:60]), "0 or 1, a path and a class, TABs between")
        found.append(Listed(cells[0] == "1", cells[1], int(cells[2])))
    return found
