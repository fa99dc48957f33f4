"""LAION's tables of links: Parquet of every published schema, seen as one table in one schema, never whole in memory.

Columns of the normalised table, null where a release lacks them:

=============  ========  ==========================================================================================
url            VARCHAR   address of the picture (``URL``)
caption        VARCHAR   its alt text (``TEXT``)
width, height  BIGINT    pixels at the time of the crawl
similarity     DOUBLE    cosine of CLIP's text and picture embeddings, -1 to 1
language       VARCHAR   cld3 code, only where the part is multilingual
hash           BIGINT    64-bit MurmurHash3 of url and caption: the key of the row, not of the picture
pwatermark     DOUBLE    probability of a watermark, 0 to 1
punsafe        DOUBLE    probability of unsafe content, 0 to 1
aesthetic      DOUBLE    predicted rating, about 0 to 10
nsfw           VARCHAR   LAION-400M's tag: UNLIKELY, UNSURE or NSFW
licence        VARCHAR   LAION-400M's LICENSE: a Creative Commons address or ``?``
md5, sha256    VARCHAR   hash of the picture's bytes, where a collection gives one
id             BIGINT    LAION-400M's SAMPLE_ID
key, status    VARCHAR   img2dataset's key and outcome, in a folder it has downloaded
=============  ========  ==========================================================================================

Sources: the LAION-400M and LAION-5B release posts, the join scripts of laion-prepro, img2dataset's README.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from ..errors import FormatError, MissingFileError, UnknownNameError, missing_extra
from .rows import Row

COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "url": ("VARCHAR", ()),
    "caption": ("VARCHAR", ("text", "txt")),
    "width": ("BIGINT", ("original_width",)),
    "height": ("BIGINT", ("original_height",)),
    "similarity": ("DOUBLE", ()),
    "language": ("VARCHAR", ("lang",)),
    "hash": ("BIGINT", ()),
    "pwatermark": ("DOUBLE", ()),
    "punsafe": ("DOUBLE", ()),
    "aesthetic": ("DOUBLE", ("aesthetic_score",)),
    "nsfw": ("VARCHAR", ()),
    "licence": ("VARCHAR", ("license",)),
    "md5": ("VARCHAR", ()),
    "sha256": ("VARCHAR", ("sha256hash",)),
    "id": ("BIGINT", ("sample_id",)),
    "key": ("VARCHAR", ()),
    "status": ("VARCHAR", ()),
}
"""Column of the normalised table to its type and the other names it is published under, whatever their case."""

Paths = str | Path | Sequence[str | Path]


class Metadata:
    """Parquet files as one lazy table of rows; iterating streams them, nothing is held but one batch.

    Attributes
    ----------
    paths
        The Parquet files, sorted.
    columns
        The normalised columns that at least one of the files has.
    """

    def __init__(self, paths: Paths) -> None:
        self.paths = parquet_files(paths)
        self._connection = duckdb_module().connect(
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        self._groups = _by_schema(self._connection, self.paths)
        self._connection.execute(f"CREATE VIEW laion AS {view(self._groups)}")
        # The reader's SQL sees this table and nothing else: no other file, no address.
        self._connection.execute(f"SET allowed_paths = {sql_list(self.paths)}")
        self._connection.execute("SET enable_external_access = false")
        self.columns = [name for name in COLUMNS if any(name in mapping for mapping, _ in self._groups)]

    def __len__(self) -> int:
        return int(self.query("SELECT count(*) FROM laion")[0][0])

    def __iter__(self) -> Iterator[Row]:
        return self.rows("SELECT * FROM laion")

    def query(self, sql: str) -> list[Row]:
        """Return the whole answer of an SQL query over the table ``laion``."""
        return list(self.rows(sql))

    def rows(self, sql: str) -> Iterator[Row]:
        """Stream the answer of an SQL query over the table ``laion``."""
        duckdb = duckdb_module()
        with self.connect() as connection:
            try:
                answer = connection.execute(sql)
                if answer is None or answer.description is None:
                    raise FormatError(f"SQL over {self._where()}: nothing was asked. Expected a query: {sql!r}.")
                names = tuple(column[0] for column in answer.description)
                while batch := answer.fetchmany(10_000):
                    yield from (Row.of(names, values) for values in batch)
            except duckdb.Error as error:
                raise FormatError(f"SQL over {self._where()}: {error}. Columns: {', '.join(COLUMNS)}.") from error

    def connect(self) -> Any:
        """Return a DuckDB cursor for which the view ``laion`` is these files, and no other file can be opened."""
        return self._connection.cursor()

    def _where(self) -> str:
        return str(self.paths[0]) if len(self.paths) == 1 else f"{len(self.paths)} files from {self.paths[0]}"


def read_metadata(paths: Paths) -> Metadata:
    """Open metadata tables, lazily, in the normalised schema of this module.

    Parameters
    ----------
    paths
        A Parquet file, a folder of them, a glob pattern, or a list of those.

    Raises
    ------
    MissingFileError
        Nothing there.
    FormatError
        A file is a Git LFS pointer, a web page, another format, cut short, or has no column of addresses.
    """
    return Metadata(paths)


def query(
    sql: str, paths: Paths, engine: Literal["duckdb", "spark"] = "duckdb", *, master: str | None = None
) -> list[Row]:
    """Answer the same SQL over the table ``laion`` on one machine or on a Spark cluster.

    Parameters
    ----------
    sql
        A query over the table ``laion`` in the normalised schema.
    paths
        As for `read_metadata`. Spark also takes addresses of an object store (``s3a://...``), which it opens itself.
    engine
        ``"duckdb"`` runs in this process; ``"spark"`` needs the extra ``spark`` and Java.
    master
        Spark's master address; by default ``SPARK_MASTER`` of the environment, else all cores of this machine.
    """
    if engine == "duckdb":
        return Metadata(paths).query(sql)
    if engine == "spark":
        from .cluster import query as ask

        return ask(sql, paths, master)
    raise UnknownNameError(f"engine={engine!r} is not known. Expected one of: duckdb, spark.")


def parquet_files(paths: Paths) -> list[str]:
    """Return the Parquet files that a path, folder, pattern or list of them names, each checked by its first bytes."""
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found: list[str] = []
    for one in given:
        path = Path(one).expanduser()
        if path.is_dir():
            found += sorted(str(file) for file in path.rglob("*.parquet") if file.is_file())
        elif path.is_file():
            found.append(str(path))
        else:
            # Path.glob takes no absolute pattern.
            for name in sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207
                # Spark writes a table as a folder named like a file.
                inside = sorted(map(str, Path(name).rglob("*.parquet"))) if Path(name).is_dir() else [name]
                found += inside
    if not found:
        raise MissingFileError(
            f"{', '.join(map(str, given))}: no Parquet file there. Give a file, a folder or a pattern."
        )
    for name in found:
        if problem := not_parquet(Path(name)):
            raise FormatError(f"{name}: {problem}")
    return found


def not_parquet(path: Path) -> str | None:
    """Say why a file is no Parquet, by its first and last bytes, or return None."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
            file.seek(0, 2)
            size = file.tell()
            file.seek(max(0, size - 4))
            tail = file.read()
    except OSError as error:
        return f"cannot be read ({error.strerror}). Check the path and its rights."
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(b"version https://git-lfs"):
        told = dict(line.split(" ", 1) for line in head.decode("ascii", "replace").splitlines() if " " in line)
        return (
            f"expected Parquet, found a Git LFS pointer to a file of {told.get('size', '?')} bytes "
            f"({told.get('oid', 'no hash')}). Get the file itself with `git lfs pull`, or from its owners."
        )
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return (
            f"expected Parquet, found an HTML page of {size:,} bytes. A login or error page was saved: fetch it again."
        )
    if not head.startswith(b"PAR1"):
        kinds = {b"\x1f\x8b": "gzip", b"PK": "a zip", b"ARROW1": "an Arrow file", b"\xff\xd8": "a JPEG"}
        kinds |= {b"{": "JSON", b"[": "JSON"}
        kind = next((name for magic, name in kinds.items() if head.startswith(magic)), f"{head[:8]!r}")
        what = f"{kind} of {size:,} bytes" if size else "an empty file"
        return f"expected Parquet (PAR1 at the start), found {what}. Give a Parquet file."
    if size < 12 or tail != b"PAR1":
        return f"Parquet cut short: {size:,} bytes, no PAR1 at the end. Fetch the file again."
    return None


def view(groups: list[tuple[dict[str, tuple[str, str]], list[str]]]) -> str:
    """Return the SQL that puts files of several schemas under the normalised one."""
    selects = []
    for mapping, files in groups:
        columns = []
        for name, (kind, _) in COLUMNS.items():
            if name not in mapping:
                columns.append(f"NULL::{kind} AS {name}")
                continue
            source, found = mapping[name]
            quoted = '"' + source.replace('"', '""') + '"'
            # A cast where none is needed would keep DuckDB from skipping row groups by their statistics.
            columns.append(f"{quoted} AS {name}" if found == kind else f"TRY_CAST({quoted} AS {kind}) AS {name}")
        selects.append(f"SELECT {', '.join(columns)} FROM read_parquet({sql_list(files)})")
    return " UNION ALL ".join(selects)


def _by_schema(connection: Any, paths: list[str]) -> list[tuple[dict[str, tuple[str, str]], list[str]]]:
    """Group files by what their columns are called and hold: (column to (source, DuckDB type), files)."""
    error_type = duckdb_module().Error
    # One look at all footers says which files are alike; only one of each kind is described by name.
    alike = f"""SELECT list(file_name ORDER BY file_name) FROM (
        SELECT file_name, string_agg(concat_ws(' ', name, type, converted_type, logical_type), ',') AS columns
        FROM parquet_schema({sql_list(paths)}) GROUP BY file_name) GROUP BY columns ORDER BY 1"""
    try:
        kinds = [row[0] for row in connection.execute(alike).fetchall()]
    except error_type:
        kinds = [[path] for path in paths]
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for files in kinds:
        try:
            described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({sql_list(files[:1])})").fetchall()
        except error_type as error:
            raise FormatError(f"{files[0]}: damaged Parquet: {error}. Fetch the file again.") from error
        groups.setdefault(tuple((row[0], row[1]) for row in described), []).extend(files)
    result = []
    for columns, files in groups.items():
        by_name = {name.lower(): (name, kind) for name, kind in columns}
        mapping = {}
        for name, (_, others) in COLUMNS.items():
            for candidate in (name, *others):
                if candidate in by_name:
                    mapping[name] = by_name[candidate]
                    break
        if "url" not in mapping:
            raise FormatError(
                f"{files[0]}: no column of addresses. Expected 'url' or 'URL', "
                f"found: {', '.join(name for name, _ in columns)}."
            )
        result.append((mapping, files))
    return result


def sql_list(values: Sequence[str]) -> str:
    """Return texts as an SQL list."""
    return "[" + ", ".join("'" + str(value).replace("'", "''") + "'" for value in values) + "]"


def duckdb_module() -> Any:
    """Return DuckDB, or say which extra brings it."""
    try:
        import duckdb
    except ImportError as error:
        raise missing_extra("laion", "Reading LAION's tables") from error
    return duckdb
