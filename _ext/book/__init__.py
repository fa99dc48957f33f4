"""The book's own Sphinx extension: facts, cards, notebook figures, quizzes, generated pages and the site's frame.

Jupyter Book 1 reads the sources (MyST, notebooks, citations); this package draws what only this book has, and frames
every page in one light template of its own, so that no page asks a third party for anything. ``README.md`` beside this
folder shows authors how each role and directive is written.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything; each module has a ``setup`` of its own."""
    # Miniatures are unpacked beside the built book, so that a build leaves nothing in anybody's cache.
    os.environ.setdefault("DATA_HELPERS_HOME", str(Path(app.outdir).resolve().parent / "data_helpers"))
    # A reader's own copies and cards must not change what the book prints.
    for name in [name for name in os.environ if name.startswith("DATA_HELPERS_ROOT_")] + ["DATA_HELPERS_CARDS"]:
        os.environ.pop(name, None)

    # Jupyter Book passes settings on to extensions that this book leaves out.
    app.add_config_value("comments_config", {}, "env")

    from . import aside, bank, cards, citations, course, datasheets, facts, maths, notebooks, pages, quiz, site, status

    for module in (
        maths,
        facts,
        cards,
        notebooks,
        quiz,
        pages,
        bank,
        status,
        datasheets,
        course,
        aside,
        citations,
        site,
    ):
        module.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
