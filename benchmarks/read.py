"""COCO's largest annotation file, read by us and by the peers, each in a fresh process on the same file.

The file is made here: as many pictures, annotations and bytes as ``instances_train2017.json`` has by the card, outlines
with the distribution of corners that real ones have. Prints seconds of the call alone, on the clock and of
the processors (the fairer ones on a busy machine), and the peak memory of all its processes.

    python benchmarks/read.py [--scale 0.1] [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

IMAGES, ANNOTATIONS, CROWDS, BYTES = 118_287, 860_001, 10_052, 466_091_294

READERS = {
    "pycocotools.coco.COCO": "from pycocotools.coco import COCO; call = lambda: COCO(str(path))",
    "json.load": "import json; call = lambda: json.load(path.open())",
    "orjson.loads": "import orjson; call = lambda: orjson.loads(path.read_bytes())",
    "coco.scan (summary)": "from data_helpers import coco; call = lambda: coco.scan(root)",
    "coco.read, every sample": """
        from data_helpers import coco; from data_helpers.samples import Selection
        call = lambda: sum(len(sample.labels['boxes']) for sample in coco.read(root, Selection()))""",
    "coco.read_file (floor)": "from data_helpers import coco; call = lambda: coco.read_file(path)",
}

PROGRAM = """
import contextlib, io, resource, sys, time
from pathlib import Path
root = Path(sys.argv[1]); path = root / 'annotations' / 'instances_train2017.json'
{setup}
begin, used = time.perf_counter(), time.process_time()
with contextlib.redirect_stdout(io.StringIO()):
    result = call()
took, used = time.perf_counter() - begin, time.process_time() - used
# Where the work was shared with another process, its time and its memory count too.
other = resource.getrusage(resource.RUSAGE_CHILDREN)
peak = next((line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')), '0')
print(took, used + other.ru_utime + other.ru_stime, (int(peak) + other.ru_maxrss) / 1024)
"""


def outlines(rng: random.Random, count: int, digits: float) -> list[str]:
    """Make outlines: corners follow the long-tailed distribution of real ones, one object in ten has several parts."""
    made = []
    for _ in range(count):
        parts = []
        for _ in range(1 if rng.random() > 0.1 else rng.randint(2, 4)):
            corners = max(3, min(400, int(rng.lognormvariate(2.85, 0.75) * digits)))
            parts.append([round(rng.uniform(0, 640), 2) for _ in range(2 * corners)])
        made.append(json.dumps(parts))
    return made


def make(root: Path, scale: float) -> Path:
    """Write the annotation file."""
    rng = random.Random(2017)
    path = root / "annotations" / "instances_train2017.json"
    path.parent.mkdir(parents=True)
    images, annotations = int(IMAGES * scale), int(ANNOTATIONS * scale)
    # A crowd is a run-length code of the picture; the real ones have about 1,200 runs.
    runs = [rng.randint(1, 255) for _ in range(1_199)]
    crowd = json.dumps({"counts": [*runs, 480 * 640 - sum(runs)], "size": [480, 640]})
    # What stands around the outlines, pictures included, takes about 200 bytes for each; the corners are scaled until
    # the file has the real size.
    wanted = (BYTES - CROWDS * len(crowd)) / ANNOTATIONS - 200
    pool = outlines(rng, 20_000, 1.0)
    pool = outlines(rng, 20_000, wanted / (sum(map(len, pool)) / len(pool)))
    numbers = rng.sample(range(1, 581_930), images)
    categories = [number for number in range(1, 91) if number not in {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}]
    with path.open("w") as file:
        file.write(
            '{"info": {"year": 2017}, "licenses": [{"url": "http://creativecommons.org/licenses/by/2.0/", "id": 1, '
        )
        file.write('"name": "Attribution License"}], "images": [')
        picture = (
            '{{"license": 1, "file_name": "{0:012d}.jpg", "height": 480, "width": 640, "id": {0}, '
            '"coco_url": "http://images.cocodataset.org/train2017/{0:012d}.jpg", '
            '"date_captured": "2013-11-14 11:18:45", "flickr_url": '
            '"http://farm3.staticflickr.com/2836/{0}_d6bc0e_z.jpg"}}'
        )
        file.write(", ".join(map(picture.format, numbers)))
        file.write('], "annotations": [')
        for index in range(annotations):
            image = numbers[index] if index < images else rng.choice(numbers)
            group = index % (ANNOTATIONS // CROWDS) == 1
            x, y, w, h = (round(rng.uniform(1, 239), 2) for _ in range(4))
            file.write(
                f'{", " if index else ""}{{"segmentation": {crowd if group else rng.choice(pool)}, '
                f'"area": {w * h / 2:.4f}, "iscrowd": {int(group)}, "image_id": {image}, "bbox": [{x}, {y}, {w}, {h}], '
                f'"category_id": {rng.choice(categories)}, "id": {900_000_000_000 + index if group else index + 1}}}'
            )
        file.write('], "categories": [')
        file.write(", ".join(f'{{"supercategory": "thing", "id": {n}, "name": "class {n}"}}' for n in categories))
        file.write("]}")
    return path


def main() -> None:
    """Make the file, run every reader, print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--scale", type=float, default=1.0, help="part of the full size (1.0)")
    options.add_argument("--repeat", type=int, default=3, help="fresh processes for each reader (3)")
    options.add_argument("--keep", type=Path, help="make the file in this folder and leave it there")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = chosen.keep or Path(scratch)
        path = root / "annotations" / "instances_train2017.json"
        if not path.is_file():
            make(root, chosen.scale)
        print(f"{path.name}: {path.stat().st_size:,} bytes, made here ({chosen.scale:g} of the real size)", flush=True)
        runs: dict[str, list[tuple[float, ...]]] = {name: [] for name in READERS}
        missing: dict[str, str] = {}
        # Round by round: a machine whose speed changes within minutes is then as slow for one reader as for the next.
        for _ in range(chosen.repeat):
            for name in [name for name in READERS if name not in missing]:
                program = PROGRAM.format(setup=textwrap.dedent(READERS[name]))
                done = subprocess.run([sys.executable, "-c", program, str(root)], capture_output=True, text=True)
                if done.returncode:
                    missing[name] = done.stderr.strip().splitlines()[-1][:80]
                else:
                    runs[name].append(tuple(map(float, done.stdout.split())))
        report(runs, missing)


def report(runs: dict[str, list[tuple[float, ...]]], missing: dict[str, str]) -> None:
    """Print medians: seconds, memory, and how many times faster than the peer of the same round."""
    print(f"{'reader':27}{'clock s':>9}{'times':>7}{'cpu s':>8}{'times':>7}{'MB':>7}{'share':>7}  all runs, clock")
    peer = next(iter(runs.values()))
    for name, found in runs.items():
        if name in missing:
            print(f"{name:27}{missing[name]}")
            continue
        took, used, peak = (statistics.median(column) for column in zip(*found, strict=True))
        pairs = list(zip(peer, found, strict=True))
        clock, processor = (statistics.median(base[at] / own[at] for base, own in pairs) for at in (0, 1))
        share = peak / statistics.median(run[2] for run in peer)
        every = " ".join(f"{run[0]:.2f}" for run in found)
        print(f"{name:27}{took:9.2f}{clock:7.1f}{used:8.2f}{processor:7.1f}{peak:7.0f}{share:7.2f}  {every}")


if __name__ == "__main__":
    main()
