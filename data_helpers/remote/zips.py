"""Zip archives by their directory: the same reader for a file on disk and for one on a server, read by ranges.

Nothing is believed twice: a member's size, its place and its CRC-32 are checked against the bytes that came, and no
two members may share bytes. Source of the format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3 (zip64).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator

import msgspec

from ..errors import ArchiveError

TAIL = 22 + 0xFFFF
LOCAL = 30
SLACK = 512
"""Bytes allowed for a member's own extra field, whose length stands in no directory."""
_END, _END64, _LOCATOR, _ENTRY, _HEADER = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02", b"PK\x03\x04"
ReadAt = Callable[[int, int], bytes]
"""Reads ``(first, count)``."""


class Member(msgspec.Struct, frozen=True, gc=False):
    """One entry of the directory; sizes in bytes, ``start`` that of its own header, ``limit`` where the next begins."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    start: int
    limit: int
    mode: int

    @property
    def is_folder(self) -> bool:
        """Whether the entry stands for a folder."""
        return self.name.endswith("/")

    @property
    def is_link(self) -> bool:
        """Whether the entry says that it is a symbolic link."""
        return self.mode & 0o170000 == 0o120000

    @property
    def is_special(self) -> bool:
        """Whether the entry says that it is neither file, folder nor link."""
        return self.mode & 0o170000 not in (0, 0o100000, 0o040000, 0o120000)

    @property
    def span(self) -> tuple[int, int]:
        """First byte and number of bytes that surely hold the member: its header's extra field is not known before."""
        return self.start, min(self.limit - self.start, LOCAL + self.name_bytes + self.packed + SLACK)

    @property
    def name_bytes(self) -> int:
        """Length of the name as the archive writes it."""
        return len(self.name.encode("utf-8", "surrogateescape")) if self.flags & 0x800 else len(self.name)


def directory(read_at: ReadAt, size: int, where: str, *, tail: int = 16384, most: int = 600_000) -> list[Member]:
    """Read an archive's directory.

    Parameters
    ----------
    read_at
        Reads bytes at a place.
    size
        The archive's size in bytes.
    where
        Its name, for messages.
    tail
        How much of the end to read first; more is read only where that does not hold the directory's end.
    most
        Refuse more entries than this, before they are read.

    Raises
    ------
    ArchiveError
        No zip, one that is cut short, or one whose directory contradicts itself.
    """
    begin = max(0, size - tail)
    data = read_at(begin, size - begin)
    at = data.rfind(_END)
    if at < 0 and begin:
        begin = max(0, size - TAIL)
        data = read_at(begin, size - begin)
        at = data.rfind(_END)
    if at < 0 or at + 22 > len(data):
        raise ArchiveError(f"{where}: no directory at the end of {size:,} bytes: cut short, or no zip. Get it again.")
    count, length, first = struct.unpack("<HLL", data[at + 10 : at + 20])
    end = begin + at
    if 0xFFFF in (count,) or 0xFFFFFFFF in (length, first):
        count, length, first, end = _zip64(read_at, begin, data, at, where)
    if count > most:
        raise ArchiveError(f"{where}: {count:,} entries, expected at most {most:,}. It is not unpacked.")
    if first + length > end or length < 46 * count:
        raise ArchiveError(f"{where}: its directory would lie outside the archive: cut short. Get it again.")
    raw = data[first - begin : first - begin + length] if first >= begin else read_at(first, length)
    return list(_limits(_entries(raw, count, where), first, where))


def _zip64(read_at: ReadAt, begin: int, data: bytes, at: int, where: str) -> tuple[int, int, int, int]:
    locator = data[at - 20 : at] if at >= 20 else read_at(begin + at - 20, 20)
    if not locator.startswith(_LOCATOR):
        raise ArchiveError(f"{where}: a large archive without its zip64 directory: damaged. Get it again.")
    place = struct.unpack("<Q", locator[8:16])[0]
    if place + 56 > begin + at:
        raise ArchiveError(f"{where}: its zip64 directory would lie outside the archive: cut short. Get it again.")
    record = data[place - begin : place - begin + 56] if place >= begin else read_at(place, 56)
    if not record.startswith(_END64) or len(record) < 56:
        raise ArchiveError(f"{where}: no zip64 directory at byte {place:,}: damaged. Get it again.")
    count, length, first = struct.unpack("<QQQ", record[32:56])
    return count, length, first, place


def _entries(raw: bytes, count: int, where: str) -> Iterator[Member]:
    at = 0
    for number in range(count):
        if raw[at : at + 4] != _ENTRY or at + 46 > len(raw):
            raise ArchiveError(f"{where}: entry {number:,} of its directory is damaged. Get it again.")
        (flags, method, _, _, crc, packed, size, n, m, k, _, _, outside, start) = struct.unpack(
            "<4H3L5H2L", raw[at + 8 : at + 46]
        )
        bare = raw[at + 46 : at + 46 + n]
        name = bare.decode("utf-8" if flags & 0x800 else "cp437", "surrogateescape")
        packed, size, start = _large(raw[at + 46 + n : at + 46 + n + m], packed, size, start, where)
        yield Member(name, method, flags, crc, packed, size, start, 0, outside >> 16)
        at += 46 + n + m + k
    if at != len(raw) and raw[at : at + 4] == _ENTRY:
        raise ArchiveError(f"{where}: its directory holds more than the {count:,} entries it counts. Get it again.")


def _large(extra: bytes, packed: int, size: int, start: int, where: str) -> tuple[int, int, int]:
    """Replace what did not fit into 32 bits by the extra field's 64 bits."""
    while len(extra) >= 4:
        kind, length = struct.unpack("<2H", extra[:4])
        if kind == 1:
            values = [value[0] for value in struct.iter_unpack("<Q", extra[4 : 4 + length // 8 * 8])]
            try:
                size = values.pop(0) if size == 0xFFFFFFFF else size
                packed = values.pop(0) if packed == 0xFFFFFFFF else packed
                start = values.pop(0) if start == 0xFFFFFFFF else start
            except IndexError:
                raise ArchiveError(f"{where}: an entry's zip64 sizes are missing: damaged. Get it again.") from None
        extra = extra[4 + length :]
    return packed, size, start


def _limits(members: Iterable[Member], end: int, where: str) -> Iterator[Member]:
    """Give each member its limit, in the directory's order; members that share bytes are a bomb or a damage."""
    listed = list(members)
    following = end
    limits: dict[int, int] = {}
    for number in sorted(range(len(listed)), key=lambda i: listed[i].start, reverse=True):
        member = listed[number]
        if member.start + LOCAL + member.name_bytes + member.packed > following:
            raise ArchiveError(
                f"{where}: {member.name!r} says {member.packed:,} packed bytes, more than lie between it and the next. "
                "The sizes lie, or the archive is damaged: it is not unpacked."
            )
        limits[number] = following
        following = member.start
    for number, member in enumerate(listed):
        yield msgspec.structs.replace(member, limit=limits[number])


def body_start(member: Member, header: bytes, where: str) -> int:
    """Return how many bytes after its header's start a member's data begin; the header must be that of the member."""
    if len(header) < LOCAL or not header.startswith(_HEADER):
        raise ArchiveError(f"{where}: {member.name!r} is not where the directory says. Get the archive again.")
    n, m = struct.unpack("<2H", header[26:30])
    begin = LOCAL + n + m
    if begin + member.packed > member.limit - member.start:
        raise ArchiveError(f"{where}: {member.name!r} would end beyond the next member: damaged. Get it again.")
    return int(begin)


def inflate(member: Member, pieces: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Unpack a member's data piece by piece; the end raises where size or CRC-32 are not those of the directory.

    Raises
    ------
    ArchiveError
        Cut short, longer than declared, damaged, encrypted, or packed by a method other than 0 and 8.
    """
    if member.flags & 1 or member.method not in (0, 8):
        how = "encrypted" if member.flags & 1 else f"packed by method {member.method}"
        raise ArchiveError(f"{where}: {member.name!r} is {how}; only plain and deflated members are read.")
    engine = zlib.decompressobj(-15) if member.method == 8 else None
    crc = done = came = 0
    for piece in pieces:
        came += len(piece)
        left: bytes = piece
        while left:
            try:
                # One byte more than declared is asked for, so that a lie shows; never a thousand times as much.
                data = engine.decompress(left, min(1 << 20, member.size - done + 1)) if engine else left
            except zlib.error as error:
                raise ArchiveError(f"{where}: {member.name!r} is damaged ({error}). Get it again.") from error
            left = engine.unconsumed_tail if engine else b""
            done += len(data)
            if done > member.size:
                raise ArchiveError(f"{where}: {member.name!r} holds more than the {member.size:,} bytes it declares.")
            crc = zlib.crc32(data, crc)
            if data:
                yield data
            elif engine and engine.eof:
                break
    # An engine that was given just room enough may still have the end mark to read.
    ended = engine is None or engine.eof or (not engine.decompress(b"", 1) and engine.eof)
    if engine is not None and engine.unused_data:
        raise ArchiveError(f"{where}: {member.name!r} is shorter than the directory says: its sizes lie.")
    if done != member.size or came != member.packed or not ended:
        raise ArchiveError(
            f"{where}: {member.name!r} gave {done:,} bytes, expected {member.size:,}: cut short. Get it again."
        )
    if crc != member.crc:
        raise ArchiveError(
            f"{where}: {member.name!r} does not have the CRC-32 of the directory: damaged. Get it again."
        )
