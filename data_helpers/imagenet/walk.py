"""Find ImageNet's files below a folder, whichever of its layouts they are in, by their names alone."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .boxes import PICTURES, WNID
from .classes import convert
from .tars import Tar

LISTS = {
    "ILSVRC2012_validation_ground_truth.txt": "truth",
    "LOC_val_solution.csv": "val",
    "LOC_train_solution.csv": "train",
    "LOC_synset_mapping.txt": "words",
    "words.txt": "words",
    "map_clsloc.txt": "map",
    "wnids.txt": "wnids",
    "imagenet_synsets.txt": "wnids",
    "wordnet.is_a.txt": "is_a",
    "meta.mat": "meta",
    "val_annotations.txt": "tiny",
    "real.json": "real",
    "imagenet_real_labels.json": "real",
    "imagenet_class_index.json": "index",
}
SHARED = {"words.txt": rb"n\d{8}\t", "wnids.txt": rb"n\d{8}\s", "real.json": rb"\[\s*\[", "meta.mat": rb"MATLAB"}
"""Names that other datasets may use as well, and how the file begins where it is ImageNet's."""
SETS = re.compile(r"(train|val|test)(_cls|_loc)?\.txt")
SPLIT = re.compile(r"(?:.*_)?(train|val|test)(?:_t3|_images(?:_\d+)?)?|(train|val|test)_images_\d+")
STEM = re.compile(r"ILSVRC20\d\d_(val|test)_\d{8}(?:_n\d{8})?|n\d{8}_\d+(?:_n\d{8})?|(val|test)_\d+")
BASE = re.compile(r"tiny-imagenet.*|image(?:nette|woof|wang).*|imagenet-?v2.*", re.I)
V2 = re.compile(r"imagenet-?v2.*", re.I)
ARCHIVE = re.compile(r"ILSVRC20\d\d_img_(train|val|test).*\.tar|n\d{8}\.tar")
KIT = "ILSVRC2012_devkit_t12.tar.gz"


class Group(NamedTuple):
    """Pictures of one folder, or places of one inner archive: split, wnid where all share one, names or places.

    ``folder`` is "" where a list names the pictures and no file is there.
    """

    folder: str
    base: str
    split: str | None
    wnid: str | None
    names: Sequence[Any]
    tar: Tar | None = None

    def name(self, number: int) -> str:
        """Return the file name of one picture."""
        return Path(self.tar.name(self.names[number])).name if self.tar else self.names[number]

    def stem(self, number: int) -> str:
        """Return the id of one picture: its file name without the ending."""
        name = self.name(number)
        return name.rpartition(".")[0] if self.folder or self.tar else name


class Found(NamedTuple):
    """Everything below a folder by kind; the keys of ``lists`` are the values of `LISTS`, ``sets`` and ``boxes``.

    ``strays`` are pictures of which no folder and no name says that they are ImageNet's.
    """

    groups: list[Group]
    annotations: dict[str, tuple[str | None, str]]
    lists: dict[str, list[Path]]
    archives: list[Path]
    strays: list[str]
    kit: Path | None


def walk(root: Path) -> Found:
    """Walk a folder once, in order of names, links too; hidden folders are left out."""
    found = Found([], {}, defaultdict(list), [], [], None)
    kit, seen, devkit = None, set(), set()
    for folder, folders, names in os.walk(root, followlinks=True):
        state = Path(folder).stat()
        if (state.st_dev, state.st_ino) in seen:
            # A link to a folder that was walked already: a loop, or its pictures twice.
            folders.clear()
            continue
        seen.add((state.st_dev, state.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        parts = Path(folder).relative_to(root).parts
        if "1000" in folders and not any(map(V2.fullmatch, (*parts, root.name))):
            devkit.add(folder)
        base, split, wnid = _place(parts, root.name)
        if wnid and wnid not in parts and str(Path(folder).parent) in devkit:
            # Folders up to 1000 are no indices: of none of them the class is known.
            wnid = None
        grouped: dict[tuple[str | None, str | None], list[str]] = {}
        for name in sorted(name for name in names if not name.startswith(".")):
            stem, dot, ending = name.rpartition(".")
            ending = (dot + ending).lower()
            if ending in PICTURES and (wnid or WNID.match(name) or STEM.fullmatch(stem) or split):
                key = (split or _split(stem), wnid or named_wnid(stem))
                grouped.setdefault(key, []).append(name)
            elif ending in PICTURES:
                found.strays.append(os.path.join(folder, name))  # noqa: PTH118
            elif ending == ".xml":
                found.annotations[stem] = (split or _split(stem), os.path.join(folder, name))  # noqa: PTH118
            elif name in LISTS:
                found.lists[LISTS[name]].append(Path(folder, name))
            elif SETS.fullmatch(name) and parts and parts[-1] in ("CLS-LOC", "ImageSets"):
                found.lists["sets"].append(Path(folder, name))
            elif re.fullmatch(r"n\d{8}_boxes\.txt", name):
                found.lists["boxes"].append(Path(folder, name))
            elif ARCHIVE.fullmatch(name):
                found.archives.append(Path(folder, name))
            elif name == KIT:
                kit = Path(folder, name)
        found.groups.extend(Group(folder, base, *key, listed) for key, listed in grouped.items())
    return found._replace(kit=kit)


def _place(parts: tuple[str, ...], root: str) -> tuple[str, str | None, str | None]:
    """Return what a folder's place says: a stand-in's name or "", its split, its class."""
    base = next((part for part in parts if BASE.fullmatch(part)), "")
    split = next((match[1] or match[2] for part in parts if (match := SPLIT.fullmatch(part))), None)
    wnid = next((part for part in reversed(parts) if WNID.fullmatch(part)), None)
    second = next((name for name in (*parts, root) if V2.fullmatch(name)), None)
    split = split or second
    if wnid is None and parts and re.fullmatch(r"0|[1-9][0-9]{0,2}", parts[-1]):
        # ImageNetV2's folders are called by the index of the class; sorted as text they stand in another order.
        wnid, split = convert(parts[-1], "index", "wnid"), split or base or None
    return base, split, wnid


def _split(stem: str) -> str | None:
    match = STEM.fullmatch(stem)
    return None if match is None else match[1] or match[2] or "train"


def named_wnid(stem: str) -> str | None:
    """Return the wnid that a picture's own name begins or ends with."""
    match = re.match(r"(n\d{8})_", stem) or re.search(r"_(n\d{8})$", stem)
    return match[1] if match else None


def recognise(folder: Path) -> str | None:
    """Name what of ImageNet a folder holds, or None.

    Looks at names alone, but for those that other datasets use as well: of these it reads the first bytes.
    """
    kinds = {folder.name} if BASE.fullmatch(folder.name) else set()
    for one, names, folders in _levels(folder):
        kinds |= {
            name for name in names if ARCHIVE.fullmatch(name) or name == KIT or (name in LISTS and _own(one / name))
        }
        kinds |= {"pictures" for name in names if STEM.fullmatch(name.rpartition(".")[0]) or re.match(r"n\d{8}_", name)}
        kinds |= {name for name in folders if BASE.fullmatch(name) or WNID.fullmatch(name)}
    if not kinds:
        return None
    bases = sorted(kind for kind in kinds if BASE.fullmatch(kind))
    if bases:
        return ", ".join(bases)
    return "ImageNet, Kaggle's tree" if (folder / "ILSVRC").is_dir() else "ImageNet (ILSVRC-2012)"


def _own(path: Path) -> bool:
    if path.name not in SHARED:
        return True
    with path.open("rb") as file:
        return re.match(SHARED[path.name], file.read(64)) is not None


def _levels(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Iterate names of files and folders, of the first few folders of each of five levels."""
    level = [folder]
    for _ in range(5):
        below: list[Path] = []
        for one in level[:20]:
            files: list[str] = []
            folders: list[str] = []
            try:
                with os.scandir(one) as entries:
                    for number, entry in enumerate(entries):
                        if number > 2000:
                            break
                        if not entry.name.startswith("."):
                            (folders if entry.is_dir() else files).append(entry.name)
            except OSError:
                continue
            yield one, files, folders
            below += [one / name for name in sorted(folders)]
        level = below
