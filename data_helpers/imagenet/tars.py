"""The train archive, a tar of tars, read where it lies: one pass over its headers, an index kept in the cache.

Format: POSIX tar. The outer archive holds an inner one for each class (``n01440764.tar``) with the class's pictures;
the validation and test archives hold their pictures directly.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..errors import ArchiveError, MissingFileError, StorageError, UnknownNameError
from ..home import home
from .boxes import PICTURES

BLOCK = tarfile.BLOCKSIZE
INNER = re.compile(r"(?:.*/)?(n\d{8})\.tar")
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG"
FIELDS = ("member", "offset", "size", "group")


class Tar:
    """An indexed archive of pictures.

    Attributes
    ----------
    path
        The archive.
    groups
        Names of the inner archives, in their order; ``""`` for what lies directly in the outer one.
    group, offset, size
        One entry a picture, in the order of the archive: its inner archive, first byte and length in bytes.
    pngs, odd
        Places of the pictures that begin as a PNG does, and as neither that nor a JPEG.
    others
        Names of the members that are no pictures.
    broken
        Where and why the archive ends early, or None; what comes before is indexed all the same.
    """

    def __init__(self, path: Path, found: dict[str, Any]) -> None:
        self.path = path
        self.groups: list[str] = found["groups"].tolist()
        self.group: npt.NDArray[np.int64] = found["group"]
        self.offset: npt.NDArray[np.int64] = found["offset"]
        self.size: npt.NDArray[np.int64] = found["size"]
        self.pngs: npt.NDArray[np.int64] = found["pngs"]
        self.odd: npt.NDArray[np.int64] = found["odd"]
        self.others: list[str] = found["others"].tolist()
        self._ends: npt.NDArray[np.int64] = found["member"]
        self._names: bytes = found["names"].tobytes()
        self.broken: str | None = str(found["broken"]) or None

    def __len__(self) -> int:
        return len(self.offset)

    def name(self, place: int) -> str:
        """Return a picture's name in its archive."""
        begin = int(self._ends[place - 1]) if place else 0
        return self._names[begin : int(self._ends[place])].decode("utf-8", "surrogateescape")

    def wnid(self, place: int) -> str:
        """Return the name of a picture's inner archive: its class."""
        return self.groups[int(self.group[place])]

    def of(self, wnid: str) -> npt.NDArray[np.int64]:
        """Return the places of a class's pictures.

        Raises
        ------
        UnknownNameError
            No inner archive of that name.
        """
        if wnid not in self.groups:
            raise UnknownNameError(
                f"{self.path.name} holds no {wnid}. Expected one of its {len(self.groups):,} classes."
            )
        return np.flatnonzero(np.isin(self.group, [n for n, name in enumerate(self.groups) if name == wnid]))

    def read(self, place: int) -> bytes:
        """Return a picture's bytes, by one read."""
        with self.path.open("rb", buffering=0) as file:
            return _at(file, int(self.offset[place]), int(self.size[place]))

    def take(self, place: int) -> Path:
        """Return a picture as a file in the cache, copied there if it was not."""
        name = Path(self.name(place)).name
        target = home() / "imagenet" / f"pictures-{_key(self.path)}" / (self.wnid(place) or "flat") / name
        if not target.is_file():
            _write(target, self.read(place))
        return target


def index(path: str | Path) -> Tar:
    """Index an archive of pictures: one pass over its headers, or none where the cache has it already.

    Raises
    ------
    MissingFileError, ArchiveError
        No such file, or no archive. One that ends early is indexed to there, and ``broken`` says where.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: there is no such archive. Check the path.")
    cached = home() / "imagenet" / f"index-{_key(path)}.npz"
    if cached.is_file():
        try:
            with np.load(cached, allow_pickle=False) as stored:
                return Tar(path, dict(stored))
        except (OSError, ValueError, KeyError):
            # A cache that was cut is made again.
            cached.unlink(missing_ok=True)
    found = _pass(path)
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as buffer:
        np.savez(buffer, **found)
        buffer.seek(0)
        _write(cached, buffer.read())
    return Tar(path, found)


def _key(path: Path) -> str:
    state = path.stat()
    return hashlib.sha256(f"{path.resolve()} {state.st_size} {state.st_mtime_ns}".encode()).hexdigest()[:16]


def _write(target: Path, data: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(data)
        Path(file.name).replace(target)
    except OSError as error:
        raise StorageError(f"{target}: cannot be written ({error.strerror or error}). Free some room.") from error


def _pass(path: Path) -> dict[str, Any]:
    columns = {name: array("q") for name in FIELDS}
    names, groups, broken = bytearray(), [""], ""
    pngs, odd = array("q"), array("q")
    others: list[str] = []
    # A page at a time: a header lies in one, and where members are tiny several do.
    with path.open("rb", buffering=4096) as file:
        end = path.stat().st_size
        try:
            for name, offset, size in _members(file, 0, end, path.name):
                inner = INNER.fullmatch(name)
                if inner:
                    groups.append(inner[1])
                    members = _members(file, offset, offset + size, f"{path.name}, {name}")
                else:
                    members = iter([(name, offset, size)])
                try:
                    for member, first, length in members:
                        if not member.lower().endswith(PICTURES):
                            others.append(f"{name}, {member}" if inner else member)
                            continue
                        start = _at(file, first, min(length, 4))
                        if start[:3] != JPEG and not member.lower().endswith(".png"):
                            (pngs if start == PNG else odd).append(len(columns["size"]))
                        names += member.encode("utf-8", "surrogateescape")
                        values = (len(names), first, length, len(groups) - 1 if inner else 0)
                        for column, value in zip(columns.values(), values, strict=True):
                            column.append(value)
                except ArchiveError as error:
                    # One class is broken; the others are whole.
                    broken = broken or str(error)
        except ArchiveError as error:
            if not names:
                raise
            broken = broken or str(error)
    if not (names or broken):
        raise ArchiveError(f"{path.name}: holds no picture. Get it from its publisher again.")
    found: dict[str, Any] = {name: np.frombuffer(column, np.int64) for name, column in columns.items()}
    found |= {"pngs": np.frombuffer(pngs, np.int64), "odd": np.frombuffer(odd, np.int64)}
    texts = {"groups": np.array(groups), "others": np.array(others, str), "broken": np.array(broken)}
    return found | texts | {"names": np.frombuffer(bytes(names), np.uint8)}


def _at(file: IO[bytes], place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)


def _plain(block: bytes) -> tuple[str, bytes, int] | None:
    """Read the header of a regular file with a short name, as nearly all are: name, type, size; None for any other."""
    try:
        told = int(block[148:156].rstrip(b"\0 "), 8)
        size = int(block[124:136].rstrip(b"\0 "), 8)
        name = block[:100].partition(b"\0")[0].decode("ascii")
    except ValueError:
        return None
    # The checksum counts its own eight bytes as blanks.
    if block[156] != 48 or block[345] or told != sum(block) - sum(block[148:156]) + 256:
        return None
    return name, b"0", size


def _any(block: bytes) -> tuple[str, bytes, int]:
    entry = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    return entry.name, entry.type, entry.size


def _members(file: IO[bytes], place: int, end: int, where: str) -> Iterator[tuple[str, int, int]]:
    """Iterate the regular files of an archive that lies between two offsets: name, first byte, length."""
    name = ""
    long_size: int | None = None
    while True:
        block = _at(file, place, BLOCK) if place + BLOCK <= end else b""
        if block == bytes(BLOCK):
            return
        try:
            own, kind, size = _plain(block) or _any(block)
        except tarfile.HeaderError as error:
            what = "ends early, without an end mark" if not block else f"no tar header ({error})"
            raise ArchiveError(f"{where}: {what} at byte {place:,}. Get it from its publisher again.") from error
        size = size if long_size is None else long_size
        first = place + BLOCK
        if not 0 <= size <= end - first:
            short = f"{own!r} has {size:,} bytes and only {max(end - first, 0):,} are left"
            raise ArchiveError(f"{where}: ends early: {short}. Get it from its publisher again.")
        place = first + -(-size // BLOCK) * BLOCK
        if kind in (b"L", b"x"):
            # A long name, in GNU's way or POSIX's, stands before the entry that it belongs to.
            data = _at(file, first, min(size, 1 << 20)).decode("utf-8", "surrogateescape")
            pax = dict(re.findall(r"\d+ (path|size)=([^\n]*)\n", data))
            name = data.rstrip("\0") if kind == b"L" else pax.get("path", name)
            long_size = int(pax["size"]) if kind == b"x" and pax.get("size", "").isdecimal() else None
        elif kind != b"g":
            if kind in tarfile.REGULAR_TYPES:
                yield name or own, first, size
            name, long_size = "", None
