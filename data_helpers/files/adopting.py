"""Files that did not come by a fetch: obtained by the reader, or laid out for a classroom."""

from __future__ import annotations

import os
import shutil
import sys
import urllib.parse
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..cards import Card
from ..errors import ChecksumError, DataError, FormatError, MissingFileError
from ..remote.sinks import storage
from .ledger import HIDDEN, Entry, Ledger, Verdict, digests, verdict
from .plans import Part, part_of, size
from .progress import room
from .running import aside, make, unpack


def adopt(card: Card, folder: Path, root: Path) -> Path:
    """Check files the reader obtained against a card and take them into a root; the reader's files stay.

    Each file of the card that lies in the folder, at its own place or anywhere below, is checked by size and hash
    before any is taken. Archives are unpacked as a fetch would. What the card describes as a folder or by a pattern
    is taken file by file.

    Raises
    ------
    MissingFileError
        None of the card's files is there; the message lists what is looked for.
    ChecksumError
        A file is not the published one; nothing was taken.
    BudgetError
        The disk has no room for the copies; nothing was taken.
    """
    found = {file.name: paths for file in card.files if (paths := list(_find(folder, file.name)))}
    if not found:
        raise MissingFileError(_nothing(card, folder))
    checked = {path: verdict(path, file) for file in card.files for path in found.get(file.name, []) if path.is_file()}
    wrong = [f"  - {path}: {one.detail}" for path, one in checked.items() if one.kind == "altered"]
    if wrong:
        raise ChecksumError(
            f"{card.title}: not the published files; nothing was taken.\n"
            + "\n".join(wrong)
            + "\nGet them again from their owners, and compare sizes first."
        )
    moves = [
        (part, source, place, checked.get(source, Verdict("unchecked")))
        for part in map(part_of, card.files)
        for path in found.get(part.name, [])
        for source, place in _places(path, folder, part)
    ]
    make(root)
    room(root, sum(source.stat().st_size for _, source, _, _ in moves), card.title)
    ledger, added = Ledger(root), {}
    for part, source, place, known in moves:
        target = root / place if part.unpack is None else part.target(root)
        hashes = _take(source, target, known.hashes)
        added[place] = ledger.entry(target, hashes, "adopted")
        if part.unpack is not None:
            added[place].unpacked = unpack(target, root, part.unpack)
    ledger.save(added)
    loose = [place for _, _, place, known in moves if known.kind == "unchecked"]
    if loose:
        some = ", ".join(loose[:5]) + (f" and {len(loose) - 5:,} more" if len(loose) > 5 else "")
        print(f"Taken unchecked, nobody published their size or hash: {some}.", file=sys.stderr)
    return root


def _find(folder: Path, name: str) -> Iterator[Path]:
    """Yield a file's places: where the card says, or its bare name anywhere below; a pattern yields all that fit."""
    if any(sign in name for sign in "*?["):
        yield from sorted(folder.glob(name)) or sorted(folder.rglob(Path(name).name))
        return
    if (folder / name).exists():
        yield folder / name
        return
    yield from sorted(path for path in folder.rglob(Path(name).name) if HIDDEN not in path.parts)[:1]


def _places(path: Path, folder: Path, part: Part) -> Iterator[tuple[Path, str]]:
    if path.is_dir():
        for inner in sorted(path.rglob("*")):
            if inner.is_file() and not any(piece.startswith(".") for piece in inner.relative_to(path).parts):
                yield inner, f"{part.name}/{inner.relative_to(path).as_posix()}"
    elif any(sign in part.name for sign in "*?["):
        yield path, path.relative_to(folder).as_posix()
    else:
        yield path, part.name


def _nothing(card: Card, folder: Path) -> str:
    names = "\n".join(f"  - {file.name}" + (f" ({size(file.bytes)})" if file.bytes else "") for file in card.files)
    return (
        f"{folder}: none of the files of {card.title} is there. Looked for:\n{names or '  (its card names none)'}\n"
        f"A folder that is unpacked already needs no adopting: give it as root, or set "
        f"DATA_HELPERS_ROOT_{card.stem.upper()}."
    )


def _take(source: Path, target: Path, hashes: Mapping[str, str]) -> Mapping[str, str]:
    """Copy a file and return its hashes; what lies there already is kept, under another name where it differs."""
    try:
        before = source.stat()
        hashes = hashes or digests(source)
        if target.is_file():
            if target.samefile(source) or digests(target)["sha256"] == hashes["sha256"]:
                return hashes
            aside(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        work = target.with_name(f".{target.name}.new")
        # A copy, never a link: the reader's file and ours must not change together.
        shutil.copy2(source, work)
        after = source.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            work.unlink()
            raise ChecksumError(f"{source}: changed while it was copied. Close what writes to it and adopt again.")
        work.replace(target)
    except OSError as error:
        if isinstance(error, DataError):
            raise
        raise storage(target, error) from error
    return hashes


def lay_out(folder: Path, goal: Path) -> Path:
    """Lay fetched files out as a tree of hosts, ``goal/images.cocodataset.org/val2017/...``, and return it.

    Files are linked where the disk allows it. Members that were taken out of a remote zip are put into a zip at the
    archive's address, so that a class can take them out of it again.

    Parameters
    ----------
    folder
        A root that was fetched into, or a folder of such roots.
    goal
        Where the tree goes.

    Raises
    ------
    MissingFileError
        Nothing in the folder came by a fetch.
    FormatError
        Two files of different content came from one place.
    """
    roots = [path.parent.parent for path in sorted(folder.glob(f"**/{HIDDEN}/fetched.json"))]
    archives: dict[str, dict[str, Path]] = {}
    taken: dict[tuple[str, str], tuple[Entry, Path]] = {}
    for root in roots:
        for name, entry in Ledger(root).entries.items():
            path = root / ".archives" / name if entry.unpacked is not None else root / name
            if not path.is_file() or "://" not in entry.url:
                continue
            place = _host_path(entry.url)
            other, there = taken.setdefault((place, entry.member), (entry, path))
            if (other.bytes, other.sha256) != (entry.bytes, entry.sha256):
                raise FormatError(
                    f"{path} and {there} both came from {place}, apart by the query of their addresses alone. "
                    "A mirror has one place for them: lay them out from two folders, or fetch one of them anew."
                )
            if entry.member:
                archives.setdefault(entry.url, {})[entry.member] = path
                continue
            try:
                _link(path, goal / place)
            except OSError as error:
                raise storage(goal, error) from error
    for url, members in archives.items():
        packed = goal / _host_path(url)
        if not _holds(packed, members):
            _pack(members, packed)
    if not taken:
        raise MissingFileError(
            f"{folder}: nothing here came by a fetch. Fetch first, with the root you want to share, "
            "or give a folder of host folders (images.cocodataset.org/...)."
        )
    return goal


def _host_path(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    # With its port, as a request to the mirror names it; of two servers on one host neither takes the other's place.
    return f"{parts.netloc.rpartition('@')[2].lower()}{urllib.parse.unquote(parts.path)}"


def _link(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        if place.samefile(source):
            return
        place.unlink()
    try:
        os.link(source, place)
    except OSError:
        shutil.copyfile(source, place)


def _holds(place: Path, members: dict[str, Path]) -> bool:
    """Tell whether the archive that was laid out before, or the whole one, holds the members already."""
    if not place.is_file():
        return False
    with zipfile.ZipFile(place) as archive:
        return set(members) <= set(archive.namelist())


def _pack(members: dict[str, Path], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    work = place.with_name(f".{place.name}.new")
    with zipfile.ZipFile(work, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, path in sorted(members.items()):
            archive.write(path, name)
    work.replace(place)
