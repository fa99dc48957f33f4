"""One split of a COCO folder: its lists together, and its pictures on disk."""

from __future__ import annotations

import contextlib
import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from operator import attrgetter
from pathlib import Path
from typing import Any

from ..errors import FormatError
from ..samples import Problem, Sample
from . import layout
from .decoding import quiet_collector
from .parts import Part, open_list
from .records import Annotation, Category, Licence, Picture

Licences = dict[int | None, tuple[str | None, dict[str, Any]]]
PAGE = "https://www.flickr.com/photo.gne?id="


class Split:
    """All that the lists of one split say, and where its pictures lie."""

    def __init__(self, name: str | None, parts: Sequence[Part]) -> None:
        self.name = name
        # People stand in the keypoint list and in the instance list: the latter is read first, to find them again.
        self.parts = sorted(parts, key=lambda part: (part.points, part.results))
        self.results = all(part.results for part in parts)
        self.images: dict[int, Picture] = {}
        known: dict[int, Licence] = {}
        for part in self.parts:
            known = {**part.licences, **known}
        self.licences = licences(known)
        # Lists that were put together by hand may number their licences differently: a picture keeps its own list's.
        self.own_licences: dict[int, Licences] = {}
        for part in self.parts:
            own = licences(known | part.licences) if not part.licences.items() <= known.items() else None
            for image in part.images:
                old = self.images.get(image.id)
                if old is None or not old.file_name:
                    self.images[image.id] = image
                    if own:
                        self.own_licences[image.id] = own
                    elif old is not None:
                        self.own_licences.pop(image.id, None)
        self.base = layout.base_of(self.parts[0].path)
        self.folder, self.names = layout.picture_folder(self.base, name, map(file_name, self.images.values()))
        self.credits = read_credits(self.base)

    def image(self, picture: Picture) -> Path | None:
        """Return the file of a picture, or None where it is not on disk."""
        name = file_name(picture)
        if name in self.names:
            return self.folder / name
        if "/" not in name and "\\" not in name:
            return None
        # Label Studio and others write the file names of Windows.
        inner = Path(name.replace("\\", "/"))
        if len(inner.parts) > 1 and ".." not in inner.parts and not inner.is_absolute():
            with contextlib.suppress(OSError):
                return next((path for top in (self.folder, self.base) if (path := top / inner).is_file()), None)
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
        notes = part.annotations
        names = {number: part.name(number) for number in set(map(attrgetter("category_id"), notes))}
        for note in notes:
            note.label = names[note.category_id]
        grouped: dict[int, list[Annotation]] = {image.id: [] for image in part.images}
        owners = map(grouped.get, map(attrgetter("image_id"), notes), repeat([]))
        # A million records: this loop runs in C.
        deque(map(list.append, owners, notes), maxlen=0)
        for note in part.annotations if part.panoptic else ():
            for segment in note.segments_info or ():
                segment.label = part.name(segment.category_id)
        return grouped

    def sample(self, picture: Picture, groups: dict[str, dict[int, list[Annotation]]]) -> Sample:
        """Build one sample."""
        number, flickr, coco = picture.id, picture.flickr_url, picture.coco_url
        labels: dict[str, Sequence[Any]] = {kind: group[number] for kind, group in groups.items() if number in group}
        known = self.own_licences.get(number, self.licences)
        licence, extra = known.get(picture.license) or (None, {"license": picture.license})
        extra = {"file_name": picture.file_name or "", **extra}
        if flickr:
            extra["flickr_url"] = flickr
        if coco:
            extra["coco_url"] = coco
        if "panoptic" in labels and (note := next(iter(labels["panoptic"]), None)):
            extra["panoptic_png"] = self.panoptic_png(note)
        photo = flickr_id(flickr) if flickr else None
        image = self.image(picture)
        row = self.credits.get(image.relative_to(self.base).as_posix(), {}) if image and self.credits else {}
        return Sample(
            id=number,
            image=image,
            width=picture.width,
            height=picture.height,
            split=self.name,
            labels=labels,
            licence=row.get("licence") or licence,
            credit=row.get("credit") or (f"Flickr photo {photo}, author not named in COCO's files" if photo else None),
            source_url=row.get("source") or (PAGE + photo if photo else coco or None),
            extra=extra,
        )

    def panoptic_png(self, note: Annotation) -> Path | None:
        """Return the map of a panoptic record: it lies in a folder named like its list."""
        name = note.file_name or ""
        if name != Path(name).name:
            return None
        tried = [part.path.with_suffix("") / name for part in self.parts if part.panoptic]
        return next((path for path in tried if path.is_file()), None)


def flickr_id(address: str) -> str | None:
    """Return the photo's id in a Flickr picture's address, ``.../7866247804_e0486b75b8_z.jpg``."""
    number = address.rpartition("/")[2].partition("_")[0]
    return number if number.isdecimal() else None


def file_name(picture: Picture) -> str:
    """Return a picture's file name; where a list has none (LVIS), the end of its COCO address."""
    return picture.file_name or (picture.coco_url or "").rpartition("/")[2]


def licences(known: Mapping[int, Licence]) -> Licences:
    """Return by the number that pictures give: the licence's short name, and what a sample carries of it besides."""
    found: Licences = {None: (None, {})}
    for number, licence in known.items():
        address = {"licence_url": licence.url} if licence.url else {}
        found[number] = short_licence(licence), {"license": number, **address}
    return found


def short_licence(licence: Licence) -> str | None:
    """Return ``CC BY-NC 2.0`` for a Creative Commons address, else the licence's own name."""
    found = re.search(r"creativecommons\.org/licenses/([a-z-]+)/([\d.]+)", licence.url or "")
    return f"CC {found[1].upper()} {found[2]}" if found else licence.name or None


def read_credits(base: Path) -> dict[str, dict[str, str]]:
    """Return a miniature's credits by file."""
    path = base / "CREDITS.tsv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["file"]: row for row in csv.DictReader(lines, delimiter="\t") if row.get("file")}


def by_split(
    paths: Sequence[Path], report: Callable[[Problem], Any] | None = None, *, whole: bool = True
) -> Iterator[Split]:
    """Read lists and merge them, one split at a time, so that one split at a time is in memory.

    Without ``report`` a broken file raises; with it, it is told as a problem and the others are read. Large lists'
    records come in pieces where they need not be kept ``whole``.
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
        found = _open(chosen, report, whole)
        categories.update((one.id, one) for part in found if isinstance(part, list) for one in part)
        return [part for part in found if isinstance(part, Part)]

    # A list whose name has no word for a split belongs to the one that has just its pictures.
    groups: dict[str, list[Part]] = {}
    for part in opened(vague):
        split = part.split or part.path.stem
        same = (name for name, group in groups.items() if group[0].ids == part.ids)
        groups.setdefault(split if split in groups else next(same, split), []).append(part)
    groups = {min((part.split or part.path.stem for part in group), key=len): group for group in groups.values()}
    for split in sorted((split for split in named if layout.SPLIT.fullmatch(split)), key=layout.order):
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


def _open(paths: Sequence[Path], report: Callable[[Problem], Any] | None, whole: bool) -> list[Part | list[Category]]:
    opened: list[Part | list[Category]] = []
    for path in paths:
        try:
            found = open_list(path, whole=whole)
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
