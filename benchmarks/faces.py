"""Measure LFW's lists and CASIA's packs: ``python benchmarks/faces.py [--records 500000] [--lists FOLDER]``.

Beside us stands what people do without this package: LFW's lists by facenet's way of reading them (``split`` and no
check), and a pack by a plain loop over MXNet's format, written from its documentation. MXNet itself is retired. Lists
are the real ones where there are any (``DATA_HELPERS_REAL``), else made by the same rules and of the same size. Each
figure is the best of three runs, files in the system's cache.
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from data_helpers import casia, lfw  # noqa: E402

MAGIC = 0xCED7230A
PICTURE = b"\xff\xd8" + bytes(range(1, 251)) * 12 + b"\xff\xd9"


def best(call: Callable[[], Any], times: int = 3) -> float:
    """Return the shortest time of several runs, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return min(taken)


def plain_pairs(path: Path) -> list[list[str]]:
    """Read pairs as facenet does: no check, no fold, no header."""
    with path.open() as lines:
        return [line.strip().split() for line in lines.readlines()[1:]]


def plain_loop(rec: Path, idx: Path) -> int:
    """Read every record by a plain loop over MXNet's format: no parts, no checks; return the pictures' bytes."""
    offsets = sorted(int(line.split("\t")[1]) for line in idx.read_text().splitlines())
    total = 0
    with rec.open("rb") as file:
        for offset in offsets:
            file.seek(offset)
            _, length = struct.unpack("<II", file.read(8))
            data = file.read(length & 0x1FFFFFFF)
            flag, _, _, _ = struct.unpack("<IfQQ", data[:24])
            total += len(data[24 + 4 * flag :])
    return total


def our_records(rec: Path, idx: Path) -> int:
    """Read every record with every check; return the pictures' bytes."""
    return sum(len(record.picture) for record in casia.read_records(rec, idx))


def raw(rec: Path) -> int:
    """Read the file and do nothing: the disk's own speed."""
    total = 0
    with rec.open("rb", buffering=0) as file:
        while data := file.read(1 << 20):
            total += len(data)
    return total


def make_pack(folder: Path, records: int) -> tuple[Path, Path]:
    """Write a pack of so many pictures: a header record, pictures of 50 each, identity records."""
    people = -(-records // 50)
    rec, idx = folder / "train.rec", folder / "train.idx"
    place = 0
    with rec.open("wb") as file, idx.open("w") as index:

        def put(key: int, flag: int, label: float, rest: bytes) -> None:
            nonlocal place
            data = struct.pack("<IfQQ", flag, label, key, 0) + rest
            framed = struct.pack("<II", MAGIC, len(data)) + data + b"\0" * (-len(data) % 4)
            index.write(f"{key}\t{place}\n")
            file.write(framed)
            place += len(framed)

        put(0, 2, 0.0, struct.pack("<2f", records + 1, records + 1 + people))
        for key in range(1, records + 1):
            put(key, 0, float((key - 1) // 50), PICTURE)
        for one in range(people):
            put(records + 1 + one, 2, 0.0, struct.pack("<2f", 50 * one + 1, min(records, 50 * one + 50) + 1))
    return rec, idx


def lists(folder: Path) -> tuple[Path, Path]:
    """Return the real lists of names and pairs, or made ones of the same size."""
    real = Path(os.environ.get("DATA_HELPERS_REAL") or ROOT.parent / "shared" / "real") / "lfw"
    names, pairs = real / "happynear_FaceDatasets/CASIA/lfw-names.txt", real / "davidsandberg_facenet/data/pairs.txt"
    if names.is_file() and pairs.is_file():
        return names, pairs
    counts = [530, 236, 144, 121, 109] + [10] * 150 + [3] * 1500 + [1] * 4094
    people = [(f"Person_{number:05d}", count) for number, count in enumerate(counts)]
    names, pairs = folder / "lfw-names.txt", folder / "pairs.txt"
    names.write_text("".join(f"{name}\t{count}\n" for name, count in people))
    rows = ["10\t300"]
    for fold in range(10):
        rows += [f"{people[fold][0]}\t{n}\t{n + 1}" for n in range(1, 301)] if fold == 0 else []
        rows += [f"{people[5 + n // 5][0]}\t1\t{2 + n % 5}" for n in range(300)] if fold else []
        rows += [f"{people[n][0]}\t1\t{people[n + 1][0]}\t1" for n in range(300)]
    pairs.write_text("\n".join(rows) + "\n")
    return names, pairs


def peak(code: str) -> str:
    """Return the most memory that a process of its own takes: before some code, and while it runs (Linux alone)."""
    high = "int(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]) / 1024"
    program = (
        f"import sys; sys.path.insert(0, sys.argv[1]); from benchmarks.faces import *; a = {high}; {code}; b = {high}"
    )
    program += "; print(f'{a:.0f} MB before, {b:.0f} MB at most')"
    if not Path("/proc/self/status").is_file():
        return "not measured on this system"
    return subprocess.run([sys.executable, "-c", program, str(ROOT)], capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="Measure LFW's lists and CASIA's packs.")
    parser.add_argument("--records", type=int, default=500_000, help="pictures in the pack (each 3 kB)")
    parser.add_argument("--work", type=Path, help="folder for the pack; by default a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        names, pairs = lists(Path(work))
        people = lfw.read_names(names)

        def everything() -> int:
            return len(lfw.matched_pairs(lfw.read_names(names))) + len(lfw.read_pairs(pairs))

        print(f"LFW: {len(people):,} people, {len(lfw.matched_pairs(people)):,} matched pairs that exist")
        print(f"  names, pairs and all matched pairs, ours      {best(everything):8.3f} s")
        print(f"  pairs.txt, ours, every line checked           {best(lambda: lfw.read_pairs(pairs)):8.3f} s")
        print(f"  pairs.txt, facenet's way, nothing checked     {best(lambda: plain_pairs(pairs)):8.3f} s")
        rec, idx = make_pack(Path(work), options.records)
        size = rec.stat().st_size
        entries = len(casia.read_index(idx))
        print(f"Pack: {options.records:,} pictures, {entries:,} records, {size / 1e6:,.0f} MB")
        print(f"  index opened, ours                            {best(lambda: casia.read_index(idx)):8.3f} s")
        for title, call in (
            ("file read and left, the disk's own speed", lambda: raw(rec)),
            ("records, a plain loop, nothing checked", lambda: plain_loop(rec, idx)),
            ("records, ours, every check", lambda: our_records(rec, idx)),
        ):
            taken = best(call)
            print(f"  {title:45} {taken:8.3f} s  {size / taken / 1e6:8,.0f} MB/s")
        assert plain_loop(rec, idx) == our_records(rec, idx)
        print(f"  summary of the pack, ours                     {best(lambda: casia.scan(Path(work)), 1):8.3f} s")
        code = f"our_records(Path({str(rec)!r}), Path({str(idx)!r}))"
        print(f"  memory while all records are read, ours       {peak(code).strip()}")


if __name__ == "__main__":
    main()
