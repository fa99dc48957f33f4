"""Fetching, side by side with peers, from servers on this machine: one large file, many small ones, fifty of COCO.

    python benchmarks/fetch.py [big] [many] [coco] [class] [--megabytes 1000] [--repeats 3] [--peers]

Each figure is the median of fresh processes; "call" leaves imports out; peak is the process's largest resident memory.
``--peers`` adds the slow ones (pooch, FiftyOne, img2dataset). Sources are files of noise: nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
import zipfile
from pathlib import Path
from typing import Any

from data_helpers.serve import Server


def _serve(folder: str, delay: float, host: str, pipe: Any) -> None:
    with Server(folder, host, delay=delay) as server:
        pipe.send(server.url)
        while pipe.recv() == "sent":
            pipe.send((server.sent, len(server.requests)))
            server.sent = 0
            server.requests.clear()


class Remote:
    """A server in a process of its own, so that it does not take the client's turn."""

    def __init__(self, folder: Path, delay: float = 0.0, host: str = "127.0.0.1") -> None:
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=_serve, args=(str(folder), delay, host, other), daemon=True)
        self.process.start()
        self.url = self.pipe.recv()

    def sent(self) -> tuple[int, int]:
        """Return bytes and requests since the last call."""
        self.pipe.send("sent")
        return self.pipe.recv()

    def stop(self) -> None:
        self.pipe.send("stop")
        self.process.join(5)


REPORT = """
import json, resource, time
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
begun = time.perf_counter()
{call}
print(json.dumps([time.perf_counter() - begun, peak() / 1024]))
"""


def run(imports: str, call: str, work: Path, **environment: str) -> tuple[float, float]:
    """Run a piece of Python in a fresh process and return the call's seconds and the peak in MB."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    code = textwrap.dedent(imports) + REPORT.replace("{call}", textwrap.dedent(call))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FIFTYONE_DO_NOT_TRACK": "true", **environment},
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def table(title: str, head: list[str], rows: list[list[object]]) -> None:
    print(f"\n{title}\n")
    lines = [head, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


CURL = "import subprocess"


def big(work: Path, megabytes: int, repeats: int, peers: bool) -> None:
    """One large file, SHA-256 included where the peer has one."""
    host = work / "site" / "big.example"
    host.mkdir(parents=True)
    path, sha = host / "file.bin", __import__("hashlib").sha256()
    block = random.Random(0).randbytes(1_000_000)
    with path.open("wb") as file:
        for number in range(megabytes):
            piece = number.to_bytes(8, "little") + block[8:]
            sha.update(piece)
            file.write(piece)
    server = Remote(work / "site")
    url, size, digest = f"{server.url}big.example/file.bin", path.stat().st_size, sha.hexdigest()
    ours = f"fetch_parts([Part(name='file.bin', urls=({url!r},), bytes={size}, sha256=({digest!r},))], Path('out'))"
    runs = {
        "curl, no hash": (CURL, f"subprocess.run(['curl', '-sSfo', 'file.bin', {url!r}], check=True)"),
        "curl, then sha256sum": (
            CURL,
            f"subprocess.run('curl -sSfo file.bin {url} && sha256sum file.bin', shell=True, check=True, stdout=-3)",
        ),
        "data_helpers, SHA-256": ("from data_helpers.files import Part, fetch_parts; from pathlib import Path", ours),
    }
    if peers:
        runs["pooch, SHA-256"] = (
            "import pooch",
            f"pooch.retrieve({url!r}, 'sha256:{digest}', path='.', fname='f', progressbar=False)",
        )
        runs["FiftyOne (eta), no hash"] = (
            "import eta.core.web as web",
            f"web.download_file({url!r}, path='f', quiet=True)",
        )
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, (imports, call) in runs.items():
            found[name].append(run(imports, call, work / "w"))
    server.stop()
    base = statistics.median(seconds for seconds, _ in found["curl, no hash"])
    rows = [
        [
            name,
            f"{size / 1e6 / statistics.median(s for s, _ in got):,.0f}",
            f"{base / statistics.median(s for s, _ in got):.2f}",
            " ".join(f"{size / 1e6 / s:,.0f}" for s, _ in got),
            f"{max(p for _, p in got):,.0f}",
        ]
        for name, got in found.items()
    ]
    table(f"One file of {megabytes:,} MB", ["peer", "MB/s", "/ curl", "all runs", "peak MB"], rows)
    shutil.rmtree(work / "w", ignore_errors=True)


def many(work: Path, repeats: int, peers: bool, count: int = 2000) -> None:
    """Many pictures, 20 ms before each answer."""
    host = work / "site" / "many.example"
    host.mkdir(parents=True)
    rng = random.Random(1)
    for number in range(count):
        body = b"\xff\xd8\xff\xe0" + rng.randbytes(rng.randint(100_000, 200_000)) + b"\xff\xd9"
        (host / f"{number:05}.jpg").write_bytes(body)
    server = Remote(work / "site", delay=0.02)
    base = f"{server.url}many.example/"
    (work / "curl.txt").write_text("".join(f'url = "{base}{n:05}.jpg"\noutput = "{n:05}.jpg"\n' for n in range(count)))
    (work / "urls.txt").write_text("".join(f"{base}{n:05}.jpg\n" for n in range(count)))
    ours = f"""
    parts = [Part(name=f'{{n:05}}.jpg', urls=(f'{base}{{n:05}}.jpg',), bytes=150_000, estimated=True)
             for n in range({count})]
    fetch_parts(parts, Path('out'))
    assert len(list(Path('out').glob('*.jpg'))) == {count}
    """
    runs = {
        "curl -Z, 32": (CURL, f"subprocess.run(['curl', '-sSfZ', '--parallel-max', '32', '-K', '{work}/curl.txt'])"),
        "data_helpers": ("from data_helpers.files import Part, fetch_parts; from pathlib import Path", ours),
    }
    if peers:
        runs["FiftyOne, its default workers"] = (
            "import multiprocessing.dummy, eta.core.web as web, fiftyone.core.utils as fou",
            f"""
            with multiprocessing.dummy.Pool(fou.recommend_thread_pool_workers()) as pool:
                names = [f'{{n:05}}.jpg' for n in range({count})]
                pool.map(lambda name: web.download_file('{base}' + name, path=name, quiet=True), names)
            """,
        )
        runs["img2dataset, 2 x 32"] = (
            "from img2dataset import download",
            f"download('{work}/urls.txt', processes_count=2, thread_count=32, output_folder='out', "
            "output_format='files', resize_mode='no', disable_all_reencoding=True, enable_wandb=False)",
        )
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, (imports, call) in runs.items():
            found[name].append(run(imports, call, work / "w"))
    server.stop()
    base_seconds = statistics.median(s for s, _ in found["curl -Z, 32"])
    rows = [
        [
            name,
            f"{statistics.median(s for s, _ in got):.2f}",
            f"{statistics.median(s for s, _ in got) / base_seconds:.2f}",
            " ".join(f"{s:.2f}" for s, _ in got),
            f"{max(p for _, p in got):,.0f}",
        ]
        for name, got in found.items()
    ]
    table(f"{count:,} pictures of 150 kB, 20 ms each", ["peer", "seconds", "x curl", "all runs", "peak MB"], rows)
    shutil.rmtree(work / "w", ignore_errors=True)


def twin(folder: Path) -> dict[str, int]:
    """Build COCO's host at full size: a list of 5,000 pictures, an archive of 250 MB, 60 pictures. Returns sizes."""
    rng = random.Random(2)
    host = folder / "images.cocodataset.org"
    (host / "annotations").mkdir(parents=True)
    (host / "val2017").mkdir()
    categories = [{"id": n, "name": name, "supercategory": "x"} for n, name in enumerate(("person", "dog", "cat"), 1)]
    images, notes = [], []
    for number in range(5000):
        name = f"{number * 117 + 139:012}.jpg"
        url = f"http://images.cocodataset.org/val2017/{name}"
        images.append({"id": number * 117 + 139, "file_name": name, "width": 640, "height": 480, "license": 1,
                       "coco_url": url, "flickr_url": url})  # fmt: skip
        for _ in range(7):
            polygon = [round(rng.uniform(0, 480), 2) for _ in range(48)]
            notes.append({"id": len(notes) + 1, "image_id": images[-1]["id"], "category_id": rng.choice((1, 1, 2, 3)),
                          "segmentation": [polygon], "area": round(rng.uniform(10, 9e4), 4), "iscrowd": 0,
                          "bbox": [round(rng.uniform(0, 300), 2) for _ in range(4)]})  # fmt: skip
    licences = [{"id": 1, "name": "CC BY 2.0", "url": "http://creativecommons.org/licenses/by/2.0/"}]
    lists = {"info": {}, "licenses": licences, "images": images, "annotations": notes, "categories": categories}
    for image in images[:60]:
        body = b"\xff\xd8\xff\xe0" + rng.randbytes(rng.randint(100_000, 200_000)) + b"\xff\xd9"
        (host / "val2017" / image["file_name"]).write_bytes(body)
    archive = host / "annotations" / "annotations_trainval2017.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as made:
        made.writestr("annotations/instances_train2017.json", rng.randbytes(150_000_000))
        made.writestr(
            "annotations/instances_val2017.json", json.dumps(lists), compress_type=zipfile.ZIP_DEFLATED, compresslevel=6
        )
        for name, size in (("captions_train2017", 20), ("captions_val2017", 1), ("person_keypoints_train2017", 70)):
            made.writestr(f"annotations/{name}.json", rng.randbytes(size * 1_000_000))
        made.writestr("annotations/person_keypoints_val2017.json", rng.randbytes(2_500_000))
    with zipfile.ZipFile(archive) as made:
        member = made.getinfo("annotations/instances_val2017.json").compress_size
        listed = archive.stat().st_size - made.start_dir
    return {"member": member, "directory": listed, "archive": archive.stat().st_size}


def coco(work: Path, repeats: int, peers: bool) -> None:
    """The first fifty annotated pictures of val2017."""
    sizes = twin(work / "twin")
    pictures = sorted((work / "twin" / "images.cocodataset.org" / "val2017").iterdir())[:50]
    bound = sizes["member"] + sizes["directory"] + sum(path.stat().st_size for path in pictures)
    server = Remote(work / "twin")
    ours = """
    root = data_helpers.fetch('coco', split='val2017', max_samples=50, label_types=['boxes'], root='coco')
    assert len(list(root.glob('val2017/*.jpg'))) == 50
    """
    runs = {
        "data_helpers.fetch": (
            "import data_helpers, data_helpers.coco.fetching",
            ours,
            {"DATA_HELPERS_MIRROR": server.url},
        )
    }
    if peers:
        runs["FiftyOne's zoo"] = (
            "import fiftyone.zoo as zoo",
            "zoo.download_zoo_dataset('coco-2017', splits=['validation'], max_samples=50, label_types=['detections'],"
            " dataset_dir='coco')",
            {"http_proxy": server.url, "FIFTYONE_DATABASE_DIR": str(work / "db")},
        )
    rows = []
    for name, (imports, call, environment) in runs.items():
        seconds = []
        for _ in range(repeats):
            server.sent()
            second, peak = run(imports, call, work / "w", **environment)
            moved, requests = server.sent()
            seconds.append(second)
        rows.append(
            [name, f"{moved:,}", f"{moved / bound:.3f}", requests, f"{statistics.median(seconds):.2f}", f"{peak:,.0f}"]
        )
    server.stop()
    head = ["peer", "bytes moved", "x lower bound", "requests", "seconds", "peak MB"]
    table(f"Fifty pictures of val2017; lower bound {bound:,} bytes, archive {sizes['archive']:,}", head, rows)
    shutil.rmtree(work / "w", ignore_errors=True)


def _student(url: str, place: str, pipe: Any) -> None:
    os.environ["DATA_HELPERS_MIRROR"] = url
    import data_helpers

    begun = time.perf_counter()
    root = data_helpers.fetch(
        "coco", split="val2017", max_samples=50, label_types=["boxes"], root=place, progress=False
    )
    pipe.put((time.perf_counter() - begun, len(list(root.glob("val2017/*.jpg")))))


def classroom(work: Path, students: int = 30) -> None:
    """One teacher's mirror, thirty students at once: fifty pictures and their list for each."""
    twin(work / "twin")
    source = Remote(work / "twin")
    os.environ["DATA_HELPERS_MIRROR"] = source.url
    import data_helpers
    from data_helpers.files import lay_out

    root = data_helpers.fetch(
        "coco", split="val2017", max_samples=50, label_types=["boxes"], root=work / "teacher", progress=False
    )
    source.stop()
    mirror = Remote(lay_out(root, work / "mirror"))
    pipe = multiprocessing.Queue()
    clients = [
        multiprocessing.Process(target=_student, args=(mirror.url, str(work / f"student{n}"), pipe))
        for n in range(students)
    ]
    begun = time.perf_counter()
    for client in clients:
        client.start()
    found = [pipe.get(timeout=300) for _ in clients]
    took = time.perf_counter() - begun
    moved, requests = mirror.sent()
    mirror.stop()
    times = sorted(seconds for seconds, _ in found)
    whole = sum(count == 50 for _, count in found)
    head = ["students", "served whole", "seconds, all", "median", "slowest", "MB", "MB/s", "requests"]
    row = [students, whole, f"{took:.1f}", f"{statistics.median(times):.1f}", f"{times[-1]:.1f}",
           f"{moved / 1e6:,.0f}", f"{moved / 1e6 / took:,.0f}", requests]  # fmt: skip
    table("A classroom mirror", head, [row])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["big", "many", "coco", "class"])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    for name in options.what:
        with tempfile.TemporaryDirectory(prefix="bench-fetch-") as folder:
            work = Path(folder)
            if name == "big":
                big(work, options.megabytes, options.repeats, options.peers)
            elif name == "many":
                many(work, options.repeats, options.peers)
            elif name == "coco":
                coco(work, options.repeats, options.peers)
            else:
                classroom(work)


if __name__ == "__main__":
    main()
