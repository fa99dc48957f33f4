"""The work of a fetch: many small files at once, large ones in turn, archives unpacked, all of it recorded."""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import ArchiveError, BudgetError, DataError, NetworkError, StorageError
from ..remote import NoRanges, RemoteZip, Stopped, Wanted, to_file, to_memory
from ..remote.kinds import ending
from ..remote.sinks import storage
from ..remote.web import is_signed
from .archives import extract
from .ledger import Entry, Ledger
from .plans import Part
from .progress import Progress, room

WORKERS = 16
SMALL = 4_000_000
"""Files of at most so many bytes go through memory, many at a time."""


def make(root: Path) -> None:
    """Make a folder, or say why it cannot be written to."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage(root, error) from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise StorageError(f"{root}: you may not write there. Choose another folder with root or DATA_HELPERS_HOME.")


def aside(target: Path) -> Path | None:
    """Keep a file that is in the way and is not the published one, it may be the reader's work; say where."""
    if not target.is_file():
        return None
    place = next(
        place for n in itertools.count(1) if not (place := target.with_name(f"{target.name}.altered-{n}")).exists()
    )
    target.replace(place)
    return place


def unpack(archive: Path, root: Path, folder: str) -> dict[str, int]:
    """Unpack an archive into a folder below the root; return names below the root and sizes."""
    prefix = "" if folder in ("", ".") else folder.strip("/") + "/"
    return {prefix + name: count for name, count in extract(archive, root / folder).items()}


class Run:
    """One call of `fetch_parts`."""

    def __init__(self, ledger: Ledger, meter: Progress) -> None:
        self.ledger, self.meter = ledger, meter
        self.added: dict[str, Entry] = {}
        self.failed: list[tuple[str, DataError]] = []
        self._lock = threading.Lock()

    def run(self, parts: Sequence[Part]) -> None:
        """Fetch all of them; what came is recorded even where another fails."""
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
        data, hashes = to_memory(part.source, self.meter)
        work = target.with_name(f".{target.name}.part")
        try:
            self._aside(target)
            try:
                work.write_bytes(data)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                work.write_bytes(data)
            work.replace(target)
        except OSError as error:
            raise storage(target, error) from error
        self._done(part, target, hashes)

    def _large(self, part: Part) -> None:
        target = part.target(self.ledger.root)
        make(target.parent)
        if not (part.unpack is not None and target.is_file() and self._kept(part, target)):
            self._aside(target)
            self._estimate_ends(part)
            self._done(part, target, to_file(part.source, target, self.meter))
        if part.unpack is not None:
            self.meter.say(f"Unpacking {part.name} ...") if (part.bytes or 0) > 50_000_000 else None
            entry = self.added.get(part.name) or self.ledger.entries[part.name]
            try:
                entry.unpacked = unpack(target, self.ledger.root, part.unpack)
            except ArchiveError:
                if not part.source.verified:
                    # Nobody vouched for these bytes: the next call must not find them again.
                    target.unlink(missing_ok=True)
                    self.added.pop(part.name, None)
                raise
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
                make(target.parent)
                self._aside(target)
                wanted[target] = (part, Wanted(member, target))
            # Packed bytes are counted by the meter; what comes out of them needs room as well.
            room(root, sum(one.member.size for _, one in wanted.values()), todo[0].source.name)
            groups = archive.groups([one for _, one in wanted.values()])

            def task(group: Sequence[Wanted]) -> None:
                for path, (_, sha256) in archive.fetch(group).items():
                    self._done(wanted[path][0], path, {"sha256": sha256})

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
        target = archive.target(self.ledger.root)
        make(target.parent)
        if not target.is_file():
            to_file(archive.source, target, self.meter)
        names = {part.member or part.name: part for part in parts}
        made = extract(target, self.ledger.root, only=set(names))
        for name in made:
            part = next(part for wish, part in names.items() if name == wish or name.endswith("/" + wish))
            place = self.ledger.root / name
            if place != part.target(self.ledger.root):
                make(part.target(self.ledger.root).parent)
                place.replace(part.target(self.ledger.root))
            self._done(part, part.target(self.ledger.root), {})

    def _aside(self, target: Path) -> None:
        if kept := aside(target):
            self.meter.say(f"{target.name}: not the published file; kept as {kept.name}.")

    def _done(self, part: Part, target: Path, hashes: dict[str, str]) -> None:
        # A signed link is nobody's to keep: it is not recorded, and what came by it is not laid out for others.
        url = "" if is_signed(part.urls[0]) else part.urls[0].split("?")[0]
        entry = self.ledger.entry(target, hashes, url, part.member or "")
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
