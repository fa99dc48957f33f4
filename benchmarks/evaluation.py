"""COCO's figures for a detector's results: pycocotools, faster-coco-eval, FiftyOne and the notebook's own code.

The files are made here: pictures and annotations as many as val2017 has by the card, classes as often as the card's
table says, and a seeded detector that shifts, forgets, confuses and invents. It answers about 28 times a picture, at
most 100 times: FiftyOne's "quickstart" holds 5,620 answers of a Faster R-CNN for 200 pictures of val2017.

Every run has a fresh process and the same two files. "load" is truth and results from their files, "judge" the
evaluation alone, on the clock and of the processors; "times" is how many times faster than pycocotools in the same
round; memory is that of the Python process, without FiftyOne's database. FiftyOne and the notebook's code, made to be
looked at and to be read, get a share of the pictures, boxes alone, once. Below the times stand the figures of each,
and how far they differ.

    python benchmarks/evaluation.py [--scale 0.1] [--repeat 3]    (about five minutes at full size)
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
from importlib import metadata
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as masks

import data_helpers
from data_helpers import cards

HERE = Path(__file__).resolve().parent
SIZES = [(640, 480), (640, 480), (640, 427), (480, 640)]  # val2017's commonest
MOST, INVENTED, SHARE = 100, 18.7, 0.1
NAMES = ["AP", "AP .50", "AP .75", "AP small", "AP medium", "AP large"]
NAMES += ["AR 1", "AR 10", "AR 100", "AR small", "AR medium", "AR large"]

JUDGE = """
def load():
    truth = COCO(str(truth_file))
    return truth, truth.loadRes(str(results_file))
def judge(truth, results):
    evaluation = Evaluation(truth, results, kind)
    for step in (evaluation.evaluate, evaluation.accumulate, evaluation.summarize):
        step()
    return evaluation.stats[:12]
"""
PEER, FASTER, FIFTYONE, NOTEBOOK = (
    "pycocotools COCOeval",
    "faster-coco-eval",
    "FiftyOne evaluate_detections",
    "the notebook's code",
)
RUNS = {
    PEER: "from pycocotools.coco import COCO\nfrom pycocotools.cocoeval import COCOeval as Evaluation" + JUDGE,
    FASTER: "from faster_coco_eval import COCO, COCOeval_faster as Evaluation" + JUDGE,
    FIFTYONE: """
        import fiftyone as fo
        fo.list_datasets()  # the database is up before the clock runs
        def load():
            content, results = json.loads(truth_file.read_bytes()), json.loads(results_file.read_bytes())
            names = {one["id"]: one["name"] for one in content["categories"]}
            size = {one["id"]: (one["width"], one["height"]) * 2 for one in content["images"]}
            labels = {number: ([], []) for number in size}
            for field, notes in enumerate((content["annotations"], results)):
                for one in notes:
                    box = [value / whole for value, whole in zip(one["bbox"], size[one["image_id"]])]
                    more = {"confidence": one["score"]} if field else {"iscrowd": one["iscrowd"]}
                    label = fo.Detection(label=names[one["category_id"]], bounding_box=box, **more)
                    labels[one["image_id"]][field].append(label)
            dataset = fo.Dataset("benchmark")
            dataset.add_samples([fo.Sample(filepath=f"/{number}.jpg", boxes=fo.Detections(detections=own),
                found=fo.Detections(detections=others)) for number, (own, others) in labels.items()], progress=False)
            return dataset, sorted({names[one["category_id"]] for one in content["annotations"]})
        def judge(dataset, classes):
            graded = dataset.evaluate_detections("found", gt_field="boxes", method="coco", compute_mAP=True,
                classes=classes, progress=False)
            return [graded.mAP(), *[None] * 7, graded.mAR()]
        """,
    NOTEBOOK: """
        import numpy as np
        from dataclasses import dataclass
        cells = json.loads((HERE.parent / "notebooks" / "coco-evaluation.ipynb").read_text())["cells"]
        for cell in cells:
            if cell["id"] in ("iou", "match", "curve", "ap", "gather"):
                exec("".join(cell["source"]))
        def load():
            content = json.loads(truth_file.read_bytes())
            return [(one["image_id"], one) for one in content["annotations"]], json.loads(results_file.read_bytes())
        def judge(truths, found):
            return twelve(gather(truths, found, "bbox"))
        """,
}
PROGRAM = """
import contextlib, io, json, sys, time
from pathlib import Path
HERE, truth_file, results_file, kind = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
{setup}
with contextlib.redirect_stdout(io.StringIO()):
    begin = time.perf_counter()
    loaded = load()
    between, used = time.perf_counter(), time.process_time()
    figures = judge(*loaded)
    end, used = time.perf_counter(), time.process_time() - used
# Not ru_maxrss: that starts with the size of the process which made the files and started this one.
peak = next((int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")), 0) / 1024
figures = [None if one is None else float(one) for one in figures]
print("figures", json.dumps([between - begin, end - between, used, peak, figures]))
"""


def outline(rng: random.Random, size: tuple[int, int]) -> list[float]:
    """Return a round outline within the picture: x, y, x, y, ..."""
    # Half of COCO's objects are smaller than about 60 pixels; the largest fill the picture.
    across, down = (min(side / 2 - 1, rng.lognormvariate(3.3, 1.0)) for side in size)
    x, y = rng.uniform(across, size[0] - across), rng.uniform(down, size[1] - down)
    corners, points = max(4, min(200, int(rng.lognormvariate(2.85, 0.75)))), []
    for step in range(corners):
        reach, angle = rng.uniform(0.7, 1), 2 * math.pi * step / corners
        points += [round(x + across * reach * math.cos(angle), 2), round(y + down * reach * math.sin(angle), 2)]
    return points


def moved(rng: random.Random, points: list[float], size: tuple[int, int], reach: float) -> list[float]:
    """Return the outline as a detector sees it: shifted, of another size, cut at the picture's edge."""
    result = [0.0] * len(points)
    for axis in (0, 1):
        line = points[axis::2]
        low, extent = min(line), max(line) - min(line)
        start, grow = low + rng.gauss(0, reach) * extent, math.exp(rng.gauss(0, reach / 2))
        result[axis::2] = [min(max(start + (value - low) * grow, 0), size[axis]) for value in line]
    return result


def box(points: list[float]) -> list[float]:
    left, top = min(points[::2]), min(points[1::2])
    return [round(value, 2) for value in (left, top, max(points[::2]) - left, max(points[1::2]) - top)]


def area(points: list[float]) -> float:
    x, y = np.array(points[::2]), np.array(points[1::2])
    return round(float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2, 4)


def crowd(points: list[float], size: tuple[int, int]) -> dict[str, Any]:
    """Return a crowd's fields as the real ones have them: runs that are not compressed."""
    filled = masks.decode(masks.frPyObjects([points], size[1], size[0]))[..., 0].ravel(order="F")
    ends = np.flatnonzero(np.diff(filled, prepend=0)).tolist()
    runs = [int(end - start) for start, end in zip([0, *ends], [*ends, filled.size], strict=True)]
    return {"segmentation": {"counts": runs, "size": [size[1], size[0]]}, "area": int(filled.sum()), "iscrowd": 1}


def detect(rng: random.Random, truths: list[tuple[int, list[float]]], numbers: list[int], size: tuple[int, int]) -> Any:
    """Return what the detector says of a picture: score, class and outline, the surest first."""
    found = []
    for number, points in truths:
        # Some answers are good, some are not; some objects are found twice, some never.
        while rng.random() < (0.85 if not found or found[-1][3] is not points else 0.35):
            reach = rng.choice((0.03, 0.07, 0.15))
            kind = number if rng.random() > 0.12 else rng.choice(numbers)
            score = min(max(rng.gauss(0.8 - 3 * reach, 0.2), 0.05 + 0.05 * rng.random()), 1 - 0.01 * rng.random())
            found.append((score, kind, moved(rng, points, size, reach), points))
    here = [number for number, _ in truths] or numbers
    for _ in range(int(rng.lognormvariate(math.log(INVENTED) - 0.32, 0.8) + rng.random())):
        kind = rng.choice(here if rng.random() < 0.5 else numbers)
        found.append((0.05 + 0.6 * rng.random() ** 3, kind, outline(rng, size), []))
    return sorted(found, key=lambda one: -one[0])[:MOST]


def make(root: Path, scale: float) -> Path:
    """Write instances_val2017.json and the results for boxes and for masks; return their folder."""
    lines = (cards.HERE / "tables" / "coco-classes.csv").read_text().splitlines()
    facts, table = data_helpers.card("coco")["facts"], list(csv.DictReader(lines))
    wanted = ("images", "annotations", "crowds")
    count = {name: max(1, int(facts[f"val2017_{name}"]["value"] * scale)) for name in wanted}
    numbers, often = [int(row["id"]) for row in table], [int(row["images"]) for row in table]
    rng = random.Random(2017)
    # Most pictures have few objects and some have dozens; a picture has few classes, one of them often several times.
    crowded = [rng.lognormvariate(0, 0.9) for _ in range(count["images"])]
    places = sorted(rng.choices(range(count["images"]), crowded, k=count["annotations"]))
    own = {place: len(list(notes)) for place, notes in groupby(places)}
    crowds = set(rng.sample(range(count["annotations"]), count["crowds"]))
    images, notes, boxes, outlines = [], [], [], []
    for place in range(count["images"]):
        size, truths = rng.choice(SIZES), []
        images.append({"id": place + 1, "file_name": f"{place + 1:012d}.jpg", "width": size[0], "height": size[1]})
        kinds = rng.choices(numbers, often, k=rng.randint(1, 5))
        for _ in range(own.get(place, 0)):
            kind, points = rng.choice(kinds), outline(rng, size)
            fields: dict[str, Any] = {"segmentation": [points], "area": area(points), "iscrowd": 0}
            if len(notes) in crowds:
                fields = crowd(points, size)
            else:
                truths.append((kind, points))
            fields |= {"image_id": place + 1, "category_id": kind, "bbox": box(points), "id": len(notes) + 1}
            notes.append(fields)
        found = detect(rng, truths, numbers, size)
        runs = masks.frPyObjects([points for _, _, points, _ in found], size[1], size[0]) if found else []
        for (score, kind, points, _), run in zip(found, runs, strict=True):
            one = {"image_id": place + 1, "category_id": kind, "score": score}
            boxes.append(one | {"bbox": box(points)})
            outlines.append(one | {"segmentation": {"size": run["size"], "counts": run["counts"].decode()}})
    categories = [{"id": int(row["id"]), "name": row["name"], "supercategory": row["supercategory"]} for row in table]
    root.mkdir()
    truth = {"info": {}, "licenses": [], "images": images, "annotations": notes, "categories": categories}
    for name, content in (("instances_val2017", truth), ("bbox", boxes), ("segm", outlines)):
        (root / f"{name}.json").write_text(json.dumps(content))
    print(f"{len(images):,} pictures, {len(notes):,} annotations ({len(crowds)} crowds), {len(boxes):,} detections")
    return root


def run(name: str, kind: str, root: Path, work: Path) -> list[Any] | str:
    """Run one way in a process (and a database) of its own: seconds, memory and figures, or why there are none."""
    env = os.environ | {
        "FIFTYONE_DATABASE_DIR": tempfile.mkdtemp(dir=work),
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
    }
    program = PROGRAM.format(setup=textwrap.dedent(RUNS[name]))
    arguments = [str(HERE), str(root / "instances_val2017.json"), str(root / f"{kind}.json"), kind]
    done = subprocess.run([sys.executable, "-c", program, *arguments], env=env, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("figures ")]
    if not lines:
        return (done.stderr.strip().splitlines() or ["no answer"])[-1][:90]
    answer: list[Any] = json.loads(lines[0].removeprefix("figures "))
    return answer


def compare(title: str, names: list[str], kind: str, root: Path, work: Path, repeat: int) -> None:
    """Run every way round by round; print the times beside pycocotools' of the same round, and every figure."""
    runs: dict[str, list[list[Any]]] = {name: [] for name in names}
    missing: dict[str, str] = {}
    for _ in range(repeat):
        for name in [name for name in names if name not in missing]:
            answer = run(name, kind, root, work)
            if isinstance(answer, str):
                missing[name] = answer
            else:
                runs[name].append(answer)
    print(f"\n{title:30}{'load s':>8}{'judge s':>9}{'times':>7}{'cpu s':>8}{'times':>7}{'MB':>7}  all runs, judge")
    for name, found in runs.items():
        if name in missing:
            print(f"{name:30}{missing[name]}")
            continue
        load, took, used, peak = (statistics.median(one[at] for one in found) for at in range(4))
        pairs = list(zip(runs[PEER], found, strict=True))
        clock, processor = (statistics.median(peer[at] / one[at] for peer, one in pairs) for at in (1, 2))
        every = " ".join(f"{one[1]:.2f}" for one in found)
        print(f"{name:30}{load:8.2f}{took:9.2f}{clock:7.2f}{used:8.2f}{processor:7.2f}{peak:7.0f}  {every}")
    figures = {name: found[0][4] for name, found in runs.items() if found}
    print(f"\n{'':30}" + "".join(f"{name:>10}" for name in NAMES))
    for name, own in figures.items():
        print(f"{name:30}" + "".join(f"{'-':>10}" if one is None else f"{one:10.6f}" for one in own))
    for name, own in list(figures.items())[1:]:
        apart = [abs(one - peer) for one, peer in zip(own, figures[PEER], strict=False) if one is not None]
        said = "equal" if max(apart) < 1e-12 else "NOT equal"
        print(f"{name}: {len(apart)} figures, largest difference to pycocotools {max(apart):.1e}: {said}")


def main() -> None:
    """Make the files, compare on boxes, on masks, and all four ways on a share of the boxes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of val2017's size (1.0)")
    parser.add_argument("--repeat", type=int, default=2, help="fresh processes for each way (2)")
    options = parser.parse_args()
    peers = ("pycocotools", "faster-coco-eval", "fiftyone", "numpy")
    known = {one.metadata["Name"].lower(): one.version for one in metadata.distributions()}
    versions = [f"{name} {known.get(name, 'is missing')}" for name in peers]
    print(", ".join([f"Python {platform.python_version()}", *versions]))
    with tempfile.TemporaryDirectory(prefix="book-evaluation-", ignore_cleanup_errors=True) as scratch:
        work = Path(scratch)
        whole = make(work / "whole", options.scale)
        compare("boxes", [PEER, FASTER], "bbox", whole, work, options.repeat)
        compare("masks", [PEER, FASTER], "segm", whole, work, options.repeat)
        print(f"\n{SHARE:g} of that: ", end="")
        compare("boxes", list(RUNS), "bbox", make(work / "share", options.scale * SHARE), work, 1)


if __name__ == "__main__":
    main()
