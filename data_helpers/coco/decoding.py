"""From a JSON file's bytes to records: fast where it is sound, exact about the place where it is not."""

from __future__ import annotations

import contextlib
import gc
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ..errors import FormatError, MissingFileError
from .records import Annotation, Category, File, Licence, Picture

T = TypeVar("T")
AGAIN = "Get the file again and compare its size and hash."
Span = tuple[int, int]
LARGE = 1 << 26
"""Bytes of a list from which on its records are counted in pieces."""
PIECE = 1 << 18
"""Bytes of a piece: it stays in the processor's cache while it is looked at."""
MANY = 1 << 18
"""Young objects of which the collector's first look at them is felt."""
BEGIN = re.compile(rb'"annotations"(: ?\[\s{0,2}(?=\{))?')
EMPTY_BOX = re.compile(rb'"bbox"\s*:\s*\[\s*\]')
BETWEEN = re.compile(rb"\},\s{0,2}\{")


class UnevenError(Exception):
    """A list turned out to be none that can be read in pieces."""


@contextlib.contextmanager
def quiet_collector() -> Iterator[None]:
    """Keep Python's garbage collector from walking a million young objects again and again; it is on again after."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            if gc.get_count()[0] > MANY and not gc.get_freeze_count():
                # Counts all that was made as old at once, where the next small collection would walk it first. The
                # counters begin anew with that: after less, the caller's own garbage would wait for too long.
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def load(path: Path) -> memoryview:
    """Return a file's bytes, mapped and not copied, without a byte-order mark.

    Raises
    ------
    MissingFileError, FormatError
        No such file, one that cannot be read, or an empty one.
    """
    try:
        with path.open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except ValueError as error:
        raise FormatError(f"{path}: found an empty file, expected COCO's JSON. {AGAIN}") from error
    except FileNotFoundError as error:
        raise MissingFileError(f"{path}: there is no such file. Check the path.") from error
    except OSError as error:
        raise FormatError(
            f"{path}: the file cannot be read ({error.strerror}). Check the path and its rights."
        ) from error
    return data[3:] if bytes(data[:3]) == b"\xef\xbb\xbf" else data


def is_list(data: memoryview) -> bool:
    """Tell whether the outermost value is a list, as in results files."""
    return bytes(data[:256]).lstrip()[:1] == b"["


def decode(data: memoryview, kind: type[T], path: Path) -> tuple[T, bool]:
    """Decode a file; the flag says that numbers were written as text.

    Raises
    ------
    FormatError
        Not JSON (with the byte at which it breaks), or not COCO's (with the record).
    """
    try:
        with quiet_collector():
            return msgspec.json.decode(data, type=kind), False
    except msgspec.ValidationError as error:
        # Some tools write an empty list where there is no box.
        mended = EMPTY_BOX.sub(b'"bbox":null', data)
        for strict in (True, False):
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError), quiet_collector():
                return msgspec.json.decode(mended, type=kind, strict=strict), not strict
        raise FormatError(f"{path}: {_record(memoryview(mended), error)}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"{path}: {_place(data, error)}") from error


def find_records(data: memoryview) -> tuple[File, Span] | None:
    """Find the list of annotations in compact JSON: the rest of the file, and from which byte to which they stand."""
    found = BEGIN.search(data)
    if found is None or found[1] is None:
        return None
    start, base = found.end(), max(found.end(), len(data) - (1 << 20))
    tail = bytes(data[base:])
    starts = [match.end() - 1 for match in BETWEEN.finditer(tail)]
    for last in sorted((match.start() for match in re.finditer(rb"\}\s{0,2}\]", tail)), reverse=True):
        record = max((place for place in starts if place < last), default=0)
        if BEGIN.search(tail, last):
            # Of two lists the last counts.
            return None
        try:
            msgspec.json.decode(tail[record : last + 1], type=Annotation)
            rest = msgspec.json.decode(b"".join((data[:start], tail[last + 1 :])), type=File)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        return (rest, (start, base + last + 1)) if rest.annotations == [] else None
    return None


def spans(data: memoryview, span: Span, size: int) -> Iterator[Span]:
    """Cut a span of records into spans of about a size, where one record ends and the next begins."""
    start, end = span
    while start < end:
        found = BETWEEN.search(data, min(start + size, end), end)
        yield start, found.start() + 1 if found else end
        start = found.end() - 1 if found else end


def pieces(data: memoryview, span: Span) -> Iterator[bytes]:
    """Cut a span of records into lists of some hundreds, each a JSON text of its own.

    Cuts are made where one object ends and the next begins. One inside a record or a text leaves a piece that is not
    JSON: so if all pieces and the rest of the file are, they are what the whole file says.
    """
    for start, end in spans(data, span, PIECE):
        yield b"".join((b"[", data[start:end], b"]"))


def decode_piece(piece: bytes) -> list[Annotation]:
    """Decode a piece.

    Raises
    ------
    UnevenError
        It is not a list of records: read whole, the file is fine or tells what is wrong.
    """
    try:
        return msgspec.json.decode(piece, type=list[Annotation])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnevenError from error


def _place(data: memoryview, error: Exception) -> str:
    found = re.search(r"\(byte (\d+)\)", str(error))
    at = int(found[1]) if found else len(data)
    if not found and "truncated" not in str(error):
        return f"not valid JSON: {error}. {AGAIN}"
    if not found:
        return f"not valid JSON: it ends at byte {at:,} in the middle of a value: cut short. {AGAIN}"
    near = bytes(data[max(0, at - 12) : at + 12]).decode("utf-8", "replace")
    number = re.search(r"-?(NaN|Infinity)", bytes(data[max(0, at - 8) : at + 9]).decode("utf-8", "replace"))
    hint = f"{number[0]} is no number in JSON: mend the record." if number else AGAIN
    return f"not valid JSON at byte {at:,} of {len(data):,}, near {near!r}. {hint}"


def _record(data: memoryview, error: msgspec.ValidationError) -> str:
    """Find the record that breaks the schema: msgspec names the field, not the position in the list."""
    kinds: dict[str, Any] = {"images": Picture, "annotations": Annotation, "categories": Category, "licenses": Licence}
    try:
        parts = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if not is_list(data):
            return f"found {error}, expected an object with images, annotations and categories"
        parts, kinds = {"results": msgspec.Raw(data)}, {"results": Annotation}
    for name, kind in kinds.items():
        if name not in parts:
            continue
        try:
            items = msgspec.json.decode(parts[name], type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return f"{name}: expected a list, found {bytes(parts[name])[:30]!r}. {AGAIN[:-1]}"
        for index, item in enumerate(items):
            try:
                msgspec.json.decode(item, type=kind)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
                return f"{name}[{index}]: {wrong}; the record begins {bytes(item)[:80].decode('utf-8', 'replace')!r}"
    return str(error)


def read_file(path: str | Path) -> File:
    """Read one annotation file whole, its outlines left as they are; errors as for `decode`."""
    path = Path(path)
    return decode(load(path), File, path)[0]
