"""Labeled Faces in the Wild: a folder a person, lists of people, lists of pairs.

Formats: the makers' ``README.txt`` (the archived home page on the card leads to it). Below the root lie the tree of
pictures (``lfw``, ``lfw_funneled`` or ``lfw-deepfunneled``, each with ``Name/Name_0001.jpg``) and the lists beside it.
The folders that scikit-learn (``lfw_home``), torchvision (``lfw-py``) and FiftyOne's zoo (``train``, ``test``) make
are read as well.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ..cards import Card
from ..files import Plan, fetch_card, plan_card
from ..samples import Problem, Sample, Scan, Selection
from .layout import NAMES, PAIRS, PEOPLE, Root, place_of
from .lists import Pair, Person, matched_pairs, picture, read_names, read_pairs, read_people

__all__ = [
    "Face",
    "Pair",
    "Person",
    "fetch",
    "lists_in",
    "matched_pairs",
    "picture",
    "plan",
    "read",
    "read_names",
    "read_pairs",
    "read_people",
    "recognise",
    "scan",
]

USUAL = ("classes", "pairs", "people")
"""What is fetched where no label type is named: the original pictures and all lists, no aligned variant."""


class Face(msgspec.Struct, frozen=True):
    """Whose face a picture shows: the name of the person's folder."""

    label: str


def recognise(folder: Path) -> str | None:
    """Name what of LFW a folder holds, or None."""
    place = place_of(folder)
    return place.what if place else None


def lists_in(root: str | Path) -> dict[str, Path]:
    """Return the lists of a root by their names (``pairs.txt``), wherever they lie: beside the tree or in it."""
    place = place_of(Path(root))
    paths = [place.lists / name for name in (NAMES, *PEOPLE, *PAIRS)] if place else []
    return {path.name: path for path in paths if path.is_file()}


def _usual(want: Selection) -> Selection:
    return msgspec.structs.replace(want, label_types=USUAL) if want.label_types is None else want


def plan(card: Card, want: Selection, root: Path) -> Plan:
    """Plan to fetch whole files: the original pictures and the lists, or what ``label_types`` names.

    ``label_types="funneled"`` and ``"deepfunneled"`` choose an aligned variant of the pictures.
    """
    return plan_card(card, _usual(want), root)


def fetch(card: Card, want: Selection, root: Path, *, max_bytes: int | None, progress: bool | None) -> None:
    """Fetch what `plan` tells."""
    fetch_card(card, _usual(want), root, max_bytes=max_bytes, progress=progress)


def _credits(root: Path) -> dict[str, dict[str, str]]:
    path = root / "CREDITS.tsv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", errors="replace", newline="") as lines:
        return {Path(row["file"]).name: row for row in csv.DictReader(lines, delimiter="\t") if row.get("file")}


def read(root: Path, want: Selection) -> Iterator[Sample]:
    """Iterate the pictures that the lists name; where no list of people is there, those on disk and in the pairs.

    ``labels`` has ``classes``, one `Face`; ``extra`` has the ``number`` and, by ``people.txt``, the ``fold`` of
    View 2; ``split`` is ``train`` or ``test`` by View 1's lists of people. `read_pairs` gives the pairs.
    """
    whole = Root(root)
    splits = want.names("split", dict.fromkeys(split for split in map(whole.split, whole.names()) if split))
    people = want.names("classes", dict.fromkeys(whole.person(name) for name in whole.names()))
    kinds = want.names("label_types", ("classes", *(path.removesuffix(".txt") for path in PAIRS)))
    ids = want.wants_id()
    chosen, credits = set(people or ()), _credits(root)
    for name in want.take(
        name
        for name in whole.names()
        if (splits is None or whole.split(name) in splits)
        and (people is None or whole.person(name) in chosen)
        and (ids is None or name in ids or name[:-4] in ids)
    ):
        person, fold, row = whole.person(name), whole.fold_of.get(whole.person(name)), credits.get(name, {})
        yield Sample(
            id=name[:-4],
            image=whole.files.get(name),
            split=whole.split(name),
            labels={"classes": [Face(person)]} if kinds is None or "classes" in kinds else {},
            licence=row.get("licence") or None,
            credit=row.get("credit") or None,
            source_url=row.get("source") or None,
            extra={"number": int(name[-8:-4])} | ({"fold": fold} if fold else {}),
        )


def scan(root: Path) -> Scan:
    """Count a root, the pairs in each of its lists by the list's name, and list its problems."""
    whole = Root(root, counting=True)
    names = whole.names()
    splits = Counter(split for split in map(whole.split, names) if split)
    pairs = {path.removesuffix(".txt"): len(found) for path, found in whole.pairs.items()}
    return Scan(
        images=len(names),
        images_on_disk=sum(name in whole.files for name in names),
        splits=dict(splits),
        labels=({"classes": len(names)} if names else {}) | pairs,
        classes=dict(Counter(map(whole.person, names))),
        problems=[*whole.problems, *_problems(whole)],
    )


def _problems(whole: Root) -> Iterator[Problem]:
    yield from whole.disagreements()
    yield from whole.bad_pairs()
    yield from whole.bad_pictures()
    yield from whole.lost()
