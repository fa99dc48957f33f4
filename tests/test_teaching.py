"""The teaching kit: learner editions without solutions, a stick that says what runs from it, times by division."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from .conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tools"))
sys.path.insert(0, str(REPOSITORY / "_ext"))

import bundle
import learner
from book import course

NOTEBOOKS = REPOSITORY / "notebooks"


def test_learner_editions_keep_the_story_and_lose_the_solutions(tmp_path: Path) -> None:
    written = learner.strip_all(NOTEBOOKS, tmp_path)
    assert {path.name for path in written} == {path.name for path in NOTEBOOKS.glob("*.ipynb")}
    for path in written:
        whole = nbformat.read(NOTEBOOKS / path.name, as_version=4)
        book = nbformat.read(path, as_version=4)
        nbformat.validate(book)
        assert not [cell for cell in book.cells if "solution" in cell.metadata.get("tags", [])]
        assert not [cell for cell in book.cells if cell.cell_type == "code" and cell.outputs]
        kept = [cell.id for cell in book.cells if not cell.id.startswith("yours-")]
        assert kept == [cell.id for cell in whole.cells if "solution" not in cell.metadata.get("tags", [])]
        exercises = [cell.id for cell in book.cells if cell.id.startswith("exercise-")]
        empty = [cell.id for cell in book.cells if cell.id.startswith("yours-")]
        assert [name.removeprefix("exercise-") for name in exercises] == [name.removeprefix("yours-") for name in empty]


def test_the_stick_knows_what_a_notebook_needs(tmp_path: Path) -> None:
    assert {"numpy", "matplotlib", "data_helpers"} <= bundle.imports(NOTEBOOKS / "coco.ipynb")
    assert "[laion]" in bundle.imports(NOTEBOOKS / "laion.ipynb")
    assert "[laion]" not in bundle.imports(NOTEBOOKS / "coco.ipynb")
    # What a notebook tries and can do without is no need.
    story = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("import json\ntry:\n    import rare\nexcept ImportError:\n    rare = None")]
    )
    nbformat.write(story, tmp_path / "x.ipynb")
    assert bundle.imports(tmp_path / "x.ipynb") == {"json"}
    with zipfile.ZipFile(tmp_path / "some-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("some/__init__.py", "")
        wheel.writestr("single.py", "")
    assert {"some", "single"} <= bundle.provided(tmp_path)


@pytest.mark.parametrize("system", list(bundle.SYSTEMS))
def test_the_stick_asks_for_pinned_packages_only(system: str) -> None:
    found = bundle.needed(system, "3.12")
    assert all("==" in pin for pin in found)
    names = {pin.partition("==")[0] for pin in found}
    assert {"jupyterlab", "matplotlib", "numpy", "pycocotools"} <= names
    assert not names & {"fiftyone", "pyspark", "img2dataset"}
    assert ("pywinpty" in names) == (system == "windows")


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0.001, "1 s"), (0.5, "30 s"), (4.2, "4 min"), (89, "89 min"), (120, "2.0 h"), (60 * 24 * 3, "3 days")],
)
def test_durations_are_said_as_people_say_them(minutes: float, said: str) -> None:
    assert course.duration(minutes) == said
