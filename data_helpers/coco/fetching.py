"""Fetch a part of COCO: single lists out of the remote archives, then just the pictures that are wanted.

A list (``instances_val2017.json``) is one member of a zip that holds six; it is taken by range. Pictures have an
address each, whose pattern stands in the card. Where a whole split is wanted, its archive is fetched instead.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from .. import cards
from ..cards import Card, File
from ..errors import UnknownNameError
from ..files import Ledger, Part, Plan, extract, fetch_parts, make_plan, part_of
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

    Where the lists are there already the pictures are named; else they are counted, at the card's mean size. Without
    a split, as many splits as it takes are gone through, in the order in which a reader goes through them.

    Raises
    ------
    UnknownNameError
        A split, label type, class or id that COCO has not.
    """
    _check_classes(card, want)
    needed, pictures = _choose(card, want, root)
    lists = _list_parts(card, want, needed)
    result = make_plan(card, [*lists, *_archives(card, want)], root)
    others = [split for split in _splits(card, want) if split not in needed]
    if want.split is None and others:
        result.notes.append(
            f"No split was named: {' and '.join(needed)} stands first in the order of reading, and others follow only "
            f"where it has too few; split={others[0]!r} chooses another."
        )
    if _whole(want):
        return result
    if pictures is None:
        mean = int(card.extra["picture_bytes_mean"])
        result.pictures = _count(card, want, needed)
        result.bytes += mean * result.pictures
        result.exact = False
        result.notes.append(f"A picture is counted as {mean:,} bytes, the mean of the dataset.")
        return result
    more = make_plan(card, [_picture_part(card, *one) for one in pictures], root)
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
    UnknownNameError
        As for `plan`; an id that no list names is told when the lists are there, before a picture moves.
    BudgetError
        More than ``max_bytes``; nothing was moved.
    NetworkError, ChecksumError, ArchiveError, StorageError
        As for `data_helpers.files.fetch_parts`.
    """
    first = plan(card, want, root)
    if max_bytes is not None and first.bytes > max_bytes:
        raise over(card.stem, first.bytes, max_bytes, f"{first.pictures:,} pictures among them")
    meter = Progress(card.stem, 0, max_bytes, progress)
    pictures: list[tuple[str, Picture]] | None = None
    try:
        for _ in (*_splits(card, want), ""):
            needed, pictures = _choose(card, want, root)
            lists = _list_parts(card, want, needed)
            fetch_parts(lists, root, max_bytes=max_bytes, name=card.stem, meter=meter)
            for part in lists:
                # The panoptic archive holds an archive for each split, beside its list.
                if part.name.endswith(".zip") and not (root / part.name).with_suffix("").is_dir():
                    extract(root / part.name, (root / part.name).parent)
            if pictures is not None:
                break
        parts = _archives(card, want) if _whole(want) else [_picture_part(card, *one) for one in pictures or ()]
        fetch_parts(parts, root, max_bytes=max_bytes, name=card.stem, meter=meter)
    finally:
        meter.end()


def _check_classes(card: Card, want: Selection) -> None:
    """Tell unknown classes before a list moves, by the card's own table of them."""
    kinds = {want.label_types} if isinstance(want.label_types, str) else set(want.label_types or ())
    name = f"{card.stem}-classes.csv"
    table = cards.HERE / "tables" / name
    if want.classes is not None and name in card.tables and table.is_file() and not kinds & {"stuff", "panoptic"}:
        with table.open(encoding="utf-8", newline="") as lines:
            want.names("classes", [row["name"] for row in csv.DictReader(lines)])


def _choose(card: Card, want: Selection, root: Path) -> tuple[list[str], list[tuple[str, Picture]] | None]:
    """Return the splits whose lists are needed, and the pictures they choose, or None while a list is not there.

    By the lists that the fetch itself brings, and by no other that may lie in the folder.
    """
    ledger = Ledger(root)
    stop = None if want.shuffle else want.max_samples
    named = None if want.image_ids is None else map(str, want.image_ids)
    unseen = None if named is None else {str(int(one)) if one.isdigit() else one for one in named}
    needed: list[str] = []
    pairs: list[tuple[str, Picture]] = []
    count, lacking = 0, False
    for split in _splits(card, want):
        # What a class or an id gives is known when the list is read: the next one comes only where that is too little.
        unsure = lacking and (stop is not None or unseen is not None) and bool(want.classes or want.image_ids)
        if needed and (unsure or (stop is not None and count >= stop) or unseen == set()):
            break
        needed.append(split)
        lists = _list_parts(card, want, [split])
        if not all(map(ledger.has, lists)):
            lacking = True
            count += _images(card, split)
            continue
        opened = _opened(want, [root / part.name for part in lists if part.name.endswith(".json")])
        if opened:
            found = reading.wanted(splits.Split(split, opened), want)
            pairs += [(split, picture) for picture in found]
            count += len(found)
        if unseen is not None:
            unseen -= {str(number) for part in opened for number in part.ids}
    else:
        if unseen and not lacking:
            listed = ", ".join(sorted(unseen)[:20]) + (f" and {len(unseen) - 20:,} more" if len(unseen) > 20 else "")
            raise UnknownNameError(
                f"image_ids: {listed} {'are' if len(unseen) > 1 else 'is'} in no list of {', '.join(needed)}. "
                "Check the ids, or name the split they belong to."
            )
    return needed, None if lacking else want.take(pairs)


def _opened(want: Selection, paths: Sequence[Path]) -> list[parts.Part]:
    if want.classes is not None:
        want.names("classes", dict.fromkeys(one.name for path in paths for one in parts.read_categories(path)))
    return [one for path in paths if isinstance(one := parts.open_list(path), parts.Part)]


def _whole(want: Selection) -> bool:
    return want.max_samples is None and want.classes is None and want.image_ids is None


def _splits(card: Card, want: Selection) -> list[str]:
    """Return the chosen splits, in the order in which a reader goes through them; older divisions only by name."""
    known = dict.fromkeys(split for file in card.files for split in file.splits)
    usual = {split for file in card.files if not file.variant_of for split in file.splits}
    return sorted(set(want.names("split", known) or usual), key=layout.order)


def _lists_of(card: Card, split: str) -> list[File]:
    return [file for file in card.files if split in file.splits and file.label_types]


def _list_parts(card: Card, want: Selection, chosen: Sequence[str]) -> list[Part]:
    """Return some splits' lists to fetch, each a member of an archive."""
    asked = want.names("label_types", dict.fromkeys(kind for file in card.files for kind in file.label_types))
    parts: dict[str, Part] = {}
    for split in chosen:
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


def _images(card: Card, split: str) -> int:
    fact = card.facts.get(f"{split}_images")
    return fact.value if fact is not None and isinstance(fact.value, int) else 0


def _count(card: Card, want: Selection, chosen: Sequence[str]) -> int:
    """Return how many pictures may come, before a list says it."""
    known = sum(_images(card, split) for split in chosen)
    limits = [known] if known else []
    limits += [want.max_samples] if want.max_samples is not None else []
    limits += [len(want.image_ids)] if want.image_ids is not None else []
    return min(limits, default=0)


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
