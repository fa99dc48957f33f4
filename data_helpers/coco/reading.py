"""Samples out of a COCO folder: its lists merged by split, each picture with all that is said of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import MissingFileError
from ..samples import Sample, Selection
from . import layout
from .parts import read_categories
from .records import Picture
from .splits import Split, by_split

LABEL_TYPES = ("boxes", "masks", "keypoints", "captions", "stuff", "panoptic", "classes")


def read(root: Path, want: Selection) -> Iterator[Sample]:
    """Iterate the samples of a folder in COCO's layout, split by split, pictures in the order of their ids.

    ``annotations/*.json`` are read by what is in them; a split is the end of their names. A label type has an entry for
    each picture that a list of that type names: an empty one says that the list has no record of it.

    Raises
    ------
    UnknownNameError
        A split, class or label type that is not there.
    MissingFileError
        Neither lists nor pictures.
    FormatError
        A list that is cut short or broken; the message names byte or record.
    """
    kinds = want.names("label_types", LABEL_TYPES)
    paths = layout.lists(root)
    if want.split is not None and paths:
        named = [(layout.split_of(path), path) for path in paths]
        chosen = want.names("split", dict.fromkeys(split or path.stem for split, path in named)) or []
        paths = [path for split, path in named if (split or path.stem) in chosen or split is None]
    else:
        chosen = None
    if want.classes is not None:
        known = dict.fromkeys(category.name for path in paths for category in read_categories(path))
        want.names("classes", known)
    splits = by_split(paths)
    if chosen is not None:
        splits = (split for split in splits if split.name in chosen)
    some = False
    left = want.max_samples
    if want.shuffle:
        loaded = list(splits)
        pairs = [(split, picture) for split in loaded for picture in wanted(split, want)]
        picked = want.take(pairs)
        groups = {id(split): split.groups(kinds) for split in loaded}
        some = bool(loaded)
        for split, picture in picked:
            yield split.sample(picture, groups[id(split)])
    else:
        for split in splits:
            some = True
            pictures = want.take(wanted(split, want)) if left is None else wanted(split, want)[:left]
            found = split.groups(kinds)
            for picture in pictures:
                yield split.sample(picture, found)
            # Groups go before the records they share: freed in the order of the file, they take a third of the time.
            del found
            left = None if left is None else left - len(pictures)
            if left == 0:
                break
    if not some:
        yield from _loose(root, want)


def wanted(split: Split, want: Selection) -> list[Picture]:
    """Return the pictures of a split that have a wanted id and a wanted class, in the order of their ids."""
    ids = want.wants_id()
    chosen = [want.classes] if isinstance(want.classes, str) else want.classes
    keep: set[int] | None = None
    if chosen is not None:
        keep = set()
        for part in split.parts:
            numbers = {number for number, category in part.categories.items() if category.name in chosen}
            keep |= {note.image_id for note in part.annotations if note.category_id in numbers}
            for note in part.annotations if part.panoptic else ():
                if any(segment.category_id in numbers for segment in note.segments_info or ()):
                    keep.add(note.image_id)
    if ids is None and keep is None:
        return list(map(split.images.__getitem__, sorted(split.images)))
    return [
        split.images[number]
        for number in sorted(split.images)
        if (ids is None or number in ids) and (keep is None or number in keep)
    ]


def _loose(root: Path, want: Selection) -> Iterator[Sample]:
    """Iterate pictures that have no list."""
    found = layout.loose_pictures(root)
    if not found:
        raise MissingFileError(
            f"{root}: found neither annotations/*.json nor pictures of COCO. Check the path, or fetch COCO there."
        )
    chosen = want.names("split", found) or list(found)
    ids = want.wants_id()
    pairs = [(split, path, picture_id(path)) for split in chosen for path in found[split]]
    for split, path, number in want.take(pair for pair in pairs if ids is None or pair[2] in ids):
        yield Sample(id=number, image=path, split=split)


def picture_id(path: Path) -> int | str:
    """Return the id a picture's name holds: its last digits, without the zeros before them."""
    digits = re.search(r"(\d+)$", path.stem)
    return int(digits[1]) if digits else path.stem
