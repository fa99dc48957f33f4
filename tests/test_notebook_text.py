"""Notebooks as plain text: what goes out comes back, and a slip is named."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

from .conftest import REPOSITORY


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebook", REPOSITORY / "tools" / "notebook.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", sorted((REPOSITORY / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_notebook_of_the_book_survives_the_way_through_text(tool: ModuleType, path: Path) -> None:
    before = nbformat.read(path, as_version=4).cells
    after = tool.to_notebook(tool.to_text(path))
    nbformat.validate(after)

    def kept(cells: list[nbformat.NotebookNode]) -> list[tuple[str, str, list[str], str]]:
        return [(one.cell_type, one.id, one.metadata.get("tags", []), one.source.strip("\n")) for one in cells]

    assert kept(after.cells) == kept(before)


@pytest.mark.parametrize(
    "text, said",
    [
        ("# A title without a head", "expected '%%% md NAME'"),
        ("%%% markdown contract\n# A", "expected '%%% md NAME'"),
        ("%%% md Contract\n# A", "small letters"),
        ("%%% md one\nA\n%%% code one\n1", "Two cells are called 'one'"),
        ("", "expected '%%% md NAME'"),
    ],
)
def test_a_slip_is_named(tool: ModuleType, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        tool.to_notebook(text)
