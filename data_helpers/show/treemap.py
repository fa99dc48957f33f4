"""Classes as rectangles, each as large as its mean object is beside the others'."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .. import stats
from ..samples import Sample
from .figures import FILL, canvas
from .picture import Picture


def area_treemap(samples: Iterable[Sample], kind: str | None = None, top: int = 25) -> Picture:
    """Draw each class as a rectangle as large as its mean object is beside the others'."""
    rows = stats.area_shares(samples, kind)
    shown = rows[:top]
    figure, axes = canvas(width=7.2, height=4.6)
    boxes = squarify([row["mean area"] for row in shown])
    for index, (row, (x, y, width, height)) in enumerate(zip(shown, boxes, strict=True)):
        axes.add_patch(_rectangle(x, y, width, height, FILL[index % len(FILL)]))
        text = f"{row['class']}\n{row['mean area']:,.0f}"
        if width > 0.012 * len(row["class"]) and height > 0.07:
            light = FILL[index % len(FILL)] in ("#e69f00", "#56b4e9", "#f0e442", "#cc79a7")
            axes.text(
                x + width / 2,
                y + height / 2,
                text,
                ha="center",
                va="center",
                fontsize=7.5,
                color="black" if light else "white",
            )
    axes.set(xlim=(0, 1), ylim=(1, 0))
    axes.axis("off")
    axes.set_title("Mean area of one object, square pixels", loc="left", fontsize=11)
    most = ", ".join(f"{row['class']} ({row['mean area']:,.0f})" for row in rows[:3])
    return Picture(figure, alt=f"Treemap of the mean object area of {len(shown)} classes. Largest: {most}.", table=rows)


def _rectangle(x: float, y: float, width: float, height: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor=colour, edgecolor="white", linewidth=1.5)


def squarify(values: Sequence[float]) -> list[tuple[float, float, float, float]]:
    """Cut the unit square into rectangles of given proportions, as near to squares as a row at a time allows.

    Parameters
    ----------
    values
        Positive numbers, largest first.

    Returns
    -------
    list of (x, y, width, height)
        In the same order; their areas add up to 1.
    """
    total = sum(values)
    areas = [value / total for value in values] if total > 0 else []
    placed: list[tuple[float, float, float, float]] = []
    x = y = 0.0
    width = height = 1.0
    while areas:
        side = min(width, height)
        row = 1
        while row < len(areas) and _worst(areas[: row + 1], side) <= _worst(areas[:row], side):
            row += 1
        depth = sum(areas[:row]) / side if side else 0
        along = 0.0
        for area in areas[:row]:
            length = area / depth if depth else 0
            placed.append((x, y + along, depth, length) if width >= height else (x + along, y, length, depth))
            along += length
        if width >= height:
            x, width = x + depth, max(width - depth, 0)
        else:
            y, height = y + depth, max(height - depth, 0)
        areas = areas[row:]
    return placed


def _worst(areas: Sequence[float], side: float) -> float:
    total = sum(areas)
    return max(side * side * max(areas) / total**2, total**2 / (side * side * max(min(areas), 1e-12)))
