"""One picture of a gallery as HTML, with all that is said of it."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Sequence

from PIL import Image

from ..samples import Sample
from . import overlays
from .style import LINKS


class Card:
    """One picture of a gallery: overlays, classes, captions, licence and credit; ``html`` puts them together."""

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
        """Return the card with its picture at an address."""
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
        for kind in ("boxes", "stuff"):
            self.counts.update(overlays.labels(sample, kind))
        # A picture's class is that of its boxes as a rule, and is no further thing.
        self.counts.update([label for label in overlays.labels(sample, "classes") if label not in self.counts])
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
