from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import data_helpers
from data_helpers import errors
from data_helpers.home import home as cache
from data_helpers.home import offline, retries, timeout
from data_helpers.samples import Selection


def test_every_error_is_ours_and_a_builtin() -> None:
    leaves = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.DataError)
    ]
    for leaf in leaves:
        if leaf is not errors.DataError:
            assert issubclass(leaf, OSError | ValueError | ImportError | RuntimeError), leaf


def test_a_cache_that_cannot_be_made_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DATA_HELPERS_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(errors.StorageError, match="DATA_HELPERS_HOME"):
        cache()


@pytest.mark.parametrize("value", ["fast", "-1", "nan", "inf"])
def test_a_wrong_number_in_the_environment_is_told(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_HELPERS_TIMEOUT", value)
    monkeypatch.setenv("DATA_HELPERS_RETRIES", value)
    for read in (timeout, retries):
        with pytest.raises(errors.FormatError, match="DATA_HELPERS_"):
            read()


def test_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, expected in {"1": True, "true": True, "0": False, "": False, "no": False}.items():
        monkeypatch.setenv("DATA_HELPERS_OFFLINE", value)
        assert offline() is expected


def test_the_same_seed_chooses_the_same_and_names_are_checked() -> None:
    want = Selection(max_samples=5, shuffle=True, seed=7, split="val2017")
    assert want.take(range(100)) == want.take(range(100)) != list(range(5))
    assert want.names("split", ["val2017"]) == ["val2017"]
    with pytest.raises(errors.UnknownNameError, match=r"'val2017'.*train2017"):
        want.names("split", ["train2017"])
    with pytest.raises(errors.UnknownNameError, match="max_samples=-1"):
        Selection(max_samples=-1)
    assert 7 in (Selection(image_ids=["7"]).wants_id() or ()) and "7" in (Selection(image_ids=[7]).wants_id() or ())


def test_importing_loads_nothing_heavy() -> None:
    heavy = ["fiftyone", "matplotlib", "urllib3", "requests", "socket", "pandas", "scipy", "duckdb", "pyarrow"]
    code = f"import sys, data_helpers; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_unknown_dataset_lists_those_that_exist() -> None:
    for call in (data_helpers.card, data_helpers.read, data_helpers.summary, data_helpers.plan, data_helpers.miniature):
        with pytest.raises(errors.UnknownNameError, match="coco"):
            call("mnist")
