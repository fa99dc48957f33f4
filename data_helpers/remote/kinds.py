"""What the first and last bytes of a file tell: enough to refuse a login page before it is saved as a zip."""

from __future__ import annotations

import re
from typing import Protocol

BEGINS = {
    ".zip": (b"PK\x03\x04", b"PK\x05\x06"),
    ".gz": (b"\x1f\x8b",),
    ".tgz": (b"\x1f\x8b",),
    ".jpg": (b"\xff\xd8",),
    ".jpeg": (b"\xff\xd8",),
    ".png": (b"\x89PNG",),
    ".parquet": (b"PAR1",),
    ".bz2": (b"BZh",),
    ".xz": (b"\xfd7zXZ",),
}
ENDS = {
    ".zip": b"PK\x05\x06",
    ".jpg": b"\xff\xd9",
    ".jpeg": b"\xff\xd9",
    ".png": b"IEND",
    ".parquet": b"PAR1",
}
_PAGE = re.compile(rb"\s*(<!doctype html|<html|<head)", re.I)


class Bytes(Protocol):
    """Something whose first and last bytes can be looked at."""

    @property
    def size(self) -> int:
        """Number of bytes."""

    def tail(self, count: int) -> bytes:
        """Return the last bytes."""


def ending(name: str) -> str:
    """Return the ending of a file's name, in small letters, with its dot."""
    return "." + name.lower().rpartition(".")[2]


def complaint(name: str, head: bytes) -> str | None:
    """Say why a file of this name cannot begin like that, or return None."""
    kind = ending(name)
    if _PAGE.match(head) and kind not in (".html", ".htm"):
        return "sends a web page instead of the file (a login, a quota or a notice?)"
    begins = BEGINS.get(kind)
    if begins and not head.startswith(begins):
        return f"sends something that is no {kind[1:]} (it begins with {head[:8]!r})"
    return None


def looks_whole(name: str, sink: Bytes) -> bool:
    """Tell whether a file of this kind ends as it must; False where its kind does not say."""
    end = ENDS.get(ending(name))
    return end is not None and end in sink.tail(min(sink.size, 1 << 16))


def strict(name: str) -> bool:
    """Tell whether a file of this kind is useless without its end: a directory or footer stands there."""
    return ending(name) in (".zip", ".parquet")
