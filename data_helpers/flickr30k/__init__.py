"""Flickr30k and Flickr30k Entities: captions, the phrases in them, and the boxes the phrases point at.

Formats: the captions' as `captions` reads them; ``Sentences/<id>.txt`` and ``Annotations/<id>.xml`` as the README of
Flickr30k Entities describes them. A root holds ``flickr30k-images/``, the captions' file, ``Sentences/``,
``Annotations/`` and the lists side by side, any of them absent.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from .. import captions as _captions
from ..captions import Caption, Notes, Voice, fetching
from ..captions.folder import Folder, Layout
from ..cards import Card
from ..errors import FormatError
from ..files import Plan
from ..samples import Problem, Sample, Scan, Selection
from .entities import (
    ID,
    Box,
    LinkedPhrase,
    Phrase,
    Sentence,
    boxes_of,
    format_sentences,
    link,
    parse,
    parse_sentences,
    read_boxes,
    read_sentences,
    read_size,
    size_of,
)

__all__ = [
    "Box",
    "Caption",
    "LinkedPhrase",
    "Phrase",
    "Sentence",
    "Unrelated",
    "Voice",
    "fetch",
    "format_sentences",
    "link",
    "plan",
    "read",
    "read_boxes",
    "read_captions",
    "read_sentences",
    "read_size",
    "read_split",
    "read_unrelated",
    "recognise",
    "scan",
]

NAME = re.compile(r"[0-9]+\.jpg")
UNRELATED = "UNRELATED_CAPTIONS"
LAYOUT = Layout(
    stem="flickr30k",
    captions=("results_20130124.token", "results.csv", "captions.txt", "dataset_flickr30k.json"),
    lists={"train": "train.txt", "val": "val.txt", "test": "test.txt"},
    pictures=("flickr30k-images", "flickr30k_images"),
    name=NAME,
    listed=ID,
    labels=("captions", "phrases", "boxes"),
    facts={"captions": "captions", "train": "train_images", "val": "val_images", "test": "test_images"},
)
ROUTE = fetching.Route(
    layout=LAYOUT,
    archive="annotations.zip",
    kinds=("captions", "phrases", "boxes"),
    members=("Sentences/{stem}.txt", "Annotations/{stem}.xml"),
)


class Unrelated(NamedTuple):
    """A caption that does not fit its picture: the picture's id and the caption's number, counted from 1."""

    image: str
    sentence: int


def read_captions(path: str | Path) -> list[Caption]:
    """Read captions: ``results_20130124.token``, Kaggle's ``results.csv`` or Karpathy's JSON.

    Returns
    -------
    list of Caption
        (picture's name, number, caption) of every sound line, in the file's order. `scan` reports the others by line.

    Raises
    ------
    MissingFileError, FormatError
        No such file, or nothing in it is a caption.
    """
    file = Path(path)
    return _captions.read_captions(file, NAME, Notes(file))[0]


def read_split(path: str | Path) -> list[str]:
    """Read ``train.txt``, ``val.txt`` or ``test.txt``: the pictures' ids, each once; errors as `read_captions`."""
    file = Path(path)
    return list(_captions.read_names(file, ID, Notes(file)))


def read_unrelated(path: str | Path) -> list[Unrelated]:
    """Read ``UNRELATED_CAPTIONS``, one record for each entry.

    Raises
    ------
    MissingFileError, FormatError
        No such file; a line that is no entry.
    """
    file = Path(path)
    rows = []
    for line, row in _captions.lines(file, Notes(file)):
        if row.startswith("#") and line == 1:
            continue
        found = re.fullmatch(r"([0-9]+) ([1-5])", row)
        if found is None:
            raise FormatError(f"{file}:{line}: found {row[:60]!r}, expected a picture's id and a number from 1 to 5.")
        rows.append(Unrelated(found[1], int(found[2])))
    return rows


def recognise(folder: Path) -> str | None:
    """Name what of Flickr30k a folder holds, or None."""
    parts = []
    if any((folder / name).is_file() for name in LAYOUT.captions if name != "captions.txt"):
        parts.append("captions")
    if any((folder / name).is_dir() for name in LAYOUT.pictures):
        parts.append("pictures")
    if (folder / "Sentences").is_dir() or (folder / UNRELATED).is_file():
        parts.append("Entities")
    return f"Flickr30k: {', '.join(parts)}" if parts else None


def plan(card: Card, want: Selection, root: Path) -> Plan:
    """Plan to fetch the lists and what is wanted of Entities; the pictures come from their owners alone."""
    return fetching.plan(card, want, root, ROUTE)


def fetch(card: Card, want: Selection, root: Path, *, max_bytes: int | None, progress: bool | None) -> None:
    """Fetch what `plan` tells: sentences and boxes of single pictures by range, or the archive where all are wanted."""
    fetching.fetch(card, want, root, ROUTE, max_bytes=max_bytes, progress=progress)


class _Entities(msgspec.Struct):
    """What a picture's two files say; ``sound`` where all of it could be read."""

    sentences: list[Sentence] = []
    boxes: list[Box] = []
    size: tuple[int | None, int | None] = (None, None)
    sound: bool = True


def _stems(folder: Path, ending: str) -> dict[str, None]:
    names = folder.iterdir() if folder.is_dir() else ()
    return dict.fromkeys(sorted(path.stem for path in names if path.suffix == ending))


class _Root:
    """Everything of one root but the phrases and boxes, which are read picture by picture."""

    def __init__(self, root: Path, *, counting: bool = False) -> None:
        self.folder = Folder(root, LAYOUT, counting=counting)
        self.sentences = _stems(root / "Sentences", ".txt")
        self.boxes = _stems(root / "Annotations", ".xml")
        self.folder.named += [f"{stem}.jpg" for stem in {**self.sentences, **self.boxes}]
        path = root / UNRELATED
        self.unrelated: dict[str, list[int]] = defaultdict(list)
        with self.folder.tried():
            for row in read_unrelated(path) if path.is_file() else ():
                self.unrelated[row.image].append(row.sentence - 1)

    def entities(self, stem: str, notes: list[Problem] | None = None) -> _Entities:
        """Read a picture's two files; damage is an error or, with ``notes``, a problem."""
        found = _Entities()
        with self._tried("bad-sentences", found, notes):
            if stem in self.sentences:
                path = self.folder.root / "Sentences" / f"{stem}.txt"
                own = Notes(path)
                found.sentences = parse_sentences(path, own)
                if notes is not None:
                    notes += own.problems()
        with self._tried("bad-xml", found, notes):
            if stem in self.boxes:
                path = self.folder.root / "Annotations" / f"{stem}.xml"
                tree = parse(path)
                found.boxes, found.size = boxes_of(tree, path), size_of(tree, path)
        return found

    @contextlib.contextmanager
    def _tried(self, kind: str, found: _Entities, notes: list[Problem] | None) -> Iterator[None]:
        try:
            yield
        except FormatError as error:
            if notes is None:
                raise
            found.sound = False
            where, _, detail = str(error).removeprefix(f"{self.folder.root}/").partition(": ")
            notes.append(Problem(kind, where, detail))

    def types(self) -> dict[str, set[str]]:
        """Return the phrase types and the pictures whose captions have them."""
        found: dict[str, set[str]] = defaultdict(set)
        for stem in self.sentences:
            for sentence in self.entities(stem).sentences:
                for phrase in sentence.phrases:
                    for kind in phrase.types:
                        found[kind].add(f"{stem}.jpg")
        return found


def _boxes(sentences: list[Sentence], boxes: list[Box]) -> list[Box]:
    """Return what has a box, labelled with the first type that a phrase gives to one of its chains."""
    types = {phrase.chain: phrase.types[0] for sentence in reversed(sentences) for phrase in reversed(sentence.phrases)}
    return [
        msgspec.structs.replace(box, label=next((types[chain] for chain in box.chains if chain in types), ""))
        for box in boxes
        if box.bbox is not None
    ]


def read(root: Path, want: Selection) -> Iterator[Sample]:
    """Iterate samples with label types ``captions``, ``phrases`` (each with its boxes) and ``boxes``.

    Classes are the phrases' types. ``extra["unrelated"]`` has the numbers, from 0, of the captions that are known not
    to fit their picture. Where there is no captions' file, captions come from ``Sentences/``.
    """
    whole = _Root(root)
    kinds = whole.folder.labels(want)
    for name, split in whole.folder.select(want, whole.types() if want.classes is not None else None):
        stem = Path(name).stem
        found = whole.entities(stem)
        labels: dict[str, Any] = {
            "captions": whole.folder.voices.get(name) or [Voice(i, s.text) for i, s in enumerate(found.sentences)],
            "phrases": link(found.sentences, found.boxes),
            "boxes": _boxes(found.sentences, found.boxes),
        }
        width, height = found.size
        extra = {"unrelated": whole.unrelated[stem]} if stem in whole.unrelated else {}
        yield whole.folder.sample(
            name, split, {kind: labels[kind] for kind in kinds}, width=width, height=height, extra=extra
        )


def scan(root: Path) -> Scan:
    """Count a root and list its problems, each with file and line or object."""
    whole = _Root(root, counting=True)
    problems: list[Problem] = []
    classes: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    known = {name for name, _ in whole.folder.order()}
    for stem in {**whole.sentences, **whole.boxes}:
        found = whole.entities(stem, problems)
        if not whole.folder.voices:
            labels["captions"] += len(found.sentences)
        if found.sentences and len(found.sentences) != 5:
            where = f"Sentences/{stem}.txt"
            problems.append(Problem("caption-count", where, f"{len(found.sentences)} captions, expected 5"))
        phrases = [phrase for sentence in found.sentences for phrase in sentence.phrases]
        labels["phrases"] += len(phrases)
        classes.update(kind for phrase in phrases for kind in phrase.types)
        labels["boxes"] += sum(box.bbox is not None for box in found.boxes)
        if stem in whole.boxes and found.sound:
            problems += _check(whole, stem, {phrase.chain for phrase in phrases} - {"0"}, found)
    for stem in whole.unrelated:
        if f"{stem}.jpg" not in known:
            problems.append(Problem("unknown-picture", UNRELATED, f"{stem} is named nowhere else in this folder"))
    return whole.folder.scan(dict(labels), dict(classes), problems)


def _check(whole: _Root, stem: str, chains: set[str], found: _Entities) -> Iterator[Problem]:
    width, height = found.size
    named = {chain for box in found.boxes for chain in box.chains}
    for index, box in enumerate(found.boxes, 1):
        where = f"Annotations/{stem}.xml, <object> {index}"
        if box.bbox is not None:
            x, y, w, h = box.bbox
            if w < 1 or h < 1:
                yield Problem("zero-area-box", where, f"{w} by {h} pixels")
            elif x < 0 or y < 0 or x + w > (width or 0) or y + h > (height or 0):
                yield Problem("outside-box", where, f"[{x}, {y}, {w}, {h}] in a picture of {width} by {height}")
        if stem in whole.sentences and (lost := set(box.chains) - chains):
            yield Problem("unknown-chain", where, f"no caption names {', '.join(sorted(lost))}")
    if found.boxes and (bare := chains - named):
        where = f"Annotations/{stem}.xml"
        yield Problem("chain-without-object", where, f"the captions name {', '.join(sorted(bare, key=int))}")
