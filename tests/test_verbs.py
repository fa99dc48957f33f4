"""The command line as a person and as a program meet it: tidy tables, one JSON value, the right exit status."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import data_helpers
from data_helpers import verbs
from data_helpers.__main__ import main


def test_a_sample_stays_on_one_line_however_its_file_is_spaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "ünï cödé"
    shutil.copytree(data_helpers.miniature("coco"), root)
    for path in (root / "annotations").glob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=2), encoding="utf-8")
    assert main(["read", "coco", "--root", str(root), "--json"]) == 0
    spaced = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["read", "coco", "--json"]) == 0
    plain = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["labels"] for one in spaced] == [one["labels"] for one in plain] and len(plain) > 10


def test_names_and_outlines_that_are_no_text_are_told(tmp_path: Path) -> None:
    root = tmp_path / "coco"
    shutil.copytree(data_helpers.miniature("coco"), root)
    name = os.fsencode(next((root / "val2017").glob("*.jpg")).parent) + b"/\xff.jpg"
    try:
        Path(os.fsdecode(name)).write_bytes(b"404")
    except OSError:
        pytest.skip("names are text here")
    for path in (root / "annotations").glob("instances_*.json"):
        path.write_bytes(path.read_bytes().replace(b'"segmentation":', b'"segmentation": "\xff", "old":', 1))
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}

    def told(verb: str, *more: str) -> str:
        arguments = [sys.executable, "-m", "data_helpers", verb, "coco", "--root", str(root), *more]
        return subprocess.run(arguments, env=env, capture_output=True, encoding="utf-8", check=True).stdout

    assert "\\udcff.jpg" in told("summary", "--rows", "99")
    assert "val2017/\udcff.jpg" in {one["where"] for one in json.loads(told("summary", "--json"))["problems"]}
    assert len(list(map(json.loads, told("read", "--json").splitlines()))) > 10


@pytest.mark.parametrize(
    "arguments",
    [
        ["card", "mnist"],
        ["summary", "coco", "--root", "nowhere"],
        ["read", "coco", "--split", "val2031"],
        ["read", "coco", "--classes", "unicorn"],
        ["plan", "coco", "--max-samples", "-3"],
        ["identify", "nowhere"],
        ["gallery", "coco", "--output", "no-folder/page.html"],
        ["adopt", "coco", "nowhere"],
        ["mirror", "nowhere"],
    ],
    ids=" ".join,
)
def test_an_error_leaves_standard_output_empty(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--json"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("error: ") and "Traceback" not in told.err


@pytest.mark.parametrize("rows", ["-1", "some"])
def test_a_negative_number_of_rows_is_wrong_usage(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["summary", "coco", "--rows", rows])
    assert ended.value.code == 2 and "expected 0 or more" in capsys.readouterr().err


def test_a_large_fetch_tells_its_size_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    monkeypatch.setattr(verbs, "LARGE", 1_000_000)
    amount = verbs._size(data_helpers.plan("coco", split="val2017").bytes)
    assert main(["fetch", "coco", "--split", "val2017"]) == 1
    assert f"This moves about {amount}. Say --yes" in capsys.readouterr().err


def test_identify_tells_a_line_for_each_thing(capsys: pytest.CaptureFixture[str]) -> None:
    root = data_helpers.miniature("coco")
    found = data_helpers.identify(root)
    assert main(["identify", str(root)]) == 0
    out = capsys.readouterr().out
    for name, count in found["splits"].items():
        assert f"{name}  {count}\n" in out
    assert all(note in out.replace("\n", " ") for note in found["notes"]) and "{" not in out
