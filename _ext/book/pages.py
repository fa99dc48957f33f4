"""Pages that write themselves: the reference of package and command line, and the landing page's cards."""

from __future__ import annotations

import argparse
import importlib
import inspect
import io
import os
import re
from typing import Any

import yaml
from docutils import nodes
from PIL import Image, ImageOps
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import data_helpers
from data_helpers import cards
from data_helpers.miniature import archive as miniature_zip

from .html import ROOT, esc, note, raw, up
from .notebooks import Shelf

_SECTION = re.compile(r"^(Parameters|Returns|Yields|Raises|Attributes|Notes|Examples)\n-+\n", re.M)
PACKAGE = ROOT / "data_helpers"


def words(text: str) -> str:
    """Docstring prose as HTML: double and single backticks become code."""
    pieces = re.split(r"(``[^`]+``|`[^`]+`)", text.strip())
    return "".join(f"<code>{esc(piece.strip('`'))}</code>" if piece.startswith("`") else esc(piece) for piece in pieces)


def paragraphs(text: str) -> str:
    """Docstring paragraphs as HTML."""
    return "".join(
        f"<p>{words(' '.join(part.split()))}</p>" for part in re.split(r"\n\s*\n", text.strip()) if part.strip()
    )


def docstring(text: str) -> str:
    """A NumPy docstring as HTML: prose, then a list for each of its sections."""
    pieces = _SECTION.split(inspect.cleandoc(text))
    parts = [paragraphs(pieces[0])]
    for title, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if title in ("Notes", "Examples"):
            parts.append(
                f"<p class=rubric>{title}</p>"
                + (f"<pre>{esc(body.strip())}</pre>" if title == "Examples" else paragraphs(body))
            )
            continue
        rows: list[tuple[str, list[str]]] = []
        for line in body.splitlines():
            if line.strip() and not line.startswith(" "):
                rows.append((line.strip(), []))
            elif rows:
                rows[-1][1].append(line.strip())
        items = "".join(
            f"<div><dt><code>{esc(name)}</code></dt><dd>{paragraphs(chr(10).join(lines))}</dd></div>"
            for name, lines in rows
        )
        parts.append(f"<p class=rubric>{title}</p><dl class=params>{items}</dl>")
    return "".join(parts)


def signature(name: str, thing: Any) -> str:
    """A function's signature, an argument a line where it is long."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return name
    text = f"{name}{found}".replace("'", "")
    if len(text) <= 76:
        return text
    inner = ",\n    ".join(str(argument).replace("'", "") for argument in found.parameters.values())
    keyword = next((a.name for a in found.parameters.values() if a.kind is inspect.Parameter.KEYWORD_ONLY), None)
    if keyword:
        inner = re.sub(rf"(^|\n\s*){keyword}\b", rf"\1*,\n    {keyword}", inner, count=1)
    back = (
        "" if found.return_annotation is inspect.Signature.empty else f" -> {found.return_annotation}".replace("'", "")
    )
    return f"{name}(\n    {inner},\n){back}"


class _Generated(SphinxDirective):
    has_content = False

    def section(self, title: str, name: str, *, code: bool = False) -> nodes.section:
        """A section that stands in the page's table of contents."""
        found = nodes.section(ids=[name], names=[name])
        found += nodes.title("", "", nodes.literal("", title) if code else nodes.Text(title))
        self.state.document.note_explicit_target(found)
        return found

    def sources(self) -> None:
        """The page follows the package's code."""
        note(self.env, *sorted(PACKAGE.rglob("*.py")))


class ApiReference(_Generated):
    """Directive ``api-reference``: every name of a module's ``__all__`` from its docstring."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Import the module and draw its public names."""
        self.sources()
        module = importlib.import_module(self.arguments[0] if self.arguments else "data_helpers")
        found: list[nodes.Node] = []
        for name in sorted(module.__all__, key=str.lower):
            thing = getattr(module, name)
            text = inspect.getdoc(thing)
            if not text or not (inspect.isfunction(thing) or inspect.isclass(thing)):
                continue
            part = self.section(name, f"api-{name}", code=True)
            if inspect.isfunction(thing):
                shown = nodes.literal_block("", signature(name, thing), language="python")
                part += shown
            part += raw(f'<div class="api">{docstring(text)}</div>')
            found.append(part)
        return found


class CommandReference(_Generated):
    """Directive ``command-reference``: the help of every verb, as the command line prints it."""

    def run(self) -> list[nodes.Node]:
        """Ask the parser itself, so that page and ``--help`` cannot differ."""
        self.sources()
        # argparse folds its lines to the terminal's width; the page has one of its own.
        before = os.environ.get("COLUMNS")
        os.environ["COLUMNS"] = "84"
        try:
            main = importlib.import_module("data_helpers.__main__")._parser()
            verbs: dict[str, argparse.ArgumentParser] = {}
            for action in main._actions:
                if isinstance(action, argparse._SubParsersAction):
                    verbs = dict(action.choices)
            found: list[nodes.Node] = [nodes.literal_block("", main.format_help(), language="text")]
            for name, parser in verbs.items():
                part = self.section(name, f"command-{name}", code=True)
                part += nodes.literal_block("", parser.format_help(), language="text")
                found.append(part)
        finally:
            if before is None:
                del os.environ["COLUMNS"]
            else:
                os.environ["COLUMNS"] = before
        return found


class DatasetCards(_Generated):
    """Directive ``dataset-cards``: a card for each dataset, linked to its chapter where that stands."""

    def run(self) -> list[nodes.Node]:
        """Draw the cards in the order of the book."""
        items = []
        self.shown: set[str] = set()
        for stem in cards.list_datasets():
            note(self.env, cards._path(stem))
            card = cards.parsed(stem)
            there = f"chapters/{stem}" in self.env.found_docs
            title = (
                f'<a href="{up(self.env.docname)}chapters/{stem}.html">{esc(card.title)}</a>'
                if there
                else esc(card.title)
            )
            soon = "" if there else '<span class="badge">in preparation</span>'
            items.append(
                f'<li class="dataset" data-stem="{stem}">{self.thumbnail(stem)}<h3>{title}</h3>'
                f"<p>{esc(card.purpose)}</p>"
                f"<p class=meta><span>{card.year}</span> <span>{esc(', '.join(card.tasks[:3]))}</span> {soon}</p></li>"
            )
        return [raw(f'<ul class="datasets">{"".join(items)}</ul>')]

    def thumbnail(self, stem: str) -> str:
        """The picture that a card names as its cover, else the first fitting one; with its licence and credit."""
        try:
            archive = miniature_zip(stem)
            note(self.env, archive)
            samples = list(data_helpers.read(stem, data_helpers.miniature(stem), max_samples=60))
            cover = cards.parsed(stem).extra.get("cover")
            samples.sort(key=lambda sample: sample.id != cover)
        except (data_helpers.DataError, ImportError):
            return ""
        for sample in samples:
            # Datasets share pictures; no two cards shall.
            # Drawn ones bear one credit and are no copies.
            photo = (sample.source_url or "").startswith("http")
            key = sample.credit if photo else stem
            if sample.image is None or not sample.credit or key in self.shown:
                continue
            self.shown.add(key)
            with Image.open(sample.image) as picture:
                small = ImageOps.fit(ImageOps.exif_transpose(picture).convert("RGB"), (480, 270))
            packed = io.BytesIO()
            small.save(packed, "WEBP", quality=78, method=6)
            url, width, height = Shelf(self.env, self.env.docname).picture(packed.getvalue(), "webp")
            # The licence first: on a narrow card the line's end is not seen.
            credit = f"{sample.licence or 'licence unknown'}, {sample.credit}"
            return (
                f'<figure><img src="{url}" alt="" width="{width}" height="{height}" loading="lazy" decoding="async">'
                f'<figcaption title="{esc(credit)}">{esc(credit)}</figcaption></figure>'
            )
        return ""


class LandingActions(_Generated):
    """Directive ``landing-actions``: the ways in, those that need the repository only where its address is known."""

    def run(self) -> list[nodes.Node]:
        """Link to the first chapter and the first notebook that stand."""
        found = []
        for name, text, kind in (
            ("chapters/coco", "Start with COCO", "first"),
            ("index#run-it", "Run it", ""),
            ("notebooks/coco", "See a notebook", ""),
            ("chapters/teaching", "Teach with it", ""),
        ):
            page, _, place = name.partition("#")
            if page in self.env.found_docs:
                href = f"#{place}" if place else f"{up(self.env.docname)}{page}.html"
                found.append(f'<a class="button {kind}" href="{href}">{text}</a>')
        repository = os.environ.get("BOOK_REPOSITORY", "").rstrip("/")
        if repository:
            found.append(f'<a class="button" href="{esc(repository)}">Source</a>')
        return [raw(f'<p class="actions">{"".join(found)}</p>')]


class LandingStart(_Generated):
    """Directive ``landing-start``: the commands that open the notebooks on a reader's machine."""

    def run(self) -> list[nodes.Node]:
        """Print the address to clone where it is known."""
        repository = os.environ.get("BOOK_REPOSITORY", "").rstrip("/")
        folder = repository.rsplit("/", 1)[-1]
        lines = [f"$ git clone {repository}", f"$ cd {folder}"] if repository else []
        return [nodes.literal_block("", "\n".join([*lines, "$ make lab"]), language="console")]


class HowToCite(_Generated):
    """Directive ``how-to-cite``: a sentence and BibTeX, both from CITATION.cff."""

    def run(self) -> list[nodes.Node]:
        """Read the file, so that page and file cannot differ."""
        path = ROOT / "CITATION.cff"
        note(self.env, path)
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        authors = " and ".join(
            one.get("name") or f"{one['family-names']}, {one['given-names']}" for one in found["authors"]
        )
        where = str(found.get("url") or found.get("repository-code") or "")
        fields = {
            "author": f"{{{authors}}}",
            "title": f"{{{found['title']}}}",
            "version": str(found["version"]),
            "license": str(found["license"]),
            **({"url": where} if where else {}),
            **({"date": str(found["date-released"])} if "date-released" in found else {}),
        }
        width = max(map(len, fields))
        lines = ",\n".join(f"  {key:<{width}} = {{{value}}}" for key, value in fields.items())
        sentence = f"{authors}: *{found['title']}*, version {found['version']}{', ' + where if where else ''}."
        inline, messages = self.state.inline_text(sentence, self.lineno)
        quote = nodes.block_quote("", nodes.paragraph("", "", *inline))
        return [quote, *messages, nodes.literal_block("", f"@software{{imagedatasets,\n{lines}\n}}", language="bibtex")]


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("how-to-cite", HowToCite)
    app.add_directive("api-reference", ApiReference)
    app.add_directive("command-reference", CommandReference)
    app.add_directive("dataset-cards", DatasetCards)
    app.add_directive("landing-actions", LandingActions)
    app.add_directive("landing-start", LandingStart)
