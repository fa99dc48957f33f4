"""The notebook coco-evaluation grades as pycocotools does, on COCO's official results and on real people.

The notebook's own cells are run here, so what readers read is what is compared.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from data_helpers import coco

from .conftest import REAL, REPOSITORY

pytestmark = pytest.mark.real

SLICE = REAL / "coco" / "MiXaiLL76_faster_coco_eval" / "tests" / "dataset" / "cocoapi" / "instances_val2014_100.json"
RESULTS = REAL / "coco" / "cocodataset_cocoapi" / "results"
MINI = REAL / "coco" / "Obmutescence_COCO-MINI" / "annotations"
CELLS = ("iou", "match", "curve", "ap", "gather", "credit", "oks")
KINDS = {"bbox": "bbox", "segm": "mask"}
JOINTS = REPOSITORY / "data_helpers" / "cards" / "tables" / "coco-joints.csv"


@pytest.fixture(scope="module")
def book() -> dict[str, Any]:
    """Run the notebook's cells that define the evaluation, and return what they define."""
    cells = nbformat.read(REPOSITORY / "notebooks" / "coco-evaluation.ipynb", as_version=4).cells
    names: dict[str, Any] = {}
    exec("import numpy as np\nfrom dataclasses import dataclass", names)
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in cells:
            if cell.id in CELLS:
                exec(cell.source, names)
    return names


def judge(truth: COCO, results: list[dict[str, Any]], kind: str) -> np.ndarray:
    """Return pycocotools' numbers."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(results), kind)
        for step in (evaluation.evaluate, evaluation.accumulate, evaluation.summarize):
            step()
    return np.asarray(evaluation.stats)


def load(content: dict[str, Any]) -> COCO:
    truth = COCO()
    truth.dataset = content
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    return truth


def expected(kind: str) -> list[float]:
    """Return the numbers that COCO's own text file promises for a run."""
    text = (RESULTS / "val2014_fake_eval_res.txt").read_text()
    block = text.split(f"type={kind}")[1].split("type=")[0]
    return [float(number) for number in re.findall(r"\] = (-?[\d.]+)", block)]


@pytest.mark.parametrize("kind", KINDS)
def test_official_results(book: dict[str, Any], kind: str) -> None:
    """Boxes and masks of the official fake results: ours, pycocotools' and the official text's numbers are one."""
    content = json.loads(SLICE.read_text())
    name = {"bbox": "instances_val2014_fakebbox100_results", "segm": "instances_val2014_fakesegm100_results"}[kind]
    results = json.loads((RESULTS / f"{name}.json").read_text())
    truth = load(content)
    truths, found = [], []
    for note in sorted(content["annotations"], key=lambda note: note["image_id"]):
        fields = {key: note[key] for key in ("category_id", "bbox", "area", "iscrowd")}
        truths.append((note["image_id"], {**fields, "mask": masks.decode(truth.annToRLE(note)).astype(bool)}))
    for one in results:
        mask = masks.decode(one["segmentation"]).astype(bool) if kind == "segm" else None
        found.append({**one, "mask": mask})
    ours = np.array(book["twelve"](book["gather"](truths, found, KINDS[kind])))
    theirs = judge(truth, json.loads(json.dumps(results)), kind)
    assert np.abs(ours - theirs).max() < 1e-12
    assert [round(float(number), 3) for number in ours] == expected(kind)


def people(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [note for note in content["annotations"] if note["category_id"] == 1]


def joints(record: dict[str, Any]) -> np.ndarray:
    return np.array(record["keypoints"], float).reshape(-1, 3)


def grade_people(book: dict[str, Any], content: dict[str, Any], results: list[dict[str, Any]]) -> np.ndarray:
    """Return the notebook's ten numbers for people and poses in COCO's own form."""
    truths = [(note["image_id"], {**note, "joints": joints(note)}) for note in people(content)]
    found = [{**one, "joints": joints(one)[:, :2]} for one in results]
    return np.array(book["ten"](book["gather_people"](truths, found)))


def test_the_spread_of_joints_is_that_of_the_card(book: dict[str, Any]) -> None:
    with JOINTS.open(encoding="utf-8", newline="") as lines:
        assert [float(row["sigma"]) for row in csv.DictReader(lines)] == book["SIGMAS"].tolist()


def test_keypoints_of_official_results(book: dict[str, Any]) -> None:
    """The slice has no joints of its own: people get those of the nearest official result, moved and partly hidden."""
    content = json.loads(SLICE.read_text())
    results = json.loads((RESULTS / "person_keypoints_val2014_fakekeypoints100_results.json").read_text())
    content["annotations"] = people(content)
    rng = np.random.default_rng(0)
    for note in people(content):
        x, y, width, height = note["bbox"]
        middle = np.array([x + width / 2, y + height / 2])
        near = [joints(one) for one in results if one["image_id"] == note["image_id"]]
        points = np.zeros((17, 3))
        if near and not note["iscrowd"]:
            points = min(near, key=lambda one: float(np.abs(one[:, :2].mean(axis=0) - middle).sum())).copy()
            points[:, :2] += rng.normal(0, 0.05 * np.sqrt(note["area"]), (17, 2)).round()
            points[:, 2] = rng.integers(0, 3, 17)
        note["keypoints"], note["num_keypoints"] = points.ravel().tolist(), int((points[:, 2] > 0).sum())
    ours = grade_people(book, content, results)
    theirs = judge(load(content), json.loads(json.dumps(results)), "keypoints")
    assert 0.05 < ours[0] < 0.99
    assert np.abs(ours - theirs).max() < 1e-12


@pytest.mark.parametrize("split", ["train2017", "val2017"])
def test_keypoints_of_real_people(book: dict[str, Any], split: str, tmp_path: Path) -> None:
    """Real joints, found with seeded errors, read back by our own reader of results files."""
    content = json.loads((MINI / f"person_keypoints_{split}.json").read_text())
    rng = np.random.default_rng(1)
    results = []
    for note in people(content):
        if note["iscrowd"] or rng.random() < 0.2:
            continue
        points = joints(note)
        points[:, :2] += rng.normal(0, 0.06 * np.sqrt(note["area"]), (17, 2))
        points[:, 2] = 1
        one = {"image_id": note["image_id"], "category_id": 1, "keypoints": points.ravel().tolist()}
        results.append({**one, "score": float(rng.random())})
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results))
    read = [
        {"image_id": one.image_id, "category_id": 1, "keypoints": one.keypoints, "score": one.score}
        for one in coco.read_results(path)
    ]
    ours = grade_people(book, content, read)
    theirs = judge(load(content), results, "keypoints")
    assert 0.05 < ours[0] < 0.99
    assert np.abs(ours - theirs).max() < 1e-12


def test_faster_coco_eval_agrees() -> None:
    """The faster library that the notebook recommends gives the official numbers, too."""
    faster = pytest.importorskip("faster_coco_eval")
    results = json.loads((RESULTS / "instances_val2014_fakebbox100_results.json").read_text())
    truth = faster.COCO(str(SLICE))
    evaluation = faster.COCOeval_faster(truth, truth.loadRes(results), "bbox")
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.run()
    assert [round(float(number), 3) for number in evaluation.stats[:12]] == expected("bbox")
