"""What a transfer is told and what it tells: sources, meters, and why a try failed, in words."""

from __future__ import annotations

import email.utils
import http.client
import socket
import ssl
from typing import Protocol

import msgspec

from .. import home
from ..errors import DataError
from . import web

TEMPORARY = {408, 425, 429, 500, 502, 503, 504}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What to get.

    Attributes
    ----------
    name
        File name; its ending tells how the bytes must begin.
    urls
        Addresses in order.
    bytes
        Size, where known; of the span where there is one.
    sha256, md5
        Accepted hashes, one of which must fit; empty where none is known.
    rivals
        Whether an accepted file may have another size than ``bytes``.
    first
        First byte of a span; None for a whole file.
    whole
        Size of the file that a span is cut from, where known.
    """

    name: str
    urls: tuple[str, ...]
    bytes: int | None = None
    sha256: tuple[str, ...] = ()
    md5: tuple[str, ...] = ()
    rivals: bool = False
    first: int | None = None
    whole: int | None = None

    @property
    def hashes(self) -> tuple[str, ...]:
        """Names of the hashes to compute: SHA-256 always (it is recorded), MD5 where one may decide."""
        return ("sha256", "md5") if self.md5 else ("sha256",)

    @property
    def exact(self) -> int | None:
        """The size, where only one is right."""
        return None if self.rivals else self.bytes

    @property
    def verified(self) -> bool:
        """Whether a hash is known."""
        return bool(self.sha256 or self.md5)

    def accepts(self, digests: dict[str, str]) -> bool:
        """Tell whether the hashes are those of the file."""
        return digests["sha256"] in self.sha256 or digests.get("md5") in self.md5


class Meter(Protocol):
    """Counts what moves; may refuse."""

    def expect(self, name: str, count: int) -> None:
        """Hear of bytes that were not announced before; raises BudgetError if they are too many."""

    def moved(self, count: int) -> None:
        """Hear of bytes that came."""

    def stopped(self) -> bool:
        """Tell whether to give up."""


class Again(Exception):
    """A try that may do better when repeated."""

    def __init__(self, why: str, after: float | None = None, progress: bool = False) -> None:
        super().__init__(why)
        self.after, self.progress = after, progress


class NoRanges(DataError):
    """No mirror serves byte ranges."""


class Stopped(Exception):
    """Somebody else failed or the reader pressed Ctrl-C: nothing is wrong with this file."""


class Wrong(web.Refused):
    """Whole, but not the published bytes."""


def reason(error: Exception) -> tuple[str, float | None, bool]:
    """Say in words why a try failed; raises Refused where no further try would help."""
    if isinstance(error, ssl.SSLCertVerificationError):
        raise web.Refused(f"its certificate is not valid ({error.verify_message})") from error
    if isinstance(error, socket.gaierror):
        if error.errno == getattr(socket, "EAI_AGAIN", None):
            return "the name of the host cannot be looked up just now", None, False
        raise web.Refused("there is no host of this name") from error
    if isinstance(error, TimeoutError):
        return f"no byte came for {home.timeout():g} seconds", None, False
    if isinstance(error, http.client.HTTPException):
        return f"broken answer ({type(error).__name__})", None, False
    strerror = error.strerror if isinstance(error, OSError) else None
    return str(strerror or error or type(error).__name__).lower(), None, False


def retry_after(answer: web.Answer) -> float | None:
    """Return the seconds a server asks to wait; a date counts from the server's own clock, never from ours."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        goal = email.utils.parsedate_to_datetime(text)
        return max(0.0, (goal - email.utils.parsedate_to_datetime(answer.headers["Date"])).total_seconds())
    except (ValueError, TypeError, KeyError):
        return None
