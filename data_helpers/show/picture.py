"""A figure that carries its description and its numbers with it."""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

Rows = Sequence[Any]
"""Dicts with the same keys, or sequences of which the first is the header."""


class Table:
    """Rows shown as a table in a notebook, and as aligned text wherever text is compared.

    Parameters
    ----------
    rows
        A list of dicts with the same keys, or of tuples whose first one is the header.
    """

    def __init__(self, rows: Rows) -> None:
        self.head, self.rows = _rows(rows)

    def text(self) -> str:
        """Return the table as aligned text, numbers to the right."""
        cells = [self.head, *([_cell(value) for value in row] for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(self.head))]
        numeric = [all(isinstance(row[i], int | float) for row in self.rows) for i in range(len(self.head))]
        return "\n".join(
            "  ".join(
                cell.rjust(w) if right else cell.ljust(w) for cell, w, right in zip(line, widths, numeric, strict=True)
            ).rstrip()
            for line in cells
        )

    def html(self) -> str:
        """Return the table as HTML."""
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in self.head)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>" for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()


class Picture:
    """A Matplotlib figure with alt text and the table it draws.

    As the last expression of a notebook cell it shows the figure, its alt text in the output's metadata, and below it
    the table, folded away; as plain text the table's numbers, so that a test can compare them.

    Parameters
    ----------
    figure
        A Matplotlib figure; one of pyplot's is closed, so that it is not shown twice.
    alt
        What the figure shows, in a sentence or two, for a reader who does not see it.
    table
        Its numbers: a list of dicts with the same keys, or of tuples whose first one is the header.
    """

    def __init__(self, figure: Any, *, alt: str, table: Rows = ()) -> None:
        if not alt.strip():
            raise ValueError("alt: a figure needs a description in words")
        self.figure, self.alt, self.table = figure, " ".join(alt.split()), Table(table)
        if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
            pyplot.close(figure)

    def png(self) -> bytes:
        """Return the figure as a PNG, the same bytes for the same figure."""
        file = io.BytesIO()
        self.figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
        with Image.open(file) as drawn:
            # Nearly every figure is opaque: without the channel that says so it takes an eighth less of its notebook.
            opaque = drawn.getchannel("A").getextrema() == (255, 255)
            small = io.BytesIO()
            (drawn.convert("RGB") if opaque else drawn).save(small, format="png", optimize=True)
        return small.getvalue()

    def text(self) -> str:
        """Return the table as aligned text."""
        return self.table.text()

    def html(self) -> str:
        """Return the table as HTML, folded away; a long one scrolls in a box that the keyboard can reach."""
        return (
            '<details class="dh-table"><summary>The numbers as a table</summary>'
            '<div tabindex="0" role="group" aria-label="The figure\'s numbers" style="max-height:20em;overflow:auto">'
            f"{self.table.html()}</div></details>"
        )

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _ipython_display_(self) -> None:
        from IPython import display as ipython

        display: Any = ipython.display
        picture = {"image/png": base64.b64encode(self.png()).decode(), "text/plain": repr(self)}
        display(picture, metadata={"image/png": {"alt": self.alt}}, raw=True)
        if self.table.rows:
            display({"text/html": self.html(), "text/plain": self.text()}, raw=True)


def _rows(table: Rows) -> tuple[list[str], list[list[Any]]]:
    rows = list(table)
    if not rows:
        return [], []
    if isinstance(rows[0], Mapping):
        head = list(rows[0])
        return [str(name) for name in head], [[row[name] for name in head] for row in rows]
    return [str(name) for name in rows[0]], [list(row) for row in rows[1:]]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
