"""What the comparison rests on: shared photographs counted again from the lists, class tables that add up."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from data_helpers import cards

from .conftest import REAL, REPOSITORY
from .test_notebooks import load, refresh

TABLES = Path(cards.__file__).parent / "cards" / "tables"


def rows(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def value(stem: str, key: str) -> object:
    return cards.parsed(stem).facts[key].value


@pytest.mark.real
def test_photographs_shared_by_the_flickr_sets_are_counted_again() -> None:
    entities = REAL / "flickr30k" / "BryanPlummer_flickr30k_entities"
    lists = REAL / "flickr8k" / "Sadika1212_Image-Caption-Generator"
    if not entities.is_dir() or not lists.is_dir():
        pytest.skip("the lists of both sets are not at hand")
    split = {
        photo: name for name in ("train", "val", "test") for photo in (entities / f"{name}.txt").read_text().split()
    }
    files = {
        "Flickr8k, the copy compared": "Flickr8k.token.txt",
        "Flickr8k dev": "Flickr_8k.devImages.txt",
        "Flickr8k test": "Flickr_8k.testImages.txt",
    }
    table = {row["set"]: row for row in rows("flickr30k-overlap.csv")}
    for name, file in files.items():
        photos = {line.split("_")[0] for line in (lists / file).read_text(encoding="utf-8").splitlines() if line}
        found = Counter(split.get(photo, "nowhere") for photo in photos)
        told = {part: int(table[name][f"in Entities {part}"]) for part in ("train", "val", "test")}
        assert dict(found) == told
        assert len(photos) == int(table[name]["pictures"]) == int(table[name]["in Flickr30k"])


def test_the_table_of_shared_photographs_and_the_facts_agree() -> None:
    table = {row["set"]: row for row in rows("flickr30k-overlap.csv")}
    for part in ("train", "val", "test"):
        assert int(table["Flickr8k test"][f"in Entities {part}"]) == value("flickr30k", f"flickr8k_test_in_{part}")
    assert int(table["COCO val2017"]["in Flickr30k"]) == value("flickr30k", "coco_val_shared")
    assert int(table["Flickr8k, the copy compared"]["in Flickr30k"]) == value("flickr30k", "flickr8k_shared")
    for row in table.values():
        assert int(row["in Flickr30k"]) == sum(int(row[f"in Entities {part}"]) for part in ("train", "val", "test"))


def test_the_tables_of_classes_that_entropy_comes_from_add_up() -> None:
    people = rows("lfw-people.csv")
    assert sum(int(row["people"]) for row in people) == value("lfw", "people")
    assert sum(int(row["people"]) * int(row["pictures"]) for row in people) == value("lfw", "images")
    classes = rows("coco-classes.csv")
    assert len(classes) == value("coco", "thing_classes")
    assert sum(int(row["images"]) for row in classes) == value("coco", "image_class_pairs")


@pytest.mark.real
@pytest.mark.notebook
def test_on_the_real_lists_the_notebook_gives_the_published_numbers(tmp_path: Path) -> None:
    folders = {
        "lfw": REAL / "lfw" / "happynear_FaceDatasets" / "CASIA",
        "casia": REAL / "casia_webface" / "happynear_FaceDatasets",
        "flickr8k": REAL / "flickr8k" / "Sadika1212_Image-Caption-Generator",
        "flickr30k": REAL / "flickr30k" / "BryanPlummer_flickr30k_entities",
    }
    if not all(folder.is_dir() for folder in folders.values()):
        pytest.skip("the public lists are not at hand")
    (tmp_path / "own").mkdir()
    for stem, folder in folders.items():
        (tmp_path / "own" / stem).symlink_to(folder, target_is_directory=True)
    notebook = REPOSITORY / "notebooks" / "compare.ipynb"
    book = load(notebook)
    root = next(cell for cell in book.cells if cell.id == "root")
    root.source = root.source.replace("ROOT = None", f"ROOT = {str(tmp_path / 'own')!r}", 1)
    refresh.run(book, notebook.parent, env=refresh.clean_environment(tmp_path))
    shown = {
        cell.id: cell.outputs[0].data["text/plain"]
        for cell in book.cells
        if cell.id in ("one-table", "people", "photos")
    }
    rows = [line.split() for line in shown["one-table"].splitlines()]
    lfw = {row[1]: row[2:] for row in rows if row[0] == "lfw,"}
    assert lfw["full"] == lfw["published"], "pictures, labels, classes, worth and evenness, counted and told"
    for line in shown["people"].splitlines()[1:]:
        published, here = line.split()[-2:]
        assert published == here, line
    assert shown["photos"].splitlines()[-1].split()[-1] == str(value("flickr30k", "flickr8k_shared"))
