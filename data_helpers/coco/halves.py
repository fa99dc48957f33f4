"""A large list is counted by two processes from both its ends: decoding holds the one lock that Python has."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import chain, takewhile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from .columns import Numbers
from .decoding import Span, UnevenError, find_records, load, pieces, quiet_collector, spans
from .layout import split_of
from .parts import KINDS, Part
from .records import Picture
from .tally import ORDER, Tally

WORTH = 1 << 27
"""Bytes of records from which on a second process saves more than its start takes."""
UNIT = 1 << 22
"""Bytes of records that a process takes up at a time."""
PROGRAM = "from data_helpers.coco import halves; halves.main()"


class Found(msgspec.Struct):
    """What the second process sends: the state of its tally."""

    units: int
    kinds: list[bool]
    counts: dict[str, int]
    classes: dict[str, list[tuple[int | None, int]]]
    problems: dict[str, list[tuple[str, str]]]
    images: bytes
    ids: bytes


def count(part: Part, images: dict[int, Picture], before: Sequence[Tally]) -> Tally:
    """Count one list of a split; ``before`` are those of its other lists that were counted already.

    Raises
    ------
    FormatError
        A number of more than 64 bits.
    UnevenError
        The list cannot be read in pieces.
    """
    if part.span is None:
        tally = Tally(part, images, before)
        tally.take(part.annotations)
    else:
        data = load(part.path)
        # People of a keypoint list are looked up in what this process has counted.
        alone = part.span[1] - part.span[0] < WORTH or part.panoptic or bool(part.points and before)
        # The other process knows the pictures of this list alone.
        alone = alone or len(images) != len(part.images) or any(images.get(one.id) is not one for one in part.images)
        units = list(spans(data, part.span, UNIT))
        with _Helper(part.path, None if alone else part.span) as helper:
            tally = Tally(part, images, before)
            done = 0
            for unit in takewhile(helper.leaves, units):
                tally.take_pieces(pieces(data, unit))
                done += 1
            if not helper.add_to(tally, len(units) - done):
                tally.take_pieces(chain.from_iterable(pieces(data, unit) for unit in units[done:]))
    tally.close()
    return tally


def claim(folder: str, unit: Span) -> bool:
    """Take up a unit, unless the other process has: of two that make the same file one fails."""
    try:
        Path(folder, str(unit[0])).touch(exist_ok=False)
    except OSError:
        return False
    return True


class _Helper:
    """A process that counts a list from its end, unit by unit, until it meets this one; on leaving it is gone."""

    def __init__(self, path: Path, span: Span | None) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.folder: tempfile.TemporaryDirectory[str] | None = None
        self.started = time.monotonic()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        # In a frozen program sys.executable is that program. -P: no module of the folder we happen to be in is taken.
        if span is None or cores < 2 or not sys.executable or getattr(sys, "frozen", False):
            return
        home = str(Path(__file__).resolve().parents[2])
        path_of = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        # It multiplies no matrices: threads for that, at their start, would take this process's processor.
        env = {**os.environ, "PYTHONPATH": path_of, "OPENBLAS_NUM_THREADS": "1"}
        silent = subprocess.DEVNULL
        try:
            self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            told = map(str, (path.absolute(), *span, UNIT, self.folder.name))
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", PROGRAM, *told],
                stdin=silent,
                stdout=subprocess.PIPE,
                stderr=silent,
                env=env,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:
            return

    def __enter__(self) -> _Helper:
        return self

    def __exit__(self, *_: Any) -> None:
        if self.process is not None:
            with self.process:
                self.process.kill()
        if self.folder is not None:
            self.folder.cleanup()

    def leaves(self, unit: Span) -> bool:
        """Tell whether a unit is this process's to count."""
        return self.process is None or self.folder is None or claim(self.folder.name, unit)

    def add_to(self, tally: Tally, units: int) -> bool:
        """Add what the process found in the last units; False, and nothing added, where it has not counted them."""
        if self.process is None or not units:
            return not units
        try:
            # It takes about as long as this one; one that hangs is not waited for.
            told = self.process.communicate(timeout=60 + 3 * (time.monotonic() - self.started))[0]
            found = msgspec.msgpack.decode(told, type=Found)
        except (subprocess.TimeoutExpired, msgspec.DecodeError):
            return False
        kinds = dict(zip(KINDS, found.kinds, strict=True))
        alike = all(kinds[kind] == getattr(tally.part, kind) for kind in ("captions", "panoptic", "points"))
        if found.units != units or not alike:
            return False
        part = tally.part
        part.boxed, part.boxes = part.boxed and kinds["boxed"], part.boxes or kinds["boxes"]
        part.bare = part.bare or kinds["bare"]
        tally.counts.update(found.counts)
        for kind, numbers in found.classes.items():
            tally.classes[kind].update(dict(numbers))
        for kind, problems in found.problems.items():
            tally.problems[kind] += problems
        tally.columns.append((np.frombuffer(found.images, np.int64), np.frombuffer(found.ids, np.int64)))
        return True


def main() -> None:
    """Count a list from its end, as the command line says, and write what was found; nothing where that cannot be."""
    path, span, size, folder = Path(sys.argv[1]), (int(sys.argv[2]), int(sys.argv[3])), int(sys.argv[4]), sys.argv[5]
    data = load(path)
    rest = find_records(data)
    if rest is None or rest[1] != span:
        return
    part = Part(path, rest[0], split_of(path), results=False, text=False, span=span)
    tally = Tally(part, {image.id: image for image in part.images}, ())
    done: list[tuple[dict[str, list[tuple[str, str]]], list[tuple[Numbers, Numbers]]]] = []
    with quiet_collector():
        for unit in reversed(list(spans(data, span, size))):
            if not claim(folder, unit):
                break
            before = len(tally.columns)
            try:
                tally.take_pieces(pieces(data, unit))
            except UnevenError:
                return
            done.insert(0, (tally.problems, tally.columns[before:]))
            tally.problems = {kind: [] for kind in ORDER}
    if not done:
        return
    problems = {kind: list(chain.from_iterable(told[kind] for told, _ in done)) for kind in ORDER}
    columns = zip(*chain.from_iterable(numbers for _, numbers in done), strict=True)
    images, ids = (np.concatenate(numbers).tobytes() for numbers in columns)
    kinds = [getattr(part, kind) for kind in KINDS]
    classes = {kind: list(numbers.items()) for kind, numbers in tally.classes.items()}
    found = Found(len(done), kinds, tally.counts, classes, problems, images, ids)
    sys.stdout.buffer.write(msgspec.msgpack.encode(found))
    sys.stdout.flush()
    # Taking down what was counted takes longer than telling it.
    os._exit(0)
