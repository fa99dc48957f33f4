from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import data_helpers
from data_helpers import errors
from data_helpers.home import home as cache
from data_helpers.home import mirror, offline, retries, timeout
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


@pytest.mark.parametrize(
    "wrong",
    [{"split": 5}, {"split": []}, {"classes": 18}, {"label_types": 1.5}, {"image_ids": [[1]]}, {"max_samples": "5"},
     {"max_samples": 2.0}, {"seed": [1]}],
    ids=str,
)  # fmt: skip
def test_an_argument_of_a_wrong_kind_is_told_by_its_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(errors.UnknownNameError, match=next(iter(wrong))):
        data_helpers.read("coco", **wrong)


def test_one_id_arrays_and_generators_choose_as_lists_do() -> None:
    def chosen(**want: Any) -> list[int | str]:
        return [sample.id for sample in data_helpers.read("coco", **want)]

    first, last = [sample.id for sample in data_helpers.read("coco")][:: len(chosen()) - 1]
    assert chosen(image_ids=first) == chosen(image_ids=str(first)) == chosen(image_ids=[first]) == [first]
    # The first and the last stand in different splits: a generator must serve both.
    assert chosen(image_ids=(number for number in (first, last))) == [first, last]
    assert chosen(image_ids=np.array([first, last])) == [first, last]
    drawn = chosen(max_samples=np.int64(3), shuffle=True, seed=np.int64(5))
    assert drawn == chosen(max_samples=3, shuffle=True, seed=5) and len(drawn) == 3


@pytest.mark.parametrize("path", ["", 5, b"coco", "~nobody-of-this-name"])
def test_what_is_no_path_is_never_the_folder_one_stands_in(path: Any) -> None:
    for call in (lambda: data_helpers.read("coco", path), lambda: data_helpers.identify(path),
                 lambda: data_helpers.plan("coco", root=path)):  # fmt: skip
        with pytest.raises(errors.MissingFileError, match="expected the path of a folder"):
            call()


def test_a_mirror_without_its_scheme_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_HELPERS_MIRROR", "localhost:8000")
    with pytest.raises(errors.FormatError, match="DATA_HELPERS_MIRROR='localhost:8000'"):
        mirror()


def test_importing_loads_nothing_heavy() -> None:
    heavy = ["fiftyone", "matplotlib", "urllib3", "requests", "socket", "pandas", "scipy", "duckdb", "pyarrow"]
    code = f"import sys, data_helpers; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_unknown_dataset_lists_those_that_exist() -> None:
    for call in (data_helpers.card, data_helpers.read, data_helpers.summary, data_helpers.plan, data_helpers.miniature):
        with pytest.raises(errors.UnknownNameError, match="coco"):
            call("mnist")
        with pytest.raises(errors.UnknownNameError, match="coco"):
            call(["coco"])  # type: ignore[arg-type]
