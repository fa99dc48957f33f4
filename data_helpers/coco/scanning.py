"""Counts and problems of a COCO folder, in one pass over each list."""

from __future__ import annotations

from collections import Counter, deque
from pathlib import Path

from ..errors import FormatError
from ..samples import Problem, Scan
from . import layout, pictures
from .decoding import UnevenError, quiet_collector
from .halves import count
from .splits import Split, by_split
from .tally import Report, Tally


def scan(root: Path) -> Scan:
    """Count a folder in COCO's layout and list its problems.

    Kinds of problems. Lists: packed-list, bad-file, other-file, results-file, lvis-file, text-number, duplicate-id,
    missing-id, bad-size, orphan, unknown-category, unknown-licence. Labels: zero-area-box, bad-box, outside-box,
    bad-area, bad-crowd, bad-polygon, bad-rle, bad-keypoints, empty-caption, missing-panoptic, bad-panoptic.
    Pictures: missing-picture, unlisted-picture, and those of `pictures.check`.
    """
    with quiet_collector():
        try:
            return _scan(root, whole=False)
        except UnevenError:
            return _scan(root, whole=True)


def _scan(root: Path, *, whole: bool) -> Scan:
    found = Scan(splits={}, labels={}, classes={}, problems=[])

    def report(kind: str, where: str, detail: str) -> None:
        found.problems.append(Problem(kind, where, detail))

    labels: Counter[str] = Counter()
    classes: dict[str, Counter[str]] = {}

    def add(split: Split) -> None:
        name = split.name or ""
        found.splits[name] = found.splits.get(name, 0) + len(split.images)
        labels.update(_labels(split, classes, report))
        found.images_on_disk += pictures.check_split(split, report, beside)

    beside: dict[Path, tuple[frozenset[str], set[str]]] = {}
    # No name here holds the last split: its records are gone before the collector would walk them.
    deque(map(add, by_split(layout.lists(root), found.problems.append, whole=whole)), maxlen=0)
    pictures.check_unlisted(beside, report)
    found.labels = {kind: labels[kind] for kind in sorted(labels)}
    if not found.splits:
        for name, paths in layout.loose_pictures(root).items():
            found.splits[name] = len(paths)
            found.images_on_disk += len(paths)
            for path in paths:
                pictures.check(path, None, None, f"{name}/{path.name}", report)
        for path in layout.packed_lists(root):
            report("packed-list", path.relative_to(root).as_posix(), "lists, but packed: unpack it where it lies")
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
    before: list[Tally] = []
    for part in split.parts:
        try:
            tally = count(part, split.images, before)
        except FormatError as error:
            if part.span is not None:
                # What lies behind may be broken, too: read whole, the file tells its first fault.
                raise UnevenError from error
            report("bad-file", part.path.name, str(error))
            continue
        tally.report(report)
        before.append(tally)
        for kind, (number_of, numbers) in tally.total().items():
            labels[kind] += number_of
            for number, times in numbers.items():
                classes.setdefault(kind, Counter())[part.name(number) or ""] += times
    return labels
