"""MXNet's RecordIO with InsightFace's records: a small reader that needs neither MXNet nor a pickle.

Formats: dmlc-core's ``include/dmlc/recordio.h`` (a record's frame) and MXNet's ``recordio.py`` (a picture's header).
Numbers are little-endian. A frame is a magic number, a length whose upper three bits tell parts of one record, and the
bytes, filled up to a multiple of four. Within, ``IfQQ`` is a flag, a label and two ids; where the flag is not zero, so
many labels follow instead; the rest is the picture's file as it stands, or nothing in records about other records.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import FormatError, MissingFileError

MAGIC = 0xCED7230A
MARK = struct.pack("<I", MAGIC)
FRAME, HEADER = struct.Struct("<II"), struct.Struct("<IfQQ")
ENTRY = re.compile(rb"[0-9]{1,18}\t[0-9]{1,18}")
INDEX = re.compile(rb"(?:[0-9]{1,18}\t[0-9]{1,18}\r?\n)*+(?:[0-9]{1,18}\t[0-9]{1,18})?")
GLANCE = 96
"""Bytes that tell a record's frame, header, a label or two, and how its picture begins."""


class Record(NamedTuple):
    """One record: its key, its labels, the bytes of its picture's file, and its offset in ``train.rec``.

    ``picture`` is empty in the pack's header record (labels: last picture's key + 1, last key + 1) and in identity
    records (labels: first key, last key + 1).
    """

    key: int
    labels: tuple[float, ...]
    picture: bytes
    offset: int

    @property
    def kind(self) -> str:
        """``picture``, ``header`` (key 0 without a picture) or ``identity`` (another key without one)."""
        return "picture" if self.picture else "identity" if self.key else "header"


class Glance(NamedTuple):
    """What the beginning of a record tells: its labels, the number of its picture's bytes and the first two of them.

    ``own`` is the number that the record bears itself, ``end`` the offset behind it.
    """

    labels: tuple[float, ...]
    size: int
    begins: bytes
    own: int
    end: int


def _exists(path: Path) -> Path:
    if not path.is_file():
        raise MissingFileError(
            f"{path}: expected a file of a pack, found {'a folder' if path.is_dir() else 'nothing'}."
        )
    return path


def refuse_pickle(path: Path) -> None:
    """Refuse what is a Python pickle, as InsightFace's ``lfw.bin`` and its like are.

    Raises
    ------
    FormatError
        It is one; the message says why it is not opened.
    """
    with _exists(path).open("rb") as file:
        begin = file.read(2)
    if path.suffix == ".bin" or (begin[:1] == b"\x80" and begin[1:] in (b"\x02", b"\x03", b"\x04", b"\x05")):
        raise FormatError(
            f"{path}: a verification set in a Python pickle, found where a pack was expected. It is refused: to open a "
            "pickle is to run whatever its maker put into it. Take the pairs from LFW's own pairs.txt instead."
        )


def read_index(path: str | Path) -> npt.NDArray[np.int64]:
    """Read ``train.idx``: one line a record, its key, a TAB and its offset in ``train.rec``.

    Returns
    -------
    numpy.ndarray
        int64 of shape (records, 2), in the file's order.

    Raises
    ------
    MissingFileError, FormatError
        No such file, a line that is not two whole numbers, or a key that stands twice; the message names the line.
    """
    file = Path(path)
    data = _exists(file).read_bytes()
    if not data:
        raise FormatError(f"{file}: the file is empty. Make the index anew, or read the pack without it: idx=None.")
    if not INDEX.fullmatch(data):
        for number, text in enumerate(data.split(b"\n"), 1):
            if not ENTRY.fullmatch(text.removesuffix(b"\r")):
                raise FormatError(
                    f"{file}: line {number}: found {text[:40]!r}, expected a key, a TAB and an offset. "
                    "Make the index anew, or read the pack without it: idx=None."
                )
    index = np.fromstring(data.decode("ascii"), dtype=np.int64, sep=" ").reshape(-1, 2)
    keys, first = np.unique(index[:, 0], return_index=True)
    if len(keys) < len(index):
        line = int(np.setdiff1d(np.arange(len(index)), first)[0])
        raise FormatError(f"{file}: line {line + 1}: key {index[line, 0]} stands on an earlier line already.")
    return index


class Pack:
    """An open ``train.rec``: records by offset, one after the other at the disk's speed, never the whole in memory."""

    def __init__(self, rec: str | Path) -> None:
        self.path = Path(rec)
        refuse_pickle(self.path)
        self.file: IO[bytes] = self.path.open("rb", buffering=1 << 20)
        self.size = os.fstat(self.file.fileno()).st_size
        self.end = 0

    def __enter__(self) -> Pack:
        return self

    def __exit__(self, *why: object) -> None:
        self.file.close()

    def fail(self, offset: int, key: int | None, found: str, expected: str) -> FormatError:
        """Build the error about one record."""
        whose = "" if key is None else f", record of key {key}"
        return FormatError(
            f"{self.path}: offset {offset:,}{whose}: found {found}, expected {expected}. "
            "The file is damaged, or the index belongs to another one."
        )

    def _frame(self, offset: int, key: int | None) -> tuple[int, int]:
        """Return part and length of the frame that begins at the file's place."""
        head = self.file.read(8)
        if len(head) < 8:
            raise self.fail(offset, key, f"{len(head)} bytes and the end of the file", "a record of 8 bytes at least")
        magic, length = FRAME.unpack(head)
        if magic != MAGIC:
            raise self.fail(offset, key, f"the bytes {head[:4].hex()}", f"the magic number {MARK.hex()}")
        return length >> 29, length & 0x1FFFFFFF

    def payload(self, offset: int, key: int | None = None) -> bytes:
        """Return the bytes of the record at an offset, its parts joined; ``end`` then is the offset behind it.

        Raises
        ------
        FormatError
            No record begins there, or it is cut short; the message names offset and key.
        """
        # An offset far behind the end would be an error of the system's own.
        self.file.seek(min(offset, self.size))
        pieces: list[bytes] = []
        at = offset
        while True:
            part, length = self._frame(at, key)
            if part not in ((2, 3) if pieces else (0, 1)):
                wanted = "a middle or last part" if pieces else "a whole record or its first part"
                raise self.fail(at, key, f"part number {part}", wanted)
            # Checked before reading: a damaged length must not ask for half a gigabyte of memory.
            if at + 8 + length > self.size:
                left = f"{self.size - at - 8:,} bytes and the end of the file"
                raise self.fail(at, key, left, f"{length:,} bytes: it is cut short")
            data = self.file.read(length)
            at += 8 + length + -length % 4
            self.end = at
            if part == 0:
                return data
            pieces.append(data)
            if part == 3:
                # Where the magic number stood among a record's own bytes it was cut out; it is put back here.
                return MARK.join(pieces)
            self.file.seek(at)

    def split(self, data: bytes, offset: int, key: int | None) -> tuple[int, tuple[float, ...], int]:
        """Return id, labels and where the picture begins, from the first bytes of a record."""
        if len(data) < HEADER.size:
            raise self.fail(offset, key, f"a record of {len(data)} bytes", f"a header of {HEADER.size} bytes")
        flag, label, own, _ = HEADER.unpack_from(data)
        start = HEADER.size + 4 * flag
        if flag and len(data) < start:
            raise self.fail(offset, key, f"{flag:,} labels promised in {len(data):,} bytes", "room for them")
        return own, struct.unpack_from(f"<{flag}f", data, HEADER.size) if flag else (label,), start

    def record(self, offset: int, key: int | None = None) -> Record:
        """Return the record at an offset; errors as for `payload`. Without a key it has the id that it says itself."""
        data = self.payload(offset, key)
        own, labels, start = self.split(data, offset, key)
        return Record(own if key is None else key, labels, data[start:], offset)

    def glance(self, offset: int, key: int) -> Glance:
        """Return what the first bytes of a record tell, without reading its picture; errors as for `payload`."""
        near = hasattr(os, "pread") and offset < self.size
        begin = os.pread(self.file.fileno(), GLANCE, offset) if near else b""
        if len(begin) >= 8:
            magic, length = FRAME.unpack_from(begin)
            part, length = length >> 29, length & 0x1FFFFFFF
            flag = HEADER.unpack_from(begin, 8)[0] if len(begin) >= 32 else 99
            if (
                magic == MAGIC
                and part == 0
                and HEADER.size + 4 * flag <= min(length, 64)
                and offset + 8 + length <= self.size
            ):
                own, labels, start = self.split(begin[8:], offset, key)
                end = offset + 8 + length + -length % 4
                return Glance(labels, length - start, begin[8 + start :][: min(2, length - start)], own, end)
        data = self.payload(offset, key)
        own, labels, start = self.split(data, offset, key)
        return Glance(labels, len(data) - start, data[start : start + 2], own, self.end)


def read_records(
    rec: str | Path, idx: str | Path | None = None, *, keys: Iterable[int] | None = None
) -> Iterator[Record]:
    """Iterate the records of a pack in the order in which they lie in the file.

    Parameters
    ----------
    rec, idx
        ``train.rec`` and ``train.idx``. Without an index each record has the id that stands in it as key.
    keys
        Only these, in their order; needs the index.

    Raises
    ------
    MissingFileError, FormatError
        No such file; a pickle; a damaged or truncated record, named by offset and key; a key that is not in the index.
    """
    index = None if idx is None else read_index(idx)
    if keys is not None:
        if index is None:
            raise FormatError(f"{rec}: keys= needs the index. Give idx=, the path of train.idx.")
        known = dict(index.tolist())
        for key in (wanted := list(keys)):
            if key not in known:
                raise FormatError(f"{idx}: no key {key} among its {len(known):,} lines.")
        index = np.array([(key, known[key]) for key in wanted], np.int64).reshape(-1, 2)
    elif index is not None:
        index = index[index[:, 1].argsort(kind="stable")]
    return _records(Path(rec), index)


def _records(rec: Path, index: npt.NDArray[np.int64] | None) -> Iterator[Record]:
    with Pack(rec) as pack:
        if index is None:
            if not pack.size:
                raise pack.fail(0, None, "an empty file", "records")
            while pack.end < pack.size:
                yield pack.record(pack.end)
            return
        for start in range(0, len(index), 4096):
            for key, offset in index[start : start + 4096].tolist():
                yield pack.record(offset, key)
