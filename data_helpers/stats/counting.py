"""What one object is, in every dataset: the definition that all tables share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import UnknownNameError
from ..samples import Sample

Table = list[dict[str, Any]]
KINDS = ("boxes", "classes", "stuff", "panoptic", "masks", "keypoints")
SMALL, LARGE = 32**2, 96**2
"""COCO's bounds, in square pixels: an object is small below the first, large above the second."""


class Object(NamedTuple):
    """One object: its class, its box in pixels or None, its area or None, whether it stands for a crowd."""

    label: str
    bbox: tuple[float, float, float, float] | None
    area: float | None
    crowd: bool
    record: Any


def kind_of(samples: Sequence[Sample], kind: str | None = None) -> str:
    """Return the label type that is counted: the given one, or the first of `KINDS` that the samples have.

    Raises
    ------
    UnknownNameError
        The samples have no such labels.
    """
    there = dict.fromkeys(name for sample in samples for name, records in sample.labels.items() if records)
    if kind is None:
        kind = next((name for name in KINDS if name in there), None)
    if kind is None or (kind not in there and kind not in KINDS):
        raise UnknownNameError(f"label type {kind!r} cannot be counted. Expected one of: {', '.join(there) or 'none'}.")
    return kind


def objects_of(sample: Sample, kind: str) -> Iterator[Object]:
    """Iterate a sample's objects."""
    for record in sample.labels.get(kind, ()):
        for item in getattr(record, "segments_info", None) or (record,):
            box = getattr(item, "bbox", None)
            area = getattr(item, "area", None)
            # A number written as the text "NaN" is read as one; no table can count with it.
            if box is not None and not np.isfinite(sum(box)):
                box = None
            if area is not None and not np.isfinite(area):
                area = None
            if area is None and box is not None:
                area = box[2] * box[3]
            label = getattr(item, "label", None)
            yield Object("" if label is None else str(label), box, area, bool(getattr(item, "iscrowd", 0)), item)


def rounded(value: Any, digits: int = 2) -> float:
    """Return a plain Python number, rounded so that tables read well and compare on every machine."""
    return round(float(value), digits)


def share_of(area: float | None, sample: Sample) -> float | None:
    """Return an area's share of the picture in percent; None where one of them is not known."""
    pixels = (sample.width or 0) * (sample.height or 0)
    return None if area is None or not pixels else 100 * area / pixels


def cover(sample: Sample, objects: Iterable[Object], grid: int) -> npt.NDArray[np.bool_] | None:
    """Return which cells of a grid over a picture have their middle in a box; None where its size is not known."""
    if not sample.width or not sample.height:
        return None
    cells = np.zeros((grid, grid), np.bool_)
    for one in objects:
        if one.bbox is not None:
            x, y, width, height = (float(number) for number in one.bbox)
            left, right = (np.clip([x, x + width], 0, sample.width) / sample.width * grid - 0.5).tolist()
            top, bottom = (np.clip([y, y + height], 0, sample.height) / sample.height * grid - 0.5).tolist()
            cells[int(np.ceil(top)) : int(np.floor(bottom)) + 1, int(np.ceil(left)) : int(np.floor(right)) + 1] = True
    return cells
