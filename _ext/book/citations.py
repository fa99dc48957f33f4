"""Citations: role ``cite`` and directive ``bibliography``, each page with its own list of what it cites.

Two chapters may cite one paper, each in its own list, which sphinxcontrib-bibtex takes for a duplicate label.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from pybtex.database import Entry, parse_string
from pybtex.richtext import Text
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from .html import ROOT, note

LOGGER = logging.getLogger(__name__)
BIBLIOGRAPHY = ROOT / "references.bib"


class cited(nodes.Inline, nodes.Element):
    """Keys of one citation, until the page is read whole."""


class listed(nodes.General, nodes.Element):
    """The place of a page's list of sources."""


@functools.lru_cache(maxsize=2)
def _parse(text: str) -> dict[str, Entry]:
    return dict(parse_string(text, "bibtex").entries)


def entries() -> dict[str, Entry]:
    """All entries of references.bib by key."""
    return _parse(BIBLIOGRAPHY.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=4096)
def plain(latex: str) -> str:
    """A BibTeX field as Unicode."""
    text = str(Text.from_latex(latex))
    # Dashes between numbers are meant as such.
    return re.sub(r"\s+", " ", text).replace("---", "\u2014").replace("--", "\u2013").strip()


def surnames(entry: Entry) -> list[str]:
    """Last names of the authors, or the organisation that stands for them."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [plain(" ".join([*person.prelast_names, *person.last_names])) for person in people]
    return names or [plain(entry.fields.get("organization", entry.fields.get("howpublished", entry.key)))]


def label(entry: Entry) -> str:
    """Author and year as they stand in the text."""
    names = surnames(entry)
    who = names[0] if len(names) == 1 else " and ".join(names) if len(names) == 2 else f"{names[0]} et al."
    return f"{who}, {entry.fields.get('year', 'undated')}"


def people(entry: Entry) -> str:
    """Authors in full, initials after the name."""
    found = []
    for person in entry.persons.get("author") or entry.persons.get("editor") or []:
        last = plain(" ".join([*person.prelast_names, *person.last_names]))
        initials = " ".join(f"{plain(name)[0]}." for name in [*person.first_names, *person.middle_names] if plain(name))
        found.append(f"{last}, {initials}" if initials else last)
    if not found:
        return ", ".join(surnames(entry))
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def address(entry: Entry) -> str:
    """Where the work can be read."""
    fields = entry.fields
    if "doi" in fields:
        return f"https://doi.org/{fields['doi']}"
    if "url" in fields:
        return str(fields["url"]).replace("\\", "")
    preprint = fields.get("eprint", "")
    if not preprint:
        found = re.search(r"arXiv:\s*(\d{4}\.\d{4,5})", " ".join(str(value) for value in fields.values()))
        preprint = found.group(1) if found else ""
    return f"https://arxiv.org/abs/{preprint}" if re.fullmatch(r"\d{4}\.\d{4,5}", preprint) else ""


def described(entry: Entry) -> list[nodes.Node]:
    """One entry of the list."""
    fields = entry.fields
    where = ("journal", "booktitle", "publisher", "howpublished", "note")
    place = next((fields[name] for name in where if name in fields), "")
    title = nodes.Text(plain(fields.get("title", "")).rstrip("."))
    target = address(entry)
    shown: nodes.Node = nodes.reference("", "", title, refuri=target, internal=False) if target else title
    rest = f". {plain(place).rstrip('.')}" if place else ""
    for name, before in (("volume", " "), ("pages", ", ")):
        if name in fields:
            rest += f"{before}{plain(fields[name])}"
    return [nodes.Text(f"{people(entry)} ({fields.get('year', 'undated')}). "), shown, nodes.Text(f"{rest}.")]


class CiteRole(SphinxRole):
    """Role ``cite``: one key, or several separated by commas."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Leave the keys for the transform, and warn of unknown ones here, where the line is known."""
        note(self.env, BIBLIOGRAPHY)
        keys = [key.strip() for key in self.text.split(",") if key.strip()]
        unknown = [key for key in keys if key not in entries()]
        if unknown:
            text = f"cite: references.bib has no {', '.join(unknown)}"
            return [], [self.inliner.reporter.warning(text, line=self.lineno)]
        return [cited("", keys=keys, textual=self.name.endswith(":t"))], []


class BibliographyBlock(SphinxDirective):
    """Directive ``bibliography``: what this page cites."""

    has_content = True
    optional_arguments = 9
    # Those of sphinxcontrib-bibtex that authors know; each page lists what it cites, whatever they say.
    option_spec: ClassVar = {
        "filter": directives.unchanged,
        "style": directives.unchanged,
        "keyprefix": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Mark the place."""
        return [listed("")]


class Resolve(SphinxTransform):
    """Turn keys into author and year, linked to the page's own list."""

    default_priority = 300

    def apply(self, **_: Any) -> None:
        """Fill citations and list of one page."""
        marks = list(self.document.findall(cited))
        places = list(self.document.findall(listed))
        keys = {key for mark in marks for key in mark["keys"]}
        known = entries()
        order = sorted(
            keys, key=lambda key: (surnames(known[key])[0].casefold(), known[key].fields.get("year", ""), key)
        )
        same = Counter(label(known[key]) for key in order)
        labels: dict[str, str] = {}
        letters: Counter[str] = Counter()
        for key in order:
            text = label(known[key])
            labels[key] = text if same[text] == 1 else f"{text}{chr(97 + letters[text])}"
            letters[text] += 1
        for mark in marks:
            links: list[nodes.Node] = []
            for key in mark["keys"]:
                if links:
                    links.append(nodes.Text("; "))
                links.append(nodes.reference("", labels[key], refid=f"cite-{key}", classes=["cite"], internal=True))
            mark.replace_self(links if mark["textual"] else [nodes.Text("("), *links, nodes.Text(")")])
        items = [
            nodes.list_item(
                "", nodes.paragraph("", "", *described(known[key])), ids=[f"cite-{key}"], classes=["source"]
            )
            for key in order
        ]
        sources = nodes.bullet_list("", *items, classes=["sources"])
        if places:
            places[0].replace_self(sources if items else [])
            for place in places[1:]:
                place.replace_self([])
        elif items:
            last = next(reversed(list(self.document.findall(nodes.section))), self.document)
            last.extend([nodes.rubric("", "Sources"), sources])


def setup(app: Sphinx) -> None:
    """Register role, directive and transform."""
    app.add_node(cited)
    app.add_node(listed)
    for name in ("cite", "cite:p", "cite:t"):
        app.add_role(name, CiteRole())
    app.add_directive("bibliography", BibliographyBlock)
    app.add_transform(Resolve)
