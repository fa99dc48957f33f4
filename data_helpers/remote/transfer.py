"""One file, or one span of it, from the first mirror that gives the right bytes."""

from __future__ import annotations

import http.client
from pathlib import Path

import msgspec

from .. import home
from ..errors import ChecksumError, NetworkError, StorageError
from . import web
from .sinks import Memory, PartFile, storage
from .source import Meter, NoRanges, Source, Wrong
from .tries import Mirror


def to_file(source: Source, target: Path, meter: Meter) -> dict[str, str]:
    """Fetch into a file: a part beside it, renamed when it is whole and right. Returns its hashes by name.

    Raises
    ------
    NetworkError, ChecksumError, StorageError, BudgetError
        As their names say; the part stays where it can be gone on with.
    """
    if target.is_dir():
        raise StorageError(f"{target}: a folder stands where the file should be. Move it away, or choose another root.")
    sink = PartFile(target, source.hashes)
    try:
        digests = _over_mirrors(source, sink, meter)
        sink.close()
        try:
            sink.path.replace(target)
        except OSError as error:
            raise storage(target, error) from error
        sink.note.unlink(missing_ok=True)
        return digests
    except ChecksumError:
        sink.discard()
        raise
    finally:
        sink.close()


def to_memory(source: Source, meter: Meter) -> tuple[bytes, dict[str, str]]:
    """Fetch a small file and return its bytes and their hashes by name; errors as for `to_file`."""
    sink = Memory(source.hashes)
    digests = _over_mirrors(source, sink, meter)
    return bytes(sink.data), digests


def size_of(source: Source, meter: Meter) -> int:
    """Ask for a file's size by its first byte alone; NoRanges where no mirror serves ranges."""
    # A classroom mirror may hold a smaller archive of the same members; of anybody else the published one is expected.
    whole = None if home.mirror() else source.bytes
    one = msgspec.structs.replace(source, bytes=1, first=0, whole=whole, sha256=(), md5=())
    sink = Memory(())
    _over_mirrors(one, sink, meter)
    if not sink.state.whole:
        raise NoRanges(f"{source.name}: the server does not tell its size.")
    return sink.state.whole


def told_size(source: Source, meter: Meter) -> int | None:
    """Ask each mirror for a file's size, by its headers alone or by one byte; None where none tells it.

    Raises
    ------
    NetworkError
        ``DATA_HELPERS_OFFLINE`` forbids to ask.
    """
    _online(source)
    for url in source.urls:
        try:
            with web.ask(url, method="HEAD", verified=source.verified) as answer:
                if answer.status == 200 and answer.length is not None:
                    return answer.length
        except (OSError, http.client.HTTPException):
            continue
    try:
        return size_of(source, meter)
    except (NetworkError, NoRanges):
        return None


def _online(source: Source) -> None:
    if home.offline():
        raise NetworkError(
            f"{source.name}: not on disk, and DATA_HELPERS_OFFLINE forbids the network. "
            "Unset it, or put the file there yourself."
        )


def _over_mirrors(source: Source, sink: Memory | PartFile, meter: Meter) -> dict[str, str]:
    _online(source)
    told: list[str] = []
    wrong = ranges = False
    announced = source.bytes
    for url in source.urls:
        one = Mirror(source, url, sink, meter)
        one.announced = announced
        try:
            return one.run()
        except Wrong as error:
            wrong = True
            told.append(f"{web.shown(url)}: {error}")
        except NoRanges as error:
            ranges = True
            told.append(f"{web.shown(url)}: {error}")
        except web.Refused as error:
            told.append(f"{web.shown(url)}: {error}")
        announced = one.announced
    message = f"{source.name}: no mirror gave the file.\n" + "\n".join(f"  - {line}" for line in told)
    if not told:
        message = f"{source.name}: no address of it is known."
    if ranges:
        raise NoRanges(message)
    advice = "Check the connection and call again: what has come is kept. A classroom mirror: DATA_HELPERS_MIRROR."
    if wrong:
        raise ChecksumError(
            f"{message}\nNothing was saved. Call again later. If it stays so, the file was replaced: "
            "tell the book's authors, who can accept a further hash in the card."
        )
    raise NetworkError(f"{message}\n{advice}")
