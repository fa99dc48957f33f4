"""Print the built book as one PDF with bookmarks: ``make pdf`` writes build/image-datasets.pdf.

The pages are joined in the order of the table of contents; links between pages become links inside the document. The
script fails when a page has no text, a picture is missing, or a link leads nowhere.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import yaml

ROOT = Path(__file__).resolve().parents[1]
PRINT = """
@page { size: A4; margin: 20mm 18mm 20mm 18mm; }
html { font-size: 13px; }
body { background: #fff; font-size: 10pt; }
/* Else a bookmark loses the blank at which its heading was broken. */
:is(h1, h2, h3, h4) { white-space: pre-wrap; }
.print-page { break-before: page; }
.print-cover { height: 220mm; display: flex; flex-direction: column; justify-content: center; }
.print-cover h1 { font-size: 34pt; }
.print-part { break-before: page; padding-top: 80mm; }
article { max-width: none; }
.every-fact { content-visibility: visible; }
.table-wrap { overflow: visible; }
table { font-size: 8.5pt; }
table.facts, table.files { min-width: 0; font-size: 8pt; }
thead th { white-space: normal; }
.from-notebook, .from-miniature { margin-inline: 0; }
.quiz .button, details.quiz-answer > summary { display: none; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def order() -> Iterator[tuple[str, list[str]]]:
    """Parts of the table of contents with their pages."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))

    def walk(items: list[dict[str, Any]]) -> Iterator[str]:
        for item in items:
            yield f"{item['file']}.html"
            yield from walk(item.get("sections", []))

    yield "", [f"{toc['root']}.html"]
    for part in toc["parts"]:
        yield part["caption"], list(walk(part["chapters"]))


def article(site: Path, page: str) -> str:
    """The text of a page."""
    found = re.search(r"<article>(.*)</article>", (site / page).read_text(encoding="utf-8"), re.S)
    if not found:
        raise SystemExit(f"{page}: no article in it. Run make book first.")
    return found.group(1)


def joined(site: Path, address: str) -> tuple[str, int]:
    """One HTML document of the whole book, and the number of its pages."""
    parts = list(order())
    places = {page: f"p{index}" for index, page in enumerate(page for _, pages in parts for page in pages)}
    styles = {
        f"_static/{name}" for name in ("book.css", "sphinx-design.min.css") if (site / "_static" / name).is_file()
    }
    pieces = []
    for caption, pages in parts:
        if caption:
            pieces.append(f'<section class="print-part"><h1>{html.escape(caption)}</h1></section>')
        for page in pages:
            whole = (site / page).read_text(encoding="utf-8")
            styles |= {f"_static/{name}" for name in re.findall(r'href="[./]*_static/(part-[\w.]+\.css)"', whole)}
            mark = places[page]

            def target(found: re.Match[str], page: str = page, mark: str = mark) -> str:
                name, value = found.group(1), html.unescape(found.group(2))
                if name in ("id", "for"):
                    return f' {name}="{mark}-{html.escape(value)}"'
                if name == "aria-labelledby" or urlsplit(value).scheme:
                    return found.group(0)
                url = urlsplit(urljoin(f"/{page}", value))
                file = unquote(url.path).lstrip("/")
                if name == "src":
                    return f' src="{(site / file).as_uri()}"'
                if file in places:
                    return f' href="#{places[file]}{"-" + unquote(url.fragment) if url.fragment else ""}"'
                return f' href="{address}/{file}"' if address else ""

            body = re.sub(r'\s(id|for|href|src)="([^"]*)"', target, article(site, page))
            body = re.sub(r"<details(?![^>]*\bopen\b)", "<details open", body).replace('loading="lazy"', "")
            pieces.append(f'<article class="print-page" id="{mark}">{body}</article>')
    links = "".join(f'<link rel="stylesheet" href="{(site / name).as_uri()}">' for name in sorted(styles))
    cover = (
        '<section class="print-cover"><h1>Image Datasets for Deep Learning</h1>'
        "<p>Text under CC BY 4.0, code under MIT. Every picture bears its own licence.</p></section>"
    )
    document = (
        '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>Image Datasets for Deep Learning</title>{links}<style>{PRINT}</style></head>"
        f"<body>{cover}{''.join(pieces)}</body></html>"
    )
    return document, len(places)


# What is printed of a line: A4 without the margins above, in pixels of CSS.
WIDTH = 657
# A table that is too wide for paper, where nothing scrolls, is drawn smaller; anything else would lose its right side.
FIT = """() => {
  for (const table of document.querySelectorAll('table')) {
    const room = table.parentElement.clientWidth;
    for (const cell of table.querySelectorAll('td'))
      if (/\\S{40}/.test(cell.textContent)) cell.style.overflowWrap = 'anywhere';
    if (table.offsetWidth > room) table.style.zoom = Math.floor(990 * room / table.offsetWidth) / 1000;
  }
}"""
FOOTER = '<div style="width:100%;text-align:center;font-size:8px"><span class="pageNumber"></span></div>'
CHECK = """() => ({
  empty: [...document.querySelectorAll('article')].filter(one => one.innerText.trim().length < 40).map(one => one.id),
  pictures: document.images.length,
  missing: [...document.images].filter(one => !one.naturalWidth).map(one => one.src),
  links: document.querySelectorAll('a[href]').length,
  cut: [...document.querySelectorAll('article *')].filter(one => one.scrollHeight > one.clientHeight + 2)
    .filter(one => /auto|scroll/.test(getComputedStyle(one).overflowY)).map(one => one.outerHTML.slice(0, 100)),
  wide: [...document.querySelectorAll('article *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1)
    .filter(one => !one.closest('.vh, svg, math')).map(one => one.outerHTML.slice(0, 100)),
  lost: [...document.querySelectorAll('a[href^="#"]')].map(one => decodeURIComponent(one.getAttribute('href').slice(1)))
    .filter(id => !document.getElementById(id)),
})"""


def main() -> int:
    """Join, check, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "image-datasets.pdf")
    arguments = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        print("Printing needs Chromium: install it, or set CHROMIUM to its path.", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    document, pages = joined(arguments.site.resolve(), os.environ.get("BOOK_BASE_URL", "").rstrip("/"))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        whole = Path(folder) / "book.html"
        whole.write_text(document, encoding="utf-8")
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport={"width": WIDTH, "height": 970})
        page.emulate_media(media="print")
        # On a busy machine the network falls idle while the document is still being read.
        page.goto(whole.as_uri(), wait_until="load", timeout=180_000)
        page.evaluate(FIT)
        found = page.evaluate(CHECK)
        faults = [f"page without text: {one}" for one in found["empty"]]
        faults += [f"picture missing: {one}" for one in found["missing"]]
        faults += [f"cut off below: {one}" for one in found["cut"]]
        faults += [f"wider than the paper: {one}" for one in found["wide"]]
        faults += [f"link to nowhere: #{one}" for one in sorted(set(found["lost"]))]
        if faults:
            print("\n".join(faults[:40]), file=sys.stderr)
            return 1
        page.pdf(
            path=str(arguments.output),
            prefer_css_page_size=True,
            print_background=True,
            outline=True,
            tagged=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
        )
        browser.close()
    data = arguments.output.read_bytes()
    sheets = len(re.findall(rb"/Type\s*/Page\b(?!s)", data))
    if b"/Outlines" not in data:
        print("The PDF has no bookmarks: this Chromium is too old.", file=sys.stderr)
        return 1
    print(
        f"{pages} pages of the book on {sheets} sheets, {found['pictures']} pictures, {found['links']} links, "
        f"{len(data) / 1e6:.1f} MB: {arguments.output}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
