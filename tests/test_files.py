"""Every fault of a server, of a disk and of other processes: the right file at the first call, or a clear error."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_helpers.errors import (
    BudgetError,
    ChecksumError,
    DataError,
    FormatError,
    NetworkError,
    StorageError,
)
from data_helpers.files import Ledger, Part, fetch_parts, ledger, progress, running
from data_helpers.remote import sinks, tries, web
from data_helpers.serve import Handler, Server

from . import faults


def _zip_bytes(size: int = 200_000) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("x", random.Random(size).randbytes(size))
    return made.getvalue()


BODY = _zip_bytes()
SHA = hashlib.sha256(BODY).hexdigest()
URL = "https://a.example/x.zip"


def part(**fields: Any) -> Part:
    return Part(**{"name": "x.zip", "urls": (URL,), "bytes": len(BODY), "sha256": (SHA,)} | fields)


@pytest.fixture(autouse=True)
def _quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tries, "WAIT", 0.005)
    # Only a fault that stalls is waited out; a busy machine is slow as well, and what it sends late would come twice.
    monkeypatch.setenv("DATA_HELPERS_TIMEOUT", "0.3" if "stall" in request.node.name else "20")
    yield
    web.forget()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for host in ("a.example", "b.example"):
        (tmp_path / "site" / host).mkdir(parents=True)
        (tmp_path / "site" / host / "x.zip").write_bytes(BODY)
    return tmp_path / "site"


@pytest.fixture
def server(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(site) as running:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", running.url)
        yield running


def visible(root: Path) -> dict[str, bytes]:
    """Return what a reader sees in a folder: nothing hidden."""
    found = [path for path in root.rglob("*") if path.is_file()] if root.is_dir() else []
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in found
        if not any(piece.startswith(".") for piece in path.relative_to(root).parts)
    }


# ---- the list of faults


@pytest.mark.parametrize("small", [True, False], ids=["in memory", "in a part file"])
@pytest.mark.parametrize("name", faults.NAMES)
def test_each_fault(name: str, small: bool, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SMALL", 4_000_000 if small else 0)
    root = tmp_path / "root"
    server.fault = faults.fault(name)
    if name in faults.CURABLE:
        fetch_parts([part()], root)
        assert visible(root) == {"x.zip": BODY}
    else:
        with pytest.raises((NetworkError, ChecksumError)) as told:
            fetch_parts([part()], root)
        assert visible(root) == {}, "no fault leaves bytes at the final name"
        assert "x.zip" in str(told.value) and "https://a.example/x.zip" in str(told.value)
        server.fault = None
        fetch_parts([part()], root)
        assert visible(root) == {"x.zip": BODY}, "and the next call gets it"


@pytest.mark.parametrize("name", sorted(faults.INCURABLE))
def test_the_second_mirror_gives_what_the_first_does_not(name: str, server: Server, tmp_path: Path) -> None:
    bad = faults.fault(name)
    server.fault = lambda handler, path: "a.example" in handler.path and bad(handler, path)
    fetch_parts([part(urls=(URL, "https://b.example/x.zip"))], tmp_path / "root")
    assert visible(tmp_path / "root") == {"x.zip": BODY}


@pytest.mark.parametrize("known", ["md5", "bytes", "nothing"])
@pytest.mark.parametrize("name", faults.NAMES)
def test_whatever_is_known_of_a_file_no_part_of_it_passes_for_the_whole(
    name: str, known: str, server: Server, tmp_path: Path
) -> None:
    server.fault = faults.fault(name)
    fields = {"bytes": len(BODY) if known == "bytes" else None, "sha256": ()}
    md5 = (hashlib.md5(BODY).hexdigest(),) if known == "md5" else ()
    try:
        fetch_parts([part(**fields, md5=md5)], tmp_path / "root")
    except (NetworkError, ChecksumError):
        assert visible(tmp_path / "root") == {}
        return
    found = visible(tmp_path / "root")["x.zip"]
    # One flipped byte is beyond anybody who knows no hash.
    assert found == BODY or (name == "one wrong byte" and not md5 and len(found) == len(BODY))


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("first", "says"),
    [
        ("http://127.0.0.1:{closed}/x.zip", "refused"),
        ("http://nowhere.invalid/x.zip", "host|name"),
        ("ftp://a/x.zip", "http"),
    ],
)
def test_a_dead_first_host(first: str, says: str, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _no_outside(socket.getaddrinfo))
    dead = first.format(closed=_closed_port())
    with Server(site) as running:
        fetch_parts([part(urls=(dead, f"{running.url}a.example/x.zip"))], tmp_path / "root")
        assert visible(tmp_path / "root") == {"x.zip": BODY}
    with pytest.raises(NetworkError, match=says) as told:
        fetch_parts([part(urls=(dead,))], tmp_path / "other")
    assert dead in str(told.value)


def _no_outside(real: Any) -> Any:
    def lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *args, **kwargs)

    return lookup


def test_a_redirect_out_of_https_needs_a_hash(server: Server, tmp_path: Path) -> None:
    server.answers["a.example/x.zip"] = {"status": 302, "headers": {"Location": "http://b.example/x.zip?signature=1"}}
    fetch_parts([part()], tmp_path / "root")
    assert visible(tmp_path / "root") == {"x.zip": BODY}
    with pytest.raises(NetworkError, match="https to http"):
        fetch_parts([part(sha256=())], tmp_path / "other")


def test_signed_links_are_never_told(server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    urls = ("https://user:word@a.example/no?X-Amz-Signature=secret#secret",)
    with pytest.raises(NetworkError) as told:
        fetch_parts([part(urls=urls)], tmp_path / "root", progress=True)
    seen = str(told.value) + "".join(capfd.readouterr())
    assert "a.example" in seen and "signed" in seen and not re.search("secret|word|no/?zip|/no", seen)
    assert server.requests[-1].path.endswith("?X-Amz-Signature=secret"), "but the server needs them"
    fetch_parts([part(urls=("https://a.example/x.zip?token=secret",))], tmp_path / "root")
    assert "secret" not in (tmp_path / "root" / ".data_helpers" / "fetched.json").read_text()


def test_a_hash_accepted_since_a_date(server: Server, tmp_path: Path) -> None:
    fetch_parts([part(sha256=("0" * 64, SHA))], tmp_path / "root")
    assert visible(tmp_path / "root") == {"x.zip": BODY}
    with pytest.raises(ChecksumError, match=f"{SHA}, expected {'0' * 64} or {'1' * 64}"):
        fetch_parts([part(sha256=("0" * 64, "1" * 64))], tmp_path / "other")


def test_a_proxy_of_the_environment_is_used(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(site) as running:
        monkeypatch.setenv("http_proxy", running.url)
        monkeypatch.delenv("no_proxy", raising=False)
        fetch_parts([part(urls=("http://b.example/x.zip",))], tmp_path / "root")
        assert running.requests[0].path == "http://b.example/x.zip"
    assert visible(tmp_path / "root") == {"x.zip": BODY}


def test_waits_grow_end_and_do_not_trust_the_wall_clock(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_HELPERS_RETRIES", "3")
    waits: list[float] = []
    monkeypatch.setattr(tries.Mirror, "_sleep", lambda self, seconds: waits.append(seconds))
    clock = iter(range(10**6, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: next(clock))
    server.fault = faults.fault("503 always")
    with pytest.raises(NetworkError, match=r"503 Service Unavailable; gave up after 4 tries"):
        fetch_parts([part()], tmp_path / "root")
    assert len(server.requests) == 4
    assert len(waits) == 3 and all(0.5 * 0.005 * 2**n <= wait <= 0.005 * 2**n for n, wait in enumerate(waits))


def test_a_servers_wish_to_wait_is_heard(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(tries.Mirror, "_sleep", lambda self, seconds: waits.append(seconds))
    for n, wish in enumerate(("7", "Wed, 21 Oct 2037 07:28:09 GMT")):
        given_date = {"Date": "Wed, 21 Oct 2037 07:28:00 GMT"}
        seen = iter([True, False])

        def fault(handler: Handler, path: Path, wish: str = wish, seen: Iterator[bool] = seen) -> bool:
            if next(seen):
                handler.send_response_only(429)
                for name, value in {**given_date, "Retry-After": wish, "Content-Length": "0"}.items():  # noqa: B023
                    handler.send_header(name, value)
                handler.end_headers()
                return True
            return False

        server.fault = fault
        fetch_parts([part()], tmp_path / f"root{n}")
    assert waits == [7.0, 9.0], "seconds, or a date by the server's own clock"


def test_offline_means_no_request(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch_parts([part()], tmp_path / "root")
    asked = len(server.requests)
    monkeypatch.setenv("DATA_HELPERS_OFFLINE", "1")
    fetch_parts([part()], tmp_path / "root")
    with pytest.raises(NetworkError, match="DATA_HELPERS_OFFLINE"):
        fetch_parts([part(name="y.zip")], tmp_path / "root")
    assert len(server.requests) == asked


# ---- the disk


def test_what_is_over_the_budget_is_refused_by_name_and_figure_before_a_byte_moves(
    server: Server, tmp_path: Path
) -> None:
    with pytest.raises(BudgetError, match=rf"x\.zip.*|{len(BODY):,}.*max_bytes=1,000") as told:
        fetch_parts([part()], tmp_path / "root", max_bytes=1000)
    assert f"{len(BODY):,}" in str(told.value) and "1,000" in str(told.value)
    assert not server.requests
    with pytest.raises(BudgetError, match=rf"{len(BODY):,} bytes \(x\.zip alone"):
        fetch_parts([part(bytes=None)], tmp_path / "root", max_bytes=1000)
    assert [request.method for request in server.requests] == ["HEAD"] and not server.sent
    fetch_parts([part(bytes=None)], tmp_path / "root", max_bytes=len(BODY))
    assert visible(tmp_path / "root") == {"x.zip": BODY} and server.sent == len(BODY)


def test_a_budget_that_cannot_be_kept_is_refused_before_a_byte_moves(server: Server, tmp_path: Path) -> None:
    def no_length(handler: Handler, path: Path) -> bool:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        return True

    def no_head(handler: Handler, path: Path) -> bool:
        return handler.command == "HEAD" and (handler.reply(405), True)[1]

    server.fault = no_head
    fetch_parts([part(bytes=None)], tmp_path / "one byte", max_bytes=len(BODY))
    assert visible(tmp_path / "one byte") == {"x.zip": BODY}
    server.requests.clear()
    server.fault = no_length
    with pytest.raises(BudgetError, match=r"x\.zip: neither its card nor a server tells its size"):
        fetch_parts([part(bytes=None)], tmp_path / "root", max_bytes=10**9)
    assert all(r.method == "HEAD" or r.headers["Range"] == "bytes=0-0" for r in server.requests)
    assert not (tmp_path / "root").exists()


def test_a_size_told_by_the_server_alone_is_held_against_the_disk(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = progress.shutil._ntuple_diskusage(10**9, 0, progress.ROOM + len(BODY) - 1)
    monkeypatch.setattr(progress.shutil, "disk_usage", lambda path: usage)
    for small in (4_000_000, 0):
        monkeypatch.setattr(running, "SMALL", small)
        with pytest.raises(BudgetError, match=r"x\.zip: needs [\d,]+ bytes and .* free"):
            fetch_parts([part(bytes=None)], tmp_path / "root")
        assert visible(tmp_path / "root") == {}


@pytest.mark.parametrize("small", [4_000_000, 0])
@pytest.mark.parametrize("size", [150_000, 260_000])
def test_a_rival_file_of_another_size_known_by_its_md5_is_accepted(
    small: int, size: int, server: Server, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SMALL", small)
    other = _zip_bytes(size)
    (site / "a.example" / "x.zip").write_bytes(other)
    both = part(md5=(hashlib.md5(other).hexdigest(),), rivals=True)
    fetch_parts([both], tmp_path / "root")
    assert visible(tmp_path / "root") == {"x.zip": other}
    asked = len(server.requests)
    fetch_parts([both], tmp_path / "root")
    assert len(server.requests) == asked, "and is not fetched again"
    (site / "a.example" / "x.zip").write_bytes(_zip_bytes(size + 1))
    with pytest.raises(ChecksumError, match=rf"expected {SHA} or MD5"):
        fetch_parts([both], tmp_path / "third")
    if size > len(BODY):
        with pytest.raises(BudgetError, match=r"x\.zip alone is"):
            fetch_parts([both], tmp_path / "fourth", max_bytes=len(BODY) + 10)
        assert visible(tmp_path / "fourth") == {}


def test_disk_space_is_looked_at_first(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress.shutil, "disk_usage", lambda path: progress.shutil._ntuple_diskusage(10, 5, 5))
    with pytest.raises(BudgetError, match="5 free"):
        fetch_parts([part()], tmp_path / "root")
    assert not server.requests


@pytest.mark.parametrize("small", [True, False])
def test_a_disk_that_fills_up(small: bool, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SMALL", 4_000_000 if small else 0)
    full = OSError(28, "No space left on device")
    if small:
        monkeypatch.setattr(Path, "write_bytes", _fails_on(Path.write_bytes, ".part", full))
    else:
        monkeypatch.setattr(sinks.PartFile, "write", _full_after(sinks.PartFile.write, 50_000, full))
    with pytest.raises(StorageError, match=r"No space left.*Free some room"):
        fetch_parts([part()], tmp_path / "root")
    assert visible(tmp_path / "root") == {}
    monkeypatch.undo()
    monkeypatch.setenv("DATA_HELPERS_MIRROR", server.url)
    fetch_parts([part()], tmp_path / "root")
    assert visible(tmp_path / "root") == {"x.zip": BODY}


def _fails_on(real: Any, end: str, error: OSError) -> Any:
    def write(self: Path, data: bytes) -> int:
        if self.name.endswith(end):
            raise error
        return int(real(self, data))

    return write


def _full_after(real: Any, count: int, error: OSError) -> Any:
    def write(self: sinks.PartFile, data: bytes) -> None:
        if self.size + len(data) > count:
            raise sinks.storage(self.path, error)
        real(self, data)

    return write


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_one_may_not_write_to(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir(mode=0o555)
    with pytest.raises(StorageError, match="may not write"):
        fetch_parts([part()], root)


def test_a_target_that_is_a_folder_or_a_root_that_is_a_file(server: Server, tmp_path: Path) -> None:
    for small in (4_000_000, 0):
        root = tmp_path / f"root{small}"
        (root / "x.zip").mkdir(parents=True)
        with pytest.raises(StorageError, match="folder stands"):
            fetch_parts([part()], root)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError):
        fetch_parts([part()], tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_read_only_file_system_is_told(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *args, **kwargs: False)
    with pytest.raises(StorageError, match="may not write"):
        fetch_parts([part()], tmp_path / "root")


@pytest.mark.parametrize("name", ["../x.zip", "/x.zip", "a/../../x.zip", "C:/x.zip", "a\\x.zip", ""])
def test_no_name_leads_out_of_the_root(name: str) -> None:
    with pytest.raises(FormatError, match="below the root"):
        part(name=name)


def test_a_file_that_is_there_is_believed_only_as_far_as_it_is_known(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "x.zip").write_bytes(BODY)
    fetch_parts([part()], root)
    assert not server.requests, "the right file is not fetched again"
    mine = BODY[:-1] + b"!"
    (root / "x.zip").write_bytes(mine)
    fetch_parts([part()], root)
    assert visible(root) == {"x.zip": BODY, "x.zip.altered-1": mine}, "a reader's bytes are never lost"


def test_a_recorded_file_is_not_hashed_again(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch_parts([part()], tmp_path / "root")
    monkeypatch.setattr(ledger, "digests", lambda *args: pytest.fail("hashed again"))
    fetch_parts([part()], tmp_path / "root")
    (tmp_path / "root" / ".data_helpers" / "fetched.json").write_text("{damaged")
    monkeypatch.undo()
    monkeypatch.setenv("DATA_HELPERS_MIRROR", server.url)
    fetch_parts([part()], tmp_path / "root")
    assert len(server.requests) == 1, "without a record the hash decides"


# ---- broken off, and gone on with


def _killed(root: Path, after: int) -> int:
    """Fetch in a process that dies without a word when it has written so many bytes; return its status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        real = sinks.PartFile.write

        def write(self: sinks.PartFile, data: bytes) -> None:
            room = after - self.size
            if room < len(data):
                self._file.write(data[: max(0, room)])
                os._exit(9)
            real(self, data)

        sinks.PartFile.write = write  # type: ignore[method-assign]
        web._idle.clear()
        fetch_parts([part()], root, progress=False)
    finally:
        os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bytes_written=st.integers(0, len(BODY)), known=st.booleans(), again=st.integers(0, len(BODY)))
def test_killed_at_any_byte_and_run_again(
    bytes_written: int,
    known: bool,
    again: int,
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "SMALL", 0)
    root = tmp_path_factory.mktemp("killed") / "root"
    for after in (bytes_written, again):
        _killed(root, after)
        assert visible(root) in ({}, {"x.zip": BODY})
    asked = len(server.requests)
    fetch_parts([part() if known else part(sha256=())], root)
    assert visible(root) == {"x.zip": BODY}
    # What had come is not fetched again, but for the bytes that prove it is the same file.
    kept = max(bytes_written, again)
    for request in server.requests[asked:] if kept else []:
        first = re.match(r"bytes=(\d+)-", request.headers.get("Range", ""))
        assert first and int(first[1]) >= kept - tries.OVERLAP
    assert not list(root.rglob("*.part*")), "nothing is left over"


def test_a_resumed_file_of_an_older_version_is_begun_anew(
    server: Server, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SMALL", 0)
    _killed(tmp_path / "root", 90_000)
    newer = _zip_bytes(150_000)
    (site / "a.example" / "x.zip").write_bytes(newer)
    fetch_parts([part(bytes=None, sha256=())], tmp_path / "root")
    assert visible(tmp_path / "root") == {"x.zip": newer}


def test_ctrl_c_keeps_the_part_and_says_so(server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "import sys; from data_helpers.files import Part, fetch_parts, running; from pathlib import Path;"
        "running.SMALL = 0;"
        f"fetch_parts([Part(name='x.zip', urls=({URL!r},), bytes={len(BODY)}, sha256=({SHA!r},))],"
        f" Path({str(tmp_path / 'root')!r}), progress=True)"
    )
    server.fault = faults.fault("stall always")
    environment = {**os.environ, "DATA_HELPERS_TIMEOUT": "20"}
    child = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
    part_file = tmp_path / "root" / ".x.zip.part"
    until = time.monotonic() + 20
    while time.monotonic() < until and not (part_file.is_file() and part_file.stat().st_size):
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=20)
    assert b"kept: the same call goes on" in told
    assert part_file.stat().st_size > 0
    server.fault = None
    fetch_parts([part()], tmp_path / "root")
    assert visible(tmp_path / "root") == {"x.zip": BODY}


INTERRUPTED = """
import faulthandler, hashlib, random, signal, sys
from pathlib import Path
from data_helpers.remote.sinks import PartFile, State

class Answer:
    def fill(self, view):
        view[:64] = bytes(range(64))
        return 64

def stop(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, stop)
chance, target = random.Random(20), Path(sys.argv[1])
for _ in range(300):
    faulthandler.dump_traceback_later(20, exit=True)
    sink = PartFile(target, ("sha256",))
    sink.start(State(url="x"))
    try:
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-4, 3e-3))
        while True:
            sink.write(sink.take(Answer()))
    except KeyboardInterrupt:
        sink.close()
    again = PartFile(target, ("sha256",))
    assert again.digests()["sha256"] == hashlib.sha256(again.path.read_bytes()).hexdigest()
    again.close()
print("all closed")
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
def test_ctrl_c_at_any_instruction_lets_the_part_be_closed(tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", INTERRUPTED, str(tmp_path / "x.zip")], capture_output=True, text=True)
    assert (child.stdout, child.returncode) == ("all closed\n", 0), child.stderr


def test_ctrl_c_while_a_part_is_read_again_leaves_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = sinks.PartFile(tmp_path / "x.zip", ("sha256",))
    part.start(sinks.State(url="x"))
    part.write(bytes(3 * sinks.PIECE))
    part.close()
    feed, fed = sinks.PartFile._feed, []

    def interrupted(self: Any, data: Any) -> None:
        feed(self, data)
        fed.append(self._thread)
        if len(fed) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(sinks.PartFile, "_feed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sinks.PartFile(tmp_path / "x.zip", ("sha256",))
    assert fed[0] is not None and not fed[0].is_alive()


def _fetch_in_process(root: str, small: int, results: Any) -> None:
    running.SMALL = small
    web._idle.clear()
    try:
        fetch_parts([part()], Path(root), progress=False)
        results.put((Path(root) / "x.zip").read_bytes() == BODY)
    except DataError as error:
        results.put(str(error))


@pytest.mark.parametrize("processes", [2, 8])
@pytest.mark.parametrize("small", [4_000_000, 0])
def test_processes_share_one_download(processes: int, small: int, server: Server, tmp_path: Path) -> None:
    server.delay = 0.05
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    results = context.SimpleQueue()
    children = [
        context.Process(target=_fetch_in_process, args=(str(tmp_path / "root"), small, results))
        for _ in range(processes)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert [results.get() for _ in children] == [True] * processes
    assert server.sent == len(BODY)


def test_threads_share_one_download(server: Server, tmp_path: Path) -> None:
    threads = [threading.Thread(target=fetch_parts, args=([part()], tmp_path / "root")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert visible(tmp_path / "root") == {"x.zip": BODY} and server.sent == len(BODY)


# ---- many


def test_many_small_files_come_over_kept_connections_and_one_that_fails_does_not_stop_the_others(
    server: Server, site: Path, tmp_path: Path
) -> None:
    bodies = {f"p/{n:03}.jpg": b"\xff\xd8" + random.Random(n).randbytes(3000) + b"\xff\xd9" for n in range(60)}
    (site / "a.example" / "p").mkdir()
    for name, body in bodies.items():
        (site / "a.example" / name).write_bytes(body)
    (site / "a.example" / "p" / "007.jpg").unlink()
    (site / "a.example" / "p" / "008.jpg").write_bytes(b"<html>sign in</html>" * 40)
    parts = [Part(name=name, urls=(f"http://a.example/{name}",), bytes=3000, estimated=True) for name in bodies]
    with pytest.raises(NetworkError, match=r"2 files could not be had; the others came") as told:
        fetch_parts(parts, tmp_path / "root")
    assert "007.jpg" in str(told.value) and "008.jpg" in str(told.value)
    found = visible(tmp_path / "root")
    assert found == {name: body for name, body in bodies.items() if not re.search("00[78]", name)}
    entry = Ledger(tmp_path / "root").entries["p/001.jpg"]
    assert entry.sha256 == hashlib.sha256(bodies["p/001.jpg"]).hexdigest()
