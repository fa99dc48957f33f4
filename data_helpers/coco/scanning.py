"""Counts and problems of a COCO folder, in one pass over each list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..errors import FormatError
from ..samples import Problem, Scan
from . import layout, pictures
from .decoding import quiet_collector
from .masks import check, read_panoptic
from .parts import Part
from .records import Annotation
from .splits import Split, by_split, file_name

Report = Callable[[str, str, str], None]
FEW = 20


def scan(root: Path) -> Scan:
    """Count a folder in COCO's layout and list its problems.

    Kinds of problems. Lists: bad-file, other-file, results-file, lvis-file, text-number, duplicate-id, orphan,
    unknown-category. Labels: zero-area-box, bad-box, outside-box, bad-polygon, bad-rle, bad-keypoints, empty-caption,
    missing-panoptic, bad-panoptic. Pictures: missing-picture, unlisted-picture, and those of `pictures.check`.
    """
    found = Scan(splits={}, labels={}, classes={}, problems=[])

    def report(kind: str, where: str, detail: str) -> None:
        found.problems.append(Problem(kind, where, detail))

    labels: Counter[str] = Counter()
    classes: dict[str, Counter[str]] = {}
    with quiet_collector():
        for split in by_split(layout.lists(root), found.problems.append):
            name = split.name or ""
            found.splits[name] = found.splits.get(name, 0) + len(split.images)
            labels += _labels(split, classes, report)
            found.images_on_disk += _pictures(split, report)
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
        report("text-number", name, "ids or other numbers are written as text; they are read as numbers")
    if part.lvis:
        report("lvis-file", name, "LVIS, not COCO: what is not labelled in a picture may still be in it; use lvis-api")
    used = Counter(map(attrgetter("category_id"), notes))
    _ids(part, used, report)
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
            counted[kind] = (_boxes(boxed, name, split, report), numbers)
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


def _where(name: str, note: Annotation) -> str:
    return f"{name}: annotation {note.id}" if note.id is not None else f"{name}: a record of image {note.image_id}"


def _ids(part: Part, used: Counter[Any], report: Report) -> None:
    """Check ids: each once, each image and category known."""
    name, notes = part.path.name, part.annotations
    images = [image.id for image in part.images]
    for what, ids in (("image", images), ("annotation", list(map(attrgetter("id"), notes)))):
        if len(set(ids)) < len(ids):
            for number, times in Counter(ids).items():
                if times > 1 and number is not None:
                    report("duplicate-id", f"{name}: {what} {number}", f"the id stands {times} times")
    if others := set(map(attrgetter("image_id"), notes)) - set(images):
        for note in notes:
            if note.image_id in others:
                report("orphan", _where(name, note), f"image {note.image_id} is not in the list of images")
    known = {None, *part.categories}
    if len(known) == 1 and (part.captions or part.results):
        return
    for note in notes if not known.issuperset(used) else ():
        if note.category_id not in known and note.caption is None:
            report("unknown-category", _where(name, note), f"category {note.category_id} is not in the list")
    for note in notes if part.panoptic else ():
        for segment in note.segments_info or ():
            if segment.category_id not in known:
                report("unknown-category", _where(name, note), f"category {segment.category_id} is not in the list")


def _boxes(notes: list[Annotation], name: str, split: Split, report: Report) -> int:
    if not notes:
        return 0
    numbers = chain.from_iterable(map(attrgetter("bbox"), notes))
    boxes = np.fromiter(numbers, np.float64, 4 * len(notes)).reshape(-1, 4)
    with np.errstate(invalid="ignore", over="ignore"):
        low = boxes.min(axis=1)
        size = boxes[:, 2:].min(axis=1)
        bad = ~np.isfinite(boxes).all(axis=1) | (low < 0)
        right, bottom = boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
    for index in np.flatnonzero(bad):
        report("bad-box", _where(name, notes[index]), f"bbox {list(notes[index].bbox or ())}: negative or no number")
    for index in np.flatnonzero((size == 0) & ~bad):
        report("zero-area-box", _where(name, notes[index]), f"bbox {list(notes[index].bbox or ())}")
    # Only boxes beyond the smallest picture can be outside their own: few, so that a look at each is cheap.
    widths = [image.width for image in split.images.values() if image.width]
    heights = [image.height for image in split.images.values() if image.height]
    if widths and heights:
        for index in np.flatnonzero((right > max(widths) + 1) | (bottom > max(heights) + 1)):
            report(
                "outside-box", _where(name, notes[index]), f"bbox {list(notes[index].bbox or ())} leaves the picture"
            )
    return len(notes)


def _masks(part: Part, notes: list[Annotation], split: Split, report: Report) -> int:
    """Count outlines and check them: in a large file, where its brackets say that all have three points, RLEs only."""
    masked = notes if part.outlined else [note for note in notes if note.has_mask]
    checked = masked
    if part.polygons is not None and part.outlined:
        crowds = [note for note in masked if note.iscrowd]
        skeletons = sum(bool(category.skeleton) for category in part.categories.values())
        lists = sum(bytes(note.raw_segmentation)[:1] == b"[" for note in crowds)
        if part.polygons.result() == len(part.annotations) - len(crowds) + lists + skeletons:
            checked = crowds
    for note in checked:
        image = split.images.get(note.image_id)
        try:
            check(note, image.height if image else None, image.width if image else None)
        except FormatError as error:
            kind = "bad-rle" if bytes(note.raw_segmentation)[:1] == b"{" else "bad-polygon"
            report(kind, _where(part.path.name, note), str(error))
    return len(masked)


def _keypoints(part: Part, report: Report) -> int:
    count = 0
    for note in part.annotations:
        count += note.has_keypoints
        if not note.raw_keypoints:
            continue
        try:
            values = msgspec.json.decode(note.raw_keypoints, type=list[float])
        except msgspec.DecodeError:
            report("bad-keypoints", _where(part.path.name, note), "keypoints is not a flat list of numbers")
            continue
        category = part.categories.get(note.category_id or 0)
        expected = 3 * len(category.keypoints) if category else 0
        if len(values) % 3 or (expected and len(values) != expected):
            detail = f"found {len(values)} numbers, expected {expected or 'a multiple of 3'}"
            report("bad-keypoints", _where(part.path.name, note), detail)
        elif note.num_keypoints is not None and note.num_keypoints != sum(v > 0 for v in values[2::3]):
            detail = f"num_keypoints is {note.num_keypoints}, {sum(v > 0 for v in values[2::3])} have v > 0"
            report("bad-keypoints", _where(part.path.name, note), detail)
    return count


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


def _pictures(split: Split, report: Report) -> int:
    """Count a split's pictures on disk and look at each one's header."""
    count, missing, listed = 0, [], set()
    place = split.folder.name
    for image in split.images.values():
        path = split.image(image)
        if path is None:
            # A results file names no picture files: there is nothing to miss.
            if not split.results:
                missing.append(file_name(image) or f"image {image.id}, which has no file name")
            continue
        count += 1
        listed.add(path.name)
        pictures.check(path, image.width, image.height, f"{place}/{path.name}", report)
    _tell(missing, len(split.images), "missing-picture", place, "is listed, and not there", report)
    if count:
        extra = sorted(name for name in split.names - listed if Path(name).suffix.lower() in layout.PICTURES)
        _tell(extra, len(split.names), "unlisted-picture", place, "is there, and in no list", report)
    return count


def _tell(names: Iterable[str], total: int, kind: str, place: str, detail: str, report: Report) -> None:
    """Report each name; where they are many, all of them in one entry."""
    names = list(names)
    if len(names) <= FEW:
        for name in names:
            report(kind, f"{place}/{name}", detail)
    else:
        report(kind, place, f"{len(names):,} of {total:,}: {', '.join(names[:5])}, ...: each {detail}")
