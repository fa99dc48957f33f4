"""Directive ``margin``: an aside beside the text, as the book theme has it."""

from __future__ import annotations

from docutils.parsers.rst.directives.body import Sidebar
from sphinx.application import Sphinx


class Margin(Sidebar):
    """A sidebar whose title may be left out."""

    optional_arguments = 1
    required_arguments = 0

    def run(self):  # type: ignore[no-untyped-def]
        """Mark it as an aside of the margin."""
        if not self.arguments:
            self.arguments = [""]
        self.options.setdefault("class", []).append("margin")
        return super().run()


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("margin", Margin)
