"""A row of an answer, by place and by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Row(tuple[Any, ...]):
    """One row of an answer: a tuple whose values can also be asked by column name, as key or as attribute."""

    _names: tuple[str, ...]

    @classmethod
    def of(cls, names: tuple[str, ...], values: Sequence[Any]) -> Row:
        """Make a row of its column names and values."""
        row = cls(values)
        row._names = names
        return row

    def keys(self) -> tuple[str, ...]:
        """Return the column names, so that ``dict(row)`` works."""
        return self._names

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return super().__getitem__(key)
        try:
            return super().__getitem__(self._names.index(key))
        except ValueError:
            raise KeyError(key) from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None
