"""What a fetch would move, told before it moves: parts, their sizes, mirrors and terms."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from ..cards import Card, File
from ..errors import FormatError, GatedError
from ..remote import Source, shown
from ..samples import Selection

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file to fetch.

    Attributes
    ----------
    name
        Where it goes below the root, with ``/``.
    urls
        Addresses in order; of the archive, where ``member`` is set.
    bytes
        What moves, where known: exact, or where ``estimated`` is set about.
    sha256, md5
        Accepted hashes, one of which must fit; of the file itself, never of the archive that ``member`` is taken from.
    rivals
        Whether an accepted file may have another size than ``bytes``.
    member
        Name inside a remote zip, taken by range.
    whole
        Size of that zip, where known.
    unpack
        Folder below the root into which the file is unpacked; it is an archive then, kept in ``.archives/``.
    """

    name: str
    urls: tuple[str, ...]
    bytes: int | None = None
    estimated: bool = False
    sha256: tuple[str, ...] = ()
    md5: tuple[str, ...] = ()
    rivals: bool = False
    member: str | None = None
    whole: int | None = None
    unpack: str | None = None

    def __post_init__(self) -> None:
        path = PurePosixPath(self.name)
        if path.is_absolute() or ".." in path.parts or not path.parts or re.search(r"[\\\0]|^[A-Za-z]:", self.name):
            raise FormatError(f"{self.name!r} is no place below the root. Mend the card or the list that names it.")

    @property
    def source(self) -> Source:
        """What the transfer is told."""
        name = PurePosixPath(self.urls[0].split("?")[0]).name if self.member and self.urls else self.name
        if self.member:
            return Source(name=name, urls=self.urls, bytes=self.whole)
        size = None if self.estimated else self.bytes
        return Source(name=name, urls=self.urls, bytes=size, sha256=self.sha256, md5=self.md5, rivals=self.rivals)

    def target(self, root: Path) -> Path:
        """Return the file's place: archives that are unpacked are kept out of the readers' way."""
        return (root / ".archives" / self.name) if self.unpack is not None else root / self.name


class Plan(msgspec.Struct, kw_only=True):
    """What would be fetched.

    Attributes
    ----------
    dataset, root
        The dataset and the folder that would be filled.
    parts
        What is not there yet, each with its mirrors.
    bytes
        What would move, as far as it is known; ``exact`` tells whether every size is.
    pictures
        Single pictures beside the parts: their number; their bytes are counted by the mean of the dataset.
    present
        Files that are there already.
    gated
        Files that only their owners hand out.
    terms
        Terms of use and licences.
    notes
        What else to know.
    """

    dataset: str
    root: str
    parts: list[Part] = []
    bytes: int = 0
    exact: bool = True
    pictures: int = 0
    present: list[str] = []
    gated: list[str] = []
    terms: str = ""
    notes: list[str] = []

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        for part in plain["parts"]:
            part["urls"] = [shown(url) for url in part["urls"]]
        return plain

    def __str__(self) -> str:
        lines = [f"{self.dataset} into {self.root}", f"Moves {'' if self.exact else 'about '}{size(self.bytes)}:"]
        for part in self.parts[:20]:
            amount = size(part.bytes) if part.bytes is not None else "size not known"
            what = f"{part.member} out of {part.source.name}" if part.member else part.name
            lines.append(f"  {'about ' if part.estimated else ''}{amount:>12}  {what}")
            lines += [f"{'':16}from {shown(url)}" for url in part.urls]
        if len(self.parts) > 20:
            lines.append(f"  ... and {len(self.parts) - 20:,} files more (--json lists all)")
        if self.pictures:
            lines.append(f"  and up to {self.pictures:,} single pictures")
        if self.present:
            lines.append(f"There already: {len(self.present):,} files")
        if self.gated:
            lines.append("Only from the owners: " + ", ".join(self.gated))
        if self.terms:
            lines.append(f"Terms: {self.terms}")
        return "\n".join([*lines, *self.notes])


def size(count: int | None) -> str:
    """Return a number of bytes in words."""
    if count is None:
        return "an unknown size"
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"


def terms(card: Card) -> str:
    """Return a card's terms and licences in one paragraph."""
    return f"{card.access.terms} Annotations: {card.licences.annotations} Pictures: {card.licences.images}"


def part_of(file: File) -> Part:
    """Return the part that fetches a card's file whole."""
    accepted = [(file.sha256, file.md5), *((one.sha256, one.md5) for one in file.accept)]
    return Part(
        name=file.name,
        urls=tuple(file.urls),
        bytes=file.bytes,
        sha256=tuple(sha256 for sha256, _ in accepted if sha256),
        # The slower and weaker hash decides only where it stands alone.
        md5=tuple(md5 for sha256, md5 in accepted if md5 and not sha256),
        rivals=any(one.bytes != file.bytes for one in file.accept),
        unpack=file.unpack if file.name.lower().endswith(ARCHIVES) else None,
    )


def chosen_files(card: Card, want: Selection) -> list[File]:
    """Return a card's files of the wanted splits and label types.

    Raises
    ------
    UnknownNameError
        A split or label type that no file of the card has.
    """
    splits = want.names("split", dict.fromkeys(split for file in card.files for split in file.splits))
    kinds = want.names("label_types", dict.fromkeys(kind for file in card.files for kind in file.label_types))
    return [
        file
        for file in card.files
        if (splits is None or not file.splits or set(splits) & set(file.splits))
        and (kinds is None or not file.label_types or set(kinds) & set(file.label_types))
    ]


def gated(card: Card, why: str, files: list[File] | None = None) -> GatedError:
    """Build the lesson for what only the owners hand out: where to ask, under which terms, which files to put where."""
    lines = [f"{card.title}: {why}.", f"Terms: {card.access.terms}"]
    if card.access.apply_url:
        lines.append(f"Where to ask: {card.access.apply_url}")
    lines += [f"  {number}. {step}" for number, step in enumerate(card.access.steps, 1)]
    listed = [file for file in (files if files is not None else card.files) if file.gated or not file.urls]
    if listed:
        lines.append("Files, each put into one folder under this name:")
    for file in listed:
        told = [size(file.bytes)] if file.bytes is not None else []
        told += (
            [f"SHA-256 {file.sha256}"] if file.sha256 else [f"MD5 {file.md5}"] if file.md5 else ["no published hash"]
        )
        lines.append(f"  - {file.name} ({', '.join(told)}): {file.inside}")
    lines.append(f"Then: python -m data_helpers adopt {card.stem} FOLDER")
    return GatedError("\n".join(lines))
