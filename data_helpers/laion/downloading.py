"""Pictures for a table of links: img2dataset, with the manners and the checks that it lacks.

img2dataset does the work: shards, threads, resizing, writing, Spark. What this module changes is the one function that
gets one address. It names itself, reads ``robots.txt``, refuses private addresses (also behind a redirect), waits
between requests to one host, bounds a picture's size and compares its hash with the published one, row by row.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from .. import home
from ..errors import DataError, FormatError, NetworkError, StorageError, UnknownNameError, missing_extra
from .aside import aside
from .outcomes import Report, report
from .polite import Policy, Visitor
from .tables import Metadata, Paths, duckdb_module, read_metadata, sql_list

HASH = "published_hash"
Form = Literal["files", "webdataset", "parquet"]
Distributor = Literal["multiprocessing", "pyspark"]


def download(
    paths: Paths,
    folder: str | Path,
    *,
    allow_private: bool = False,
    output_format: Form = "files",
    distributor: Distributor = "multiprocessing",
    where: str | None = None,
    limit: int | None = None,
    image_size: int = 256,
    resize_mode: Literal["no", "border", "keep_ratio", "keep_ratio_largest", "center_crop"] = "keep_ratio_largest",
    processes: int = 1,
    threads: int = 32,
    shard_size: int = 10_000,
    timeout: float = 10,
    retries: int = 1,
    rate: float = 10.0,
    max_bytes: int = 50_000_000,
    user_agent: str = "image-datasets-book",
    contact: str = "",
    progress: bool | None = None,
) -> Report:
    """Download the pictures of metadata tables and tell what became of every address.

    Parameters
    ----------
    paths
        Metadata tables, as for `read_metadata`.
    folder
        Where the pictures go, in img2dataset's layout. Called again, finished shards are not asked for again.
    allow_private
        Let addresses of this machine and of private networks through; otherwise such a row is refused and reported.
    output_format, distributor, image_size, resize_mode
        As in img2dataset; with ``pyspark`` the work is spread over the session that runs.
    where, limit
        An SQL condition over the normalised columns and the most rows to take. Rows without an address are left out;
        `scan` counts them.
    processes, threads
        Processes, and threads in each.
    shard_size
        Rows a shard.
    timeout, retries
        Seconds without an answer, and further tries after a fault that may pass.
    rate
        Requests per second that one process sends to one host; 0 for no limit.
    max_bytes
        Bytes of one picture above which it is given up.
    user_agent, contact
        Name this downloader gives of itself, and an address where its owner can be reached.
    progress
        Let img2dataset tell how far it is, on stderr; by default only on a terminal.

    Raises
    ------
    FormatError
        A table is not Parquet, or the condition is not SQL.
    UnknownNameError
        An output format or distributor that there is not.
    DataError
        No row is wanted, or the folder holds the pictures of other rows.
    StorageError
        The folder cannot be written.
    """
    for name, value, known in (("output_format", output_format, Form), ("distributor", distributor, Distributor)):
        if value not in get_args(known):
            raise UnknownNameError(f"{name}={value!r} is not known. Expected one of: {', '.join(get_args(known))}.")
    if home.offline():
        raise NetworkError("DATA_HELPERS_OFFLINE is set: nothing is downloaded. Unset it to ask the network.")
    # A library below img2dataset asks the package index for a newer version of itself on import.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    try:
        # The package hides its module "main" behind a function of that name.
        engine: Any = importlib.import_module("img2dataset.main")
    except ImportError as error:
        raise missing_extra("laion", "Downloading LAION's pictures") from error
    table = read_metadata(paths)
    target = Path(folder).expanduser().absolute()
    started = time.monotonic()
    listed, rows = _write_list(table, target, where, limit, shard_size)
    policy = Policy(
        user_agent=user_agent,
        contact=contact,
        allow_private=allow_private,
        timeout=timeout,
        retries=retries,
        rate=rate,
        max_bytes=max_bytes,
        mirror=home.mirror() or "",
    )
    extras = [
        name
        for name in ("similarity", "language", "hash", "pwatermark", "punsafe", "aesthetic")
        if name in table.columns
    ]
    if distributor == "pyspark":
        from .cluster import session

        session(f"local[{processes}]" if not os.environ.get("SPARK_MASTER") else None)
    before = engine.Downloader
    interrupt = signal.getsignal(signal.SIGINT)
    engine.Downloader = _polite_class(policy)
    try:
        with aside(sys.stderr.isatty() if progress is None else progress):
            engine.download(
                url_list=str(listed),
                input_format="parquet",
                url_col="url",
                caption_col="caption" if "caption" in table.columns else None,
                save_additional_columns=[*extras, HASH],
                output_folder=str(target),
                output_format=output_format,
                distributor=distributor,
                image_size=image_size,
                resize_mode=resize_mode,
                processes_count=processes,
                thread_count=threads,
                number_sample_per_shard=shard_size,
                timeout=int(timeout),
                retries=0,
                user_agent_token=user_agent,
                extract_exif=False,
                incremental_mode="incremental",
            )
    finally:
        engine.Downloader = before
        with contextlib.suppress(ValueError, TypeError):
            signal.signal(signal.SIGINT, interrupt)
    found = report(target, seconds=time.monotonic() - started)
    if found.total < rows:
        raise DataError(
            f"{target}: {rows - found.total:,} of {rows:,} addresses were not tried, since their shards failed. "
            "What was saved is kept: call again to go on, with progress=True to see why."
        )
    return found


def _write_list(
    table: Metadata, target: Path, where: str | None, limit: int | None, shard_size: int
) -> tuple[Path, int]:
    """Write the wanted rows in the normalised schema, streamed; the same call leaves the same list."""
    hashes = [f"'{name}:' || nullif(lower(trim({name})), '')" for name in ("sha256", "md5") if name in table.columns]
    columns = [
        "url",
        *(name for name in table.columns if name not in ("url", "id", "key", "status", "md5", "sha256", "nsfw")),
    ]
    # The crawl's size would collide with the columns in which img2dataset writes the picture's own.
    columns = [name for name in columns if name not in ("width", "height", "licence")]
    picked = ", ".join([*columns, f"{'coalesce(' + ', '.join(hashes) + ')' if hashes else 'NULL::VARCHAR'} AS {HASH}"])
    # Not named .parquet: whoever reads the folder must find the outcomes only.
    listed = target / "links.pq"
    try:
        target.mkdir(parents=True, exist_ok=True)
        import pyarrow.parquet as parquet

        sql = f"SELECT {picked} FROM laion WHERE url IS NOT NULL"
        sql += f" AND ({where})" if where else ""
        sql += f" LIMIT {int(limit)}" if limit is not None else ""
        with table.connect() as connection:
            try:
                batches = connection.sql(sql).to_arrow_reader(100_000)
            except Exception as error:
                raise FormatError(f"where={where!r}: {error}") from error
            rows = 0
            fresh = listed.with_suffix(".new")
            with parquet.ParquetWriter(fresh, batches.schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
                    rows += batch.num_rows
        if not rows:
            raise DataError(f"where={where!r}, limit={limit}: no row is left to download. Widen the condition.")
        if listed.is_file() and any(target.glob("*_stats.json")):
            _same_list(listed, fresh, shard_size)
        fresh.replace(listed)
    except OSError as error:
        if isinstance(error, DataError):
            raise
        raise StorageError(
            f"{target}: cannot be written ({error.strerror or error}). Choose another folder."
        ) from error
    return listed, rows


def _same_list(listed: Path, fresh: Path, shard_size: int) -> None:
    """Refuse a folder whose finished shards hold other rows: they would pass for the ones that are wanted."""
    sql = f"""SELECT count(*) FILTER (old.url IS NOT NULL AND (old.url IS DISTINCT FROM new.url
        OR old.{HASH} IS DISTINCT FROM new.{HASH})), count(old.url), count(new.url)
        FROM read_parquet({sql_list([str(listed)])}) old POSITIONAL JOIN read_parquet({sql_list([str(fresh)])}) new"""
    with duckdb_module().connect() as connection:
        differ, before, now = connection.execute(sql).fetchone()
    if differ or (before != now and before % shard_size):
        fresh.unlink()
        raise DataError(
            f"{listed.parent}: holds the pictures of another list ({before:,} rows; {now:,} are wanted now). "
            "Choose another folder, or call with the paths, condition and limit of then."
        )


def _polite_class(policy: Policy) -> Any:
    """Return what stands in for img2dataset's Downloader while a download runs."""

    def make(*args: Any, **kwargs: Any) -> Any:
        return polite_downloader(policy, *args, **kwargs)

    return make


def polite_downloader(policy: Policy, *args: Any, **kwargs: Any) -> Any:
    """Return an img2dataset Downloader that gets each address through a `Visitor`."""
    from .worker import PoliteDownloader

    return PoliteDownloader(policy, *args, **kwargs)


class Getter:
    """The stand-in for img2dataset's ``download_image``: one address to bytes, or to the reason why not."""

    def __init__(self, visitor: Visitor, published: Sequence[str | None]) -> None:
        self.visitor, self.published = visitor, published

    def __call__(self, row: tuple[int, str], *_: Any) -> tuple[Any, io.BytesIO | None, str | None]:
        """Return the row's key, the picture's bytes or None, and the reason where there are none."""
        key, url = row
        try:
            body = self.visitor.get(url)
        except Exception as error:
            return key, None, str(error) or type(error).__name__
        algorithm, colon, digest = (self.published[key] or "").partition(":")
        if colon and hashlib.new(algorithm, body).hexdigest() != digest:
            return key, None, "hash mismatch: the picture is not the one that was listed"
        return key, io.BytesIO(body), None
