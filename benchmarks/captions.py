"""Captions at full size: reading and tokenising 158,915 of them, and retrieval over all pictures by blocks.

``python benchmarks/captions.py [--dimensions 128] [--block 256]``. The captions are those of the real copy of Flickr8k
(``DATA_HELPERS_REAL``), repeated under Flickr30k's number of pictures, or made up where there is none. Sizes come from
the card. Beside us stand the ways a reader would take otherwise: the loop of the common loaders, and pandas.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_helpers import cards, flickr8k, flickr30k

FACTS = cards.parsed("flickr30k").facts


def peak() -> float:
    """Largest memory of this process so far, in gigabytes."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1e9 if sys.platform == "darwin" else 1e6)


def write(path: Path, pictures: int) -> None:
    """Write a token file of Flickr30k's size."""
    root = Path(os.environ.get("DATA_HELPERS_REAL") or Path(__file__).resolve().parents[2] / "shared" / "real")
    found = sorted((root / "flickr8k").glob("*/Flickr8k.token.txt"))
    said = [caption.caption for caption in flickr8k.read_captions(found[0])] if found else ["A dog runs on grass ."] * 5
    with path.open("w", encoding="utf-8") as file:
        for i in range(5 * pictures):
            file.write(
                f"{1_000_000 + i // 5}.jpg#{i % 5}\t{said[i % len(said)]} {i if i % 97 == 0 else ''}".rstrip() + "\n"
            )


def timed(name: str, run: Callable[[], int]) -> None:
    start = time.perf_counter()
    count = run()
    print(f"  {name:44} {time.perf_counter() - start:6.2f} s   {count:,} tokens")


def ours(path: Path) -> int:
    words: Counter[str] = Counter()
    for _, _, caption in flickr30k.read_captions(path):
        words.update(caption.lower().split())
    return words.total()


def loop(path: Path) -> int:
    """The loop of the common loaders: no check of anything."""
    captions: dict[str, list[str]] = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            key, caption = line.strip().split("\t")
            captions.setdefault(key[:-2], []).append(caption)
    words: Counter[str] = Counter()
    for five in captions.values():
        for caption in five:
            words.update(caption.lower().split())
    return words.total()


def with_pandas(path: Path) -> int:
    import csv

    import pandas

    table = pandas.read_csv(path, sep="\t", names=["key", "caption"], quoting=csv.QUOTE_NONE)
    return int(table["caption"].str.lower().str.split().explode().value_counts().sum())


def retrieval(pictures: int, dimensions: int, block: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank of the best own caption of each picture, and of each caption's picture, never holding the whole table."""
    generator = np.random.default_rng(0)
    images = generator.standard_normal((pictures, dimensions), dtype=np.float32)
    texts = np.repeat(images, 5, axis=0)
    texts += 2 * generator.standard_normal(texts.shape, dtype=np.float32)
    own = np.einsum("ij,ij->i", texts, np.repeat(images, 5, axis=0))
    text_rank = np.empty(pictures, np.int64)
    image_rank = np.zeros(len(texts), np.int64)
    for start in range(0, pictures, block):
        scores = images[start : start + block] @ texts.T
        end = start + len(scores)
        # The matrix product and the row by row product may differ in the last bit: the own score is put in place.
        rows = np.arange(len(scores))
        for n in range(5):
            scores[rows, 5 * (start + rows) + n] = own[5 * (start + rows) + n]
        best = own[5 * start : 5 * end].reshape(-1, 5).max(axis=1)
        text_rank[start:end] = 1 + (scores > best[:, None]).sum(axis=1)
        image_rank += (scores > own[None, :]).sum(axis=0)
    return text_rank, image_rank + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--block", type=int, default=256, help="pictures at a time")
    parser.add_argument("--pictures", type=int, default=int(FACTS["images"].value))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results_20130124.token"
        write(path, options.pictures)
        print(f"{5 * options.pictures:,} captions read and tokenised ({path.stat().st_size:,} bytes)")
        timed("data_helpers, every line checked", lambda: ours(path))
        timed("the loaders' loop, nothing checked", lambda: loop(path))
        try:
            timed("pandas, nothing checked", lambda: with_pandas(path))
        except ImportError:
            print("  pandas is not installed")
    before = peak()
    start = time.perf_counter()
    text, image = retrieval(options.pictures, options.dimensions, options.block)
    seconds = time.perf_counter() - start
    table = 4 * options.pictures * 5 * options.pictures / 1e9
    shape = f"{options.pictures:,} x {5 * options.pictures:,}"
    print(f"retrieval {shape}, {options.dimensions} dimensions, blocks of {options.block}")
    print(
        f"  {seconds:.1f} s, peak {peak():.2f} GB ({before:.2f} GB before); the whole table would take {table:.1f} GB"
    )
    print(f"  text R@1 {np.mean(text == 1):.3f}, image R@1 {np.mean(image == 1):.3f} (made-up features)")


if __name__ == "__main__":
    main()
