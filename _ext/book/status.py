"""Legal and ethical status, a row for each card, and what the cards date: collection, consent, withdrawal, rulings."""

from __future__ import annotations

import re
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from data_helpers import cards

from .cards import ROUTES, verified
from .html import esc, note, prose, raw, up

#: Kinds of events that say something of rights: what a challenge was won by is told in the chapters.
OF_RIGHTS = ("release", "correction", "access", "consent", "law", "withdrawal")
GRAVE = ("law", "withdrawal", "consent")
OF_ITSELF = tuple(kind for kind in OF_RIGHTS if kind != "law")


def short_title(stem: str) -> str:
    """A dataset's name without what follows it: ``LFW``, ``Flickr30k``."""
    return re.split(r":| and ", cards.parsed(stem).title)[0]


def name(stem: str, root: str, there: bool) -> str:
    """A dataset's short title, linked to its chapter where that stands."""
    title = esc(short_title(stem))
    return f'<a href="{root}chapters/{stem}.html">{title}</a>' if there else title


def source(text: str) -> str:
    """A source as a note below what it bears out."""
    return f" <span class=note>{prose(text)}</span>" if text else ""


def latest(stem: str, kinds: tuple[str, ...]) -> cards.Event | None:
    """The last event of some kinds."""
    return max((one for one in cards.parsed(stem).history if one.kind in kinds), key=lambda one: one.date, default=None)


def row(stem: str, root: str, there: bool) -> str:
    """One dataset's row of the overview; its heading leads to the details below."""
    card = cards.parsed(stem)
    change, law = latest(stem, OF_ITSELF), latest(stem, ("law",))
    last = f"<time>{esc(change.date)}</time> {prose(change.event)}" if change else "None known."
    if law:
        last += f' Last law or ruling: <a href="#legal-{stem}"><time>{esc(law.date)}</time></a>.'
    access = f'<span class="badge route-{card.access.route}">{ROUTES[card.access.route]}</span>'
    cells = (("Pictures", prose(card.licences.images)), ("Consent", prose(card.ethics.consent)), ("Last change", last))
    drawn = "".join(f'<td data-label="{label}">{cell}</td>' for label, cell in cells)
    more = f'<a class=more href="#legal-{stem}">All of it</a>'
    return f'<tr id="row-{stem}"><th scope=row>{name(stem, root, there)}<br>{access} {more}</th>{drawn}</tr>'


def details(stem: str) -> str:
    """Everything that a card says of rights, with sources and dates."""
    card = cards.parsed(stem)
    terms = prose(card.access.terms)
    if card.access.apply_url:
        terms += f" Apply at {prose(card.access.apply_url)}."
    pairs = (
        ("Access", f'<span class="badge route-{card.access.route}">{ROUTES[card.access.route]}</span> {terms}'
                   f"{source(card.access.source)}"),
        ("Licence of the annotations", prose(card.licences.annotations)),
        ("Licence of the pictures", prose(card.licences.images)),
        ("Licence of one picture", prose(card.licences.per_image) + source(card.licences.source)),
        ("Who is shown", prose(card.ethics.people)),
        ("Consent", prose(card.ethics.consent)),
        ("Way to be taken out", prose(card.ethics.opt_out) + source(card.ethics.source)),
        ("Addresses last looked at", f"<time>{esc(verified(card) or 'never')}</time>"),
    )  # fmt: skip
    rows = "".join(f"<div><dt>{head}</dt><dd>{text}</dd></div>" for head, text in pairs)
    events = [event for event in sorted(card.history, key=lambda event: event.date) if event.kind in OF_RIGHTS]
    return f'<div class="datacard"><dl>{rows}</dl></div>{timeline([(event, [stem]) for event in events])}'


def timeline(events: list[tuple[cards.Event, list[str]]], titles: dict[str, str] | None = None) -> str:
    """Dated events with their kind and source; with ``titles``, the datasets that each concerns."""
    items = []
    for event, stems in events:
        whose = "".join(f' <span class="badge">{titles[stem]}</span>' for stem in stems) if titles else ""
        items.append(
            f'<li class=kind-{event.kind}><time>{esc(event.date)}</time><div><span class="badge kind">{event.kind}'
            f"</span>{whose} {prose(event.event)}{source(event.source)}</div></li>"
        )
    return f"<ol class=timeline>{''.join(items)}</ol>"


def together(kinds: tuple[str, ...]) -> list[tuple[cards.Event, list[str]]]:
    """Events of these kinds over all cards; one that several cards tell of the same source and day stands once."""
    merged: dict[tuple[str, str], tuple[cards.Event, list[str]]] = {}
    for stem in cards.list_datasets():
        for event in cards.parsed(stem).history:
            if event.kind not in kinds:
                continue
            known = merged.get((event.date, event.source))
            if known is None:
                merged[event.date, event.source] = (event, [stem])
            else:
                fuller = max(known[0], event, key=lambda one: len(one.event))
                merged[event.date, event.source] = (fuller, [*known[1], *([stem] if stem not in known[1] else [])])
    return sorted(merged.values(), key=lambda pair: pair[0].date)


class _OverCards(SphinxDirective):
    has_content = False

    def stems(self) -> list[str]:
        """All datasets; the page follows their cards."""
        found = cards.list_datasets()
        note(self.env, *(cards._path(stem) for stem in found))
        return found

    def there(self, stem: str) -> bool:
        """Whether the dataset's chapter stands."""
        return f"chapters/{stem}" in self.env.found_docs


class LegalStatus(_OverCards):
    """Directive ``legal-status``: the overview, one row for each card."""

    def run(self) -> list[nodes.Node]:
        """Draw the table; on a phone each row becomes a block."""
        root = up(self.env.docname)
        rows = "".join(row(stem, root, self.there(stem)) for stem in self.stems())
        head = "".join(f"<th scope=col>{text}</th>" for text in ("Dataset", "Pictures", "Consent", "Last change"))
        return [
            raw(
                '<div class=table-wrap><table class="stack"><caption>Standing of each dataset, from its card</caption>'
                f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
            )
        ]


class LegalDetails(_OverCards):
    """Directive ``legal-details``: a section for each card with licences, consent, ways out and dated events."""

    def run(self) -> list[nodes.Node]:
        """Draw the sections in the order of the book."""
        found: list[nodes.Node] = []
        for stem in self.stems():
            section = nodes.section(ids=[f"legal-{stem}"], names=[f"legal-{stem}"])
            section += nodes.title("", short_title(stem))
            section += raw(details(stem))
            self.state.document.note_explicit_target(section)
            found.append(section)
        return found


class LegalTimeline(_OverCards):
    """Directive ``legal-timeline``: the events of some kinds (``:kinds: law, withdrawal``) over all datasets."""

    option_spec: ClassVar = {"kinds": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Draw one line of time."""
        kinds = tuple(kind.strip() for kind in self.options.get("kinds", ", ".join(GRAVE)).split(","))
        root = up(self.env.docname)
        titles = {stem: name(stem, root, self.there(stem)) for stem in self.stems()}
        return [raw(timeline(together(kinds), titles))]


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("legal-status", LegalStatus)
    app.add_directive("legal-details", LegalDetails)
    app.add_directive("legal-timeline", LegalTimeline)
