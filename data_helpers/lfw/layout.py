"""Where a root of LFW has its trees and lists, and what in them does not fit together."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..cards import parsed
from ..errors import FormatError, MissingFileError
from ..samples import Problem
from .lists import Pair, Person, picture, read_names, read_pairs, read_people

TREES = ("lfw", "lfw_funneled", "lfw-deepfunneled", "lfw-funneled", "lfw_deepfunneled")
NAMES = "lfw-names.txt"
PEOPLE = {"people.txt": "", "peopleDevTrain.txt": "train", "peopleDevTest.txt": "test"}
PAIRS = ("pairs.txt", "pairsDevTrain.txt", "pairsDevTest.txt")
SPLITS = ("train", "test")
PICTURE = re.compile(r"(.+)_([0-9]{4})\.jpg")


class Place(NamedTuple):
    """Where a root has its lists and trees (split, or "", to the folder of the people's folders), and what it is."""

    lists: Path
    trees: dict[str, Path]
    what: str


def _names(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        yield from (entry.name for entry in entries)


def _is_tree(folder: Path) -> bool:
    """Tell whether one of the first 20 folders in a folder is a person's."""
    if not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        people = [Path(entry) for entry in itertools.islice((e for e in entries if e.is_dir()), 20)]
    return any(
        (match := PICTURE.fullmatch(name)) is not None and match[1] == person.name
        for person in people
        for name in itertools.islice(_names(person), 5)
    )


def _lists(*folders: Path) -> Path | None:
    """Return the first of some folders in which a list lies."""
    return next((at for at in folders if any((at / name).is_file() for name in (NAMES, *PEOPLE, *PAIRS))), None)


def place_of(root: Path) -> Place | None:
    """Find LFW in a folder by names alone, or return None. Lists lie beside the tree; failing that, in it."""
    for folder in (root, root / "lfw_home", root / "lfw-py"):
        found = [folder / name for name in TREES]
        # Kaggle's archive has a folder of the same name in the folder.
        found += [tree / tree.name for tree in found]
        tree = next((tree for tree in found if _is_tree(tree)), None)
        if tree is not None:
            return Place(_lists(folder, tree) or folder, {"": tree}, f"LFW, {tree.name}")
        if trees := {split: folder / split for split in SPLITS if _is_tree(folder / split)}:
            return Place(folder, trees, "LFW as FiftyOne's zoo lays it out")
        if _lists(folder) and not _is_tree(folder):
            # A tree whose pictures are gone is still where they are missed.
            emptied = next((tree for tree in found if tree.is_dir()), None)
            return Place(folder, {"": emptied} if emptied else {}, "LFW's lists")
    if not _is_tree(root):
        return None
    return Place(_lists(root.parent, root) or root.parent, {"": root}, f"LFW, {root.name}")


class Root:
    """Everything of one root, read once; ``problems`` has the lists that cannot be read.

    A list that breaks its format is an error or, where ``counting``, a problem among the others.
    """

    def __init__(self, root: Path, *, counting: bool = False) -> None:
        place = place_of(root)
        if place is None:
            raise MissingFileError(
                f"{root}: nothing of LFW here. Expected {TREES[0]}/Name/Name_0001.jpg or {PAIRS[0]} below it."
            )
        self.root, self.place, self.counting = root, place, counting
        self.problems: list[Problem] = []
        self.people: dict[str, list[Person]] = {}
        self.pairs: dict[str, list[Pair]] = {}
        for name in (NAMES, *PEOPLE):
            self._take(name, self.people, read_names if name == NAMES else read_people)
        for name in PAIRS:
            self._take(name, self.pairs, read_pairs)
        self.files: dict[str, Path] = {}
        self.strays: list[Path] = []
        self._split_of: dict[str, str] = {}
        for split, tree in place.trees.items():
            self._walk(tree, split)
        self.fold_of = {one.name: one.fold for one in self.people.get("people.txt", ())}
        for name, split in PEOPLE.items():
            self._split_of |= {one.name: split for one in self.people.get(name, ()) if split}
        self.counts = {one.name: one.images for listed in reversed(self.people.values()) for one in listed}
        known = set(self.people)
        self.complete = bool(known & {NAMES, "people.txt"}) or set(PEOPLE) - {"people.txt"} <= known
        self._names = self._named()

    def _take(self, name: str, into: dict[str, Any], read: Callable[[Path], Any]) -> None:
        path = self.place.lists / name
        if not path.is_file():
            return
        try:
            into[name] = read(path)
        except FormatError as error:
            if not self.counting:
                raise
            self.problems.append(Problem("bad-file", name, str(error).removeprefix(f"{path}: ")))

    def _walk(self, tree: Path, split: str) -> None:
        for person in sorted(entry.name for entry in os.scandir(tree) if entry.is_dir()):
            folder = tree / person
            for name in sorted(_names(folder)):
                match = PICTURE.fullmatch(name)
                if match is None or match[1] != person:
                    self.strays.append(folder / name)
                    continue
                self.files[name] = folder / name
            if split and self._split_of.setdefault(person, split) != split:
                self.problems.append(
                    Problem("split-overlap", f"{split}/{person}", "the other split has this person too")
                )

    def _named(self) -> list[str]:
        names = [picture(name, n) for name, count in sorted(self.counts.items()) for n in range(1, count + 1)]
        if self.complete:
            return names
        paired = (name for pairs in self.pairs.values() for pair in pairs for name in pair[:2])
        return sorted({*names, *self.files, *paired})

    def names(self) -> list[str]:
        """Return the pictures' names, in order of people and numbers."""
        return self._names

    @staticmethod
    def person(name: str) -> str:
        """Return the person of a picture."""
        return name[:-9]

    def split(self, name: str) -> str | None:
        """Return the split of a picture."""
        return self._split_of.get(name[:-9])

    def disagreements(self) -> Iterator[Problem]:
        """Tell what lists of people say against each other."""
        for name, listed in self.people.items():
            for one in listed:
                if one.images != self.counts[one.name]:
                    detail = f"{one.name} has {one.images} pictures here, {self.counts[one.name]} by another list"
                    yield Problem("count-mismatch", name, detail)
        train, test = ({one.name for one in self.people.get(f"peopleDev{s.title()}.txt", ())} for s in SPLITS)
        for person in sorted(train & test):
            yield Problem("split-overlap", "peopleDevTest.txt", f"{person} is in peopleDevTrain.txt too")

    def bad_pairs(self) -> Iterator[Problem]:
        """Tell lists of the other view, and pairs of pictures unknown to lists of people, of another fold, or twice."""
        for name, pairs in self.pairs.items():
            if (pairs[0].fold is None) == (name == "pairs.txt"):
                view = "no folds, as View 1 has" if name == "pairs.txt" else "folds, as View 2 has"
                yield Problem("wrong-view", f"{name}:1", f"its header tells {view}: was the list renamed?")
            seen: dict[tuple[str, str], int] = {}
            folds: dict[str, int | None] = {}
            for line, pair in enumerate(pairs, 2):
                where = f"{name}:{line}"
                for one in pair[:2]:
                    if self.complete and int(one[-8:-4]) > self.counts.get(self.person(one), 0):
                        yield Problem("unknown-picture", where, f"{one} is in no list of people")
                for person in pair.people:
                    fold = self.fold_of.get(person) or folds.setdefault(person, pair.fold)
                    if pair.fold is not None and fold != pair.fold:
                        yield Problem("wrong-fold", where, f"{person} of fold {fold} in a pair of fold {pair.fold}")
                key = (min(pair[:2]), max(pair[:2]))
                if (first := seen.setdefault(key, line)) != line:
                    yield Problem("duplicate-pair", where, f"the same two pictures as line {first}")

    def bad_pictures(self) -> Iterator[Problem]:
        """Tell pictures that are named and missing, there and not named, or no whole JPEG."""
        if not self.place.trees:
            return
        tree = "/".join(sorted(path.name for path in self.place.trees.values()))
        named = set(self._names)
        for name in self._names:
            if name not in self.files:
                yield Problem("missing-picture", f"{tree}/{self.person(name)}/{name}", "named in a list, not on disk")
        for name, path in self.files.items():
            if name not in named:
                yield Problem("orphan-picture", self._at(path), "no list of people names it")
            try:
                with path.open("rb") as file:
                    begin = file.read(2)
                    file.seek(max(0, os.fstat(file.fileno()).st_size - 2))
                    whole = begin == b"\xff\xd8" and file.read() == b"\xff\xd9"
            except OSError:
                whole = False
            if not whole:
                yield Problem("bad-picture", self._at(path), "not a whole JPEG: cut short, or of another kind")
        for path in self.strays:
            yield Problem("stray-file", self._at(path), f"expected {path.parent.name}_0001.jpg, _0002.jpg, ...")

    def _at(self, path: Path) -> str:
        return path.relative_to(self.place.lists).as_posix()

    def lost(self) -> Iterator[Problem]:
        """Tell a copy that is clearly meant to be whole and has not the published number of pictures."""
        if (self.root / "MINIATURE.txt").is_file() or not self.files:
            return
        facts = parsed("lfw").facts
        images, people = facts["images"].value, facts["people"].value
        if not isinstance(images, int) or len(self.files) * 2 < images or len(self.files) == images:
            return
        found = len(Counter(map(self.person, self.files)))
        detail = f"{len(self.files):,} pictures of {found:,} people on disk, {images:,} of {people:,} were published"
        if "" not in self.place.trees:
            detail += "; FiftyOne's loader reads lists of pairs where it means people: see the card's fiftyone_images"
        yield Problem("lost-pictures", "/".join(path.name for path in self.place.trees.values()), detail)
