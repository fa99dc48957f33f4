"""Outlines and runs to pixels. Runs go down the columns: COCO stores a mask column by column."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from ..errors import FormatError

Runs = npt.NDArray[np.int64]
LARGEST = 1 << 30
"""Pixels of the largest picture a mask is made for: a GB of memory, and within what COCO's own code can count."""


def runs(counts: Any) -> Runs:
    """Return run lengths, background first, of either form of ``counts``.

    The compressed form writes each number in groups of 5 bits, lowest first, as characters 48 to 111 with bit 6 as
    the sign to go on; from the fourth number on it holds the difference to the one two places before. Source:
    https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c (rleFrString).

    Raises
    ------
    FormatError
        Neither a list of whole numbers nor such a string; a negative run.
    """
    if isinstance(counts, list):
        if not {int}.issuperset(map(type, counts)):
            raise FormatError("RLE: counts has other things than whole numbers. Mend the record.")
        lengths = np.array(counts, np.int64) if all(abs(c) < 1 << 40 for c in counts) else np.array([-1])
    elif isinstance(counts, str):
        lengths = _uncompress(counts)
    else:
        raise FormatError(f"RLE: counts is a {type(counts).__name__}, expected a list or a string. Mend the record.")
    if (lengths < 0).any():
        raise FormatError("RLE: a run is negative or far too long. Mend the record.")
    return lengths


def _uncompress(text: str) -> Runs:
    data = np.frombuffer(text.encode("utf-8", "replace"), np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero((data & 32) == 0)
    sizes = np.diff(ends, prepend=-1)
    if data.size and (
        data.min() < 0 or data.max() > 63 or not ends.size or ends[-1] != data.size - 1 or sizes.max() > 8
    ):
        raise FormatError("RLE: counts is not a compressed run-length string, or is cut short. Mend the record.")
    if not data.size:
        return np.zeros(0, np.int64)
    starts = ends - sizes + 1
    places = np.arange(data.size) - np.repeat(starts, sizes)
    values = np.add.reduceat((data & 31) << (5 * places), starts)
    values -= ((data[ends] & 16) != 0) * (np.int64(1) << (5 * sizes))
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def check_runs(segmentation: dict[str, Any], height: int | None, width: int | None) -> Runs:
    """Return the runs of an RLE, checked against its own size and, where given, the picture's."""
    size = segmentation.get("size")
    whole = isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) and n >= 0 for n in size)
    if not whole or not isinstance(size, list) or math.prod(size) > LARGEST:
        raise FormatError(f"RLE: size is {size!r}, expected [height, width]. Mend the record.")
    if height is not None and width is not None and size != [height, width]:
        raise FormatError(f"RLE: its size is {size}, the picture's is {[height, width]}: a mask of another picture?")
    lengths = runs(segmentation.get("counts"))
    if lengths.sum() != size[0] * size[1]:
        raise FormatError(
            f"RLE: its runs hold {lengths.sum():,} pixels, its size {size[0] * size[1]:,}. Mend the record."
        )
    return lengths


class Plain(msgspec.Struct, gc=False):
    """An uncompressed RLE."""

    size: tuple[int, int]
    counts: list[Annotated[int, msgspec.Meta(ge=0)]]

    def fits(self, height: int | None, width: int | None) -> bool:
        """Tell whether it is one of a picture of that size."""
        return self.size == (height, width) and sum(self.counts) == self.size[0] * self.size[1]


def check(record: Any, height: int | None, width: int | None) -> None:
    """Check a record's outline as `mask` would, without drawing it; thousands of plain RLEs in a blink."""
    raw = record.raw_segmentation
    try:
        if msgspec.json.decode(raw, type=Plain).fits(height, width):
            return
    except msgspec.DecodeError:
        pass
    segmentation = record.segmentation
    if isinstance(segmentation, dict):
        check_runs(segmentation, height, width)
    elif isinstance(segmentation, list):
        check_polygons(segmentation)
    else:
        raise FormatError(f"segmentation: found {segmentation!r:.30}, expected polygons or an RLE.")


def are_polygons(outlines: Sequence[msgspec.Raw]) -> bool:
    """Tell from the bytes of many outlines that `check` would find nothing wrong; False where that is unsure.

    Parameters
    ----------
    outlines
        The JSON text of each, known to be JSON. Not a number of it becomes a Python object.
    """
    data = b"".join(outlines)
    text = np.frombuffer(data, np.uint8)
    # Nothing but numbers in brackets: no quote, letter or brace; a number with an exponent is unsure.
    if not data or text.max() > ord("]") or b'"' in data or b"E" in data:
        return not data
    brackets = np.flatnonzero((text | 6) == 0x5F)
    opens = text[brackets] == ord("[")
    depth = np.where(opens, 1, -1).cumsum()
    commas = np.add.reduceat((text == ord(",")).view(np.uint8), brackets, dtype=np.int32)
    points = commas[depth == 2]
    # In an outline each bracket is followed by one part, or by a comma and one part, or by its end.
    between = commas + opens == np.append(opens[1:], False)
    nested = (depth <= 2).all() and (depth == 0).sum() == len(outlines) and between[depth == 1].all()
    if not nested or (points < 5).any() or (points % 2 == 0).any():
        return False
    # Seven digits in a row fill an aligned word of four; where none is filled, all numbers are below a million.
    words = text[: len(text) // 4 * 4].view(np.uint32)
    if not ((words & np.uint32(0xF0F0F0F0)) == np.uint32(0x30303030)).any():
        return True
    digit = text - np.uint8(ord("0")) < 10
    pairs = digit[1:] & digit[:-1]
    fours = pairs[2:] & pairs[:-2]
    # Those that begin a number are a million or more.
    long = np.flatnonzero(fours[3:] & fours[:-3])
    return bool((digit[long - 1] | (text[long - 1] == ord("."))).all())


def check_polygons(segmentation: list[Any]) -> None:
    """Check that every part is a polygon: an even count of finite numbers, at least three points."""
    for part in segmentation:
        if not isinstance(part, list) or not {int, float}.issuperset(map(type, part)):
            raise FormatError("polygon: found something else than a flat list of numbers. Mend the record.")
        if len(part) < 6 or len(part) % 2:
            raise FormatError(
                f"polygon: found {len(part)} numbers, expected x, y of at least 3 points. Mend the record."
            )
        try:
            # No number is larger than the root of the sum of all squares; what is no number fails every comparison.
            near = math.hypot(*part) <= 1e6 or all(map((1e6).__ge__, map(abs, part)))
        except OverflowError:
            near = False
        if not near:
            raise FormatError("polygon: a corner is more than a million pixels away, or no number. Mend the record.")


def mask(record: Any, height: int, width: int) -> npt.NDArray[np.bool_]:
    """Decode one label's mask.

    Parameters
    ----------
    record
        What has a ``segmentation``: polygons, an uncompressed or a compressed RLE.
    height, width
        The picture's size in pixels.

    Returns
    -------
    array of bool, shape (height, width)
        Polygons are drawn by pycocotools, so the mask is COCO's own to the pixel; their parts are merged.

    Raises
    ------
    FormatError
        No mask, a polygon of fewer than three points, runs that do not fit the picture, a picture of no sane size.
    """
    try:
        height, width = operator.index(height), operator.index(width)
    except TypeError as error:
        raise FormatError(f"height={height!r}, width={width!r}: expected the picture's size in pixels.") from error
    if min(height, width) < 0 or height * width > LARGEST:
        raise FormatError(f"height={height}, width={width}: no mask is made for such a size. Mend the image's record.")
    segmentation = getattr(record, "segmentation", None)
    if isinstance(segmentation, dict):
        return _draw(check_runs(segmentation, height, width), height, width)
    if not isinstance(segmentation, list) or not segmentation:
        raise FormatError(f"{record!r:.120}: has no mask. Choose records of labels['masks'].")
    check_polygons(segmentation)
    from pycocotools import mask as api

    merged = api.merge(api.frPyObjects(segmentation, height, width))
    return _draw(runs(merged["counts"].decode()), height, width)


def _draw(lengths: Runs, height: int, width: int) -> npt.NDArray[np.bool_]:
    flat = np.repeat(np.arange(lengths.size) % 2 == 1, lengths)
    return flat.reshape((height, width), order="F")


def read_panoptic(path: Any) -> npt.NDArray[np.int64]:
    """Read a panoptic PNG as segment ids, R + 256 G + 65536 B of each pixel; 0 is unlabelled.

    Maps in panopticapi's format of two channels look the same: theirs are a category's id + 256 times an instance's.

    Returns
    -------
    array of int64, shape (height, width)
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            colours = np.asarray(picture.convert("RGB"), np.int64)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise FormatError(f"{path}: not a panoptic PNG ({error}). Get the file again.") from error
    ids: Runs = colours @ np.array([1, 256, 65536])
    return ids


def compare_map(path: Any, segments: Iterable[Any], height: int | None, width: int | None) -> Iterator[str]:
    """Hold a panoptic map against its record, to the pixel, and tell each difference."""
    try:
        pixels = read_panoptic(path)
    except FormatError as error:
        yield str(error)
        return
    if height and pixels.shape != (height, width):
        yield f"the map is {pixels.shape[1]}x{pixels.shape[0]}, the picture {width}x{height}"
    values, areas = np.unique(pixels, return_counts=True)
    seen = {int(value): int(area) for value, area in zip(values, areas, strict=True) if value}
    for segment in segments:
        area = seen.pop(segment.id, 0)
        if not area or segment.area not in (None, area):
            told = "" if segment.area is None else f"area {segment.area:g}, "
            yield f"segment {segment.id}: {told}{area} pixels in the map"
    for value, area in seen.items():
        yield f"{area} pixels of an unknown segment {value}"
