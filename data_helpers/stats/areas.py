"""Tables of single objects: how large they are, where they lie, what stands beside them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..samples import Sample
from .counting import LARGE, SMALL, Table, cover, kind_of, objects_of, rounded, share_of


def objects(samples: Iterable[Sample], kind: str | None = None) -> Table:
    """Return a row an object: its id, class, picture, box in pixels, area, share, size band, crowd flag."""
    samples = list(samples)
    kind = kind_of(samples, kind)
    rows = []
    for sample in samples:
        for one in objects_of(sample, kind):
            share = share_of(one.area, sample)
            rows.append(
                {
                    "id": getattr(one.record, "id", None),
                    "class": one.label,
                    "picture": sample.id,
                    "bbox": None if one.bbox is None else [rounded(number, 1) for number in one.bbox],
                    "area": None if one.area is None else rounded(one.area, 1),
                    "share %": None if share is None else rounded(share),
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
                share = share_of(one.area, sample)
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
                f"{name} {what}": rounded(value, digits)
                for what, value in (("min", least), ("mean", mean), ("max", most))
            }
        rows.append(row)
    return sorted(rows, key=lambda row: (-row["area mean"], row["class"]))


def area_shares(samples: Iterable[Sample], kind: str | None = None) -> Table:
    """Return a row a class, largest first: mean area of one object, and its share of the sum of these means."""
    rows = class_sizes(samples, kind)
    total = sum(row["area mean"] for row in rows) or 1
    return [
        {"class": row["class"], "mean area": row["area mean"], "part %": rounded(100 * row["area mean"] / total, 1)}
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
        cells = cover(sample, found, grid) if found else None
        if cells is not None:
            total += cells
            used += 1
    return total / max(used, 1)
