"""Bytes from afar: whole files, spans of files, and members of a zip that stays where it is.

`to_file` and `to_memory` get one file or span from the first mirror that gives the right bytes. `RemoteZip` reads a
zip's directory once and takes members by ranges; `RemoteFile` is a seekable file for readers that know how to skip,
such as pyarrow's for Parquet (row groups and columns by range).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from ..errors import ArchiveError, MissingFileError
from . import zips
from .sinks import storage
from .source import Meter, NoRanges, Source, Stopped
from .transfer import size_of, to_file, to_memory, told_size
from .web import shown
from .zips import Member

__all__ = [
    "Member",
    "Meter",
    "NoRanges",
    "Quiet",
    "RemoteFile",
    "RemoteZip",
    "Source",
    "Stopped",
    "shown",
    "to_file",
    "to_memory",
    "told_size",
]

T = TypeVar("T")
SMALL = 1 << 22
"""A member or group of at most so many packed bytes is fetched through memory."""
GAP = 1 << 14
"""Members that lie at most so far apart come in one request."""


class Quiet:
    """A meter that counts and never refuses."""

    def __init__(self) -> None:
        self.bytes = 0

    def expect(self, name: str, count: int) -> None:
        """Do nothing."""

    def moved(self, count: int) -> None:
        """Count."""
        self.bytes += count

    def stopped(self) -> bool:
        """Never."""
        return False


class RemoteFile(io.RawIOBase):
    """A file on a server, read by ranges; seekable, for readers that skip.

    Parameters
    ----------
    source
        Where it is.
    meter
        What counts the bytes.
    """

    def __init__(self, source: Source, meter: Meter | None = None) -> None:
        super().__init__()
        self.source, self.meter = source, meter or Quiet()
        self.length = size_of(source, self.meter)
        self._at = 0

    def read_at(self, first: int, count: int) -> bytes:
        """Return bytes from a place."""
        if count <= 0:
            return b""
        part = msgspec.structs.replace(self.source, first=first, bytes=count, whole=self.length, sha256=(), md5=())
        return to_memory(part, self.meter)[0]

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a place; nothing is asked for."""
        self._at = max(0, offset + (0, self._at, self.length)[whence])
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes."""
        rest = max(0, self.length - self._at)
        data = self.read_at(self._at, rest if size is None or size < 0 else min(size, rest))
        self._at += len(data)
        return data

    def readall(self) -> bytes:
        """Return the rest."""
        return self.read()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Wanted(NamedTuple):
    """A member and where it goes."""

    member: Member
    target: Path


class RemoteZip:
    """A zip on a server: its directory is read once, members come by ranges, each checked by size and CRC-32.

    Parameters
    ----------
    source
        The zip. Where its size is known and a server has another one, the next mirror is asked.
    meter
        What counts the bytes.

    Raises
    ------
    NoRanges
        No mirror serves ranges; take the whole archive instead.
    ArchiveError
        Its directory is damaged.
    """

    def __init__(self, source: Source, meter: Meter | None = None) -> None:
        self.source, self.meter = source, meter or Quiet()
        self.file, self.members = _in_turn(source.urls, self._open)
        self._by_name = {member.name: member for member in self.members}

    def _open(self, urls: tuple[str, ...]) -> tuple[RemoteFile, list[Member]]:
        file = RemoteFile(msgspec.structs.replace(self.source, urls=urls), self.meter)
        return file, zips.directory(file.read_at, file.length, f"{self.source.name} at {shown(urls[0])}")

    def member(self, name: str) -> Member:
        """Return the member whose name is or ends with ``/name``.

        Raises
        ------
        MissingFileError
            There is none; the message lists some that are there.
        """
        found = self._by_name.get(name)
        if found is None:
            found = next((one for one in self.members if one.name.endswith("/" + name)), None)
        if found is None:
            some = ", ".join(one.name for one in self.members[:12])
            raise MissingFileError(f"{self.source.name}: holds no {name}. Among {len(self.members):,} members: {some}.")
        return found

    def groups(self, wanted: Sequence[Wanted]) -> list[list[Wanted]]:
        """Put members together that lie close by, so that one request brings them all."""
        groups: list[list[Wanted]] = []
        for one in sorted(wanted, key=lambda one: one.member.start):
            first, count = one.member.span
            if groups:
                begin = groups[-1][0].member.start
                last = sum(groups[-1][-1].member.span)
                if first - last <= GAP and first + count - begin <= SMALL:
                    groups[-1].append(one)
                    continue
            groups.append([one])
        return groups

    def fetch(self, group: Sequence[Wanted]) -> dict[Path, tuple[int, str]]:
        """Fetch a group into its files and return each file's size and SHA-256.

        Raises
        ------
        ArchiveError
            The bytes do not fit the directory, whichever mirror they come from.
        """
        return _in_turn(self.source.urls, lambda urls: self._fetch(group, urls))

    def _span(self, first: int, count: int, urls: tuple[str, ...], name: str) -> Source:
        return Source(name=name, urls=urls, bytes=count, first=first, whole=self.file.length)

    def _fetch(self, group: Sequence[Wanted], urls: tuple[str, ...]) -> dict[Path, tuple[int, str]]:
        where = self.source.name
        first = group[0].member.start
        count = sum(group[-1].member.span) - first
        if count <= SMALL:
            name = f"{group[0].member.name} in {where}"
            data = to_memory(self._span(first, count, urls, name), self.meter)[0]
            return {
                one.target: self._unpack(one, lambda at, n, o=one: data[o.member.start - first + at :][:n], count)  # type: ignore[misc]
                for one in group
            }
        (one,) = group
        packed = one.target.with_name(f".{one.target.name}.packed")
        to_file(self._span(first, count, urls, packed.name), packed, self.meter)
        try:
            with packed.open("rb") as file:

                def read_at(at: int, n: int) -> bytes:
                    file.seek(at)
                    return file.read(n)

                return {one.target: self._unpack(one, read_at, count)}
        finally:
            packed.unlink(missing_ok=True)

    def _unpack(self, one: Wanted, read_at: Callable[[int, int], bytes], count: int) -> tuple[int, str]:
        member = one.member
        begin = zips.body_start(member, read_at(0, zips.LOCAL), self.source.name)

        def pieces() -> Iterator[bytes]:
            for at in range(begin, begin + member.packed, 1 << 20):
                n = min(1 << 20, begin + member.packed - at)
                data = read_at(at, n)
                # Seldom: an extra field longer than the slack pushed the end out of the piece that was asked for.
                yield data if len(data) == n or at + n <= count else self.file.read_at(member.start + at, n)

        return write(zips.inflate(member, pieces(), self.source.name), one.target)


def _in_turn(urls: tuple[str, ...], job: Callable[[tuple[str, ...]], T]) -> T:
    """Do a job with the mirrors in order; what came damaged is asked for again, then of each further mirror first."""
    for turn in (0, *range(len(urls) - 1)):
        try:
            return job(urls[turn:] + urls[:turn])
        except ArchiveError:
            continue
    return job(urls[-1:] + urls[:-1])


def write(pieces: Iterator[bytes], target: Path) -> tuple[int, str]:
    """Write pieces beside a target, rename when all is well, and return size and SHA-256."""
    work = target.with_name(f".{target.name}.new")
    digest, size = hashlib.sha256(), 0
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with work.open("wb") as file:
                for piece in pieces:
                    digest.update(piece)
                    size += file.write(piece)
            work.replace(target)
        except OSError as error:
            if isinstance(error, ArchiveError | MissingFileError):
                raise
            raise storage(target, error) from error
    finally:
        work.unlink(missing_ok=True)
    return size, digest.hexdigest()
