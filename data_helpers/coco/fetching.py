"""Fetch a part of COCO: single lists out of the remote archives, then just the pictures that are wanted.

A list (``instances_val2017.json``) is one member of a zip that holds six; it is taken by range. Pictures have an
address each, whose pattern stands in the card. Where a whole split is wanted, its archive is fetched instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..cards import Card, File
from ..files import Part, Plan, extract, fetch_parts, make_plan, part_of
from ..files.progress import Progress, over
from ..samples import Selection
from . import layout, parts, reading, splits
from .records import Picture

LISTS = {
    "boxes": "instances",
    "masks": "instances",
    "keypoints": "person_keypoints",
    "captions": "captions",
    "stuff": "stuff",
    "panoptic": "panoptic",
    "info": "image_info",
}


def plan(card: Card, want: Selection, root: Path) -> Plan:
    """Plan to fetch the wanted lists and pictures.

    Where the lists are there already the pictures are named; else they are counted, at the card's mean size.

    Raises
    ------
    UnknownNameError
        A split or label type that COCO has not.
    """
    lists = _list_parts(card, want)
    result = make_plan(card, [*lists, *_archives(card, want)], root)
    if _whole(want):
        return result
    lacking = {part.name for part in result.parts}
    mean = int(card.extra["picture_bytes_mean"])
    if any(part.name in lacking for part in lists):
        result.pictures = _count(card, want)
        result.bytes += mean * result.pictures
        result.exact = False
        result.notes.append(f"A picture is counted as {mean:,} bytes, the mean of the dataset.")
        return result
    more = make_plan(card, _picture_parts(card, want, root), root)
    result.parts += more.parts
    result.bytes += more.bytes
    result.present += more.present
    result.exact = result.exact and more.exact
    return result


def fetch(card: Card, want: Selection, root: Path, *, max_bytes: int | None, progress: bool | None) -> None:
    """Fetch the wanted lists, then the pictures they choose; the same ones for the same seed whatever is on disk.

    ``label_types`` left out means those of the split's first archive: boxes, masks, keypoints and captions. Choosing
    by ``classes`` needs the instances, which are then fetched too.

    Raises
    ------
    BudgetError
        More than ``max_bytes``; nothing was moved.
    NetworkError, ChecksumError, ArchiveError, StorageError
        As for `data_helpers.files.fetch_parts`.
    """
    first = plan(card, want, root)
    if max_bytes is not None and first.bytes > max_bytes:
        raise over(card.stem, first.bytes, max_bytes, f"{first.pictures:,} pictures among them")
    meter = Progress(card.stem, 0, max_bytes, progress)
    lists = _list_parts(card, want)
    try:
        fetch_parts(lists, root, max_bytes=max_bytes, name=card.stem, meter=meter)
        for part in lists:
            # The panoptic archive holds an archive for each split, beside its list.
            if part.name.endswith(".zip") and not (root / part.name).with_suffix("").is_dir():
                extract(root / part.name, (root / part.name).parent)
        pictures = _archives(card, want) if _whole(want) else _picture_parts(card, want, root)
        fetch_parts(pictures, root, max_bytes=max_bytes, name=card.stem, meter=meter)
    finally:
        meter.end()


def _whole(want: Selection) -> bool:
    return want.max_samples is None and want.classes is None and want.image_ids is None


def _splits(card: Card, want: Selection) -> list[str]:
    """Return the chosen splits, in the order in which a reader goes through them."""
    known = dict.fromkeys(split for file in card.files for split in file.splits)
    return sorted(set(want.names("split", known) or known), key=layout.order)


def _lists_of(card: Card, split: str) -> list[File]:
    return [file for file in card.files if split in file.splits and file.label_types]


def _list_parts(card: Card, want: Selection) -> list[Part]:
    """Return the lists to fetch, each a member of an archive."""
    asked = want.names("label_types", dict.fromkeys(kind for file in card.files for kind in file.label_types))
    parts: dict[str, Part] = {}
    for split in _splits(card, want):
        files = _lists_of(card, split)
        kinds = list(asked) if asked is not None else files[0].label_types if files else []
        if (want.classes is not None or not kinds) and files and not {"boxes", "masks"} & set(kinds):
            kinds = ["boxes" if "boxes" in files[0].label_types else files[0].label_types[0], *kinds]
        for file in files:
            for kind in file.label_types:
                if kind not in kinds:
                    continue
                names = [f"annotations/{LISTS[kind]}_{split}.json"]
                if kind == "panoptic":
                    names.append(f"annotations/{LISTS[kind]}_{split}.zip")
                for name in names:
                    parts[name] = Part(
                        name=name,
                        urls=tuple(file.urls),
                        member=name,
                        whole=file.bytes,
                        bytes=_share(card, file, split, name),
                        estimated=True,
                    )
    return list(parts.values())


def _share(card: Card, file: File, split: str, name: str) -> int | None:
    """Estimate a member's bytes by its split's share of the pictures; its archive's directory tells the true size."""
    if file.bytes is None:
        return None
    counts = {one: card.facts.get(f"{one}_images") for one in file.splits}
    sizes = {one: fact.value for one, fact in counts.items() if fact is not None and isinstance(fact.value, int)}
    share = sizes[split] / sum(sizes.values()) if len(sizes) == len(file.splits) else 1 / len(file.splits)
    shares = card.extra.get("list_shares", {})
    kinds = len({LISTS[kind] for kind in file.label_types})
    return int(file.bytes * share * shares.get(Path(name).name.rsplit("_", 1)[0], 1 / kinds))


def _archives(card: Card, want: Selection) -> list[Part]:
    """Return the archives of whole splits' pictures."""
    if not _whole(want):
        return []
    chosen = set(_splits(card, want))
    return [part_of(file) for file in card.files if not file.label_types and chosen & set(file.splits)]


def _count(card: Card, want: Selection) -> int:
    """Return how many pictures may come, before a list says it."""
    facts = [card.facts.get(f"{split}_images") for split in _splits(card, want)]
    known = sum(fact.value for fact in facts if fact is not None and isinstance(fact.value, int))
    limits = [known] if known else []
    limits += [want.max_samples] if want.max_samples is not None else []
    limits += [len(want.image_ids)] if want.image_ids is not None else []
    return min(limits, default=0)


def _picture_parts(card: Card, want: Selection, root: Path) -> list[Part]:
    """Choose pictures by the lists that the fetch itself brought, and by no other that may lie there."""
    by_split: dict[str, list[Path]] = {}
    for part in _list_parts(card, want):
        if part.name.endswith(".json"):
            by_split.setdefault(Path(part.name).stem.rsplit("_", 1)[1], []).append(root / part.name)
    pairs: list[tuple[str, Picture]] = []
    for split, paths in by_split.items():
        if want.classes is not None:
            known = dict.fromkeys(category.name for path in paths for category in parts.read_categories(path))
            want.names("classes", known)
        opened = [one for path in paths if isinstance(one := parts.open_list(path), parts.Part)]
        if opened:
            pairs += [(split, picture) for picture in reading.wanted(splits.Split(split, opened), want)]
    return [_picture_part(card, split, picture) for split, picture in want.take(pairs)]


def _picture_part(card: Card, split: str, picture: Picture) -> Part:
    patterns: str | Sequence[str] = card.extra["picture_url"]
    name = splits.file_name(picture)
    return Part(
        name=f"{split}/{name}",
        urls=tuple(
            pattern.format(split=split, file_name=name)
            for pattern in ([patterns] if isinstance(patterns, str) else patterns)
        ),
        bytes=int(card.extra["picture_bytes_mean"]),
        estimated=True,
    )
