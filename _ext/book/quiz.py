"""Quizzes: ``quizzes/<stem>.toml`` drawn as a form that marks itself; without scripts, as answers to unfold.

A file holds::

    title = "Check yourself: COCO"

    [[questions]]
    text = "How are the corners of a COCO box stored?"
    options = ["x, y, width, height", "x1, y1, x2, y2"]
    answer = "x, y, width, height"     # a text of options, or a list of texts where several are right
    explanation = "The origin is the top left corner."

``text``, ``options`` and ``explanation`` are inline Markdown and may hold roles such as ``fact``.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .html import ROOT, esc, note, raw


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """One question; ``answer`` holds the right options' texts."""

    text: str
    options: list[str]
    answer: str | list[str]
    explanation: str

    @property
    def right(self) -> list[int]:
        """Places of the right options."""
        answers = [self.answer] if isinstance(self.answer, str) else self.answer
        return sorted(self.options.index(answer) for answer in answers)

    @property
    def several(self) -> bool:
        """Whether more than one option is right."""
        return not isinstance(self.answer, str)


class Quiz(msgspec.Struct, forbid_unknown_fields=True):
    """A quiz of one chapter."""

    questions: list[Question]
    title: str = "Check yourself"


def load(path: Path) -> Quiz:
    """Read and check a quiz; ValueError says which question is wrong."""
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Quiz)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    for place, question in enumerate(found.questions, 1):
        answers = [question.answer] if isinstance(question.answer, str) else question.answer
        for answer in answers:
            if question.options.count(answer) != 1:
                raise ValueError(f"{path.name}, question {place}: answer {answer!r} is not one of its options")
        if len(question.options) < 2 or not answers:
            raise ValueError(f"{path.name}, question {place}: expected at least two options and one answer")
    return found


class QuizBlock(SphinxDirective):
    """Directive ``quiz``: the questions of ``quizzes/<argument>.toml``."""

    required_arguments = 1
    has_content = False
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Draw the form; a broken file is a warning."""
        stem = self.arguments[0]
        path = ROOT / "quizzes" / f"{stem}.toml"
        note(self.env, path)
        try:
            found = load(path)
        except (OSError, ValueError) as error:
            return [self.state.document.reporter.warning(f"quiz: {error}", line=self.lineno)]
        parts: list[nodes.Node] = [raw(f'<form class="quiz" aria-label="{esc(found.title)}">')]
        for place, question in enumerate(found.questions, 1):
            name = f"quiz-{stem}-{place}"
            kind = "checkbox" if question.several else "radio"
            right = " ".join(map(str, question.right))
            parts += [
                raw(f'<fieldset data-right="{right}"><legend><span class="quiz-number">{place}</span> '),
                *self._inline(question.text),
                raw(" <small>Several answers are right.</small></legend>" if question.several else "</legend>"),
            ]
            for index, option in enumerate(question.options):
                parts += [
                    raw(f'<label><input type="{kind}" name="{name}" value="{index}"> <span>'),
                    *self._inline(option),
                    raw("</span></label>"),
                ]
            parts += [
                raw(
                    '<p class="quiz-verdict" role="status"></p>'
                    '<details class="quiz-answer"><summary>Answer</summary><p>'
                )
            ]
            for count, index in enumerate(question.right):
                parts += [raw("<b>" if count == 0 else "; "), *self._inline(question.options[index])]
            parts += [raw("</b>. "), *self._inline(question.explanation), raw("</p></details></fieldset>")]
        parts.append(raw("</form>"))
        return parts

    def _inline(self, text: str) -> list[nodes.Node]:
        inline, messages = self.state.inline_text(text, self.lineno)
        return [*inline, *messages]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("quiz", QuizBlock)
