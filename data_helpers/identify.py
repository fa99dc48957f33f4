"""Which dataset, release and split a folder holds, and which of its files are missing, altered or a known variant."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import cards
from .cards import Card
from .errors import DataError, MissingFileError
from .samples import Problem, Scan

MARK = "MINIATURE.txt"
LISTED = 200
"""At most so many names stand in a list; the number of the others is told."""


def identify(folder: Path) -> dict[str, Any]:
    """Identify a folder.

    Returns
    -------
    dict
        ``dataset`` (None where nothing is known), ``release``, ``splits`` (name to pictures named), ``tier``,
        ``files`` (published files found, with what their hash says), ``missing``, ``altered``, ``variants``, ``notes``.

    Raises
    ------
    MissingFileError
        The folder is empty.
    """
    if not any(folder.iterdir()):
        raise MissingFileError(f"{folder}: an empty folder. Fetch something into it, or check the path.")
    inner = [path.parent for pattern in (MARK, f"*/{MARK}", f"*/*/{MARK}") for path in sorted(folder.glob(pattern))]
    small = bool(inner) and not _beside(folder, inner)
    found = _candidates(folder)
    result: dict[str, Any] = {
        "dataset": None,
        "release": None,
        "splits": {},
        "tier": "miniature" if small else "full",
        "files": {},
        "missing": [],
        "altered": [],
        "variants": [],
        "notes": [],
    }
    if not found:
        known = ", ".join(cards.list_datasets())
        result["notes"].append(f"Nothing here looks like one of {known} in the layout its owners publish.")
        result["tier"] = None
        return result
    stem, release = found[0]
    result |= {"dataset": stem, "release": release}
    if len(found) > 1:
        others = "; ".join(f"{other} ({what})" for other, what in found[1:])
        result["notes"].append(f"It could also be read as {others}.")
    card = cards.parsed(stem)
    result["notes"] += _splits(stem, folder, result)
    if small:
        result["notes"].append("This is the miniature: it is not compared with the published files.")
    elif inner:
        places = ", ".join(path.relative_to(folder).as_posix() for path in inner)
        result["notes"].append(f"A miniature lies in {places}; its files may count among the others. Move it out.")
    for name, verdict, detail in _published(card, folder) if not small else ():
        result["files"][name] = verdict
        if verdict == "altered":
            result["altered"].append(f"{name}: {detail}")
        elif verdict == "variant":
            result["variants"].append(f"{name}: {detail}")
    for name, detail in _recorded(folder):
        (result["missing"] if detail == "missing" else result["altered"]).append(
            name if detail == "missing" else f"{name}: {detail}"
        )
    for key in ("missing", "altered"):
        names = list(dict.fromkeys(result[key]))
        result[key] = names[:LISTED] + ([f"... and {len(names) - LISTED:,} more"] if len(names) > LISTED else [])
    return result


def _beside(folder: Path, inner: list[Path]) -> bool:
    """Tell whether a folder holds files that belong to none of its inner folders."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return any(not any(path.is_relative_to(place) for place in inner) for path in files)


def _candidates(folder: Path) -> list[tuple[str, str]]:
    """Ask each dataset's module; the folder's own record of a fetch comes first."""
    found = []
    for stem in cards.list_datasets():
        try:
            module = importlib.import_module(f"{__package__}.{stem}")
        except ModuleNotFoundError:
            continue
        if release := module.recognise(folder):
            found.append((stem, str(release)))
    from .files import Ledger

    urls = {entry.url for entry in Ledger(folder).entries.values()}
    sure = {stem for stem, _ in found if urls & {url for file in cards.parsed(stem).files for url in file.urls}}
    return sorted(found, key=lambda one: one[0] not in sure)


def _splits(stem: str, folder: Path, result: dict[str, Any]) -> Iterator[str]:
    """Count the splits and take missing pictures from the dataset's own scan."""
    module = importlib.import_module(f"{__package__}.{stem}")
    try:
        scan: Scan = module.scan(folder)
    except DataError as error:
        yield f"It cannot be counted: {error}"
        return
    result["splits"] = dict(scan.splits)
    kinds: dict[str, int] = {}
    for problem in scan.problems:
        kinds[problem.kind] = kinds.get(problem.kind, 0) + 1
        if problem.kind.startswith("missing"):
            result["missing"].append(_place(problem))
    if kinds:
        listed = ", ".join(f"{kind} ({count:,})" for kind, count in sorted(kinds.items()))
        yield f"Problems: {listed}; python -m data_helpers summary {stem} --root {folder.name} tells each."
    if scan.images > scan.images_on_disk:
        yield f"{scan.images - scan.images_on_disk:,} of {scan.images:,} pictures are not on disk."


def _place(problem: Problem) -> str:
    return f"{problem.where} ({problem.detail})" if problem.detail else problem.where


def _published(card: Card, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Compare files and archive members of known hash with those in the folder, wherever they lie in it."""
    from .files.ledger import digests, verdict

    for file in card.files:
        path = _find(folder, file.name)
        if path is not None and (file.sha256 or file.md5):
            found = verdict(path, file)
            yield file.name, found.kind, found.detail
    for member in _members(card):
        path = _find(folder, member["name"])
        if path is None or not (member.get("sha256") or member.get("md5")):
            continue
        want = member.get("sha256") or member["md5"]
        name = "sha256" if member.get("sha256") else "md5"
        got = digests(path, (name,))[name]
        variants = {one["sha256"]: one.get("note", "") for one in member.get("variants", [])}
        if got == want:
            yield member["name"], "published", ""
        elif got in variants:
            yield member["name"], "variant", variants[got]
        else:
            size = path.stat().st_size
            known = f"{size:,} bytes, published {member['bytes']:,}" if member.get("bytes") else f"{size:,} bytes"
            yield member["name"], "altered", f"{known}; {member.get('note') or 'another hash than the published one'}"


def _members(card: Card) -> list[dict[str, Any]]:
    listed = card.extra.get("members", [])
    return [one for one in listed if isinstance(one, dict) and "name" in one] if isinstance(listed, list) else []


def _find(folder: Path, name: str) -> Path | None:
    if any(sign in name for sign in "*?["):
        return None
    if (folder / name).is_file():
        return folder / name
    bare = Path(name).name
    for pattern in (bare, f"*/{bare}", f"*/*/{bare}"):
        if path := next((path for path in sorted(folder.glob(pattern)) if path.is_file()), None):
            return path
    return None


def _recorded(folder: Path) -> Iterator[tuple[str, str]]:
    """Compare the folder with the record of what was fetched into it."""
    from .files import Ledger
    from .files.ledger import digests

    for name, entry in Ledger(folder).entries.items():
        for place, size in (entry.unpacked or {name: entry.bytes}).items():
            path = folder / place
            if not path.is_file():
                yield place, "missing"
            elif path.stat().st_size != size:
                yield place, f"{path.stat().st_size:,} bytes, {size:,} when it was fetched"
            elif (
                entry.unpacked is None
                and entry.sha256
                and path.stat().st_mtime_ns != entry.changed
                and digests(path)["sha256"] != entry.sha256
            ):
                yield place, "changed since it was fetched"
