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
from pathlib import Path
from typing import Any, Literal

import msgspec

from .. import home
from ..errors import DataError, FormatError, MissingFileError, NetworkError, StorageError, missing_extra
from .polite import Policy, Visitor
from .tables import Metadata, Paths, read_metadata

HASH = "published_hash"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the addresses.

    Attributes
    ----------
    total, succeeded
        Addresses asked for, and pictures saved.
    outcomes
        Class of outcome (``saved``, ``not found``, ``hash differs``, ``opted out``, ...) to its count.
    seconds
        Time of this call; a call that found everything done is short.
    folder
        Where the pictures are.
    """

    total: int
    succeeded: int
    outcomes: dict[str, int]
    seconds: float
    folder: str


_CLASSES = (
    # What the message says, and the class of outcome it is counted under; the first that fits.
    ("hash mismatch", "hash differs"),
    ("X-Robots-Tag", "opted out"),
    ("robots.txt", "refused by robots.txt"),
    ("private address", "private address"),
    ("scheme", "not a web address"),
    ("too large", "too large"),
    ("not a picture", "not a picture"),
    ("Image decoding", "not a picture"),
    ("HTTP Error 404", "not found"),
    ("HTTP Error 410", "not found"),
    ("HTTP Error 403", "forbidden"),
    ("HTTP Error 401", "forbidden"),
    ("HTTP Error 429", "too many requests"),
    ("HTTP Error 5", "server error"),
    ("redirect", "redirect loop"),
    ("timed out", "timed out"),
    ("Name or service", "no such host"),
    ("nodename nor", "no such host"),
    ("getaddrinfo", "no such host"),
    ("name resolution", "no such host"),
    ("refused", "connection refused"),
    ("reset", "connection broken"),
    ("IncompleteRead", "connection broken"),
    ("closed", "connection broken"),
)


def outcome(message: str | None) -> str:
    """Return the class under which an error message is counted."""
    if not message:
        return "saved"
    return next((name for part, name in _CLASSES if part.lower() in message.lower()), "other error")


def download(
    paths: Paths,
    folder: str | Path,
    *,
    allow_private: bool = False,
    output_format: Literal["files", "webdataset", "parquet"] = "files",
    distributor: Literal["multiprocessing", "pyspark"] = "multiprocessing",
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
        An SQL condition over the normalised columns and the most rows to take.
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

    Raises
    ------
    FormatError
        A table is not Parquet, or the condition is not SQL.
    StorageError
        The folder cannot be written.
    """
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
    listed = _write_list(table, target, where, limit)
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
        # img2dataset talks on stdout, which belongs to our caller.
        with contextlib.redirect_stdout(sys.stderr):
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
    return report(target, seconds=time.monotonic() - started)


def report(folder: str | Path, *, seconds: float = 0.0) -> Report:
    """Count the outcomes of a download's folder, from the tables that stand beside its shards."""
    target = Path(folder).expanduser()
    shards = sorted(str(path) for path in target.glob("*.parquet"))
    if not shards:
        raise MissingFileError(f"{target}: no table of outcomes there. Expected a folder that `download` has filled.")
    from .tables import _duckdb, _list

    with _duckdb().connect() as connection:
        sql = f"SELECT error_message, count(*) FROM read_parquet({_list(shards)}, union_by_name = true) GROUP BY 1"
        rows = connection.execute(sql).fetchall()
    outcomes: dict[str, int] = {}
    for message, count in rows:
        outcomes[outcome(message)] = outcomes.get(outcome(message), 0) + count
    return Report(
        total=sum(outcomes.values()),
        succeeded=outcomes.get("saved", 0),
        outcomes=dict(sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))),
        seconds=round(seconds, 3),
        folder=str(target),
    )


def _write_list(table: Metadata, target: Path, where: str | None, limit: int | None) -> Path:
    """Write the wanted rows in the normalised schema, streamed; the same call leaves the same list."""
    hashes = [f"'{name}:' || lower({name})" for name in ("sha256", "md5") if name in table.columns]
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
            with parquet.ParquetWriter(listed, batches.schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
    except OSError as error:
        if isinstance(error, DataError):
            raise
        raise StorageError(
            f"{target}: cannot be written ({error.strerror or error}). Choose another folder."
        ) from error
    return listed


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

    def __init__(self, visitor: Visitor, published: dict[str, str]) -> None:
        self.visitor, self.published = visitor, published

    def __call__(self, row: tuple[Any, str], *_: Any) -> tuple[Any, io.BytesIO | None, str | None]:
        """Return the row's key, the picture's bytes or None, and the reason where there are none."""
        key, url = row
        try:
            body = self.visitor.get(url)
        except Exception as error:
            return key, None, str(error) or type(error).__name__
        algorithm, colon, digest = self.published.get(url, "").partition(":")
        if colon and hashlib.new(algorithm, body).hexdigest() != digest:
            return key, None, "hash mismatch: the picture is not the one that was listed"
        return key, io.BytesIO(body), None
