"""One MongoDB server of our own for a whole run, however many workers and notebooks use it.

FiftyOne attaches to any database service that the same user has running, whatever ``FIFTYONE_DATABASE_DIR`` says,
and loses it when its owner leaves. So tests and `refresh` start a server themselves and tell FiftyOne its address; each
user works in a database of a name of its own.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock


def executable() -> str | None:
    """Return the path of a MongoDB server: FiftyOne's own, or one on the path."""
    spec = importlib.util.find_spec("fiftyone")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for name in ("mongod", "mongod.exe"):
            if (path := Path(place) / "db" / "bin" / name).is_file():
                return str(path)
    return shutil.which("mongod")


@contextmanager
def server(folder: Path | None = None) -> Iterator[str]:
    """Give the address of a run's server: the first user of a folder starts it, the last one stops it.

    Parameters
    ----------
    folder
        A throw-away folder that the run's processes share; by default one of this call's own.
    """
    if uri := os.environ.get("FIFTYONE_DATABASE_URI"):
        yield uri
        return
    with contextlib.ExitStack() as stack:
        if folder is None:
            made = tempfile.TemporaryDirectory(prefix="book-database-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(made))
        yield from _shared(folder)


def _shared(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    lock, state = filelock.FileLock(folder / "lock"), folder / "state"
    with lock:
        users, port, pid = _read(state) or (0, *_start(folder))
        state.write_text(f"{users + 1} {port} {pid}")
    try:
        yield f"mongodb://127.0.0.1:{port}/"
    finally:
        with lock:
            users, port, pid = _read(state) or (1, 0, 0)
            if users > 1:
                state.write_text(f"{users - 1} {port} {pid}")
            else:
                state.unlink(missing_ok=True)
                if pid:
                    _stop(pid)


def _stop(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        # Its folder may be removed only when it has closed its files.
        for _ in range(100):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            os.kill(pid, 0)
            time.sleep(0.1)


def _read(state: Path) -> tuple[int, int, int] | None:
    try:
        users, port, pid = map(int, state.read_text().split())
    except FileNotFoundError:
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    return users, port, pid


def _start(folder: Path) -> tuple[int, int]:
    program = executable()
    if program is None:
        raise FileNotFoundError("no MongoDB server: see `python -m data_helpers doctor`")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    data.mkdir(exist_ok=True)
    log = folder / "log"
    options = ["--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1", "--logpath", str(log)]
    process = subprocess.Popen(
        [program, *options, "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return port, process.pid
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise OSError(f"MongoDB did not start: {log.read_text(errors='replace')[-500:] if log.is_file() else program}")
