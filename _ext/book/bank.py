"""The question bank: all quizzes as plain Markdown and as Moodle XML, for those who teach with another system."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape

from docutils import nodes
from markdown_it import MarkdownIt
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from data_helpers import cards

from . import facts, quiz
from .html import ROOT, esc, note, raw, up

QUIZZES = ROOT / "quizzes"
FILES = {"questions.md": "Markdown", "questions.xml": "Moodle XML"}
_ROLE = re.compile(r"\{fact\}`([a-z0-9]+\.[A-Za-z0-9_\-]+)(?:\|([a-z]+))?`")
_OTHER = re.compile(r"\{[a-z:-]+\}`([^`<]+?)(?:\s*<[^`]*>)?`")


def quizzes() -> dict[str, quiz.Quiz]:
    """Quizzes by name, in the order of the book, those that belong to no dataset last."""
    stems = cards.list_datasets()
    paths = sorted(QUIZZES.glob("*.toml"), key=lambda path: (path.stem not in stems, path.stem))
    paths.sort(key=lambda path: stems.index(path.stem) if path.stem in stems else len(stems))
    return {path.stem: quiz.load(path) for path in paths}


def plain(text: str) -> str:
    """Inline Markdown without roles: a fact becomes its value, any other role its text."""
    text = _ROLE.sub(lambda found: facts.shown(facts.lookup(found.group(1)), found.group(2)), text)
    return " ".join(_OTHER.sub(r"\1", text).split())


def markdown() -> str:
    """All questions as Markdown, right options marked, explanations below."""
    lines = ["# Questions of Image Datasets for Deep Learning", ""]
    for found in quizzes().values():
        lines += [f"## {found.title}", ""]
        for place, question in enumerate(found.questions, 1):
            lines += [f"{place}. {plain(question.text)}", ""]
            for index, option in enumerate(question.options):
                lines.append(f"   - [{'x' if index in question.right else ' '}] {plain(option)}")
            lines += ["", f"   {plain(question.explanation)}", ""]
    return "\n".join(lines)


def moodle() -> str:
    """All questions as Moodle XML: one category a quiz, fractions that add up to 100."""
    inline = MarkdownIt().renderInline

    def html(text: str) -> str:
        return f"<text>{escape(inline(plain(text)))}</text>"

    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "<quiz>"]
    for name, found in quizzes().items():
        parts.append(
            f'<question type="category"><category><text>$course$/Image Datasets for Deep Learning/{escape(found.title)}'
            "</text></category></question>"
        )
        for place, question in enumerate(found.questions, 1):
            right = question.right
            wrong = len(question.options) - len(right)
            # Ticking everything must not pay; Moodle takes five decimals.
            good = f"{100 / len(right):.5f}"
            bad = f"{-100 / wrong:.5f}" if question.several and wrong else "0"
            answers = "".join(
                f'<answer fraction="{good if index in right else bad}" format="html">{html(option)}</answer>'
                for index, option in enumerate(question.options)
            )
            parts.append(
                f'<question type="multichoice"><name><text>{escape(name)} {place}</text></name>'
                f'<questiontext format="html">{html(question.text)}</questiontext>'
                f'<generalfeedback format="html">{html(question.explanation)}</generalfeedback>'
                f"<single>{'false' if question.several else 'true'}</single><shuffleanswers>true</shuffleanswers>"
                f"<answernumbering>abc</answernumbering>{answers}</question>"
            )
    return "\n".join([*parts, "</quiz>", ""])


class QuestionBank(SphinxDirective):
    """Directive ``question-bank``: how many questions there are, and the files that hold them."""

    def run(self) -> list[nodes.Node]:
        """Link to the files, which are written at the end of the build."""
        note(self.env, *sorted(QUIZZES.glob("*.toml")))
        try:
            rows = [(name, found.title, len(found.questions)) for name, found in quizzes().items()]
        except ValueError as error:
            return [self.state.document.reporter.warning(f"question-bank: {error}", line=self.lineno)]
        root = up(self.env.docname)
        items = []
        for name, title, count in rows:
            there = f"chapters/{name}" in self.env.found_docs
            shown = f'<a href="{root}chapters/{name}.html">{esc(title)}</a>' if there else esc(title)
            items.append(f"<tr><th scope=row>{shown}</th><td class=value>{count}</td></tr>")
        links = " ".join(f'<a class="button" href="{root}{file}" download>{kind}</a>' for file, kind in FILES.items())
        total = sum(count for _, _, count in rows)
        return [
            raw(
                f'<p class="actions">{links}</p><div class=table-wrap><table><caption>{total} questions</caption>'
                f"<thead><tr><th scope=col>Quiz</th><th scope=col class=value>Questions</th></tr></thead>"
                f"<tbody>{''.join(items)}</tbody></table></div>"
            )
        ]


def finished(app: Sphinx, error: Exception | None) -> None:
    """Write the files beside the pages."""
    if error or app.builder is None or app.builder.format != "html" or not any(QUIZZES.glob("*.toml")):
        return
    for name, text in (("questions.md", markdown()), ("questions.xml", moodle())):
        (Path(app.outdir) / name).write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Register the directive and the writing of the files."""
    app.add_directive("question-bank", QuestionBank)
    app.connect("build-finished", finished)
