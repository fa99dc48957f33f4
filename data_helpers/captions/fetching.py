"""Fetch the small text files first, then single members of the one large archive by range, or the archive whole."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..cards import Card, File
from ..errors import UnknownNameError
from ..files import Part, Plan, fetch_parts, gated, make_plan, part_of
from ..files.plans import chosen_files
from ..files.progress import Progress, over
from ..samples import Selection
from .folder import Folder, Layout


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """How a dataset is fetched in part.

    Attributes
    ----------
    layout
        Its files.
    archive
        Name in the card of the one large archive; every other open file is small and comes first.
    kinds
        Label types that lie in the archive.
    members
        Members of the archive for one picture, with ``{stem}`` for its name without ``.jpg``.
    """

    layout: Layout
    archive: str
    kinds: tuple[str, ...]
    members: tuple[str, ...]


def plan(card: Card, want: Selection, root: Path, route: Route) -> Plan:
    """Plan the text files, and what is wanted of the archive.

    Raises
    ------
    UnknownNameError
        A split or label type that the dataset has not.
    GatedError
        Only the owners hand out what is wanted.
    """
    wanted = [file for file in chosen_files(card, want) if want.label_types is not None]
    if wanted and all(file.gated for file in wanted):
        raise gated(card, "what you asked for has no open address", wanted)
    result = make_plan(card, _texts(card, want, route), root)
    result.gated = [file.name for file in card.files if file.gated]
    if not _wants_archive(card, want, route):
        return result
    if _whole(want):
        more = make_plan(card, [_archive(card, route)], root)
    elif result.parts:
        # The lists that name the pictures are not there yet.
        result.pictures = _count(card, want)
        result.bytes += result.pictures * _mean(card)
        result.exact = False
        result.notes.append(
            f"A picture is counted as {_mean(card):,} bytes; the remote archive's directory adds to it."
        )
        return result
    else:
        more = make_plan(card, _members(card, want, root, route), root)
    result.parts += more.parts
    result.bytes += more.bytes
    result.present += more.present
    result.exact = result.exact and more.exact
    return result


def fetch(
    card: Card, want: Selection, root: Path, route: Route, *, max_bytes: int | None, progress: bool | None
) -> None:
    """Fetch what `plan` tells; the same pictures for the same seed whatever is on disk.

    Raises
    ------
    BudgetError
        More than ``max_bytes``; nothing was moved.
    NetworkError, ChecksumError, ArchiveError, StorageError
        As for `data_helpers.files.fetch_parts`.
    """
    first = plan(card, want, root, route)
    if max_bytes is not None and first.bytes > max_bytes:
        raise over(card.stem, first.bytes, max_bytes, f"{first.pictures:,} pictures among them")
    meter = Progress(card.stem, 0, max_bytes, progress)
    try:
        fetch_parts(_texts(card, want, route), root, max_bytes=max_bytes, name=card.stem, meter=meter)
        if _wants_archive(card, want, route):
            parts = [_archive(card, route)] if _whole(want) else _members(card, want, root, route)
            fetch_parts(parts, root, max_bytes=max_bytes, name=card.stem, meter=meter)
    finally:
        meter.end()


def _file(card: Card, route: Route) -> File:
    return next(file for file in card.files if file.name == route.archive)


def _texts(card: Card, want: Selection, route: Route) -> list[Part]:
    want.names("split", dict.fromkeys(split for file in card.files for split in file.splits))
    parts = [part_of(file) for file in card.files if file.urls and file.name != route.archive]
    guess = card.extra.get("text_bytes_about")
    return [
        msgspec.structs.replace(part, bytes=int(guess), estimated=True) if part.bytes is None and guess else part
        for part in parts
    ]


def _wants_archive(card: Card, want: Selection, route: Route) -> bool:
    kinds = want.names("label_types", dict.fromkeys(kind for file in card.files for kind in file.label_types))
    return kinds is None or bool(set(kinds) & set(route.kinds))


def _whole(want: Selection) -> bool:
    """Whether the archive is wanted whole; what has a class is known only when it is read."""
    return want.classes is not None or (want.max_samples is None and want.image_ids is None and want.split is None)


def _archive(card: Card, route: Route) -> Part:
    part = part_of(_file(card, route))
    if part.bytes is not None or "archive_bytes_about" not in card.extra:
        return part
    return msgspec.structs.replace(part, bytes=int(card.extra["archive_bytes_about"]), estimated=True)


def _mean(card: Card) -> int:
    return int(card.extra["picture_bytes_mean"])


def _count(card: Card, want: Selection) -> int:
    splits = want.names("split", dict.fromkeys(split for file in card.files for split in file.splits))
    facts = [card.facts.get(f"{split}_images") for split in splits or ("train", "dev", "val", "test")]
    known = sum(fact.value for fact in facts if fact is not None and isinstance(fact.value, int))
    limits = [known] if known else []
    limits += [want.max_samples] if want.max_samples is not None else []
    limits += [len(want.image_ids)] if want.image_ids is not None else []
    return min(limits, default=0)


def _members(card: Card, want: Selection, root: Path, route: Route) -> list[Part]:
    file = _file(card, route)
    folder = Folder(root, route.layout)
    known = {name for listed, _ in folder.order() for name in (listed, Path(listed).stem)}
    if lost := [str(one) for one in want.image_ids or () if str(one) not in known]:
        some = ", ".join(lost[:20]) + (f" and {len(lost) - 20:,} more" if len(lost) > 20 else "")
        raise UnknownNameError(f"image_ids: {card.title} names no picture {some}. Check the ids.")
    chosen = dict.fromkeys(name for name, _ in folder.select(want))
    stems = [Path(name).stem for name in chosen if route.layout.name.fullmatch(name)]
    each = _mean(card) // len(route.members)
    members = [pattern.format(stem=stem) for stem in stems for pattern in route.members]
    return [
        Part(name=member, urls=tuple(file.urls), member=member, whole=file.bytes, bytes=each, estimated=True)
        for member in members
    ]
