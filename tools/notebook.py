"""Write a notebook as plain text and turn it into an .ipynb, or an .ipynb back into text.

JupyterLab shows no way to name a cell, and the book finds cells by their names. In the text a cell begins with a line
``%%% md contract`` or ``%%% code setup nbval-skip,remove-cell``: its kind, its name, its tags. Then::

    python tools/notebook.py notebooks/lfw.ipynb lfw.txt      # to text
    python tools/notebook.py lfw.txt notebooks/lfw.ipynb      # and back, without outputs
    python tools/refresh.py notebooks/lfw.ipynb               # runs it and stores the outputs
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

HEAD = re.compile(r"^%%% (md|code) ([a-z0-9-]+)(?: ([a-z0-9,-]+))?$", re.M)
KERNEL = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


def to_text(path: Path) -> str:
    """A notebook as text, outputs left out."""
    parts = []
    for cell in nbformat.read(path, as_version=4).cells:
        kind = "md" if cell.cell_type == "markdown" else "code"
        tags = ",".join(cell.metadata.get("tags", []))
        parts.append(f"%%% {kind} {cell.id} {tags}".rstrip() + f"\n{cell.source}\n")
    return "\n".join(parts)


def to_notebook(text: str) -> nbformat.NotebookNode:
    """A text as a notebook without outputs.

    Raises
    ------
    ValueError
        The text does not begin with a cell's head, a head is not understood, or a name stands twice.
    """
    wrong = [line for line in re.findall(r"^%%%.*$", text, re.M) if not HEAD.match(line)]
    pieces = HEAD.split(text)
    if wrong or pieces[0].strip() or len(pieces) == 1:
        found = wrong[0] if wrong else text.strip().split("\n")[0]
        raise ValueError(f"{found!r}: expected '%%% md NAME' or '%%% code NAME TAG,TAG', the name in small letters.")
    cells = []
    for kind, name, tags, source in zip(pieces[1::4], pieces[2::4], pieces[3::4], pieces[4::4], strict=True):
        cell = (new_markdown_cell if kind == "md" else new_code_cell)(source.strip("\n"))
        cell["id"] = name
        if tags:
            cell["metadata"]["tags"] = tags.split(",")
        if name in {one["id"] for one in cells}:
            raise ValueError(f"Two cells are called {name!r}.")
        cells.append(cell)
    return new_notebook(cells=cells, metadata=KERNEL)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    if arguments.source.suffix == ".ipynb":
        arguments.target.write_text(to_text(arguments.source), encoding="utf-8")
    else:
        nbformat.write(to_notebook(arguments.source.read_text(encoding="utf-8")), arguments.target)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
