"""Masks as FiftyOne stores them: cut to their box, as the bytes of a compressed NumPy file."""

from __future__ import annotations

import functools
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from ..coco.masks import check_polygons, mask
from ..errors import FormatError

# Masks are long runs of equal bytes: the fastest level packs them nearly as well as the slowest.
LEVEL = 1


def stored(array: npt.NDArray[Any]) -> bytes:
    """Return an array as FiftyOne keeps it in its database: ``np.save``, then zlib."""
    array = np.ascontiguousarray(array)
    return zlib.compress(_header(array.dtype.str, array.shape) + array.tobytes(), LEVEL)


@functools.lru_cache(maxsize=4096)
def _header(kind: str, shape: tuple[int, ...]) -> bytes:
    """Return the head of a NumPy file, format 1.0: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode("latin1")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def cut(array: npt.NDArray[Any], bbox: tuple[float, ...]) -> npt.NDArray[Any]:
    """Cut what lies in a box, ``[x, y, width, height]`` in pixels, its edges rounded as FiftyOne rounds them."""
    x, y, width, height = bbox
    return array[max(0, round(y)) : max(0, round(y + height)), max(0, round(x)) : max(0, round(x + width))]


def in_box(record: Any, bbox: tuple[float, ...], height: int, width: int) -> npt.NDArray[np.bool_]:
    """Decode a record's mask, cut to its box.

    Polygons are drawn on a canvas little larger than the box and not on the whole picture, which takes a tenth of the
    time. pycocotools first rounds corners to fifths of a pixel; done here before the polygon is moved, its drawing is
    the same to the pixel.

    Raises
    ------
    FormatError
        No mask, or one that breaks its format.
    """
    segmentation = record.segmentation
    if not isinstance(segmentation, list) or not segmentation:
        return cut(mask(record, height, width), bbox)
    check_polygons(segmentation)
    x, y, w, h = bbox
    left, top = max(0, int(x) - 1), max(0, int(y) - 1)
    right, bottom = min(width, int(x + w) + 3), min(height, int(y + h) + 3)
    if right <= left or bottom <= top:
        return np.zeros((0, 0), np.bool_)
    shift = np.array((left, top), np.float64)
    parts = [np.trunc(np.asarray(part, np.float64) * 5 + 0.5).reshape(-1, 2) / 5 - shift for part in segmentation]
    inside = all(
        part.min() >= 0 and part[:, 0].max() <= right - left and part[:, 1].max() <= bottom - top for part in parts
    )
    if not inside:
        # An outline that leaves its own box: only the whole picture shows it as pycocotools would.
        return cut(mask(record, height, width), bbox)
    from pycocotools import mask as api

    drawn = api.decode(api.frPyObjects([part.ravel() for part in parts], bottom - top, right - left))
    whole: npt.NDArray[np.bool_] = (drawn[:, :, 0] if drawn.shape[2] == 1 else drawn.any(axis=2)).astype(np.bool_)
    rows = slice(max(0, round(y)) - top, max(0, round(y + h)) - top)
    columns = slice(max(0, round(x)) - left, max(0, round(x + w)) - left)
    return whole[max(rows.start, 0) : rows.stop, max(columns.start, 0) : columns.stop]


def painted(records: Any, height: int, width: int) -> tuple[npt.NDArray[np.uint8 | np.uint16], dict[int, str]]:
    """Paint one mask a class into a map of category ids, 0 where there is none; and name the ids.

    Raises
    ------
    FormatError
        A mask that does not fit the picture.
    """
    names = {int(record.category_id): str(record.label) for record in records if record.category_id is not None}
    canvas = np.zeros((height, width), np.uint8 if max(names, default=0) < 256 else np.uint16)
    for record in records:
        if record.category_id is None:
            raise FormatError(f"{record!r:.120}: has no category_id. Mend the record.")
        canvas[mask(record, height, width)] = record.category_id
    return canvas, names


def by_category(segments: Any, pixels: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint16], dict[int, str]]:
    """Turn a panoptic map of segment ids into one of category ids, and name the ids."""
    values, inverse = np.unique(pixels, return_inverse=True)
    category = {segment.id: segment.category_id for segment in segments}
    names = {int(segment.category_id): str(segment.label) for segment in segments}
    table = np.array([category.get(int(value), 0) for value in values], np.uint16)
    painted = table[inverse.reshape(pixels.shape)]
    return (painted if painted.max(initial=0) > 255 else painted.astype(np.uint8)), names
