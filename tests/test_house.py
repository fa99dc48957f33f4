"""The house keeps its own rules: every dataset has its places, floors import downwards, modules stay small."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

import data_helpers
from data_helpers.cards import parsed
from data_helpers.samples import Scan, Selection

from .conftest import REPOSITORY

PACKAGE = REPOSITORY / "data_helpers"
# A dataset whose reader is not written yet is in preparation: its card and its entry in README say so.
READY = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
STEMS = [stem for stem in data_helpers.list_datasets() if stem in READY]
WAITING = [stem for stem in data_helpers.list_datasets() if stem not in READY]

FLOORS = {
    0: ["errors", "home", "samples"],
    1: ["cards"],
    2: ["files", "remote", "serve", "captions"],
    3: STEMS,
    4: ["miniature", "stats", "show", "croissant", "identify"],
    5: ["app", "roots"],
    6: ["__init__", "__main__", "verbs", "doctor"],
}


def places(stem: str) -> dict[str, bool]:
    """Return the places a dataset needs, as (place, what stands there) to whether it is there; also the scaffold."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    toc = (REPOSITORY / "_toc.yml").read_text(encoding="utf-8")
    paper = (REPOSITORY / "references.bib").read_text(encoding="utf-8")
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    card = parsed(stem)
    title = re.split(r":| and ", card.title)[0]
    return {
        f"data_helpers/cards/{stem}.toml (the card)": (PACKAGE / "cards" / f"{stem}.toml").is_file(),
        f"data_helpers/{stem}.py (the reader)": any(
            (PACKAGE / name).is_file() for name in (f"{stem}.py", f"{stem}/__init__.py")
        ),
        f"miniatures/{stem}.py and its zip (python miniatures/{stem}.py)": (
            REPOSITORY / "miniatures" / f"{stem}.py"
        ).is_file()
        and (PACKAGE / "miniatures" / f"{stem}.zip").is_file(),
        f"notebooks/{stem}.ipynb (python tools/refresh.py notebooks/{stem}.ipynb)": (
            REPOSITORY / "notebooks" / f"{stem}.ipynb"
        ).is_file(),
        f"chapters/{stem}.md (the chapter)": (REPOSITORY / "chapters" / f"{stem}.md").is_file(),
        f"quizzes/{stem}.toml (the quiz)": (REPOSITORY / "quizzes" / f"{stem}.toml").is_file(),
        f"datasheets/{stem}.toml (the datasheet)": (REPOSITORY / "datasheets" / f"{stem}.toml").is_file(),
        f"course.toml: [notes.{stem}], and a session that uses its notebook": f"[notes.{stem}]"
        in (REPOSITORY / "course.toml").read_text(encoding="utf-8"),
        f"tests/test_{stem}.py (its tests)": (REPOSITORY / "tests" / f"test_{stem}.py").is_file(),
        f"README.md: <!-- {stem}:start --> ... <!-- {stem}:end -->": f"<!-- {stem}:start -->" in readme
        and f"<!-- {stem}:end -->" in readme,
        f"_toc.yml: chapters/{stem} and notebooks/{stem}": f"chapters/{stem}\n" in toc and f"notebooks/{stem}\n" in toc,
        f"references.bib: {card.citation}, the paper": f"{{{card.citation}," in paper,
        f"CITATION.cff: {title} in the abstract": title in citation["abstract"],
    }


@pytest.mark.parametrize("stem", STEMS)
def test_every_dataset_has_its_places(stem: str) -> None:
    lacks = [place for place, there in places(stem).items() if not there]
    assert not lacks, f"{stem} lacks:\n" + "\n".join(f"  - {place}" for place in lacks)


@pytest.mark.parametrize("stem", WAITING)
def test_a_dataset_in_preparation_says_so(stem: str) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    entry = readme.partition(f"<!-- {stem}:start -->")[2].partition(f"<!-- {stem}:end -->")[0]
    assert "in preparation" in entry, f"README.md: the entry of {stem} says 'in preparation' until its reader stands"
    with pytest.raises(data_helpers.DataError, match="no reader in this version"):
        data_helpers.summary(stem)
    assert data_helpers.plan(stem).dataset == stem, "its files can be planned by the card alone"


@pytest.mark.parametrize("stem", STEMS)
def test_every_reader_keeps_the_contract(stem: str) -> None:
    found = data_helpers.summary(stem)
    assert found["tier"] == "miniature" and found["dataset"] == stem
    assert set(Scan.__struct_fields__) <= set(found)
    assert found["problems"], "a miniature carries planted defects"
    assert all(set(problem) == {"kind", "where", "detail"} for problem in found["problems"])
    samples = list(data_helpers.read(stem))
    assert samples and all(isinstance(sample, data_helpers.Sample) for sample in samples)
    some = next(name for name, count in found["splits"].items() if count) if found["splits"] else None
    assert len(list(data_helpers.read(stem, split=some, max_samples=2))) <= 2
    first = [sample.id for sample in data_helpers.read(stem, max_samples=5, shuffle=True, seed=3)]
    assert first == [sample.id for sample in data_helpers.read(stem, max_samples=5, shuffle=True, seed=3)]
    for field in ("split", "label_types"):
        with pytest.raises(data_helpers.DataError, match="nowhere"):
            list(data_helpers.read(stem, **{field: "nowhere"}))
    assert data_helpers.identify(found["root"])["dataset"] == stem
    from data_helpers import roots

    assert roots.reader(stem).recognise(Path(found["root"])), "its own miniature is recognised"
    assert Selection().take([1]) == [1]


def _imports(path: Path) -> set[str]:
    """Return the modules of this package that a file imports, at any depth."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            depth = node.level - (len(path.relative_to(PACKAGE).parts) - 1)
            if depth == 1:
                found |= {module.split(".")[0]} if module else {alias.name for alias in node.names}
            elif node.level == 0 and module.startswith("data_helpers."):
                found.add(module.split(".")[1])
    return found


def test_floors_import_downwards() -> None:
    floor = {name: number for number, names in FLOORS.items() for name in names}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        assert parts[0] in floor, f"{path.name}: give the module a floor, here and in CONTRIBUTING.md"
        if floor[parts[0]] == 6:
            continue
        for other in _imports(path) - {parts[0]}:
            own = floor[parts[0]]
            # The planner of a dataset's own route stands beside its reader; readers never know each other.
            assert floor.get(other, 9) < own or (floor.get(other) == own and own in (0, 2, 4, 5)), (
                f"{path} imports {other}"
            )


def test_modules_stay_small() -> None:
    for path in PACKAGE.rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 300, f"{path.name} has {lines} lines: make it a folder of its name"


def test_fiftyone_and_pickle_stay_out() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "app.py" and path.parent.name != "app":
            assert not re.search(r"^\s*(import|from) fiftyone", text, re.M), f"{path}: only app imports FiftyOne"
        assert not re.search(r"^\s*(import|from) (pickle|cPickle|dill)|allow_pickle=True", text, re.M), path


def test_toc_names_what_exists_and_configuration_is_valid() -> None:
    toc = yaml.safe_load((REPOSITORY / "_toc.yml").read_text(encoding="utf-8"))
    names = [toc["root"]]

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "file" in node:
                names.append(node["file"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(toc)
    for name in names:
        assert any((REPOSITORY / f"{name}{ending}").is_file() for ending in (".md", ".ipynb", "")), (
            f"_toc.yml names {name}"
        )
    for folder in ("chapters", "notebooks"):
        for path in (REPOSITORY / folder).iterdir():
            if path.suffix in (".md", ".ipynb"):
                assert f"{folder}/{path.stem}" in names, f"{path.name} stands in no part of _toc.yml"
