"""Small pieces of HTML shared by the directives."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"https?://[^\s<>\"'`\])]+[^\s<>\"'`\]).,;:!?]")
_CODE = re.compile(r"`([^`]+)`")


def esc(text: object) -> str:
    """Escape for text and attributes."""
    return html.escape(str(text), quote=True)


def prose(text: str) -> str:
    """Turn a card's plain text into HTML: addresses become links, backticks code."""
    pieces, end = [], 0
    for found in re.finditer(f"{_CODE.pattern}|{_LINK.pattern}", text):
        pieces.append(esc(text[end : found.start()]))
        code = found.group(1)
        pieces.append(f"<code>{esc(code)}</code>" if code is not None else link(found.group(0)))
        end = found.end()
    return "".join([*pieces, esc(text[end:])])


def link(url: str, text: str | None = None) -> str:
    """A link; long addresses are shown without their scheme and may break anywhere."""
    shown = esc(text) if text else esc(re.sub(r"^https?://(www\.)?", "", url).rstrip("/"))
    return f'<a class="reference external" href="{esc(url)}">{shown}</a>'


def raw(text: str) -> nodes.raw:
    """A docutils node that is this HTML and nothing else."""
    return nodes.raw("", text, format="html")


def up(docname: str) -> str:
    """The relative way from a page to the site's root."""
    return "../" * docname.count("/")


def fact_href(docname: str, key: str) -> str:
    """The permalink of a fact, seen from a page."""
    return f"{up(docname)}{FACTS}.html#{key}"


def note(env: BuildEnvironment, *paths: Path) -> None:
    """Make the page depend on files, so that it is read anew when they change."""
    for path in paths:
        env.note_dependency(str(path))


def number(value: Any, unit: str = "") -> str:
    """Print a fact's value: thousands separated, years left alone."""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return str(value) if unit in ("year", "years") and 1000 <= value < 3000 else f"{value:,}"
    return f"{value:,}" if abs(value) >= 1000 else f"{value:g}" if abs(value) < 1e-4 else str(value)


def size(count: int) -> str:
    """Bytes in decimal units, as file managers and download pages print them."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            return f"{count} bytes" if unit == "bytes" else f"{value:.3g} {unit}"
        value /= 1000
    raise AssertionError


def short(value: int | float) -> str:
    """A large count in words: 2.5 million."""
    for limit, word in ((1e9, "billion"), (1e6, "million")):
        if abs(value) >= limit:
            return f"{value / limit:.3g} {word}"
    return number(value)


FACTS = "chapters/facts"
