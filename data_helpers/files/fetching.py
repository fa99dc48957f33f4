"""Carry a plan out: many small files at once, large ones in turn, archives unpacked, all of it checked and recorded."""

from __future__ import annotations

import concurrent.futures
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..cards import Card
from ..errors import ArchiveError, BudgetError, DataError, NetworkError, StorageError
from ..remote import NoRanges, RemoteZip, Stopped, Wanted, to_file, to_memory
from ..remote.kinds import ending
from ..remote.sinks import storage
from ..samples import Selection
from .archives import extract
from .ledger import Entry, Ledger
from .plans import Part, Plan, chosen_files, gated, part_of, size, terms
from .progress import Progress, over

WORKERS = 16
SMALL = 4_000_000
"""Files of at most so many bytes go through memory, many at a time."""
ROOM = 50_000_000
"""Bytes that stay free on the disk."""


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
    _make(root)
    _room(root, total, name)
    one = meter or Progress(name, 0, max_bytes, progress)
    one.max_bytes = max_bytes
    one.total += total
    try:
        _Run(ledger, one).run(lacking)
    except BaseException as error:
        one.stop()
        if isinstance(error, KeyboardInterrupt):
            one.say(f"Stopped after {size(one.bytes)}. What has come is kept: the same call goes on from there.")
        raise
    finally:
        if meter is None:
            one.end()


def _make(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage(root, error) from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise StorageError(f"{root}: you may not write there. Choose another folder with root or DATA_HELPERS_HOME.")


def _room(root: Path, needed: int, name: str) -> None:
    free = shutil.disk_usage(root).free
    if needed + ROOM > free:
        raise BudgetError(
            f"{name}: needs {needed:,} bytes and {root} has {free:,} free. Free some room, or choose another folder."
        )


class _Run:
    """One call of `fetch_parts`."""

    def __init__(self, ledger: Ledger, meter: Progress) -> None:
        self.ledger, self.meter = ledger, meter
        self.added: dict[str, Entry] = {}
        self.failed: list[tuple[str, DataError]] = []
        self._lock = threading.Lock()

    def run(self, parts: Sequence[Part]) -> None:
        zipped: dict[tuple[str, ...], list[Part]] = {}
        single, large = [], []
        for part in parts:
            if part.member:
                zipped.setdefault(part.urls, []).append(part)
            elif part.unpack is None and _is_small(part):
                single.append(part)
            else:
                large.append(part)
        try:
            for group in zipped.values():
                self._members(group)
            if single:
                # One lock for all the small ones: a lock for each would cost more than the file.
                with self.ledger.lock("small"):
                    self.ledger.load()
                    todo = [part for part in single if not self.ledger.has(part)]
                    self._many([(part.name, lambda part=part: self._small(part)) for part in todo])  # type: ignore[misc]
            for part in large:
                with self.ledger.lock(part.name.replace("/", "-")):
                    self.ledger.load()
                    if not self.ledger.has(part):
                        self._large(part)
        finally:
            self.ledger.save(self.added)
        if self.failed:
            self._tell()

    def _many(self, tasks: Sequence[tuple[str, Callable[[], None]]]) -> None:
        """Do tasks in parallel. One that fails does not keep the others from coming; disk and budget stop all."""
        if len(tasks) == 1:
            return tasks[0][1]()
        with concurrent.futures.ThreadPoolExecutor(min(WORKERS, len(tasks)) or 1) as pool:
            futures = {pool.submit(task): name for name, task in tasks}
            try:
                for future in concurrent.futures.as_completed(futures):
                    try:
                        future.result()
                    except Stopped:
                        pass
                    except (StorageError, BudgetError):
                        raise
                    except DataError as error:
                        self.failed.append((futures[future], error))
            except BaseException:
                self.meter.stop()
                pool.shutdown(cancel_futures=True)
                raise

    def _small(self, part: Part) -> None:
        target = part.target(self.ledger.root)
        if target.is_dir():
            raise StorageError(f"{target}: a folder stands where the file should be. Move it away.")
        self._estimate_ends(part)
        data, sha256 = to_memory(part.source, self.meter)
        work = target.with_name(f".{target.name}.part")
        try:
            self._aside(target, part)
            try:
                work.write_bytes(data)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                work.write_bytes(data)
            work.replace(target)
        except OSError as error:
            raise storage(target, error) from error
        self._done(part, target, sha256)

    def _large(self, part: Part) -> None:
        target = part.target(self.ledger.root)
        _make(target.parent)
        if not (part.unpack is not None and target.is_file() and self._kept(part, target)):
            self._aside(target, part)
            self._estimate_ends(part)
            self._done(part, target, to_file(part.source, target, self.meter))
        if part.unpack is not None:
            self.meter.say(f"Unpacking {part.name} ...") if (part.bytes or 0) > 50_000_000 else None
            entry = self.added.get(part.name) or self.ledger.entries[part.name]
            try:
                entry.unpacked = extract(target, self.ledger.root / part.unpack)
            except ArchiveError:
                if not part.source.verified:
                    # Nobody vouched for these bytes: the next call must not find them again.
                    target.unlink(missing_ok=True)
                    self.added.pop(part.name, None)
                raise
            prefix = "" if part.unpack in ("", ".") else part.unpack.strip("/") + "/"
            entry.unpacked = {prefix + key: value for key, value in entry.unpacked.items()}
            with self._lock:
                self.added[part.name] = entry

    def _kept(self, part: Part, target: Path) -> bool:
        """Tell whether an archive from an earlier call is still good."""
        entry = self.ledger.entries.get(part.name)
        state = target.stat()
        return entry is not None and (entry.bytes, entry.changed) == (state.st_size, state.st_mtime_ns)

    def _members(self, parts: Sequence[Part]) -> None:
        root = self.ledger.root
        with self.ledger.lock("members"):
            self.ledger.load()
            todo = [part for part in parts if not self.ledger.has(part)]
            if not todo:
                return
            try:
                archive = RemoteZip(todo[0].source, self.meter)
            except NoRanges:
                self._whole_instead(todo)
                return
            wanted = {}
            for part in todo:
                target = part.target(root)
                member = archive.member(part.member or part.name)
                self._resize(part, member.span[1])
                _make(target.parent)
                self._aside(target, part)
                wanted[target] = (part, Wanted(member, target))
            groups = archive.groups([one for _, one in wanted.values()])

            def task(group: Sequence[Wanted]) -> None:
                for path, (_, sha256) in archive.fetch(group).items():
                    self._done(wanted[path][0], path, sha256)

            self._many([(group[0].member.name, lambda group=group: task(group)) for group in groups])  # type: ignore[misc]

    def _resize(self, part: Part, exact: int) -> None:
        """Put a member's true size in the place of its estimate; the budget is asked again."""
        self.meter.drop(part.bytes or 0)
        self.meter.expect(part.name, exact)

    def _estimate_ends(self, part: Part) -> None:
        """Take an estimate out of the total: the server's first answer puts the true size there."""
        if part.estimated:
            self.meter.drop(part.bytes or 0)

    def _whole_instead(self, parts: Sequence[Part]) -> None:
        """Take the whole archive where no mirror serves ranges, and keep from it what was asked for."""
        first = parts[0]
        archive = Part(name=first.source.name, urls=first.urls, bytes=first.whole, unpack=".")
        self.meter.say(f"{archive.name}: no mirror serves ranges; the whole archive comes instead.")
        self.meter.drop(sum(part.bytes or 0 for part in parts))
        if archive.bytes is not None:
            self.meter.expect(archive.name, archive.bytes)
            _room(self.ledger.root, archive.bytes, archive.name)
        target = archive.target(self.ledger.root)
        _make(target.parent)
        if not target.is_file():
            to_file(archive.source, target, self.meter)
        names = {part.member or part.name: part for part in parts}
        made = extract(target, self.ledger.root, only=set(names))
        for name in made:
            part = next(part for wish, part in names.items() if name == wish or name.endswith("/" + wish))
            place = self.ledger.root / name
            if place != part.target(self.ledger.root):
                _make(part.target(self.ledger.root).parent)
                place.replace(part.target(self.ledger.root))
            self._done(part, part.target(self.ledger.root), "")

    def _aside(self, target: Path, part: Part) -> None:
        """Keep a file that is in the way and is not the published one: it may be the reader's work."""
        if not target.is_file():
            return
        for number in range(1, 1000):
            place = target.with_name(f"{target.name}.altered-{number}")
            if not place.exists():
                target.replace(place)
                self.meter.say(f"{target.name}: not the published file; kept as {place.name}.")
                return

    def _done(self, part: Part, target: Path, sha256: str) -> None:
        entry = self.ledger.entry(target, sha256, part.urls[0], part.member or "")
        with self._lock:
            self.added[part.name] = entry

    def _tell(self) -> None:
        if len(self.failed) == 1:
            raise self.failed[0][1]
        lines = [f"  - {str(error).splitlines()[0]}" for _, error in self.failed[:5]]
        more = f"\n  ... and {len(self.failed) - 5:,} more" if len(self.failed) > 5 else ""
        first = str(self.failed[0][1])
        raise NetworkError(
            f"{len(self.failed):,} files could not be had; the others came.\n" + "\n".join(lines) + more + f"\n{first}"
        )


def _is_small(part: Part) -> bool:
    if part.bytes is not None:
        return part.bytes <= SMALL
    return ending(part.name) in (".jpg", ".jpeg", ".png")
