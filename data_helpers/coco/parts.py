"""One list of a COCO folder: read by what is in it, whatever it is called."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from ..errors import FormatError
from . import layout
from .decoding import LARGE, Span, UnevenError, decode, decode_piece, find_records, is_list, load, pieces
from .records import NOTHING, NULL, Annotation, Category, File, Picture

KINDS = ("captions", "panoptic", "points", "boxed", "boxes", "bare")
"""What `Part.learn` finds out."""


def only_class(note: Annotation) -> bool:
    """Tell a label of the whole picture: a category and nothing else."""
    other = note.bbox or note.raw_segmentation or note.raw_keypoints or note.caption is not None
    return note.category_id is not None and not other


def is_stuff(note: Annotation) -> bool:
    """Tell a label of stuff: it has an outline, or at least a box."""
    return note.bbox is not None or note.has_mask


def _some(notes: list[Annotation], field: str) -> bool:
    values = list(map(attrgetter(field), notes))
    return values.count(None) < len(values)


class Part:
    """One list of a folder: its records, and which kinds of labels they are.

    A large list that is only to be counted has no records here, but the ``span`` of bytes where they stand.
    """

    def __init__(
        self,
        path: Path,
        file: File,
        split: str | None,
        *,
        results: bool,
        text: bool,
        span: Span | None = None,
    ) -> None:
        self.path, self.split, self.results, self.text, self.span = path, split, results, text, span
        self.images = file.images or []
        self.annotations = file.annotations or []
        self.category_ids = [category.id for category in file.categories or ()]
        self.categories = {category.id: category for category in file.categories or ()}
        self.licences = {licence.id: licence for licence in file.licenses or ()}
        self.captions = self.panoptic = self.points = self.boxes = self.bare = False
        self.boxed = True
        self.learn(self.annotations)

    def learn(self, notes: list[Annotation]) -> None:
        """Note which kinds of labels some records are: each question is one pass in C."""
        self.captions = self.captions or _some(notes, "caption")
        self.panoptic = self.panoptic or _some(notes, "segments_info")
        if not self.points and any(map(attrgetter("raw_keypoints"), notes)):
            self.points = any(note.raw_keypoints not in (NOTHING, NULL) for note in notes)
        self.boxed = self.boxed and None not in map(attrgetter("bbox"), notes)
        self.boxes = self.boxes or any(note.bbox or note.raw_segmentation for note in notes)
        self.bare = self.bare or (not self.boxes and any(map(only_class, notes)))

    @property
    def stuff(self) -> bool:
        """Whether the outlines are of stuff: grass and sky, which have no count."""
        return self.boxes and self._is_stuff()

    @property
    def classes(self) -> bool:
        """Whether the records name a class of the whole picture, and nothing else."""
        return not self.boxes and self.bare

    @cached_property
    def outlined(self) -> bool:
        """Whether every record has an outline."""
        sizes = map(len, map(attrgetter("raw_segmentation"), self.annotations))
        # What is long is no empty outline.
        return self.boxes and all(
            size > 99 or note.has_mask for size, note in zip(sizes, self.annotations, strict=True)
        )

    @property
    def ids(self) -> set[int]:
        """Ids of the pictures that the list names."""
        return {image.id for image in self.images}

    def _is_stuff(self) -> bool:
        kinds = [category.supercategory or "" for category in self.categories.values()]
        said = bool(kinds) and all(kind.endswith("-stuff") or kind == "other" for kind in kinds)
        return said or self.path.stem.startswith("stuff_")

    @property
    def lvis(self) -> bool:
        """Whether the categories are those of LVIS, which has another rule of what is labelled."""
        return any(category.synset and category.frequency for category in self.categories.values())

    def name(self, category: int | None) -> str | None:
        """Return a class's name, or its number where the file names none."""
        known = self.categories.get(category) if category is not None else None
        return known.name if known is not None else None if category is None else str(category)

    def kinds(self) -> list[str]:
        """Return the label types this list speaks of."""
        outlines = (["stuff"] if self.stuff else ["boxes", "masks"]) if self.boxes else []
        told = {"keypoints": self.points, "captions": self.captions, "panoptic": self.panoptic, "classes": self.classes}
        return outlines + [kind for kind, there in told.items() if there]

    def sort(self) -> dict[str, Callable[[Annotation], Any]]:
        """Return for each label type the test that tells its records."""
        tests: dict[str, Callable[[Annotation], Any]] = {
            "boxes": lambda a: a.bbox is not None,
            "masks": lambda a: a.has_mask,
            "stuff": is_stuff,
            "keypoints": lambda a: a.has_keypoints,
            "captions": lambda a: a.caption is not None,
            "panoptic": lambda a: a.segments_info is not None,
            "classes": only_class,
        }
        return {kind: tests[kind] for kind in self.kinds()}


def open_list(path: Path, *, whole: bool = True) -> Part | list[Category] | None:
    """Read one JSON file by what is in it: a list of COCO's, a list of categories, or None for anything else.

    Parameters
    ----------
    path
        The file.
    whole
        Keep all records; otherwise a large file's are left where they stand, to be taken up in pieces.

    Raises
    ------
    FormatError
        Not JSON, or COCO's with a broken record.
    """
    data = load(path)
    if is_list(data):
        try:
            return decode(data, list[Category], path)[0]
        except FormatError:
            notes, text = decode(data, list[Annotation], path)
        images = [Picture(number) for number in sorted({note.image_id for note in notes})]
        return Part(path, File(images, notes), layout.split_of(path), results=True, text=text)
    if not whole and len(data) > LARGE and (found := find_records(data)):
        part = Part(path, found[0], layout.split_of(path), results=False, text=False, span=found[1])
        with contextlib.suppress(UnevenError):
            part.learn(decode_piece(next(pieces(data, found[1]))))
            return part
    file, text = decode(data, File, path)
    if file.images is None and file.annotations is None:
        return None
    return Part(path, file, layout.split_of(path), results=False, text=text)


class _Names(msgspec.Struct):
    categories: list[Category] = []


def read_categories(path: str | Path) -> list[Category]:
    """Return the categories of one annotation file or list of categories, with keypoint names and skeleton."""
    path = Path(path)
    data = load(path)
    if not is_list(data):
        return decode(data, _Names, path)[0].categories
    try:
        return decode(data, list[Category], path)[0]
    except FormatError:
        # A list of results names none.
        decode(data, list[Annotation], path)
        return []
