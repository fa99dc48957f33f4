"""Run notebooks on their miniatures and store the outputs: ``python tools/refresh.py notebooks/coco.ipynb ...``.

Each notebook runs top to bottom in a fresh kernel, with a throw-away database and without any of the reader's own
``DATA_HELPERS_ROOT_...``; cells tagged ``nbval-skip`` are left alone. Outputs are stripped of what changes from run to
run, and a hash of the code cells goes into the notebook's metadata, so that a test can tell at once that a cell was
changed and not run. A notebook that breaks a rule of `problems` is not stored.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

# The scripts of this folder find each other also when a test loads one of them.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import database

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 500_000
GALLERY_LIMIT = 200_000
KEPT_TAGS = "tags"

# Folders that a machine's own paths begin with; what a notebook prints must be true on every machine.
_PATH = re.compile(
    r"(?<![\w.:/~<>-])/(?:home|Users|root|tmp|work|var|mnt|private|opt|usr|content|srv|data|__w|github)/\w"
    r"|\b[A-Z]:\\+\w|file:/"
)
_PROGRESS = re.compile(r"\r(?!\n)|\d+%\|[█▏▎▍▌▋▊▉ #|]|\bit/s\b|elapsed < remaining|[━█]{5}")
_DATA = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]+")
_CODE = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)|<[^>]+>|https?://\S+|\$[^$]*\$", re.S)
# Three digits and more, which are no year and no part of a name such as val2017 or ISO-8601.
_NUMBER = re.compile(
    r"(?<![\w.,-])(?!(?:19|20)\d\d\b(?!,\d))\d{1,3}(?:,\d{3})+|(?<![\w.,-])(?!(?:19|20)\d\d\b)\d{3,}(?!\w)"
)
_MYST = re.compile(r"(?m)^\s*(?:```|:::+)\s*\{|\{[a-z:-]+\}`")


def code_hash(book: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a notebook's code cells, tags included: what its outputs depend on."""
    digest = hashlib.sha256()
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            digest.update(cell["source"].strip().encode())
            digest.update(b"\0" + ",".join(sorted(tags(cell))).encode() + b"\0")
    return digest.hexdigest()


def tags(cell: Mapping[str, Any]) -> list[str]:
    """Return a cell's tags."""
    return list(cell["metadata"].get("tags", []))


def run(
    book: nbformat.NotebookNode,
    folder: Path,
    *,
    env: Mapping[str, str],
    timeout: int = 600,
    keep_going: bool = False,
) -> None:
    """Execute a notebook in place, in a fresh kernel, leaving out the cells tagged ``nbval-skip``.

    Parameters
    ----------
    book
        The notebook; its outputs are replaced.
    folder
        Where the kernel starts: the notebook's own folder.
    env
        Environment of the kernel; see `clean_environment`.
    timeout
        Seconds one cell may take.
    keep_going
        Go on after a cell that raises.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell raised.
    """
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        book,
        kernel_name="python3",
        timeout=timeout,
        resources={"metadata": {"path": str(folder)}},
        skip_cells_with_tag="nbval-skip",
        allow_errors=keep_going,
        record_timing=False,
        coalesce_streams=True,
    )
    client.execute(env=dict(env), cleanup_kc=True)


def clean_environment(scratch: Path) -> dict[str, str]:
    """Return an environment that is the same for every reader: the miniature, no mirror, a throw-away database."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DATA_HELPERS_") or name in ("DATA_HELPERS_HOME", "DATA_HELPERS_REAL")
    }
    kept["FIFTYONE_DATABASE_DIR"] = str(scratch / "database")
    # The checkout this script stands in, whatever copy of the package is installed.
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH")]))
    return kept | {
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
        "FIFTYONE_DATASET_ZOO_DIR": str(scratch / "zoo"),
        "MPLBACKEND": "agg",
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "OMP_NUM_THREADS": "1",
    }


def clean(book: nbformat.NotebookNode) -> None:
    """Strip what changes from run to run, and stamp the notebook with the hash of its code."""
    for cell in book.cells:
        cell.metadata = {KEPT_TAGS: tags(cell)} if tags(cell) else {}
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = {
                    kind: dict(sorted(values.items()))
                    for kind, values in sorted(output.metadata.items())
                    if kind.startswith("image/")
                }
            data = output.get("data", {})
            data.pop("application/vnd.jupyter.widget-view+json", None)
    book.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "book": {"code": code_hash(book)},
        }
    )
    book.nbformat, book.nbformat_minor = 4, 5


def problems(book: Mapping[str, Any], path: Path, size: int) -> list[str]:
    """Return what a notebook breaks of the book's rules; the tests call this too.

    Parameters
    ----------
    book
        The notebook.
    path
        Its file, against whose folder pictures in Markdown are looked up.
    size
        Its size on disk in bytes.
    """
    found = [*_grammar(book), *_prose(book, path)]
    if size > LIMIT:
        found.append(f"{size:,} bytes: at most {LIMIT:,}. Show fewer or smaller pictures.")
    if book["metadata"].get("book", {}).get("code") != code_hash(book):
        found.append("its code changed since its outputs were stored: run `python tools/refresh.py` on it")
    if "widgets" in book["metadata"]:
        found.append("widget state is stored")
    count = 0
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            name = cell.get("id", "?")
            if "nbval-skip" in tags(cell):
                if cell["outputs"]:
                    found.append(f"cell {name}: skipped by the tests, so it may not hold outputs")
            else:
                count += 1
                if cell["execution_count"] != count:
                    found.append(f"cell {name}: not executed in order ({cell['execution_count']} instead of {count})")
            if _PATH.search(cell["source"]):
                found.append(f"cell {name}: its source holds an absolute path")
            if cell["source"].rstrip().endswith(";"):
                found.append(f"cell {name}: ends in a semicolon, which does not hide a value from the comparison")
            found += [f"cell {name}: {problem}" for output in cell["outputs"] for problem in _output(output)]
    return found


def _output(output: Mapping[str, Any]) -> Iterator[str]:
    kind = output["output_type"]
    if kind == "error":
        yield f"raised {output['ename']}: {output['evalue']}"
        return
    if kind == "stream" and output["name"] == "stderr":
        yield f"wrote to stderr, which changes with every library: {output['text'].strip()[:200]!r}"
    data = {"text/plain": output["text"]} if kind == "stream" else output["data"]
    for mime, value in data.items():
        if mime.startswith("image/") and mime != "image/svg+xml":
            if not output.get("metadata", {}).get(mime, {}).get("alt"):
                yield f"its {mime} has no alternative text: show it with show.Picture(figure, alt=..., table=...)"
            continue
        if not isinstance(value, str):
            yield f"output of type {mime}"
            continue
        text = _DATA.sub("data:", value)
        if path := _PATH.search(text):
            yield f"an absolute path in its output: {text[max(0, path.start() - 20) : path.end() + 40]!r}"
        if "<iframe" in text.lower():
            yield "an iframe in its output"
        if _PROGRESS.search(text):
            yield "a progress bar in its output"
        if re.search(r"\bat 0x[0-9a-f]{6,}", text):
            yield "an object's address in its output"
        if mime == "text/html":
            if len(value) > GALLERY_LIMIT * 4 // 3:
                yield f"{len(value):,} characters of HTML: a gallery stays under {GALLERY_LIMIT:,} bytes"
            for image in re.findall(r"<img\b[^>]*>", text):
                if not re.search(r"\balt=[\"'][^\"']", image):
                    yield f"a picture without alternative text: {image[:120]}"


def _grammar(book: Mapping[str, Any]) -> Iterator[str]:
    cells = book["cells"]
    names = [cell.get("id", "") for cell in cells]
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or re.fullmatch(r"[0-9a-f]{8}", name):
            yield f"cell {name!r}: needs a readable id in lower case, such as class-balance"
        if names.count(name) > 1:
            yield f"cell {name!r}: its id is used twice"
    if names[:3] != ["contract", "setup", "root"]:
        yield f"the first cells are {names[:3]}: expected contract, setup, root"
        return
    contract, setup, root = cells[:3]
    if contract["cell_type"] != "markdown" or not contract["source"].startswith("# "):
        yield "cell contract: expected Markdown that begins with the title"
    for word in ("learn", "level", "minutes", "memory", "disk", "bytes"):
        if word not in contract["source"].lower():
            yield f"cell contract: does not tell {word!r} (what you will learn, level, minutes, memory, disk, bytes)"
    if not {"nbval-skip", "remove-cell"} <= set(tags(setup)):
        yield "cell setup: expected the tags nbval-skip and remove-cell"
    if not re.match(r"(?:#.*\n|\n|(?:from|import) .*\n)*ROOT = None\b.*#", root["source"]):
        yield "cell root: expected ROOT = None and a comment that tells the other choices"
    if names[-1] != "next" or cells[-1]["cell_type"] != "markdown":
        yield "the last cell is not the Markdown cell 'next'"
    exercises = [number for number, name in enumerate(names) if re.fullmatch(r"exercise-\d+", name)]
    if "saw" not in names or not exercises or names.index("saw") > exercises[0]:
        yield "expected the cell 'saw' (what you saw), then at least one exercise"
        return
    if [names[number] for number in exercises] != [f"exercise-{number + 1}" for number in range(len(exercises))]:
        yield "exercises are not numbered from 1"
    for number, cell in enumerate(cells):
        name, own = names[number], set(tags(cell))
        solution = "solution" in own
        if number in exercises and (cell["cell_type"] != "markdown" or "solution" not in tags(cells[number + 1])):
            yield f"cell {name}: an exercise is Markdown, followed by code cells tagged solution, hide-cell"
        if solution and ("hide-cell" not in own or cell["cell_type"] != "code" or number < exercises[0]):
            yield f"cell {name}: a solution is a code cell behind its exercise, tagged solution and hide-cell"
        if exercises[0] < number < len(cells) - 1 and cell["cell_type"] == "code" and not solution:
            yield f"cell {name}: code behind an exercise is its solution: tag it solution, hide-cell"
        if cell["cell_type"] == "code" and re.search(
            r"(?m)^\s*(?:\w+ = )?(?:\w+\.)*(?:explore|launch_app)\(", cell["source"]
        ):
            if "nbval-skip" not in own:
                yield f"cell {name}: opens the App, so it needs the tag nbval-skip"
            if "(figures/" not in "".join(one["source"] for one in cells[number + 1 : number + 2]):
                yield f"cell {name}: opens the App, so the next cell shows its picture from figures/"


def _prose(book: Mapping[str, Any], path: Path) -> Iterator[str]:
    for cell in book["cells"]:
        if cell["cell_type"] != "markdown":
            continue
        name, text = cell.get("id", "?"), cell["source"]
        if found := _MYST.search(text):
            yield f"cell {name}: {found.group(0).strip()!r} is raw text in Lab, Colab and on GitHub: use plain Markdown"
        if found := _NUMBER.search(_CODE.sub(" ", text)):
            yield f"cell {name}: the number {found.group(0)} in prose: let a cell print it from card()"
        for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)", text):
            if not alt.strip():
                yield f"cell {name}: {target} has no alternative text"
            if not (path.parent / target).is_file():
                yield f"cell {name}: {target} is not there: make screenshots"


def refresh(path: Path, database: str | None = None) -> list[str]:
    """Run one notebook and store it; return its problems, in which case the file stays as it was.

    ``database`` is the address of a MongoDB server for FiftyOne.
    """
    book = nbformat.read(path, as_version=4)
    try:
        with tempfile.TemporaryDirectory(prefix="book-notebook-", ignore_cleanup_errors=True) as scratch:
            env = clean_environment(Path(scratch))
            if database is not None:
                name = re.sub(r"\W", "_", path.stem)[:40]
                env |= {"FIFTYONE_DATABASE_URI": database, "FIFTYONE_DATABASE_NAME": f"refresh_{name}"}
            run(book, path.parent, env=env)
    except CellExecutionError as error:
        return [re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()[-3000:]]
    clean(book)
    nbformat.validate(book)
    text = nbformat.writes(book) + "\n"
    if found := problems(book, path, len(text.encode())):
        return found
    work = path.with_suffix(".ipynb.part")
    work.write_text(text, encoding="utf-8")
    work.replace(path)
    return []


def main(arguments: list[str] | None = None) -> int:
    """Refresh the notebooks that the command line names."""
    parser = argparse.ArgumentParser(description="Run notebooks on their miniatures and store the outputs.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all")
    parser.add_argument("--check", action="store_true", help="only tell what breaks a rule; run nothing")
    options = parser.parse_args(arguments)
    failed = False
    with contextlib.ExitStack() as stack:
        uri = None
        if not options.check and database.executable():
            uri = stack.enter_context(database.server())
        for path in options.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")):
            start = time.perf_counter()
            if options.check:
                found = problems(nbformat.read(path, as_version=4), path, path.stat().st_size)
            else:
                found = refresh(path, uri)
            failed |= bool(found)
            state = "not stored" if found and not options.check else f"{path.stat().st_size:,} bytes"
            print(f"{path.name}: {state}, {time.perf_counter() - start:.0f} s", flush=True)
            for problem in found:
                print(f"  - {problem}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
