"""From the files below a root to samples: which pictures there are, in which split, and what is said of each."""

from __future__ import annotations

import bisect
import csv
import hashlib
import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from .. import cards
from ..errors import ArchiveError, FormatError, MissingFileError
from ..home import home
from ..samples import Sample, Selection
from . import lists, tars
from .boxes import Annotation, Box, read_annotation, read_boxes
from .classes import class_of
from .classes import convert as _convert
from .walk import ARCHIVE, Group, named_wnid, walk

KINDS = ("classes", "boxes", "real")
TAKEN = 1000
"""A choice of at most so many pictures is copied out of an archive, so that each has a file."""
VAL = "ILSVRC2012_val_{:08d}"
Report = Callable[[str, str, str], None]


class Root:
    """Everything of one root, its lists read, its pictures found; annotations are read when they are asked for.

    A list of which nothing can be read is an error, or where ``report`` is given a problem among the others.
    """

    def __init__(self, root: Path, report: Report | None = None) -> None:
        self.root, self.report = root, report
        self.found = walk(root)
        self.named: dict[str, tuple[str, str | None]] = {}
        self.boxes: dict[str, list[Box]] = {}
        self.real: list[list[int]] = []
        self.words: dict[str, str] = {}
        self.listed: dict[str, None] = {}
        self.truth: list[int] = []
        self.tars: list[tars.Tar] = []
        self.credits = self._credits()
        self._lists()
        self.groups = list(self.found.groups)
        self._archives()
        self._absent()
        bases = {group.base for group in self.groups}
        if len(bases) > 1:
            # Two stand-ins side by side both have a train split; the folder's name tells them apart.
            self.groups = [
                group._replace(split="/".join(dict.fromkeys(filter(None, (group.base, group.split)))) or None)
                for group in self.groups
            ]
        if not (self.groups or any(self.found.lists.values()) or self.found.kit or self.found.archives):
            raise MissingFileError(
                f"{root}: nothing of ImageNet here. Expected class folders called by wnids, ILSVRC2012_img_*.tar, the "
                "devkit, one of its lists, or Kaggle's tree ILSVRC/."
            )
        self.starts = list(itertools.accumulate((len(group.names) for group in self.groups), initial=0))

    def _tried(self, reader: Callable[[Path], Any], path: Path, empty: Any, kind: str = "bad-file") -> Any:
        try:
            return reader(path)
        except FormatError as error:
            if self.report is None:
                raise
            place = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.name
            self.report(kind, place, str(error).removeprefix(f"{path}").lstrip(":, "))
            return empty

    def _credits(self) -> dict[str, dict[str, str]]:
        path = self.root / "CREDITS.tsv"
        if not (self.root / "MINIATURE.txt").is_file() or not path.is_file():
            return {}
        with path.open(encoding="utf-8", newline="") as file:
            return {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}

    def _lists(self) -> None:
        files = dict(self.found.lists)
        if self.found.kit and "truth" not in files:
            folder = self._tried(self._kit, self.found.kit, None, "cut-archive")
            for kind, name in (("truth", "ILSVRC2012_validation_ground_truth.txt"), ("meta", "meta.mat")):
                files[kind] = sorted(folder.rglob(name)) if folder else []
        for path in files.get("truth", []):
            self.truth = self._tried(lists.read_ground_truth, path, [])
            for number, value in enumerate(self.truth, 1):
                self._name(VAL.format(number), "val", _convert(value, "devkit", "wnid"), path)
        for path in files.get("words", []):
            found = self._tried(lists.read_words, path, {})
            self.words.update(found)
            if path.name == "LOC_synset_mapping.txt":
                self.listed.update(dict.fromkeys(found))
        for path in files.get("map", []):
            self.listed.update((row.wnid, None) for row in self._tried(lists.read_map_clsloc, path, []))
        for path in files.get("wnids", []):
            self.listed.update(dict.fromkeys(self._tried(lists.read_wnids, path, [])))
        for split in ("train", "val"):
            for path in files.get(split, []):
                for row in self._tried(lists.read_solution, path, []):
                    self._name(row.image, split, row.wnid, path)
                    self.boxes.setdefault(row.image, row.boxes)
        for path in files.get("tiny", []) + files.get("boxes", []):
            for box in self._tried(read_boxes, path, []):
                self._name(box.image, "val" if path.name.startswith("val") else "train", box.label, path)
                self.boxes.setdefault(box.image, []).append(box)
        for path in files.get("sets", []):
            split = path.name.split(".")[0].split("_")[0]
            for stem in self._tried(lists.read_image_set, path, []):
                self.named.setdefault(stem, (split, named_wnid(stem)))
        for path in files.get("real", []):
            self.real = self._tried(lists.read_real, path, [])
            for number in range(1, len(self.real) + 1):
                self.named.setdefault(VAL.format(number), ("val", None))
        for stem, (place, _) in self.found.annotations.items():
            self.named.setdefault(stem, (place or "val", named_wnid(stem)))

    def _name(self, stem: str, split: str, wnid: str, path: Path) -> None:
        """Note what a list says of a picture; the first list counts, one that says otherwise is told."""
        before = self.named.setdefault(stem, (split, wnid))[1]
        if before != wnid and self.report:
            self.report("other-label", f"{split} {stem}", f"{path.name} says {wnid}, before {before}")

    def _kit(self, archive: Path) -> Path:
        """Return the devkit's folder; the archive is small, and unpacked into the cache."""
        from ..files import extract

        folder = home() / "imagenet" / f"devkit-{hashlib.sha256(archive.read_bytes()).hexdigest()[:16]}"
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                extract(archive, Path(work, "kit"))
                Path(work, "kit").replace(folder)
        if not any(folder.rglob("ILSVRC2012_validation_ground_truth.txt")):
            raise FormatError(f"{archive}: holds no ILSVRC2012_validation_ground_truth.txt. Get the devkit again.")
        return folder

    def _archives(self) -> None:
        there = {group.split for group in self.groups}
        for path in self.found.archives:
            match = ARCHIVE.fullmatch(path.name)
            split = match[1] if match and match[1] else "train"
            if split in there:
                # Unpacked already: the folder is read, and nothing is counted twice.
                continue
            tar = self._tried(tars.index, path, None, "cut-archive")
            if tar is None:
                continue
            self.tars.append(tar)
            if tar.broken and self.report is None:
                raise ArchiveError(tar.broken)
            if tar.broken and self.report:
                self.report("cut-archive", path.name, tar.broken)
            for number, wnid in enumerate(tar.groups):
                places = (tar.group == number).nonzero()[0].tolist()
                if places:
                    self.groups.append(Group("", "", split, wnid or None, places, tar))

    def _absent(self) -> None:
        """Add the pictures that lists and annotations name, and that are not there."""
        splits = {split for split, _ in self.named.values()}
        there = {
            group.stem(number)
            for group in self.groups
            if group.split in splits or group.split is None
            for number in range(len(group.names))
        }
        there |= {stem[:23] for stem in there if stem.startswith("ILSVRC2012_")}
        base = next((group.base for group in self.groups), "")
        for split in sorted(splits):
            absent = [stem for stem, (own, _) in self.named.items() if own == split and stem not in there]
            if absent:
                self.groups.append(Group("", base, split, None, absent))

    def item(self, place: int) -> tuple[Group, int]:
        """Return the group of a picture and its number in it."""
        number = bisect.bisect_right(self.starts, place) - 1
        return self.groups[number], place - self.starts[number]

    def wnid(self, group: Group, stem: str) -> str | None:
        """Return a picture's class: that of its folder, else of the lists, else of its name."""
        if group.wnid:
            return group.wnid
        return self.named.get(stem[:23] if stem.startswith("ILSVRC2012_") else stem, ("", None))[1] or named_wnid(stem)

    def seen(self, stem: str) -> Sequence[int]:
        """Return the classes that ReaL's raters saw in a validation picture, by index."""
        number = stem[15:23]
        inside = stem.startswith("ILSVRC2012_val_") and number.isdecimal() and 0 < int(number) <= len(self.real)
        return self.real[int(number) - 1] if inside else ()

    def annotation(self, stem: str) -> Annotation | None:
        """Return a picture's annotation in XML, or None where there is none."""
        entry = self.found.annotations.get(stem)
        return self._tried(read_annotation, Path(entry[1]), None, "bad-annotation") if entry else None

    def labels(
        self, group: Group, stem: str, kinds: Sequence[str]
    ) -> tuple[dict[str, Sequence[Any]], Annotation | None]:
        """Return a picture's records, and its annotation where ``boxes`` are wanted."""
        found: dict[str, Sequence[Any]] = {}
        wnid, note = self.wnid(group, stem), None
        if "boxes" in kinds or wnid is None:
            note = self.annotation(stem)
            boxes = note.boxes if note else self.boxes.get(stem, ())
            wnid = wnid or next((box.label for box in boxes), None)
            if "boxes" in kinds and (note or boxes):
                found["boxes"] = [msgspec.structs.replace(box, name=self._class(box.label).name) for box in boxes]
        if "classes" in kinds and wnid:
            found["classes"] = [self._class(wnid)]
        if "real" in kinds and self.real and stem.startswith("ILSVRC2012_val_"):
            found["real"] = [self._class(_convert(index, "index", "wnid")) for index in self.seen(stem)]
        return found, note

    def _class(self, wnid: str) -> Any:
        return class_of(wnid, self.words.get(wnid, ""))

    def classes(self) -> dict[str, None]:
        """Return every wnid that a folder, a list or a picture's label names."""
        known = dict.fromkeys(group.wnid for group in self.groups if group.wnid)
        known |= dict.fromkeys(wnid for _, wnid in self.named.values() if wnid)
        seen = sorted(set(itertools.chain.from_iterable(self.real)))
        return known | self.listed | dict.fromkeys(_convert(index, "index", "wnid") for index in seen)

    def sample(self, place: int, kinds: Sequence[str], take: bool) -> Sample:
        """Return one picture as a sample; ``take`` copies it out of its archive."""
        group, number = self.item(place)
        name, stem = group.name(number), group.stem(number)
        labels, note = self.labels(group, stem, kinds)
        path = Path(group.folder, name) if group.folder else None
        extra: dict[str, Any] = {"file_name": name} if path or group.tar else {}
        if group.tar:
            extra["archive"] = group.tar.path.name
            path = group.tar.take(group.names[number]) if take else None
        if labels.get("classes"):
            extra["class_name"] = labels["classes"][0].short
        file = Path(group.folder, name).relative_to(self.root).as_posix() if group.folder else ""
        credit = self.credits.get(f"{group.tar.path.name}/{name}" if group.tar else file, {})
        size = (note.width or None, note.height or None) if note else (None, None)
        return Sample(
            id=stem,
            image=path,
            width=size[0],
            height=size[1],
            split=group.split,
            labels=labels,
            licence=credit.get("licence"),
            credit=credit.get("credit"),
            source_url=credit.get("source"),
            extra=extra,
        )


def read(root: Path, want: Selection) -> Iterator[Sample]:
    """Iterate samples with the label types ``classes``, ``boxes`` and ``real``.

    A picture inside an archive has a file only where the choice is small (``max_samples`` or ``image_ids`` of at most
    `TAKEN`): it is then copied into the cache. `index` reads any of them.
    """
    whole = Root(root)
    splits = want.names("split", dict.fromkeys(group.split for group in whole.groups if group.split))
    kinds = want.names("label_types", KINDS) or list(KINDS)
    wanted, ids = want.names("classes", whole.classes()), want.wants_id()
    indices = {cls.index for cls in map(class_of, wanted)} - {None} if wanted else set()
    places: list[int] = []
    for begin, group in zip(whole.starts, whole.groups, strict=False):
        if splits is not None and group.split not in splits:
            continue
        if wanted is not None and group.wnid and group.wnid not in wanted and not whole.real:
            continue
        if wanted is None and ids is None:
            places.extend(range(begin, begin + len(group.names)))
            continue
        for number in range(len(group.names)):
            stem = group.stem(number)
            if ids is not None and stem not in ids:
                continue
            if wanted is not None and whole.wnid(group, stem) not in wanted and not indices & set(whole.seen(stem)):
                continue
            places.append(begin + number)
    chosen = want.take(places)
    take = (want.max_samples is not None or ids is not None) and len(chosen) <= TAKEN
    return (whole.sample(place, kinds, take) for place in chosen)


def published(name: str) -> str:
    """Return the SHA-256 of a file inside an archive, as the card has it."""
    return str(next(one["sha256"] for one in cards.parsed("imagenet").extra["members"] if one["name"] == name))
