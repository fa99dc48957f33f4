"""Build the book strictly into ``_build/html``; an unchanged second call only says that it is up to date.

``make book`` calls it. Sphinx reads again only the pages whose sources changed; it starts from nothing in CI, after a
failed build, and when the frame, the extensions, the package's code or the locks changed, since pages depend on those
without saying so.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]
# What the whole book stands on: a change here means building from nothing.
FRAME = (
    "_config.yml",
    "_toc.yml",
    "_ext/**/*.py",
    "_templates/**/*",
    "_static/**/*",
    "locks/book.txt",
    "data_helpers/**/*.py",
)
# What single pages are made of: Sphinx finds the pages concerned by itself.
PAGES = ("index.md", "chapters/**/*", "notebooks/**/*", "quizzes/*.toml", "datasheets/*.toml", "course.toml",
         "references.bib", "CITATION.cff", "data_helpers/cards/**/*",
         "data_helpers/miniatures/*.zip", "README.md", "CONTRIBUTING.md", "tools/build.py")  # fmt: skip


def files(patterns: tuple[str, ...]) -> Iterator[Path]:
    """The files of some patterns, in a fixed order, without caches and checkpoints."""
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            hidden = any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(ROOT).parts)
            if path.is_file() and not hidden:
                yield path


def stamp(patterns: tuple[str, ...]) -> str:
    """A hash over names and bytes of the files, and over what is set from outside."""
    digest = hashlib.sha256()
    for path in files(patterns):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    for name in ("BOOK_BASE_URL", "BOOK_REPOSITORY", "BOOK_BRANCH", "BOOK_EDITION"):
        digest.update(f"{name}={os.environ.get(name, '')}".encode())
    return digest.hexdigest()


def build(output: Path, *, clean: bool, strict: bool) -> int:
    """Build below ``output`` and return the program's status."""
    output.mkdir(parents=True, exist_ok=True)
    # Two builds into one folder would tread on each other.
    with FileLock(output / ".build.lock"):
        html, marks = output / "html", [output / ".frame", output / ".pages"]
        now = [stamp(FRAME), stamp(PAGES)]
        before = [mark.read_text() if mark.is_file() else "" for mark in marks]
        if not clean and before == now and (html / "index.html").is_file():
            print(f"The book is up to date: {html / 'index.html'}")
            return 0
        clean = clean or before[0] != now[0]
        for mark in marks:
            mark.unlink(missing_ok=True)
        if clean:
            for name in ("html", ".doctrees", "jupyter_execute"):
                shutil.rmtree(output / name, ignore_errors=True)
        started = time.monotonic()
        options = ["-W", "-n", "--keep-going"] if strict else []
        environment = {**os.environ, "PYTHONWARNINGS": "ignore::DeprecationWarning"}
        command = [
            sys.executable,
            "-c",
            "from jupyter_book.cli.main import main; main()",
            "build",
            str(ROOT),
            "--path-output",
            str(output.parent),
            "-q",
            *options,
        ]
        status = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode
        if status or not (html / "index.html").is_file():
            # Else a page whose warning failed this build would not be read, and not warn, in the next one.
            shutil.rmtree(output / ".doctrees", ignore_errors=True)
            print("The build failed; every warning above is an error.", file=sys.stderr)
            return status or 1
        for mark, value in zip(marks, now, strict=True):
            mark.write_text(value)
        pages = sum(1 for _ in html.rglob("*.html"))
        print(f"{pages} pages in {time.monotonic() - started:.1f} s. Open {html / 'index.html'}")
        return 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT, help="folder that gets _build (default: the project)")
    parser.add_argument("--clean", action="store_true", default=bool(os.environ.get("CI")), help="start from nothing")
    parser.add_argument("--loose", action="store_true", help="warnings are no errors: for a look at a draft")
    arguments = parser.parse_args()
    return build(arguments.output.resolve() / "_build", clean=arguments.clean, strict=not arguments.loose)


if __name__ == "__main__":
    raise SystemExit(main())
