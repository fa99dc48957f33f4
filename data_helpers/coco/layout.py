"""Where a COCO folder keeps its lists and pictures, in the layouts that COCO and other tools write."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
SPLIT = re.compile(
    r"(?:^|[_.-])((?:test-?dev|valminusminival|minival|trainval35k|trainval|train|validation|valid|val|test|unlabeled)"
    r"(?:20\d\d)?)(?=$|[_.-])"
)
KIND = re.compile(
    r"^(?:instances|person_keypoints|captions|stuff|panoptic|images?_info|labels|_annotations\.coco)(?:_|$)"
)
UNPACKED = re.compile(r"annotations$|(?:(?:stuff|panoptic)_)?annotations_trainval20\d\d$|image_info_")
PACKED = re.compile(r"annotations.*\.zip$|image_info_.*\.zip$|\.json\.(?:gz|zip|bz2|xz)$")
DEPTH = 5


def walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Go through a folder a few levels deep, in sorted order; what is hidden is left out."""
    for folder, folders, names in os.walk(root):
        depth = len(Path(folder).relative_to(root).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < DEPTH else []
        yield Path(folder), sorted(name for name in names if not name.startswith("."))


def lists(root: Path) -> list[Path]:
    """Return a folder's JSON files: those of ``annotations/``, else all that lie in it, a few levels deep.

    Hidden ones are left out: macOS puts a ``._name.json`` that is no JSON beside each file it copies.
    """
    if found := sorted(path for path in (root / "annotations").glob("[!.]*.json") if path.is_file()):
        return found
    found = [folder / name for folder, names in walk(root) for name in names if name.endswith(".json")]
    # FiftyOne's zoo keeps the downloaded lists in raw/, beside the folders that it makes of them.
    made = {path.parent.parent / "raw" for path in found if path.name == "labels.json"}
    made = {folder for folder in made if (folder.parent / "info.json").is_file()}
    return [path for path in found if path.parent not in made]


def packed_lists(root: Path) -> list[Path]:
    """Return the archives in a folder that by their names hold lists."""
    return [folder / name for folder, names in walk(root) for name in names if PACKED.search(name)]


def split_of(path: Path) -> str | None:
    """Return the split that a list's name gives: ``instances_val2017.json`` is val2017's; None where it gives none."""
    if words := SPLIT.findall(path.stem):
        return str(words[-1])
    if (kind := KIND.match(path.stem)) and (rest := path.stem[kind.end() :]):
        return rest
    return path.parent.name if SPLIT.fullmatch(path.parent.name) else None


def order(split: str) -> tuple[bool, str]:
    """Sort splits by name, those without public labels last: the first pictures of all have something to show."""
    return split.startswith(("test", "unlabeled")), split


def base_of(path: Path) -> Path:
    """Return the folder next to whose lists the picture folders lie."""
    # The folder we stand in has no name of its own.
    base = path.parent if path.parent.name else path.parent.absolute()
    # Twice where annotations_trainval2017.zip was unpacked into a folder of its own name.
    while UNPACKED.match(base.name.lower()):
        base = base.parent
    return base


def names_in(folder: Path) -> frozenset[str]:
    """Return the names in a folder; empty where there is none."""
    try:
        return frozenset(path.name for path in os.scandir(folder))
    except OSError:
        return frozenset()


def picture_folder(base: Path, split: str | None, wanted: Iterable[str]) -> tuple[Path, frozenset[str]]:
    """Find the folder of a split's pictures, and the names in it.

    ``<split>/`` and ``images/<split>/`` come first, then the same without the year or with the year's test pictures,
    then whatever folder holds a picture of the list.
    """
    stems = [split, re.sub(r"test-?dev", "test", split), re.sub(r"20\d\d$", "", split)] if split else []
    tried = [base / place / stem for stem in dict.fromkeys(stems) for place in (".", "images")]
    tried += [folder / inner for folder in tried[:2] for inner in ("images", "data", folder.name)]
    tried += [base / "images", base / "data", base]
    wanted = set(wanted)
    others = (path for path in sorted(base.glob("*")) if path.is_dir() and not path.name.startswith("."))
    for folder in (*tried, *others):
        names = names_in(folder)
        if not wanted.isdisjoint(names):
            return folder, names
    first = next((folder for folder in tried[:-1] if folder.is_dir()), base / (split or "images"))
    return first, names_in(first)


def loose_pictures(root: Path) -> dict[str, list[Path]]:
    """Return the picture files of a folder that has no lists, by the name of their folder."""
    found: dict[str, list[Path]] = {}
    for folder, names in walk(root):
        pictures = [folder / name for name in names if Path(name).suffix.lower() in PICTURES]
        if pictures and not folder.name.startswith("panoptic_"):
            found.setdefault(folder.name, []).extend(pictures)
    return found


def recognise(folder: Path) -> str | None:
    """Name what of COCO a folder holds, by its names alone, or return None."""
    found = [path for path in lists(folder) if KIND.match(path.stem)]
    names = {split_of(path) for path in found} - {None}
    if not found:
        names = {name for name in names_in(folder) if SPLIT.fullmatch(name) and re.search(r"20\d\d$", name)}
        names |= {folder.name} if SPLIT.fullmatch(folder.name) and re.search(r"20\d\d$", folder.name) else set()
    if not names:
        return "COCO layout" if found else None
    years = sorted({year[0] for name in names if (year := re.search(r"20\d\d$", str(name)))})
    return f"COCO {' and '.join(years)}" if years else "COCO layout"
