"""Flickr8k: five captions for each picture, three lists, and people's scores of right and wrong captions.

The text files are those of ``Flickr8k_text.zip`` (formats: its ``readme.txt``); the pictures, where there are any, lie
in ``Flicker8k_Dataset/`` beside them, spelt so by the authors. Kaggle's and Karpathy's packagings are read as well.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from . import captions as _captions
from .captions import Caption, Notes, Voice, fetching
from .captions.folder import Folder, Layout, columns
from .cards import Card
from .errors import FormatError
from .files import Plan
from .samples import Problem, Sample, Scan, Selection

__all__ = [
    "Caption",
    "CrowdLabel",
    "CrowdScore",
    "ExpertLabel",
    "ExpertScore",
    "Voice",
    "fetch",
    "plan",
    "read",
    "read_captions",
    "read_crowd_scores",
    "read_expert_scores",
    "read_split",
    "recognise",
    "scan",
]

NAME = re.compile(r"[0-9]+_[0-9a-f]+\.jpg")
LEMMAS = ("Flickr8k.lemma.token.txt", "Flickr8k.lemma.txt")
EXPERTS, CROWD = "ExpertAnnotations.txt", "CrowdFlowerAnnotations.txt"
LAYOUT = Layout(
    stem="flickr8k",
    captions=("Flickr8k.token.txt", "captions.txt", "captions.csv", "dataset_flickr8k.json"),
    lists={
        "train": "Flickr_8k.trainImages.txt",
        "dev": "Flickr_8k.devImages.txt",
        "test": "Flickr_8k.testImages.txt",
    },
    pictures=("Flicker8k_Dataset", "Images", "images"),
    name=NAME,
    listed=NAME,
    labels=("captions", "lemmas", "expert_scores", "crowd_scores"),
    facts={"captions": "caption_lines", "train": "train_images", "dev": "dev_images", "test": "test_images"},
)
ROUTE = fetching.Route(
    layout=LAYOUT,
    archive="Flickr8k_Dataset.zip",
    kinds=("pictures",),
    members=("Flicker8k_Dataset/{stem}.jpg",),
)


class ExpertScore(NamedTuple):
    """Three experts' scores (1 unrelated ... 4 describes it) of one caption for one picture.

    ``caption`` is the caption's id, ``<picture it was written for>#<number>``. In the published file the scores of
    every row stand in rising order: a column is not a person.
    """

    image: str
    caption: str
    s1: int
    s2: int
    s3: int


class CrowdScore(NamedTuple):
    """The crowd's answers on whether a caption describes a picture: share of yes (0 to 1), number of yes and of no."""

    image: str
    caption: str
    share: float
    yes: int
    no: int


class ExpertLabel(msgspec.Struct, frozen=True):
    """An `ExpertScore` among a sample's labels."""

    image: str
    caption: str
    s1: int
    s2: int
    s3: int


class CrowdLabel(msgspec.Struct, frozen=True):
    """A `CrowdScore` among a sample's labels."""

    image: str
    caption: str
    share: float
    yes: int
    no: int


def read_captions(path: str | Path) -> list[Caption]:
    """Read captions: ``Flickr8k.token.txt``, the lemma file, Kaggle's ``captions.txt`` or Karpathy's JSON.

    Returns
    -------
    list of Caption
        (picture's name, number, caption) of every sound line, in the file's order. The line that is published for a
        picture that does not exist (``....jpg.1``) is among them. `scan` reports every other defect by line.

    Raises
    ------
    MissingFileError, FormatError
        No such file, or nothing in it is a caption.
    """
    file = Path(path)
    return _captions.read_captions(file, NAME, Notes(file))[0]


def read_split(path: str | Path) -> list[str]:
    """Read one of the three lists: the pictures' names, each once, in the file's order; errors as `read_captions`."""
    file = Path(path)
    return list(_captions.read_names(file, NAME, Notes(file)))


def read_expert_scores(path: str | Path) -> list[ExpertScore]:
    """Read ``ExpertAnnotations.txt``, one record for each sound line; errors as `read_captions`."""
    file = Path(path)
    return [score for _, score in _experts(file, Notes(file))]


def read_crowd_scores(path: str | Path) -> list[CrowdScore]:
    """Read ``CrowdFlowerAnnotations.txt``, one record for each sound line; errors as `read_captions`."""
    file = Path(path)
    return [score for _, score in _crowd(file, Notes(file))]


def _pair(cells: Sequence[str]) -> bool:
    image, _, number = cells[1].partition("#")
    return bool(NAME.fullmatch(cells[0]) and NAME.fullmatch(image) and re.fullmatch("[0-4]", number))


def _experts(path: Path, notes: Notes) -> list[tuple[int, ExpertScore]]:
    rows: list[tuple[int, ExpertScore]] = []
    for line, cells in columns(path, 5, notes):
        if not _pair(cells) or not all(re.fullmatch("[1-4]", cell) for cell in cells[2:]):
            notes.add("bad-line", line, "expected a picture, a caption's id and three scores from 1 to 4")
            continue
        score = ExpertScore(cells[0], cells[1], *map(int, cells[2:]))
        if not score.s1 <= score.s2 <= score.s3:
            notes.add("unsorted-scores", line, "the published file has the three scores in rising order")
        rows.append((line, score))
    return _some(path, rows)


def _crowd(path: Path, notes: Notes) -> list[tuple[int, CrowdScore]]:
    rows: list[tuple[int, CrowdScore]] = []
    for line, cells in columns(path, 5, notes):
        if not _pair(cells) or not re.fullmatch(r"(0(\.\d+)?|1(\.0+)?)\t\d{1,4}\t\d{1,4}", "\t".join(cells[2:])):
            notes.add("bad-line", line, "expected a picture, a caption's id, a share from 0 to 1, yes and no")
            continue
        score = CrowdScore(cells[0], cells[1], float(cells[2]), int(cells[3]), int(cells[4]))
        if abs(score.share * (score.yes + score.no) - score.yes) > 0.01:
            notes.add("share-mismatch", line, f"share {score.share}, but {score.yes} yes and {score.no} no")
        rows.append((line, score))
    return _some(path, rows)


def _some(path: Path, rows: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    if not rows:
        raise FormatError(f"{path}: no line is a score. Expected a picture, a caption's id and three numbers, by TABs.")
    return rows


def recognise(folder: Path) -> str | None:
    """Name what of Flickr8k a folder holds, or None."""
    text = [*LAYOUT.captions[:1], *LEMMAS, *LAYOUT.lists.values(), EXPERTS, CROWD]
    if any((folder / name).is_file() for name in text) or (folder / "Flicker8k_Dataset").is_dir():
        return "Flickr8k"
    if (folder / "dataset_flickr8k.json").is_file():
        return "Flickr8k, Karpathy's JSON"
    if (folder / "captions.txt").is_file() and (folder / "Images").is_dir():
        return "Flickr8k, Kaggle's packaging"
    return None


def plan(card: Card, want: Selection, root: Path) -> Plan:
    """Plan to fetch the text files and, unless ``label_types`` leaves ``pictures`` out, the wanted pictures."""
    return fetching.plan(card, want, root, ROUTE)


def fetch(card: Card, want: Selection, root: Path, *, max_bytes: int | None, progress: bool | None) -> None:
    """Fetch what `plan` tells: single pictures by range, or the archive where all are wanted."""
    fetching.fetch(card, want, root, ROUTE, max_bytes=max_bytes, progress=progress)


class _Root:
    """Everything of one root, read once."""

    def __init__(self, root: Path, *, counting: bool = False) -> None:
        self.folder = Folder(root, LAYOUT, counting=counting)
        self.records: dict[str, dict[str, list[Any]]] = {kind: defaultdict(list) for kind in LAYOUT.labels}
        self.records["captions"].update(self.folder.voices)
        self.problems: list[Problem] = []
        for name in LEMMAS:
            if (path := root / name).is_file():
                notes = Notes(path)
                with self.folder.tried():
                    for lemma in _captions.read_captions(path, NAME, notes)[0]:
                        self.records["lemmas"][lemma.image].append(Voice(lemma.number, lemma.caption))
                self.problems += notes.problems()
        scores = (
            ("expert_scores", EXPERTS, _experts, ExpertLabel),
            ("crowd_scores", CROWD, _crowd, CrowdLabel),
        )
        for kind, name, reader, label in scores:
            if (path := root / name).is_file():
                notes = Notes(path)
                with self.folder.tried():
                    self._take(self.records[kind], reader(path, notes), label, notes)
                self.problems += notes.problems()

    def _take(self, into: dict[str, list[Any]], rows: list[tuple[int, Any]], label: Any, notes: Notes) -> None:
        known = self.folder.voices
        ids = {f"{image}#{voice.number}" for image, voices in known.items() for voice in voices}
        for line, score in rows:
            into[score.image].append(label(*score))
            self.folder.named.append(score.image)
            if known and score.image not in known:
                notes.add("unknown-picture", line, f"{score.image} has no caption in this folder")
            if known and score.caption not in ids:
                notes.add("unknown-caption", line, f"{score.caption} is no caption of this folder")


def read(root: Path, want: Selection) -> Iterator[Sample]:
    """Iterate samples with label types ``captions``, ``lemmas``, ``expert_scores`` and ``crowd_scores``."""
    whole = _Root(root)
    kinds = whole.folder.labels(want)
    for name, split in whole.folder.select(want):
        yield whole.folder.sample(name, split, {kind: whole.records[kind].get(name, []) for kind in kinds})


def scan(root: Path) -> Scan:
    """Count a root and list its problems, each with file and line."""
    whole = _Root(root, counting=True)
    counts = {kind: sum(map(len, records.values())) for kind, records in whole.records.items()}
    return whole.folder.scan(counts, {}, whole.problems)
