"""What a chapter draws from its card: the block at the top, files, history, defects and addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from data_helpers import cards

from .facts import lookup, origin
from .html import esc, fact_href, link, note, number, prose, raw, short, size

ROUTES = {
    "open": "Open download",
    "gated": "On application",
    "withdrawn": "Withdrawn",
    "dead": "No live source",
}


def tiles(stem: str, keys: list[str], docname: str) -> str:
    """Draw chosen facts large, each with its origin."""
    cells = []
    for key in keys:
        one = lookup(f"{stem}.{key}")
        what = one.what.rstrip(".")
        # A tile is narrow: tens of millions stand in words, exactly when pointed at.
        large = isinstance(one.value, int | float) and one.value >= 10_000_000
        value = short(one.value) if large and not isinstance(one.value, str) else number(one.value, one.unit)
        if one.unit in ("%", "percent", "per cent"):
            value += " %"
        exact = f"{what}: {number(one.value, one.unit)} {one.unit}".strip()
        cells.append(
            f'<li><a class="fact" href="{esc(fact_href(docname, f"{stem}.{key}"))}"'
            f' title="{esc(exact)}. {esc(origin(one))}."'
            f' data-what="{esc(exact)}." data-origin="{esc(origin(one))}."><b>{esc(value)}</b></a>'
            f" <span>{esc(what)}</span></li>"
        )
    return f"<ul class=tiles>{''.join(cells)}</ul>" if cells else ""


def verified(card: cards.Card) -> str:
    """The latest date at which an address of the card was looked at."""
    dates = [one.checked for one in card.links] + [one.verified for one in card.files]
    return max(dates, default="")


def block(stem: str, docname: str, keys: list[str]) -> str:
    """Draw the card block."""
    card = cards.parsed(stem)
    home = link(card.homepage) if card.homepage else "none"
    if card.homepage_archived:
        home += f" ({link(card.homepage_archived, 'archived copy')})"
    sizes = [file.bytes for file in card.files if file.bytes]
    pairs = [
        ("Made for", esc(", ".join(card.tasks))),
        ("Published", f"{card.year}{' by ' + esc(', '.join(card.creators)) if card.creators else ''}"),
        ("Home page", home),
        (
            "Access",
            f'<span class="badge route-{card.access.route}">{ROUTES[card.access.route]}</span> '
            f"{prose(card.access.terms)}",
        ),
        ("Licence of the annotations", prose(card.licences.annotations)),
        ("Licence of the pictures", prose(card.licences.images)),
        ("Consent", prose(card.ethics.consent)),
    ]
    if sizes:
        count = len(sizes)
        pairs.append(("Files", f"{count} known by size, {size(sum(sizes))} in all" if count > 1 else size(sizes[0])))
    if verified(card):
        pairs.append(("Addresses last looked at", f"<time>{esc(verified(card))}</time>"))
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in pairs)
    head = f"<p class=purpose>{prose(card.purpose)}</p>{tiles(stem, keys, docname)}"
    return f'<div class="datacard">{head}<dl>{rows}</dl></div>'


def files(stem: str, match: str) -> str:
    """Draw the published files with bytes, hashes and the state of their addresses."""
    card = cards.parsed(stem)
    rows = []
    for file in card.files:
        if match and not re.search(match, file.name):
            continue
        hashes = []
        if file.sha256:
            hashes.append(f"<div>SHA-256 <code class=hash>{file.sha256}</code></div>")
        if file.md5:
            hashes.append(f"<div>MD5 <code class=hash>{file.md5}</code></div>")
        urls = "".join(f"<li>{link(url)}</li>" for url in file.urls)
        more = ""
        if hashes or urls:
            listed = f"<ol>{urls}</ol>" if urls else ""
            more = f"<details><summary>Addresses and hashes</summary>{listed}{''.join(hashes)}</details>"
        bytes_ = f'<span title="{file.bytes:,} bytes">{size(file.bytes)}</span>' if file.bytes else "not published"
        rows.append(
            f"<tr><th scope=row><code>{esc(file.name)}</code>{more}</th><td class=value>{bytes_}</td>"
            f'<td>{prose(file.inside)}</td><td><span class="badge state-{file.status}">{file.status}</span>'
            f" <time>{esc(file.verified)}</time></td></tr>"
        )
    return (
        f'<div class=table-wrap><table class="files"><caption>Published files of {esc(card.title)}</caption><thead><tr>'
        "<th scope=col>File</th><th scope=col class=value>Size</th><th scope=col>Inside</th>"
        "<th scope=col>Address</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def history(stem: str, _match: str) -> str:
    """Draw the dated events."""
    card = cards.parsed(stem)
    items = "".join(
        f"<li class=kind-{event.kind}><time>{esc(event.date)}</time><div>{prose(event.event)}"
        f" <span class=note>{prose(event.source)}</span></div></li>"
        for event in sorted(card.history, key=lambda event: event.date)
    )
    return f"<ol class=timeline>{items}</ol>"


def defects(stem: str, _match: str) -> str:
    """Draw the known defects."""
    card = cards.parsed(stem)
    items = "".join(
        f"<div><dt>{prose(one.what)}</dt><dd>{prose(one.detail)} <span class=note>{prose(one.source)}</span></dd></div>"
        for one in card.defects
    )
    return f"<dl class=defects>{items}</dl>"


def links(stem: str, _match: str) -> str:
    """Draw the addresses a dataset is known by, dead ones with their archived copy."""
    card = cards.parsed(stem)
    items = []
    for one in card.links:
        copy = f" ({link(one.archived, 'archived copy')})" if one.archived else ""
        remark = f" <span class=note>{prose(one.note)}</span>" if one.note else ""
        items.append(
            f'<li>{link(one.url, one.name)} <span class="badge state-{one.status}">{one.status}</span>'
            f" <time>{esc(one.checked)}</time>{copy}{remark}</li>"
        )
    return f"<ul class=links>{''.join(items)}</ul>"


class _FromCard(SphinxDirective):
    required_arguments = 1
    has_content = False
    option_spec: ClassVar = {"match": directives.unchanged, "headline": directives.unchanged}

    def draw(self, stem: str) -> str:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        stem = self.arguments[0].strip()
        if stem not in cards.list_datasets():
            return [self.state.document.reporter.warning(f"{self.name}: no card {stem!r}", line=self.lineno)]
        note(self.env, cards._path(stem))
        try:
            return [raw(self.draw(stem))]
        except KeyError as error:
            return [self.state.document.reporter.warning(f"{self.name}: {error.args[0]}", line=self.lineno)]


class CardBlock(_FromCard):
    """Directive ``card``: the block "At a glance"; ``:headline:`` names facts to print large."""

    def draw(self, stem: str) -> str:
        """Draw with the facts of the option, or of the card's ``extra.headline``."""
        given = self.options.get("headline")
        keys = re.split(r"[\s,]+", given.strip()) if given else list(cards.parsed(stem).extra.get("headline", []))
        return block(stem, self.env.docname, [key.removeprefix(f"{stem}.") for key in keys])


def _directive(draw: Callable[[str, str], str], text: str) -> type[_FromCard]:
    class One(_FromCard):
        def draw(self, stem: str) -> str:
            return draw(stem, self.options.get("match", ""))

    One.__doc__ = text
    return One


def setup(app: Sphinx) -> None:
    """Register the directives; sphinx-design's own ``card`` gives way to the dataset's."""
    app.setup_extension("sphinx_design")
    app.add_directive("card", CardBlock, override=True)
    app.add_directive("files-table", _directive(files, "Published files of a dataset."))
    app.add_directive("history", _directive(history, "Dated events of a dataset."))
    app.add_directive("defects", _directive(defects, "Known defects of a dataset."))
    app.add_directive("links", _directive(links, "Addresses of a dataset."))
