"""A server's misbehaviour, by name: the list that tests and ``benchmarks/faults.py`` go through.

A fault is made for one run: it counts the requests it has seen. ``CURABLE`` names those after which the right file can
still be had from the same server; all others need another mirror, or end in an error.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from data_helpers.serve import Fault, Handler

CUT = 0.3
"""Share of the file after which a connection breaks."""
STALL = 20.0


def _start(handler: Handler, path: Path) -> tuple[bytes, int, int]:
    """Return the file's bytes and the asked range."""
    body = path.read_bytes()
    wanted = handler._range(len(body), handler.headers.get("If-Range", ""))
    first, last = wanted or (0, len(body) - 1)
    return body, first, last


def _head(handler: Handler, status: int, **headers: object) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.flush()


def _reset(handler: Handler) -> None:
    """Break the connection so that the other side sees a reset."""
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _close(handler)


def _close(handler: Handler) -> None:
    handler.close_connection = True
    with contextlib.suppress(OSError):
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
    handler.connection.close()


def _send(handler: Handler, body: bytes) -> None:
    handler.wfile.write(body)
    handler.wfile.flush()


def _is_range(handler: Handler) -> bool:
    return "Range" in handler.headers


def _broken(
    handler: Handler,
    path: Path,
    end: Callable[[Handler], None],
    *,
    ranges: bool = True,
    tag: str = '"a"',
    **more: object,
) -> bool:
    """Send `CUT` of the file from where it was asked, then break."""
    body, first, last = _start(handler, path)
    if not _is_range(handler) or not ranges:
        first, last, status, place = 0, len(body) - 1, 200, {}
    else:
        status, place = 206, {"Content_Range": f"bytes {first}-{last}/{len(body)}"}
    _head(handler, status, Content_Length=last - first + 1, ETag=tag, Accept_Ranges="bytes", **place, **more)
    _send(handler, body[first : min(last + 1, first + int(len(body) * CUT))])
    if first + int(len(body) * CUT) > last:
        return True
    # Give the other side time to read: a reset throws away what is still on its way.
    time.sleep(0.05)
    end(handler)
    return True


def _whole(handler: Handler, path: Path, tag: str = '"a"') -> bool:
    """Send what was asked for, rightly, under a tag of ours."""
    body, first, last = _start(handler, path)
    if _is_range(handler) and handler.headers.get("If-Range", tag) == tag:
        _head(
            handler, 206, Content_Length=last - first + 1, Content_Range=f"bytes {first}-{last}/{len(body)}", ETag=tag
        )
        _send(handler, body[first : last + 1])
    else:
        _head(handler, 200, Content_Length=len(body), ETag=tag)
        _send(handler, body)
    return True


def fault(name: str) -> Fault:
    """Return a fresh fault of that name."""
    seen = {"n": 0}

    def run(handler: Handler, path: Path) -> bool:
        seen["n"] += 1
        return _FAULTS[name](handler, path, seen["n"])

    return run


def _status(code: int, times: int = 1_000_000, **headers: object) -> Callable[[Handler, Path, int], bool]:
    def run(handler: Handler, path: Path, n: int) -> bool:
        if n > times:
            return _whole(handler, path)
        _head(handler, code, Content_Length=0, **headers)
        return True

    return run


def _once(bad: Callable[[Handler, Path, int], bool], times: int = 1) -> Callable[[Handler, Path, int], bool]:
    return lambda handler, path, n: bad(handler, path, n) if n <= times else _whole(handler, path)


def _stall(handler: Handler) -> None:
    handler.connection.settimeout(STALL)
    with contextlib.suppress(OSError):
        handler.connection.recv(1)
    _close(handler)


def _nothing(handler: Handler, path: Path, n: int) -> bool:
    _close(handler)
    return True


def _length(shift: int) -> Callable[[Handler, Path, int], bool]:
    def run(handler: Handler, path: Path, n: int) -> bool:
        body, first, last = _start(handler, path)
        count = last - first + 1
        if _is_range(handler):
            _head(handler, 206, Content_Length=count, Content_Range=f"bytes {first}-{last}/{len(body)}")
        else:
            _head(handler, 200, Content_Length=count + shift)
        _send(handler, body[first : last + 1])
        _close(handler)
        return True

    return run


def _unlengthed(share: float) -> Callable[[Handler, Path, int], bool]:
    def run(handler: Handler, path: Path, n: int) -> bool:
        body = path.read_bytes()
        _head(handler, 200, Connection="close")
        _send(handler, body[: int(len(body) * share)])
        _close(handler)
        return True

    return run


def _chunked(share: float) -> Callable[[Handler, Path, int], bool]:
    def run(handler: Handler, path: Path, n: int) -> bool:
        body = path.read_bytes()
        _head(handler, 200, Transfer_Encoding="chunked")
        for at in range(0, int(len(body) * share), 7000):
            piece = body[at : at + 7000]
            _send(handler, f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if share == 1:
            _send(handler, b"0\r\n\r\n")
        else:
            time.sleep(0.05)
            _close(handler)
        return True

    return run


def _range_200(handler: Handler, path: Path, n: int) -> bool:
    if n == 1:
        return _broken(handler, path, _reset)
    body = path.read_bytes()
    _head(handler, 200, Content_Length=len(body), ETag='"a"')
    _send(handler, body)
    return True


def _range_moved(handler: Handler, path: Path, n: int) -> bool:
    """Ranges are answered from another place, and the answer says so."""
    if not _is_range(handler):
        return _broken(handler, path, _reset) if n == 1 else _whole(handler, path)
    body, first, last = _start(handler, path)
    first = max(0, first - 5000)
    _head(handler, 206, Content_Length=last - first + 1, Content_Range=f"bytes {first}-{last}/{len(body)}", ETag='"a"')
    _send(handler, body[first : last + 1])
    return True


def _range_lies(handler: Handler, path: Path, n: int) -> bool:
    """Ranges are answered with other bytes than the header says."""
    if not _is_range(handler):
        return _broken(handler, path, _reset) if n == 1 else _whole(handler, path)
    body, first, last = _start(handler, path)
    _head(handler, 206, Content_Length=last - first + 1, Content_Range=f"bytes {first}-{last}/{len(body)}", ETag='"a"')
    _send(handler, bytes(255 - byte for byte in body[first : last + 1]))
    return True


def _late_lie(handler: Handler, path: Path, n: int) -> bool:
    """The piece after a break begins rightly and goes on with other bytes."""
    if not _is_range(handler):
        return _broken(handler, path, _reset) if n == 1 else _whole(handler, path)
    body, first, last = _start(handler, path)
    _head(handler, 206, Content_Length=last - first + 1, Content_Range=f"bytes {first}-{last}/{len(body)}", ETag='"a"')
    good = min(last + 1, first + 4000)
    _send(handler, body[first:good] + bytes(255 - byte for byte in body[good : last + 1]))
    return True


def _changed(handler: Handler, path: Path, n: int) -> bool:
    """Another file stands there at first; it breaks off, and the right one comes under a new tag."""
    if n > 1:
        return _whole(handler, path, '"new"')
    body = bytes(reversed(path.read_bytes()))
    head = path.read_bytes()[:16]
    _head(handler, 200, Content_Length=len(body), ETag='"old"')
    _send(handler, head + body[16 : int(len(body) * CUT)])
    time.sleep(0.05)
    _reset(handler)
    return True


def _changed_silently(handler: Handler, path: Path, n: int) -> bool:
    """As above, by a server that serves the range although the tag changed."""
    if n == 1:
        return _changed(handler, path, n)
    body, first, last = _start(handler, path)
    if not _is_range(handler):
        return _whole(handler, path, '"new"')
    _head(
        handler, 206, Content_Length=last - first + 1, Content_Range=f"bytes {first}-{last}/{len(body)}", ETag='"new"'
    )
    _send(handler, body[first : last + 1])
    return True


def _page(kind: str) -> Callable[[Handler, Path, int], bool]:
    def run(handler: Handler, path: Path, n: int) -> bool:
        body = b"<!DOCTYPE html><html><title>Sign in</title>" + b"<p>please</p>" * 200 + b"</html>"
        _head(handler, 200, Content_Length=len(body), Content_Type=kind)
        _send(handler, body)
        return True

    return run


def _wrong(handler: Handler, path: Path, n: int) -> bool:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    _, first, last = _start(handler, path)
    if _is_range(handler):
        _head(handler, 206, Content_Length=last - first + 1, Content_Range=f"bytes {first}-{last}/{len(body)}")
        _send(handler, bytes(body[first : last + 1]))
    else:
        _head(handler, 200, Content_Length=len(body))
        _send(handler, bytes(body))
    return True


def _loop(handler: Handler, path: Path, n: int) -> bool:
    _head(handler, 302, Content_Length=0, Location=f"?n={n}")
    return True


def _gzipped(handler: Handler, path: Path, n: int) -> bool:
    body = gzip.compress(path.read_bytes())
    _head(handler, 200, Content_Length=len(body), Content_Encoding="gzip")
    _send(handler, body)
    return True


def _labelled(handler: Handler, path: Path, n: int) -> bool:
    """The file as it is, under a label that says it is packed once more."""
    body = path.read_bytes()
    _head(handler, 200, Content_Length=len(body), Content_Encoding="gzip")
    _send(handler, body)
    return True


def _unasked(handler: Handler, path: Path, n: int) -> bool:
    if n > 1:
        return _whole(handler, path)
    body = path.read_bytes()
    _head(handler, 206, Content_Length=1000, Content_Range=f"bytes 0-999/{len(body)}")
    _send(handler, body[:1000])
    return True


_FAULTS: dict[str, Callable[[Handler, Path, int], bool]] = {
    "reset once": _once(lambda h, p, n: _broken(h, p, _reset)),
    "reset again and again": lambda h, p, n: _broken(h, p, _reset),
    "closed early once": _once(lambda h, p, n: _broken(h, p, _close)),
    "closed early again and again": lambda h, p, n: _broken(h, p, _close),
    "closed without answer, twice": _once(_nothing, 2),
    "closed without answer, always": _nothing,
    "stall once": _once(lambda h, p, n: _broken(h, p, _stall)),
    "stall always": lambda h, p, n: _broken(h, p, _stall),
    "stall before the answer, once": _once(lambda h, p, n: bool(_stall(h)) or True),
    "stall before the answer, always": lambda h, p, n: bool(_stall(h)) or True,
    "401": _status(401),
    "403": _status(403),
    "404": _status(404),
    "410": _status(410),
    "429 with Retry-After, then fine": _status(429, 1, Retry_After=0),
    "429 with a date, then fine": _status(429, 1, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),
    "503 asks to wait a day": _status(503, Retry_After=86400),
    "500 once": _status(500, 1),
    "503 twice": _status(503, 2),
    "503 always": _status(503),
    "Content-Length too big": _length(1000),
    "Content-Length too small": _length(-1000),
    "no Content-Length": _unlengthed(1),
    "no Content-Length, cut": _unlengthed(CUT),
    "chunked": _chunked(1),
    "chunked, cut": _chunked(CUT),
    "reset once, no ranges": lambda h, p, n: _broken(h, p, _reset, ranges=False) if n == 1 else _range_200(h, p, n),
    "reset once, range answered with 200": _range_200,
    "reset once, range answered from another place": _range_moved,
    "reset once, range answered with other bytes": _range_lies,
    "reset once, range goes wrong later": _late_lie,
    "changed between tries": _changed,
    "changed between tries, If-Range ignored": _changed_silently,
    "a piece nobody asked for": _unasked,
    "HTML page, status 200": _page("text/html; charset=utf-8"),
    "HTML page that says it is binary": _page("application/octet-stream"),
    "one wrong byte": _wrong,
    "redirect loop": _loop,
    "gzip Content-Encoding on a binary": _gzipped,
    "labelled Content-Encoding: gzip": _labelled,
}

NAMES = list(_FAULTS)

INCURABLE = {
    "closed without answer, always",
    "stall before the answer, always",
    "401",
    "403",
    "404",
    "410",
    "503 asks to wait a day",
    "503 always",
    "no Content-Length, cut",
    "chunked, cut",
    "HTML page, status 200",
    "HTML page that says it is binary",
    "one wrong byte",
    "redirect loop",
}
"""From these servers the right file cannot be had."""

CURABLE = [name for name in NAMES if name not in INCURABLE]
