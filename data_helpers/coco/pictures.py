"""What a picture file's header tells: cheap enough for a whole dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image

from . import layout
from .splits import Split, file_name

Report = Callable[[str, str, str], None]
FEW = 20
"""So many pictures of one kind are told one by one."""


def check(path: Path, width: int | None, height: int | None, where: str, report: Report) -> None:
    """Report what a reader must know before using a picture; reads its header and its last bytes only.

    Kinds: not-a-picture, cut-picture, wrong-size, rotated-picture (EXIF), gray-picture, cmyk-picture.
    """
    try:
        with Image.open(path) as picture:
            size, mode, form = picture.size, picture.mode, picture.format
            turned = picture.getexif().get(0x0112, 1) if form in ("JPEG", "MPO", "WEBP", "PNG") else 1
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        try:
            with path.open("rb") as file:
                begins = file.read(16)
            report("not-a-picture", where, f"no picture: begins {begins!r}")
        except OSError:
            report("not-a-picture", where, f"cannot be read: {error}")
        return
    if width is not None and height is not None and size != (width, height):
        report("wrong-size", where, f"is {size[0]}x{size[1]}, listed as {width}x{height}")
    if turned not in (0, 1):
        report("rotated-picture", where, f"EXIF orientation {turned}: viewers turn it, its labels are for it unturned")
    if mode in ("L", "LA", "1", "I;16"):
        report("gray-picture", where, f"mode {mode}: one channel, not three")
    elif mode == "CMYK":
        report("cmyk-picture", where, "four channels, convert to RGB before use")
    if form == "JPEG":
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64))
            if b"\xff\xd9" not in file.read():
                report("cut-picture", where, "no end mark: the file is cut short")


def check_split(split: Split, report: Report, beside: dict[Path, tuple[frozenset[str], set[str]]]) -> int:
    """Count a split's pictures on disk and look at each one's header; remember each folder's names and listed ones."""
    count, missing = 0, []
    place = split.folder.name
    # Lists may share a folder: a picture is unlisted when none of them has it.
    listed = beside.setdefault(split.folder, (split.names, set()))[1]
    for image in split.images.values():
        path = split.image(image)
        if path is None:
            # A results file names no picture files: there is nothing to miss.
            if not split.results:
                missing.append(file_name(image) or f"image {image.id}, which has no file name")
            continue
        count += 1
        listed.add(path.name)
        check(path, image.width, image.height, f"{place}/{path.name}", report)
    _tell(missing, len(split.images), "missing-picture", place, "is listed, and not there", report)
    return count


def check_unlisted(beside: dict[Path, tuple[frozenset[str], set[str]]], report: Report) -> None:
    """Report pictures that no list names, in folders of which some list names one."""
    for folder, (names, listed) in beside.items():
        pictures = (name for name in names - listed if Path(name).suffix.lower() in layout.PICTURES)
        extra = sorted(name for name in pictures if not name.startswith("."))
        if listed:
            _tell(extra, len(names), "unlisted-picture", folder.name, "is there, and in no list", report)


def _tell(names: Iterable[str], total: int, kind: str, place: str, detail: str, report: Report) -> None:
    """Report each name; where they are many, all of them in one entry."""
    names = list(names)
    if len(names) <= FEW:
        for name in names:
            report(kind, f"{place}/{name}", detail)
    else:
        report(kind, place, f"{len(names):,} of {total:,}: {', '.join(names[:5])}, ...: each {detail}")
