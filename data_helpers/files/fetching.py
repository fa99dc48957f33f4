"""Plan by a card, and carry plans out within a budget."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from ..cards import Card, File
from ..errors import BudgetError
from ..remote import Quiet, told_size
from ..samples import Selection
from .ledger import Ledger
from .plans import Part, Plan, chosen_files, gated, part_of, size, terms
from .progress import Progress, over, room
from .running import Run, make


def plan_card(card: Card, want: Selection, root: Path) -> Plan:
    """Plan to fetch a card's files whole, those of the wanted splits and label types.

    Files whose addresses are all dead, and other sizes of the same pictures, come only where they are named.

    Raises
    ------
    GatedError
        Only the owners hand out all that is wanted; the message is the way to get it.
    """
    files, notes = _sensible(card, want, chosen_files(card, want))
    closed = [file for file in files if file.gated or not file.urls]
    if files and len(closed) == len(files):
        raise gated(card, "what you asked for has no open address", closed)
    if not files:
        raise gated(card, "there is nothing to fetch")
    plan = make_plan(card, [part_of(file) for file in files if file not in closed], root)
    plan.gated = [file.name for file in closed]
    plan.notes += notes
    if want.max_samples is not None or want.classes is not None or want.image_ids is not None:
        plan.notes.append("Whole files are fetched; max_samples, classes and image_ids choose when they are read.")
    return plan


def _sensible(card: Card, want: Selection, files: list[File]) -> tuple[list[File], list[str]]:
    """Leave out what nobody asked for by name and would not expect; the notes say so."""
    kept, notes = [], []
    present = {file.name for file in files}
    for file in files:
        named = {"split": want.split is not None and file.splits, "label_types": want.label_types and file.label_types}
        word = "split" if file.splits else "label_types"
        ask = f'{word}="{(file.splits or file.label_types or [""])[0]}" asks for it'
        if file.variant_of in present and not named["split"]:
            notes.append(f"{file.name} ({size(file.bytes)}) is left out: {file.variant_of} is the usual file; {ask}.")
        elif file.status == "dead" and file.urls and not any(named.values()):
            notes.append(f"{file.name} is left out: no address of it answered in {file.verified}; {ask} all the same.")
        else:
            kept.append(file)
    # Where nothing else was chosen it is what the reader means.
    return (kept, notes) if kept else (files, [])


def make_plan(card: Card, parts: Sequence[Part], root: Path) -> Plan:
    """Put parts that are not there yet into a plan."""
    ledger = Ledger(root)
    lacking = [part for part in parts if not ledger.has(part)]
    return Plan(
        dataset=card.stem,
        root=str(root),
        parts=lacking,
        notes=_unknown(lacking),
        bytes=sum(part.bytes or 0 for part in lacking),
        exact=all(part.bytes is not None and not part.estimated for part in lacking),
        present=[part.name for part in parts if part not in lacking],
        terms=terms(card),
    )


def _unknown(parts: Sequence[Part]) -> list[str]:
    names = [part.name for part in parts if part.bytes is None]
    some = ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
    return [f"Nobody published the size of {some}: not counted here; max_bytes asks the server first."] if names else []


def fetch_card(card: Card, want: Selection, root: Path, *, max_bytes: int | None, progress: bool | None) -> None:
    """Fetch a card's files whole; errors as for `plan_card` and `fetch_parts`."""
    plan = plan_card(card, want, root)
    fetch_parts(plan.parts, root, max_bytes=max_bytes, progress=progress, name=card.stem)
    if plan.gated:
        print(
            f"{card.title}: {', '.join(plan.gated)} only from the owners: python -m data_helpers card {card.stem}",
            file=sys.stderr,
        )


def fetch_parts(
    parts: Iterable[Part],
    root: Path,
    *,
    max_bytes: int | None = None,
    progress: bool | None = None,
    name: str = "fetch",
    meter: Progress | None = None,
) -> None:
    """Fetch parts into a folder; those that are there are left as they are.

    Parameters
    ----------
    parts
        What to fetch.
    root
        The folder, made where it is not there.
    max_bytes
        Refuse to move more.
    progress
        True, False, or None for what takes long.
    name
        What to call it in messages.
    meter
        Count on an earlier call's meter.

    Raises
    ------
    BudgetError
        Over ``max_bytes``, or over the room on the disk; nothing was moved.
    NetworkError, ChecksumError, ArchiveError, StorageError
        A file could not be had or kept; the others were finished first where they are many.
    """
    wanted = list({part.name: part for part in parts}.values())
    ledger = Ledger(root)
    lacking = [part for part in wanted if not ledger.has(part)]
    if not lacking:
        return
    if max_bytes is not None:
        lacking = _sized(lacking)
    total = sum(part.bytes or 0 for part in lacking)
    before = meter.total if meter else 0
    if max_bytes is not None and before + total > max_bytes:
        largest = max(lacking, key=lambda part: part.bytes or 0)
        raise over(name, before + total, max_bytes, f"{largest.name} alone {size(largest.bytes)}")
    make(root)
    room(root, total, name)
    one = meter or Progress(name, 0, max_bytes, progress)
    one.max_bytes, one.root = max_bytes, root
    one.total += total
    try:
        Run(ledger, one).run(lacking)
    except BaseException as error:
        one.stop()
        if isinstance(error, KeyboardInterrupt):
            one.say(f"Stopped after {size(one.bytes)}. What has come is kept: the same call goes on from there.")
        raise
    finally:
        if meter is None:
            one.end()


def _sized(parts: Sequence[Part]) -> list[Part]:
    """Ask servers for the sizes that nobody published; a budget cannot be kept without them.

    Raises
    ------
    BudgetError
        No server tells the size of a file.
    """
    sized = []
    for part in parts:
        if part.bytes is None and not part.member:
            count = told_size(part.source, Quiet())
            if count is None:
                raise BudgetError(
                    f"{part.name}: neither its card nor a server tells its size, so max_bytes cannot be kept. "
                    "Nothing was moved. Leave max_bytes out, or choose other files."
                )
            part = msgspec.structs.replace(part, bytes=count, estimated=True)
        sized.append(part)
    return sized
