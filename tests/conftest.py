"""What all tests share: a throw-away cache, closed sockets but for loopback, real files, what a machine may lack."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
REAL = Path(os.environ.get("DATA_HELPERS_REAL") or REPOSITORY.parent / "shared" / "real").resolve()
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


def pytest_configure(config: pytest.Config) -> None:
    """Give the whole run, workers included, one cache and one database folder that are thrown away at its end."""
    # No test asserts a time: a busy machine is slow at any of them.
    hypothesis.settings.register_profile("untimed", deadline=None)
    hypothesis.settings.load_profile("untimed")
    if hasattr(config, "workerinput"):
        return
    scratch = Path(tempfile.mkdtemp(prefix="book-tests-"))
    config.stash[_SCRATCH] = scratch
    for name in [name for name in os.environ if name.startswith("DATA_HELPERS_") and name != "DATA_HELPERS_REAL"]:
        del os.environ[name]
    os.environ |= {
        "DATA_HELPERS_HOME": str(scratch / "home"),
        "DATA_HELPERS_REAL": str(REAL),
        "FIFTYONE_DATABASE_DIR": str(scratch / "database"),
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
        "MPLBACKEND": "agg",
    }


_SCRATCH = pytest.StashKey[Path]()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what `pytest_configure` made."""
    if _SCRATCH in config.stash:
        shutil.rmtree(config.stash[_SCRATCH], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, with the reason; in CI nothing may be missing.

    Workers get modules and notebooks in this order: the longest first, so that none is left alone at the end.
    """
    items.sort(key=_rank)
    for mark, (found, reason) in _LACKS.items():
        if found():
            continue
        for item in items:
            if item.get_closest_marker(mark):
                if IN_CI:
                    item.add_marker(pytest.mark.usefixtures("required_in_ci"))
                    item.stash[_REASON] = reason
                else:
                    item.add_marker(pytest.mark.skip(reason=reason))


def _rank(item: pytest.Item) -> int:
    if item.path.name == "test_site.py":
        return 0
    return 1 if item.get_closest_marker("java") else 2 if item.get_closest_marker("notebook") else 3


_REASON = pytest.StashKey[str]()


@pytest.fixture
def required_in_ci(request: pytest.FixtureRequest) -> None:
    """Fail a test whose machine lacks something that CI must have."""
    pytest.fail(f"CI must have this: {request.node.stash[_REASON]}")


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


def _database() -> bool:
    if os.environ.get("FIFTYONE_DATABASE_URI"):
        return True
    spec = importlib.util.find_spec("fiftyone")
    if spec is None or not spec.submodule_search_locations:
        return False
    folder = Path(next(iter(spec.submodule_search_locations))) / "db" / "bin"
    return any((folder / name).is_file() for name in ("mongod", "mongod.exe")) or shutil.which("mongod") is not None


_LACKS: dict[str, tuple[Any, str]] = {
    "real": (REAL.is_dir, "no real files: set DATA_HELPERS_REAL to their folder"),
    "browser": (lambda: chromium() is not None, "no Chromium on this machine: install it, or set CHROMIUM to its path"),
    "database": (_database, "no MongoDB server for FiftyOne: see `python -m data_helpers doctor`"),
    "java": (lambda: shutil.which("java") is not None, "no Java on this machine: Spark needs it"),
}


@pytest.fixture(autouse=True)
def _closed_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test reach this machine alone: one that asks the internet has forgotten its local server."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            try:
                outside = not ipaddress.ip_address(address[0]).is_loopback
            except ValueError:
                outside = address[0] != "localhost"
            if outside:
                raise RuntimeError(f"a test tried to reach {address[0]}: only loopback is open")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give one test an empty cache of its own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("DATA_HELPERS_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def real() -> Path:
    """Return the folder of the real files; use it in tests marked ``real``."""
    return REAL


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return one headless Chromium for the session; use it in tests marked ``browser``."""
    from playwright.sync_api import sync_playwright

    flags = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(
            executable_path=chromium(),
            args=[*flags.split(), "--disable-component-update", "--disable-sync"],
        )
        yield instance
        instance.close()
