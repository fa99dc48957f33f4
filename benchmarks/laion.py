"""LAION at speed: four queries by `data_helpers.laion`, raw DuckDB, pandas and Spark; a polite download and a bare one.

Rows are made here in the joined release's columns, row groups of 100,000, snappy. Every measurement runs in a process
of its own; the median is printed, with the highest peak memory (of Spark its Python side alone).
``--rows 1,5,20`` gives millions.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

QUERIES = {
    "count": "SELECT count(*) FROM {t}",
    "filter": "SELECT count(*), sum(length({url})) FROM {t} WHERE similarity > 0.3 AND {width} >= 512",
    "top hosts": "SELECT regexp_extract({url}, '://([^/]+)', 1) AS host, count(*) AS n FROM {t} "
    "GROUP BY host ORDER BY n DESC, host LIMIT 20",
    "languages": "SELECT {language} AS l, count(*) AS n FROM {t} GROUP BY l ORDER BY n DESC, l",
}
OURS = {"t": "laion", "url": "url", "width": "width", "language": "language"}


def make(folder: Path, millions: int) -> None:
    """Write so many million rows into ten files."""
    import duckdb

    each = millions * 100_000
    for part in range(10):
        duckdb.sql(f"""
            COPY (
              SELECT 'https://host' || (random() * random() * 40000)::INT || '.example/i/' || hash(i) || '.jpg' AS URL,
                'a small boat ' || (hash(i) % 100000) AS TEXT, (40 + random() * random() * 3000)::INT AS WIDTH,
                (40 + random() * random() * 3000)::INT AS HEIGHT, 0.26 - ln(1 - random()) * 0.022 AS similarity,
                ['ru', 'fr', 'de', 'es', 'zh', 'ja', 'it', 'pt'][1 + (random() * random() * 8)::INT % 8] AS LANGUAGE,
                hash(i)::HUGEINT::DOUBLE::HUGEINT % 9223372036854775807 AS hash, random()::FLOAT AS pwatermark,
                (random() * random())::FLOAT AS punsafe
              FROM range({each * part}, {each * (part + 1)}) t(i)
            ) TO '{folder}/part-{part:05d}.parquet' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 100000)""")


def ours(sql: str, folder: Path) -> Any:
    """Ask through the normalised view."""
    from data_helpers import laion

    return [tuple(row) for row in laion.query(sql.format(**OURS), folder)]


def raw(sql: str, folder: Path) -> Any:
    """Ask DuckDB directly, in the files' own column names."""
    import duckdb

    names = {"t": f"read_parquet('{folder}/*.parquet')", "url": "URL", "width": "WIDTH", "language": "LANGUAGE"}
    return duckdb.sql(sql.format(**names)).fetchall()


def spark(sql: str, folder: Path) -> Any:
    """Ask Spark on the cores of this machine; its session is started before the clock."""
    from data_helpers import laion

    return [tuple(row) for row in laion.query(sql.format(**OURS), folder, engine="spark", master="local[2]")]


def pandas(sql: str, folder: Path) -> Any:
    """Answer with pandas, reading only the columns needed."""
    import pandas as pd

    name = next(key for key, text in QUERIES.items() if text == sql)
    columns = {
        "count": ["hash"],
        "filter": ["URL", "WIDTH", "similarity"],
        "top hosts": ["URL"],
        "languages": ["LANGUAGE"],
    }
    frame = pd.read_parquet(folder, columns=columns.get(name, ["LANGUAGE"]))
    if name == "count":
        return [(len(frame),)]
    if name == "filter":
        kept = frame[(frame.similarity > 0.3) & (frame.WIDTH >= 512)]
        return [(len(kept), int(kept.URL.str.len().sum()))]
    key = frame.URL.str.extract("://([^/]+)", expand=False) if name == "top hosts" else frame.LANGUAGE
    counts = key.value_counts().reset_index()
    counts.columns = ["k", "n"]
    counts = counts.sort_values(["n", "k"], ascending=[False, True])
    return [tuple(row) for row in counts.head(20 if name == "top hosts" else None).itertuples(index=False)]


def one(engine: str, query: str, folder: Path) -> None:
    """Run one measurement and print it as JSON; called in a process of its own."""
    if engine == "spark":
        from data_helpers.laion.cluster import session

        session("local[2]")
    call = {"ours": ours, "duckdb": raw, "spark": spark, "pandas": pandas}[engine]
    if engine in ("ours", "duckdb"):
        import duckdb  # noqa: F401 - imported before the clock for both
    if engine == "ours":
        import data_helpers.laion  # noqa: F401
    start = time.perf_counter()
    answer = call(QUERIES[query], folder)
    seconds = time.perf_counter() - start
    # Not getrusage: its figure is handed down from the process that started this one.
    peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024  # type: ignore[index]
    print(json.dumps({"seconds": seconds, "peak": peak, "answer": hash(str(answer))}))


def measure(engine: str, query: str, folder: Path, repeats: int) -> tuple[float, float, Any]:
    """Return median seconds, highest peak in MiB, and the answer's fingerprint."""
    results = []
    for _ in range(repeats):
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        command = [sys.executable, __file__, "--one", engine, query, str(folder)]
        output = subprocess.run(command, capture_output=True, text=True, env=environment)
        if output.returncode:
            return float("nan"), float("nan"), output.stderr.strip().splitlines()[-1:]
        results.append(json.loads(output.stdout.splitlines()[-1]))
    return median(r["seconds"] for r in results), max(r["peak"] for r in results), results[0]["answer"]


def queries(millions: list[int], repeats: int) -> None:
    """Print the four queries by engine, and how each grows with rows."""
    print("| rows | query | engine | seconds | / duckdb | peak MB | same answer |\n|---|---|---|---|---|---|---|")
    for size in millions:
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work)
            make(folder, size)
            for query in QUERIES:
                base, peak, answer = measure("duckdb", query, folder, repeats)
                print(f"| {size} M | {query} | duckdb | {base:.2f} | 1.00 | {peak:.0f} | - |")
                for engine in ("ours", "spark", "pandas"):
                    if engine == "pandas" and size > 5:
                        continue  # it holds whole columns, and wants more memory than this machine has
                    seconds, peak, other = measure(engine, query, folder, repeats if engine == "ours" else 1)
                    same = "yes" if other == answer else f"NO {other}"
                    cells = f"{seconds:.2f} | {seconds / base:.2f} | {peak:.0f} | {same}"
                    print(
                        f"| {size} M | {query} | {engine} | {cells} |",
                        flush=True,
                    )


def downloads(pictures: int, repeats: int) -> None:
    """Print a polite download beside a bare img2dataset, in turn."""
    import pyarrow as pa
    import pyarrow.parquet as parquet
    from PIL import Image

    from data_helpers import laion
    from data_helpers.serve import Server

    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "web"
        folder.mkdir()
        body = io.BytesIO()
        Image.effect_noise((256, 256), 60).convert("RGB").save(body, "JPEG", quality=88)
        for number in range(pictures):
            (folder / f"{number}.jpg").write_bytes(body.getvalue())
        times: dict[str, list[float]] = {"bare img2dataset": [], "laion.download": []}
        with Server(folder) as server:
            table = Path(work) / "links.parquet"
            urls = [f"{server.url}{number}.jpg" for number in range(pictures)]
            parquet.write_table(pa.table({"url": urls, "caption": ["noise"] * pictures}), table)
            for turn in range(repeats):
                bare = Path(work) / f"bare-{turn}"
                code = f"""from img2dataset import download
    download(url_list={str(table)!r}, input_format="parquet", url_col="url", caption_col="caption",
        output_folder={str(bare)!r}, output_format="files", image_size=256, resize_mode="keep_ratio_largest",
        thread_count=32, extract_exif=False)"""
                polite = f"""from data_helpers import laion
    laion.download({str(table)!r}, {work + f"/ours-{turn}"!r}, allow_private=True, rate=0)"""
                for name, text in (("bare img2dataset", code), ("laion.download", polite)):
                    script = Path(work) / "run.py"
                    script.write_text("if __name__ == '__main__':\n    " + text + "\n")
                    start = time.perf_counter()
                    with contextlib.suppress(subprocess.CalledProcessError):
                        subprocess.run([sys.executable, str(script)], check=True, capture_output=True)
                    times[name].append(time.perf_counter() - start)
            for name, prefix in (("bare img2dataset", "bare"), ("laion.download", "ours")):
                saved = laion.report(Path(work) / f"{prefix}-0").succeeded
                runs = " ".join(f"{t:.2f}" for t in times[name])
                print(f"| {name} | {median(times[name]):.2f} | {runs} | {saved} of {pictures} |")
        print(f"ratio of medians: {median(times['laion.download']) / median(times['bare img2dataset']):.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--rows", default="1,5,20", help="millions of rows, comma-separated (1,5,20)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=2000)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], options.one[1], Path(options.one[2]))
    else:
        queries([int(part) for part in options.rows.split(",")], options.repeats)
        print("\n| downloader | seconds, whole process | all runs | pictures |\n|---|---|---|---|")
        downloads(options.pictures, options.repeats)
