"""LAION's tables of links and captions: read them lazily, ask them in SQL, download their pictures with manners.

A root is a folder with Parquet files of any published schema, in folders named like the sub-collections
(``laion2B-en/part-00000-....parquet``) or side by side, or a folder that `download` has filled. Pictures may also
lie in host folders below ``server/``, as a mirror keeps them.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..errors import FormatError, MissingFileError
from ..samples import Problem, Sample, Scan, Selection
from .downloading import download
from .outcomes import Report, outcome, report
from .rows import Row
from .tables import COLUMNS, Metadata, not_parquet, query, read_metadata

__all__ = [
    "COLUMNS",
    "Caption",
    "Metadata",
    "Report",
    "Row",
    "download",
    "outcome",
    "query",
    "read",
    "read_metadata",
    "recognise",
    "report",
    "scan",
]

LABELS = ("captions",)


class Caption(msgspec.Struct, frozen=True):
    """The alt text that stood beside a link."""

    caption: str


def recognise(folder: Path) -> str | None:
    """Name what of LAION a folder holds, by its Parquet files' names."""
    names = list(itertools.islice(folder.rglob("*.parquet"), 1))
    if not names:
        return None
    if any(folder.glob("*_stats.json")):
        return "pictures downloaded from a LAION table"
    return "LAION metadata tables"


def read(root: Path, want: Selection) -> Iterator[Sample]:
    """Iterate rows as samples, streamed from the tables; ``image`` is set where `download` has saved the picture."""
    parts = _parts(root)
    splits = want.names("split", parts)
    types = want.names("label_types", LABELS)
    want.names("classes", ())
    ids = want.wants_id()
    chosen = {name: files for name, files in parts.items() if splits is None or name in splits}
    if want.shuffle:
        yield from want.take(_samples(root, chosen, types, ids))
        return
    yield from itertools.islice(_samples(root, chosen, types, ids), want.max_samples)


def _credits(root: Path) -> dict[str, dict[str, str]]:
    """Return licence, credit and source of the pictures beside the tables, where CREDITS.tsv tells them."""
    path = root / "CREDITS.tsv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["file"]: row for row in csv.DictReader(lines, delimiter="\t")}


def _samples(root: Path, parts: dict[str, list[Path]], types: list[str] | None, ids: Any) -> Iterator[Sample]:
    credits = _credits(root)
    for split, files in parts.items():
        for file in files:
            for number, row in enumerate(read_metadata(file)):
                key = next((value for value in (row["hash"], row["id"], row["key"]) if value is not None), None)
                name = key if key is not None else f"{file.stem}-{number}"
                if ids is not None and name not in ids:
                    continue
                captions = (
                    [Caption(row["caption"])] if row["caption"] and (types is None or "captions" in types) else []
                )
                known = ("url", "caption", "width", "height", "licence")
                image = _picture(file, row["key"]) or _mirrored(root, row["url"])
                credit = credits.get(image.relative_to(root).as_posix(), {}) if image and credits else {}
                yield Sample(
                    id=name,
                    image=image,
                    credit=credit.get("credit"),
                    width=row["width"],
                    height=row["height"],
                    split=split or None,
                    labels={"captions": captions} if captions else {},
                    licence=credit.get("licence") or (None if row["licence"] in (None, "", "?") else row["licence"]),
                    source_url=row["url"],
                    extra={name: row[name] for name in COLUMNS if name not in known and row[name] is not None},
                )


def scan(root: Path) -> Scan:
    """Count the rows of all tables and list what is wrong with them; broken files are problems, not errors."""
    found = Scan(labels={}, splits={}, problems=[])
    seen: list[str] = []
    for split, files in _parts(root).items():
        for file in files:
            where = str(file.relative_to(root))
            problem = not_parquet(file)
            try:
                if problem:
                    raise FormatError(problem)
                table = read_metadata(file)
                count, captions = table.query("SELECT count(*), count(nullif(trim(caption), '')) FROM laion")[0]
                rows = _row_problems(table, where)
            except FormatError as error:
                kind = "git-lfs-pointer" if problem and "Git LFS" in problem else "not-parquet"
                found.problems.append(Problem(kind, where, str(error).replace(str(file), file.name)))
                continue
            seen.append(str(file))
            found.images += count
            if split:
                found.splits[split] = found.splits.get(split, 0) + count
            found.labels["captions"] = found.labels.get("captions", 0) + captions
            found.problems += rows
            if "key" in table.columns:
                keys = table.query("SELECT key FROM laion WHERE status = 'success'")
                found.images_on_disk += sum(_picture(file, row[0]) is not None for row in keys)
            elif (root / "server").is_dir():
                found.images_on_disk += sum(
                    _mirrored(root, row[0]) is not None for row in table.rows("SELECT url FROM laion")
                )
    if seen:
        found.problems += _duplicates(read_metadata(seen))
    return found


_CHECKS = {
    "no-address": ("url IS NULL OR trim(url) = ''", "rows without an address"),
    "not-a-web-address": (
        "url IS NOT NULL AND NOT regexp_matches(url, '^https?://')",
        "addresses that are not http or https",
    ),
    "empty-caption": ("caption IS NULL OR trim(caption) = ''", "rows without a caption"),
    "no-size": ("width <= 0 OR height <= 0", "rows whose width or height is not positive"),
    "similarity-out-of-range": (
        "similarity < -1 OR similarity > 1",
        "rows whose similarity is no cosine: columns may have shifted when the table was written",
    ),
    "score-out-of-range": (
        "punsafe NOT BETWEEN 0 AND 1 OR pwatermark NOT BETWEEN 0 AND 1",
        "rows whose score is no probability",
    ),
}


def _row_problems(table: Metadata, where: str) -> list[Problem]:
    counts = ", ".join(f"count(*) FILTER ({condition})" for condition, _ in _CHECKS.values())
    answer = table.query(f"SELECT {counts} FROM laion")[0]
    pairs = zip(_CHECKS.items(), answer, strict=True)
    return [Problem(kind, where, f"{count:,} {text}") for (kind, (_, text)), count in pairs if count]


def _duplicates(table: Metadata) -> list[Problem]:
    sql = (
        "SELECT count(*), sum(n) FROM (SELECT count(*) AS n FROM laion WHERE url IS NOT NULL GROUP BY url) WHERE n > 1"
    )
    addresses, rows = table.query(sql)[0]
    return (
        [Problem("duplicate-address", "all tables", f"{addresses:,} addresses stand in {int(rows):,} rows")]
        if addresses
        else []
    )


def _parts(root: Path) -> dict[str, list[Path]]:
    """Return sub-collection (the folder's name, or "" beside the root) to its tables."""
    parts: dict[str, list[Path]] = {}
    for file in sorted(file for file in root.rglob("*.parquet") if file.is_file()):
        inside = file.relative_to(root).parts
        parts.setdefault(inside[0] if len(inside) > 1 else "", []).append(file)
    if not parts:
        raise MissingFileError(
            f"{root}: no Parquet file there. Expected LAION's metadata tables, part-00000-....parquet."
        )
    return parts


def _picture(table: Path, key: str | None) -> Path | None:
    """Return the saved picture of a row in a folder that img2dataset filled, or None."""
    if not key:
        return None
    folder = table.with_suffix("")
    return next((path for ending in ("jpg", "png", "webp") if (path := folder / f"{key}.{ending}").is_file()), None)


def _mirrored(root: Path, url: str | None) -> Path | None:
    """Return the picture that a host folder below ``server/`` keeps for an address, or None."""
    place = (url or "").partition("://")[2].partition("?")[0]
    if not place or ".." in place:
        return None
    path = root / "server" / place
    return path if path.is_file() else None
