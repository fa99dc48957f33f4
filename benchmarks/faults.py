"""The same faults against this package, pooch and FiftyOne's downloader, side by side.

    python benchmarks/faults.py [--seconds 30] [--only WORD]

One run of each in a fresh process, bounded in time; a file of 1 MB. A cell says what lies at the target after the
run; after the arrow, what a second run gets once the fault is gone. An error is "clear" where its text names address
or file. The faults are those of ``tests/faults.py``.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from data_helpers.serve import Fault, Server

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests import faults

OURS = """
import sys
from pathlib import Path
from data_helpers.files import Part, fetch_parts
url, sha, size, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
fetch_parts([Part(name=out.name, urls=(url,), bytes=size, sha256=(sha,))], out.parent, progress=False)
"""
POOCH = """
import sys, pooch
from pathlib import Path
url, sha, out = sys.argv[1], sys.argv[2], Path(sys.argv[4])
known = {out.name: 'sha256:' + sha}
p = pooch.create(path=out.parent, base_url='', registry=known, urls={out.name: url}, retry_if_failed=3)
p.fetch(out.name, progressbar=False)
"""
ETA = """
import sys, os
import eta.core.web as web
url, out = sys.argv[1], sys.argv[4]
if not os.path.isfile(out):
    web.download_file(url, path=out, quiet=True)
"""
PEERS = {"data_helpers": OURS, "pooch": POOCH, "FiftyOne (eta)": ETA}


def _run(code: str, url: str, sha: str, size: int, out: Path, seconds: float) -> tuple[str, str]:
    """Run one peer; return how it ended and what it said."""
    environment = {**os.environ, "DATA_HELPERS_TIMEOUT": "2", "FIFTYONE_DO_NOT_TRACK": "true"}
    environment.pop("DATA_HELPERS_MIRROR", None)
    arguments = [sys.executable, "-c", code, url, sha, str(size), str(out)]
    try:
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return "HANG", ""
    return ("ok" if done.returncode == 0 else "error"), done.stderr


def _state(out: Path, body: bytes) -> str:
    if not out.is_file():
        return "nothing"
    return "right" if out.read_bytes() == body else "WRONG"


def _cell(ended: str, said: str, state: str, url: str, name: str) -> str:
    if state == "WRONG":
        return "WRONG, said ok" if ended == "ok" else f"{ended}, WRONG LEFT"
    if ended == "ok":
        return "right" if state == "right" else "said ok, nothing there"
    last = said.strip().splitlines()[-12:] if said else []
    named = any(url.split("?")[0] in line or name in line for line in last)
    return ended + ("" if ended == "HANG" or named else "*")


def _cases(only: str) -> list[tuple[str, Callable[[], Fault | None]]]:
    names = [name for name in (*faults.NAMES, "connection refused", "name not found") if only in name]
    return [(name, (lambda name=name: faults.fault(name) if name in faults.NAMES else None)) for name in names]  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("x", random.Random(0).randbytes(1_000_000))
    body = made.getvalue()
    sha = hashlib.sha256(body).hexdigest()
    counts: dict[str, Counter[str]] = {peer: Counter() for peer in PEERS}
    width = max(len(name) for name, _ in _cases(options.only)) + 2
    print(f"{'fault':{width}}" + "".join(f"{peer:36}" for peer in PEERS))
    for name, make in _cases(options.only):
        cells = []
        for peer, code in PEERS.items():
            work = Path(tempfile.mkdtemp(prefix="bench-faults-"))
            (work / "site" / "a.example").mkdir(parents=True)
            (work / "out").mkdir()
            (work / "site" / "a.example" / "x.zip").write_bytes(body)
            out = work / "out" / "x.zip"
            with Server(work / "site", fault=make()) as server:
                good = f"{server.url}a.example/x.zip"
                url = good
                if name == "connection refused":
                    with socket.socket() as probe:
                        probe.bind(("127.0.0.1", 0))
                        url = f"http://127.0.0.1:{probe.getsockname()[1]}/a.example/x.zip"
                elif name == "name not found":
                    url = "http://nowhere.invalid/a.example/x.zip"
                ended, said = _run(code, url, sha, len(body), out, options.seconds)
                first = _cell(ended, said, _state(out, body), url, out.name)
                server.fault = None
                _run(code, good, sha, len(body), out, options.seconds)
                second = _state(out, body)
            shutil.rmtree(work, ignore_errors=True)
            cells.append(first if first == second == "right" else f"{first} -> {second}")
            kind = "right" if first == "right" else "wrong or half bytes at the name" if "WRONG" in first else first
            counts[peer][kind.replace("error*", "error that names nothing").replace("nothing", "nothing")] += 1
            counts[peer]["second run: " + second] += 1
        print(f"{name:{width}}" + "".join(f"{cell:36}" for cell in cells), flush=True)
    print()
    for kind in sorted({kind for counter in counts.values() for kind in counter}):
        print(f"{kind:{width}}" + "".join(f"{counts[peer][kind]:<36}" for peer in PEERS))
    curable = sum(name in faults.CURABLE for name, _ in _cases(options.only))
    print(f"\nThe right file can be had at once in {curable} of {len(_cases(options.only))}.")


if __name__ == "__main__":
    main()
