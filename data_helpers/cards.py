"""Cards: what is true of a dataset, one TOML file each, read by the package, the book and the tests alike.

A card is checked against the structs of this module when it is read: a missing field, an unknown one or a value of
the wrong type is an error that names the card and the field. ``DATA_HELPERS_CARDS`` names a folder of further cards;
one with the stem of a shipped card replaces it.
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from . import home
from .errors import FormatError, MissingFileError, UnknownNameError

HERE = Path(__file__).parent / "cards"

Date = Annotated[str, msgspec.Meta(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Md5 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
Bytes = Annotated[int, msgspec.Meta(ge=0)]


class Licences(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Licences of the annotations, of the pictures as a whole, and where each picture's own licence stands."""

    annotations: str
    images: str
    per_image: str
    source: str = ""


class Access(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one gets the data today. ``steps`` are told, in order, by a gated dataset's error."""

    route: Literal["open", "gated", "withdrawn", "dead"]
    terms: str
    apply_url: str = ""
    steps: list[str] = []
    source: str = ""


class Ethics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Consent of the people shown, who they are, how to be taken out, and what to keep in mind."""

    consent: str
    people: str
    opt_out: str
    source: str = ""


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address the dataset is known by; ``archived`` is a copy in a public archive."""

    name: str
    url: str
    status: Literal["live", "dead", "gated", "unknown"]
    checked: Date
    archived: str = ""
    note: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One dated event of the history."""

    date: Date
    event: str
    source: str
    kind: Literal["release", "correction", "access", "consent", "law", "withdrawal", "other"] = "other"


class Defect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A known defect of the published files."""

    what: str
    detail: str
    source: str


class Accepted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A further file that is accepted, with the date and the reason, where sources conflict or a file was replaced.

    ``bytes`` left out means that no source gives its size.
    """

    date: Date
    note: str
    sha256: Sha256 | None = None
    md5: Md5 | None = None
    bytes: Bytes | None = None

    def __post_init__(self) -> None:
        if not (self.sha256 or self.md5):
            raise ValueError("expected sha256 or md5")


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One published file.

    Attributes
    ----------
    name
        Where the file lies below the dataset's root (``annotations/instances_val2017.json``), or the archive's name.
    urls
        Addresses in the order in which they are tried; empty for a gated file.
    bytes
        Size; None where no source gives it exactly.
    sha256, md5
        Published hashes in hexadecimal, where known.
    inside
        What the file holds, in words.
    unpack
        Folder below the root into which an archive's members go; None for a file that is kept as it is.
    variant_of
        Name of the usual file, of which this one is another size or an older division: it comes only where its
        split is asked for by name.
    gated
        True where only the owners may hand it out: the reader obtains it and ``adopt`` takes it in.
    """

    name: str
    urls: list[str]
    inside: str
    status: Literal["live", "dead", "gated", "unknown"]
    verified: Date
    bytes: Bytes | None = None
    sha256: Sha256 | None = None
    md5: Md5 | None = None
    accept: list[Accepted] = []
    splits: list[str] = []
    label_types: list[str] = []
    unpack: str | None = None
    variant_of: str = ""
    gated: bool = False
    note: str = ""
    source: str = ""


class SampleTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bounded sample of real data that ``root="sample"`` fetches: what it is and about how many bytes it takes."""

    what: str
    bytes: Bytes
    arguments: dict[str, Any] = {}


class Disagreement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another figure in circulation for the same fact: who prints it and by which counting rule."""

    value: int | float | str
    source: str
    rule: str = ""


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure: computed from files with known hashes, or cited."""

    value: int | float | str
    what: str
    origin: Literal["computed", "cited"]
    source: str
    date: Date
    unit: str = ""
    note: str = ""
    notebook: str = ""
    review: Date | None = None
    disagree: list[Disagreement] = []


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the book and the package know of one dataset."""

    stem: str
    title: str
    purpose: str
    tasks: list[str]
    year: int
    homepage: str
    homepage_archived: str
    citation: str
    licences: Licences
    access: Access
    ethics: Ethics
    order: int = 100
    keywords: list[str] = []
    creators: list[str] = []
    sample: SampleTier | None = None
    links: list[Link] = []
    history: list[Event] = []
    defects: list[Defect] = []
    files: list[File] = []
    facts: dict[str, Fact] = {}
    tables: dict[str, str] = {}
    extra: dict[str, Any] = {}


def _folders() -> list[Path]:
    own = home.cards_folder()
    if own is not None and not own.is_dir():
        raise MissingFileError(f"{own}: DATA_HELPERS_CARDS names no folder. Make it, or unset the variable.")
    return [HERE] if own is None else [HERE, own]


def _paths() -> dict[str, Path]:
    return {path.stem: path for folder in _folders() for path in sorted(folder.glob("*.toml"))}


def list_datasets() -> list[str]:
    """Return the names of the datasets that have a card, in the order of the book."""
    return sorted(_paths(), key=lambda stem: (parsed(stem).order, stem))


def card(name: str) -> dict[str, Any]:
    """Return one card as its TOML file has it, checked against the schema.

    Raises
    ------
    UnknownNameError
        No card of that name; the message lists those that exist.
    FormatError
        The card is not valid TOML or breaks the schema; the message names file and field.
    """
    return msgspec.json.decode(msgspec.json.encode(_load(_path(name))[0]))  # type: ignore[no-any-return]


def parsed(name: str) -> Card:
    """Return one card as typed structs; errors as for `card`."""
    return _load(_path(name))[1]


def _path(name: str) -> Path:
    paths = _paths()
    if not isinstance(name, str) or name not in paths:
        raise UnknownNameError(f"{name!r} is not a known dataset. Expected one of: {', '.join(sorted(paths))}.")
    return paths[name]


def _load(path: Path) -> tuple[dict[str, Any], Card]:
    return _load_version(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _load_version(path: Path, _mtime: int) -> tuple[dict[str, Any], Card]:
    data: dict[str, Any] = {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        # Python dates are not asked for: every date in a card is a quoted string, so that a year alone is one too.
        result = msgspec.convert(data, Card)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise FormatError(
            f"{path}: not a valid card: {_named(error, data)}. "
            "data_helpers/cards.py is its form, field by field; CONTRIBUTING.md shows one fact whole."
        ) from error
    if result.stem != path.stem:
        raise FormatError(f"{path}: stem = {result.stem!r}, expected {path.stem!r}, the file's own name.")
    return data, result


def _named(error: Exception, data: dict[str, Any]) -> str:
    """Return an error's text with the name of the fact that is wrong: msgspec tells no key of a table."""
    text = str(error)
    for key, fact in data["facts"].items() if "$.facts[...]" in text else ():
        try:
            msgspec.convert(fact, Fact)
        except msgspec.ValidationError:
            return text.replace("$.facts[...]", f"$.facts.{key}")
    return text
