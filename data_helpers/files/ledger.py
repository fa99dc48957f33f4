"""What a folder was filled with: a small hidden file beside the data, so that nothing is fetched or hashed twice."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import filelock
import msgspec

from ..cards import File
from ..errors import DataError
from ..remote.sinks import storage
from .plans import Part

HIDDEN = ".data_helpers"


class Entry(msgspec.Struct, omit_defaults=True):
    """One fetched file: its size and time of change as they were left, its hashes, and where it came from."""

    bytes: int
    changed: int
    sha256: str = ""
    url: str = ""
    member: str = ""
    md5: str = ""
    unpacked: dict[str, int] | None = None


class Ledger:
    """The record of one root.

    Parameters
    ----------
    root
        The folder that is filled.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / HIDDEN / "fetched.json"
        self.entries: dict[str, Entry] = {}
        self.load()

    def load(self) -> None:
        """Read the record; one that is damaged counts as none: files are then hashed again."""
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self.entries = msgspec.json.decode(self.path.read_bytes(), type=dict[str, Entry])

    def save(self, added: dict[str, Entry]) -> None:
        """Write added entries to the record, beside those that another process wrote meanwhile."""
        if not added:
            return
        with self.lock("record"):
            self.load()
            self.entries.update(added)
            work = self.path.with_suffix(".new")
            try:
                work.write_bytes(msgspec.json.format(msgspec.json.encode(self.entries), indent=0))
                work.replace(self.path)
            except OSError as error:
                raise storage(self.path, error) from error

    def entry(self, path: Path, hashes: Mapping[str, str], url: str, member: str = "") -> Entry:
        """Describe a file as it lies there now."""
        state = path.stat()
        md5 = hashes.get("md5", "")
        return Entry(state.st_size, state.st_mtime_ns, hashes.get("sha256", ""), url, member, md5)

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold one of the root's locks: two processes share one download, the second finds it done."""
        path = self.root / HIDDEN / f"{name}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(path)
            try:
                lock.acquire(timeout=2)
            except filelock.Timeout:
                print(f"Another process fetches into {self.root}: waiting for it.", file=sys.stderr, flush=True)
                lock.acquire()
            try:
                yield
            finally:
                lock.release()
        except NotImplementedError:
            # A file system without locks (some network folders): a file that exists is the lock.
            with filelock.SoftFileLock(path.with_suffix(".held"), timeout=3600):
                yield
        except OSError as error:
            if isinstance(error, DataError):
                raise
            raise storage(path, error) from error

    def has(self, part: Part) -> bool:
        """Tell whether a part is there, whole and right; one that is not recorded is hashed where a hash is known."""
        entry = self.entries.get(part.name)
        if part.unpack is not None and entry and entry.unpacked is not None and self._hash_fits(entry, part):
            return all(_is(self.root / name, size) for name, size in entry.unpacked.items())
        path = part.target(self.root)
        try:
            state = path.stat()
        except OSError:
            return False
        if not path.is_file():
            return False
        if part.unpack is not None:
            return False
        if entry and (entry.bytes, entry.changed) == (state.st_size, state.st_mtime_ns):
            return self._hash_fits(entry, part)
        if entry and not (part.sha256 or part.md5):
            # Nobody published a hash; what came is known all the same, and what was cut or edited since is not it.
            return entry.bytes == state.st_size and (not entry.sha256 or entry.sha256 == digests(path)["sha256"])
        return right(path, part)

    def _hash_fits(self, entry: Entry, part: Part) -> bool:
        return not part.sha256 or not entry.sha256 or entry.sha256 in part.sha256 or entry.md5 in part.md5


def _is(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def right(path: Path, part: Part) -> bool:
    """Tell whether a file's size and hash are those of a part; without known ones, whether it holds anything."""
    size = path.stat().st_size
    if part.bytes is not None and not (part.estimated or part.rivals or part.member) and size != part.bytes:
        return False
    if not (part.sha256 or part.md5):
        return size > 0
    got = digests(path, ("sha256", "md5") if part.md5 else ("sha256",))
    return got["sha256"] in part.sha256 or got.get("md5") in part.md5


def digests(path: Path, names: Sequence[str] = ("sha256",)) -> dict[str, str]:
    """Return a file's hashes in hexadecimal, all of them from one reading."""
    hashers = {name: hashlib.new(name, usedforsecurity=False) for name in names}
    with path.open("rb", buffering=0) as file:
        buffer = memoryview(bytearray(1 << 18))
        while count := file.readinto(buffer):
            for hasher in hashers.values():
                hasher.update(buffer[:count])
    return {name: hasher.hexdigest() for name, hasher in hashers.items()}


class Verdict(NamedTuple):
    """What a file on disk is: ``published``, ``variant``, ``altered``, or ``unchecked`` (nothing is known)."""

    kind: str
    detail: str = ""
    hashes: Mapping[str, str] = MappingProxyType({})


def verdict(path: Path, file: File) -> Verdict:
    """Compare a file with what its card publishes; it is read once, and only where a hash is known."""
    size = path.stat().st_size
    sizes = [file.bytes, *(one.bytes for one in file.accept)]
    if None not in sizes and size not in sizes:
        expected = " or ".join(f"{one:,}" for one in dict.fromkeys(sizes))
        return Verdict("altered", f"{size:,} bytes, expected {expected}")
    if not (file.sha256 or file.md5 or file.accept):
        return Verdict("unchecked" if file.bytes is None else "published")
    only = file.md5 and not file.sha256
    got = digests(path, ("sha256", "md5") if only or any(one.md5 for one in file.accept) else ("sha256",))
    if (got["sha256"] == file.sha256) if file.sha256 else got.get("md5") == file.md5:
        return Verdict("published", hashes=got)
    for one in file.accept:
        if got["sha256"] == one.sha256 or (not one.sha256 and got.get("md5") == one.md5):
            return Verdict("variant", one.note, got)
    name = "MD5" if only else "SHA-256"
    known = [file.md5 if only else file.sha256, *(one.sha256 or one.md5 for one in file.accept)]
    expected = " or ".join(one for one in known if one)
    return Verdict("altered", f"{name} {got['md5' if only else 'sha256']}, expected {expected}", got)
