"""Samples to the documents FiftyOne keeps in its database, without FiftyOne's own objects in between.

FiftyOne builds a Python object for each label and checks each of its fields; for COCO's val2017 that takes longer
than everything else together. A document is what such an object is turned into before it is stored. A test
compares the two.
"""

from __future__ import annotations

import contextlib
import datetime
import mimetypes
import os
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..samples import Sample
from .labels import KNOWN, built
from .maps import Maps

RESERVED = {"id", "filepath", "tags", "metadata", "created_at", "last_modified_at", "problems"}


class Documents(Maps):
    """Turns samples into documents; where a picture is not there, its document says where it would lie."""

    def __init__(self, root: Path | None, problems: Sequence[Mapping[str, Any]] = (), several: bool = False) -> None:
        super().__init__(several)
        self.root = root
        self._problems = _by_place(problems)

    def document(self, sample: Sample, dataset_id: Any, now: datetime.datetime) -> dict[str, Any]:
        """Build one sample's document."""
        path = self._path(sample)
        width, height = self._size(sample)
        document: dict[str, Any] = {
            "_id": self._new_id(),
            "_dataset_id": dataset_id,
            "_media_type": "image",
            "_rand": random.Random(path).random() * 0.001 + 0.999,
            "filepath": path,
            "tags": [sample.split] if sample.split else [],
            "created_at": now,
            "last_modified_at": now,
        }
        found: list[str] = []
        if sample.image is None:
            found.append("missing-picture")
        if width and height:
            document["metadata"] = self._metadata(sample, path, width, height)
        self._plain(document, sample)
        for kind, records in sample.labels.items():
            if kind == "masks" and "boxes" in sample.labels:
                continue
            if kind == "boxes":
                records = _with_masks(records, sample.labels.get("masks", ()))
            maker = getattr(self, f"_{kind}", None) if kind in KNOWN else None
            if maker is None:
                self.other(document, kind, records)
            elif kind not in ("captions", "classes") and not (width and height):
                self.other(document, f"{kind}_of_unknown_size", records)
            elif records or kind in ("boxes", "masks", "keypoints", "captions"):
                # An empty list is a statement: somebody looked, and found none.
                maker(document, sample, records, width, height, found)
        self._mark(document, sample, path, found)
        return document

    def _path(self, sample: Sample) -> str:
        """Return the picture's path, or where it would lie if it were there."""
        if sample.image is not None:
            return os.path.abspath(sample.image)  # noqa: PTH100  (os.path is what FiftyOne itself normalises with)
        name = str(sample.extra.get("file_name") or f"{sample.id}.jpg")
        return str((self.root or Path()).absolute().joinpath(*([sample.split] if sample.split else []), name))

    @staticmethod
    def _size(sample: Sample) -> tuple[int | None, int | None]:
        if (sample.width and sample.height) or sample.image is None:
            return sample.width, sample.height
        from PIL import Image

        try:
            with Image.open(sample.image) as picture:
                return picture.size
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            return None, None

    @staticmethod
    def _metadata(sample: Sample, path: str, width: int, height: int) -> dict[str, Any]:
        metadata = {"_cls": "ImageMetadata", "width": width, "height": height}
        if kind := mimetypes.guess_type(path)[0]:
            metadata["mime_type"] = kind
        if sample.image is not None:
            with contextlib.suppress(OSError):
                metadata["size_bytes"] = sample.image.stat().st_size
        return metadata

    def _plain(self, document: dict[str, Any], sample: Sample) -> None:
        """Add what is said of the whole picture, as fields that the App can filter by."""
        own = {"image_id": sample.id, "licence": sample.licence, "credit": sample.credit}
        own["source_url"] = sample.source_url
        for name, value in (own | sample.extra).items():
            if value is None or value == "":
                continue
            if name in RESERVED or name.startswith("_") or "." in name or name in KNOWN:
                name = f"extra_{name.strip('_').replace('.', '_')}"
            if isinstance(value, Path):
                value = str(value)
            elif not isinstance(value, bool | int | float | str):
                value = built(value)
            document[name] = value
            self.field(name, value)

    def _mark(self, document: dict[str, Any], sample: Sample, path: str, found: list[str]) -> None:
        """Tag a sample with its problems: those told by ``summary`` and those met here."""
        if self._problems:
            keys = {("file", Path(path).name), ("image", str(sample.id))}
            keys |= {("file", Path(sample.extra.get("panoptic_png") or path).name)}
            for records in sample.labels.values():
                keys |= {("annotation", str(getattr(record, "id", None))) for record in records}
            for key in sorted(keys):
                found += self._problems.get(key, ())
        if found:
            kinds = sorted(set(found))
            document["problems"] = kinds
            document["tags"] += kinds
            self.fields["problems"] = "list of str"


def _with_masks(boxes: Sequence[Any], masks: Sequence[Any]) -> Sequence[Any]:
    """Return records of boxes, and of masks that are not among them: a mask may come without a box."""
    if masks is boxes:
        return boxes
    known = set(map(id, boxes))
    return [*boxes, *(record for record in masks if id(record) not in known)]


def _by_place(problems: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """Index problems by the file, image or annotation that their place names."""
    index: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        where = str(problem["where"])
        for what, number in re.findall(r"\b(image|annotation) (\w+)", where):
            index.setdefault((what, number), []).append(str(problem["kind"]))
        if name := re.search(r"([^/\s:]+\.(?:jpe?g|png|webp|bmp))$", where, re.I):
            index.setdefault(("file", name[1]), []).append(str(problem["kind"]))
    return index
