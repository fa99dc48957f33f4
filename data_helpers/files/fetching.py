"""Plan by a card, and carry plans out within a budget."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..cards import Card
from ..samples import Selection
from .ledger import Ledger
from .plans import Part, Plan, chosen_files, gated, part_of, size, terms
from .progress import Progress, over
from .running import Run, make, room


def plan_card(card: Card, want: Selection, root: Path) -> Plan:
    """Plan to fetch a card's files whole, those of the wanted splits and label types.

    Raises
    ------
    GatedError
        Only the owners hand out all that is wanted; the message is the way to get it.
    """
    files = chosen_files(card, want)
    closed = [file for file in files if file.gated or not file.urls]
    if files and len(closed) == len(files):
        raise gated(card, "only the owners hand out what you asked for", closed)
    if not files:
        raise gated(card, "there is nothing to fetch")
    plan = make_plan(card, [part_of(file) for file in files if file not in closed], root)
    plan.gated = [file.name for file in closed]
    if want.max_samples is not None or want.classes is not None or want.image_ids is not None:
        plan.notes.append("Whole files are fetched; max_samples, classes and image_ids choose when they are read.")
    return plan


def make_plan(card: Card, parts: Sequence[Part], root: Path) -> Plan:
    """Put parts that are not there yet into a plan."""
    ledger = Ledger(root)
    lacking = [part for part in parts if not ledger.has(part)]
    return Plan(
        dataset=card.stem,
        root=str(root),
        parts=lacking,
        bytes=sum(part.bytes or 0 for part in lacking),
        exact=all(part.bytes is not None and not part.estimated for part in lacking),
        present=[part.name for part in parts if part not in lacking],
        terms=terms(card),
    )


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
    total = sum(part.bytes or 0 for part in lacking)
    before = meter.total if meter else 0
    if max_bytes is not None and before + total > max_bytes:
        largest = max(lacking, key=lambda part: part.bytes or 0)
        raise over(name, before + total, max_bytes, f"{largest.name} alone {size(largest.bytes)}")
    make(root)
    room(root, total, name)
    one = meter or Progress(name, 0, max_bytes, progress)
    one.max_bytes = max_bytes
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
