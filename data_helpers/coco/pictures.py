"""What a picture file's header tells: cheap enough for a whole dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image


def check(
    path: Path, width: int | None, height: int | None, where: str, report: Callable[[str, str, str], None]
) -> None:
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
