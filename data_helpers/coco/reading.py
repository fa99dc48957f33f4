"""Samples out of a COCO folder: its lists merged by split, each picture with all that is said of it."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from ..errors import FormatError, MissingFileError
from ..samples import Problem, Sample, Selection
from . import layout, outlines
from .decoding import decode, is_list, load, quiet_collector
from .records import EMPTY, Annotation, Category, File, Licence, Picture

LARGE = 50_000_000
"""Bytes from which on a list's outlines are looked over by their brackets before any is read."""
_POOL = ThreadPoolExecutor(1)
LABEL_TYPES = ("boxes", "masks", "keypoints", "captions", "stuff", "panoptic", "classes")


def _only_class(note: Annotation) -> bool:
    """Tell a label of the whole picture: a category and nothing else."""
    other = note.bbox or note.raw_segmentation or note.raw_keypoints or note.caption is not None
    return note.category_id is not None and not other


class Part:
    """One list of a folder: its records, and which kinds of labels they are."""

    polygons: Future[int | None] | None = None
    """Of a large file that is scanned: how many lists of lists it has, see `outlines`."""

    def __init__(self, path: Path, file: File, split: str | None, *, results: bool, text: bool, compact: bool) -> None:
        self.path, self.split, self.results, self.text = path, split, results, text
        self.images = file.images or []
        self.annotations = file.annotations or []
        self.categories = {category.id: category for category in file.categories or ()}
        self.licences = {licence.id: licence for licence in file.licenses or ()}
        notes = self.annotations
        # A million records: each question is one pass in C.
        self.captions = any(map(attrgetter("caption"), notes))
        self.panoptic = any(map(attrgetter("segments_info"), notes))
        self.points = any(map(attrgetter("raw_keypoints"), notes))
        self.boxed = None not in map(attrgetter("bbox"), notes)
        self.boxes = (bool(notes) and self.boxed) or any(note.bbox or note.raw_segmentation for note in notes)
        self.stuff = self.boxes and self._is_stuff()
        self.classes = not self.boxed and any(map(_only_class, notes))
        # Only in compact JSON has an empty outline one spelling.
        self.outlined = self.boxes and compact
        self.outlined &= not any(map(EMPTY.__contains__, map(attrgetter("raw_segmentation"), notes)))

    @property
    def ids(self) -> set[int]:
        """Ids of the pictures that the list names."""
        return {image.id for image in self.images}

    def _is_stuff(self) -> bool:
        kinds = [category.supercategory or "" for category in self.categories.values()]
        said = bool(kinds) and all(kind.endswith("-stuff") or kind == "other" for kind in kinds)
        return said or self.path.stem.startswith("stuff_")

    @property
    def lvis(self) -> bool:
        """Whether the categories are those of LVIS, which has another rule of what is labelled."""
        return any(category.synset and category.frequency for category in self.categories.values())

    def name(self, category: int | None) -> str | None:
        """Return a class's name, or its number where the file names none."""
        known = self.categories.get(category) if category is not None else None
        return known.name if known is not None else None if category is None else str(category)

    def kinds(self) -> list[str]:
        """Return the label types this list speaks of."""
        outlines = (["stuff"] if self.stuff else ["boxes", "masks"]) if self.boxes else []
        told = {"keypoints": self.points, "captions": self.captions, "panoptic": self.panoptic, "classes": self.classes}
        return outlines + [kind for kind, there in told.items() if there]

    def sort(self) -> dict[str, Callable[[Annotation], Any]]:
        """Return for each label type the test that tells its records."""
        tests: dict[str, Callable[[Annotation], Any]] = {
            "boxes": lambda a: a.bbox is not None,
            "masks": lambda a: a.has_mask,
            "stuff": lambda a: a.bbox is not None or a.raw_segmentation,
            "keypoints": lambda a: a.has_keypoints,
            "captions": lambda a: a.caption is not None,
            "panoptic": lambda a: a.segments_info is not None,
            "classes": _only_class,
        }
        return {kind: tests[kind] for kind in self.kinds()}


def open_list(path: Path, scanning: bool = False) -> Part | list[Category] | None:
    """Read one JSON file by what is in it: a list of COCO's, a list of categories, or None for anything else.

    Raises
    ------
    FormatError
        Not JSON, or COCO's with a broken record.
    """
    data = load(path)
    if is_list(data):
        try:
            return decode(data, list[Category], path)[0]
        except FormatError:
            notes, text = decode(data, list[Annotation], path)
        images = [Picture(number) for number in sorted({note.image_id for note in notes})]
        return Part(path, File(images, notes), layout.split_of(path), results=True, text=text, compact=False)
    # NumPy looks for brackets in a second thread, while this one decodes.
    polygons = _POOL.submit(outlines.sound_polygons, data) if scanning and len(data) > LARGE else None
    file, text = decode(data, File, path)
    if file.images is None and file.annotations is None:
        return None
    compact = b"\n" not in bytes(data[:200])
    part = Part(path, file, layout.split_of(path), results=False, text=text, compact=compact)
    part.polygons = polygons
    return part


class Split:
    """All that the lists of one split say, and where its pictures lie."""

    def __init__(self, name: str | None, parts: Sequence[Part]) -> None:
        self.name = name
        # People stand in the keypoint list and in the instance list: the latter is read first, to find them again.
        self.parts = sorted(parts, key=lambda part: (part.points, part.results))
        self.results = all(part.results for part in parts)
        self.images: dict[int, Picture] = {}
        for part in self.parts:
            for image in part.images:
                old = self.images.get(image.id)
                if old is None or not old.file_name:
                    self.images[image.id] = image
        self.licences = {number: licence for part in self.parts for number, licence in part.licences.items()}
        self.licence_names: dict[int | None, str | None] = {
            number: short_licence(licence) for number, licence in self.licences.items()
        }
        self.base = layout.base_of(self.parts[0].path)
        self.folder, self.names = layout.picture_folder(self.base, name, map(file_name, self.images.values()))
        self.credits = read_credits(self.base)

    def image(self, picture: Picture) -> Path | None:
        """Return the file of a picture, or None where it is not on disk."""
        name = file_name(picture)
        if name in self.names:
            return self.folder / name
        if "/" in name and ".." not in (parts := Path(name).parts) and not Path(name).is_absolute() and parts:
            return next((path for top in (self.folder, self.base) if (path := top / name).is_file()), None)
        return None

    def groups(self, wanted: Sequence[str] | None) -> dict[str, dict[int, list[Annotation]]]:
        """Return the records of each label type by picture; a picture that a list names without records has none."""
        found: dict[str, dict[int, list[Annotation]]] = {}
        with quiet_collector():
            for part in self.parts:
                grouped = self._group(part)
                # Where every record is of the type, the groups are the answer as they stand.
                whole = {"boxes": part.boxed, "masks": part.outlined}
                for kind, test in part.sort().items():
                    if wanted is not None and kind not in wanted:
                        continue
                    target = found.get(kind)
                    if target is None and whole.get(kind):
                        found[kind] = grouped
                        continue
                    again = part.points and kind in ("boxes", "masks")
                    merged = found[kind] = dict(target or {})
                    for number, notes in grouped.items():
                        old = merged.get(number, [])
                        known = {note.id for note in old} if again else ()
                        merged[number] = old + [note for note in notes if test(note) and note.id not in known]
        return found

    def _group(self, part: Part) -> dict[int, list[Annotation]]:
        """Name each record's class, and return the records of each picture."""
        names = {number: part.name(number) for number in set(map(attrgetter("category_id"), part.annotations))}
        orphans: list[Annotation] = []
        grouped: dict[int, list[Annotation]] = {image.id: [] for image in part.images}
        for note in part.annotations:
            note.label = names[note.category_id]
            grouped.get(note.image_id, orphans).append(note)
        for note in part.annotations if part.panoptic else ():
            for segment in note.segments_info or ():
                segment.label = part.name(segment.category_id)
        return grouped

    def sample(self, picture: Picture, groups: dict[str, dict[int, list[Annotation]]]) -> Sample:
        """Build one sample."""
        number = picture.id
        labels: dict[str, Sequence[Any]] = {kind: group[number] for kind, group in groups.items() if number in group}
        licence = self.licences.get(picture.license) if picture.license is not None else None
        extra: dict[str, Any] = {"file_name": picture.file_name}
        if picture.license is not None:
            extra["license"] = picture.license
        if picture.flickr_url:
            extra["flickr_url"] = picture.flickr_url
        if picture.coco_url:
            extra["coco_url"] = picture.coco_url
        if licence is not None and licence.url:
            extra["licence_url"] = licence.url
        if "panoptic" in labels and (note := next(iter(labels["panoptic"]), None)):
            extra["panoptic_png"] = self.panoptic_png(note)
        photo = flickr_id(picture.flickr_url)
        image = self.image(picture)
        row = self.credits.get(image.relative_to(self.base).as_posix(), {}) if image and self.credits else {}
        return Sample(
            id=number,
            image=image,
            width=picture.width,
            height=picture.height,
            split=self.name,
            labels=labels,
            licence=row.get("licence") or self.licence_names.get(picture.license),
            credit=row.get("credit") or (f"Flickr photo {photo}, author not named in COCO's files" if photo else None),
            source_url=row.get("source") or (PAGE + photo if photo else picture.coco_url or None),
            extra=extra,
        )

    def panoptic_png(self, note: Annotation) -> Path | None:
        """Return the map of a panoptic record: it lies in a folder named like its list."""
        name = note.file_name or ""
        if name != Path(name).name:
            return None
        tried = [part.path.with_suffix("") / name for part in self.parts if part.panoptic]
        return next((path for path in tried if path.is_file()), None)


PAGE = "https://www.flickr.com/photo.gne?id="


def flickr_id(address: str | None) -> str | None:
    """Return the photo's id in a Flickr picture's address, ``.../7866247804_e0486b75b8_z.jpg``."""
    number = (address or "").rpartition("/")[2].partition("_")[0]
    return number if number.isdecimal() else None


def file_name(picture: Picture) -> str:
    """Return a picture's file name; where a list has none (LVIS), the end of its COCO address."""
    return picture.file_name or (picture.coco_url or "").rpartition("/")[2]


def short_licence(licence: Licence) -> str | None:
    """Return ``CC BY-NC 2.0`` for a Creative Commons address, else the licence's own name."""
    found = re.search(r"creativecommons\.org/licenses/([a-z-]+)/([\d.]+)", licence.url)
    return f"CC {found[1].upper()} {found[2]}" if found else licence.name or None


def read_credits(base: Path) -> dict[str, dict[str, str]]:
    """Return a miniature's credits by file."""
    path = base / "CREDITS.tsv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["file"]: row for row in csv.DictReader(lines, delimiter="\t") if row.get("file")}


def by_split(paths: Sequence[Path], report: Callable[[Problem], Any] | None = None) -> Iterator[Split]:
    """Read lists and merge them, one split at a time, so that one split at a time is in memory.

    Without ``report`` a broken file raises; with it, it is told as a problem and the others are read.
    """
    named: dict[str, list[Path]] = {}
    vague: list[Path] = []
    for path in paths:
        if split := layout.split_of(path):
            named.setdefault(split, []).append(path)
        if not split or not layout.SPLIT.fullmatch(split):
            vague.append(path)
    categories: dict[int, Category] = {}

    def opened(chosen: Sequence[Path]) -> list[Part]:
        found = _open(chosen, report)
        categories.update((one.id, one) for part in found if isinstance(part, list) for one in part)
        return [part for part in found if isinstance(part, Part)]

    # A list whose name has no word for a split belongs to the one that has just its pictures.
    groups: dict[str, list[Part]] = {}
    for part in opened(vague):
        split = part.split or part.path.stem
        same = (name for name, group in groups.items() if group[0].ids == part.ids)
        groups.setdefault(split if split in groups else next(same, split), []).append(part)
    groups = {min((part.split or part.path.stem for part in group), key=len): group for group in groups.values()}
    for split in [split for split in named if layout.SPLIT.fullmatch(split)]:
        parts = opened(named[split])
        for name in [name for name, group in groups.items() if parts and group[0].ids == parts[0].ids]:
            parts += groups.pop(name)
        yield from _merge(split, parts, categories, report)
    for name, group in groups.items():
        yield from _merge(name, group, categories, report)


def _merge(
    name: str | None, parts: list[Part], categories: dict[int, Category], report: Callable[[Problem], Any] | None
) -> Iterator[Split]:
    truths = [part for part in parts if not part.results]
    for part in parts:
        if part.results and truths and report is not None:
            report(Problem("results-file", part.path.name, "a list of results; coco.read_results reads it"))
        if not part.categories and part.results:
            part.categories = categories
    if chosen := truths or parts:
        yield Split(name, chosen)


def _open(paths: Sequence[Path], report: Callable[[Problem], Any] | None) -> list[Part | list[Category]]:
    opened: list[Part | list[Category]] = []
    for path in paths:
        try:
            found = open_list(path, report is not None)
        except FormatError as error:
            if report is None:
                raise
            report(Problem("bad-file", path.name, str(error)))
            continue
        if found is not None:
            opened.append(found)
        elif report is not None:
            report(Problem("other-file", path.name, "JSON without images or annotations: not a list of COCO's"))
    return opened


def read(root: Path, want: Selection) -> Iterator[Sample]:
    """Iterate the samples of a folder in COCO's layout, split by split, pictures in the order of their ids.

    ``annotations/*.json`` are read by what is in them; a split is the end of their names. A label type has an entry for
    each picture that a list of that type names: an empty one says that the list has no record of it.

    Raises
    ------
    UnknownNameError
        A split, class or label type that is not there.
    MissingFileError
        Neither lists nor pictures.
    FormatError
        A list that is cut short or broken; the message names byte or record.
    """
    kinds = want.names("label_types", LABEL_TYPES)
    paths = layout.lists(root)
    if want.split is not None and paths:
        named = [(layout.split_of(path), path) for path in paths]
        chosen = want.names("split", dict.fromkeys(split or path.stem for split, path in named)) or []
        paths = [path for split, path in named if (split or path.stem) in chosen or split is None]
    else:
        chosen = None
    if want.classes is not None:
        known = dict.fromkeys(category.name for path in paths for category in read_categories(path))
        want.names("classes", known)
    splits = by_split(paths)
    if chosen is not None:
        splits = (split for split in splits if split.name in chosen)
    some = False
    left = want.max_samples
    if want.shuffle:
        loaded = list(splits)
        pairs = [(split, picture) for split in loaded for picture in _wanted(split, want)]
        picked = want.take(pairs)
        groups = {id(split): split.groups(kinds) for split in loaded}
        some = bool(loaded)
        for split, picture in picked:
            yield split.sample(picture, groups[id(split)])
    else:
        for split in splits:
            some = True
            pictures = want.take(_wanted(split, want)) if left is None else _wanted(split, want)[:left]
            found = split.groups(kinds)
            for picture in pictures:
                yield split.sample(picture, found)
            left = None if left is None else left - len(pictures)
            if left == 0:
                break
    if not some:
        yield from _loose(root, want)


def _wanted(split: Split, want: Selection) -> list[Picture]:
    ids = want.wants_id()
    chosen = [want.classes] if isinstance(want.classes, str) else want.classes
    keep: set[int] | None = None
    if chosen is not None:
        keep = set()
        for part in split.parts:
            numbers = {number for number, category in part.categories.items() if category.name in chosen}
            keep |= {note.image_id for note in part.annotations if note.category_id in numbers}
            for note in part.annotations if part.panoptic else ():
                if any(segment.category_id in numbers for segment in note.segments_info or ()):
                    keep.add(note.image_id)
    return [
        split.images[number]
        for number in sorted(split.images)
        if (ids is None or number in ids) and (keep is None or number in keep)
    ]


def _loose(root: Path, want: Selection) -> Iterator[Sample]:
    """Iterate pictures that have no list."""
    found = layout.loose_pictures(root)
    if not found:
        raise MissingFileError(
            f"{root}: found neither annotations/*.json nor pictures of COCO. Check the path, or fetch COCO there."
        )
    chosen = want.names("split", found) or list(found)
    ids = want.wants_id()
    pairs = [(split, path, picture_id(path)) for split in chosen for path in found[split]]
    for split, path, number in want.take(pair for pair in pairs if ids is None or pair[2] in ids):
        yield Sample(id=number, image=path, split=split)


def picture_id(path: Path) -> int | str:
    """Return the id a picture's name holds: its last digits, without the zeros before them."""
    digits = re.search(r"(\d+)$", path.stem)
    return int(digits[1]) if digits else path.stem


class _Names(msgspec.Struct):
    categories: list[Category] = []


def read_categories(path: Path) -> list[Category]:
    """Return the categories of one annotation file, with keypoint names and skeleton where it has them."""
    data = load(path)
    return [] if is_list(data) else decode(data, _Names, path)[0].categories
