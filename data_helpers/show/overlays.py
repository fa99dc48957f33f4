"""From label records to SVG on a small picture: boxes, outlines, joints, panoptic maps."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import DataError
from ..samples import Sample
from .style import COLOURS

SKELETON = (
    *((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10), (9, 11)),
    *((2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7)),
)
"""COCO's skeleton of 17 keypoints, counted from 1, for records that bring none."""
MOST = 40
"""Overlays of one kind on one picture: the largest ones; a chip still counts all."""


def items(sample: Sample, kind: str) -> Iterator[Any]:
    """Iterate a sample's records of a kind; of a panoptic record its segments."""
    for record in sample.labels.get(kind, ()):
        yield from getattr(record, "segments_info", None) or (record,)


def labels(sample: Sample, kind: str) -> Iterator[str]:
    """Iterate the class names of a sample's records."""
    for item in items(sample, kind):
        if kind != "captions" and (label := told(item)):
            yield label


def told(record: Any) -> str:
    """Return a record's class for people: ``short`` where its label is a code, as a wnid is."""
    label = getattr(record, "label", None)
    return str(getattr(record, "short", "") or ("" if label is None else label))


def _said(record: Any, field: str) -> Any:
    try:
        return getattr(record, field, None)
    except DataError:
        return None


def _numbers(value: Any) -> npt.NDArray[np.float64]:
    """Return a flat list as an array; what is no list of sane numbers is not drawn, and `scan` tells of it."""
    flat = isinstance(value, list) and {int, float}.issuperset(map(type, value))
    return np.array(value if flat and all(abs(number) < 1e6 for number in value) else [], float)


class Drawing:
    """Draws one sample's labels on a picture of a given size."""

    def __init__(
        self,
        sample: Sample,
        size: tuple[int, int],
        palette: dict[str, int],
        links: Callable[..., Sequence[int]],
    ) -> None:
        self.sample, self.size, self.palette, self.links = sample, size, palette, links
        self.full = (sample.width or size[0], sample.height or size[1])
        if sample.image is not None and (not sample.width or not sample.height):
            with Image.open(sample.image) as picture:
                self.full = picture.size
        self.x, self.y = size[0] / self.full[0], size[1] / self.full[1]

    def draw(self, kind: str) -> str:
        """Return the SVG of one kind of label."""
        draw = {
            "boxes": self._boxes,
            "masks": self._masks,
            "stuff": self._masks,
            "keypoints": self._joints,
            "panoptic": self._map,
        }.get(kind)
        return draw(kind) if draw else ""

    def _classes(self, record: Any, label: str) -> str:
        keys = [label, *map(str, getattr(record, "chains", ()))]
        return f"p{self.palette.get(label, 0)}" + "".join(f" k{number}" for number in self.links(*keys))

    def _boxes(self, kind: str) -> str:
        boxed = [record for record in items(self.sample, kind) if getattr(record, "bbox", None) is not None]
        boxed.sort(key=lambda record: -record.bbox[2] * record.bbox[3])
        parts = []
        for index, record in enumerate(boxed[:MOST]):
            left, top, width, height = (float(number) for number in record.bbox)
            if not np.isfinite([left, top, width, height]).all():
                continue
            x, y, w, h = (round(number, 1) for number in (left * self.x, top * self.y, width * self.x, height * self.y))
            label = told(record)
            classes = self._classes(record, label)
            crowd = " w" if getattr(record, "iscrowd", 0) else ""
            parts.append(f'<path class="o b{crowd} {classes}" d="M{x:g} {y:g}h{w:g}v{h:g}h{-w:g}z"/>')
            if label and index < 8 and w > 6 * len(label) and h > 16:
                place = f'x="{max(x, 0) + 4:g}" y="{max(y, 0) + 4:g}" dy=".75em"'
                parts.append(f'<text class="o n {classes}" {place}>{html.escape(label)}</text>')
        return "".join(parts)

    def _masks(self, kind: str) -> str:
        parts = []
        masked = sorted(items(self.sample, kind), key=lambda record: -(getattr(record, "area", None) or 0))
        for record in masked[:MOST]:
            outline = _said(record, "segmentation")
            label = told(record)
            classes = f"o m k-{kind} {self._classes(record, label)}"
            if isinstance(outline, list):
                path = "".join(self._polygon(part) for part in outline if isinstance(part, list))
                if path:
                    parts.append(f'<path class="{classes}" d="{path}"/>')
            elif isinstance(outline, dict) and (bits := self._decoded(record)) is not None:
                parts.append(self._raster(bits, classes, COLOURS[self.palette.get(label, 0)]))
        return "".join(parts)

    def _polygon(self, part: Sequence[float]) -> str:
        numbers = _numbers(part)
        if numbers.size < 6 or numbers.size % 2:
            return ""
        points = numbers.reshape(-1, 2) * (self.x, self.y)
        kept = [points[0]]
        for point in points[1:]:
            # Corners closer than two pixels are not seen at this size.
            if np.abs(point - kept[-1]).sum() >= 2:
                kept.append(point)
        if len(kept) < 3:
            return ""
        whole = np.rint(kept).astype(int)
        steps = np.diff(whole, axis=0)
        return f"M{whole[0][0]} {whole[0][1]}l" + " ".join(f"{x} {y}" for x, y in steps) + "z"

    def _decoded(self, record: Any) -> npt.NDArray[np.bool_] | None:
        from ..coco import mask

        try:
            return mask(record, self.full[1], self.full[0])
        except DataError:
            return None

    def _raster(self, bits: npt.NDArray[np.bool_], classes: str, colour: str) -> str:
        small = Image.fromarray(bits.astype(np.uint8) * 255).resize(self._half(), Image.Resampling.BOX)
        picture = small.point(lambda value: int(value > 127)).convert("P")
        picture.putpalette([0, 0, 0, *(int(colour[i : i + 2], 16) for i in (1, 3, 5))])
        return self._image(picture, classes, bytes([0, 95]))

    def _half(self) -> tuple[int, int]:
        return max(1, self.size[0] // 2), max(1, self.size[1] // 2)

    def _image(self, picture: Image.Image, classes: str, alpha: bytes) -> str:
        file = io.BytesIO()
        picture.save(file, "PNG", optimize=True, transparency=alpha, bits=8 if len(alpha) > 16 else 4)
        data = base64.b64encode(file.getvalue()).decode()
        return (
            f'<image class="{classes}" width="{self.size[0]}" height="{self.size[1]}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{data}"/>'
        )

    def _joints(self, kind: str) -> str:
        parts = []
        hidden = ' class="h"'
        for record in list(items(self.sample, kind))[:MOST]:
            values = _numbers(_said(record, "keypoints"))
            if values.size == 0 or values.size % 3:
                continue
            points = values.reshape(-1, 3) * (self.x, self.y, 1)
            pairs = SKELETON if len(points) == 17 else ()
            bones = "".join(
                f"M{points[a - 1, 0]:.0f} {points[a - 1, 1]:.0f}L{points[b - 1, 0]:.0f} {points[b - 1, 1]:.0f}"
                for a, b in pairs
                if points[a - 1, 2] > 0 and points[b - 1, 2] > 0
            )
            dots = "".join(
                f'<circle{hidden if v == 1 else ""} cx="{x:.0f}" cy="{y:.0f}" r="2"/>' for x, y, v in points if v > 0
            )
            classes = self._classes(record, told(record))
            path = f'<path d="{bones}"/>' if bones else ""
            parts.append(f'<g class="o j {classes}">{path}{dots}</g>')
        return "".join(parts)

    def _map(self, kind: str) -> str:
        path = self.sample.extra.get("panoptic_png")
        if path is None:
            return ""
        from ..coco import read_panoptic

        try:
            ids = read_panoptic(path)
        except DataError:
            return ""
        numbers = np.zeros(ids.shape, np.uint8)
        colours = [0, 0, 0]
        for index, segment in enumerate(list(items(self.sample, kind))[:250]):
            colour = COLOURS[self.palette.get(str(segment.label), 0)]
            numbers[ids == segment.id] = index + 1
            colours += [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        picture = Image.fromarray(numbers).resize(self._half(), Image.Resampling.NEAREST).convert("P")
        picture.putpalette(colours)
        return self._image(picture, "o m k-panoptic", bytes([0] + [150] * (len(colours) // 3 - 1)))
