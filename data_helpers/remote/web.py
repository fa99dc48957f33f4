"""HTTP as fetching needs it: kept connections, proxies, redirects, ranges. One answer at a time; retries are elsewhere.

``http.client`` stands below: one kept connection a thread moved small pictures at more than twice the speed of the
usual pools when it was measured (``benchmarks/fetch.py``). Source: RFC 9110 (HTTP semantics).
"""

from __future__ import annotations

import base64
import functools
import http.client
import re
import select
import ssl
import threading
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import NamedTuple

from .. import home

AGENT = "image-datasets-book (data_helpers)"
REDIRECTS = 10


class Refused(OSError):
    """An answer that no further try would change: the next mirror's turn."""


class Key(NamedTuple):
    """What two requests must share to share a connection."""

    scheme: str
    host: str
    port: int | None
    proxy: str


_idle: dict[Key, list[http.client.HTTPConnection]] = {}
_lock = threading.Lock()


_SIGNED = re.compile(r"(?i)(^|[&_-])(sig|sign|signature|token|key|credential|expires|policy|auth|password)[^&=]*=")


def is_signed(url: str) -> bool:
    """Tell whether an address carries a right of its own: a signature, a token, a user."""
    parts = urllib.parse.urlsplit(url)
    return "@" in parts.netloc or bool(_SIGNED.search(parts.query))


def shown(url: str) -> str:
    """Return an address as messages may print it: of a signed one just the host, of others all but the query."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if is_signed(url):
        return f"{parts.scheme}://{host}/... (a signed link)"
    return f"{parts.scheme}://{host}{parts.path}" + ("?..." if parts.query else "")


def place(url: str) -> str:
    """Return where an address is asked for: there, or at the classroom mirror (``DATA_HELPERS_MIRROR``)."""
    mirror = home.mirror()
    if mirror is None or url.startswith(mirror):
        return url
    return mirror + url.split("://", 1)[-1]


class Answer:
    """One answer: its status, its headers, and its body piece by piece. Close it."""

    def __init__(self, key: Key, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._key, self._connection, self._response = key, connection, response
        self.status, self.reason, self.headers = response.status, response.reason, response.headers
        length = self.headers.get("Content-Length", "")
        self.chunked = bool(response.chunked)
        self.length = int(length) if re.fullmatch(r"\d{1,18}", length) and not self.chunked else None
        self.got = 0
        self._ended = False
        self._broken: BaseException | None = None

    @property
    def span(self) -> tuple[int, int, int | None] | None:
        """First and last byte and whole size that ``Content-Range`` tells, or None."""
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", self.headers.get("Content-Range", ""))
        return (int(found[1]), int(found[2]), int(found[3]) if found[3] != "*" else None) if found else None

    @property
    def validator(self) -> str:
        """The strong ``ETag``, or the date of the last change; empty where there is neither."""
        tag: str = self.headers.get("ETag", "")
        return tag if tag.startswith('"') else self.headers.get("Last-Modified", "")

    def piece(self, most: int = 1 << 20) -> bytes:
        """Return the next bytes as they come; none at the end, wherever that is."""
        if self.length is not None:
            most = min(most, self.length - self.got)
        data = self._response.read1(most) if most else b""
        self.got += len(data)
        # A body of chunks that is cut raises; one without any length just ends.
        self._ended = not data if self.length is None else self.got == self.length
        return data

    def fill(self, view: memoryview) -> int:
        """Put the next bytes into a buffer, as many as are there already; 0 at the end. No copy is made on the way.

        An error in the middle is raised by the next call: the bytes before it are good.
        """
        if self._broken is not None:
            raise self._broken
        if self.length is None:
            data = self.piece(len(view))
            view[: len(data)] = data
            return len(data)
        most, done = min(len(view), self.length - self.got), 0
        try:
            while done < most and (not done or self._waiting()):
                count = self._response.fp.readinto1(view[done:most])
                if not count:
                    break
                done += count
        except BaseException as error:
            if not done:
                raise
            self._broken = error
        self.got += done
        self._ended = self.got == self.length
        return done

    def _waiting(self) -> bool:
        """Tell whether more bytes have come already."""
        try:
            return bool(select.select([self._response], [], [], 0)[0])
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        """Keep the connection for the next request where the whole body was read."""
        keep = self._ended and not self._response.will_close
        self._response.close()
        if not keep:
            self._connection.close()
            return
        with _lock:
            _idle.setdefault(self._key, []).append(self._connection)

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ask(url: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", verified: bool = False) -> Answer:
    """Ask for an address, following redirects, and return the answer, whatever its status.

    Parameters
    ----------
    url
        ``http`` or ``https``; asked of the classroom mirror where there is one.
    headers
        Further headers, such as ``Range``.
    method
        ``GET`` or ``HEAD``.
    verified
        Whether the bytes are checked against a published hash; only then may a redirect leave ``https``.

    Raises
    ------
    OSError, http.client.HTTPException
        No answer.
    Refused
        A redirect that is not followed.
    """
    seen: list[str] = []
    while True:
        answer = _once(place(url), {"User-Agent": AGENT, "Accept-Encoding": "identity", **(headers or {})}, method)
        goal = answer.headers.get("Location", "")
        if answer.status not in (301, 302, 303, 307, 308) or not goal:
            return answer
        answer.close()
        seen.append(url)
        following = urllib.parse.urljoin(url, goal)
        mirror = home.mirror()
        if mirror and following.startswith(mirror):
            following = "http://" + following.removeprefix(mirror)
        if len(seen) > REDIRECTS or following in seen:
            raise Refused(f"redirects without end (the last one to {shown(following)})")
        if url.startswith("https:") and following.startswith("http:") and not verified:
            raise Refused("redirects from https to http, and no hash is known that would prove the bytes")
        url = following


def _once(url: str, headers: dict[str, str], method: str) -> Answer:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused(f"{shown(url)} is no address of http or https")
    key = Key(parts.scheme, parts.hostname, parts.port, _proxy(parts.scheme, parts.netloc))
    path = urllib.parse.quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    target = f"{path}?{parts.query}" if parts.query else path
    if parts.username:
        headers = {"Authorization": _basic(parts), **headers}
    if key.proxy and key.scheme == "http":
        target = f"http://{parts.netloc.rpartition('@')[2]}{target}"
        headers = {**_proxy_headers(key.proxy), **headers}
    while True:
        with _lock:
            waiting = _idle.get(key)
            connection = waiting.pop() if waiting else None
        kept = connection is not None
        connection = connection or _connect(key)
        try:
            # The reader's patience may have changed since the connection was made.
            connection.timeout = home.timeout()
            if connection.sock is not None:
                connection.sock.settimeout(connection.timeout)
            connection.request(method, target, headers=headers)
            return Answer(key, connection, connection.getresponse())
        except (ConnectionError, http.client.BadStatusLine) as error:
            connection.close()
            # A server may close a kept connection at any time: that is no failed try.
            if not kept or isinstance(error, ConnectionRefusedError):
                raise
        except BaseException:
            connection.close()
            raise


def _connect(key: Key) -> http.client.HTTPConnection:
    secure = key.scheme == "https"
    if not key.proxy:
        if secure:
            return http.client.HTTPSConnection(key.host, key.port, timeout=home.timeout(), context=_context())
        return http.client.HTTPConnection(key.host, key.port, timeout=home.timeout())
    proxy = urllib.parse.urlsplit(key.proxy)
    host, port = proxy.hostname or "", proxy.port or 80
    if not secure:
        return http.client.HTTPConnection(host, port, timeout=home.timeout())
    connection = http.client.HTTPSConnection(host, port, timeout=home.timeout(), context=_context())
    connection.set_tunnel(key.host, key.port, headers=_proxy_headers(key.proxy))
    return connection


@functools.cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _proxy(scheme: str, place: str) -> str:
    """Return the proxy that the environment names for an address; this machine is never asked through one."""
    host = urllib.parse.urlsplit(f"//{place}").hostname or ""
    if host in ("localhost", "::1") or host.startswith("127.") or urllib.request.proxy_bypass(host):
        return ""
    proxies = urllib.request.getproxies()
    found = proxies.get(scheme) or proxies.get("all") or ""
    return found if "://" in found or not found else f"http://{found}"


def _proxy_headers(proxy: str) -> dict[str, str]:
    parts = urllib.parse.urlsplit(proxy)
    return {"Proxy-Authorization": _basic(parts)} if parts.username else {}


def _basic(parts: urllib.parse.SplitResult) -> str:
    pair = f"{urllib.parse.unquote(parts.username or '')}:{urllib.parse.unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def forget() -> None:
    """Close all kept connections."""
    with _lock:
        for connections in _idle.values():
            for connection in connections:
                connection.close()
        _idle.clear()
