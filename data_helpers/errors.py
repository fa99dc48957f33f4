"""Every error this package raises on purpose: one base, and leaves that are also built-ins.

A message names the file, the place in it, what was found, what was expected and the next step, so that a reader
can act on it without reading our code.
"""

from __future__ import annotations


class DataError(Exception):
    """Base of all errors raised by ``data_helpers``; catch it to catch them all."""


class MissingFileError(DataError, FileNotFoundError):
    """A file or folder that is needed is not there."""


class FormatError(DataError, ValueError):
    """A file's content is not what its format says: cut short, of another type, out of range."""


class UnknownNameError(DataError, ValueError):
    """A dataset, split, class or label type that does not exist; the message lists those that do."""


class ChecksumError(DataError, OSError):
    """The bytes that came are not the bytes that were published."""


class NetworkError(DataError, OSError):
    """No mirror gave the file; the message lists what each one answered."""


class GatedError(DataError, PermissionError):
    """The owners do not let anyone download this; the message says where to ask and which files to put where."""


class BudgetError(DataError, ValueError):
    """A fetch would move more bytes than ``max_bytes`` or than the disk has room for."""


class StorageError(DataError, OSError):
    """The cache or the target cannot be written."""


class ArchiveError(FormatError):
    """An archive is cut short, or holds an entry that would leave its folder or exceed the limits."""


class MissingExtraError(DataError, ImportError):
    """A part of the package needs software that is not installed; the message holds the one line to type."""


class DatabaseError(DataError, RuntimeError):
    """FiftyOne's MongoDB server does not start."""


def missing_extra(extra: str, why: str) -> MissingExtraError:
    """Build the error for a missing optional dependency.

    Parameters
    ----------
    extra
        Name of the extra in ``pyproject.toml``, such as ``"app"``.
    why
        What needs it, as the beginning of a sentence: ``"Exploring in FiftyOne"``.
    """
    return MissingExtraError(f"{why} needs the extra '{extra}'. Type: pip install 'image-datasets-book[{extra}]'")
