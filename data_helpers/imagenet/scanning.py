"""Count a whole root and list what is wrong with it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from .. import cards
from ..samples import Problem, Scan
from . import lists
from .classes import by, numbering
from .reading import KINDS, Report, Root, published
from .walk import Group, named_wnid

FEW = 20
"""So many things of one kind are told one by one."""


def scan(root: Path) -> Scan:
    """Count a root and list its problems; opens every picture and annotation once, archives' headers only."""
    problems: list[Problem] = []
    told: set[Problem] = set()

    def report(kind: str, where: str, detail: str) -> None:
        if (problem := Problem(kind, where, detail)) not in told:
            told.add(problem)
            problems.append(problem)

    whole = Root(root, report)
    splits: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    classes: Counter[str] = Counter(dict.fromkeys(whole.listed, 0))
    there, absent, unlabelled, twice = 0, [], [], []
    seen: set[tuple[str | None, str]] = set()
    for group in whole.groups:
        if group.split:
            splits[group.split] += len(group.names)
        there += len(group.names) if group.folder or group.tar else 0
        if group.tar and group.wnid and not whole.found.annotations:
            # A million members of one class: nothing more is to be learnt from each.
            classes[group.wnid] += len(group.names)
            kinds["classes"] += len(group.names)
            continue
        for number in range(len(group.names)):
            stem = group.stem(number)
            where = _where(root, group, number)
            if (group.split, stem) in seen:
                twice.append(where)
            seen.add((group.split, stem))
            labels, note = whole.labels(group, stem, KINDS)
            kinds.update({kind: len(records) for kind, records in labels.items()})
            if labels.get("classes"):
                wnid = labels["classes"][0].label
                classes[wnid] += 1
                listed = whole.named.get(stem, ("", None))[1] or named_wnid(stem)
                if group.wnid and listed and listed != group.wnid:
                    report("other-label", where, f"lies in {group.wnid}, lists or its name say {listed}")
            elif group.split != "test" and (group.folder or group.tar):
                unlabelled.append(where)
            size = (note.width, note.height) if note else None
            _boxes(labels, size, f"{group.split or ''} {stem}".strip(), report)
            if group.folder:
                _picture(Path(group.folder, group.names[number]), where, size, report)
            elif not group.tar:
                absent.append(where)
    on_disk = {group.split for group in whole.groups if group.folder or group.tar}
    missing = [where for where in absent if where.partition(" ")[0] in on_disk]
    _tell("missing-picture", missing, "is named, and not there", report)
    strays = [Path(path).relative_to(root).as_posix() for path in whole.found.strays]
    _tell("stray-picture", strays, "no folder and no name says what it is; it is not counted", report)
    for tar in whole.tars:
        for kind, places, detail in (
            ("png-named-jpeg", tar.pngs, "is a PNG"),
            ("not-a-picture", tar.odd, "begins as no picture does"),
        ):
            _tell(kind, [f"{tar.path.name} {tar.name(place)}" for place in places.tolist()], detail, report)
        _tell("other-file", [f"{tar.path.name} {name}" for name in tar.others], "is no picture, not counted", report)
        for wnid, count in Counter(tar.groups).items():
            if count > 1:
                report("duplicate-id", f"{tar.path.name} {wnid}.tar", f"stands {count} times in the archive")
    _tell("unlabelled-picture", unlabelled, "no list and no folder gives its class", report)
    _tell("duplicate-id", twice, "another picture of this split has the same name", report)
    known = set(whole.words) | set(whole.listed)
    strange = sorted(wnid for wnid in classes if wnid not in by("wnid") and wnid not in known)
    _tell("unknown-wnid", strange, "is none of the thousand classes, and no list here names it", report)
    classes.update(dict.fromkeys(_checks(whole, report) - classes.keys(), 0))
    images = sum(len(group.names) for group in whole.groups)
    counted = {kind: kinds[kind] for kind in KINDS if kind in kinds}
    return Scan(
        images=images,
        images_on_disk=there,
        splits=dict(splits),
        labels=counted,
        classes=dict(classes),
        problems=problems,
    )


def _where(root: Path, group: Group, number: int) -> str:
    if group.folder:
        return Path(group.folder, group.names[number]).relative_to(root).as_posix()
    return f"{group.split or ''} {group.name(number)}".strip()


def _tell(kind: str, places: Iterable[str], detail: str, report: Report) -> None:
    """Report each place; where they are many, all of them in one entry."""
    places = list(places)
    if len(places) <= FEW:
        for place in places:
            report(kind, place, detail)
    else:
        report(kind, places[0], f"and {len(places) - 1:,} more ({', '.join(places[1:5])}, ...): each {detail}")


def _boxes(labels: dict[str, Sequence[Any]], size: tuple[int, int] | None, where: str, report: Report) -> None:
    classes, (right, bottom) = labels.get("classes"), size or (float("inf"), float("inf"))
    for box in labels.get("boxes", ()):
        x, y, width, height = box.bbox
        if width <= 0 or height <= 0:
            report("zero-area-box", where, f"width {width}, height {height}")
        if x < 0 or y < 0 or x + width > right or y + height > bottom:
            report("outside-box", where, f"{box.bbox} in a picture of {right}x{bottom}")
        if classes and box.label != classes[0].label:
            report("box-of-other-class", where, f"a box of {box.label}, the picture's class is {classes[0].label}")


def _picture(path: Path, where: str, size: tuple[int, int] | None, report: Report) -> None:
    """Look at a picture's header and its last bytes; only one without an end mark is decoded."""
    try:
        with Image.open(path) as picture:
            if picture.format != "JPEG" and path.suffix.lower() != ".png":
                report("png-named-jpeg" if picture.format == "PNG" else "other-format", where, f"is a {picture.format}")
            if picture.mode in ("L", "LA", "1", "I;16"):
                report("gray-picture", where, f"mode {picture.mode}: one channel, not three")
            elif picture.mode == "CMYK":
                report("cmyk-picture", where, "four channels: convert to RGB before use")
            if size and all(size) and picture.size != size:
                report(
                    "wrong-size", where, f"is {picture.width}x{picture.height}, its annotation says {size[0]}x{size[1]}"
                )
            if picture.format == "JPEG":
                with path.open("rb") as file:
                    file.seek(-2, 2)
                    whole = file.read() == b"\xff\xd9"
                if not whole:
                    picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        cut = "truncated" in str(error)
        report("cut-picture" if cut else "not-a-picture", where, "ends early" if cut else f"no picture: {error}")


def _checks(whole: Root, report: Report) -> set[str]:
    """Compare the lists of a root with the class table and with each other; return the classes that meta.mat names."""
    due = int(cards.parsed("imagenet").facts["val_images"].value)
    name = "ILSVRC2012_validation_ground_truth.txt"
    if len(whole.truth) == due:
        text = "".join(f"{value}\n" for value in whole.truth)
        if hashlib.sha256(text.encode()).hexdigest() != published(name):
            report("altered-list", name, f"{due:,} labels, but not the published ones")
    pictures = sum(len(g.names) for g in whole.groups if (g.folder or g.tar) and g.split == "val" and not g.base)
    if whole.truth and len(whole.truth) < pictures:
        report("wrong-length", name, f"{len(whole.truth):,} labels for {pictures:,} pictures")
    for path in whole.found.lists.get("index", []):
        order = whole._tried(lists.read_class_list, path, {})
        first = min(order.values(), default=0)
        if order and (numbering(list(order)) != "index" or first != 0):
            report("other-order", path.name, f"counts from {first} in the order {numbering(list(order))!r}; "
                   "the file that Keras has under this name counts from 0, wnids sorted")  # fmt: skip
    for path in whole.found.lists.get("map", []):
        for row in whole._tried(lists.read_map_clsloc, path, []):
            if row.wnid not in by("wnid"):
                report("unknown-wnid", f"{path.name} {row.wnid}", "is none of the thousand classes")
            if any(own.devkit != row.devkit for own in by("wnid").get(row.wnid, [])):
                report("other-number", f"{path.name} {row.wnid}", f"id {row.devkit}, the devkit's is "
                       f"{by('wnid')[row.wnid][0].devkit}")  # fmt: skip
    for path in whole.found.lists.get("is_a", []):
        whole._tried(lists.read_is_a, path, [])
    synsets = [row for path in whole.found.lists.get("meta", []) for row in whole._tried(lists.read_meta, path, [])]
    if whole.real and whole.truth and len(whole.real) != len(whole.truth):
        report("wrong-length", "real labels", f"{len(whole.real):,} pictures, the truth has {len(whole.truth):,}")
    return {row.WNID for row in synsets if row.num_children == 0}
