"""ImageNet (ILSVRC-2012) and its open stand-ins, in every form in which they are published.

One reader walks a folder by names and takes what is there: the train archive (a tar of tars, not unpacked), class
folders, the flat validation folder with the devkit's ground truth, Kaggle's CLS-LOC tree, bounding boxes in XML, Tiny
ImageNet, Imagenette, ImageNetV2, or a single list. A label is a wnid, because names repeat; `convert` knows the rest.
"""

from __future__ import annotations

from pathlib import Path

from .. import files
from ..cards import Card
from ..errors import ChecksumError
from ..samples import Selection
from .boxes import Annotation, Box, read_annotation, read_boxes
from .classes import Class, convert, numbering
from .lists import (
    Edge,
    MappedClass,
    Solution,
    Synset,
    read_class_list,
    read_ground_truth,
    read_image_set,
    read_is_a,
    read_map_clsloc,
    read_meta,
    read_real,
    read_solution,
    read_wnids,
    read_words,
)
from .reading import read
from .scanning import scan
from .tars import Tar, index
from .walk import recognise

__all__ = [
    "Annotation",
    "Box",
    "Class",
    "Edge",
    "MappedClass",
    "Solution",
    "Synset",
    "Tar",
    "convert",
    "fetch",
    "index",
    "numbering",
    "plan",
    "read",
    "read_annotation",
    "read_boxes",
    "read_class_list",
    "read_ground_truth",
    "read_image_set",
    "read_is_a",
    "read_map_clsloc",
    "read_meta",
    "read_real",
    "read_solution",
    "read_wnids",
    "read_words",
    "recognise",
    "scan",
]


def plan(card: Card, want: Selection, root: Path) -> files.Plan:
    """Plan a fetch; a stand-in is named by ``split``. What only the owners hand out is told, with the way, as note."""
    found = files.plan_card(card, want, root)
    found.notes += [f"{file.name}: {file.note}" for file in card.files if file.note and _is_in(file.name, found)]
    return found


def _is_in(name: str, found: files.Plan) -> bool:
    return any(part.name == name for part in found.parts)


def fetch(card: Card, want: Selection, root: Path, *, max_bytes: int | None, progress: bool | None) -> None:
    """Fetch what `plan` tells; where other bytes come than were published, the card's note on them is told.

    Raises
    ------
    GatedError
        What is wanted is ImageNet itself; the message is the way to get it, and names the stand-ins.
    """
    if want.split is None:
        open_ones = ", ".join(dict.fromkeys(split for file in card.files if file.urls for split in file.splits))
        raise files.gated(card, f"only its owners hand it out; open stand-ins, named by split: {open_ones}")
    found = plan(card, want, root)
    try:
        files.fetch_card(card, want, root, max_bytes=max_bytes, progress=progress)
    except ChecksumError as error:
        raise ChecksumError("\n".join([str(error), *found.notes])) from error
