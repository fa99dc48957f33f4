"""From a dataset's name to its module and its folder: miniature, sample of real data, or the reader's own copy."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from .cards import parsed
from .errors import FormatError, MissingFileError, UnknownNameError
from .home import place, root_of
from .miniature import is_miniature
from .miniature import miniature as unpack
from .samples import Selection, Tier

if TYPE_CHECKING:
    from .files import Plan


def reader(name: str) -> Any:
    """Return the module that reads a dataset's original files."""
    stem = parsed(name).stem
    module = f"{__package__}.{stem}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise UnknownNameError(f"{stem!r} has a card but no reader in this version of the package.") from error


def plan(name: str, want: Selection, target: Path) -> Plan:
    """Plan a fetch by the dataset's own route, or file by file where it has none."""
    return _route(name, "plan")(parsed(name), want, target)  # type: ignore[no-any-return]


def fetch(name: str, want: Selection, target: Path, *, max_bytes: int | None, progress: bool | None) -> None:
    """Fetch by the dataset's own route, or file by file where it has none."""
    _route(name, "fetch")(parsed(name), want, target, max_bytes=max_bytes, progress=progress)


def _route(name: str, verb: str) -> Callable[..., Any]:
    from . import files

    default = getattr(files, f"{verb}_card")
    try:
        own = getattr(reader(name), verb, None)
    except UnknownNameError:
        # A card without a reader still knows its files.
        parsed(name)
        own = None
    return own or default  # type: ignore[no-any-return]


def folder(path: str | Path) -> Path:
    """Return an existing folder's path, or say what stands there instead."""
    found = _path(path)
    if not found.is_dir():
        what = "a file" if found.exists() else "nothing"
        raise MissingFileError(f"{found}: expected a folder, found {what}. Check the path.")
    return found


def _path(path: str | Path) -> Path:
    # An empty text is a variable that was never set: it must not mean the folder one happens to stand in.
    try:
        if path != "":
            return Path(path).expanduser()
    except (TypeError, RuntimeError):
        pass
    raise MissingFileError(f"{path!r}: expected the path of a folder. Check it; '.' is the folder you are in.")


def target(name: str, root: str | Path | None) -> Path:
    """Return where a fetch puts its files: the given folder, or the dataset's own one in the cache."""
    return _path(root) if root is not None else place() / "datasets" / parsed(name).stem


def resolve(name: str, root: str | Path | None) -> tuple[Path, Tier]:
    """Return the folder to read and its tier; fetches the sample where ``root`` asks for it."""
    stem = parsed(name).stem
    if root == "sample" and parsed(stem).sample is None:
        from .files import gated

        raise gated(parsed(stem), "there is no sample of real data that may be fetched")
    reader(stem)
    if root is None:
        root = root_of(stem)
    if root is None:
        return unpack(stem), "miniature"
    if root == "sample":
        return _sample(stem), "sample"
    found = folder(root)
    if is_miniature(found):
        return found, "miniature"
    return found, "sample" if found.resolve() == _sample_folder(stem).resolve() else "full"


def _sample_folder(stem: str) -> Path:
    return place() / "samples" / stem


def _sample(stem: str) -> Path:
    card = parsed(stem)
    assert card.sample is not None
    found = _sample_folder(stem)
    if not found.is_dir():
        print(
            f"Fetching a sample of {card.title}: {card.sample.what.rstrip('.')}, about {card.sample.bytes:,} bytes.",
            file=sys.stderr,
        )
    fetch(stem, _sampled(stem), found, max_bytes=None, progress=None)
    return found


def _sampled(stem: str) -> Selection:
    sample = parsed(stem).sample
    assert sample is not None
    try:
        return Selection(**sample.arguments)
    except TypeError as error:
        raise FormatError(f"card {stem}: [sample.arguments] does not fit fetch: {error}.") from error


def within(name: str, root: Path, tier: Tier, want: Selection) -> Selection:
    """Return what to read: of the sample just the pictures it was made of, though its lists name all of a split."""
    if tier != "sample" or _sampled(name).max_samples is None:
        return want
    held = [sample.id for sample in reader(name).read(root, _sampled(name))]
    ids = want.wants_id()
    return msgspec.structs.replace(want, image_ids=[one for one in held if ids is None or one in ids])
