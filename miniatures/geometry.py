"""Crop, mirror, shrink and join annotated pictures, with COCO's annotations carried along exactly.

Polygons are cut and mirrored as polygons; crowd regions as pixels, then encoded anew; a keypoint that falls outside is
no longer labelled, and a mirrored person's left and right change names. ``area`` and ``bbox`` are computed again by
COCO's own rules: the polygon's area for objects, the extent of its corners for boxes.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as mask_api

Row = dict[str, Any]
Mask = NDArray[np.uint8]
# A sliver smaller than this (square pixels) that a cut leaves of an object is not annotated.
SLIVER = 12.0
MIRRORED = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


class Scene:
    """A picture with its annotations; every operation returns a new scene."""

    def __init__(self, image: Image.Image, rows: list[Row], stuff: list[Row] | None = None) -> None:
        self.image = image
        self.rows = rows
        self.stuff = stuff or []

    def crop(self, left: int, top: int, right: int, bottom: int) -> Scene:
        """Keep the part between left and right (excluded), top and bottom, in pixels."""

        def row_crop(row: Row) -> Row | None:
            row = copy.deepcopy(row)
            if row["iscrowd"]:
                row["segmentation"] = encode(decode(row["segmentation"])[top:bottom, left:right])
            else:
                parts = [clip(part, left, top, right, bottom) for part in row["segmentation"]]
                row["segmentation"] = [part for part in parts if part is not None]
            if "keypoints" in row:
                points = np.array(row["keypoints"]).reshape(-1, 3)
                x, y = points[:, 0], points[:, 1]
                outside = (x < left) | (x >= right) | (y < top) | (y >= bottom)
                points = points - [left, top, 0]
                points[outside | (row_visibility(row) == 0)] = 0
                row["keypoints"] = points.ravel().tolist()
            return row

        return self._changed(self.image.crop((left, top, right, bottom)), row_crop)

    def mirror(self) -> Scene:
        """Exchange left and right."""
        width = self.image.width

        def row_mirror(row: Row) -> Row | None:
            row = copy.deepcopy(row)
            if row["iscrowd"]:
                row["segmentation"] = encode(decode(row["segmentation"])[:, ::-1])
            else:
                row["segmentation"] = [
                    [round(width - v, 2) if i % 2 == 0 else v for i, v in enumerate(part)]
                    for part in row["segmentation"]
                ]
            if "keypoints" in row:
                points = np.array(row["keypoints"]).reshape(-1, 3)
                points[:, 0] = np.where(points[:, 2] > 0, width - 1 - points[:, 0], 0)
                row["keypoints"] = points[MIRRORED].ravel().tolist()
            return row

        return self._changed(self.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), row_mirror)

    def resize(self, width: int, height: int) -> Scene:
        """Scale to a size in pixels."""
        fx, fy = width / self.image.width, height / self.image.height

        def row_resize(row: Row) -> Row | None:
            row = copy.deepcopy(row)
            if row["iscrowd"]:
                old = Image.fromarray(decode(row["segmentation"]) * 255)
                new = np.asarray(old.resize((width, height), Image.Resampling.NEAREST)) > 127
                row["segmentation"] = encode(new.astype(np.uint8))
            else:
                row["segmentation"] = [
                    [round(v * (fx if i % 2 == 0 else fy), 2) for i, v in enumerate(part)]
                    for part in row["segmentation"]
                ]
            if "keypoints" in row:
                points = np.array(row["keypoints"]).reshape(-1, 3)
                scaled = np.floor(points[:, :2] * [fx, fy]).astype(int)
                row["keypoints"] = np.column_stack([scaled, points[:, 2]]).ravel().tolist()
            return row

        return self._changed(self.image.resize((width, height), Image.Resampling.LANCZOS), row_resize)

    def _changed(self, image: Image.Image, change: Any) -> Scene:
        return Scene(image, finished(self.rows, change), finished(self.stuff, change))


def grid(scenes: list[Scene], width: int, height: int) -> Scene:
    """Join four scenes into one picture of two rows, each scaled to a tile of the given size in pixels."""
    image = Image.new("RGB", (2 * width, 2 * height))
    rows: list[Row] = []
    stuff: list[Row] = []
    for index, scene in enumerate(scenes):
        left, top = width * (index % 2), height * (index // 2)
        tile = scene.resize(width, height)
        image.paste(tile.image, (left, top))

        def moved(row: Row, left: int = left, top: int = top) -> Row:
            row = copy.deepcopy(row)
            if row["iscrowd"]:
                canvas = np.zeros((2 * height, 2 * width), np.uint8)
                canvas[top : top + height, left : left + width] = decode(row["segmentation"])
                row["segmentation"] = encode(canvas)
            else:
                row["segmentation"] = [
                    [round(v + (left if i % 2 == 0 else top), 2) for i, v in enumerate(part)]
                    for part in row["segmentation"]
                ]
            if "keypoints" in row:
                points = np.array(row["keypoints"]).reshape(-1, 3)
                points[points[:, 2] > 0] += [left, top, 0]
                row["keypoints"] = points.ravel().tolist()
            return row

        rows += finished(tile.rows, moved)
        stuff += finished(tile.stuff, moved)
    return Scene(image, rows, stuff)


def finished(rows: list[Row], change: Any) -> list[Row]:
    """Apply a change to each row, drop what is left of nothing, and compute area, box and number of keypoints again."""
    kept = []
    for row in (change(row) for row in rows):
        if row["iscrowd"]:
            ys, xs = np.nonzero(decode(row["segmentation"]))
            if len(xs) < SLIVER:
                continue
            row["area"] = len(xs)
            # COCO's files give a crowd's box without the last pixel: width is max - min.
            row["bbox"] = [int(v) for v in (xs.min(), ys.min(), xs.max() - xs.min(), ys.max() - ys.min())]
        else:
            row["area"] = round(sum(shoelace(part) for part in row["segmentation"]), 4)
            if row["area"] < SLIVER:
                continue
            row["bbox"] = extent(row["segmentation"])
        if "keypoints" in row:
            row["num_keypoints"] = int((row_visibility(row) > 0).sum())
        kept.append(row)
    return kept


def row_visibility(row: Row) -> NDArray[Any]:
    """Return the flags of a person's 17 keypoints."""
    return np.array(row["keypoints"][2::3])


def shoelace(part: list[float]) -> float:
    """Return a polygon's area."""
    x, y = np.array(part[::2]), np.array(part[1::2])
    return float(abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2)


def extent(parts: list[list[float]]) -> list[float]:
    """Return the box around the corners of polygons."""
    x = [v for part in parts for v in part[::2]]
    y = [v for part in parts for v in part[1::2]]
    return [min(x), min(y), round(max(x) - min(x), 2), round(max(y) - min(y), 2)]


def clip(part: list[float], left: float, top: float, right: float, bottom: float) -> list[float] | None:
    """Cut a polygon to a rectangle (Sutherland and Hodgman) and move it to the rectangle's own corner."""
    points = [(part[i], part[i + 1]) for i in range(0, len(part), 2)]
    for axis, limit, sign in ((0, left, 1), (0, right, -1), (1, top, 1), (1, bottom, -1)):
        result: list[tuple[float, float]] = []
        for i, here in enumerate(points):
            before = points[i - 1]
            inside, was_inside = (sign * (p[axis] - limit) >= 0 for p in (here, before))
            if inside != was_inside:
                share = (limit - before[axis]) / (here[axis] - before[axis])
                result.append((before[0] + share * (here[0] - before[0]), before[1] + share * (here[1] - before[1])))
            if inside:
                result.append(here)
        points = result
    flat = [round(v, 2) for x, y in points for v in (x - left, y - top)]
    return flat if len(points) >= 3 and shoelace(flat) >= 1 else None


def decode(rle: Row) -> Mask:
    """Return the pixels of an uncompressed RLE, rows by columns."""
    height, width = rle["size"]
    flat = np.repeat(np.arange(len(rle["counts"])) % 2, rle["counts"]).astype(np.uint8)
    return flat.reshape((height, width), order="F")


def encode(mask: Mask) -> Row:
    """Return the uncompressed RLE of a mask: columns first, zeros first."""
    flat = mask.flatten(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges.tolist(), flat.size]).tolist()
    return {"counts": [0, *counts] if flat[0] else counts, "size": list(mask.shape)}


def pixels(row: Row, width: int, height: int) -> Mask:
    """Rasterise one row as COCO's own API does."""
    if row["iscrowd"]:
        return decode(row["segmentation"])
    return np.asarray(mask_api.decode(mask_api.merge(mask_api.frPyObjects(row["segmentation"], height, width))))
