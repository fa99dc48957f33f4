"""Maps of a whole picture, a category id in each pixel: FiftyOne's segmentations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..coco.masks import read_panoptic
from ..errors import FormatError
from ..samples import Sample
from .labels import Labels, detection, faults, is_finite
from .masks import by_category, cut, own_box, painted, stored


class Maps(Labels):
    """Makers of the label types that cover the whole picture."""

    def _stuff(
        self,
        document: dict[str, Any],
        sample: Sample,
        records: Sequence[Any],
        width: int,
        height: int,
        found: list[str],
    ) -> None:
        """One map of category ids a picture."""
        try:
            canvas, names = painted(records, height, width)
        except FormatError as error:
            found.append("bad-polygon" if str(error).startswith("polygon") else "bad-rle")
            self.other(document, "stuff_without_place", records)
            return
        self._segmentation(document, "stuff", canvas, names)

    def _panoptic(
        self,
        document: dict[str, Any],
        sample: Sample,
        records: Sequence[Any],
        width: int,
        height: int,
        found: list[str],
    ) -> None:
        """A map of category ids, and each segment as a box with its mask; of two records the first."""
        png = sample.extra.get("panoptic_png")
        segments = records[0].segments_info or []
        if records[1:]:
            found.append("bad-panoptic")
            self.other(document, "panoptic_without_place", records[1:])
        try:
            if png is None:
                raise FormatError("no map")
            pixels = read_panoptic(png)
            if pixels.shape != (height, width):
                raise FormatError("a map of another picture, or one that lies on its side")
            canvas, names, sound = by_category(segments, pixels)
        except FormatError:
            found.append("missing-panoptic" if png is None else "bad-panoptic")
            self.other(document, "panoptic_without_place", records[:1])
            return
        if not sound:
            found.append("bad-panoptic")
        self._segmentation(document, "panoptic", canvas, names)
        path, placed = "segments.detections", []
        for segment in segments:
            # A result of a model has its pixels alone.
            box = segment.bbox or own_box(pixels == segment.id)[0]
            if box is None:
                continue
            found += faults(box, width, height)
            if not is_finite(box):
                continue
            label = detection(self._new_id(), box, width, height)
            if name := self._label(segment):
                label["label"] = name
            own = cut(pixels, box) == segment.id
            if own.size:
                label["mask"] = stored(own)
            self._attributes(label, segment, path)
            placed.append(label)
        document["segments"] = {"_cls": "Detections", "detections": placed}
        self.fields["segments"] = "Detections"

    def _segmentation(self, document: dict[str, Any], field: str, canvas: Any, names: dict[int, str]) -> None:
        document[field] = {"_id": self._new_id(), "_cls": "Segmentation", "tags": [], "mask": stored(canvas)}
        self.fields[field] = "Segmentation"
        self.targets.setdefault(field, {}).update(names)
