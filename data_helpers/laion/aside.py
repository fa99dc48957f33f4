"""Keep engines that talk off the caller's stdout and stderr, their child processes included."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def aside(progress: bool) -> Iterator[None]:
    """Send what is written meanwhile to stderr, or to nowhere; stdout is the caller's."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(2 if progress else nowhere, 1)
        if progress:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        else:
            os.dup2(nowhere, 2)
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                yield
    finally:
        for old, number in zip(kept, (1, 2), strict=True):
            os.dup2(old, number)
            os.close(old)
        os.close(nowhere)
