"""What every dataset is read into: samples, and the counts and problems of a whole folder.

The records behind ``Sample.labels`` belong to each format (COCO's ``Instance``, Flickr's ``Caption``, ...), with the
field names of that format; what they share is an attribute ``label`` where a record names a class.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from .errors import UnknownNameError

Tier = Literal["miniature", "sample", "full"]
T = TypeVar("T")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One picture and what is known of it.

    Attributes
    ----------
    id
        The dataset's own id of the picture: an integer for COCO, a file stem elsewhere.
    image
        Path of the picture's file, or None where it is not on disk.
    width, height
        Size in pixels as the dataset states it, or None where it states none.
    split
        Name of the split as the dataset's files give it, or None.
    labels
        Label type (``boxes``, ``masks``, ``captions``, ``classes``, ...) to its records. Boxes are
        ``[x, y, width, height]`` in pixels, origin at the top left.
    licence, credit, source_url
        The picture's own licence, whom to credit, and where it was published; None where unknown.
    extra
        What only one dataset knows.
    """

    id: int | str
    image: Path | None = None
    width: int | None = None
    height: int | None = None
    split: str | None = None
    labels: dict[str, Sequence[Any]] = {}
    licence: str | None = None
    credit: str | None = None
    source_url: str | None = None
    extra: dict[str, Any] = {}


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong in a folder: its kind (a fixed word), where it is, and what was found."""

    kind: str
    where: str
    detail: str


class Scan(msgspec.Struct, kw_only=True):
    """Counts and problems of one folder, as every dataset module's ``scan`` gives them.

    ``images`` counts the pictures that lists or annotations name, once in each split, or where there are none the
    picture files; ``images_on_disk`` those whose file is there. ``labels`` maps a label type to its number of
    records, ``classes`` a class's name to the number of its labels.
    """

    images: int = 0
    images_on_disk: int = 0
    splits: dict[str, int] = {}
    labels: dict[str, int] = {}
    classes: dict[str, int] = {}
    problems: list[Problem] = []


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a dataset is wanted; the arguments of FiftyOne's zoo, with the same meaning.

    Attributes
    ----------
    split
        One split's name, several, or None for all.
    max_samples
        At most so many pictures, over all chosen splits together.
    classes
        Keep pictures that have at least one label of at least one of these classes.
    image_ids
        Keep these ids only.
    label_types
        Carry these label types only; None means all.
    shuffle, seed
        Choose at random instead of in the files' own order; the same seed chooses the same pictures
        whatever is on disk.
    """

    split: str | Sequence[str] | None = None
    max_samples: int | None = None
    classes: str | Sequence[str] | None = None
    image_ids: Sequence[int | str] | None = None
    label_types: str | Sequence[str] | None = None
    shuffle: bool = False
    seed: int | None = None

    def __post_init__(self) -> None:
        for field in ("split", "classes", "label_types"):
            value = getattr(self, field)
            if value is not None and not isinstance(value, str):
                msgspec.structs.force_setattr(self, field, _listed(field, value))
        if self.split == []:
            raise UnknownNameError(f"split={self.split!r} names none. Leave it out for all splits.")
        if self.image_ids is not None:
            alone = isinstance(self.image_ids, str) or not isinstance(self.image_ids, Iterable)
            ids = [self.image_ids] if alone else self.image_ids
            msgspec.structs.force_setattr(self, "image_ids", _listed("image_ids", ids))
        for field in ("max_samples", "seed"):
            msgspec.structs.force_setattr(self, field, whole(field, getattr(self, field)))
        if self.max_samples is not None and self.max_samples < 0:
            raise UnknownNameError(f"max_samples={self.max_samples}: expected 0 or more, or None for all.")

    def names(self, field: Literal["split", "classes", "label_types"], known: Iterable[str]) -> list[str] | None:
        """Return the chosen names of a field, checked against those that exist; None means no choice was made.

        Raises
        ------
        UnknownNameError
            A name does not exist; the message lists those that do.
        """
        value: str | Sequence[str] | None = getattr(self, field)
        if value is None:
            return None
        chosen = [value] if isinstance(value, str) else list(value)
        existing = list(known)
        for name in chosen:
            if name not in existing:
                listed = ", ".join(map(str, existing[:100])) or "none here"
                raise UnknownNameError(f"{field}={name!r} is not known. Expected one of: {listed}.")
        return chosen

    def take(self, candidates: Iterable[T]) -> list[T]:
        """Return at most ``max_samples`` of the candidates: the first ones, or random ones when ``shuffle`` is set.

        The candidates must come in an order that depends on the dataset alone, never on what is on disk.
        """
        items = list(candidates)
        if self.shuffle:
            random.Random(self.seed).shuffle(items)
        return items if self.max_samples is None else items[: self.max_samples]

    def wants_id(self) -> frozenset[Hashable] | None:
        """Return the wanted ids as a set of both integers and strings, or None where all are wanted."""
        if self.image_ids is None:
            return None
        both: set[Hashable] = set()
        for value in self.image_ids:
            both.add(value)
            both.add(str(value))
            if isinstance(value, str) and value.isdigit():
                both.add(int(value))
        return frozenset(both)


def whole(field: str, value: Any) -> int | None:
    """Return an argument that must be a whole number, or None; NumPy's integers are plain ones from here on."""
    try:
        return None if value is None else operator.index(value)
    except TypeError as error:
        raise UnknownNameError(f"{field}={value!r}: expected a whole number, or None.") from error


def _listed(field: str, value: Any) -> list[Any]:
    """Return an argument's names or ids as a list, so that they can be gone through more than once."""
    try:
        found = list(value)
        hash(tuple(found))
    except TypeError as error:
        raise UnknownNameError(f"{field}={value!r}: expected a name, or a list of them.") from error
    return found


class Reader(Protocol):
    """What a dataset's module offers to the public face; each is a plain function of the module."""

    def recognise(self, folder: Path) -> str | None:
        """Name what of this dataset the folder holds (``"COCO 2017"``), or None. Cheap: looks at names only."""

    def read(self, root: Path, want: Selection) -> Iterator[Sample]:
        """Iterate the wanted samples of a folder in the dataset's original layout."""

    def scan(self, root: Path) -> Scan:
        """Count the whole folder and list its problems."""
