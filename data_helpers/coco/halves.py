"""A large list is counted by two processes, each a part of it: decoding holds the one lock that Python has."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from .decoding import Span, UnevenError, cut, find_records, load, pieces, quiet_collector
from .layout import split_of
from .parts import KINDS, Part
from .records import Picture
from .tally import Tally

WORTH = 1 << 27
"""Bytes of records from which on a second process saves more than its start takes."""
LEAD = 80 << 20
"""Bytes of records that this process counts until the other one has started."""
PROGRAM = "from data_helpers.coco import halves; halves.main()"


class Found(msgspec.Struct):
    """What the second process sends: the state of its tally."""

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
        first, second = (part.span, None) if alone else cut(data, part.span, (sum(part.span) + LEAD) // 2)
        with _Helper(part.path, second) as helper:
            tally = Tally(part, images, before)
            for piece in pieces(data, first):
                tally.take_piece(piece)
            if second and not helper.add_to(tally):
                for piece in pieces(data, second):
                    tally.take_piece(piece)
    tally.close()
    return tally


class _Helper:
    """A process that counts a span of a list; on leaving it is gone."""

    def __init__(self, path: Path, span: Span | None) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.started = time.monotonic()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        # In a frozen program sys.executable is that program. -P: no module of the folder we happen to be in is taken.
        if span is None or cores < 2 or not sys.executable or getattr(sys, "frozen", False):
            return
        home = str(Path(__file__).resolve().parents[2])
        path_of = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        # It multiplies no matrices: threads for that, at their start, would take this process's processor.
        env = {**os.environ, "PYTHONPATH": path_of, "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-P", "-c", PROGRAM, str(path.absolute()), *map(str, span)]
        silent = subprocess.DEVNULL
        try:
            self.process = subprocess.Popen(
                command,
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

    def add_to(self, tally: Tally) -> bool:
        """Add what the process found; False, and nothing added, where it found that it cannot."""
        if self.process is None:
            return False
        try:
            # It takes about as long as this one; one that hangs is not waited for.
            told = self.process.communicate(timeout=60 + 3 * (time.monotonic() - self.started))[0]
            found = msgspec.msgpack.decode(told, type=Found)
        except (subprocess.TimeoutExpired, msgspec.DecodeError):
            return False
        kinds = dict(zip(KINDS, found.kinds, strict=True))
        if any(kinds[kind] != getattr(tally.part, kind) for kind in ("captions", "panoptic", "points")):
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
    """Count the span that the command line names, and write what was found; nothing where that cannot be done."""
    path, span = Path(sys.argv[1]), (int(sys.argv[2]), int(sys.argv[3]))
    data = load(path)
    rest = find_records(data)
    if rest is None or rest[1][1] != span[1]:
        return
    part = Part(path, rest[0], split_of(path), results=False, text=False, compact=True, span=span)
    tally = Tally(part, {image.id: image for image in part.images}, ())
    with quiet_collector():
        try:
            for piece in pieces(data, span):
                tally.take_piece(piece)
        except UnevenError:
            return
    images, ids = (np.concatenate(numbers).tobytes() for numbers in zip(*tally.columns, strict=True))
    kinds = [getattr(part, kind) for kind in KINDS]
    classes = {kind: list(numbers.items()) for kind, numbers in tally.classes.items()}
    found = Found(kinds, tally.counts, classes, tally.problems, images, ids)
    sys.stdout.buffer.write(msgspec.msgpack.encode(found))
