"""Configuration that only somebody else's program reads: held to a schema here, since there a slip is found too late.

Jupyter Book, pre-commit and setuptools bring the schema of their own file; the others stand in tests/schemas.yml.
"""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from .conftest import REPOSITORY


class Plain(yaml.SafeLoader):
    """YAML as GitHub reads it: `on` is a word, and so is a date."""


Plain.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in pairs if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    ]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Plain.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))

SCHEMAS: dict[str, Any] = yaml.load((REPOSITORY / "tests" / "schemas.yml").read_text("utf-8"), Plain)
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
FILES = {
    **{path.relative_to(REPOSITORY).as_posix(): "workflow" for path in WORKFLOWS},
    ".github/dependabot.yml": "dependabot",
    "CITATION.cff": "citation",
    "fiftyone.yml": "zoo",
    "_toc.yml": "toc",
    "_config.yml": "config",
}


def load(name: str) -> Any:
    return yaml.load((REPOSITORY / name).read_text(encoding="utf-8"), Plain)


def faults(schema: str, value: Any) -> list[str]:
    """What a schema has against a value, each with its place."""
    validator = jsonschema.Draft202012Validator(SCHEMAS[schema], format_checker=jsonschema.FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


@pytest.mark.parametrize("name", FILES)
def test_configuration_keeps_its_schema(name: str) -> None:
    assert faults(FILES[name], load(name)) == []


def test_every_schema_is_one_and_every_configuration_has_one() -> None:
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    assert set(SCHEMAS) == set(FILES.values())
    places = [REPOSITORY, REPOSITORY / ".github", REPOSITORY / ".github" / "workflows"]
    there = {
        p.relative_to(REPOSITORY).as_posix()
        for at in places
        for p in at.iterdir()
        if p.suffix in (".yml", ".yaml", ".cff")
    }
    assert there == {*FILES, ".pre-commit-config.yaml"}


SLIPS: list[tuple[str, Callable[[Any], Any]]] = [
    (".github/workflows/test.yml", lambda one: one["jobs"]["whole"].pop("timeout-minutes")),
    (".github/workflows/test.yml", lambda one: one.pop("permissions")),
    (".github/workflows/test.yml", lambda one: one["jobs"]["whole"]["steps"].append({"uses": "actions/checkout@main"})),
    (".github/workflows/test.yml", lambda one: one["jobs"]["whole"]["steps"].append({"uses": "a/b@v1", "run": "make"})),
    (".github/workflows/test.yml", lambda one: one["jobs"]["systems"]["strategy"]["matrix"]["python"].append(3.1)),
    (".github/workflows/weekly.yml", lambda one: one["on"].update(schedule=[{"cron": "* * * * *"}])),
    (".github/dependabot.yml", lambda one: one["updates"][0].pop("schedule")),
    ("CITATION.cff", lambda one: one.update(authors=[])),
    ("CITATION.cff", lambda one: one.update({"date-released": "24 November 2026"})),
    ("fiftyone.yml", lambda one: one.update(splits=["val2017"])),
    ("_config.yml", lambda one: one["parse"].update(myst_enable_extension=["deflist"])),
    ("_config.yml", lambda one: one["sphinx"]["config"].update(html_coppy_source=True)),
    ("_toc.yml", lambda one: one["parts"][0]["chapters"][0].update(file="chapters/lfw.md")),
]


@pytest.mark.parametrize("number", range(len(SLIPS)))
def test_a_slip_is_found(number: int) -> None:
    name, spoil = SLIPS[number]
    value = copy.deepcopy(load(name))
    spoil(value)
    assert faults(FILES[name], value)


def test_jupyter_books_own_schema_takes_the_book_s_configuration() -> None:
    config = pytest.importorskip("jupyter_book.config")
    value = yaml.safe_load((REPOSITORY / "_config.yml").read_text(encoding="utf-8"))
    config.validate_yaml(value, raise_on_errors=True)
    # A bare off would be false, which Jupyter Book takes for "do as by default": every build would run the notebooks.
    assert value["execute"]["execute_notebooks"] == "off"
    with pytest.raises(jsonschema.ValidationError):
        config.validate_yaml({**value, "execute": {"execute_notebooks": ["never"]}}, raise_on_errors=True)


def test_pre_commit_and_setuptools_take_theirs() -> None:
    hooks = pytest.importorskip("pre_commit.clientlib").load_config(REPOSITORY / ".pre-commit-config.yaml")
    entries = [hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]]
    assert entries and all(entry.startswith(".venv/bin/python -m ") for entry in entries)
    validate = pytest.importorskip("setuptools.config._validate_pyproject").validate
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert validate(project)


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step of every workflow, with its place."""
    for path in WORKFLOWS:
        for job, body in load(path.relative_to(REPOSITORY).as_posix())["jobs"].items():
            for step in body["steps"]:
                yield f"{path.name}: {job}", step


def test_workflows_call_what_there_is() -> None:
    """Targets of make, scripts and tests that a workflow names; nothing of a pull request's text in a shell."""
    for path in WORKFLOWS:
        jobs = load(path.relative_to(REPOSITORY).as_posix())["jobs"]
        assert {job["needs"] for job in jobs.values() if "needs" in job} <= set(jobs), path.name
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.M))
    wrong = []
    for where, step in steps():
        text = step.get("run", "")
        for line in re.findall(r"\bmake ([^&|;\n]+)", text):
            wrong += [
                f"{where}: make {one}" for one in line.split() if one not in targets and one not in (".venv/.all",)
            ]
        for name in re.findall(r"\b((?:tools|tests|\.ci|benchmarks)/[\w./-]+|\.ci/run)", text):
            if not (REPOSITORY / name).exists():
                wrong.append(f"{where}: {name} is not there")
        if re.search(r"\$\{\{\s*github\.(event\.(issue|pull_request|comment|head_commit)|head_ref)", text):
            wrong.append(f"{where}: text from outside in a shell")
    assert not wrong, "\n".join(wrong)
    assert {where.split(":")[0] for where, _ in steps()} == {path.name for path in WORKFLOWS}


GH = """#!/bin/bash
# GitHub's program, as far as the workflow calls it: releases are folders.
case "$1 $2" in
  "release view") [ -d "$HUB/$3" ] ;;
  "release create") mkdir "$HUB/$3" && cp "$4" "$HUB/$3/" ;;
  "release list") ls "$HUB" ;;
  "release download") mkdir -p "${@: -1}" && cp "$HUB/$3/site.zip" "${@: -1}/" ;;
esac
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("unzip"), reason="runs as on GitHub's Linux, with unzip"
)
def test_every_tag_leaves_an_edition_that_stays(tmp_path: Path) -> None:
    """The steps of the workflow that publishes, on two tags, the second of them run twice."""
    script = {step.get("name"): step["run"] for _, step in steps() if "run" in step}
    hub, program = tmp_path / "hub", tmp_path / "bin" / "gh"
    # A release that somebody made by hand has no site.
    for folder in (hub / "by-hand", program.parent):
        folder.mkdir(parents=True)
    program.write_text(GH, encoding="utf-8")
    program.chmod(0o755)
    shown: dict[str, str] = {}
    for run, tag in enumerate(("1.0.0", "v1.1.0", "v1.1.0")):
        here = tmp_path / f"run-{run}"
        (here / "_build" / "html").mkdir(parents=True)
        (here / "release").mkdir()
        (here / "pyproject.toml").write_text(f'version = "{tag.removeprefix("v")}"\n', encoding="utf-8")
        (here / "_build" / "html" / "index.html").write_text(f"run {run}", encoding="utf-8")
        with zipfile.ZipFile(here / "release" / "site.zip", "w") as archive:
            archive.write(here / "_build" / "html" / "index.html", "index.html")
        (here / "environment").touch()
        own = {"HUB": str(hub), "GITHUB_REF_NAME": tag, "GITHUB_ENV": str(here / "environment")}
        for name in ("name the edition", "release", "gather the editions"):
            said = dict(line.split("=", 1) for line in (here / "environment").read_text("utf-8").splitlines())
            path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
            command = ["bash", "-eo", "pipefail", "-c", script[name]]
            subprocess.run(command, cwd=here, env={**os.environ, **own, **said, "PATH": path}, check=True)
        assert re.fullmatch(rf"{tag.removeprefix('v')}, \d+ [A-Z][a-z]+ \d{{4}}", said["BOOK_EDITION"])
        site = here / "site"
        shown = {page.parent.relative_to(site).as_posix(): page.read_text("utf-8") for page in site.rglob("*.html")}
    # The newest stands at the root; what was published first under a name is what stays there.
    assert shown == {".": "run 2", "editions/1.0.0": "run 0", "editions/v1.1.0": "run 1"}
    # A tag that is not the package's version publishes nothing.
    command = ["bash", "-e", "-c", script["name the edition"]]
    other = {**os.environ, **own, "GITHUB_REF_NAME": "2.0.0"}
    assert subprocess.run(command, cwd=here, env=other, capture_output=True, check=False).returncode != 0


def test_versions_and_names_agree() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation, zoo = load("CITATION.cff"), load("fiftyone.yml")
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert project["version"].startswith(zoo["version"])
    assert citation["title"] == yaml.safe_load((REPOSITORY / "_config.yml").read_text(encoding="utf-8"))["title"]


def test_binder_and_the_workflows_use_a_python_that_the_locks_serve() -> None:
    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    lowest = int(wanted.removeprefix(">=3."))
    named = re.findall(r"python-3\.(\d+)", (REPOSITORY / "binder" / "runtime.txt").read_text(encoding="utf-8"))
    for path in WORKFLOWS:
        named += re.findall(r'"3\.(\d+)"', path.read_text(encoding="utf-8"))
    assert named and all(lowest <= int(one) <= 13 for one in named)
    inside = (REPOSITORY / "binder" / "requirements.txt").read_text(encoding="utf-8").split()
    assert (
        inside[0] == "-r"
        and (REPOSITORY / "binder" / inside[1]).resolve() == (REPOSITORY / "locks" / "all.txt").resolve()
    )


def test_binder_s_scripts_are_scripts() -> None:
    for name in ("binder/postBuild", ".ci/run"):
        path: Path = REPOSITORY / name
        assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n"), name
