"""COCO's val2017 into FiftyOne: by FiftyOne's own importer and bulk insert, and by us, each in a fresh process.

The files are made here: as many pictures and objects as val2017 has by the card, round outlines with sizes spread as
real ones are. "labels" is the time until every label is made, masks included, without a database; "whole" until the
dataset is stored. Its importer is asked for what we make, one label an object, box with mask. Two further rows:
how long it takes to the documents that are stored, which our labels are already; and when asked for boxes and masks
apart, so that it makes two labels of each object.

    python benchmarks/app.py [--scale 0.1] [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

import data_helpers

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT = 640, 480

IMPORTER = """
import fiftyone as fo
import fiftyone.utils.coco as fouc
importer = fouc.COCODetectionDatasetImporter(
    data_path=str(root / "val2017"), labels_path=str(root / "annotations" / "instances_val2017.json"),
    label_types={types})
begin = time.perf_counter()
with importer:
    {loop}
"""
COUNT = "count = sum(1 for _ in importer)"
# What a sample becomes before it is stored, its masks packed.
DOCUMENTS = """count = sum(
        bool(fo.Sample(filepath=path, metadata=metadata, boxes=boxes).to_mongo_dict())
        for path, metadata, boxes in importer)"""
RUNS = {
    "FiftyOne's importer, labels": IMPORTER.format(types=["segmentations"], loop=COUNT),
    "FiftyOne's importer, labels and documents": IMPORTER.format(types=["segmentations"], loop=DOCUMENTS),
    "FiftyOne's importer, each object twice": IMPORTER.format(types=["detections", "segmentations"], loop=COUNT),
    "FiftyOne's bulk insert (boxes alone)": """
import fiftyone as fo
from data_helpers import read
samples = [fo.Sample(filepath=str(sample.image), boxes=fo.Detections(detections=[fo.Detection(label=record.label,
    bounding_box=[record.bbox[0] / 640, record.bbox[1] / 480, record.bbox[2] / 640, record.bbox[3] / 480])
    for record in sample.labels["boxes"]])) for sample in read("coco", root)]
dataset = fo.Dataset("theirs")
begin = time.perf_counter()
dataset.add_samples(samples, progress=False)
count = len(dataset)
""",
    "ours, labels": """
import datetime
import fiftyone
from data_helpers import read
from data_helpers.app.documents import Documents
begin = time.perf_counter()
documents, now, count = Documents(root), datetime.datetime.now(), 0
for sample in read("coco", root):
    documents.document(sample, None, now)
    count += 1
""",
    "ours, whole (boxes, masks, everything)": """
from data_helpers import read, to_fiftyone
from data_helpers.app import fiftyone
fiftyone()
begin = time.perf_counter()
dataset = to_fiftyone(read("coco", root), "ours")
count = len(dataset)
""",
}


def make(root: Path, scale: float) -> None:
    """Write an instances_val2017.json and its pictures, all of them one tiny file."""
    facts = data_helpers.card("coco")["facts"]
    images = int(facts["val2017_images"]["value"] * scale)
    objects = int(facts["val2017_annotations"]["value"] * scale)
    rng = random.Random(0)
    (root / "annotations").mkdir(parents=True)
    (root / "val2017").mkdir()
    first = root / "val2017" / f"{1:012d}.jpg"
    Image.new("RGB", (WIDTH, HEIGHT)).save(first, quality=20)
    listed = []
    for number in range(1, images + 1):
        name = f"{number:012d}.jpg"
        if number > 1:
            (root / "val2017" / name).hardlink_to(first)
        listed.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT, "license": 4})
    notes = []
    for number in range(objects):
        # Half of COCO's objects are smaller than about 60 pixels; the largest fill the picture.
        across, down = (min(size / 2 - 1, rng.lognormvariate(3.3, 1.0)) for size in (WIDTH, HEIGHT))
        x, y = rng.uniform(across, WIDTH - across), rng.uniform(down, HEIGHT - down)
        corners = max(4, min(200, int(rng.lognormvariate(2.85, 0.75))))
        outline, edge = [], [2 * math.pi * step / corners for step in range(corners)]
        for angle in edge:
            reach = rng.uniform(0.7, 1)
            outline += [round(x + across * reach * math.cos(angle), 2), round(y + down * reach * math.sin(angle), 2)]
        left, top = min(outline[::2]), min(outline[1::2])
        size = [max(outline[::2]) - left, max(outline[1::2]) - top]
        note = {"id": number + 1, "image_id": rng.randint(1, images), "category_id": rng.randint(1, 80), "iscrowd": 0}
        notes.append({**note, "bbox": [left, top, *size], "area": size[0] * size[1], "segmentation": [outline]})
    categories = [{"id": number, "name": f"class {number}", "supercategory": "thing"} for number in range(1, 81)]
    content = {"info": {}, "licenses": [], "images": listed, "annotations": notes, "categories": categories}
    (root / "annotations" / "instances_val2017.json").write_text(json.dumps(content))


def measure(code: str, root: Path, work: Path) -> float:
    """Run one way in a process and a database of its own; return its seconds."""
    program = f"import time\nfrom pathlib import Path\nroot = Path({str(root)!r})\n{code}"
    program += "\nprint('took', time.perf_counter() - begin, count)"
    env = os.environ | {
        "FIFTYONE_DATABASE_DIR": tempfile.mkdtemp(dir=work),
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
        "PYTHONPATH": str(HERE.parent),
    }
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    found = [line.split() for line in done.stdout.splitlines() if line.startswith("took ")]
    if not found:
        raise SystemExit(done.stderr[-2000:])
    return float(found[0][1])


def main() -> None:
    """Make the files, run every way, print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="share of val2017's size")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="book-app-", ignore_cleanup_errors=True) as scratch:
        work = Path(scratch)
        make(work / "coco", options.scale)
        times = {name: [] for name in RUNS}
        for _ in range(options.repeat):
            for name, code in RUNS.items():
                times[name].append(measure(code, work / "coco", work))
    middle = {name: statistics.median(runs) for name, runs in times.items()}
    print(f"{'':42}{'seconds':>9}  all runs")
    for name, runs in times.items():
        print(f"{name:42}{middle[name]:9.2f}  {' '.join(f'{run:.2f}' for run in runs)}")
    theirs, documents, _, insert, labels, whole = middle.values()
    print(f"labels: {theirs / labels:.1f} times as fast as FiftyOne's importer (goal 5)")
    print(f"documents: {documents / labels:.1f} times as fast")
    print(f"whole: {whole / (1.1 * insert + labels):.2f} of bulk insert + 10 % + labels (goal: at most 1)")


if __name__ == "__main__":
    main()
