"""The thousand classes and their five names: one table, so that no reader mixes up the two ways to count them."""

from __future__ import annotations

import csv
import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from .. import cards
from ..errors import FormatError, UnknownNameError

FORMS = ("devkit", "index", "wnid", "name", "torchvision", "keras")
NUMBERS = {"devkit": "the devkit's 1 to 1000", "index": "0 to 999, the rank of the wnid"}


class Named:
    """What has a wnid for its label and WordNet's words for its name."""

    __slots__ = ()
    label: str
    name: str

    @property
    def wnid(self) -> str:
        """The class's wnid."""
        return self.label

    @property
    def short(self) -> str:
        """The first of the class's words."""
        return self.name.partition(",")[0]


class Class(Named, msgspec.Struct, frozen=True):
    """A picture's class.

    ``label`` is the wnid, because names repeat; ``name`` WordNet's words; ``index`` and ``devkit`` count the thousand
    classes (None for any other wnid).
    """

    label: str
    name: str = ""
    index: int | None = None
    devkit: int | None = None


class Row(msgspec.Struct, frozen=True):
    """One of the thousand classes, as ``cards/tables/imagenet-classes.csv`` has it; ``short`` is Keras's name."""

    index: int
    devkit: int
    wnid: str
    name: str
    short: str
    torchvision: str


@functools.cache
def table() -> tuple[Row, ...]:
    """Return the thousand classes, sorted by wnid."""
    with (cards.HERE / "tables" / "imagenet-classes.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    return tuple(Row(int(row[0]), int(row[1]), *row[2:]) for row in rows)


@functools.cache
def by(form: str) -> dict[int | str, list[Row]]:
    """Return the rows by one form; of ``"name"`` both the whole text and each synonym is a key."""
    found: dict[int | str, list[Row]] = {}
    for row in table():
        keys = [row.short if form == "keras" else getattr(row, form)]
        for key in dict.fromkeys(keys + (row.name.split(", ") if form == "name" else [])):
            found.setdefault(key, []).append(row)
    return found


def class_of(wnid: str, words: str = "") -> Class:
    """Return a wnid as a label; ``words`` name it where it is none of the thousand."""
    rows = by("wnid").get(wnid)
    return Class(wnid, rows[0].name, rows[0].index, rows[0].devkit) if rows else Class(wnid, words)


def convert(value: Any, source: str, target: str) -> Any:
    """Convert a class, or a list of classes, from one way of naming it to another.

    Parameters
    ----------
    value
        A number or a text, or a list, tuple or array of them.
    source, target
        ``"devkit"`` (ILSVRC2012_ID, 1 to 1000), ``"index"`` (0 to 999: what PyTorch, Keras and ReaL count),
        ``"wnid"``, ``"name"`` (WordNet's words; as a source one of them is enough), ``"torchvision"`` or ``"keras"``
        (their names).

    Raises
    ------
    UnknownNameError
        A form that does not exist.
    FormatError
        No such class; a name of two classes; a list that counts from 0 where ``source`` counts from 1, or the other
        way round.
    """
    for form in (source, target):
        if form not in FORMS:
            raise UnknownNameError(f"{form!r} names no form of a class. Expected one of: {', '.join(FORMS)}.")
    if not isinstance(value, str | bytes) and hasattr(value, "__iter__"):
        values = value.tolist() if hasattr(value, "tolist") else list(value)
        if not isinstance(values, list):
            return convert(values, source, target)
        if source in NUMBERS:
            check_numbers(values, source, "the list")
        return [_one(item, source, target) for item in values]
    return _one(value, source, target)


def _one(value: Any, source: str, target: str) -> Any:
    key = value
    if source in NUMBERS:
        key = _whole(value)
        if key is None:
            raise FormatError(f"{value!r} is no whole number; {source!r} counts {NUMBERS[source]}.")
        if key == {"devkit": 0, "index": 1000}[source]:
            raise _base(source, "the value")
    rows = by(source).get(key, []) if isinstance(key, str | int) else []
    exact = [row for row in rows if row.name == value] if source == "name" else rows
    if len(rows := exact if len(exact) == 1 else rows) != 1:
        told = ", ".join(f"{row.wnid} ({row.name})" for row in rows)
        what = f"two classes are called so: {told}. Give the wnid" if rows else "no class of the thousand is called so"
        raise FormatError(
            f"{value!r} as {source!r}: {what if source not in NUMBERS else NUMBERS[source] + ' expected'}."
        )
    return rows[0].short if target == "keras" else getattr(rows[0], target)


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if value.isdecimal() else None
    try:
        return None if isinstance(value, bool) or int(value) != value else int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _base(source: str, where: str) -> FormatError:
    other, found = ("index", 0) if source == "devkit" else ("devkit", 1000)
    return FormatError(
        f"{where}: {found} found, so this counts as {other!r} does ({NUMBERS[other]}); expected {source!r} "
        f"({NUMBERS[source]}). Read it as {other!r}, and never shift by one: the two orders differ."
    )


def check_numbers(values: Sequence[Any], source: str, where: str) -> None:
    """Refuse a list that counts from 0 where 1 is due, or the other way; whole validation lists are known as such."""
    wrong = {"devkit": 0, "index": 1000}[source]
    if wrong in values or str(wrong) in values:
        raise _base(source, where)
    if len(values) == cards.parsed("imagenet").facts["val_images"].value:
        found = numbering(values)
        if found in NUMBERS and found != source:
            raise FormatError(f"{where}: these are the validation labels as {found!r}, expected {source!r}.")
        if found not in NUMBERS and found != "unknown":
            raise FormatError(f"{where}: these are the validation labels as {found}, which no {source!r} list is.")


def numbering(values: Sequence[Any]) -> str:
    """Tell by its content how a list numbers the classes.

    Parameters
    ----------
    values
        The thousand classes in their order (wnids or names), or labels of pictures (numbers).

    Returns
    -------
    str
        ``"index"`` or ``"devkit"``; for the 50,000 validation labels also ``"devkit - 1"`` and ``"index + 1"``, two
        lists that look right and are not; ``"unknown"`` where the content does not tell.
    """
    items = values.tolist() if hasattr(values, "tolist") else list(values)
    numbers = [_whole(item) for item in items]
    if items and None not in numbers:
        known = {member["name"]: member["sha256"] for member in cards.parsed("imagenet").extra["members"]}
        truth = known["ILSVRC2012_validation_ground_truth.txt"]
        ways = {"devkit": (0, "devkit"), "index": (0, "index"), "devkit - 1": (1, "devkit"), "index + 1": (-1, "index")}
        for way, (shift, form) in ways.items():
            rows = [by(form).get(number + shift) for number in numbers if number is not None]
            text = "".join(f"{row[0].devkit}\n" for row in rows if row)
            if hashlib.sha256(text.encode()).hexdigest() == truth:
                return way
        return "index" if 0 in numbers else "devkit" if 1000 in numbers else "unknown"
    for form in ("wnid", "name", "torchvision", "keras"):
        names = [str(row.short if form == "keras" else getattr(row, form)) for row in table()]
        if items == names:
            return "index"
        if items == [names[row.index] for row in sorted(table(), key=lambda row: row.devkit)]:
            return "devkit"
    return "unknown"
