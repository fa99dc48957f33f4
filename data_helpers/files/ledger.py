"""What a folder was filled with: a small hidden file beside the data, so that nothing is fetched or hashed twice."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import filelock
import msgspec

from ..errors import DataError
from ..remote.sinks import storage
from .plans import Part

HIDDEN = ".data_helpers"


class Entry(msgspec.Struct, omit_defaults=True):
    """One fetched file: its size and time of change as they were left, its SHA-256, and where it came from."""

    bytes: int
    changed: int
    sha256: str = ""
    url: str = ""
    member: str = ""
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

    def entry(self, path: Path, sha256: str, url: str, member: str = "") -> Entry:
        """Describe a file as it lies there now."""
        state = path.stat()
        return Entry(state.st_size, state.st_mtime_ns, sha256, url, member)

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
            return entry.bytes == state.st_size and (not entry.sha256 or entry.sha256 == digest(path))
        return right(path, part)

    def _hash_fits(self, entry: Entry, part: Part) -> bool:
        return not part.sha256 or not entry.sha256 or entry.sha256 in part.sha256


def _is(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def right(path: Path, part: Part) -> bool:
    """Tell whether a file's size and hash are those of a part; without known ones, whether it holds anything."""
    size = path.stat().st_size
    if part.bytes is not None and not part.estimated and not part.member and size != part.bytes:
        return False
    if part.sha256:
        return digest(path, "sha256") in part.sha256
    if part.md5:
        return digest(path, "md5") == part.md5
    return size > 0


def digest(path: Path, name: str = "sha256") -> str:
    """Return a file's hash in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, name).hexdigest()
