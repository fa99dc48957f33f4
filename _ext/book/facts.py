"""Facts in prose: the role, the tables of a dataset's facts, and the page where each has its permalink."""

from __future__ import annotations

import datetime
import functools
import json
import re
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.writers.html5 import HTML5Translator

from data_helpers import cards

from .html import ROOT, esc, fact_href, note, number, prose, raw, short, size, up

_ROLE = re.compile(r"^(?P<stem>[a-z0-9]+)\.(?P<key>[A-Za-z0-9_\-]+)(?:\|(?P<form>short|size|unit|percent))?$")


class fact(nodes.Inline, nodes.TextElement):
    """One figure in prose."""


class Ledger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts of a page that belongs to no dataset, from ``chapters/<page>.toml``."""

    title: str
    facts: dict[str, cards.Fact]


def ledgers() -> list[str]:
    """Return the pages that have a ledger of their own."""
    return sorted(path.stem for path in (ROOT / "chapters").glob("*.toml"))


def place(stem: str) -> Path:
    """Return the file that holds a stem's facts: a page's own ledger, else the dataset's card."""
    return ROOT / "chapters" / f"{stem}.toml" if stem in ledgers() else cards._path(stem)


def parsed(stem: str) -> cards.Card | Ledger:
    """Return what has a title and facts: a dataset's card, or a page's ledger."""
    if stem in ledgers():
        return msgspec.toml.decode(place(stem).read_bytes(), type=Ledger)
    return cards.parsed(stem)


def lookup(name: str) -> cards.Fact:
    """Return the fact ``stem.key``; KeyError tells what there is near it."""
    stem, _, key = name.partition(".")
    if stem not in [*cards.list_datasets(), *ledgers()]:
        raise KeyError(f"no card {stem!r}")
    facts = parsed(stem).facts
    if key not in facts:
        import difflib

        near = ", ".join(difflib.get_close_matches(key, facts, 4, 0.4)) or "none near"
        raise KeyError(f"card {stem} has no fact {key!r} (near it: {near})")
    return facts[key]


def shown(one: cards.Fact, form: str | None) -> str:
    """Print a value in one of the role's forms."""
    if form is None or isinstance(one.value, str):
        return number(one.value, one.unit)
    if form == "size":
        return size(int(one.value))
    if form == "short":
        return short(one.value)
    if form == "percent":
        return f"{one.value * 100:.3g} %"
    return f"{number(one.value, one.unit)} {one.unit}".strip()


def origin(one: cards.Fact) -> str:
    """Tell in one line where a value comes from."""
    return f"{'Computed from' if one.origin == 'computed' else 'Cited from'} {one.source}, {one.date}"


def overdue(one: cards.Fact) -> bool:
    """Tell whether a fact is past the date by which it was to be looked at again."""
    return one.review is not None and one.review < datetime.date.today().isoformat()[: len(one.review)]


@functools.cache
def _printed() -> dict[str, list[str]]:
    words: dict[str, tuple[str, set[str]]] = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        words[path.stem] = code, set(re.findall(r"""["']([\w.\-]+)["']""", code))
    found: dict[str, list[str]] = {}
    for stem in [*cards.list_datasets(), *ledgers()]:
        for key, one in parsed(stem).facts.items():
            named = [one.notebook] if one.notebook else []
            for notebook, (code, quoted) in words.items():
                # A key of one plain word means the dataset whose notebook it is; others are told by the name nearby.
                own = notebook.split("-")[0] == stem
                near = own or ("_" in key and re.search(rf"""["']{stem}["']""", code))
                if key in quoted and near and notebook not in named:
                    named.append(notebook)
            found[f"{stem}.{key}"] = named
    return found


def notebooks(name: str) -> list[str]:
    """Notebooks that recompute a fact or print it beside what they count: the card's own first."""
    return _printed().get(name, [])


class FactRole(SphinxRole):
    """Role ``fact``: ``{fact}`coco.val2017_images``` prints the value and carries its origin."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Look the fact up when the page is read; an unknown one is a warning, and the strict build fails."""
        found = _ROLE.match(self.text.strip())
        try:
            if not found:
                raise KeyError(f"expected stem.key or stem.key|short, |size, |unit, |percent, found {self.text!r}")
            name = f"{found['stem']}.{found['key']}"
            one = lookup(name)
        except KeyError as error:
            message = self.inliner.reporter.warning(f"fact: {error.args[0]}", line=self.lineno)
            return [nodes.inline("", "?", classes=["problematic"])], [message]
        note(self.env, place(found["stem"]))
        exact = number(one.value, one.unit)
        tip = " ".join(filter(None, [f"{one.what.rstrip('.')}:", exact, one.unit])) + "."
        node = fact("", shown(one, found["form"]), key=name, tip=tip, origin=origin(one) + ".")
        node["differs"] = len(one.disagree)
        node["overdue"] = overdue(one)
        node["review"] = one.review or ""
        return [node], []


def exists(notebook: str) -> bool:
    """Whether that notebook stands."""
    return (ROOT / "notebooks" / f"{notebook}.ipynb").is_file()


def _visit(self: HTML5Translator, node: fact) -> None:
    href = fact_href(self.builder.current_docname, node["key"])
    more = (
        f"{node['differs']} other figure{'s' if node['differs'] > 1 else ''} in circulation." if node["differs"] else ""
    )
    if node["overdue"]:
        more = f"{more} Due for review.".strip()
    title = " ".join(filter(None, [node["tip"], node["origin"], more]))
    extra = f' data-more="{esc(more)}"' if more else ""
    extra += f' data-review="{node["review"]}"' if node["review"] else ""
    self.body.append(
        f'<a class="fact" href="{esc(href)}" title="{esc(title)}" data-what="{esc(node["tip"])}"'
        f' data-origin="{esc(node["origin"])}"{extra}>'
    )


def _depart(self: HTML5Translator, node: fact) -> None:
    self.body.append("</a>")


def _visit_text(self: Any, node: fact) -> None:
    pass


def rows(stem: str, keys: list[str] | None, docname: str, *, permalinks: bool) -> str:
    """Draw facts as a table's rows."""
    card = parsed(stem)
    lines = []
    for key in keys if keys is not None else card.facts:
        one = lookup(f"{stem}.{key}")
        name = f"{stem}.{key}"
        # A hash or a span of years is text: it may break, and stands in no column of digits.
        kind_of = '"value text"' if isinstance(one.value, str) else "value"
        value = f"{esc(number(one.value, one.unit))} <span class=unit>{esc(one.unit)}</span>"
        differ = ""
        if one.disagree:
            items = "".join(
                f"<li><b>{esc(number(other.value, one.unit))}</b> {prose(other.source)}"
                f"{': ' + prose(other.rule) if other.rule else ''}</li>"
                for other in one.disagree
            )
            differ = (
                f"<details class=differ><summary>{len(one.disagree)} other figures</summary><ul>{items}</ul></details>"
            )
            if len(one.disagree) == 1:
                differ = differ.replace("other figures", "other figure")
        mark = ""
        if one.review:
            # A page lives longer than its build: the script unhides the mark when the day has come.
            hidden = "" if overdue(one) else " hidden"
            mark = f' <span class="badge warn" data-review="{one.review}"{hidden}>due for review</span>'
            if permalinks:
                mark += f" <span class=note>To be looked at again by <time>{one.review}</time>.</span>"
        kind = f'<span class="badge {one.origin}">{one.origin}</span>'
        book = ""
        if permalinks and (named := [stem_of for stem_of in notebooks(name) if exists(stem_of)]):
            root = up(docname)
            links = ", ".join(f'<a href="{root}notebooks/{esc(one_)}.html">{esc(one_)}</a>' for one_ in named)
            book = f" <span class=note>In {'notebooks' if len(named) > 1 else 'notebook'} {links}.</span>"
        remark = f" <span class=note>{prose(one.note)}</span>" if one.note else ""
        if permalinks:
            self_link = f'<a class=headerlink href="#{esc(name)}" title="Permalink">{esc(name)}</a>'
            head = f'<tr id="{esc(name)}"><th scope=row>{prose(one.what)}{self_link}</th>'
        else:
            head = f'<tr><th scope=row><a href="{esc(fact_href(docname, name))}">{prose(one.what)}</a></th>'
        lines.append(
            f"{head}<td class={kind_of}>{value}{differ}</td>"
            f"<td>{kind} {prose(one.source)}, <time>{esc(one.date)}</time>{mark}{remark}{book}</td></tr>"
        )
    return "".join(lines)


def table(stem: str, keys: list[str] | None, docname: str, caption: str, *, permalinks: bool = False) -> str:
    """Draw facts of one card as a table with a caption."""
    return (
        f'<div class=table-wrap><table class="facts"><caption>{prose(caption)}</caption>'
        f"<thead><tr><th scope=col>What</th><th scope=col class=value>Figure</th><th scope=col>Origin</th></tr></thead>"
        f"<tbody>{rows(stem, keys, docname, permalinks=permalinks)}</tbody></table></div>"
    )


class FactsTable(SphinxDirective):
    """Directive ``facts-table``: chosen facts of a card, or all, with every rival figure and its counting rule."""

    required_arguments = 1
    final_argument_whitespace = False
    has_content = False
    option_spec: ClassVar = {
        "keys": directives.unchanged,
        "match": directives.unchanged,
        "caption": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Draw the table; an unknown key is a warning."""
        stem = self.arguments[0]
        if stem not in [*cards.list_datasets(), *ledgers()]:
            return [self.state.document.reporter.warning(f"facts-table: no card {stem!r}", line=self.lineno)]
        note(self.env, place(stem))
        card = parsed(stem)
        keys: list[str] | None = None
        if "keys" in self.options:
            keys = [key.removeprefix(f"{stem}.") for key in re.split(r"[\s,]+", self.options["keys"].strip())]
        elif "match" in self.options:
            keys = [key for key in card.facts if re.search(self.options["match"], key)]
        for key in keys or []:
            if key not in card.facts:
                return [self.state.document.reporter.warning(f"facts-table: no fact {stem}.{key}", line=self.lineno)]
        if keys == []:
            return [self.state.document.reporter.warning("facts-table: no fact matches", line=self.lineno)]
        caption = self.options.get("caption", f"Figures of {card.title}, with their origin")
        return [raw(table(stem, keys, self.env.docname, caption))]


class AllFacts(SphinxDirective):
    """Directive ``all-facts``: one section per card with every fact, its permalink, origin, and rivals."""

    def run(self) -> list[nodes.Node]:
        """Draw a section for each dataset."""
        found: list[nodes.Node] = []
        for stem in [*cards.list_datasets(), *ledgers()]:
            note(self.env, place(stem), *sorted((ROOT / "notebooks").glob("*.ipynb")))
            card = parsed(stem)
            if not card.facts:
                continue
            section = nodes.section(ids=[f"facts-{stem}"], names=[f"facts-{stem}"])
            section += nodes.title("", card.title)
            late = sum(map(overdue, card.facts.values()))
            rivals = sum(bool(one.disagree) for one in card.facts.values())
            computed = sum(one.origin == "computed" for one in card.facts.values())
            text = (
                f"{len(card.facts)} figures: {computed} computed, {len(card.facts) - computed} cited; "
                f"for {rivals} of them other figures are in circulation; {late or 'none'} due for review."
            )
            section += nodes.paragraph("", text)
            section += raw(
                '<div class="every-fact">'
                + table(stem, None, self.env.docname, f"Every figure of {card.title}", permalinks=True)
                + "</div>"
            )
            self.state.document.note_explicit_target(section)
            found.append(section)
        return found


def setup(app: Sphinx) -> None:
    """Register role, node and directives."""
    app.add_node(fact, html=(_visit, _depart), text=(_visit_text, _visit_text), latex=(_visit_text, _visit_text))
    app.add_role("fact", FactRole())
    app.add_directive("facts-table", FactsTable)
    app.add_directive("all-facts", AllFacts)
