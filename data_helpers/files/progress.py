"""How a fetch is going: bytes, speed and time left, and a budget that is kept."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from pathlib import Path

from ..errors import BudgetError
from .plans import size

PLAIN_EVERY = 15.0
ROOM = 50_000_000
"""Bytes that stay free on the disk."""


class Progress:
    """Count what moves, show it on stderr, and refuse what is over the budget.

    Parameters
    ----------
    name
        What is fetched, for the line.
    total
        Bytes announced.
    max_bytes
        Refuse more than this; None for no limit.
    show
        True, False, or None to show only what takes longer than two seconds.
    """

    def __init__(self, name: str, total: int, max_bytes: int | None, show: bool | None) -> None:
        self.name, self.total, self.max_bytes, self.show = name, total, max_bytes, show
        self.bytes = 0
        self.root: Path | None = None
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        self._last = self._begun - PLAIN_EVERY + 1.0 if show else self._begun
        self._drawn = False
        self._stop = threading.Event()
        self._tty = sys.stderr.isatty()

    def expect(self, name: str, count: int) -> None:
        """Add bytes that nobody had announced.

        Raises
        ------
        BudgetError
            With them it would be more than ``max_bytes``, or than the disk has room for.
        """
        if self.root is not None:
            room(self.root, count, name)
        with self._lock:
            if self.max_bytes is not None and self.total + count > self.max_bytes:
                raise over(self.name, self.total + count, self.max_bytes, f"{name} alone is {count:,} bytes")
            self.total += count

    def drop(self, count: int) -> None:
        """Take bytes out of the announced total."""
        with self._lock:
            self.total -= count

    def moved(self, count: int) -> None:
        """Count bytes that came."""
        with self._lock:
            self.bytes += count
            if self.show is False:
                return
            now = time.monotonic()
            wait = 0.2 if self._tty else PLAIN_EVERY
            if (now - self._begun < 2.0 and not self.show) or now - self._last < wait:
                return
            self._last = now
            self._draw(now)

    def _draw(self, now: float) -> None:
        speed = self.bytes / max(0.001, now - self._begun)
        line = f"{self.name}: {size(self.bytes)} of {size(max(self.total, self.bytes))}, {size(int(speed))}/s"
        if speed and self.total > self.bytes:
            line += f", {_time((self.total - self.bytes) / speed)} left"
        if self._tty:
            print(f"\r{line:<78}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)
        self._drawn = True

    def say(self, text: str) -> None:
        """Print a note of its own line."""
        if self.show is not False:
            print(("\n" if self._drawn and self._tty else "") + text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Finish the line."""
        if self._drawn:
            self._draw(time.monotonic())
            if self._tty:
                print(file=sys.stderr)

    def stop(self) -> None:
        """Make all tries give up soon."""
        self._stop.set()

    def stopped(self) -> bool:
        """Tell whether to give up."""
        return self._stop.is_set()


def room(root: Path, needed: int, name: str) -> None:
    """Refuse what the disk has no room for."""
    free = shutil.disk_usage(root).free
    if needed + ROOM > free:
        raise BudgetError(
            f"{name}: needs {needed:,} bytes and {root} has {free:,} free. Free some room, or choose another folder."
        )


def over(name: str, needs: int, allowed: int, more: str = "") -> BudgetError:
    """Say by how much a fetch is over its budget."""
    because = f" ({more})" if more else ""
    return BudgetError(
        f"{name}: needs {needs:,} bytes{because}, more than max_bytes={allowed:,}. "
        "Choose less (split, max_samples, label_types), or raise max_bytes."
    )


def _time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
