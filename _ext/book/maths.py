"""Formulas become MathML when the book is built: no script, no font, readable from a USB stick."""

from __future__ import annotations

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)


def mathml(latex: str, *, block: bool) -> str:
    """Convert one formula; the LaTeX source stays with it as its text for those who copy it."""
    return convert(latex.strip(), display="block" if block else "inline")


def _draw(self: HTML5Translator, node: nodes.Element, *, block: bool) -> None:
    latex = node.astext()
    try:
        markup = mathml(latex, block=block)
    except Exception as error:  # the converter raises many kinds; each is the author's formula
        LOGGER.warning("formula cannot become MathML: %s: %s", latex, error, location=node)
        markup = f"<code>{self.encode(latex)}</code>"
    if block:
        number = node.get("number")
        label = f'<span class="eqno">({number})</span>' if number else ""
        ids = f' id="{node["ids"][0]}"' if node.get("ids") else ""
        markup = f'<div class="math"{ids}>{markup}{label}</div>\n'
    self.body.append(markup)
    raise nodes.SkipNode


def _inline(self: HTML5Translator, node: nodes.Element) -> None:
    _draw(self, node, block=False)


def _block(self: HTML5Translator, node: nodes.Element) -> None:
    _draw(self, node, block=True)


def setup(app: Sphinx) -> None:
    """Make MathML the renderer that ``html_math_renderer`` may name."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
