"""Pytest plugin beside nbval (``-p tests.nbval_figures``): compares a re-run figure with the stored one.

nbval leaves pictures out of its comparison. Two pictures count as the same when their sizes agree within a few pixels
and their mean difference, at a quarter of the size, is small: another version of a font passes, another curve does not.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image

SIZE_TOLERANCE = 0.03
MEAN_TOLERANCE = 4.0
# A share of the picture in which a change is seen by eye: catches a bar that moved in a picture that is mostly white.
BLOCK_TOLERANCE = 60.0


def difference(stored: str | bytes, fresh: str | bytes) -> str | None:
    """Tell in words how two base64 pictures differ, or return None where they are the same to the eye."""
    one, other = _open(stored), _open(fresh)
    for name, before, after in zip(("width", "height"), one.size, other.size, strict=True):
        if abs(before - after) > max(4, SIZE_TOLERANCE * before):
            return f"{name} {after} instead of {before} pixels"
    small = (max(1, one.width // 4), max(1, one.height // 4))
    pixels = [np.asarray(image.resize(small, Image.Resampling.BOX), dtype=float) for image in (one, other)]
    apart = np.abs(pixels[0] - pixels[1]).mean(axis=2)
    if apart.mean() > MEAN_TOLERANCE:
        return f"mean difference {apart.mean():.2f} of 255, at most {MEAN_TOLERANCE}"
    rows, columns = (max(1, size // 8) for size in apart.shape)
    blocks = np.asarray(Image.fromarray(apart.astype("float32")).resize((columns, rows), Image.Resampling.BOX))
    if blocks.max() > BLOCK_TOLERANCE:
        return f"one place differs by {blocks.max():.0f} of 255, at most {BLOCK_TOLERANCE}"
    return None


def _open(data: str | bytes) -> Image.Image:
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")


def pictures(outputs: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield MIME type and base64 of each picture among a cell's outputs."""
    for output in outputs:
        for kind, value in output.get("data", {}).items():
            if kind in ("image/png", "image/jpeg", "image/webp"):
                yield kind, value


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """After nbval's own comparison, compare the cell's pictures."""
    yield
    cell, fresh = getattr(item, "cell", None), getattr(item, "test_outputs", None)
    if cell is None or fresh is None:
        return
    # What nbval is told not to compare, such as measured times, is not compared as a picture either.
    if "nbval-ignore-output" in cell.metadata.get("tags", []):
        return
    before, after = list(pictures(cell.outputs)), list(pictures(fresh))
    if len(before) != len(after):
        pytest.fail(f"cell {cell.get('id')}: {len(after)} figures instead of {len(before)}", pytrace=False)
    for (kind, stored), (_, new) in zip(before, after, strict=True):
        if stored != new and (found := difference(stored, new)):
            pytest.fail(f"cell {cell.get('id')}: its {kind} differs from the stored one: {found}", pytrace=False)
