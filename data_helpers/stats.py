"""Plain tables out of samples: what is counted, by one definition for every dataset that has boxes or classes.

One *object* is one record of the label type ``boxes`` (a crowd region is one object, and is counted); where a dataset
has no boxes, one record of ``classes``, ``stuff`` or ``panoptic`` takes its place. Its *area* is the record's own
``area`` where it has one (COCO: of the outline), else width times height of its box, in square pixels. A *share* is a
percentage of the picture's pixels. Every table is a list of dicts with the same keys, ready for a data frame.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .errors import UnknownNameError
from .samples import Sample

Table = list[dict[str, Any]]
KINDS = ("boxes", "classes", "stuff", "panoptic", "masks", "keypoints")
SMALL, LARGE = 32**2, 96**2
"""COCO's bounds, in square pixels: an object is small below the first, large above the second."""


class Object(NamedTuple):
    """One object: its class, its box in pixels or None, its area or None, whether it stands for a crowd."""

    label: str
    bbox: tuple[float, float, float, float] | None
    area: float | None
    crowd: bool
    record: Any


def kind_of(samples: Sequence[Sample], kind: str | None = None) -> str:
    """Return the label type that is counted: the given one, or the first of `KINDS` that the samples have.

    Raises
    ------
    UnknownNameError
        The samples have no such labels.
    """
    there = dict.fromkeys(name for sample in samples for name, records in sample.labels.items() if records)
    if kind is None:
        kind = next((name for name in KINDS if name in there), None)
    if kind is None or (kind not in there and kind not in KINDS):
        raise UnknownNameError(f"label type {kind!r} cannot be counted. Expected one of: {', '.join(there) or 'none'}.")
    return kind


def objects_of(sample: Sample, kind: str) -> Iterator[Object]:
    """Iterate a sample's objects."""
    for record in sample.labels.get(kind, ()):
        for item in getattr(record, "segments_info", None) or (record,):
            box = getattr(item, "bbox", None)
            area = getattr(item, "area", None)
            if area is None and box is not None:
                area = box[2] * box[3]
            label = getattr(item, "label", None)
            yield Object("" if label is None else str(label), box, area, bool(getattr(item, "iscrowd", 0)), item)


def _round(value: Any, digits: int = 2) -> float:
    return round(float(value), digits)


def _share(area: float | None, sample: Sample) -> float | None:
    pixels = (sample.width or 0) * (sample.height or 0)
    return None if area is None or not pixels else 100 * area / pixels


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
            if (share := _share(area, sample)) is not None:
                shares[label].append(share)
    return [
        {
            "class": label,
            "pictures": pictures[label],
            "objects": count,
            "crowds": crowds[label],
            "per picture": _round(count / pictures[label]),
            "mean share %": _round(np.mean(shares[label])) if shares[label] else None,
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


def images(samples: Iterable[Sample], kind: str | None = None) -> Table:
    """Return a row a picture: id, split, size, objects, classes, and the share of it that no box covers.

    The uncovered share is counted on a grid of at most 64 by 64 cells: a cell is covered where its middle is in a box.
    """
    samples = list(samples)
    kind = kind_of(samples, kind)
    rows = []
    for sample in samples:
        objects = list(objects_of(sample, kind))
        covered = _cover(sample, objects, 64)
        rows.append(
            {
                "id": sample.id,
                "split": sample.split,
                "width": sample.width,
                "height": sample.height,
                "objects": len(objects),
                "classes": len({one.label for one in objects}),
                "uncovered %": None if covered is None else _round(100 * (1 - covered.mean()), 1),
            }
        )
    return rows


def _cover(sample: Sample, objects: Iterable[Object], grid: int) -> npt.NDArray[np.bool_] | None:
    if not sample.width or not sample.height:
        return None
    cells = np.zeros((grid, grid), np.bool_)
    for one in objects:
        if one.bbox is not None:
            x, y, width, height = (float(number) for number in one.bbox)
            left, right = (np.clip([x, x + width], 0, sample.width) / sample.width * grid - 0.5).tolist()
            top, bottom = (np.clip([y, y + height], 0, sample.height) / sample.height * grid - 0.5).tolist()
            cells[int(np.ceil(top)) : int(np.floor(bottom)) + 1, int(np.ceil(left)) : int(np.floor(right)) + 1] = True
    return cells


def objects(samples: Iterable[Sample], kind: str | None = None) -> Table:
    """Return a row an object: its id, class, picture, box in pixels, area, share, size band, crowd flag."""
    samples = list(samples)
    kind = kind_of(samples, kind)
    rows = []
    for sample in samples:
        for one in objects_of(sample, kind):
            share = _share(one.area, sample)
            rows.append(
                {
                    "id": getattr(one.record, "id", None),
                    "class": one.label,
                    "picture": sample.id,
                    "bbox": None if one.bbox is None else [_round(number, 1) for number in one.bbox],
                    "area": None if one.area is None else _round(one.area, 1),
                    "share %": None if share is None else _round(share),
                    "size": None if one.area is None else band(one.area),
                    "crowd": one.crowd,
                }
            )
    return rows


def band(area: float) -> str:
    """Return COCO's size band of an area; a bound belongs to the band between (in pycocotools to both)."""
    return "small" if area < SMALL else "large" if area > LARGE else "medium"


def class_sizes(samples: Iterable[Sample], kind: str | None = None) -> Table:
    """Return a row a class, largest mean area first: least, mean and largest box height, width, area and share."""
    samples = list(samples)
    kind = kind_of(samples, kind)
    values: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    for sample in samples:
        for one in objects_of(sample, kind):
            if one.bbox is not None and one.area is not None:
                share = _share(one.area, sample)
                values[one.label].append((one.bbox[3], one.bbox[2], one.area, np.nan if share is None else share))
    rows = []
    for label, found in values.items():
        array = np.array(found, float)
        row: dict[str, Any] = {"class": label, "objects": len(found)}
        for column, name in enumerate(("height", "width", "area", "share %")):
            part = array[:, column]
            least, mean, most = part.min(), part.mean(), part.max()
            digits = 3 if column == 3 else 1
            row |= {
                f"{name} {what}": _round(value, digits)
                for what, value in (("min", least), ("mean", mean), ("max", most))
            }
        rows.append(row)
    return sorted(rows, key=lambda row: (-row["area mean"], row["class"]))


def area_shares(samples: Iterable[Sample], kind: str | None = None) -> Table:
    """Return a row a class, largest first: mean area of one object, and its share of the sum of these means."""
    rows = class_sizes(samples, kind)
    total = sum(row["area mean"] for row in rows) or 1
    return [
        {"class": row["class"], "mean area": row["area mean"], "part %": _round(100 * row["area mean"] / total, 1)}
        for row in rows
    ]


def cooccurrence(
    samples: Iterable[Sample], kind: str | None = None, top: int = 15
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Count in how many pictures two classes stand together.

    Returns
    -------
    classes : list of str
        The ``top`` classes with the most pictures, in that order.
    counts : array of int, shape (classes, classes)
        Symmetric; the diagonal has the pictures of each class.
    """
    samples = list(samples)
    kind = kind_of(samples, kind)
    sets = [{one.label for one in objects_of(sample, kind)} for sample in samples]
    counts = Counter(label for labels in sets for label in labels)
    chosen = sorted(counts, key=lambda label: (-counts[label], label))[:top]
    there = np.array([[label in labels for label in chosen] for labels in sets], np.int64).reshape(
        len(sets), len(chosen)
    )
    return chosen, there.T @ there


def pairs(samples: Iterable[Sample], kind: str | None = None, top: int = 15) -> Table:
    """Return the pairs of `cooccurrence`, most pictures first."""
    chosen, counts = cooccurrence(samples, kind, top)
    rows = [
        {"class": chosen[i], "with": chosen[j], "pictures": int(counts[i, j])}
        for i in range(len(chosen))
        for j in range(i + 1, len(chosen))
        if counts[i, j]
    ]
    return sorted(rows, key=lambda row: (-row["pictures"], row["class"], row["with"]))


def spatial_heatmap(
    samples: Iterable[Sample], label: str | None = None, kind: str | None = None, grid: int = 32
) -> npt.NDArray[np.float64]:
    """Return where objects are: for each cell of a grid over every picture, the share of pictures it is covered in.

    Only pictures that have an object of the class (``label``; None: of any) are counted, and a cell is covered where
    its middle is in a box.

    Returns
    -------
    array, shape (grid, grid)
        Rows from top to bottom, values 0 to 1.
    """
    samples = list(samples)
    kind = kind_of(samples, kind)
    total, used = np.zeros((grid, grid)), 0
    for sample in samples:
        found = [one for one in objects_of(sample, kind) if one.bbox is not None and label in (None, one.label)]
        cells = _cover(sample, found, grid) if found else None
        if cells is not None:
            total += cells
            used += 1
    return total / max(used, 1)


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
        {"licence": name, "pictures": count, "share %": _round(100 * count / total, 1)}
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
