"""How long until something happens: importing the package, and the command line up to the first gallery.

Each in fresh processes, Python's own start beside it. The house aims at 0.3 s for the import and 2 s for the gallery.

    python benchmarks/start.py [--repeat 5]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds(command: list[str], repeat: int) -> list[float]:
    """Run a command several times and return the seconds that each run took."""
    taken = []
    for _ in range(repeat):
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - begin)
    return taken


def main() -> None:
    """Measure and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repeat", type=int, default=5, help="runs of each command (5)")
    repeat = options.parse_args().repeat
    with tempfile.TemporaryDirectory() as scratch:
        page = str(Path(scratch) / "coco.html")
        python = sys.executable
        commands = {
            "python -c pass": [python, "-c", "pass"],
            "import data_helpers": [python, "-c", "import data_helpers"],
            "data_helpers gallery coco": [python, "-m", "data_helpers", "gallery", "coco", "--output", page],
            "data_helpers summary coco": [python, "-m", "data_helpers", "summary", "coco"],
        }
        for peer in ("pycocotools.coco", "fiftyone"):
            if importlib.util.find_spec(peer.partition(".")[0]):
                commands[f"import {peer}"] = [python, "-c", f"import {peer}"]
        print(f"{'command':30}{'median s':>9}  all runs")
        for name, command in commands.items():
            runs = seconds(command, repeat)
            print(f"{name:30}{statistics.median(runs):9.2f}  {' '.join(f'{run:.2f}' for run in runs)}", flush=True)
    code = "import sys, data_helpers; print(sorted({'fiftyone', 'matplotlib', 'numpy', 'urllib3'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    print(f"of FiftyOne, Matplotlib, NumPy and urllib3, the import loads: {loaded.stdout.strip()}")


if __name__ == "__main__":
    main()
