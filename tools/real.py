"""With the internet: check the book against the real data. Called by ``make real`` and by the weekly workflow.

1. Fetch the sample of every dataset that allows one, and run its notebooks on it, uncompared.
2. Count what the cards call computed, where the files can be had, and fail where a card disagrees.
3. Ask Flickr for the authors of the photographs that the miniatures use, and write their names into
   ``miniatures/sources/SOURCES.tsv``; build the miniatures anew afterwards with ``make miniatures``.

Pictures are fetched, never shown: the samples are read on this machine only.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellExecutionError

import data_helpers
from data_helpers import cards

sys.path.insert(0, str(Path(__file__).parent))
import refresh

ROOT = refresh.ROOT
SOURCES = ROOT / "miniatures" / "sources" / "SOURCES.tsv"
UNNAMED = "author not named"
BASE58 = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"

Counts = Mapping[str, Any]
# A dataset's part that is counted whole: arguments of fetch, and the facts that its summary must give.
CHECKS: dict[str, tuple[dict[str, Any], dict[str, Callable[[Counts], Any]]]] = {
    "coco": (
        {"split": "val2017", "max_samples": 0, "label_types": ["boxes", "captions"]},
        {
            "val2017_images": lambda found: found["splits"]["val2017"],
            "val2017_annotations": lambda found: found["labels"]["boxes"],
            "val2017_captions": lambda found: found["labels"]["captions"],
        },
    ),
    "flickr8k": (
        {"label_types": ["captions"], "max_samples": 0},
        {
            "train_images": lambda found: found["splits"]["train"],
            "dev_images": lambda found: found["splits"]["dev"],
            "test_images": lambda found: found["splits"]["test"],
        },
    ),
}


def samples() -> list[str]:
    """Run every notebook on the sample of its dataset; return what failed."""
    failures = []
    for stem in data_helpers.list_datasets():
        if cards.parsed(stem).sample is None or not (ROOT / "notebooks" / f"{stem}.ipynb").is_file():
            print(f"{stem}: no sample that may be fetched, or no notebook yet")
            continue
        try:
            root = data_helpers.read(stem, root="sample", max_samples=1).root
        except data_helpers.DataError as error:
            failures.append(f"{stem}: the sample cannot be had: {error}")
            continue
        for path in sorted((ROOT / "notebooks").glob(f"{stem}*.ipynb")):
            if path.stem.split("-")[0] != stem:
                continue
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
                env = refresh.clean_environment(Path(scratch)) | {f"DATA_HELPERS_ROOT_{stem.upper()}": str(root)}
                try:
                    refresh.run(nbformat.read(path, as_version=4), path.parent, env=env)
                    print(f"{path.name}: runs on {stem}'s sample")
                except CellExecutionError as error:
                    failures.append(f"{path.name} on the sample: {str(error)[-1500:]}")
    return failures


def facts() -> list[str]:
    """Count real files and compare with the cards; return what disagrees."""
    failures = []
    for stem, (arguments, wanted) in CHECKS.items():
        try:
            with tempfile.TemporaryDirectory() as folder:
                found = data_helpers.summary(stem, data_helpers.fetch(stem, root=folder, **arguments))
        except data_helpers.DataError as error:
            failures.append(f"{stem}: its files cannot be had: {error}")
            continue
        for key, count in wanted.items():
            told, counted = cards.parsed(stem).facts[key].value, count(found)
            print(f"{stem}.{key}: card {told}, counted {counted}")
            if told != counted:
                failures.append(f"card {stem}, facts.{key}: {told}, but the file gives {counted}")
    return failures


def short_address(photo: int) -> str:
    """Return Flickr's short address of a photograph, which its description service understands."""
    text = ""
    while photo:
        photo, rest = divmod(photo, 58)
        text = BASE58[rest] + text
    return f"https://flic.kr/p/{text}"


def authors() -> list[str]:
    """Fill in the photographers' names; return what could not be asked."""
    with SOURCES.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    failures, changed = [], 0
    for row in rows:
        if UNNAMED not in row["credit"]:
            continue
        photo = int(urllib.parse.parse_qs(urllib.parse.urlsplit(row["source"]).query)["id"][0])
        address = "https://www.flickr.com/services/oembed/?" + urllib.parse.urlencode(
            {"format": "json", "url": short_address(photo)}
        )
        try:
            request = urllib.request.Request(address, headers={"User-Agent": "image-datasets-book"})
            with urllib.request.urlopen(request, timeout=20) as answer:
                told = json.load(answer)
        except (OSError, ValueError) as error:
            failures.append(
                f"{row['file']}: Flickr says nothing of photo {photo} ({error}); it may have been taken down"
            )
            continue
        row["credit"] = f"{told['author_name']} (Flickr photo {photo})"
        changed += 1
    if changed:
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0].keys(), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        SOURCES.write_text(text.getvalue(), encoding="utf-8", newline="\n")
        print(f"{changed} authors named: now `make miniatures`, look at the change, and commit it")
    return failures


def main() -> int:
    """Run all three; status 1 where something disagrees or cannot be had."""
    parts = {"samples": samples, "facts": facts, "authors": authors}
    parser = argparse.ArgumentParser(description="Check the book against the real data (needs the internet).")
    parser.add_argument("parts", nargs="*", choices=[*parts, []], help="default: all")
    chosen = parser.parse_args().parts or list(parts)
    failures = [failure for name in chosen for failure in parts[name]()]
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
