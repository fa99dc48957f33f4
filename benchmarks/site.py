"""Lighthouse (mobile) on this book and on a default Jupyter Book, both served compressed on this machine.

Run by hand: ``python benchmarks/site.py [--runs 3] [--pages index.html,...] [--site DIR]``. Lighthouse comes from npm
into a scratch folder, or from the one that ``LIGHTHOUSE`` names; hosts other than loopback cannot be reached meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from data_helpers.serve import Server

ROOT = Path(__file__).resolve().parents[1]
CATEGORIES = {"performance": "perf", "accessibility": "a11y", "best-practices": "best", "seo": "seo"}
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --host-resolver-rules='MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'"
)


def lighthouse(scratch: Path) -> Path | None:
    """Return the program, installed into the scratch folder if need be."""
    if given := os.environ.get("LIGHTHOUSE"):
        return Path(given)
    if not shutil.which("npm"):
        return None
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", scratch, "lighthouse@12.8.2"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return scratch / "node_modules" / ".bin" / "lighthouse"


def look(program: Path, url: str, chromium: str) -> dict[str, Any]:
    """Let Lighthouse look at a page once."""
    command = [program, url, "--output=json", "--quiet", "--no-enable-error-reporting", f"--chrome-flags={FLAGS}"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "CHROME_PATH": chromium}
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def row(name: str, runs: list[dict[str, Any]]) -> list[str]:
    """A table's row: scores' medians, then what they rest on."""
    cells = [name]
    for category in CATEGORIES:
        scores = [round(100 * run["categories"][category]["score"]) for run in runs]
        cells.append(f"{statistics.median(scores):.0f}" + ("" if len(set(scores)) == 1 else f" ({min(scores)})"))

    def middle(audit: str) -> float:
        return statistics.median(run["audits"][audit]["numericValue"] for run in runs)

    cells += [f"{middle('first-contentful-paint') / 1000:.1f}", f"{middle('largest-contentful-paint') / 1000:.1f}"]
    cells += [f"{middle('total-blocking-time'):.0f}"]
    cells += [f"{max(run['audits']['cumulative-layout-shift']['numericValue'] for run in runs):.3f}"]
    items = runs[0]["audits"]["network-requests"]["details"]["items"]
    pictures = sum(item["transferSize"] for item in items if item.get("resourceType") == "Image")
    cells += [
        f"{(sum(item['transferSize'] for item in items) - pictures) / 1000:.0f}",
        f"{pictures / 1000:.0f}",
        str(len(items)),
    ]
    return cells


def default_book(scratch: Path) -> Path:
    """Build the book that ``jupyter-book create`` makes, as it comes."""
    book = scratch / "default"
    call = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    subprocess.run([*call, "create", book], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*call, "build", book], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return book / "_build" / "html"


def faults(run: dict[str, Any]) -> list[str]:
    """Audits that cost a page points outside performance."""
    found = []
    for category in list(CATEGORIES)[1:]:
        for reference in run["categories"][category]["auditRefs"]:
            audit = run["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < 1:
                found.append(f"{category}: {audit['title']}")
    return found


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pages", default="", help="pages of this book, separated by commas")
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--no-peer", action="store_true", help="leave the default Jupyter Book out")
    arguments = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium or not (arguments.site / "index.html").is_file():
        print("Skipped: needs Chromium and a built book (make book).")
        return 0
    with tempfile.TemporaryDirectory(prefix="book-bench-") as folder:
        scratch = Path(folder)
        program = lighthouse(scratch)
        if program is None:
            print("Skipped: needs npm, or LIGHTHOUSE naming the program.")
            return 0
        site = arguments.site
        pages = [page for page in arguments.pages.split(",") if page]
        if not pages:
            notebooks = sorted((site / "notebooks").glob("*.html"), key=lambda path: -path.stat().st_size)
            chosen = [*sorted((site / "chapters").glob("*.html")), *notebooks[:1]]
            pages = ["index.html", *(path.relative_to(site).as_posix() for path in chosen)]
        books = [("this book", site, pages)]
        if not arguments.no_peer:
            books.append(
                ("default Jupyter Book", default_book(scratch), ["intro.html", "notebooks.html", "markdown.html"])
            )
        head = ["page", *CATEGORIES.values(), "FCP s", "LCP s", "TBT ms", "CLS", "kB", "pictures kB", "requests"]
        print(f"Lighthouse, mobile, {arguments.runs} runs a page: medians, in brackets the worst where runs differ")
        print("| " + " | ".join(head) + " |\n|" + "---|" * len(head), flush=True)
        lost: dict[str, list[str]] = {}
        for name, root, its in books:
            # Ours as `make serve` serves it; the peer by the same server, so that the server is no difference.
            with Server(root) as server:
                for page in its:
                    runs = [look(program, f"{server.url}{page}", chromium) for _ in range(arguments.runs)]
                    print("| " + " | ".join(row(f"{name}: {page}", runs)) + " |", flush=True)
                    if found := faults(runs[0]):
                        lost[f"{name}: {page}"] = found
        for page, found in lost.items():
            print(f"{page}: {'; '.join(found)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
