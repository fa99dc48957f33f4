"""A root of CASIA-WebFace: where its image folders, its pack and its lists are, and what is wrong with them."""

from __future__ import annotations

import csv
import itertools
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from ..errors import DataError, FormatError, MissingFileError
from ..samples import Problem, Sample
from .lists import ID, Identity, Overlap, read_identities, read_list, read_overlap, read_property
from .recordio import Glance, Pack, read_index, refuse_pickle

ROW = np.dtype([("key", "i8"), ("offset", "i8"), ("label", "f4"), ("sound", "?")])
"""A picture of a pack: what stands in index and record, and whether it begins as a JPEG or PNG does."""
ODD = {
    "index-gap": "bytes to which no line of the index leads",
    "index-overlap": "bytes that two lines of the index share",
    "key-mismatch": "records that bear another number than the index gives",
}
IDENTITIES = "webface_id_name_list.txt"
OVERLAPS = ("webface_lfw_overlap_detail.txt", "webface_lfw_overlap.txt")
BEGINS = (b"\xff\xd8", b"\x89P", b"BM")
PICTURES = (".jpg", ".jpeg", ".png", ".bmp")


class Face(msgspec.Struct, frozen=True):
    """Whose face a picture shows: the folder's id, or the number of the pack's class; the name where a list has it."""

    label: str
    name: str | None = None


class Found(NamedTuple):
    """The folder of the image folders, the folder of the pack, the folder of the lists; None where there is none."""

    folders: Path | None
    pack: Path | None
    lists: Path | None


def _folders(path: Path) -> list[str]:
    with os.scandir(path) as entries:
        return [entry.name for entry in entries if entry.is_dir()]


def found_in(root: Path) -> Found:
    """Find CASIA-WebFace in a folder, or one folder below it, by names alone."""
    below = sorted(_folders(root))
    # A person's folder is no place to look in; more than a handful of others is somebody's whole disk.
    places = [root, *(root / name for name in itertools.islice((n for n in below if not ID.fullmatch(n)), 40))]
    folders = next((place for place in places if _has_people(place)), None)
    pack = next((place for place in places if (place / "train.rec").is_file()), None)
    lists = next((place for place in places if any((place / name).is_file() for name in (IDENTITIES, *OVERLAPS))), None)
    return Found(folders, pack, lists)


def _has_people(place: Path) -> bool:
    with os.scandir(place) as entries:
        some = itertools.islice((Path(entry) for entry in entries if entry.is_dir() and ID.fullmatch(entry.name)), 3)
        return any(path.suffix.lower() in PICTURES for person in some for path in itertools.islice(person.iterdir(), 5))


class Root:
    """Everything of one root but the pictures' bytes; pictures have places from 0, those in folders first.

    What cannot be read is an error or, where ``counting``, a problem. ``pack`` has a row for each picture of the pack.
    """

    def __init__(self, root: Path, *, counting: bool = False) -> None:
        self.root, self.counting = root, counting
        self.found = found_in(root)
        if self.found == Found(None, None, None):
            raise MissingFileError(
                f"{root}: nothing of CASIA-WebFace here. Expected folders of seven-digit ids, a pack (train.rec, "
                f"train.idx) or {IDENTITIES}. The book fetches none: python -m data_helpers card casia says why."
            )
        self.problems: list[Problem] = []
        self.identities: list[Identity] = []
        self.overlap: list[Overlap] = []
        if self.found.lists:
            self.identities = self._tried(self.found.lists / IDENTITIES, read_identities) or []
            rows = [self._tried(self.found.lists / name, read_overlap) for name in OVERLAPS]
            self.overlap = next((found for found in rows if found), [])
        self.names = {identity.id: identity.name for identity in self.identities}
        self.files = list(self._walk())
        self.pack = np.empty(0, ROW)
        self.others: dict[int, Glance] = {}
        self.opened = False
        if self.found.pack:
            self._open(self.found.pack)
        self.credits = self._credits()

    def __len__(self) -> int:
        return len(self.files) + len(self.pack)

    def _at(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _tried(self, path: Path, read: Callable[[Path], Any]) -> Any:
        if not path.is_file():
            return None
        try:
            return read(path)
        except FormatError as error:
            if not self.counting:
                raise
            self.problems.append(Problem("bad-file", self._at(path), str(error).removeprefix(f"{path}: ")))
            return None

    def _walk(self) -> Iterator[tuple[str, Path]]:
        if self.found.folders is None:
            return
        for person in sorted(name for name in _folders(self.found.folders) if ID.fullmatch(name)):
            files = sorted((self.found.folders / person).iterdir())
            if not files:
                self.problems.append(
                    Problem("empty-folder", self._at(files_at := self.found.folders / person), files_at.name)
                )
            for path in files:
                if path.suffix.lower() in PICTURES:
                    yield person, path
                else:
                    self.problems.append(Problem("stray-file", self._at(path), "expected a picture"))

    def _open(self, folder: Path) -> None:
        rec, idx = folder / "train.rec", folder / "train.idx"
        index = self._tried(idx, read_index)
        try:
            if not idx.is_file():
                raise MissingFileError(f"{idx}: expected the index of train.rec; read_records reads a pack without it.")
            with Pack(rec) as pack:
                self.pack = self._look(pack, index)
                self.opened = index is not None
        except DataError as error:
            if not self.counting:
                raise
            self.problems.append(Problem("bad-file", self._at(rec), str(error).removeprefix(f"{rec}: ")))

    def _look(self, pack: Pack, index: npt.NDArray[np.int64] | None) -> npt.NDArray[np.void]:
        if index is None:
            return np.empty(0, ROW)
        rows, count, reached = np.empty(len(index), ROW), 0, 0
        odd: dict[str, list[tuple[int, str]]] = {}
        for key, offset in map(np.ndarray.tolist, index[index[:, 1].argsort(kind="stable")]):
            try:
                glance = pack.glance(offset, key)
            except FormatError as error:
                if not self.counting:
                    raise
                detail = str(error).removeprefix(f"{pack.path}: ")
                self.problems.append(Problem("bad-record", f"{self._at(pack.path)}:{offset}", detail))
                # Nobody knows where the next record should begin.
                reached = -1
                continue
            if offset != reached >= 0:
                what = "index-gap" if offset > reached else "index-overlap"
                odd.setdefault(what, []).append((min(offset, reached), f"bytes up to {max(offset, reached):,}"))
            reached = glance.end
            if glance.own != key:
                odd.setdefault("key-mismatch", []).append((offset, f"key {key}, by the record itself {glance.own}"))
            if glance.size:
                rows[count] = (key, offset, glance.labels[0], glance.begins in BEGINS[:2])
                count += 1
            else:
                self.others[key] = glance
        if pack.size > reached >= 0:
            odd.setdefault("index-gap", []).append((reached, f"bytes up to the end, {pack.size:,}"))
        # One problem of a kind: an index of another pack would have one for each record.
        for kind, places in odd.items():
            where = f"{self._at(pack.path)}:{places[0][0]}"
            self.problems.append(Problem(kind, where, f"{ODD[kind]}, {len(places):,} times; first: {places[0][1]}"))
        return rows[:count]

    def _credits(self) -> dict[str, dict[str, str]]:
        path = self.root / "CREDITS.tsv"
        if not path.is_file():
            return {}
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            return {row["file"]: row for row in csv.DictReader(lines, delimiter="\t") if row.get("file")}

    def id(self, place: int) -> str:
        """Return a picture's id: ``<folder>/<file's stem>``, or the key in the pack."""
        if place < len(self.files):
            person, path = self.files[place]
            return f"{person}/{path.stem}"
        return str(self.pack["key"][place - len(self.files)])

    def split(self, place: int) -> str | None:
        """Return ``train`` for a picture of the pack."""
        return None if place < len(self.files) else "train"

    def label(self, place: int) -> str:
        """Return a picture's class."""
        return self.files[place][0] if place < len(self.files) else f"{self.pack['label'][place - len(self.files)]:.0f}"

    def classes(self) -> list[str]:
        """Return the names of all classes."""
        return list(dict.fromkeys(map(self.label, range(len(self)))))

    def sample(self, place: int, *, labelled: bool) -> Sample:
        """Make one sample."""
        name, kind = self.id(place), self.label(place)
        labels = {"classes": [Face(kind, self.names.get(kind))]} if labelled else {}
        if place >= len(self.files):
            key, offset, *_ = self.pack[place - len(self.files)].tolist()
            return Sample(id=name, split="train", labels={**labels}, extra={"key": key, "offset": offset})
        path = self.files[place][1]
        row = self.credits.get(self._at(path), {})
        return Sample(
            id=name,
            image=path,
            labels={**labels},
            licence=row.get("licence") or None,
            credit=row.get("credit") or None,
            source_url=row.get("source") or None,
        )

    def check(self) -> Iterator[Problem]:
        """List problems: files that cannot be read, pickles, numbers that do not fit together."""
        for person, path in self.files:
            try:
                with path.open("rb") as file:
                    begin = file.read(2)
            except OSError:
                begin = b"??"
            if not begin:
                yield Problem("empty-picture", self._at(path), f"a picture of {person} without a byte")
            elif begin not in BEGINS:
                yield Problem("bad-picture", self._at(path), "no JPEG, PNG or BMP, or not to be opened")
        for path in sorted({*(self.found.pack or self.root).glob("*.bin"), *self.root.glob("*.bin")}):
            try:
                refuse_pickle(path)
            except FormatError as error:
                yield Problem("refused-pickle", self._at(path), str(error).removeprefix(f"{path}: "))
        if self.found.pack and self.opened:
            yield from self._check_pack(self.found.pack)
        for number, times in Counter(row.id for row in self.overlap).items():
            if times > 1:
                yield Problem("duplicate-id", number, f"stands {times} times in the list of the overlap")
        if self.names:
            for person in sorted({person for person, _ in self.files} - set(self.names)):
                yield Problem("unknown-identity", person, f"no line of {IDENTITIES} has this id")
        yield from self.problems

    def _check_pack(self, folder: Path) -> Iterator[Problem]:
        at, header, pack = self._at(folder / "train.rec"), self.others.get(0), self.pack
        people = {key: glance for key, glance in self.others.items() if key and len(glance.labels) == 2}
        last = int(pack["key"].max(initial=0))
        for key in sorted(set(self.others) - set(people) - {0}):
            yield Problem("empty-picture", at, f"key {key}: a record of a class without a picture")
        # From 2 to the power of 24 on a float32 no longer tells a class from the next.
        whole = (pack["label"] >= 0) & (pack["label"] < 1 << 24) & (pack["label"] == np.trunc(pack["label"]))
        for key, offset, label, sound in pack[~(pack["sound"] & whole)].tolist():
            detail = f"class {label}" if sound else "neither JPEG nor PNG"
            yield Problem("bad-label" if sound else "bad-picture", f"{at}:{offset}", f"key {key}: {detail}")
        if header is None:
            yield Problem("no-header-record", at, "no record of key 0 without a picture; the index alone is used")
        elif header.labels != (last + 1, last + 1 + len(people)) or len(pack) != last:
            says = ", ".join(f"{label:.0f}" for label in header.labels)
            found = f"{len(pack):,} pictures and {len(people):,} identity records"
            yield Problem("count-mismatch", at, f"the header record says {says}, there are {found}")
        order = pack["key"].argsort()
        # Of their own, not columns of the table: searching a column copies it, once for each identity.
        keys, labels = pack["key"][order], pack["label"][order]
        for key, glance in people.items():
            begin, end = np.searchsorted(keys, glance.labels)
            sound = all(math.isfinite(label) and label >= 1 for label in glance.labels)
            if not sound or len(set(labels[begin:end].tolist())) != 1 or glance.labels[1] > last + 1:
                first, past = glance.labels
                detail = f"identity record {key}: keys {first:.0f} to {past - 1:.0f} are not the pictures of one class"
                yield Problem("bad-identity-record", at, detail)
        classes, told = len(set(pack["label"].tolist())), self._tried(folder / "property", read_property)
        if told is not None and told.classes != classes:
            yield Problem(
                "count-mismatch", self._at(folder / "property"), f"{told.classes:,} classes, {classes:,} there"
            )
        listed = self._tried(folder / "train.lst", read_list)
        if listed is not None and len(listed) != len(pack):
            detail = f"{len(listed):,} lines, {len(pack):,} pictures in the pack"
            yield Problem("count-mismatch", self._at(folder / "train.lst"), detail)
