"""Looking over half a gigabyte of outlines without reading one: only the brackets are looked at.

An outline is sound where each of its parts has at least three points. A part of more than `SHORT` bytes has, however
its numbers are written; so it is enough to find the brackets in the file, and to read the few parts that are shorter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

CHUNK = 1 << 22
SHORT = 110
"""Five numbers of 17 digits with signs, points and commas take less."""


def sound_polygons(data: memoryview) -> int | None:
    """Count a file's lists of lists, or return None where one may hold a part of fewer than three points.

    Brackets inside strings, and lists spread over several lines, make the count differ from that of the outlines:
    whoever asks compares it, and looks at every outline where it does not fit.
    """
    view = np.frombuffer(data, np.uint8)
    count = 0
    tail: npt.NDArray[np.int64] = np.array([-9, -9])
    for start in range(0, view.size, CHUNK):
        piece = view[start : start + CHUNK]
        places = np.concatenate([tail, np.flatnonzero((piece == 91) | (piece == 93)) + start])
        opens = view[places] == 91
        opens[places < 0] = False
        near = places[1:-1] - places[:-2]
        # An innermost list right behind an opening bracket, or behind a closed list and a comma, is part of an outline.
        first = opens[:-2] & (near == 1)
        part = opens[1:-1] & ~opens[2:] & (first | (~opens[:-2] & (near <= 3)))
        count += int((part & first).sum())
        for index in np.flatnonzero(part & (places[2:] - places[1:-1] < SHORT)):
            inside = data[places[index + 1] + 1 : places[index + 2]]
            if bytes(inside).count(b",") < 5:
                return None
        tail = places[-2:]
    return count
