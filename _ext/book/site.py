"""The frame of every page: title, description, navigation, machine-readable head, search, and what is left out."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from docutils import nodes
from pygments.formatters import HtmlFormatter
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from data_helpers import cards

from .html import ROOT, esc, up
from .notebooks import attribute, set_attribute

LOGGER = logging.getLogger(__name__)

# Files that Sphinx and its extensions copy and that no page of ours asks for.
UNUSED = (
    "basic.css", "doctools.js", "documentation_options.js", "language_data.js", "searchtools.js", "sphinx_highlight.js",
    "file.png", "minus.png", "plus.png", "pygments.css", "design-tabs.js", "mystnb.*.css", "sphinx-design.min.css",
)  # fmt: skip
WORDS_OF_DESIGN = re.compile(r'class="[^"]*\bsd-')


# -- style and script ------------------------------------------------------------------------------------------------


def squeeze(css: str) -> str:
    """Take comments and needless blanks out of a style sheet."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r"\s*([{};,>])\s*", r"\1", css).replace(";}", "}").strip()


def pygments() -> str:
    """Colours of code: light, dark by choice, and dark by the system's wish."""
    light = HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".highlight")
    dark = HtmlFormatter(style="a11y-high-contrast-dark").get_style_defs(".highlight")

    def scoped(css: str, prefix: str) -> str:
        lines = [line for line in css.splitlines() if line.startswith(".highlight .")]
        return "\n".join(f"{prefix} {line}" for line in lines)

    # The page's own background stays: the styles only colour the words.
    light = re.sub(r"background-color: #[0-9a-fA-F]+;?", "", scoped(light, ""))
    dark = re.sub(r"background-color: #[0-9a-fA-F]+;?", "", dark)
    chosen = scoped(dark, ':root[data-theme="dark"]')
    wished = scoped(dark, ':root:not([data-theme="light"])')
    return f"{light}\n{chosen}\n@media (prefers-color-scheme: dark) {{\n{wished}\n}}"


def bundle(app: Sphinx) -> None:
    """Build the one style sheet; pages name it with its hash, so that no reader keeps an old one."""
    source = (ROOT / "_static" / "book.css").read_text(encoding="utf-8")
    app.book_css = squeeze(source + pygments())  # type: ignore[attr-defined]
    script = (ROOT / "_static" / "book.js").read_text(encoding="utf-8")
    app.book_js = re.sub(r"(?m)^\s*//.*\n", "", script)  # type: ignore[attr-defined]
    # Our own index holds the text of every section: it shows excerpts, and from a disk, which Sphinx's cannot.
    app.builder.search = False  # type: ignore[union-attr]


def stamp(text: str) -> str:
    """A short hash for an address."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


# -- the frame -------------------------------------------------------------------------------------------------------


def describe(app: Sphinx, docname: str, doctree: nodes.document | None) -> str:
    """A page's description: its own, its card's purpose, or its first paragraph."""
    meta = app.env.metadata.get(docname, {})
    if meta.get("description"):
        return cut(str(meta["description"]))
    folder, _, stem = docname.partition("/")
    if folder == "chapters" and stem in cards.list_datasets():
        return cut(f"{cards.parsed(stem).title}: {cards.parsed(stem).purpose}")
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            return cut(text)
    return (
        f"{app.env.titles[docname].astext()}: a page of {app.config.html_title}." if docname in app.env.titles else ""
    )


def cut(text: str, limit: int = 155) -> str:
    """Shorten at a word's end."""
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0].rstrip(",;:.") + "…"


def navigation(app: Sphinx, docname: str) -> list[dict[str, Any]]:
    """The book's parts with their pages; the notebooks of a chapter are its children."""
    site = app.config.external_site_map
    parts = []

    def page(name: str) -> dict[str, Any]:
        document = site.get(name)
        below = [page(str(child)) for tree in (document.subtrees if document else ()) for child in tree.items]
        title = app.env.titles[name].astext() if name in app.env.titles else name
        own = document.title if document is not None and document.title else title
        return {
            "title": own,
            "href": f"{up(docname)}{name}.html",
            "here": name == docname,
            "open": name == docname or any(child["open"] for child in below),
            "children": below,
            "notebook": name.startswith("notebooks/"),
        }

    for tree in site.root.subtrees:
        parts.append(
            {"caption": tree.caption, "pages": [page(str(item)) for item in tree.items if str(item) in app.env.titles]}
        )
    return parts


def contents(app: Sphinx, docname: str, doctree: nodes.document | None) -> list[dict[str, Any]]:
    """Headings of a page, two levels below its title."""
    found: list[dict[str, Any]] = []
    if doctree is None:
        return found
    for top in doctree.children:
        if not isinstance(top, nodes.section):
            continue
        for section in top.children:
            if isinstance(section, nodes.section):
                below = [_entry(inner) for inner in section.children if isinstance(inner, nodes.section)]
                found.append({**_entry(section), "children": below})
    return found


def _entry(section: nodes.section) -> dict[str, Any]:
    title = section.next_node(nodes.title)
    return {"id": section["ids"][0], "title": title.astext() if title else ""}


def croissant(stem: str) -> str:
    """The dataset's description as JSON-LD, where the package can write it."""
    try:
        from data_helpers import croissant as maker
    except ImportError:
        return ""
    for name in ("croissant", "describe", "metadata", "to_json", "build"):
        make = getattr(maker, name, None)
        if callable(make):
            found = make(stem)
            text = (
                found
                if isinstance(found, str)
                else json.dumps(found, ensure_ascii=False, separators=(",", ":"), default=str)
            )
            return text.replace("</", "<\\/")
    return ""


def context(
    app: Sphinx, pagename: str, templatename: str, ctx: dict[str, Any], doctree: nodes.document | None
) -> str | None:
    """Fill the frame's template."""
    title = app.env.titles[pagename].astext() if pagename in app.env.titles else ctx.get("title", "")
    book = str(app.config.html_title)
    site = os.environ.get("BOOK_BASE_URL", "").rstrip("/")
    repository = os.environ.get("BOOK_REPOSITORY", "").rstrip("/")
    body = ctx.get("body", "")
    ctx["book_title"] = book
    ctx["page_title"] = title
    ctx["head_title"] = book if pagename == app.config.root_doc else f"{title} · {book}"
    ctx["description"] = describe(app, pagename, doctree) or f"{title}: a page of {book}."
    ctx["nav"] = navigation(app, pagename)
    ctx["contents"] = contents(app, pagename, doctree)
    ctx["up"] = up(pagename)
    ctx["css_version"] = stamp(app.book_css)  # type: ignore[attr-defined]
    ctx["js_version"] = stamp(app.book_js)  # type: ignore[attr-defined]
    ctx["is_landing"] = pagename == app.config.root_doc
    ctx["is_notebook"] = pagename.startswith("notebooks/")
    ctx["canonical"] = f"{site}/{'' if pagename == app.config.root_doc else pagename + '.html'}" if site else ""
    ctx["edition"] = os.environ.get("BOOK_EDITION", "")
    ctx["launch"] = launch(app, pagename, repository)
    stem = pagename.removeprefix("chapters/")
    ctx["json_ld"] = croissant(stem) if pagename.startswith("chapters/") and stem in cards.list_datasets() else ""

    assets = list(dict.fromkeys(re.findall(r"<!--asset:([\w.-]+)-->", body)))
    body = re.sub(r"<!--asset:[\w.-]+-->", "", body)
    ctx["part_css"] = [name for name in assets if name.endswith(".css")]
    ctx["part_js"] = [name for name in assets if name.endswith(".js")]
    ctx["design"] = bool(WORDS_OF_DESIGN.search(body))
    ctx["body"] = finish(app, body)
    # One picture for all pages, of the size that sites ask for beside a link: a gallery's are too small for it.
    ctx["og_image"] = f"{site}/_static/social.png" if site else ""
    return "page.html"


def launch(app: Sphinx, pagename: str, repository: str) -> list[dict[str, str]]:
    """Buttons over a page: the notebook itself always; what needs the repository's address only where that is known."""
    found: list[dict[str, str]] = []
    if pagename not in app.env.found_docs:
        return found
    path = Path(app.env.doc2path(pagename)).relative_to(app.srcdir).as_posix()
    if path.endswith(".ipynb"):
        found.append(
            {
                "text": "Download notebook",
                "href": f"{up(pagename)}_sources/{path}",
                "icon": "download",
                "download": Path(path).name,
            }
        )
    if repository:
        branch = os.environ.get("BOOK_BRANCH", "main")
        slug = re.sub(r"^https?://github\.com/", "", repository)
        if path.endswith(".ipynb"):
            places = {
                "Colab": f"https://colab.research.google.com/github/{slug}/blob/{branch}/{path}",
                "Binder": f"https://mybinder.org/v2/gh/{slug}/{branch}?urlpath=lab/tree/{path}",
            }
            # Colab opens a notebook alone, without the answers that lie recorded beside it.
            if b'Path(\\"recorded\\")' in Path(app.env.doc2path(pagename)).read_bytes():
                del places["Colab"]
            if slug != repository:
                found += [{"text": name, "href": href, "icon": "play"} for name, href in places.items()]
        else:
            found.append({"text": "Edit this page", "href": f"{repository}/edit/{branch}/{path}", "icon": "pencil"})
        title = quote_plus(app.env.titles[pagename].astext())
        found.append({"text": "Report a mistake", "href": f"{repository}/issues/new?title={title}", "icon": "flag"})
    return found


# -- the body --------------------------------------------------------------------------------------------------------


def finish(app: Sphinx, body: str) -> str:
    """Last touches on a page's HTML: sized lazy pictures, tables that scroll in a frame of their own."""
    from PIL import Image

    byname = {name: path for path, name in getattr(app.builder, "images", {}).items()}
    seen = 0

    def picture(found: re.Match[str]) -> str:
        nonlocal seen
        tag = found.group(0)
        seen += 1
        source = attribute(tag, "src") or ""
        name = source.rsplit("/", 1)[-1]
        if attribute(tag, "width") is None and name in byname:
            path = Path(app.srcdir) / byname[name]
            if path.suffix != ".svg" and path.is_file():
                with Image.open(path) as image:
                    tag = set_attribute(set_attribute(tag, "width", image.width), "height", image.height)
        if seen == 1 and 'loading="lazy"' in tag and "data-first" in tag:
            return tag.replace(' loading="lazy"', "")
        return set_attribute(set_attribute(tag, "loading", "lazy"), "decoding", "async")

    body = re.sub(r"<img\b[^>]*?>", picture, body)
    body = re.sub(
        r'(?<!class="table-wrap">)(<table class="[^"]*docutils[^"]*"[^>]*>.*?</table>)',
        r'<div class="table-wrap">\1</div>',
        body,
        flags=re.S,
    )
    body = re.sub(r'<th class="head">', '<th class="head" scope="col">', body)
    body = re.sub(r'<th class="head (text-(?:left|right|center))">', r'<th class="head \1" scope="col">', body)
    body = re.sub(r"<th[^>]*>\s*(<p>\s*</p>)?\s*</th>", "<td></td>", body)
    body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    body = re.sub(r'<p class="(collapsed|expanded) admonition-title">(.*?)</p>', r'<span class="\1">\2</span>', body)
    body = captioned(body)
    # What scrolls sideways must be reachable by keyboard, and with a name, before any script ran. Where nothing is
    # wider than its frame, book.js takes the stop out again.
    body = re.sub(r"<pre(?![^>]*tabindex)([^>]*)>", r'<pre\1 tabindex="0">', body)
    body = re.sub(
        r'<div class="?table-wrap"?>(\s*<table[^>]*>\s*(?:<caption[^>]*>(.*?)</caption>)?)', framed, body, flags=re.S
    )
    return re.sub(r'<div class="(math[^"]*)"', r'<div class="\1" role="group" aria-label="Formula" tabindex="0"', body)


def captioned(body: str) -> str:
    """Name tables of the text, for those who hear a page, by the heading that they stand under."""
    heading, seen = "", 0

    def one(found: re.Match[str]) -> str:
        nonlocal heading, seen
        if found["title"] is not None:
            heading, seen = plain(found["title"]), 0
            return found[0]
        if "<caption" in found[0]:
            return found[0]
        seen += 1
        name = f"{heading}, table {seen}" if seen > 1 else heading
        return f'{found["table"]}<caption class="vh">{esc(name)}</caption>{found["rest"]}'

    pattern = r"<h[1-6][^>]*>(?P<title>.*?)</h[1-6]>|(?P<table><table\b[^>]*>)(?P<rest>.*?</table>)"
    return re.sub(pattern, one, body, flags=re.S)


def plain(markup: str) -> str:
    """The text of a piece of HTML, without the mark that links to a heading."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split()).rstrip("#¶ ")


def framed(found: re.Match[str]) -> str:
    """The frame of a table: a stop for the keyboard, named as the table is."""
    name = esc(cut(plain(found.group(2) or ""), 80) or "Table")
    return f'<div class="table-wrap" role="group" aria-label="{name}" tabindex="0">{found.group(1)}'


# -- search, sitemap, leftovers --------------------------------------------------------------------------------------

_TEXT = re.compile(r"<[^>]+>")


def index(app: Sphinx) -> list[list[Any]]:
    """Text of every section of every page, for the search."""
    found: list[list[Any]] = []
    for docname in sorted(app.env.found_docs):
        doctree = app.env.get_doctree(docname)
        sections: list[list[str]] = []
        for section in doctree.findall(nodes.section):
            title = section.next_node(nodes.title)
            heading = title.astext() if title else ""
            text = " ".join(
                _text(child) for child in section.children if not isinstance(child, nodes.section | nodes.title)
            )
            sections.append([section["ids"][0], heading, " ".join(text.split())])
        if sections:
            sections[0][0] = ""
            found.append([f"{docname}.html", app.env.titles[docname].astext(), sections])
    return found


def _text(node: nodes.Node) -> str:
    parts = []
    for one in node.findall():
        if isinstance(one, nodes.raw):
            parts.append(_TEXT.sub(" ", re.sub(r"<(style|script|svg)\b.*?</\1>", " ", one.astext(), flags=re.S)))
        elif isinstance(one, nodes.Text) and not isinstance(one.parent, nodes.raw | nodes.comment):
            parts.append(str(one))
    return " ".join(parts)


def search_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The search as a page of its own, for those who arrive with a question in the address."""
    yield "search", {"title": "Search", "body": "", "is_search": True}, "page.html"


def finished(app: Sphinx, error: Exception | None) -> None:
    """Write what all pages share, and remove what none uses."""
    if error or app.builder is None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    designed = any(WORDS_OF_DESIGN.search(page.read_text(encoding="utf-8")) for page in out.rglob("*.html"))
    for pattern in UNUSED:
        if pattern == "sphinx-design.min.css" and designed:
            continue
        for path in static.glob(pattern):
            path.unlink()
    for path in [*static.rglob("*.map"), out / "objects.inv", out / "genindex.html", out / ".buildinfo"]:
        path.unlink(missing_ok=True)
    (static / "book.css").write_text(app.book_css, encoding="utf-8")  # type: ignore[attr-defined]
    (static / "book.js").write_text(app.book_js, encoding="utf-8")  # type: ignore[attr-defined]
    words = json.dumps(index(app), ensure_ascii=False, separators=(",", ":"))
    (static / "search-index.js").write_text(f"window.bookIndex={words};", encoding="utf-8")
    # GitHub Pages would otherwise leave out every folder whose name begins with an underscore.
    (out / ".nojekyll").touch()
    site = os.environ.get("BOOK_BASE_URL", "").rstrip("/")
    if site:
        root = app.config.root_doc
        urls = "".join(
            f"<url><loc>{esc(site)}/{'' if name == root else esc(name) + '.html'}</loc></url>"
            for name in sorted(app.env.found_docs)
        )
        (out / "sitemap.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>',
            encoding="utf-8",
        )
        (out / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {site}/sitemap.xml\n", encoding="utf-8")


def every_page(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write all pages whenever one was read: titles stand in every page's navigation."""
    return sorted(env.found_docs)


def setup(app: Sphinx) -> None:
    """Connect to the build."""
    app.connect("builder-inited", bundle)
    app.connect("env-updated", every_page)
    app.connect("html-page-context", context, priority=900)
    app.connect("html-collect-pages", search_page)
    app.connect("build-finished", finished, priority=900)
