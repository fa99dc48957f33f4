"""Datasheets: thirty-one questions in seven sections, answered for each dataset, silence counted as an answer.

``datasheets/questions.toml`` holds the questions; ``datasheets/<stem>.toml`` the answers, by section and key::

    [about]
    read = "the home page and the paper"                     # silence means: silence there
    [motivation]
    purpose = { by = "authors", text = "A test for ...", source = "https://..." }
    funding = {}                                             # the authors did not say
    [collection]
    consent = { by = "others", card = "ethics.consent" }     # the card's words and its source

``by`` tells whose answer it is: the makers' own (``authors``), or found out by others. Texts are inline Markdown and
may hold roles such as ``fact``.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from data_helpers import cards

from .html import ROOT, esc, note, prose, raw, up
from .status import name, short_title

FOLDER = ROOT / "datasheets"
QUESTIONS = FOLDER / "questions.toml"
BY = {"authors": "the authors", "others": "others", "": "the authors did not say"}


class Answer(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One answer; empty where the makers are silent and nobody else found out."""

    by: Literal["authors", "others", ""] = ""
    text: str = ""
    card: str = ""
    source: str = ""


Sheet = dict[str, dict[str, Answer]]


def about(path: Path) -> str:
    """Which sources were read for a datasheet: silence can only mean silence there."""
    return str(tomllib.loads(path.read_text(encoding="utf-8"))["about"]["read"])


def questions() -> dict[str, dict[str, str]]:
    """The questions by section and key, in their order."""
    return tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))


def load(path: Path) -> Sheet:
    """Read and check one datasheet; ValueError names the section and the key that is wrong."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        if len(str(found.pop("about", {}).get("read", ""))) < 20:
            raise ValueError(f"{path.name}: [about] read tells which sources were read")
        sheet = msgspec.convert(found, Sheet)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    asked = questions()
    if list(sheet) != list(asked):
        raise ValueError(f"{path.name}: sections {list(sheet)}, expected {list(asked)}")
    for section, answers in sheet.items():
        if list(answers) != list(asked[section]):
            raise ValueError(f"{path.name}: [{section}] answers {list(answers)}, expected {list(asked[section])}")
        for key, one in answers.items():
            said = bool(one.text) + bool(one.card)
            if said != bool(one.by) or (one.source and not said):
                raise ValueError(f"{path.name}: {section}.{key}: an answer has `by` and either `text` or `card`")
            if one.text and not one.source and "{fact}" not in one.text:
                raise ValueError(f"{path.name}: {section}.{key}: an answer names its source")
            if one.card:
                words(path.stem, one)
    return sheet


def words(stem: str, one: Answer) -> tuple[str, str]:
    """An answer's text and source; ``card`` names a field of the card (``ethics.consent``) that holds them."""
    if not one.card:
        return one.text, one.source
    part, _, field = one.card.partition(".")
    card = cards.parsed(stem)
    found: Any = getattr(card, part, None)
    if not field and isinstance(found, list) and found and isinstance(found[0], cards.Defect):
        return "; ".join(defect.what for defect in found) + ".", one.source
    text = getattr(found, field, None) if field else found
    if not isinstance(text, str) or not text:
        raise ValueError(f"{stem}: the card has no text {one.card!r}")
    return text, one.source or str(getattr(found, "source", ""))


def tally(sheet: Sheet) -> dict[str, tuple[int, int, int]]:
    """For each section: how many questions the authors answered, how many others did, how many are open."""
    found = {}
    for section, answers in sheet.items():
        by = [one.by for one in answers.values()]
        found[section] = (by.count("authors"), by.count("others"), by.count(""))
    return found


def bar(authors: int, others: int, silent: int) -> str:
    """A small bar in three parts with its counts as text."""
    whole = authors + others + silent
    parts = "".join(
        f'<i class="{kind}" style="width:{100 * count / whole:.1f}%"></i>'
        for kind, count in (("authors", authors), ("others", others))
        if count
    )
    said = f"{authors} answered by the authors, {others} by others, {silent} by nobody"
    return (
        f'<span class=filled aria-hidden=true>{parts}</span><span title="{said}">{authors} + {others} of {whole}</span>'
    )


class Datasheets(SphinxDirective):
    """Directive ``datasheets``: how complete each is, then a section for each dataset."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Draw the overview and the sheets; a broken file is a warning."""
        stems = [stem for stem in cards.list_datasets() if (FOLDER / f"{stem}.toml").is_file()]
        note(self.env, QUESTIONS, *(FOLDER / f"{stem}.toml" for stem in stems), *(cards._path(stem) for stem in stems))
        try:
            sheets = {stem: load(FOLDER / f"{stem}.toml") for stem in stems}
        except ValueError as error:
            return [self.state.document.reporter.warning(f"datasheets: {error}", line=self.lineno)]
        found: list[nodes.Node] = [raw(self.overview(sheets))]
        for stem, sheet in sheets.items():
            section = nodes.section(ids=[f"datasheet-{stem}"], names=[f"datasheet-{stem}"])
            section += nodes.title("", short_title(stem))
            section.extend(self.sheet(stem, sheet))
            self.state.document.note_explicit_target(section)
            found.append(section)
        return found

    def overview(self, sheets: dict[str, Sheet]) -> str:
        """A row for each dataset, a column for each section."""
        asked = questions()
        head = "".join(f"<th scope=col>{section.capitalize()}</th>" for section in [*asked, "all"])
        rows = []
        for stem, sheet in sheets.items():
            counts = tally(sheet)
            whole = tuple(sum(column) for column in zip(*counts.values(), strict=True))
            labels = [*(section.capitalize() for section in asked), "All"]
            cells = "".join(
                f'<td data-label="{label}">{bar(*count)}</td>'
                for label, count in zip(labels, [*counts.values(), whole], strict=True)
            )
            title = esc(short_title(stem))
            rows.append(f'<tr><th scope=row><a href="#datasheet-{stem}">{title}</a></th>{cells}</tr>')
        return (
            '<div class=table-wrap><table class="stack sheets"><caption>Questions answered by the authors '
            '<i class="key authors"></i> + by others <i class="key others"></i>, of all</caption>'
            f"<thead><tr><th scope=col>Dataset</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        )

    def sheet(self, stem: str, sheet: Sheet) -> list[nodes.Node]:
        """One dataset's answers, a foldable part for each of the seven sections."""
        asked = questions()
        there = f"chapters/{stem}" in self.env.found_docs
        found: list[nodes.Node] = [
            raw(
                f"<p>What was read: {prose(about(FOLDER / f'{stem}.toml'))}"
                f" Chapter: {name(stem, up(self.env.docname), there)}.</p>"
            )
        ]
        for section, answers in sheet.items():
            authors, others, silent = tally(sheet)[section]
            count = f"{authors + others} of {authors + others + silent} answered"
            found.append(
                raw(
                    f'<details class="sheet" id="datasheet-{stem}-{section}"><summary>{section.capitalize()} '
                    f"<small>{count}</small></summary><dl>"
                )
            )
            for key, one in answers.items():
                found.append(raw(f"<div><dt>{esc(asked[section][key])}</dt><dd>"))
                if one.by:
                    text, where = words(stem, one)
                    if one.card:
                        found.append(raw(prose(text)))
                    else:
                        inline, messages = self.state.inline_text(text, self.lineno)
                        found += [*inline, *messages]
                    shown = f" <span class=note>{prose(where)}</span>" if where else ""
                    found.append(raw(f' <span class="badge {one.by}">{BY[one.by]}</span>{shown}</dd></div>'))
                else:
                    found.append(raw('<span class="silent">The authors did not say.</span></dd></div>'))
            found.append(raw("</dl></details>"))
        return found


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("datasheets", Datasheets)
