"""Results files: what a model found, as the evaluation server takes it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from ..errors import FormatError
from .decoding import decode, is_list, load
from .masks import check_polygons, check_runs
from .records import Annotation


def read_results(
    path: str | Path, *, image_ids: Iterable[int] | None = None, categories: Mapping[int, str] | None = None
) -> list[Annotation]:
    """Read a results file: boxes, masks, keypoints or captions, with what pycocotools' ``loadRes`` fills in.

    Parameters
    ----------
    path
        A JSON list; format: https://cocodataset.org/#format-results.
    image_ids
        Ids that the results may be about; others are an error, as in pycocotools.
    categories
        Names of the category ids, to fill ``label``.

    Returns
    -------
    list of Annotation
        In the file's order. ``id`` counts from 1; ``area`` of a box is width times height, of a mask its pixels, of
        keypoints that of the rectangle around them; ``bbox`` of a mask or of keypoints is the rectangle around it.

    Raises
    ------
    FormatError
        Not a list, a broken record, a box without a size, or results for other images.
    """
    path = Path(path)
    data = load(path)
    if not is_list(data):
        raise FormatError(f"{path}: found an object, expected a list of results. coco.read reads annotation files.")
    notes, _ = decode(data, list[Annotation], path)
    if image_ids is not None and (others := sorted({note.image_id for note in notes} - set(image_ids))):
        raise FormatError(
            f"{path}: {len(others)} images are not among the given ones, first {others[:3]}. "
            "Take the results and the annotations of the same split."
        )
    for index, note in enumerate(notes):
        note.id = index + 1
        if categories is not None and note.category_id is not None:
            note.label = categories.get(note.category_id, str(note.category_id))
        try:
            _fill(note)
        except FormatError as error:
            raise FormatError(f"{path}: record {index}: {error}") from error
    return notes


def _fill(note: Annotation) -> None:
    if note.caption is not None:
        return
    if note.bbox is not None or note.has_mask:
        # A result is never a crowd, whatever it says.
        note.iscrowd = 0
    if note.bbox is not None:
        x, y, width, height = note.bbox
        if not math.isfinite(sum(note.bbox)) or min(width, height) < 0:
            raise FormatError(f"bbox is {list(note.bbox)}, expected x, y, width and height, the last two not negative.")
        note.area = width * height
        if not note.raw_segmentation:
            corners = [[x, y, x, y + height, x + width, y + height, x + width, y]]
            note.raw_segmentation = msgspec.Raw(msgspec.json.encode(corners))
    elif note.has_mask:
        _measure(note)
    elif note.raw_keypoints:
        try:
            values = msgspec.json.decode(note.raw_keypoints, type=list[float])
        except msgspec.DecodeError as error:
            raise FormatError("keypoints is not a flat list of numbers.") from error
        if not values or len(values) % 3:
            raise FormatError(f"keypoints has {len(values)} numbers, expected x, y, v of each point.")
        left, top = min(values[0::3]), min(values[1::3])
        width, height = max(values[0::3]) - left, max(values[1::3]) - top
        note.bbox, note.area = (left, top, width, height), width * height
    else:
        raise FormatError("found neither bbox nor segmentation, keypoints or caption.")


def _measure(note: Annotation) -> None:
    from pycocotools import mask as api

    segmentation = note.segmentation
    if not isinstance(segmentation, dict):
        check_polygons(segmentation)
        raise FormatError("segmentation is a list of polygons; results hold a compressed RLE.")
    lengths = check_runs(segmentation, None, None)
    note.area = float(lengths[1::2].sum())
    rle = (
        segmentation
        if isinstance(segmentation["counts"], str)
        else api.frPyObjects(segmentation, *segmentation["size"])
    )
    left, top, width, height = map(float, api.toBbox(rle))
    note.bbox = (left, top, width, height)
