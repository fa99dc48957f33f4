"""Take the pictures of FiftyOne's App that the notebooks show: ``make screenshots``.

The App on a dataset's miniature, seen by headless Chromium, is stored as ``notebooks/figures/<stem>-app.webp``, at most
200 kB. One a dataset is enough; a stem or more on the command line takes those alone.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT)]

import database  # noqa: E402

SIZE = {"width": 1280, "height": 800}
LIMIT = 200_000
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def shoot(browser: Any, url: str) -> bytes:
    """Wait until the App's grid has its pictures, and return a PNG."""
    page = browser.new_page(viewport=SIZE, device_scale_factor=1, color_scheme="light")
    try:
        page.goto(url, wait_until="domcontentloaded")
        # The grid is drawn on canvases inside elements that FiftyOne calls lookers.
        page.wait_for_selector("canvas", timeout=60_000)
        with contextlib.suppress(Exception):
            page.get_by_text("Dismiss", exact=True).click(timeout=5_000)
        page.wait_for_timeout(6_000)
        return bytes(page.screenshot())
    finally:
        page.close()


def store(png: bytes, path: Path) -> int:
    """Store a picture as WebP of at most `LIMIT` bytes; return its size."""
    with Image.open(io.BytesIO(png)) as image:
        for quality in (85, 75, 65, 50, 35):
            packed = io.BytesIO()
            image.convert("RGB").save(packed, "WEBP", quality=quality, method=6)
            if packed.tell() <= LIMIT:
                break
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed.getvalue())
    return packed.tell()


def main() -> int:
    """Take the App's picture for each dataset whose notebook shows one."""
    parser = argparse.ArgumentParser(description="Take the pictures of FiftyOne's App.")
    parser.add_argument("stems", nargs="*", help="default: every dataset whose notebook shows figures/<stem>-app.webp")
    options = parser.parse_args()
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        print("No Chromium on this machine: install it, or set CHROMIUM to its path.", file=sys.stderr)
        return 1
    stems = options.stems or [
        stem
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        if f"figures/{(stem := path.stem)}-app.webp" in path.read_text(encoding="utf-8")
    ]
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="book-app-", ignore_cleanup_errors=True))
        os.environ["FIFTYONE_DATABASE_URI"] = stack.enter_context(database.server(Path(scratch)))
        os.environ |= {"FIFTYONE_DATABASE_NAME": "screenshots", "FIFTYONE_DO_NOT_TRACK": "true"}
        from playwright.sync_api import sync_playwright

        import data_helpers

        playwright = stack.enter_context(sync_playwright())
        flags = [*FLAGS.split(), "--disable-component-update", "--disable-sync"]
        browser = stack.enter_context(playwright.chromium.launch(executable_path=program, args=flags))
        for stem in stems:
            problems = data_helpers.summary(stem)["problems"]
            dataset = data_helpers.to_fiftyone(data_helpers.read(stem), f"{stem}-miniature", problems=problems)
            dataset.delete_samples([sample.id for sample in dataset if not Path(sample.filepath).is_file()])
            session = data_helpers.explore(dataset, remote=True, port=_port())
            path = ROOT / "notebooks" / "figures" / f"{stem}-app.webp"
            size = store(shoot(browser, f"http://localhost:{session.server_port}/datasets/{dataset.name}"), path)
            session.close()
            print(f"{path.relative_to(ROOT)}: {size:,} bytes")
    return 0


def _port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
