"""Where fetched and unpacked files live, and the switches that environment variables set."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from .errors import FormatError, StorageError

HOME = "DATA_HELPERS_HOME"


def place() -> Path:
    """Return where the cache folder is or would be; nothing is made."""
    return Path(os.environ.get(HOME) or platformdirs.user_cache_dir("image-datasets-book")).expanduser()


def home() -> Path:
    """Return the cache folder, made if it was not there.

    ``DATA_HELPERS_HOME`` moves it; otherwise it is the platform's own cache folder.

    Raises
    ------
    StorageError
        The folder cannot be made or written to.
    """
    path = place()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path}: the cache folder cannot be made ({error.strerror or error}). "
            f"Set {HOME} to a folder you may write to."
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise StorageError(f"{path}: the cache folder is not writable. Set {HOME} to a folder you may write to.")
    return path


def root_of(stem: str) -> Path | None:
    """Return the reader's own copy of a dataset, as ``DATA_HELPERS_ROOT_<STEM>`` names it, or None."""
    value = os.environ.get(f"DATA_HELPERS_ROOT_{stem.upper()}")
    return Path(value).expanduser() if value else None


def offline() -> bool:
    """Tell whether ``DATA_HELPERS_OFFLINE`` forbids the network."""
    return os.environ.get("DATA_HELPERS_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")


def mirror() -> str | None:
    """Return the classroom mirror's address (``DATA_HELPERS_MIRROR``), ending in ``/``, or None."""
    value = os.environ.get("DATA_HELPERS_MIRROR", "").strip()
    if value and not value.startswith(("http://", "https://")):
        raise FormatError(f"DATA_HELPERS_MIRROR={value!r}: expected http://HOST:PORT/. Change or unset the variable.")
    return value.rstrip("/") + "/" if value else None


def cards_folder() -> Path | None:
    """Return the folder of added or overriding cards (``DATA_HELPERS_CARDS``), or None."""
    value = os.environ.get("DATA_HELPERS_CARDS")
    return Path(value).expanduser() if value else None


def timeout() -> float:
    """Return the seconds without a byte after which a try ends (``DATA_HELPERS_TIMEOUT``, 20)."""
    return _number("DATA_HELPERS_TIMEOUT", 20.0, 0.001)


def retries() -> int:
    """Return how many further tries one mirror gets (``DATA_HELPERS_RETRIES``, 4)."""
    return int(_number("DATA_HELPERS_RETRIES", 4, 0))


def _number(variable: str, default: float, least: float) -> float:
    text = os.environ.get(variable)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = least - 1
    if not least <= value < float("inf"):
        raise FormatError(f"{variable}={text!r}: expected a number of at least {least}. Change or unset the variable.")
    return value
