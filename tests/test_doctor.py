"""What works on this machine is told as plain data, with one line on what to do about the rest."""

from __future__ import annotations

import importlib
import importlib.util
import json
import shutil
from pathlib import Path

import pytest

import data_helpers
from data_helpers.__main__ import main
from data_helpers.serve import Server

from .conftest import REPOSITORY

# The package's function of this name hides its module.
doctor = importlib.import_module("data_helpers.doctor")


def checks() -> dict[str, dict[str, object]]:
    return {entry["check"]: entry for entry in data_helpers.doctor()}


def test_every_check_is_plain_and_advises_in_one_line(home: Path) -> None:
    found = data_helpers.doctor()
    assert json.loads(json.dumps(found)) == found
    for entry in found:
        assert set(entry) == {"check", "ok", "found", "advice"}
        assert (entry["advice"] == "") is entry["ok"] and "\n" not in entry["found"] + entry["advice"]
    here = checks()
    for name in ("python", "data_helpers", "cache", "disk", "cards", "database", "browser", "environment"):
        assert name in here
    assert here["python"]["ok"] and str(Path(data_helpers.__file__).parent) in str(here["data_helpers"]["found"])


def test_what_is_wrong_is_told(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DATA_HELPERS_HOME", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("DATA_HELPERS_ROOT_COCO", str(tmp_path / "gone"))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.delenv("FIFTYONE_DATABASE_URI", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    here = checks()
    assert not here["cache"]["ok"] and "DATA_HELPERS_HOME" in str(here["cache"]["advice"])
    assert not here["environment"]["ok"] and "DATA_HELPERS_ROOT_COCO" in str(here["environment"]["advice"])
    assert not here["database"]["ok"] and not here["browser"]["ok"]
    assert "pip install" in str(here["extra app"]["advice"])


def test_the_network_is_asked_only_on_request(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(tmp_path, answers={}) as server:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", server.url)
        data_helpers.doctor()
        assert not server.requests
        alive = next(iter(doctor.addresses())).split("://")[1].split("?")[0]
        (tmp_path / alive).parent.mkdir(parents=True)
        (tmp_path / alive).write_bytes(b"x")
        found = [entry for entry in data_helpers.doctor(network=True) if entry["check"].startswith("host ")]
        assert {entry["ok"] for entry in found} == {True, False}
        assert len(server.requests) == len(found) and {request.method for request in server.requests} == {"HEAD"}
        assert next(entry for entry in found if not entry["ok"])["advice"].startswith("Needed for ")
        monkeypatch.setenv("DATA_HELPERS_OFFLINE", "1")
        assert data_helpers.doctor(network=True)[-1]["check"] == "network"
    assert main(["doctor", "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), list)


def test_the_probe_asks_each_address_once_and_dates_it(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("probe", REPOSITORY / "tools" / "probe.py")
    assert spec is not None and spec.loader is not None
    probe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(probe)
    (tmp_path / "site").mkdir()
    with Server(tmp_path / "site") as server:
        monkeypatch.setenv("DATA_HELPERS_MIRROR", server.url)
        entries = probe.addresses()
        alive = next(entry["url"] for entry in entries if entry["card"] == "live").split("://")[1].split("?")[0]
        (tmp_path / "site" / alive).parent.mkdir(parents=True)
        (tmp_path / "site" / alive).write_bytes(b"x")
        assert probe.main(["--output", str(tmp_path / "status"), "--pause", "0"]) == 1
        assert len(server.requests) == len(entries) and {request.method for request in server.requests} == {"HEAD"}
    written = json.loads((tmp_path / "status" / "status.json").read_text())
    assert len(written["addresses"]) == len(entries) and all(entry["asked"] for entry in written["addresses"])
    assert sum(entry["alive"] for entry in written["addresses"]) >= 1
    assert "# What answers today" in (tmp_path / "status" / "status.md").read_text()
    assert "called live, and does not answer" in capsys.readouterr().out
