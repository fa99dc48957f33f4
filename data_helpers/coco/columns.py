"""One number of many records at once."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FormatError
from .records import Picture

NONE = np.iinfo(np.int64).min
Numbers = npt.NDArray[np.int64]


def column(records: Sequence[Any], field: str) -> Numbers:
    """Return one number of all records; `NONE` stands for none."""
    values = map(attrgetter(field), records)
    try:
        return np.fromiter(values, np.int64, len(records))
    except TypeError:
        values = map(attrgetter(field), records)
        return np.fromiter((NONE if value is None else value for value in values), np.int64, len(records))
    except OverflowError as error:
        raise FormatError(f"{field}: found a number of more than 64 bits. Mend the record.") from error


def repeated(ids: Numbers) -> list[tuple[int, int]]:
    """Return the ids that stand more than once, each with how often."""
    ordered = np.sort(ids)
    found = np.unique(ordered[1:][(ordered[1:] == ordered[:-1]) & (ordered[1:] != NONE)])
    return [(number, int((ids == number).sum())) for number in found.tolist()]


class Limits:
    """How far right and down the boxes of an image id may reach: a pixel beyond its picture."""

    def __init__(self, images: dict[int, Picture]) -> None:
        self.rows = {number: row for row, number in enumerate(images)}
        sizes = np.array([(one.width or np.inf, one.height or np.inf) for one in images.values()]).reshape(-1, 2) + 1
        # What no list names has no limits.
        self.sizes = np.concatenate([sizes, [[np.inf, np.inf]]])
        self.table: npt.NDArray[np.float64] | None = None
        if self.rows and min(self.rows) >= 0 and (largest := max(self.rows)) < 10_000_000:
            # Ids of COCO's own are small enough for a table, whose last row is nobody's.
            self.table = np.full((largest + 2, 2), np.inf)
            self.table[list(self.rows)] = sizes

    def __call__(self, images: Numbers) -> npt.NDArray[np.float64]:
        """Return for each image id width and height, shape (n, 2)."""
        if self.table is not None:
            nobody = len(self.table) - 1
            if images.min() < 0 or images.max() > nobody:
                images = np.where((images < 0) | (images > nobody), nobody, images)
            return self.table[images]
        return self.sizes[[self.rows.get(number, -1) for number in images.tolist()]]
