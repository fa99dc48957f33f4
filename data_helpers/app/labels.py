"""Label records to the documents that FiftyOne's label classes become in its database."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from ..coco.masks import mask
from ..errors import FormatError
from ..samples import Sample
from .masks import in_box, own_box, stored

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
        """Boxes, each with its mask where it has one; a mask that came without a box has its own."""
        masks = set(map(id, sample.labels.get("masks", ())))
        path, placed, left = f"{field}.detections", [], []
        right, low = width + 1, height + 1
        for record in records:
            box, pixels = record.bbox, None
            if box is not None:
                x, y, w, h = box
                # Nearly all boxes are sound: one comparison tells, and that they are numbers.
                if not (x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= right and y + h <= low):
                    found += faults(box, width, height)
                    if not is_finite(box):
                        left.append(record)
                        continue
            if id(record) in masks:
                try:
                    pixels = in_box(record, box, height, width) if box else mask(record, height, width)
                    box, pixels = (box, pixels) if box else own_box(pixels)
                except FormatError:
                    found.append(bad_outline(record))
            if box is None:
                left.append(record)
                continue
            label = detection(self._new_id(), box, width, height)
            if pixels is not None and pixels.size:
                label["mask"] = stored(pixels)
            if name := self._label(record):
                label["label"] = name
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
            values: Any = None
            with contextlib.suppress(FormatError):
                values = record.keypoints or []
            plain = isinstance(values, list) and {int, float}.issuperset(map(type, values))
            # What is no number fails every comparison.
            plain = plain and all(map((1e6).__ge__, map(abs, values)))
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

    def other(self, document: dict[str, Any], kind: str, records: Sequence[Any]) -> None:
        """Keep records of a kind that FiftyOne has no label for, as plain data."""
        made = [built(record) for record in records]
        document.setdefault(kind, []).extend(made)
        self.fields.setdefault(kind, "list of dict" if all(isinstance(one, dict) for one in made) else "list")


def detection(number: Any, box: Sequence[float], width: int, height: int) -> dict[str, Any]:
    """Begin a box's document: FiftyOne counts in shares of the picture's size."""
    x, y, w, h = box
    relative = [x / width, y / height, w / width, h / height]
    return {"_id": number, "_cls": "Detection", "attributes": {}, "tags": [], "bounding_box": relative}


def is_finite(box: Sequence[float]) -> bool:
    """Tell whether a box has a right and a lower edge: two numbers may be finite and their sum is not."""
    x, y, w, h = box
    return math.isfinite((x + w) + (y + h))


def faults(box: Sequence[float], width: int, height: int) -> list[str]:
    """Return what is wrong with a box, by the rules and in the words of COCO's `summary`."""
    x, y, w, h = box
    told = {
        "bad-box": not all(0 <= value < math.inf for value in box),
        "zero-area-box": (w == 0 and h >= 0) or (h == 0 and w >= 0),
        "outside-box": x + w > width + 1 or y + h > height + 1,
    }
    return [kind for kind, wrong in told.items() if wrong]


def bad_outline(record: Any) -> str:
    """Name what is wrong with a record's outline, which may be no JSON that Python can hold."""
    raw = getattr(record, "raw_segmentation", None)
    runs = bytes(raw)[:1] == b"{" if raw is not None else isinstance(record.segmentation, dict)
    return "bad-rle" if runs else "bad-polygon"


def built(value: Any) -> Any:
    """Return plain data: what a database stores as it is."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_plain)


def _plain(value: Any) -> Any:
    """Return a value that msgspec leaves to us: JSON not read yet as what it says, what MongoDB cannot hold as text."""
    if not isinstance(value, msgspec.Raw):
        return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
    from bson import encode, errors

    try:
        found = msgspec.json.decode(value) if value else None
        encode({"": found})
    except (msgspec.DecodeError, errors.BSONError, OverflowError, RecursionError, UnicodeDecodeError):
        return bytes(value).decode("utf-8", "replace")
    return found
