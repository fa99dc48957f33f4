"""What a stranger installs: the built wheel in an environment that holds what the wheel declares and nothing else.

Nothing is downloaded. The environment begins empty, gets links to the declared requirements and theirs (found in this
machine's environment by their metadata), and then pip itself installs the wheel into it and resolves: a requirement
that is used but not declared is not there, one that is declared but not met is refused.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from data_helpers import list_datasets

from .conftest import REPOSITORY

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows lets only administrators make links")
# Formats that need a library of their own to be read: MATLAB's files and Parquet.
EXTRAS = {"imagenet": "imagenet", "laion": "laion"}
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT", "data_helpers")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what it is made of, so that nothing is left behind in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            (folder / "source").mkdir(exist_ok=True)
            shutil.copy(source, folder / "source" / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run([*command, "-w", folder, folder / "source"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = folder.glob("*.whl")
    return found


def requirements(texts: Iterable[str], extras: Iterable[str]) -> set[str]:
    """Names of the distributions that some requirements bring, their own requirements included."""
    queue = [(Requirement(text), tuple(extras)) for text in texts]
    seen: set[tuple[str, str]] = set()
    while queue:
        requirement, given = queue.pop()
        if requirement.marker and not any(requirement.marker.evaluate({"extra": one}) for one in ("", *given)):
            continue
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            # What names itself with other extras (the distribution under test) is already walked.
            if (name, extra) in seen or name == "image-datasets-book":
                continue
            seen.add((name, extra))
            try:
                below = importlib.metadata.requires(name) or []
            except importlib.metadata.PackageNotFoundError:
                continue
            queue += [(Requirement(text), (extra,)) for text in below]
    return {name for name, _ in seen}


def environment(folder: Path, wheel: Path, extras: list[str], tools: list[str]) -> Path:
    """Make an environment of the wheel with extras, and of tools beside it; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python3*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        declared = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    for name in requirements(declared, extras) | requirements(tools, ()):
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # pip says below whether it is needed here
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            link, target = site / top, Path(str(distribution.locate_file(top)))
            if not link.exists() and target.exists():
                link.symlink_to(target, target_is_directory=target.is_dir())
    # pip resolves here: whatever the wheel declares and the environment lacks is an error.
    wanted = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
    command = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index", "--no-compile", wanted]
    done = subprocess.run(command, capture_output=True, text=True, env=clean(folder), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return python


def clean(folder: Path, **more: str) -> dict[str, str]:
    """The variables of a reader's shell: none of this checkout's, a cache of its own, no network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DATA_HELPERS", "PIP"))}
    own = {
        "DATA_HELPERS_HOME": str(folder / "home"),
        "DATA_HELPERS_OFFLINE": "1",
        "IPYTHONDIR": str(folder / "ipython"),
    }
    return {**kept, **own, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **more}


@pytest.fixture(scope="module")
def core(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment as `pip install image-datasets-book` makes it."""
    return environment(tmp_path_factory.mktemp("core"), wheel, [], [])


def say(python: Path, *arguments: str | Path, status: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the environment's Python, far from the checkout."""
    folder = python.parents[1]
    done = subprocess.run(
        [python, *arguments], capture_output=True, text=True, cwd=folder, env=clean(folder, **more), check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_the_wheel_holds_the_package_whole_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        licences = {Path(name).name for name in archive.namelist() if "/licenses/" in name}
    package = REPOSITORY / "data_helpers"
    ours = {
        path.relative_to(REPOSITORY).as_posix()
        for pattern in ("**/*.py", "py.typed", "cards/*.toml", "cards/tables/*.csv", "miniatures/*.zip")
        for path in package.glob(pattern)
    }
    assert names == ours
    assert licences == {"LICENSE", "LICENSE-TEXT"}
    assert {f"data_helpers/miniatures/{stem}.zip" for stem in list_datasets()} <= names


def test_the_command_line_works_on_the_declared_requirements_alone(core: Path) -> None:
    where = Path(say(core, "-c", "import data_helpers; print(data_helpers.__file__)").stdout.strip())
    assert core.parents[1] in where.parents
    listed = json.loads(say(core, "-m", "data_helpers", "list", "--json").stdout)
    assert [one["stem"] for one in listed] == list_datasets()
    for stem in list_datasets():
        command = ("-m", "data_helpers", "summary", stem, "--json")
        if extra := EXTRAS.get(stem):
            refused = say(core, *command, status=1)
            assert f"pip install 'image-datasets-book[{extra}]'" in refused.stderr and not refused.stdout
            continue
        found = json.loads(say(core, *command).stdout)
        assert found["tier"] == "miniature" and found["problems"], stem
    lines = say(core, core.parent / "image-datasets", "read", "coco", "--max-samples", "3", "--json").stdout
    assert [bool(json.loads(line)["labels"]["boxes"]) for line in lines.splitlines()] == [True] * 3
    # What an extra brings is asked for by the line to type, not by a traceback.
    call = "d.to_fiftyone(d.read('coco'), 'x')"
    lacking = f"import data_helpers as d\ntry: {call}\nexcept d.DataError as error: print(error)"
    assert "image-datasets-book[app]" in say(core, "-c", lacking).stdout
    doctor = say(core, "-m", "data_helpers", "doctor")
    assert "Traceback" not in doctor.stdout + doctor.stderr


@pytest.fixture(scope="module")
def laboratory(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment as the first cell of a notebook on Colab makes it."""
    return environment(tmp_path_factory.mktemp("laboratory"), wheel, ["app", "show"], ["ipykernel", "nbclient"])


RUN = """
import json, sys
import nbformat
from nbclient import NotebookClient
book = nbformat.read(sys.argv[1], 4)
last = next(place for place, cell in enumerate(book.cells) if cell.id == sys.argv[2])
book.cells = book.cells[: last + 1]
NotebookClient(book, timeout=120, kernel_name="python3").execute()
print(json.dumps([sorted(output.get("data", {})) for output in book.cells[-1].outputs]))
"""


@pytest.mark.notebook
def test_a_notebook_runs_from_the_wheel(laboratory: Path, tmp_path: Path) -> None:
    copy = tmp_path / "lfw.ipynb"
    shutil.copy(REPOSITORY / "notebooks" / "lfw.ipynb", copy)
    said = say(laboratory, "-c", RUN, copy, "long-tail", MPLBACKEND="agg").stdout
    drawn: list[list[str]] = json.loads(said.splitlines()[-1])
    assert any("image/png" in kinds for kinds in drawn)


ZOO = """
import shutil, sys
import data_helpers
import fiftyone as fo
import fiftyone.zoo as foz
asked = []
def fetched(name, **options):
    asked.append((name, options["split"], options["max_samples"]))
    return shutil.copytree(data_helpers.miniature(name), options["root"], dirs_exist_ok=True)
data_helpers.fetch = fetched
dataset = foz.load_zoo_dataset(sys.argv[1], split="validation", max_samples=3, dataset_name="stranger", progress=False)
assert asked == [("coco", "val2017", 3)], asked
print("SAMPLES", len(dataset), dataset.count("boxes.detections") > 0)
"""


@pytest.mark.database
def test_fiftyone_takes_the_repository_as_a_zoo_source_beside_the_installed_wheel(
    laboratory: Path, tmp_path: Path
) -> None:
    """The archive holds what GitHub's would at its root, but no package: the installed one must serve."""
    from data_helpers.serve import Server

    (tmp_path / "site").mkdir()
    with zipfile.ZipFile(tmp_path / "site" / "book.zip", "w") as archive:
        for name in ("fiftyone.yml", "__init__.py"):
            archive.write(REPOSITORY / name, f"image-datasets-main/{name}")
    own: dict[str, Any] = {
        "FIFTYONE_DATABASE_DIR": str(tmp_path / "db"),
        "FIFTYONE_DATASET_ZOO_DIR": str(tmp_path / "zoo"),
    }
    with Server(tmp_path / "site") as server:
        said = say(laboratory, "-c", ZOO, f"{server.url}book.zip", **own).stdout
    assert said.splitlines()[-1] == "SAMPLES 3 True"
