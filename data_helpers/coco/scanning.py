"""Counts and problems of a COCO folder, in one pass over each list."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from ..errors import FormatError
from ..samples import Problem, Scan
from . import layout, pictures
from .decoding import quiet_collector
from .masks import LARGEST, check, glance, read_panoptic
from .parts import Part
from .records import Annotation, Picture
from .splits import Split, by_split

STEP = 1 << 16
MANY = 100_000
"""Records from which on outlines are glanced at before any is decoded."""
Report = Callable[[str, str, str], None]
NONE = np.iinfo(np.int64).min


def scan(root: Path) -> Scan:
    """Count a folder in COCO's layout and list its problems.

    Kinds of problems. Lists: bad-file, other-file, results-file, lvis-file, text-number, duplicate-id, missing-id,
    bad-size, orphan, unknown-category. Labels: zero-area-box, bad-box, outside-box, bad-polygon, bad-rle,
    bad-keypoints, empty-caption, missing-panoptic, bad-panoptic. Pictures: missing-picture, unlisted-picture, and those
    of `pictures.check`.
    """
    found = Scan(splits={}, labels={}, classes={}, problems=[])

    def report(kind: str, where: str, detail: str) -> None:
        found.problems.append(Problem(kind, where, detail))

    labels: Counter[str] = Counter()
    classes: dict[str, Counter[str]] = {}

    def count(split: Split) -> None:
        name = split.name or ""
        found.splits[name] = found.splits.get(name, 0) + len(split.images)
        labels.update(_labels(split, classes, report))
        found.images_on_disk += pictures.check_split(split, report, beside)

    beside: dict[Path, tuple[frozenset[str], set[str]]] = {}
    with quiet_collector():
        # No name here holds the last split: its records are gone before the collector would walk them.
        deque(map(count, by_split(layout.lists(root), found.problems.append)), maxlen=0)
    pictures.check_unlisted(beside, report)
    found.labels = {kind: labels[kind] for kind in sorted(labels)}
    if not found.splits:
        for name, paths in layout.loose_pictures(root).items():
            found.splits[name] = len(paths)
            found.images_on_disk += len(paths)
            for path in paths:
                pictures.check(path, None, None, f"{name}/{path.name}", report)
    if not found.splits and not found.problems:
        report("nothing-found", root.name, "neither annotations/*.json nor pictures: is this the folder?")
    # A class is counted by the first kind of label that knows it: a panoptic map repeats the instances.
    for kind in ("panoptic", "classes", "stuff", "boxes"):
        found.classes |= classes.get(kind, {})
    found.images = sum(found.splits.values())
    return found


def _labels(split: Split, classes: dict[str, Counter[str]], report: Report) -> Counter[str]:
    """Count one split's labels by type and by class, and check every record."""
    labels: Counter[str] = Counter()
    before: list[Part] = []
    for part in split.parts:
        try:
            counted = _part(part, split, before, report)
        except FormatError as error:
            report("bad-file", part.path.name, str(error))
            continue
        before.append(part)
        for kind, (count, numbers) in counted.items():
            labels[kind] += count
            for number, times in numbers.items():
                classes.setdefault(kind, Counter())[part.name(number) or ""] += times
    return labels


def _part(part: Part, split: Split, before: list[Part], report: Report) -> dict[str, tuple[int, Counter[int]]]:
    notes, name = part.annotations, part.path.name
    if part.text:
        report("text-number", name, "ids or other numbers are written as text, or as 1.0; they are read as numbers")
    if part.lvis:
        report("lvis-file", name, "LVIS, not COCO: what is not labelled in a picture may still be in it; use lvis-api")
    used = Counter(map(attrgetter("category_id"), notes))
    owners = _column(notes, "image_id")
    _ids(part, used, owners, report)
    kept = notes
    if part.points and part.boxes and before:
        known: dict[int, set[int | None]] = {}
        for old in before:
            for note in old.annotations if old.boxes else ():
                known.setdefault(note.image_id, set()).add(note.id)
        kept = [note for note in notes if note.id not in known.get(note.image_id, ())]
    counted: dict[str, tuple[int, Counter[int]]] = {}
    for kind, test in part.sort().items():
        if kind in ("boxes", "stuff"):
            boxed = kept if part.boxed else [note for note in kept if note.bbox is not None]
            numbers = used if boxed is notes else Counter(map(attrgetter("category_id"), boxed))
            images = owners if boxed is notes else _column(boxed, "image_id")
            counted[kind] = (_boxes(boxed, images, name, split, report), numbers)
        elif kind == "masks":
            counted[kind] = (_masks(part, kept, split, report), Counter())
        elif kind == "keypoints":
            counted[kind] = (_keypoints(part, report), Counter())
        elif kind == "captions":
            told = [note for note in notes if note.caption is not None]
            for note in told:
                if not (note.caption or "").strip():
                    report("empty-caption", _where(name, note), "found no text")
            counted[kind] = (len(told), Counter())
        elif kind == "panoptic":
            segments = [s.category_id for note in notes for s in note.segments_info or ()]
            counted[kind] = (_panoptic(part, split, report), Counter(segments))
        else:
            chosen = [note for note in notes if test(note)]
            counted[kind] = (len(chosen), Counter(map(attrgetter("category_id"), chosen)))
    if part.stuff:
        _masks(part, kept, split, report)
    return counted


def _column(records: Sequence[Any], field: str) -> npt.NDArray[np.int64]:
    """Return one number of all records; `NONE` stands for none."""
    values = map(attrgetter(field), records)
    try:
        return np.fromiter(values, np.int64, len(records))
    except TypeError:
        values = map(attrgetter(field), records)
        return np.fromiter((NONE if value is None else value for value in values), np.int64, len(records))
    except OverflowError as error:
        raise FormatError(f"{field}: found a number of more than 64 bits. Mend the record.") from error


def _repeated(ids: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the ids that stand more than once, each with how often."""
    ordered = np.sort(ids)
    found = np.unique(ordered[1:][(ordered[1:] == ordered[:-1]) & (ordered[1:] != NONE)])
    return [(number, int((ids == number).sum())) for number in found.tolist()]


def _where(name: str, note: Annotation) -> str:
    return f"{name}: annotation {note.id}" if note.id is not None else f"{name}: a record of image {note.image_id}"


def _ids(part: Part, used: Counter[Any], owners: npt.NDArray[np.int64], report: Report) -> None:
    """Check ids: each once, each image and category known."""
    name, notes = part.path.name, part.annotations
    images = _column(part.images, "id")
    for what, ids in (("image", images), ("annotation", _column(notes, "id")), ("category", part.category_ids)):
        for number, times in _repeated(np.asarray(ids)):
            report("duplicate-id", f"{name}: {what} {number}", f"the id stands {times} times")
    for index in np.flatnonzero(~np.isin(owners, images)).tolist():
        report("orphan", _where(name, notes[index]), f"image {notes[index].image_id} is not in the list of images")
    # Results have no ids of their own, nor has a panoptic map.
    nameless = 0 if part.results or part.panoptic else sum(note.id is None for note in notes)
    if nameless:
        report("missing-id", name, f"{nameless:,} of {len(notes):,} annotations have no id, by which others find them")
    for image in part.images:
        width, height = (1 if side is None else side for side in (image.width, image.height))
        if min(width, height) <= 0 or width * height > LARGEST:
            report("bad-size", f"{name}: image {image.id}", f"is listed as {image.width}x{image.height} pixels")
    if not part.categories and (part.captions or part.results):
        return
    known = part.categories
    for note in notes if not known.keys() >= used.keys() else ():
        if note.category_id not in known and note.caption is None and note.segments_info is None:
            report("unknown-category", _where(name, note), f"category {note.category_id} is not in the list")
    for note in notes if part.panoptic else ():
        for segment in note.segments_info or ():
            if segment.category_id not in known:
                report("unknown-category", _where(name, note), f"category {segment.category_id} is not in the list")


def _boxes(notes: list[Annotation], images: npt.NDArray[np.int64], name: str, split: Split, report: Report) -> int:
    if not notes:
        return 0
    sizes, places = _limits(split, images)
    for start in range(0, len(notes), STEP):
        some, limits = notes[start : start + STEP], sizes[places[start : start + STEP]]
        numbers = chain.from_iterable(map(attrgetter("bbox"), some))
        boxes = np.fromiter(numbers, np.float64, 4 * len(some)).reshape(-1, 4)
        sound = ((boxes >= 0) & (boxes < np.inf)).all(axis=1)
        with np.errstate(invalid="ignore", over="ignore"):
            far = boxes[:, :2] + boxes[:, 2:]
            outside = (far > limits).any(axis=1)
            flat = ((boxes[:, 2:] == 0) & (boxes[:, 3:1:-1] >= 0)).any(axis=1)
        for kind, which, detail in (
            ("bad-box", ~sound, ": negative or no number"),
            ("zero-area-box", flat, ""),
            ("outside-box", outside, " leaves the picture"),
        ):
            for index in np.flatnonzero(which).tolist():
                report(kind, _where(name, some[index]), f"bbox {boxes[index].tolist()}{detail}")
    return len(notes)


def _limits(split: Split, images: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Return how far right and down boxes may reach, a pixel beyond each picture, and the row of each image id."""
    ids = np.fromiter(split.images, np.int64, len(split.images))
    sizes = np.array([(one.width or np.inf, one.height or np.inf) for one in split.images.values()]).reshape(-1, 2) + 1
    sizes = np.concatenate([sizes, [[np.inf, np.inf]]])
    largest = max(ids.max(initial=0), images.max(initial=0))
    if min(ids.min(initial=0), images.min(initial=0)) >= 0 and largest < 10_000_000:
        # Ids of COCO's own are small enough for a table.
        table = np.full(largest + 1, len(ids), np.int32)
        table[ids] = np.arange(len(ids))
        return sizes, table[images]
    known = {number: place for place, number in enumerate(ids.tolist())}
    return sizes, np.array([known.get(number, len(ids)) for number in images.tolist()], np.int32)


def _masks(part: Part, notes: list[Annotation], split: Split, report: Report) -> int:
    """Count outlines and check them: among many only those that do not look sound at a glance."""
    doubtful = notes
    if len(notes) > MANY:
        doubtful = [note for note in notes if not glance(bytes(note.raw_segmentation))]
    count = len(notes) - len(doubtful)
    for note in doubtful:
        if not note.has_mask:
            continue
        count += 1
        image = split.images.get(note.image_id, Picture(0))
        try:
            check(note, image.height, image.width)
        except FormatError as error:
            kind = "bad-rle" if bytes(note.raw_segmentation)[:1] == b"{" else "bad-polygon"
            report(kind, _where(part.path.name, note), str(error))
    return count


def _keypoints(part: Part, report: Report) -> int:
    for note in part.annotations:
        if note.raw_keypoints and (wrong := _wrong_keypoints(part, note)):
            report("bad-keypoints", _where(part.path.name, note), wrong)
    return sum(note.has_keypoints for note in part.annotations)


def _wrong_keypoints(part: Part, note: Annotation) -> str:
    try:
        values = msgspec.json.decode(note.raw_keypoints, type=list[float])
    except msgspec.DecodeError:
        return "keypoints is not a flat list of numbers"
    category = part.categories.get(note.category_id or 0)
    expected = 3 * len(category.keypoints) if category else 0
    if len(values) % 3 or (expected and len(values) != expected):
        return f"found {len(values)} numbers, expected {expected or 'a multiple of 3'}"
    if not {0, 1, 2}.issuperset(values[2::3]):
        return "a visibility is none of 0, 1, 2"
    told, found = note.num_keypoints, sum(v > 0 for v in values[2::3])
    return "" if told in (None, found) else f"num_keypoints is {told}, {found} have v > 0"


def _panoptic(part: Part, split: Split, report: Report) -> int:
    count = 0
    folder = layout.names_in(part.path.with_suffix(""))
    for note in part.annotations:
        if note.segments_info is None:
            continue
        count += 1
        path = split.panoptic_png(note) if note.file_name in folder else None
        where = f"{part.path.stem}/{note.file_name}"
        if path is None:
            if folder:
                report("missing-panoptic", where, "the map is not there")
            continue
        try:
            pixels = read_panoptic(path)
        except FormatError as error:
            report("bad-panoptic", where, str(error))
            continue
        image = split.images.get(note.image_id)
        if image is not None and image.height and pixels.shape != (image.height, image.width):
            size = f"{pixels.shape[1]}x{pixels.shape[0]}"
            report("bad-panoptic", where, f"the map is {size}, the picture {image.width}x{image.height}")
        values, areas = np.unique(pixels, return_counts=True)
        seen = {int(value): int(area) for value, area in zip(values, areas, strict=True) if value}
        for segment in note.segments_info:
            area = seen.pop(segment.id, 0)
            if segment.area is not None and area != segment.area:
                report("bad-panoptic", where, f"segment {segment.id}: area {segment.area:g}, {area} pixels in the map")
        for value, area in seen.items():
            report("bad-panoptic", where, f"{area} pixels of an unknown segment {value}")
    if count and not folder:
        report("missing-panoptic", part.path.stem, f"none of {count:,} maps is here: expected a folder of this name")
    return count
