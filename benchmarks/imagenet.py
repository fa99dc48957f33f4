"""Index a train archive of ImageNet's size, a tar of tars with tiny members: one pass, then the cached index.

Run: python benchmarks/imagenet.py [--images N]. Needs about 1.4 GB of disk; the members hold 16 bytes each,
beginning as a JPEG does. The peer is Python's tarfile on the same archive.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from data_helpers import imagenet

OURS = """
import sys, time, resource
from pathlib import Path
from data_helpers import imagenet
start = time.perf_counter(); tar = imagenet.index(sys.argv[1]); took = time.perf_counter() - start
start = time.perf_counter(); wnid = tar.groups[500]; places = tar.of(wnid)
for place in places.tolist(): tar.read(place)
print(f"{len(tar):,} pictures in {took:.2f} s; the {len(places):,} of {wnid} read in "
      f"{1000 * (time.perf_counter() - start):.0f} ms; "
      f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB")
import data_helpers
start = time.perf_counter(); found = data_helpers.summary("imagenet", Path(sys.argv[1]).parent)
count = sum(1 for _ in data_helpers.read("imagenet", Path(sys.argv[1]).parent, classes=wnid))
print(f"  summary of {found['images']:,} and {count:,} samples of a class in {time.perf_counter() - start:.2f} s; "
      f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB")
"""
PEER = """
import sys, time, tarfile, resource
start = time.perf_counter(); count = 0
with tarfile.open(sys.argv[1]) as outer:
    for entry in outer:
        with tarfile.open(fileobj=outer.extractfile(entry)) as inner:
            count += sum(1 for _ in inner)
print(f"{count:,} pictures in {time.perf_counter() - start:.2f} s; "
      f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB")
"""


def make(path: Path, images: int) -> None:
    """Write the archive: the thousand classes, the pictures shared out evenly."""
    wnids = imagenet.convert(range(1000), "index", "wnid")
    with path.open("wb") as outer:
        for number, wnid in enumerate(wnids):
            inner = bytearray()
            for place in range(images // 1000 + (number < images % 1000)):
                entry = tarfile.TarInfo(f"{wnid}_{place * 3}.JPEG")
                entry.size = 16
                inner += entry.tobuf(tarfile.GNU_FORMAT) + b"\xff\xd8\xff".ljust(512, b"\0")
            inner += bytes(1024)
            entry = tarfile.TarInfo(f"{wnid}.tar")
            entry.size = len(inner)
            outer.write(entry.tobuf(tarfile.GNU_FORMAT) + inner)
        outer.write(bytes(1024))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=1_281_167)
    images = options.parse_args().images
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "ILSVRC2012_img_train.tar"
        make(path, images)
        env = os.environ | {"DATA_HELPERS_HOME": str(Path(work) / "home")}
        print(f"archive: {path.stat().st_size:,} bytes")
        for name, code in (("first pass", OURS), ("cached index", OURS), ("tarfile, the peer", PEER)):
            done = subprocess.run([sys.executable, "-c", code, str(path)], env=env, capture_output=True, text=True)
            print(f"{name}: {(done.stdout or done.stderr[-500:]).strip()}", flush=True)


if __name__ == "__main__":
    main()
