"""Fill build/bundle for a USB stick: the site, the notebooks, the wheels, and a script that starts from them.

A laptop without any network, but with Python 3.11, 3.12 or 3.13, reads the book from ``site/index.html`` and runs the
notebooks on the miniatures after ``start.sh`` (``start.bat`` on Windows). FiftyOne's App is not in it: its database
does not come as a wheel for every system; notebooks say so in a line and go on with the gallery.

Wheels are fetched by pip at the versions of locks/all.txt, and each is checked against the lock's hashes.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import learner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LINUX = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014", "linux")
SYSTEMS = {
    "linux": [f"{tag}_x86_64" for tag in LINUX],
    "windows": ["win_amd64"],
    "mac-arm": [
        "macosx_14_0_arm64",
        "macosx_12_0_arm64",
        "macosx_11_0_arm64",
        *(UNIVERSAL := ["macosx_11_0_universal2"]),
    ],
    "mac-intel": ["macosx_13_0_x86_64", "macosx_10_15_x86_64", "macosx_10_9_x86_64", *UNIVERSAL],
}
MARKERS = {
    "linux": ("posix", "linux", "Linux", "x86_64"),
    "windows": ("nt", "win32", "Windows", "AMD64"),
    "mac-arm": ("posix", "darwin", "Darwin", "arm64"),
    "mac-intel": ("posix", "darwin", "Darwin", "x86_64"),
}
# For Macs with Intel processors some packages of the lock publish no wheels any more: ask for them by name, and see.
USUAL = [system for system in SYSTEMS if system != "mac-intel"]
WANTED = ("jupyterlab", "matplotlib")

START_SH = """#!/bin/sh
# Makes an environment beside this script, from the wheels here alone, and opens the notebooks.
cd "$(dirname "$0")" || exit 1
for python in python3.13 python3.12 python3.11 python3 python; do
  "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break
  python=
done
[ -n "$python" ] || { echo "This needs Python 3.11, 3.12 or 3.13."; exit 1; }
[ -x .venv/bin/jupyter ] || {
  "$python" -m venv .venv &&
  .venv/bin/python -m pip install --quiet --no-index --find-links wheels "image-datasets-book[show]" jupyterlab
} || exit 1
DATA_HELPERS_HOME="$PWD/.cache"; DATA_HELPERS_OFFLINE=1; export DATA_HELPERS_HOME DATA_HELPERS_OFFLINE
[ "$#" -gt 0 ] || set -- -m jupyterlab notebooks/coco.ipynb
exec .venv/bin/python "$@"
"""
START_BAT = """@echo off
rem Makes an environment beside this script, from the wheels here alone, and opens the notebooks.
cd /d "%~dp0"
if not exist .venv\\Scripts\\jupyter.exe (
  py -3 -m venv .venv || python -m venv .venv || exit /b 1
  .venv\\Scripts\\python -m pip install -q --no-index --find-links wheels "image-datasets-book[show]" jupyterlab
  if errorlevel 1 exit /b 1
)
set DATA_HELPERS_HOME=%CD%\\.cache
set DATA_HELPERS_OFFLINE=1
.venv\\Scripts\\python -m jupyterlab notebooks\\coco.ipynb
"""
READ_ME = """Image Datasets for Deep Learning, for a machine without a network

Read:  open site/index.html in any browser.
Run:   needs Python 3.11, 3.12 or 3.13. On Linux and macOS: sh start.sh. On Windows: start.bat.
       The first start makes an environment from the wheels here (a minute), the next ones are quick.
       Notebooks run on the miniatures inside the package. FiftyOne's App is not in this bundle; where it would
       open, a line says so and the notebook goes on.
       These run:   {runs}
       These need packages that are not here, and are for reading:   {rest}
Teach: learner/ holds the notebooks without solutions; site/chapters/teaching.html is the plan of a course.

Wheels for: {systems}; Python {pythons}.
"""


def lock() -> tuple[list[Requirement], set[str]]:
    """Pins of locks/all.txt, and all its hashes."""
    text = (ROOT / "locks" / "all.txt").read_text(encoding="utf-8")
    pins = [Requirement(line.rstrip(" \\")) for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    return pins, set(re.findall(r"sha256:([0-9a-f]{64})", text))


def needed(system: str, python: str) -> list[str]:
    """Pins of what the notebooks need there: walked from the installed packages' own requirements.

    pip would judge markers by the Python that runs it, not by the one that is asked for.
    """
    os_name, sys_platform, platform_system, machine = MARKERS[system]
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": platform_system,
        "platform_machine": machine,
    }
    pins = {
        canonicalize_name(pin.name): f"{pin.name}{pin.specifier}"
        for pin in lock()[0]
        if pin.marker is None or pin.marker.evaluate(environment)
    }
    queue = [Requirement("image-datasets-book[show]"), *map(Requirement, WANTED)]
    seen: set[tuple[str, str]] = set()
    found: set[str] = set()
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            if name in pins:
                found.add(pins[name])
            try:
                texts = importlib.metadata.requires(requirement.name) or []
            except importlib.metadata.PackageNotFoundError:
                continue  # wanted on another system alone: none of those needs more
            for one in map(Requirement, texts):
                if one.marker is None or one.marker.evaluate({**environment, "extra": extra}):
                    queue.append(one)
    return sorted(found)


def wheels(folder: Path, systems: list[str], pythons: list[str]) -> int:
    """Fetch the wheels for each system and Python; return their number."""
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, ROOT], check=True)
    # What setuptools leaves behind would slip into the next wheel.
    for left in (ROOT / "build" / "lib", *(ROOT / "build").glob("bdist.*")):
        shutil.rmtree(left, ignore_errors=True)
    own = next(folder.glob("image_datasets_book-*.whl"))
    for system in systems:
        tags = [part for tag in SYSTEMS[system] for part in ("--platform", tag)]
        for python in pythons:
            print(f"wheels for {system}, Python {python} ...", flush=True)
            target = ["--python-version", python, "--implementation", "cp", "--only-binary=:all:", *tags]
            subprocess.run([*pip, "download", "--no-deps", "-d", folder, *target, *needed(system, python)], check=True)
    hashes = lock()[1]
    for wheel in folder.glob("*.whl"):
        if wheel != own and hashlib.sha256(wheel.read_bytes()).hexdigest() not in hashes:
            raise SystemExit(f"{wheel.name}: locks/all.txt names no such file. Delete build/bundle and try again.")
    return len(list(folder.glob("*.whl")))


def provided(folder: Path) -> set[str]:
    """Names of the modules that the wheels hold."""
    names: set[str] = set()
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            names |= {re.split(r"[/.]", name)[0] for name in archive.namelist()}
    return names


def imports(notebook: Path) -> set[str]:
    """Names of what a notebook asks for: modules that it imports, and extras that its first cell installs."""
    found: set[str] = set()
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        asked = re.search(r"image-datasets-book\[([a-z, ]+)\]", "".join(cell["source"]))
        found |= {f"[{extra.strip()}]" for extra in asked.group(1).split(",")} if asked else set()
        lines = [line for line in cell["source"] if not line.lstrip().startswith(("!", "%"))]
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:
            continue  # the cell that installs on Colab
        tried = {id(node) for one in ast.walk(tree) if isinstance(one, ast.Try) for node in ast.walk(one)}
        for node in ast.walk(tree):
            if id(node) in tried:
                continue  # the notebook goes on without it
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found


def main() -> int:
    """Fill the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=USUAL)
    parser.add_argument("--python", nargs="+", default=["3.11", "3.12", "3.13"], help="Python versions")
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bundle")
    arguments = parser.parse_args()
    if not (arguments.site / "index.html").is_file():
        print(f"{arguments.site}: no built book there. Run make book first.", file=sys.stderr)
        return 1
    output: Path = arguments.output
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    shutil.copytree(arguments.site, output / "site")
    ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
    shutil.copytree(ROOT / "notebooks", output / "notebooks", ignore=ignored)
    learner.strip_all(ROOT / "notebooks", output / "learner")
    for name in ("LICENSE", "LICENSE-TEXT", "CITATION.cff"):
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, output / name)
    count = wheels(output / "wheels", arguments.systems, arguments.python)
    (output / "start.sh").write_text(START_SH, encoding="utf-8")
    (output / "start.sh").chmod(0o755)
    (output / "start.bat").write_text(START_BAT.replace("\n", "\r\n"), encoding="utf-8", newline="")
    there = provided(output / "wheels") | set(sys.stdlib_module_names)
    # Without FiftyOne a notebook goes on; what it needs of [notebooks] are the modules that it imports.
    there |= {"fiftyone", "[app]", "[show]", "[notebooks]"}
    runs = {path.stem: imports(path) <= there for path in sorted((output / "notebooks").glob("*.ipynb"))}
    text = READ_ME.format(
        runs=", ".join(name for name, fits in runs.items() if fits),
        rest=", ".join(name for name, fits in runs.items() if not fits) or "none",
        systems=", ".join(arguments.systems),
        pythons=", ".join(arguments.python),
    )
    (output / "READ-ME.txt").write_text(text, encoding="utf-8")
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    print(f"{count} wheels, {size / 1e6:.0f} MB: {output}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
