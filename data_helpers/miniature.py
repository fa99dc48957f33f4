"""Unpack a dataset's miniature: its tiny, self-contained twin in the original's layout, shipped inside the package.

A miniature's numbers are never the dataset's. ``MINIATURE.txt`` in its folder says what it is and which defects were
planted in it; ``CREDITS.tsv`` gives each picture's licence, author and source.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from pathlib import Path

from . import cards
from .errors import MissingFileError, StorageError
from .home import home

HERE = Path(__file__).parent / "miniatures"
MARK = "MINIATURE.txt"


def archive(name: str) -> Path:
    """Return the path of a miniature's zip inside the package.

    Raises
    ------
    UnknownNameError
        No dataset of that name.
    MissingFileError
        The dataset has no miniature.
    """
    stem = cards.parsed(name).stem
    path = HERE / f"{stem}.zip"
    if not path.is_file():
        raise MissingFileError(f"{path}: {stem} has no miniature. Give the folder of your own copy as root instead.")
    return path


def miniature(name: str) -> Path:
    """Unpack a dataset's miniature into the cache and return its folder, in the dataset's original layout.

    The folder's name carries the archive's hash, so that a new release of the package never meets an old copy; one
    that is there already is used as it is.
    """
    path = archive(name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    target = home() / "miniatures" / f"{path.stem}-{digest}"
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=target.parent))
        try:
            with zipfile.ZipFile(path) as bundle:
                bundle.extractall(work)
            # Another process may have been quicker: its copy holds the same bytes.
            if not target.is_dir():
                work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        if target.is_dir():
            return target
        raise StorageError(
            f"{target}: the miniature cannot be unpacked ({error.strerror or error}). "
            "Free some room, or set DATA_HELPERS_HOME to a folder you may write to."
        ) from error
    return target


def is_miniature(folder: Path) -> bool:
    """Tell whether a folder is an unpacked miniature, wherever it was copied to."""
    return (folder / MARK).is_file()
