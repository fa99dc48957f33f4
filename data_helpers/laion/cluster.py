"""The same SQL on Apache Spark: local cores, or a cluster by its master's address."""

from __future__ import annotations

import decimal
import os
import shutil
import sys
from typing import Any

from ..errors import DataError, FormatError, missing_extra
from .aside import aside
from .rows import Row
from .tables import COLUMNS, Paths, parquet_files

SPARK_TYPES = {"VARCHAR": "string", "BIGINT": "bigint", "DOUBLE": "double"}


def session(master: str | None = None) -> Any:
    """Return a Spark session; the one that runs already where there is one.

    Parameters
    ----------
    master
        Such as ``spark://head:7077`` or ``local[8]``; by default ``SPARK_MASTER``, else all cores of this machine.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise missing_extra("spark", "Asking Spark") from error
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise DataError("Spark needs Java 17 or newer, and none is installed. Install a JRE, or use engine='duckdb'.")
    # Local workers must be the Python that has this package; a cluster's own setting goes first.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    address = master or os.environ.get("SPARK_MASTER") or "local[*]"
    builder = SparkSession.builder.appName("image-datasets-book").master(address)
    if address.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        # One machine: nothing listens beyond loopback, and no more shuffle partitions than cores can use.
        builder = (
            builder.config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", str(os.cpu_count() or 2))
        )
    # What the JVM says while it starts is no news to a reader; a failure comes as an exception.
    with aside(progress=False):
        started = builder.getOrCreate()
        started.sparkContext.setLogLevel("ERROR")
    return started


def query(sql: str, paths: Paths, master: str | None = None) -> list[Row]:
    """Answer an SQL query over the table ``laion``; see `data_helpers.laion.query`."""
    spark = session(master)
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    remote = [str(path) for path in given if "://" in str(path)]
    files = remote if remote else parquet_files(paths)
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    table: Any = None
    try:
        for name in files:
            described = spark.read.parquet(name).dtypes
            groups.setdefault(tuple(described), []).append(name)
        for columns, names in groups.items():
            part = spark.read.parquet(*names).selectExpr(*_select(dict(columns), names[0]))
            table = part if table is None else table.unionByName(part)
        table.createOrReplaceTempView("laion")
        answer = spark.sql(sql)
        names_ = tuple(answer.columns)
        return [Row.of(names_, [_plain(value) for value in row]) for row in answer.collect()]
    except DataError:
        raise
    except Exception as error:
        text = str(error).strip().split("\n", 1)[0]
        raise FormatError(f"Spark SQL over {files[0]}: {text} Columns: {', '.join(COLUMNS)}.") from error


def _select(found: dict[str, str], where: str) -> list[str]:
    by_name = {name.lower(): name for name in found}
    if "url" not in by_name:
        raise FormatError(f"{where}: no column of addresses. Expected 'url' or 'URL', found: {', '.join(found)}.")
    selected = []
    for name, (kind, others) in COLUMNS.items():
        source = next((by_name[candidate] for candidate in (name, *others) if candidate in by_name), None)
        value = f"`{source}`" if source else "NULL"
        if source and found[source] in ("date", "timestamp", "timestamp_ntz") and kind != "VARCHAR":
            # Spark refuses to even try these casts.
            value = "NULL"
        # Like DuckDB's TRY_CAST: a value of another type becomes null instead of ending the query.
        selected.append(f"try_cast({value} AS {SPARK_TYPES[kind]}) AS {name}")
    return selected


def _plain(value: Any) -> Any:
    """Turn Spark's decimals, which DuckDB gives as integers, into integers where they are whole."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
