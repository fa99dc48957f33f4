"""What became of the addresses of a download: one class of outcome for each message that a try can end with."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..errors import MissingFileError
from .tables import duckdb_module, not_parquet, sql_list


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


def report(folder: str | Path, *, seconds: float = 0.0) -> Report:
    """Count the outcomes of a download's folder, from the tables that stand beside its shards."""
    target = Path(folder).expanduser()
    # A download that was killed leaves the table of its last shard half written.
    shards = sorted(str(path) for path in target.glob("*.parquet") if not not_parquet(path))
    if not shards:
        raise MissingFileError(f"{target}: no table of outcomes there. Expected a folder that `download` has filled.")
    with duckdb_module().connect() as connection:
        sql = f"SELECT error_message, count(*) FROM read_parquet({sql_list(shards)}, union_by_name = true) GROUP BY 1"
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
