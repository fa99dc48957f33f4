"""A folder of captioned pictures with lists that split them: what Flickr8k and Flickr30k have in common."""

from __future__ import annotations

import contextlib
import csv
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..cards import parsed
from ..errors import FormatError, MissingFileError
from ..samples import Problem, Sample, Scan, Selection
from . import Notes, Voice, lines, read_captions, read_names


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where a dataset has its files, and what its pictures are called.

    ``facts`` maps ``captions`` and the splits' names to the facts of the card that give the published numbers.
    """

    stem: str
    captions: tuple[str, ...]
    lists: dict[str, str]
    pictures: tuple[str, ...]
    name: re.Pattern[str]
    listed: re.Pattern[str]
    labels: tuple[str, ...]
    facts: dict[str, str]


class Folder:
    """The captions, lists and pictures of one root; ``problems`` tells what is wrong with them.

    A file of which nothing can be read is an error or, where ``counting``, a problem among the others.
    """

    def __init__(self, root: Path, layout: Layout, *, counting: bool = False) -> None:
        self.root, self.layout, self.counting = root, layout, counting
        self.problems: list[Problem] = []
        self.voices: dict[str, list[Voice]] = {}
        self.where: dict[str, str] = {}
        self.named: list[str] = []
        self.splits: dict[str, dict[str, str]] = {}
        self.miniature = (root / "MINIATURE.txt").is_file()
        self.credits = self._credits()
        folder = next((root / name for name in layout.pictures if (root / name).is_dir()), None)
        self.folder = folder
        self.files: dict[str, Path] = {}
        if folder is not None:
            with os.scandir(folder) as entries:
                self.files = {entry.name: folder / entry.name for entry in entries if entry.is_file()}
        with self.tried():
            self._read_captions()
        self._read_lists()

    @contextlib.contextmanager
    def tried(self) -> Iterator[None]:
        """Turn a file's `FormatError` into a problem while counting."""
        try:
            yield
        except FormatError as error:
            if not self.counting:
                raise
            where, _, detail = str(error).removeprefix(f"{self.root}/").partition(": ")
            self.problems.append(Problem("bad-file", where, detail))

    def _read_captions(self) -> None:
        path = next((self.root / name for name in self.layout.captions if (self.root / name).is_file()), None)
        if path is None:
            return
        notes = Notes(path)
        captions, splits, lines = read_captions(path, self.layout.name, notes)
        for (image, number, caption), line in zip(captions, lines, strict=True):
            self.voices.setdefault(image, []).append(Voice(number, caption))
            self.where.setdefault(image, f"{path.name}:{line}")
        for image, split in splits.items():
            if image in self.voices:
                self.splits.setdefault(split, {})[image] = self.where[image]
        self.problems += notes.problems()
        self._compare(path, "captions", len(captions))

    def _read_lists(self) -> None:
        suffix = "" if self.layout.listed == self.layout.name else ".jpg"
        lists = {split: self.root / name for split, name in self.layout.lists.items()}
        present = {split: path for split, path in lists.items() if path.is_file()}
        if present:
            self.splits = {}
        owner: dict[str, str] = {}
        for split, path in present.items():
            with self.tried():
                self._read_list(split, path, suffix, owner)
        if len(present) == len(lists):
            loose = [image for image in self.voices if image not in owner]
            self.problems += [Problem("no-split", self.where[image], f"{image} is in no list") for image in loose]

    def _read_list(self, split: str, path: Path, suffix: str, owner: dict[str, str]) -> None:
        notes = Notes(path)
        names = read_names(path, self.layout.listed, notes)
        self.splits[split] = {name + suffix: f"{path.name}:{line}" for name, line in names.items()}
        for name, line in names.items():
            image = name + suffix
            if (other := owner.setdefault(image, split)) != split:
                notes.add("split-overlap", line, f"{image} is in {other} too ({self.splits[other][image]})")
            if self.voices and image not in self.voices:
                notes.add("missing-captions", line, f"{image} has no caption")
        self.problems += notes.problems()
        self._compare(path, split, len(names))

    def _compare(self, path: Path, what: str, count: int) -> None:
        """Note where a copy that is clearly meant to be whole has not the published number of rows."""
        fact = parsed(self.layout.stem).facts.get(self.layout.facts[what])
        if self.miniature or fact is None or not isinstance(fact.value, int) or count * 2 < fact.value:
            return
        if count != fact.value:
            kind = "lost-lines" if count < fact.value else "added-lines"
            self.problems.append(Problem(kind, path.name, f"{count:,} sound lines, {fact.value:,} were published"))

    def _credits(self) -> dict[str, dict[str, str]]:
        path = self.root / "CREDITS.tsv"
        if not path.is_file():
            return {}
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        return {Path(row["file"]).name: row for row in rows if row.get("file")}

    def order(self) -> list[tuple[str, str | None]]:
        """Return each picture with each of its splits: the captions' pictures first, then the lists', then ``named``.

        Raises
        ------
        MissingFileError
            The root holds neither captions nor lists nor pictures.
        """
        names = dict.fromkeys([*self.voices, *(name for held in self.splits.values() for name in held), *self.named])
        if not names:
            names = dict.fromkeys(sorted(self.files))
        if not names and not self.problems:
            expected = ", ".join((*self.layout.captions, *self.layout.lists.values(), *self.layout.pictures))
            raise MissingFileError(f"{self.root}: nothing of {self.layout.stem} here. Expected any of: {expected}.")
        return [
            (name, split)
            for name in names
            for split in [split for split, held in self.splits.items() if name in held] or (None,)
        ]

    def select(self, want: Selection, classes: dict[str, set[str]] | None = None) -> list[tuple[str, str | None]]:
        """Return the wanted pictures; ``classes`` maps a class to the pictures that have it."""
        splits = want.names("split", self.splits)
        chosen = want.names("classes", classes or {})
        ids = want.wants_id()
        held = None if chosen is None else set().union(*((classes or {})[name] for name in chosen))
        return want.take(
            (name, split)
            for name, split in self.order()
            if (splits is None or split in splits)
            and (ids is None or name in ids or Path(name).stem in ids)
            and (held is None or name in held)
        )

    def labels(self, want: Selection) -> Sequence[str]:
        """Return the label types that are wanted."""
        return want.names("label_types", self.layout.labels) or (self.layout.labels if want.label_types is None else ())

    def sample(self, name: str, split: str | None, labels: dict[str, Sequence[Any]], **more: Any) -> Sample:
        """Make one sample; label types without a record are left out."""
        row = self.credits.get(name, {})
        return Sample(
            id=Path(name).stem,
            image=self.files.get(name),
            split=split,
            labels={kind: records for kind, records in labels.items() if records},
            licence=row.get("licence") or None,
            credit=row.get("credit") or None,
            source_url=row.get("source") or None,
            **more,
        )

    def scan(self, labels: dict[str, int], classes: dict[str, int], problems: list[Problem]) -> Scan:
        """Count the folder; the caller adds its own labels, classes and problems."""
        order = self.order()
        names = dict(order)
        found = [*self.problems, *problems]
        if self.folder is not None:
            place = f"{self.folder.name}/"
            listed = {**{name: at for held in self.splits.values() for name, at in held.items()}, **self.where}
            found += [
                Problem("missing-picture", place + name, f"named in {listed.get(name, 'the files')}, not on disk")
                for name in names
                if name not in self.files
            ]
            if self.voices or self.splits:
                loose = sorted(set(self.files) - set(names))
                found += [Problem("orphan-picture", place + name, "no list and no caption names it") for name in loose]
        captions = sum(map(len, self.voices.values()))
        return Scan(
            images=len(order),
            images_on_disk=sum(name in self.files for name, _ in order),
            splits={split: len(names) for split, names in self.splits.items()},
            labels={kind: count for kind, count in {"captions": captions, **labels}.items() if count},
            classes=classes,
            problems=found,
        )


def columns(path: Path, count: int, notes: Notes) -> Iterator[tuple[int, list[str]]]:
    """Iterate the rows of a TAB separated file that have the right number of fields; others are noted."""
    for line, row in lines(path, notes):
        cells = row.split("\t")
        if len(cells) == count:
            yield line, cells
        else:
            notes.add("bad-line", line, f"found {row[:60]!r}, expected {count} fields with TABs between")
