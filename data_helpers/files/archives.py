"""Unpack archives that strangers made: nothing outside the folder, no more than is sensible, all or nothing."""

from __future__ import annotations

import errno
import importlib
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path
from typing import IO

from ..errors import ArchiveError, DataError, MissingFileError
from ..remote import zips
from ..remote.sinks import storage

MOST_ENTRIES = 600_000
MOST_RATIO = 100
"""An archive may grow this many times when unpacked, and by `GRACE` bytes in any case."""
GRACE = 64_000_000
_BAD = re.compile(r"[\0\\]|^[A-Za-z]:")


def extract(
    archive: str | Path,
    folder: str | Path,
    *,
    max_bytes: int | None = None,
    max_entries: int = MOST_ENTRIES,
    only: set[str] | None = None,
) -> dict[str, int]:
    """Unpack a zip or tar into a folder; nothing appears there unless the whole archive is sound.

    Parameters
    ----------
    archive
        A zip, or a tar plain or packed by gzip, bzip2 or xz; its bytes tell which.
    folder
        Where to unpack; made where it is not there.
    max_bytes
        Most bytes that may come out; by default a hundred times the archive's size, and 64 MB in any case.
    max_entries
        Most entries.
    only
        Take just these members (names, or ends of names after a ``/``).

    Returns
    -------
    dict
        Names of the files made, with ``/``, and their sizes.

    Raises
    ------
    ArchiveError
        Cut short or damaged; a path, link or device that leaves the folder; two entries of one name, or of names that
        differ by case alone; more bytes or entries than allowed.
    """
    path, goal = Path(archive), Path(folder)
    if not path.is_file():
        raise MissingFileError(f"{path}: there is no such archive. Check the path.")
    limit = max_bytes if max_bytes is not None else path.stat().st_size * MOST_RATIO + GRACE
    try:
        goal.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=goal))
    except OSError as error:
        raise storage(goal, error) from error
    try:
        box = _Box(path.name, work, limit, max_entries)
        with path.open("rb") as file:
            start = file.read(4)
        if start.startswith(b"PK"):
            _zip(path, box, only)
        else:
            _tar(path, box, only)
        _move(work, goal, box.made)
        return box.made
    except OSError as error:
        if isinstance(error, DataError):
            raise
        raise storage(goal, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Box:
    """The folder that is filled, and what was put there."""

    def __init__(self, archive: str, work: Path, limit: int, entries: int) -> None:
        self.archive, self.work, self.left, self.limit, self.entries = archive, work, limit, limit, entries
        self.made: dict[str, int] = {}
        self._seen: dict[str, str] = {}
        self._count = 0

    def fail(self, why: str) -> ArchiveError:
        return ArchiveError(f"{self.archive}: {why}. It is not unpacked. Get it from its publisher again.")

    def name(self, name: str, *, folder: bool = False) -> str:
        """Return the checked name of an entry."""
        self._count += 1
        if self._count > self.entries:
            raise self.fail(f"more than {self.entries:,} entries")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or _BAD.search(name) or (not parts and not folder):
            raise self.fail(f"{name!r} would lie outside the folder")
        clean = "/".join(parts)
        if not folder:
            # Each folder on the way counts as well: a file "a" and a file "A/b" meet on many disks.
            for end in range(1, len(parts) + 1):
                piece = "/".join(parts[:end])
                old = self._seen.setdefault(piece.casefold(), piece)
                if old != piece or (end == len(parts) and piece in self.made):
                    what = "twice" if old == piece else f"and {old!r}, which differ by case alone"
                    raise self.fail(f"{clean!r} is in it {what}")
        return clean

    def add(self, name: str, pieces: Iterator[bytes]) -> None:
        """Write one file."""
        path = self.work / name
        size = 0
        try:
            file = path.open("xb")
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("xb")
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            raise self.fail(f"{name!r} is in it twice, as file and as folder") from None
        with file:
            for piece in pieces:
                size += len(piece)
                if size > self.left:
                    raise self.fail(f"unpacks to more than {self.limit:,} bytes")
                file.write(piece)
        self.left -= size
        self.made[name] = size


def _wanted(name: str, only: set[str] | None) -> bool:
    return only is None or name in only or any(name.endswith("/" + one) for one in only)


def _zip(path: Path, box: _Box, only: set[str] | None) -> None:
    with path.open("rb") as file:

        def read_at(first: int, count: int) -> bytes:
            file.seek(first)
            return file.read(count)

        members = zips.directory(read_at, path.stat().st_size, box.archive, tail=zips.TAIL, most=box.entries)
        total = sum(member.size for member in members if _wanted(member.name, only))
        if total > box.left:
            raise box.fail(f"unpacks to more than {box.limit:,} bytes")
        if total > shutil.disk_usage(box.work).free:
            raise OSError(errno.ENOSPC, f"it unpacks to {total:,} bytes, more than are free")
        for member in members:
            name = box.name(member.name, folder=member.is_folder)
            if member.is_link or member.is_special:
                raise box.fail(f"{member.name!r} is a link or a device")
            if member.is_folder or not _wanted(name, only):
                continue
            begin = member.start + zips.body_start(member, read_at(member.start, zips.LOCAL), box.archive)
            box.add(name, zips.inflate(member, _pieces(file, begin, member.packed), box.archive))


def _pieces(file: IO[bytes], begin: int, count: int) -> Iterator[bytes]:
    file.seek(begin)
    while count > 0 and (data := file.read(min(1 << 20, count))):
        count -= len(data)
        yield data


class _Counted:
    """A stream that knows how much was read of it, and how much is too much."""

    def __init__(self, stream: IO[bytes], box: _Box) -> None:
        self.stream, self.box, self.total = stream, box, 0
        self.most = box.limit + 4 * tarfile.BLOCKSIZE * box.entries + tarfile.RECORDSIZE

    def read(self, count: int) -> bytes:
        data = self.stream.read(count)
        self.total += len(data)
        if self.total > self.most:
            raise self.box.fail(f"unpacks to more than {self.box.limit:,} bytes")
        return data


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        start = file.read(6)
    for mark, module in ((b"\x1f\x8b", "gzip"), (b"BZh", "bz2"), (b"\xfd7zXZ", "lzma")):
        if start.startswith(mark):
            return importlib.import_module(module).open(path)  # type: ignore[no-any-return]
    return path.open("rb")


def _tar(path: Path, box: _Box, only: set[str] | None) -> None:
    try:
        with _open(path) as packed:
            stream = _Counted(packed, box)
            with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]
                for entry in archive:
                    _entry(archive, entry, box, only)
                    # The reader keeps a list of all it has seen; a million entries would fill the memory.
                    archive.members = []
                end = archive.offset
            while stream.read(1 << 20):
                # To the last byte: the check sum of a packed archive stands there.
                pass
            if stream.total < end + tarfile.BLOCKSIZE:
                raise box.fail("cut short: it has no end mark")
    except (tarfile.TarError, EOFError, zlib.error, LZMAError) as error:
        raise box.fail(f"cut short, damaged, or no archive ({error})") from error
    except OSError as error:
        if error.errno is None and not isinstance(error, DataError):
            raise box.fail(f"cut short or damaged ({error})") from error
        raise


def _entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, box: _Box, only: set[str] | None) -> None:
    name = box.name(entry.name, folder=entry.isdir())
    if entry.isdir() or not _wanted(name, only):
        return
    if entry.issym() or entry.islnk():
        _copy(entry, name, box)
    elif entry.isreg():
        source = archive.extractfile(entry)
        assert source is not None
        box.add(name, iter(lambda: source.read(1 << 20), b""))
        if box.made[name] != entry.size:
            raise box.fail(f"{name!r} is cut short")
    else:
        raise box.fail(f"{name!r} is a device or another special file")


def _copy(entry: tarfile.TarInfo, name: str, box: _Box) -> None:
    """Put a link's target in its place where that is a file of this archive; no link is ever made."""
    base = os.path.dirname(name) if entry.issym() else ""  # noqa: PTH120
    goal = os.path.normpath(os.path.join(base, entry.linkname)).replace(os.sep, "/")  # noqa: PTH118
    if entry.linkname.startswith("/") or goal not in box.made:
        raise box.fail(f"{name!r} is a link to {entry.linkname!r}, which is no file of the archive")
    with (box.work / goal).open("rb") as source:
        box.add(name, iter(lambda: source.read(1 << 20), b""))


def _move(work: Path, goal: Path, names: dict[str, int]) -> None:
    made: set[Path] = set()
    for name in names:
        place = goal / name
        if place.parent not in made:
            _no_link(goal, place.parent)
            place.parent.mkdir(parents=True, exist_ok=True)
            made.add(place.parent)
        (work / name).replace(place)


def _no_link(goal: Path, folder: Path) -> None:
    """Refuse to write through a link that already lies in the folder and leads out of it."""
    if not folder.resolve().is_relative_to(goal.resolve()):
        raise ArchiveError(f"{folder}: leads out of {goal} through a link. Remove the link first.")
