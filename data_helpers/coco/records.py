"""COCO's objects, field by field, under the names the files give them.

Source of the format: https://cocodataset.org/#format-data. What is long and seldom needed, outlines and
keypoints, stays the file's own bytes until it is asked for: a training file then reads ten times as fast.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..errors import FormatError

NOTHING, NULL = msgspec.Raw(b""), msgspec.Raw(b"null")
EMPTY = (NOTHING, NULL, msgspec.Raw(b"[]"), msgspec.Raw(b"[[]]"))


class Licence(msgspec.Struct, gc=False):
    """One of the licences that a file's images point to by ``license``."""

    id: int
    name: str | None = ""
    url: str | None = ""


class Category(msgspec.Struct, omit_defaults=True):
    """A class. ``skeleton`` pairs count ``keypoints`` from 1; ``isthing`` stands in panoptic files only."""

    id: int
    name: str
    supercategory: str | None = None
    isthing: int | None = None
    keypoints: list[str] | None = []
    skeleton: list[list[int]] | None = []
    synset: str | None = None
    frequency: str | None = None


class Picture(msgspec.Struct, gc=False):
    """One entry of ``images``: sizes in pixels, ``license`` a key into the file's licences."""

    id: int
    file_name: str | None = ""
    width: int | None = None
    height: int | None = None
    license: int | None = None
    flickr_url: str | None = ""
    coco_url: str | None = ""


class Segment(msgspec.Struct, gc=False, omit_defaults=True):
    """One segment of a panoptic map; its pixels have the value ``id`` = R + 256 G + 65536 B."""

    id: int
    category_id: int
    area: float | None = None
    bbox: tuple[float, float, float, float] | None = None
    iscrowd: int | bool | None = 0
    label: str | None = None


class Annotation(msgspec.Struct, gc=False, omit_defaults=True):
    """One entry of ``annotations``, or of a results file; what an entry has not is None.

    Attributes
    ----------
    bbox
        ``(x, y, width, height)`` in pixels, origin at the top left.
    area
        Square pixels; in COCO's files that of the outline, not of the box.
    iscrowd
        1 where one region stands for a large group.
    segmentation
        List of polygons ``[x1, y1, x2, y2, ...]``, or ``{"size": [height, width], "counts": ...}``; decoded when asked.
    keypoints
        ``[x, y, v, ...]``, v = 0 not labelled, 1 hidden, 2 visible; decoded when asked.
    label
        Name of the class.
    """

    image_id: int
    id: int | None = None
    category_id: int | None = None
    bbox: tuple[float, float, float, float] | None = None
    area: float | None = None
    iscrowd: int | bool | None = 0
    raw_segmentation: msgspec.Raw = msgspec.field(name="segmentation", default=NOTHING)
    raw_keypoints: msgspec.Raw = msgspec.field(name="keypoints", default=NOTHING)
    num_keypoints: int | None = None
    caption: str | None = None
    score: float | None = None
    segments_info: list[Segment] | None = None
    file_name: str | None = None
    label: str | None = None

    @property
    def segmentation(self) -> Any:
        """Polygons or RLE, as the file has them; None where there is none."""
        return self._decoded("segmentation", self.raw_segmentation)

    @property
    def keypoints(self) -> list[float] | None:
        """Flat list of x, y and visibility, or None."""
        return self._decoded("keypoints", self.raw_keypoints)  # type: ignore[no-any-return]

    def _decoded(self, field: str, raw: msgspec.Raw) -> Any:
        try:
            return msgspec.json.decode(raw) if raw else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise FormatError(f"annotation {self.id}: {field}: {error}. Mend the record.") from error

    @property
    def has_mask(self) -> bool:
        """Whether there is an outline or an RLE."""
        if self.raw_segmentation in EMPTY:
            return False
        data = bytes(self.raw_segmentation)
        return len(data) > 99 or bool(data.translate(None, b"[] \t\r\n"))

    @property
    def has_keypoints(self) -> bool:
        """Whether at least one keypoint is labelled."""
        if self.num_keypoints is not None or self.raw_keypoints in EMPTY:
            return (self.num_keypoints or 0) > 0
        try:
            points = self.keypoints
        except FormatError:
            return False
        return isinstance(points, list) and any(points[2::3])

    def __repr__(self) -> str:
        shown = [f"{name}={value!r}" for name in self.__struct_fields__ if (value := self._shown(name)) is not None]
        return f"Annotation({', '.join(shown)})"

    def _shown(self, name: str) -> Any:
        value = getattr(self, name)
        if name.startswith("raw_"):
            return f"<{len(bytes(value))} bytes>" if value else None
        return value


class File(msgspec.Struct):
    """A whole annotation file; an absent list is None."""

    images: list[Picture] | None = None
    annotations: list[Annotation] | None = None
    categories: list[Category] | None = None
    licenses: list[Licence] | None = None
