"""Finding more datasets: the chapter's ledger, the recorded answers, and the notebook on a reader's own folder."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from .conftest import REPOSITORY
from .test_notebooks import load, refresh

sys.path.insert(0, str(REPOSITORY / "_ext"))

from book import facts

NOTEBOOK = REPOSITORY / "notebooks" / "resources.ipynb"
RECORDED = REPOSITORY / "notebooks" / "recorded"
ANSWERS = [path for path in sorted(RECORDED.glob("*.json")) if path.stem != "services"]
CHAPTER = (REPOSITORY / "chapters" / "resources.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", facts.ledgers())
def test_a_page_may_have_a_ledger_of_its_own(page: str) -> None:
    ledger = facts.parsed(page)
    assert page not in facts.cards.list_datasets(), "a dataset's facts stand in its card"
    for key, one in ledger.facts.items():
        assert facts.lookup(f"{page}.{key}") == one
        assert re.search(r"https?://|package|arithmetic", one.source), f"{key}: its source is no place to look"
        if one.note.startswith("= "):
            values = {name: fact.value for name, fact in ledger.facts.items()}
            terms = [values[name] for name in one.note.removeprefix("= ").split(" + ")]
            assert sum(terms) == one.value, key
    with pytest.raises(KeyError, match="no fact 'nothing'"):
        facts.lookup(f"{page}.nothing")


def test_every_place_has_its_section_with_a_status_and_a_date() -> None:
    services = json.loads((RECORDED / "services.json").read_text(encoding="utf-8"))["services"]
    sections = dict(re.findall(r"(?ms)^### (.+?)$\n(.*?)(?=^##)", CHAPTER))
    for one in services:
        (name,) = [title for title in sections if title.startswith(one["name"])]
        assert re.search(r"\*\*Search from Python|```python", sections[name]), name
        assert re.search(r"Licence", sections[name]) and re.search(r"[Cc]hecksum", sections[name]), name
        year = re.search(r"20\d\d", one["seen"])
        assert year and year.group() in sections[name], f"{name}: the chapter's date is not that of the table"
        assert one["kind"] in ("host", "index", "loader library") and one["source"] and one["status"]
        grades = {one[column]["grade"] for column in ("search", "licence", "checksum", "version", "croissant", "login")}
        assert grades <= {-1, 0, 1, 2} and (grades == {-1}) == (one["status"] == "unverified")
    assert len(services) == len({one["name"] for one in services}) == 12


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_recorded_answers_say_what_they_are(path: Path) -> None:
    recorded = json.loads(path.read_text(encoding="utf-8"))
    assert "not captured" in recorded["how"] and recorded["sources"] and recorded["shape"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", recorded["written"])
    assert all(set(one) == {"asked", "answer"} and one["answer"] for one in recorded["questions"])
    assert path.stat().st_size < 5000


def test_recorded_bytes_are_those_of_the_ledger() -> None:
    text = "".join(one["answer"] for one in json.loads((RECORDED / "tfds.json").read_text())["questions"])
    sizes = {name: int(size) for _, size, _, name in (line.split("\t") for line in text.splitlines())}
    assert sizes["images.tar.gz"] == facts.lookup("resources.pets_bytes").value
    assert sizes["kagglecatsanddogs_5340.zip"] == facts.lookup("resources.asirra_new_bytes").value
    assert all(len(line.split("\t")[2]) == 64 for line in text.splitlines())


@pytest.mark.notebook
def test_it_describes_a_folder_of_ones_own_and_outlives_silent_services(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    for number in range(5):
        target = mine / ("dark" if number % 2 else "light") / f"{number}.{'png' if number < 2 else 'jpg'}"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20 + number, 10), (number * 40,) * 3).save(target)
    before = {path: path.read_bytes() for path in mine.rglob("*.*")}
    book = load(NOTEBOOK)
    root = next(cell for cell in book.cells if cell.id == "root")
    root.source, changed = re.subn("(?m)^ROOT = None", f"ROOT = {str(mine)!r}", root.source)
    root.source, live = re.subn("(?m)^LIVE = False", "LIVE = True", root.source)
    assert (changed, live) == (1, 1)
    nowhere = "http://127.0.0.1:9"  # nobody listens there
    env = refresh.clean_environment(tmp_path) | {
        "https_proxy": nowhere,
        "HTTPS_PROXY": nowhere,
        "no_proxy": "127.0.0.1",
    }
    refresh.run(book, NOTEBOOK.parent, env=env)
    printed = {cell.id: "".join(str(one.get("text", "")) for one in cell.get("outputs", [])) for cell in book.cells}
    assert "5 rows read through the Croissant file alone" in printed["own-read"]
    assert "your folder" in printed["root"] and "asked live" in printed["root"]
    assert "huggingface: no live answer" in printed["ask"] and "zenodo: no live answer" in printed["ask"]
    assert {path: path.read_bytes() for path in mine.rglob("*.*")} == before, "the reader's pictures are left alone"
