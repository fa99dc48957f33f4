"""Write the notebooks without their solutions and outputs: ``make learner`` puts them into build/learner."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]


def strip(book: nbformat.NotebookNode) -> None:
    """Take a notebook's solutions and outputs out, in place; each exercise gets an empty cell to work in."""
    cells = []
    for cell in book.cells:
        if "solution" in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
        if str(cell.get("id", "")).startswith("exercise-"):
            number = cell["id"].removeprefix("exercise-")
            cells.append(nbformat.v4.new_code_cell("# Your turn.", id=f"yours-{number}"))
    book.cells = cells
    book.metadata.pop("book", None)


def strip_all(source: Path, target: Path) -> list[Path]:
    """Write every notebook of a folder without solutions, and what lies beside, into another; return the files."""
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted(source.glob("*.ipynb")):
        book = nbformat.read(path, as_version=4)
        strip(book)
        nbformat.write(book, target / path.name)
        written.append(target / path.name)
    for beside in ("figures", "recorded"):
        if (source / beside).is_dir():
            shutil.copytree(source / beside, target / beside, dirs_exist_ok=True)
    return written


def main() -> int:
    """Strip the book's notebooks."""
    parser = argparse.ArgumentParser(description="Write the notebooks without solutions and outputs.")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "learner")
    target = parser.parse_args().output
    written = strip_all(ROOT / "notebooks", target)
    print(f"{len(written)} notebooks without solutions in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
