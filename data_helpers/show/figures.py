"""The tables of `data_helpers.stats` as figures, each with its alt text and its numbers.

Every figure has a background of its own, so that it is read on a dark page as well; its colours keep apart for a
colour-blind reader, and nothing is told by colour alone. Matplotlib's global state is neither read nor changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import stats
from ..errors import missing_extra
from ..samples import Sample
from .picture import Picture

BLUE, ORANGE, GREY, INK = "#0072b2", "#d55e00", "#8a8a8a", "#1a1a1a"
FILL = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a7a7a", "#f0e442")


def canvas(width: float = 7.2, height: float = 4.0) -> tuple[Any, Any]:
    """Return a figure of a size in inches and its axes, outside of pyplot and its global state."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("show", "Drawing a figure") from error
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    return figure, axes


def _bars(rows: Sequence[dict[str, Any]], label: str, value: str, title: str, unit: str, colour: str = BLUE) -> Any:
    figure, axes = canvas(height=1.1 + 0.27 * max(len(rows), 3))
    values = [row[value] for row in rows]
    axes.barh(range(len(rows)), values, color=colour)
    axes.set_yticks(range(len(rows)), [str(row[label]) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(unit)
    axes.set_title(title, loc="left", fontsize=11)
    for place, number in enumerate(values):
        axes.annotate(
            f"{number:,.6g}", (number, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.margins(x=0.12)
    return figure


def _most(rows: Sequence[dict[str, Any]], label: str, value: str) -> str:
    return ", ".join(f"{row[label]} ({row[value]:,})" for row in rows[:3])


def class_balance(samples: Iterable[Sample], kind: str | None = None, top: int = 20) -> Picture:
    """Draw how many objects each class has; the table holds every class."""
    rows = stats.class_balance(samples, kind)
    shown = rows[:top]
    part = f", the {top} commonest of {len(rows)}" if len(rows) > top else ""
    figure = _bars(shown, "class", "objects", f"Objects by class{part}", "objects")
    most = _most(rows, "class", "objects")
    alt = f"Bars of the number of objects of {len(shown)} of {len(rows)} classes. Most: {most}."
    return Picture(figure, alt=alt, table=rows)


def objects_per_image(samples: Iterable[Sample], kind: str | None = None) -> Picture:
    """Draw how many pictures have how many objects."""
    rows = stats.objects_per_image(samples, kind)
    figure, axes = canvas(height=3.4)
    axes.bar([row["objects"] for row in rows], [row["pictures"] for row in rows], color=BLUE, width=0.9)
    total = sum(row["pictures"] for row in rows)
    mean = sum(row["objects"] * row["pictures"] for row in rows) / max(total, 1)
    axes.axvline(mean, color=ORANGE, linestyle="--")
    axes.annotate(
        f"mean {mean:.1f}",
        (mean, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(5, 0),
        color=ORANGE,
        textcoords="offset points",
        va="top",
    )
    axes.set(xlabel="objects in a picture", ylabel="pictures")
    axes.set_title("Objects per picture", loc="left", fontsize=11)
    most = max((row["objects"] for row in rows), default=0)
    alt = f"Histogram of the number of objects in each of {total:,} pictures: mean {mean:.1f}, at most {most}."
    return Picture(figure, alt=alt, table=[row for row in rows if row["pictures"]])


def picture_sizes(samples: Iterable[Sample]) -> Picture:
    """Draw width against height, the area of a point standing for the number of pictures."""
    rows = stats.picture_sizes(samples)
    known = [row for row in rows if row["width"] and row["height"]]
    figure, axes = canvas(width=5.6, height=4.8)
    most = max((row["pictures"] for row in known), default=1)
    sizes = [12 + 300 * row["pictures"] / most for row in known]
    axes.scatter(
        [row["width"] for row in known],
        [row["height"] for row in known],
        s=sizes,
        color=BLUE,
        alpha=0.55,
        edgecolors="white",
        linewidths=0.6,
    )
    end = max((max(row["width"], row["height"]) for row in known), default=1) * 1.08
    axes.plot([0, end], [0, end], color=GREY, linewidth=1, linestyle=":")
    axes.annotate("square", (end, end), ha="right", va="top", color="#5a5a5a", fontsize=8)
    axes.set(xlabel="width in pixels", ylabel="height in pixels", xlim=(0, end), ylim=(0, end), aspect="equal")
    axes.set_title("Sizes of pictures", loc="left", fontsize=11)
    first = known[0] if known else {"width": 0, "height": 0, "pictures": 0}
    alt = (
        f"Points of {len(known)} picture sizes, width against height. Commonest: {first['width']} by {first['height']} "
        f"pixels, {first['pictures']:,} pictures."
    )
    return Picture(figure, alt=alt, table=rows)


def cooccurrence(samples: Iterable[Sample], kind: str | None = None, top: int = 15) -> Picture:
    """Draw in how many pictures two of the commonest classes stand together; the table has the pairs."""
    samples = list(samples)
    names, counts = stats.cooccurrence(samples, kind, top)
    figure, axes = canvas(width=6.6, height=6.0)
    shown = np.ma.masked_where(np.eye(len(names), dtype=bool) | (counts == 0), counts)
    _grid(figure, axes, shown, names, names, "pictures with both")
    axes.tick_params(axis="x", rotation=90)
    axes.set_title("Classes that stand together", loc="left", fontsize=11)
    rows = stats.pairs(samples, kind, top)
    most = "; ".join(f"{row['class']} with {row['with']} in {row['pictures']:,} pictures" for row in rows[:3])
    return Picture(
        figure, alt=f"Matrix of {len(names)} classes by {len(names)}. Most often: {most or 'none'}.", table=rows
    )


def _grid(figure: Any, axes: Any, values: Any, rows: Sequence[str], columns: Sequence[str], unit: str) -> None:
    drawn = axes.imshow(values, cmap="cividis", aspect="auto")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xticks(range(len(columns)), columns)
    axes.spines[:].set_visible(False)
    figure.colorbar(drawn, ax=axes, label=unit, shrink=0.8)
    if values.size <= 400:
        middle = (float(np.max(values)) + float(np.min(values))) / 2 if values.size and np.ma.count(values) else 0
        for (y, x), number in np.ndenumerate(values):
            if not np.ma.is_masked(number):
                axes.text(
                    x,
                    y,
                    f"{number:g}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="black" if number > middle else "white",
                )


def object_distribution(samples: Iterable[Sample], kind: str | None = None, top: int = 15) -> Picture:
    """Draw for each class how many pictures have 1, 2, ... 10 or more of its objects."""
    rows = stats.object_distribution(samples, kind, top)
    heads = [*map(str, range(1, 10)), "10+"]
    figure, axes = canvas(height=1.6 + 0.27 * max(len(rows), 3))
    values = np.array([[row[head] for head in heads] for row in rows]).reshape(len(rows), len(heads))
    _grid(figure, axes, np.ma.masked_equal(values, 0), [row["class"] for row in rows], heads, "pictures")
    axes.set_xlabel("objects of the class in a picture")
    axes.set_title("How many of a class in one picture", loc="left", fontsize=11)
    ones = sum(row["1"] for row in rows)
    more = sum(row[head] for row in rows for head in heads[1:])
    alt = f"Matrix of {len(rows)} classes by objects in a picture. One object: {ones:,} cases, several: {more:,}."
    return Picture(figure, alt=alt, table=rows)


def class_sizes(samples: Iterable[Sample], kind: str | None = None, top: int = 20) -> Picture:
    """Draw for each class the mean share of a picture that one object takes, with the least and the largest."""
    rows = sorted(stats.class_sizes(samples, kind), key=lambda row: -row["objects"])
    shown = [row for row in rows[:top] if row["share % mean"] == row["share % mean"]]
    shown.sort(key=lambda row: -row["share % mean"])
    figure, axes = canvas(height=1.1 + 0.27 * max(len(shown), 3))
    places = range(len(shown))
    least = [max(row["share % min"], 0.001) for row in shown]
    most = [max(row["share % max"], 0.001) for row in shown]
    axes.hlines(places, least, most, color=GREY, linewidth=2)
    axes.scatter([max(row["share % mean"], 0.001) for row in shown], places, color=ORANGE, zorder=3)
    axes.set_xscale("log")
    axes.set_yticks(places, [row["class"] for row in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlabel("share of the picture in percent (logarithmic): least, mean, largest")
    axes.set_title("How large one object is", loc="left", fontsize=11)
    told = f"largest on average {shown[0]['class']}, smallest {shown[-1]['class']}" if shown else "none"
    return Picture(figure, alt=f"Ranges of object size of {len(shown)} classes: {told}.", table=rows)


def spatial_heatmap(
    samples: Iterable[Sample], label: str | None = None, kind: str | None = None, grid: int = 32
) -> Picture:
    """Draw where in a picture the boxes of a class (None: of all) lie; the table has the shares in nine fields."""
    values = 100 * stats.spatial_heatmap(samples, label, kind, grid)
    figure, axes = canvas(width=5.4, height=4.4)
    drawn = axes.imshow(values, cmap="cividis", extent=(0, 100, 100, 0), vmin=0, aspect="auto")
    axes.set(xlabel="from left to right, percent", ylabel="from top to bottom, percent")
    axes.set_title(f"Where boxes{' of ' + label if label else ''} lie", loc="left", fontsize=11)
    figure.colorbar(drawn, ax=axes, label="covered in percent of the pictures")
    thirds = [[part.mean() for part in np.array_split(band, 3, axis=1)] for band in np.array_split(values, 3, axis=0)]
    rows = [
        {
            "field": name,
            **{side: round(float(share), 1) for side, share in zip(("left", "middle", "right"), line, strict=True)},
        }
        for name, line in zip(("top", "middle", "bottom"), thirds, strict=True)
    ]
    alt = (
        f"Heat map of where boxes{' of ' + label if label else ''} lie: the middle field is covered in "
        f"{rows[1]['middle']} percent of pictures, the top left one in {rows[0]['left']} percent."
    )
    return Picture(figure, alt=alt, table=rows)


def missing_and_empty(samples: Iterable[Sample]) -> Picture:
    """Draw for each label type the pictures with labels, without, and not listed."""
    rows = stats.missing_and_empty(samples)
    figure, axes = canvas(height=1.4 + 0.4 * max(len(rows), 2))
    left = np.zeros(len(rows))
    hatches = {"with": (BLUE, ""), "empty": ("#e69f00", "//"), "missing": ("#d0d0d0", "..")}
    for name, (colour, hatch) in hatches.items():
        values = np.array([row[name] for row in rows])
        axes.barh(range(len(rows)), values, left=left, color=colour, hatch=hatch, edgecolor="white", label=name)
        left += values
    axes.set_yticks(range(len(rows)), [row["labels"] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("pictures")
    axes.set_title("Labelled, looked at and empty, or not looked at", loc="left", fontsize=11)
    axes.legend(ncols=3, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.22 if len(rows) > 3 else -0.3))
    told = "; ".join(
        f"{row['labels']}: {row['with']} with, {row['empty']} empty, {row['missing']} missing" for row in rows
    )
    return Picture(figure, alt=f"Bars of pictures by label type. {told}.", table=rows)


def licences(samples: Iterable[Sample]) -> Picture:
    """Draw how many pictures stand under each licence."""
    rows = stats.licences(samples)
    figure = _bars(rows, "licence", "pictures", "Licences of the pictures", "pictures")
    return Picture(figure, alt=f"Bars of pictures by licence. Most: {_most(rows, 'licence', 'pictures')}.", table=rows)
