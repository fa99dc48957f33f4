"""One small HTTP server: the built book, a classroom mirror, and the hosts of tests and notebooks.

It serves a folder with byte ranges, validators (``ETag``, ``If-Range``) and, for text, gzip. A request for another host
(``http://a.b/c`` asked of this server as a proxy, or ``/a.b/c``) is answered from the folder ``a.b``. It listens on
loopback unless told otherwise. Source: RFC 9110 (HTTP semantics), sections 13 and 14.
"""

from __future__ import annotations

import argparse
import email.utils
import gzip
import hashlib
import http.server
import mimetypes
import re
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .errors import MissingFileError, StorageError

_TEXT = {".html", ".css", ".js", ".json", ".svg", ".txt", ".xml", ".ipynb", ".md", ".csv", ".tsv", ".map"}
_PIECE = 1 << 18
Fault = Callable[["Handler", Path], bool]
"""Called before a file is sent; True means that it has answered (or broken) the request itself."""


class Request(NamedTuple):
    """One request that a server has seen."""

    method: str
    path: str
    headers: Mapping[str, str]


class Server:
    """Serve a folder until stopped.

    Parameters
    ----------
    folder
        What to serve.
    host, port
        Where to listen; port 0 takes any free one.
    answers
        Address (``a.example/1.jpg``) to how it answers otherwise: ``status``, ``headers``, ``body``, each optional.
    fault
        A function that may answer in the file's place; tests misbehave by it.
    delay
        Seconds to wait before each answer, as a far host would.

    Attributes
    ----------
    url
        The server's address, ending in ``/``.
    requests
        What was asked so far.
    sent
        Bytes of bodies sent so far, each counted before it leaves: who has the last one finds all counted.
    """

    def __init__(
        self,
        folder: str | Path,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        answers: Mapping[str, Mapping[str, Any]] | None = None,
        fault: Fault | None = None,
        delay: float = 0.0,
    ) -> None:
        self.folder = Path(folder).resolve()
        if not self.folder.is_dir():
            raise MissingFileError(f"{folder}: no folder to serve. Check the path, or build first.")
        self.answers, self.fault, self.delay = dict(answers or {}), fault, delay
        self.requests: list[Request] = []
        self.sent = 0
        self._gzipped: dict[tuple[Path, int], bytes] = {}
        try:
            self._server = _Listener((host, port), type("BoundHandler", (Handler,), {"owner": self}))
        except OSError as error:
            raise StorageError(
                f"{host}:{port}: cannot listen there ({error.strerror}). "
                "Choose another port, or an address of this machine."
            ) from error
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_address[1]}/"
        self._thread: threading.Thread | None = None

    def start(self) -> Server:
        """Begin to answer, in a thread of its own; a server that answers already goes on."""
        if self._thread is not None:
            return self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def wait(self) -> None:
        """Answer until interrupted."""
        if self._thread is None:
            self.start()
        try:
            while True:
                time.sleep(3600)
        finally:
            self.stop()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def compressed(self, path: Path) -> bytes:
        """Return a file's bytes, gzipped once for each state of the file."""
        key = (path, path.stat().st_mtime_ns)
        if key not in self._gzipped:
            self._gzipped[key] = gzip.compress(path.read_bytes(), 6, mtime=0)
        return self._gzipped[key]


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that leaves in the middle is no error of ours.
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one connection; `Server.fault` gets it to misbehave with."""

    protocol_version = "HTTP/1.1"
    owner: Server
    timeout = 60
    # Headers and a small body leave in one packet.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the caller reads `Server.requests`."""

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer from the folder."""
        self.owner.requests.append(Request(self.command, self.path, dict(self.headers.items())))
        if self.owner.delay:
            time.sleep(self.owner.delay)
        split = urllib.parse.urlsplit(self.path)
        # A proxy request names the whole address; its host is a folder like any other.
        place = f"{split.netloc}{split.path}" if split.netloc else split.path
        name = urllib.parse.unquote(place).lstrip("/")
        special = self.owner.answers.get(name, {})
        path = (self.owner.folder / name).resolve()
        if not path.is_relative_to(self.owner.folder):
            return self.reply(404, b"no such file\n")
        if path.is_dir():
            if name and not place.endswith("/"):
                return self.reply(301, headers={"Location": urllib.parse.quote(f"/{name}/")})
            path = path / "index.html"
        if self.owner.fault is not None and self.owner.fault(self, path):
            return None
        if {"body", "status"} & set(special):
            return self.reply(special.get("status", 200), special.get("body", "").encode(), special.get("headers"))
        if not path.is_file():
            page = self.owner.folder / "404.html"
            return self.reply(
                404, page.read_bytes() if page.is_file() else b"no such file\n", {"Content-Type": "text/html"}
            )
        return self.send_path(path, special.get("headers"))

    def reply(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Send a short answer."""
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._body(body)

    def send_path(self, path: Path, headers: Mapping[str, str] | None = None) -> None:
        """Send a file, or the range of it that was asked for."""
        size = path.stat().st_size
        tag = etag(path)
        fixed = {
            "Content-Type": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            "Last-Modified": email.utils.formatdate(path.stat().st_mtime, usegmt=True),
            "ETag": tag,
            **(headers or {}),
        }
        if self.headers.get("If-None-Match") == tag:
            return self.reply(304, headers=fixed)
        wanted = self._range(size, tag)
        if wanted is None and path.suffix in _TEXT and size > 500 and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = self.owner.compressed(path)
            return self.reply(200, body, {**fixed, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
        first, last = wanted or (0, size - 1)
        if first >= size > 0 or (wanted and size == 0):
            return self.reply(416, headers={"Content-Range": f"bytes */{size}"})
        self.send_response(206 if wanted else 200)
        for name, value in fixed.items():
            self.send_header(name, value)
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if self.command == "HEAD":
            return None
        with path.open("rb") as file:
            file.seek(first)
            left = last - first + 1
            while left and (piece := file.read(min(_PIECE, left))):
                self._body(piece)
                left -= len(piece)
        return None

    def _range(self, size: int, tag: str) -> tuple[int, int] | None:
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not found or found.group() == "bytes=-" or self.headers.get("If-Range", tag) != tag:
            return None
        first, last = found.groups()
        if not first:
            return max(0, size - int(last)), size - 1
        return int(first), min(int(last), size - 1) if last else size - 1

    def _body(self, body: bytes) -> None:
        if self.command != "HEAD":
            self.owner.sent += len(body)
            self.wfile.write(body)


def etag(path: Path) -> str:
    """Return a file's validator: it changes when the file does."""
    state = path.stat()
    return f'"{hashlib.sha256(f"{path}{state.st_size}{state.st_mtime_ns}".encode()).hexdigest()[:24]}"'


def mirror(folder: str | Path, host: str = "127.0.0.1", *, port: int = 0) -> Server:
    """Serve what was fetched as a classroom mirror, and return the running server.

    Parameters
    ----------
    folder
        A folder that was fetched into, or one of such folders: it is laid out by hosts in ``.mirror`` first. A folder
        of host folders (``images.cocodataset.org/val2017/...``) is served as it is.
    host, port
        The address of this machine on the local network, for the class to reach it; loopback unless told otherwise.

    Raises
    ------
    MissingFileError, StorageError
        Nothing to serve in the folder; no such address on this machine, or its port is taken.
    """
    from .files import lay_out

    place = Path(folder)
    hosts = any(path.is_dir() and "." in path.name.strip(".") for path in place.iterdir())
    recorded = next(place.glob("**/.data_helpers/fetched.json"), None) is not None
    return Server(lay_out(place, place / ".mirror") if recorded or not hosts else place, host, port).start()


def main(arguments: list[str] | None = None) -> None:
    """Serve a folder from the command line: ``python -m data_helpers.serve FOLDER --port 8000``."""
    parser = argparse.ArgumentParser(prog="python -m data_helpers.serve", description="Serve a folder on this machine.")
    parser.add_argument("folder")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args(arguments)
    try:
        server = Server(options.folder, options.host, options.port)
    except (MissingFileError, StorageError) as error:
        sys.exit(f"error: {error}")
    print(f"Open {server.url} . Ctrl-C ends it.", flush=True)
    try:
        server.wait()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
