"""The quality notebook works on a reader's own pictures, and what it says of its planted truth holds."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import data_helpers

from .conftest import REPOSITORY
from .test_notebooks import database_uri, load, refresh  # noqa: F401

NOTEBOOK = REPOSITORY / "notebooks" / "quality.ipynb"


def test_the_truth_that_the_notebook_reads_is_where_it_looks() -> None:
    note = (data_helpers.miniature("lfw") / "MINIATURE.txt").read_text(encoding="utf-8")
    told = note.partition("shows another person than its name says;")[2].partition("are nearly")[0]
    names = re.findall(r"[A-Z][\w-]+_\d{4}", told)
    ids = {sample.id for sample in data_helpers.read("lfw") if sample.image}
    assert len(names) >= 2 and len(names) % 2 == 0 and set(names) <= ids
    planted = (data_helpers.miniature("casia") / "planted.tsv").read_text(encoding="utf-8").splitlines()[1:]
    pictures = {f"CASIA-WebFace/{sample.id}.jpg" for sample in data_helpers.read("casia") if sample.split is None}
    assert planted and {line.split("\t")[0] for line in planted} <= pictures


@pytest.mark.notebook
@pytest.mark.database
def test_it_runs_on_a_folder_of_ones_own(database_uri: str, tmp_path: Path) -> None:  # noqa: F811
    samples = [sample for sample in data_helpers.read("coco") if sample.image][:24]
    for number, sample in enumerate(samples):
        target = tmp_path / "mine" / ("test" if number % 3 == 0 else "train") / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(sample.image), target)
    before = {path: path.read_bytes() for path in (tmp_path / "mine").rglob("*.jpg")}
    book = load(NOTEBOOK)
    root = next(cell for cell in book.cells if cell.id == "root")
    root.source = root.source.replace("ROOT = None", f"ROOT = {str(tmp_path / 'mine')!r}", 1)
    env = refresh.clean_environment(tmp_path) | {
        "FIFTYONE_DATABASE_URI": database_uri,
        "FIFTYONE_DATABASE_NAME": "mine",
    }
    refresh.run(book, NOTEBOOK.parent, env=env)
    assert "24 photographs" in "".join(output.get("text", "") for output in root.outputs)
    assert {path: path.read_bytes() for path in before} == before, "a reader's own pictures are never touched"
