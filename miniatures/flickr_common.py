"""From the pictures of `flickr_pictures` to plain captions, phrases and boxes, for both Flickr miniatures."""

from __future__ import annotations

import hashlib
import json
import re
from typing import NamedTuple

from PIL import Image

try:
    from miniatures import common, flickr_pictures
except ImportError:
    import common  # type: ignore[no-redef]
    import flickr_pictures  # type: ignore[no-redef]

SIDE = 500
FIRST_OWN = 9_000_000_001
PHRASE = re.compile(r"\[(\S+) ([^\]]+)\]")


class Made(NamedTuple):
    """One picture of the miniature: its Flickr number and secret, its picture, split, captions, things, and credit."""

    number: str
    secret: str
    image: Image.Image
    split: str
    captions: list[str]
    things: dict[str, tuple[str, list[flickr_pictures.Box] | str]]
    credit: common.Credit
    source: str


def made() -> list[Made]:
    """Return all pictures; photographs of COCO that are shown whole keep their number and secret at Flickr."""
    sources = common.sources()
    records = json.loads((common.SOURCES / "coco.json").read_text(encoding="utf-8"))["images"]
    flickr = {f"{row['id']:012d}": row["flickr_url"].rsplit("/", 1)[1].split("_")[:2] for row in records}
    result = []
    for index, picture in enumerate(flickr_pictures.PICTURES):
        source = sources[picture.source]
        image = source.image()
        whole = picture.box is None and not picture.mirror and picture.source in flickr
        number = flickr[picture.source][0] if whole else str(FIRST_OWN + index)
        made_up = hashlib.sha256(f"{picture.source}{picture.box}{picture.mirror}".encode()).hexdigest()[:10]
        secret = flickr[picture.source][1] if whole else made_up
        left, top, right, bottom = picture.box or (0, 0, image.width, image.height)
        scale = min(1.0, SIDE / max(right - left, bottom - top))
        size = (round((right - left) * scale), round((bottom - top) * scale))
        image = image.crop((left, top, right, bottom)).resize(size, Image.Resampling.LANCZOS)
        if picture.mirror:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        named = dict.fromkeys(
            m[1].partition(":")[0] for caption in picture.captions for m in PHRASE.finditer(caption) if m[1] != "-"
        )
        things = {name: flickr_pictures.THINGS[picture.source][name] for name in named}
        for name, (kind, boxes) in things.items():
            if not isinstance(boxes, str):
                moved = [_moved(box, (left, top, right, bottom), scale, size, picture.mirror) for box in boxes]
                kept = [box for box in moved if box is not None]
                if not kept:
                    raise ValueError(f"picture {index}, {name}: no box is left inside {picture.box}")
                things[name] = (kind, kept)
        how = [] if picture.box is None else ["cut"]
        how += ["mirrored"] if picture.mirror else []
        credit = common.Credit(
            "", source.licence, source.credit + (f" ({', '.join(how)})" if how else ""), source.source
        )
        result.append(
            Made(number, secret, image, picture.split, list(picture.captions), things, credit, picture.source)
        )
    return result


def _moved(
    box: flickr_pictures.Box, cut: flickr_pictures.Box, scale: float, size: tuple[int, int], mirror: bool
) -> flickr_pictures.Box | None:
    """Carry a box along into a cut; dropped if less than a third of it is inside, and that a small part of the cut."""
    left, top, right, bottom = (
        max(box[0], cut[0]),
        max(box[1], cut[1]),
        min(box[2], cut[2]),
        min(box[3], cut[3]),
    )
    area = (box[2] - box[0]) * (box[3] - box[1])
    inside = max(right - left, 0) * max(bottom - top, 0)
    if inside * 3 < area and inside * 8 < (cut[2] - cut[0]) * (cut[3] - cut[1]):
        return None
    x1, x2 = round((left - cut[0]) * scale), round((right - cut[0]) * scale)
    y1, y2 = round((top - cut[1]) * scale), round((bottom - cut[1]) * scale)
    if mirror:
        x1, x2 = size[0] - x2, size[0] - x1
    return max(x1, 0), max(y1, 0), min(x2, size[0]), min(y2, size[1])


def plain(caption: str) -> str:
    """Return a caption without the marks of its phrases."""
    return PHRASE.sub(lambda m: m[2], caption)
