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

from ..miniature import is_miniature
from ..samples import Sample
from . import overlays
from .style import COLOURS, LINKS, STYLE

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
    drawn = [_Figure(sample, picture, kinds, palette) for sample, picture in chosen]
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


class _Figure:
    """One picture of a gallery."""

    def __init__(self, sample: Sample, picture: Image.Image, kinds: Sequence[str], palette: dict[str, int]) -> None:
        self.sample, self.picture = sample, picture
        links = _Links(sample)
        drawing = overlays.Drawing(sample, picture.size, palette, links.of)
        self.overlay = "".join(drawing.draw(kind) for kind in kinds)
        self.chips = "".join(
            f'<button type="button" class="dh-chip p{palette[label]}{_class("q", links.of(label))}">'
            f"{html.escape(label)}{f' × {count}' if count > 1 else ''}</button>"
            for label, count in links.counts.items()
            if label in palette
        )
        self.captions = _captions(sample, links)
        self.bytes = len(self.overlay) + len(self.chips) + len(self.captions) + 900

    def html(self, source: str) -> str:
        width, height = self.picture.size
        sample = self.sample
        classes = "dh-classes" + (" t-all" if not sample.labels.get("classes") else "")
        return (
            f'<figure class="dh-fig"><div class="dh-pic"><img alt="{html.escape(_alt(sample))}" width="{width}" '
            f'height="{height}" loading="lazy" src="{source}">'
            f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true" focusable="false" '
            f'style="font-size:{width * 0.036:.1f}px">'
            f"{self.overlay}</svg></div>"
            + (f'<div class="{classes}">{self.chips}</div>' if self.chips else "")
            + (f'<ul class="dh-captions">{self.captions}</ul>' if self.captions else "")
            + f"<figcaption>{_credit(sample)}</figcaption></figure>"
        )


class _Links:
    """Numbers, within one picture, of what a chip or phrase can point at."""

    def __init__(self, sample: Sample) -> None:
        self.counts: Counter[str] = Counter()
        for kind in ("boxes", "classes", "stuff"):
            self.counts.update(overlays.labels(sample, kind))
        if not self.counts:
            for kind in ("panoptic", "masks", "keypoints"):
                self.counts.update(overlays.labels(sample, kind))
        self.counts = Counter(dict(self.counts.most_common()))
        self.numbers: dict[str, int] = {}

    def of(self, *keys: str) -> list[int]:
        """Return the numbers of keys; beyond the ones that the style sheet knows there are none."""
        found = []
        for key in keys:
            if key not in self.numbers and len(self.numbers) < LINKS:
                self.numbers[key] = len(self.numbers)
            if key in self.numbers:
                found.append(self.numbers[key])
        return found


def _class(letter: str, numbers: Iterable[int]) -> str:
    return "".join(f" {letter}{number}" for number in numbers)


def _captions(sample: Sample, links: _Links) -> str:
    lines = []
    for index, record in enumerate(sample.labels.get("captions", ())):
        text = str(getattr(record, "caption", record))
        spans = list(getattr(record, "phrase_spans", ()) or _linked(sample, text, getattr(record, "number", index)))
        parts, end = [], 0
        for start, stop, key in sorted(spans):
            if start < end:
                continue
            numbers = links.of(str(key))
            parts.append(html.escape(text[end:start]))
            phrase = html.escape(text[start:stop])
            parts.append(f'<button type="button" class="dh-phrase{_class("q", numbers)}">{phrase}</button>')
            end = stop
        parts.append(html.escape(text[end:]))
        lines.append(f"<li>{''.join(parts).strip()}</li>")
    return "".join(lines)


def _linked(sample: Sample, text: str, number: int) -> list[tuple[int, int, str]]:
    """Return the spans of a caption's phrases where they are records of their own, counted in words."""
    spans = []
    for phrase in sample.labels.get("phrases", ()):
        if getattr(phrase, "number", None) != number or not getattr(phrase, "boxes", ()):
            continue
        words = text.split(" ")
        first, after = phrase.span
        if " ".join(words[first:after]) == phrase.text:
            start = sum(len(word) + 1 for word in words[:first])
            spans.append((start, start + len(phrase.text), str(phrase.chain)))
    return spans


def _alt(sample: Sample) -> str:
    """Describe a picture by what its labels say."""
    captions = sample.labels.get("captions") or ()
    said = str(getattr(captions[0], "caption", captions[0])).strip().rstrip(".") if captions else ""
    counts: Counter[str] = Counter()
    for kind in ("boxes", "classes", "stuff", "panoptic", "masks", "keypoints"):
        counts.update(overlays.labels(sample, kind))
        if counts:
            break
    things = ", ".join(f"{count} × {label}" if count > 1 else label for label, count in counts.most_common(6))
    rest = f" and {len(counts) - 6} more classes" if len(counts) > 6 else ""
    told = [said, f"Labelled: {things}{rest}" if things else ""]
    return ". ".join(part for part in told if part) or f"Picture {sample.id}, without labels"


def _credit(sample: Sample) -> str:
    licence = sample.licence or "licence not stated"
    address = sample.extra.get("licence_url") or _creative_commons(licence)
    parts = [_link(address, licence), html.escape(sample.credit) if sample.credit else ""]
    parts.append(_link(sample.source_url, "source") if sample.source_url else "")
    where = f"{sample.split} {sample.id}" if sample.split else str(sample.id)
    return f'<span class="dh-id">{html.escape(where)}</span> ' + " · ".join(part for part in parts if part)


def _link(address: str | None, text: str) -> str:
    if address is None or not address.startswith(("https://", "http://")):
        return html.escape(text)
    return f'<a href="{html.escape(address)}" rel="noopener noreferrer">{html.escape(text)}</a>'


def _creative_commons(licence: str) -> str | None:
    words = licence.split()
    if len(words) == 3 and words[0] == "CC" and words[1].replace("-", "").isalpha():
        return f"https://creativecommons.org/licenses/{words[1].lower()}/{words[2]}/"
    return "https://creativecommons.org/publicdomain/zero/1.0/" if licence.startswith("CC0") else None
