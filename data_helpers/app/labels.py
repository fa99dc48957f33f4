"""Label records to the documents that FiftyOne's label classes become in its database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from ..coco.masks import read_panoptic
from ..errors import FormatError
from ..samples import Sample
from .masks import by_category, cut, in_box, painted, stored

# What a record says in fields of its own, by the document's name for it.
RENAMED = {"id": "annotation_id", "score": "confidence"}
TAKEN = {"bbox", "raw_segmentation", "segmentation", "raw_keypoints", "keypoints", "label", "image_id", "caption"}
TAKEN |= {"segments_info", "file_name"}
FLOATS = {"area", "confidence"}
NAN = float("nan")
KNOWN = ("boxes", "masks", "keypoints", "captions", "panoptic", "stuff", "classes")


class Labels:
    """Makers of labels, one a label type, and what they met.

    Attributes
    ----------
    fields
        Path of each field (``boxes.detections.area``) to its kind: a label class or ``int``, ``float``, ``str``, ...
    targets
        Field of a segmentation to the names of its pixel values.
    classes
        Names of classes in the order they came.
    several
        Whether a picture may have several classes.
    """

    def __init__(self, several: bool = False) -> None:
        from bson import ObjectId

        self._new_id = ObjectId
        self.several = several
        self.fields: dict[str, str] = {}
        self.targets: dict[str, dict[int, str]] = {}
        self.classes: dict[str, None] = {}
        self._extras: dict[type, list[tuple[str, str]]] = {}

    def field(self, path: str, value: Any) -> None:
        """Remember a plain field's kind; whole numbers and fractions in one field make it a field of fractions."""
        kind = "list" if isinstance(value, list | tuple) else type(value).__name__
        if path in self.fields:
            if kind == "float" and self.fields[path] == "int":
                self.fields[path] = kind
            return
        self.fields[path] = kind

    def _attributes(self, label: dict[str, Any], record: Any, path: str) -> None:
        """Carry what else a record says, under its own names."""
        kind = type(record)
        if kind not in self._extras:
            names = getattr(kind, "__struct_fields__", ()) or tuple(getattr(record, "__dict__", ()))
            self._extras[kind] = [(name, RENAMED.get(name, name)) for name in names if name not in TAKEN]
        for name, own in self._extras[kind]:
            value = getattr(record, name)
            if value is None:
                continue
            if own in FLOATS:
                value = float(value)
            elif own == "iscrowd":
                value = int(value)
            elif not isinstance(value, bool | int | float | str):
                value = built(value)
            label[own] = value
            full = f"{path}.{own}"
            if own != "confidence" and full not in self.fields:
                self.field(full, value)

    def _label(self, record: Any) -> str | None:
        name = getattr(record, "label", None)
        if name is None:
            return None
        self.classes.setdefault(str(name))
        return str(name)

    def _boxes(
        self,
        document: dict[str, Any],
        sample: Sample,
        records: Sequence[Any],
        width: int,
        height: int,
        found: list[str],
        field: str = "boxes",
    ) -> None:
        """Boxes, each with its mask where it has one."""
        masks = {id(record) for record in sample.labels.get("masks", ())} if field == "boxes" else None
        path, placed, left = f"{field}.detections", [], []
        for record in records:
            box = record.bbox
            if box is None or not all(map(np.isfinite, box)):
                left.append(record)
                continue
            x, y, w, h = box
            if w <= 0 or h <= 0:
                found.append("zero-area-box")
            label = {
                "_id": self._new_id(),
                "_cls": "Detection",
                "attributes": {},
                "tags": [],
                "bounding_box": [x / width, y / height, w / width, h / height],
            }
            if name := self._label(record):
                label["label"] = name
            if masks is None or id(record) in masks:
                try:
                    pixels = in_box(record, box, height, width)
                    if pixels.size:
                        label["mask"] = stored(pixels)
                except FormatError:
                    found.append("bad-rle" if isinstance(record.segmentation, dict) else "bad-polygon")
            self._attributes(label, record, path)
            placed.append(label)
        document[field] = {"_cls": "Detections", "detections": placed}
        self.fields[field] = "Detections"
        if left:
            self.other(document, f"{field}_without_box", left)

    def _masks(
        self,
        document: dict[str, Any],
        sample: Sample,
        records: Sequence[Any],
        width: int,
        height: int,
        found: list[str],
    ) -> None:
        """Masks that came without their boxes' label type."""
        self._boxes(document, sample, records, width, height, found, field="masks")

    def _keypoints(
        self,
        document: dict[str, Any],
        sample: Sample,
        records: Sequence[Any],
        width: int,
        height: int,
        found: list[str],
    ) -> None:
        """Keypoints with their visibility; a point that is not labelled has no place."""
        placed = []
        for record in records:
            values = record.keypoints or []
            plain = isinstance(values, list) and {int, float}.issuperset(map(type, values))
            if not plain or len(values) % 3 or not {0, 1, 2}.issuperset(values[2::3]):
                found.append("bad-keypoints")
                self.other(document, "keypoints_without_place", [record])
                continue
            seen = [int(v) for v in values[2::3]]
            places = zip(values[0::3], values[1::3], seen, strict=True)
            label: dict[str, Any] = {
                "_id": self._new_id(),
                "_cls": "Keypoint",
                "attributes": {},
                "tags": [],
                "points": [[x / width, y / height] if v else [NAN, NAN] for x, y, v in places],
                "visibility": seen,
            }
            if name := self._label(record):
                label["label"] = name
            self.fields["keypoints.keypoints.visibility"] = "list of int"
            self._attributes(label, record, "keypoints.keypoints")
            label.pop("confidence", None)
            placed.append(label)
        document["keypoints"] = {"_cls": "Keypoints", "keypoints": placed}
        self.fields["keypoints"] = "Keypoints"

    def _captions(self, document: dict[str, Any], sample: Sample, records: Sequence[Any], *rest: Any) -> None:
        document["captions"] = [str(record.caption) for record in records]
        self.fields["captions"] = "list of str"

    def _classes(self, document: dict[str, Any], sample: Sample, records: Sequence[Any], *rest: Any) -> None:
        """The picture's own class, or its classes."""
        made = []
        for record in records:
            label = {"_id": self._new_id(), "_cls": "Classification", "tags": []}
            if name := self._label(record):
                label["label"] = name
            many = self.several
            self._attributes(label, record, "classes.classifications" if many else "classes")
            made.append(label)
        if self.several:
            document["classes"] = {"_cls": "Classifications", "classifications": made}
        elif made:
            document["classes"] = made[0]
            if made[1:]:
                document["more_classes"] = {"_cls": "Classifications", "classifications": made[1:]}
                self.fields["more_classes"] = "Classifications"
        self.fields["classes"] = "Classifications" if self.several else "Classification"

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
        """A map of category ids, and each segment as a box with its mask."""
        png = sample.extra.get("panoptic_png")
        note = records[0]
        segments = note.segments_info or []
        try:
            if png is None:
                raise FormatError("no map")
            pixels = read_panoptic(png)
            canvas, names = by_category(segments, pixels)
        except FormatError:
            found.append("missing-panoptic" if png is None else "bad-panoptic")
            self.other(document, "panoptic_without_place", records)
            return
        self._segmentation(document, "panoptic", canvas, names)
        path, placed = "segments.detections", []
        for segment in segments:
            if segment.bbox is None or not np.isfinite(sum(segment.bbox)):
                continue
            x, y, w, h = segment.bbox
            label = {
                "_id": self._new_id(),
                "_cls": "Detection",
                "attributes": {},
                "tags": [],
                "bounding_box": [x / width, y / height, w / width, h / height],
            }
            if name := self._label(segment):
                label["label"] = name
            own = cut(pixels, segment.bbox) == segment.id
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

    def other(self, document: dict[str, Any], kind: str, records: Sequence[Any]) -> None:
        """Keep records of a kind that FiftyOne has no label for, as plain data."""
        made = [built(record) for record in records]
        document.setdefault(kind, []).extend(made)
        self.fields.setdefault(kind, "list of dict" if all(isinstance(one, dict) for one in made) else "list")


def built(value: Any) -> Any:
    """Return plain data: what a database stores as it is."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return msgspec.to_builtins(value, str_keys=True, enc_hook=str)
