"""Masks as FiftyOne stores them: cut to their box, as the bytes of a compressed NumPy file."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from pycocotools import mask as api

from ..coco.masks import LARGEST, check_polygons, mask
from ..errors import FormatError

# Masks are long runs of equal bytes. To look for runs alone packs them smaller than the fastest level does, and sooner.
PACKING = (1, zlib.DEFLATED, zlib.MAX_WBITS, 4, zlib.Z_RLE)


def stored(array: npt.NDArray[Any]) -> bytes:
    """Return an array as FiftyOne keeps it in its database: ``np.save``, then zlib."""
    packer = zlib.compressobj(*PACKING)
    return packer.compress(_header(array.dtype.str, array.shape) + array.tobytes()) + packer.flush()


def _header(kind: str, shape: tuple[int, ...]) -> bytes:
    """Return the head of a NumPy file, format 1.0: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def cut(array: npt.NDArray[Any], bbox: tuple[float, ...]) -> npt.NDArray[Any]:
    """Cut what lies in a box, ``[x, y, width, height]`` in pixels, its edges rounded as FiftyOne rounds them."""
    x, y, width, height = bbox
    return array[max(0, round(y)) : max(0, round(y + height)), max(0, round(x)) : max(0, round(x + width))]


def in_box(record: Any, bbox: tuple[float, ...], height: int, width: int) -> npt.NDArray[np.bool_]:
    """Decode a record's mask, cut to its box.

    Polygons are drawn on a canvas that ends with the box, and of their runs only those from the box on become pixels.
    The canvas does not begin with the box, too: where a line passes halfway between two points, pycocotools rounds by
    how far from the corner of the canvas it is, and a polygon that was moved is now and then a pixel otherwise.

    Raises
    ------
    FormatError
        No mask, or one that breaks its format; a picture of no sane size.
    """
    segmentation = record.segmentation
    if not isinstance(segmentation, list) or not segmentation or not 0 <= height * width <= LARGEST:
        return cut(mask(record, height, width), bbox)
    check_polygons(segmentation)
    x, y, w, h = bbox
    # A column to spare: edges are rounded.
    first, left, top = max(0, int(x) - 1), max(0, round(x)), max(0, round(y))
    right, bottom = min(width, round(x + w)), min(height, round(y + h))
    if right <= left or bottom <= top:
        return np.zeros((0, 0), np.bool_)
    drawn = api.frPyObjects(segmentation, bottom, right)
    rle = _from_column(drawn[0] if len(drawn) == 1 else api.merge(drawn), first)
    if rle is None:
        # An outline that begins before its own box.
        return cut(mask(record, height, width), bbox)
    strip: npt.NDArray[np.bool_] = api.decode(rle).view(np.bool_)
    return strip[top:, left - first :]


def _from_column(rle: Any, first: int) -> Any:
    """Cut the columns before one off a compressed RLE; None where there are pixels in them.

    They are part of the first run alone, and the number of no other run refers to that one's: see `runs`.
    """
    (height, width), counts = rle["size"], rle["counts"]
    value, end, more = 0, 0, 32
    while more:
        group = counts[end] - 48
        value |= (group & 31) << 5 * end
        end, more = end + 1, group & 32
    value -= first * height
    if value < 0:
        return None
    head = bytearray()
    while value >= 16:
        head.append((value & 31) + 32 + 48)
        value >>= 5
    head.append(value + 48)
    return {"size": [height, width - first], "counts": bytes(head) + counts[end:]}


def own_box(whole: npt.NDArray[np.bool_]) -> tuple[tuple[int, ...] | None, npt.NDArray[np.bool_]]:
    """Return the tight box of a mask's pixels, None where it has none, and the mask in it."""
    rows, columns = (np.flatnonzero(whole.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None, whole[:0, :0]
    (top, bottom), (left, right) = ((int(places[0]), int(places[-1]) + 1) for places in (rows, columns))
    return (left, top, right - left, bottom - top), whole[top:bottom, left:right]


def painted(records: Any, height: int, width: int) -> tuple[npt.NDArray[np.uint8 | np.uint16], dict[int, str]]:
    """Paint one mask a class into a map of category ids, 0 where there is none; and name the ids.

    Raises
    ------
    FormatError
        A mask that does not fit the picture; an id that no pixel of FiftyOne's maps can hold.
    """
    names = {int(record.category_id): str(record.label) for record in records if record.category_id is not None}
    _check_ids(names)
    canvas = np.zeros((height, width), np.uint8 if max(names, default=0) < 256 else np.uint16)
    for record in records:
        if record.category_id is None:
            raise FormatError(f"{record!r:.120}: has no category_id. Mend the record.")
        canvas[mask(record, height, width)] = record.category_id
    return canvas, names


def by_category(
    segments: Any, pixels: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8 | np.uint16], dict[int, str], bool]:
    """Turn a panoptic map of segment ids into one of category ids, and name the ids; errors as for `painted`.

    The flag tells whether the map has each segment with its area, and no other: what `summary` asks of it.
    """
    values, inverse, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    category = {segment.id: segment.category_id for segment in segments}
    names = {int(segment.category_id): str(segment.label) for segment in segments}
    _check_ids(names)
    table = np.array([category.get(int(value), 0) for value in values], np.uint16)
    painted = table[inverse.reshape(pixels.shape)]
    areas = dict(zip(values.tolist(), counts.tolist(), strict=True))
    areas.pop(0, None)
    told = [(segment.area, areas.pop(segment.id, 0)) for segment in segments]
    sound = not areas and all(seen and area in (None, seen) for area, seen in told)
    return (painted if painted.max(initial=0) > 255 else painted.astype(np.uint8)), names, sound


def _check_ids(names: dict[int, str]) -> None:
    if names and not 0 <= min(names) <= max(names) < 1 << 16:
        raise FormatError(f"category ids {min(names)} to {max(names)}: expected 0 to 65,535. Number the classes anew.")
