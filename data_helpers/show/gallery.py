"""Pictures with their labels, licence and credit, as HTML that needs no script and asks no other host.

The overlays are switched by checkboxes and CSS alone: keyboard, touch and mouse work alike, in JupyterLab, in a static
page and from disk. Pictures are small WebP files inside the page; a book's build may move them out.
"""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import FormatError
from ..miniature import is_miniature
from ..samples import Sample
from . import overlays
from .cards import Card
from .style import COLOURS, STYLE

BUDGET = 190_000
"""Bytes that a gallery of twelve pictures may take, all in all."""
STEPS = ((75, 1.0), (65, 1.0), (55, 1.0), (45, 1.0), (35, 1.0), (25, 1.0), (20, 0.8), (15, 0.5))
"""WebP quality and scale, best first."""
TOGGLES = {
    "boxes": "Boxes",
    "masks": "Masks",
    "stuff": "Stuff",
    "keypoints": "Keypoints",
    "panoptic": "Panoptic map",
    "classes": "Classes",
    "captions": "Captions",
}


class Gallery:
    """HTML of a gallery: shows itself in a notebook; ``str()`` gives the fragment, `page` a whole page."""

    def __init__(self, fragment: str, title: str, pictures: int) -> None:
        self.fragment, self.title, self.pictures = fragment, title, pictures

    def __str__(self) -> str:
        return self.fragment

    def __repr__(self) -> str:
        return f"Gallery: {self.title}"

    def _repr_html_(self) -> str:
        return self.fragment

    def page(self) -> str:
        """Return a whole HTML page."""
        title = html.escape(self.title)
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title}</title><style>:root{{color-scheme:light dark}}"
            "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1200px;padding:1rem}</style></head>"
            f"<body><main><h1>{title}</h1>{self.fragment}</main></body></html>\n"
        )


def gallery(
    samples: Iterable[Sample],
    *,
    limit: int = 12,
    size: int = 320,
    title: str | None = None,
    on: Sequence[str] | None = None,
) -> Gallery:
    """Draw pictures with overlays that can be switched, the licence and credit of each below it.

    Parameters
    ----------
    samples
        Samples of any dataset. Boxes are records with ``bbox`` and ``label``, masks have a ``segmentation``, captions a
        ``caption``, classes a ``label``. A caption may carry ``phrase_spans``: tuples ``(start, end, key)`` of
        characters; pointing at such a phrase shows the boxes whose ``chains`` hold the key, or whose ``label`` is it.
    limit
        At most so many pictures; samples whose picture is not on disk are left out, and counted below.
    size
        Longer side of a picture in pixels.
    title
        Heading for screen readers and for the page; by default made of the dataset's name and the number of pictures.
    on
        Overlays that are shown at first; by default all but panoptic maps, and but captions and keypoints beside boxes.
    """
    dataset, tier = getattr(samples, "dataset", ""), getattr(samples, "tier", None)
    samples = [samples] if isinstance(samples, Sample) else samples
    if isinstance(samples, str) or not isinstance(samples, Iterable):
        raise FormatError(f'gallery({samples!r}): expected samples. Write gallery(read("coco")), for example.')
    chosen: list[tuple[Sample, Image.Image]] = []
    absent = unreadable = 0
    for sample in samples:
        if len(chosen) == limit:
            break
        if sample.image is None:
            absent += 1
            continue
        if (picture := _open(sample.image, size)) is None:
            unreadable += 1
            continue
        chosen.append((sample, picture))
    small = tier == "miniature" or any(_of_miniature(sample.image) for sample, _ in chosen)
    title = title or f"{len(chosen)} pictures{' of ' + dataset if dataset else ''}{', the miniature' if small else ''}"
    kinds = [kind for kind in TOGGLES if any(sample.labels.get(kind) for sample, _ in chosen)]
    if on is None:
        hidden = {"panoptic"}
        if "boxes" in kinds:
            hidden |= {"keypoints"} if "phrases" in _all_kinds(chosen) else {"captions", "keypoints"}
        on = [kind for kind in kinds if kind not in hidden]
    counts = Counter(label for sample, _ in chosen for kind in kinds for label in overlays.labels(sample, kind))
    palette = {label: index % len(COLOURS) for index, (label, _) in enumerate(counts.most_common())}
    drawn = [Card(sample, picture, kinds, palette) for sample, picture in chosen]
    sources = _encode([picture for _, picture in chosen], BUDGET - len(STYLE) - sum(one.bytes for one in drawn))
    figures = "".join(one.html(source) for one, source in zip(drawn, sources, strict=True))
    notes = []
    if small:
        notes.append("This is the miniature, not the dataset: its numbers are not the dataset's.")
    if absent:
        notes.append(f"{absent} samples whose picture is not on disk are left out.")
    if unreadable:
        notes.append(f"{unreadable} files that cannot be read as a picture are left out.")
    if not chosen:
        notes.append("No picture to show: there is none on disk among these samples.")
    boxes = "".join(
        f'<label><input type="checkbox" class="t-{kind}"{" checked" if kind in on else ""}>{TOGGLES[kind]}</label>'
        for kind in kinds
    )
    tools = f'<fieldset class="dh-tools"><legend>Show</legend>{boxes}</fieldset>' if kinds else ""
    fragment = (
        f'<div class="dh-gallery" role="group" aria-label="{html.escape(title)}"><style>{STYLE}</style>'
        + "".join(f'<p class="dh-note">{note}</p>' for note in notes)
        + f'{tools}<div class="dh-grid">{figures}</div></div>'
    )
    return Gallery(fragment, title, len(chosen))


def _all_kinds(chosen: Sequence[tuple[Sample, Any]]) -> set[str]:
    return {kind for sample, _ in chosen for kind in sample.labels}


def _of_miniature(path: Path | None) -> bool:
    return path is not None and any(is_miniature(folder) for folder in list(path.parents)[:4])


def _open(path: Path, size: int) -> Image.Image | None:
    """Return a small RGB copy; EXIF rotation is not applied, since labels are for the picture as it is stored."""
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (2 * size, 2 * size))
            small = picture.convert("RGB")
            small.thumbnail((size, size), Image.Resampling.LANCZOS)
            return small
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _encode(pictures: Sequence[Image.Image], most: int) -> list[str]:
    """Return data URIs, all of one quality: the best with which they take at most so many bytes together.

    Where even the worst takes more, the pictures get smaller; the page scales them to the same place.
    """
    encoded: list[bytes] = []
    for quality, scale in STEPS:
        encoded = []
        for picture in pictures:
            file = io.BytesIO()
            if scale < 1:
                picture = picture.resize([max(1, int(side * scale)) for side in picture.size])
            picture.save(file, "WEBP", quality=quality, method=4)
            encoded.append(file.getvalue())
        if sum(map(len, encoded)) * 4 / 3 < most:
            break
    return ["data:image/webp;base64," + base64.b64encode(data).decode() for data in encoded]
