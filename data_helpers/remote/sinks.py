"""Where arriving bytes go: into memory, or into a part file that a later call can go on with. Both are hashed."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from pathlib import Path
from typing import Any

import msgspec

from ..errors import StorageError
from .web import Answer

PART = ".part"
PIECE, RING = 1 << 20, 8
"""Bytes of one buffer, and how many buffers lie between the network and the hash."""


class State(msgspec.Struct, forbid_unknown_fields=False):
    """What a part file's bytes belong to."""

    url: str = ""
    validator: str = ""
    first: int = 0
    whole: int = 0


class Memory:
    """A sink for small files: nothing to resume once the process ends."""

    def __init__(self, hashes: tuple[str, ...] = ()) -> None:
        self.data = bytearray()
        self.hashes = hashes
        self.state = State()

    @property
    def size(self) -> int:
        """Bytes so far."""
        return len(self.data)

    def start(self, state: State) -> None:
        """Begin anew."""
        self.data.clear()
        self.state = state

    def take(self, answer: Answer) -> bytes | memoryview:
        """Return the next bytes of an answer, to be given to `write`."""
        return answer.piece()

    def write(self, data: bytes | memoryview) -> None:
        """Take bytes."""
        self.data += data

    def tail(self, count: int) -> bytes:
        """Return the last bytes."""
        return bytes(self.data[len(self.data) - count :])

    def head(self, count: int) -> bytes:
        """Return the first bytes."""
        return bytes(self.data[:count])

    def digests(self) -> dict[str, str]:
        """Return each asked hash of the bytes so far."""
        return {name: hashlib.new(name, self.data, usedforsecurity=False).hexdigest() for name in self.hashes}

    def close(self) -> None:
        """Nothing to close."""


class PartFile:
    """A file that grows beside its target, hashed by a second thread, with a note of where its bytes come from.

    Parameters
    ----------
    target
        Where the whole file will lie; the part is ``.<name>.part`` beside it.
    hashes
        Names of the hashes to keep.

    Raises
    ------
    StorageError
        The part cannot be written.
    """

    def __init__(self, target: Path, hashes: tuple[str, ...] = ()) -> None:
        self.path = target.with_name(f".{target.name}{PART}")
        self.note = target.with_name(f".{target.name}{PART}.json")
        self.hashes = hashes
        try:
            self._file = open(self.path, "r+b", buffering=0, opener=_open)  # noqa: SIM115
            self.size = self._file.seek(0, 2)
        except OSError as error:
            raise storage(self.path, error) from error
        try:
            self.state = msgspec.json.decode(self.note.read_bytes(), type=State)
        except (OSError, msgspec.DecodeError):
            self.state = State()
            self._empty()
        self._reset()
        self._thread: threading.Thread | None = None
        # Ctrl-C may raise anywhere: in a queue written in Python it leaves a lock taken, and closing waits for ever.
        self._queue: queue.SimpleQueue[memoryview | queue.SimpleQueue[None] | None] = queue.SimpleQueue()
        self._free: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
        self._spare: bytearray | None = None
        self._made = 0
        if self.size and hashes:
            try:
                self._file.seek(0)
                while count := self._file.readinto(view := self._buffer()):
                    self._feed(view[:count])
            except BaseException:
                # Ctrl-C while a large part is read again: nobody else can end the thread.
                self.close()
                raise
        self._file.seek(self.size)

    def _reset(self) -> None:
        self._hashers: dict[str, Any] = {name: hashlib.new(name, usedforsecurity=False) for name in self.hashes}

    def _empty(self) -> None:
        self._file.seek(0)
        # ext4 writes a file that was cut to nothing out when it is closed, a second for a gigabyte: only where needed.
        if self.size:
            self.size = self._file.truncate(0)

    def start(self, state: State) -> None:
        """Begin anew; the old bytes go before the note changes, so that a kill between the two does no harm."""
        self._drain()
        try:
            self._empty()
            self.state = state
            self._reset()
            self.note.write_bytes(msgspec.json.encode(state))
        except OSError as error:
            raise storage(self.path, error) from error

    def take(self, answer: Answer) -> bytes | memoryview:
        """Return the next bytes of an answer, to be given to `write`; waits while the hash has all buffers."""
        view = self._buffer()
        return view[: answer.fill(view)]

    def _buffer(self) -> memoryview:
        if self._spare is None:
            fresh = self._made < RING and self._free.empty()
            self._made += fresh
            self._spare = bytearray(PIECE) if fresh else self._free.get()
        return memoryview(self._spare)

    def write(self, data: bytes | memoryview) -> None:
        """Take bytes: into the file at once, into the hash when its thread gets there."""
        try:
            done = 0
            while done < len(data):
                done += self._file.write(memoryview(data)[done:]) or 0
                # A disk that fills up takes what it can: the hash must know the same bytes as the file.
            self.size += done
        except OSError as error:
            self._file.truncate(self.size)
            self._file.seek(self.size)
            raise storage(self.path, error) from error
        self._feed(data)

    def _feed(self, data: bytes | memoryview) -> None:
        if not (isinstance(data, memoryview) and data.obj is self._spare):
            # What an answer unpacked lies in no buffer of the ring, so nothing bounds how much of it could wait.
            self._drain()
            return self._update(data)
        self._spare = None
        if self._thread is None:
            thread = threading.Thread(target=self._hash, daemon=True, name="hashing")
            thread.start()
            # Only now: Ctrl-C may come while it starts, and what has not started cannot be waited for.
            self._thread = thread
        self._queue.put(data)

    def _update(self, data: bytes | memoryview) -> None:
        for hasher in self._hashers.values():
            hasher.update(data)

    def _hash(self) -> None:
        while (data := self._queue.get()) is not None:
            if isinstance(data, queue.SimpleQueue):
                data.put(None)
            else:
                self._update(data)
                self._free.put(data.obj)  # type: ignore[arg-type]

    def _drain(self) -> None:
        """Wait until the thread has hashed all it was given."""
        if self._thread is not None:
            done: queue.SimpleQueue[None] = queue.SimpleQueue()
            self._queue.put(done)
            done.get()

    def tail(self, count: int) -> bytes:
        """Return the last bytes."""
        self._file.seek(self.size - count)
        data = self._file.read(count)
        self._file.seek(self.size)
        return data

    def head(self, count: int) -> bytes:
        """Return the first bytes."""
        self._file.seek(0)
        data = self._file.read(count)
        self._file.seek(self.size)
        return data

    def digests(self) -> dict[str, str]:
        """Return each asked hash of the bytes so far."""
        self._drain()
        return {name: hasher.hexdigest() for name, hasher in self._hashers.items()}

    def close(self) -> None:
        """End the hashing thread and close the file, which stays."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        self._file.close()

    def discard(self) -> None:
        """Remove part and note."""
        self.close()
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o666)


def storage(path: Path, error: OSError) -> StorageError:
    """Say what the file system refused, and what to do."""
    advice = (
        "Free some room and call again: what has come is kept."
        if error.errno == 28
        else ("Check the folder's rights, or choose another with root or DATA_HELPERS_HOME.")
    )
    return StorageError(f"{path}: cannot be written ({error.strerror or error}). {advice}")
