"""Tables of pictures, classes and labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import UnknownNameError
from ..samples import Sample
from .counting import Object, Table, cover, kind_of, objects_of, rounded, share_of


def overview(samples: Iterable[Sample], kind: str | None = None) -> Table:
    """Return the dataset at a glance, a row a split: pictures, those on disk, objects, crowds, classes, captions."""
    samples = list(samples)
    try:
        kind = kind_of(samples, kind)
    except UnknownNameError:
        kind = "boxes"
    splits: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        splits[sample.split or ""].append(sample)
    rows = []
    for split, group in splits.items():
        objects = [one for sample in group for one in objects_of(sample, kind)]
        rows.append(
            {
                "split": split,
                "pictures": len(group),
                "on disk": sum(sample.image is not None for sample in group),
                "objects": len(objects),
                "crowds": sum(one.crowd for one in objects),
                "classes": len({one.label for one in objects}),
                "captions": sum(len(sample.labels.get("captions", ())) for sample in group),
            }
        )
    return rows


def class_balance(samples: Iterable[Sample], kind: str | None = None) -> Table:
    """Return a row a class, most objects first: pictures, objects, crowds among them, objects a picture, mean share."""
    samples = list(samples)
    kind = kind_of(samples, kind)
    pictures: Counter[str] = Counter()
    objects: Counter[str] = Counter()
    crowds: Counter[str] = Counter()
    shares: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        seen: dict[str, float | None] = {}
        for one in objects_of(sample, kind):
            objects[one.label] += 1
            crowds[one.label] += one.crowd
            seen[one.label] = (seen.get(one.label) or 0) + (one.area or 0)
        for label, area in seen.items():
            pictures[label] += 1
            if (share := share_of(area, sample)) is not None:
                shares[label].append(share)
    return [
        {
            "class": label,
            "pictures": pictures[label],
            "objects": count,
            "crowds": crowds[label],
            "per picture": rounded(count / pictures[label]),
            "mean share %": rounded(np.mean(shares[label])) if shares[label] else None,
        }
        for label, count in sorted(objects.items(), key=lambda item: (-item[1], item[0]))
    ]


def objects_per_image(samples: Iterable[Sample], kind: str | None = None) -> Table:
    """Return for each number of objects from 0 to the largest how many pictures have just so many."""
    samples = list(samples)
    kind = kind_of(samples, kind)
    counts = Counter(sum(1 for _ in objects_of(sample, kind)) for sample in samples)
    return [{"objects": number, "pictures": counts[number]} for number in range(max(counts, default=-1) + 1)]


def object_distribution(samples: Iterable[Sample], kind: str | None = None, top: int = 20) -> Table:
    """Return for each of the commonest classes how many pictures have 0, 1, 2, ... 10 or more of its objects."""
    samples = list(samples)
    kind = kind_of(samples, kind)
    chosen = [row["class"] for row in class_balance(samples, kind)[:top]]
    table = {label: [0] * 11 for label in chosen}
    for sample in samples:
        seen = Counter(one.label for one in objects_of(sample, kind))
        for label in chosen:
            table[label][min(seen[label], 10)] += 1
    heads = [*map(str, range(10)), "10+"]
    return [{"class": label, **dict(zip(heads, counts, strict=True))} for label, counts in table.items()]


def picture_sizes(samples: Iterable[Sample]) -> Table:
    """Return a row a size, commonest first: width, height, pictures. Pictures of unknown size have None."""
    counts = Counter((sample.width, sample.height) for sample in samples)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0][0] or 0, item[0][1] or 0))
    return [{"width": width, "height": height, "pictures": count} for (width, height), count in ordered]


def images(samples: Iterable[Sample], kind: str | None = None, classes: Sequence[str] = ()) -> Table:
    """Return a row a picture: id, split, size, objects, classes, the share of it that no box covers, and areas.

    The uncovered share is counted on a grid of at most 64 by 64 cells: a cell is covered where its middle is in a box.

    Parameters
    ----------
    classes
        For each of these a column ``area NAME`` more: the sum of the areas of its objects, in square pixels. What two
        objects share counts twice; 0 where the picture has none; None where an object's area is not known.

    Raises
    ------
    UnknownNameError
        No picture has an object of one of these classes.
    """
    samples = list(samples)
    kind = kind_of(samples, kind)
    rows, seen = [], set()
    for sample in samples:
        objects = list(objects_of(sample, kind))
        covered = cover(sample, objects, 64)
        labels = {one.label for one in objects}
        seen |= labels
        rows.append(
            {
                "id": sample.id,
                "split": sample.split,
                "width": sample.width,
                "height": sample.height,
                "objects": len(objects),
                "classes": len(labels),
                "uncovered %": None if covered is None else rounded(100 * (1 - covered.mean()), 1),
                **{f"area {name}": _area(objects, name) for name in classes},
            }
        )
    if unknown := [name for name in classes if name not in seen]:
        raise UnknownNameError(f"class {unknown[0]!r}: no picture has it. Expected one of: {', '.join(sorted(seen))}.")
    return rows


def _area(objects: Iterable[Object], label: str) -> float | None:
    areas = [one.area for one in objects if one.label == label]
    return None if None in areas else rounded(sum(area for area in areas if area is not None), 1)


def missing_and_empty(samples: Iterable[Sample]) -> Table:
    """Return for each label type the pictures with labels, listed without any, not listed, and the empty records.

    *Empty*: a list of that type names the picture and has no record of it, so someone looked. *Missing*: no list of
    that type names it, so nobody may have looked. An *empty record* is there but says nothing: a box without area, a
    caption without a letter, a list of keypoints none of which is labelled.
    """
    samples = list(samples)
    rows = []
    for kind in dict.fromkeys(kind for sample in samples for kind in sample.labels):
        records = [record for sample in samples for record in sample.labels.get(kind, ())]
        rows.append(
            {
                "labels": kind,
                "with": sum(bool(sample.labels.get(kind)) for sample in samples),
                "empty": sum(kind in sample.labels and not sample.labels[kind] for sample in samples),
                "missing": sum(kind not in sample.labels for sample in samples),
                "empty records": sum(map(_says_nothing, records)),
            }
        )
    return rows


def _says_nothing(record: Any) -> bool:
    caption, box = getattr(record, "caption", None), getattr(record, "bbox", None)
    if caption is not None:
        return not str(caption).strip()
    return box is not None and box[2] * box[3] == 0


def licences(samples: Iterable[Sample]) -> Table:
    """Return a row a licence, commonest first: pictures, and their share."""
    counts = Counter(sample.licence or "not stated" for sample in samples)
    total = counts.total() or 1
    return [
        {"licence": name, "pictures": count, "share %": rounded(100 * count / total, 1)}
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
