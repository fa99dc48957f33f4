"""The built site, as readers meet it: in a browser over HTTP and from a disk, by keyboard, in the dark, on a phone.

``BOOK_SITE`` names a folder to test instead of a fresh build; ``BOOK_EVERY_PAGE=1`` lets axe look at every page.
"""

from __future__ import annotations

import gzip
import html.parser
import importlib.util
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from data_helpers import cards
from data_helpers.serve import Server

ROOT = Path(__file__).resolve().parents[1]
EVERY_PAGE = os.environ.get("BOOK_EVERY_PAGE") == "1"
PHONE = {"width": 360, "height": 780}


def builder() -> ModuleType:
    """The project's own build script, as a module."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "tools" / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built book: the one that stands if it is fresh, else one built for this session."""
    if given := os.environ.get("BOOK_SITE"):
        return Path(given).resolve()
    make = builder()
    standing = ROOT / "_build"
    marks = [standing / ".frame", standing / ".pages"]
    if [mark.read_text() if mark.is_file() else "" for mark in marks] == [
        make.stamp(make.FRAME),
        make.stamp(make.PAGES),
    ]:
        return standing / "html"
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "build.py", "--output", folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "_build" / "html"


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Serve the site as `make serve` does."""
    with Server(site) as server:
        yield server.url.rstrip("/")


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """Return a page in a context of its own."""
    context = browser.new_context(viewport={"width": 1300, "height": 900}, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def pages(site: Path) -> list[str]:
    """Addresses of all pages below the site's root."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts)


def templates(site: Path) -> list[str]:
    """One page of each kind, the heaviest of its kind; on request all pages."""
    there = pages(site)
    if EVERY_PAGE:
        return there
    heavy = sorted(there, key=lambda name: -(site / name).stat().st_size)
    chapter = [name for name in heavy if name.startswith("chapters/") and Path(name).stem in cards.list_datasets()]
    notebook = [name for name in heavy if name.startswith("notebooks/")]
    fixed = ["index.html", "chapters/facts.html", "chapters/reference.html", "search.html"]
    # Pages with tables or forms of their own.
    fixed += [f"chapters/{name}.html" for name in ("compare", "questions")]
    return [*fixed, *chapter[:1], *notebook[:1]]


class Outline(html.parser.HTMLParser):
    """What the tests without a browser look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.title = ""
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.append("/" + tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title" and not self.title:
            self.title = data.strip()

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def ids(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.tags if "id" in attributes}


@pytest.fixture(scope="session")
def outlines(site: Path) -> dict[str, Outline]:
    return {name: Outline((site / name).read_text(encoding="utf-8")) for name in pages(site)}


# -- without a browser -----------------------------------------------------------------------------------------------


def test_every_page_has_a_title_a_description_and_sound_headings(outlines: dict[str, Outline]) -> None:
    wrong = []
    for name, outline in outlines.items():
        levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]
        described = [meta["content"] for meta in outline.all("meta") if meta.get("name") == "description"]
        if levels.count(1) != 1 or levels[0] != 1:
            wrong.append(f"{name}: headings {levels[:3]} ...: expected one h1, first")
        if any(after > before + 1 for before, after in itertools.pairwise(levels)):
            wrong.append(f"{name}: a heading's level is skipped: {levels}")
        if len(described) != 1 or not 20 <= len(described[0]) <= 170:
            wrong.append(f"{name}: description {described}")
        if not outline.title or outline.all("html")[0].get("lang") != "en":
            wrong.append(f"{name}: title or language is missing")
    assert not wrong, "\n".join(wrong)
    assert [title for title, count in Counter(one.title for one in outlines.values()).items() if count > 1] == []


def test_every_link_and_file_of_the_site_is_there(site: Path, outlines: dict[str, Outline]) -> None:
    wrong = []
    for name, outline in outlines.items():
        named = [(tag, attributes.get("href") or attributes.get("src") or "") for tag, attributes in outline.tags]
        for tag, target in named:
            if not target or tag == "html" or urlsplit(target).scheme or target.startswith("//"):
                continue
            parts = urlsplit(urljoin(f"/{name}", target))
            file = unquote(parts.path).lstrip("/") or "index.html"
            if not (site / file).is_file():
                wrong.append(f"{name}: {target}: no such file")
            elif parts.fragment and file in outlines and unquote(parts.fragment) not in outlines[file].ids:
                wrong.append(f"{name}: {target}: no such place on that page")
        twice = Counter(attributes["id"] for _, attributes in outline.tags if "id" in attributes)
        wrong += [f"{name}: id {one!r} stands {count} times" for one, count in twice.items() if count > 1]
    assert not wrong, "\n".join(sorted(set(wrong))[:40])


def test_pictures_have_alternative_text_and_a_size(outlines: dict[str, Outline]) -> None:
    wrong = []
    for name, outline in outlines.items():
        for image in outline.all("img"):
            source = image.get("src", "")[-60:]
            if "alt" not in image or (not image["alt"] and name != "index.html"):
                wrong.append(f"{name}: {source}: no alternative text")
            if not {"width", "height"} <= image.keys():
                wrong.append(f"{name}: {source}: no width and height, so the page jumps when it arrives")
            if image.get("src", "").startswith("data:"):
                wrong.append(f"{name}: a picture inside the page instead of a file")
    assert not wrong, "\n".join(wrong[:40])


def test_tables_have_a_caption_and_headers(site: Path) -> None:
    wrong = []
    for name in pages(site):
        for table in re.findall(r"<table\b.*?</table>", (site / name).read_text(encoding="utf-8"), re.S):
            heads = re.findall(r"<th\b[^>]*>", table)
            if not re.search(r"<caption[^>]*>\s*\S", table) or not heads or not all("scope=" in one for one in heads):
                wrong.append(f"{name}: {table[:120]}")
    assert not wrong, "\n".join(wrong[:40])


def test_pages_are_light_and_carry_nothing_unused(site: Path, outlines: dict[str, Outline]) -> None:
    names = [path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()]
    assert [name for name in names if re.search(r"\.(map|woff2?|ttf|eot)$|mathjax|fontawesome", name, re.I)] == []
    wrong = []
    for name, outline in outlines.items():
        own = [link["href"] for link in outline.all("link") if link.get("rel") == "stylesheet"]
        own += [script["src"] for script in outline.all("script") if "src" in script]
        files = [site / name] + [site / urlsplit(urljoin(f"/{name}", one)).path.lstrip("/") for one in own]
        weight = sum(len(gzip.compress(file.read_bytes())) for file in files)
        if weight > 300_000:
            wrong.append(f"{name}: {weight:,} bytes compressed, without pictures")
    assert not wrong, "\n".join(wrong)


def test_dataset_chapters_describe_themselves_to_machines(site: Path, tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    for stem in cards.list_datasets():
        path = site / "chapters" / f"{stem}.html"
        if path.is_file():
            found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', path.read_text("utf-8"), re.S)
            assert len(found) == 1, stem
            described = json.loads(found[0])
            assert described["@type"] == "sc:Dataset"
            # MLCommons' validator reads what the page holds, not what the package would write.
            kept = tmp_path / f"{stem}.json"
            kept.write_text(found[0], encoding="utf-8")
            assert not mlcroissant.Dataset(jsonld=kept).metadata.ctx.issues.errors, stem
            assert {one for one in described if one.startswith("rai:")}, stem


# -- in a browser ----------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("way", ["http", "file"])
def test_no_page_asks_a_third_party_or_complains(way: str, site: Path, address: str, page: Any) -> None:
    base = address if way == "http" else site.as_uri()
    wrong: list[str] = []
    where = ""

    def asked(request: Any) -> None:
        if not request.url.startswith((base, "data:", "blob:")):
            wrong.append(f"{where}: asked for {request.url}")

    page.on("request", asked)
    page.on("console", lambda said: said.type in ("error", "warning") and wrong.append(f"{where}: {said.text}"))
    page.on("pageerror", lambda error: wrong.append(f"{where}: {error}"))
    # What the walk itself cut off by going on to the next page (the icon comes last) did not fail.
    cut = "net::ERR_ABORTED"
    page.on("requestfailed", lambda it: it.failure != cut and wrong.append(f"{where}: failed: {it.url}"))
    for where in pages(site):
        page.goto(f"{base}/{where}", wait_until="load")
        # Lazy pictures are asked for where they come into sight.
        page.evaluate(
            """async () => {
              for (const image of document.images) image.loading = 'eager';
              await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
            }"""
        )
        broken = page.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)")
        wrong += [f"{where}: picture not shown: {source}" for source in broken]
    assert not wrong, "\n".join(wrong[:30])


@pytest.mark.browser
@pytest.mark.parametrize("theme, width", [("light", 1300), ("dark", 1300), ("light", 360)])
def test_axe_finds_nothing(theme: str, width: int, site: Path, address: str, browser: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    wrong = []
    for name in templates(site):
        page.goto(f"{address}/{name}")
        # What is folded away is read as well.
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        for found in Axe().run(page).response["violations"]:
            nodes = "; ".join(node["html"][:160] for node in found["nodes"][:3])
            wrong.append(f"{name}: {found['id']} ({found['impact']}): {nodes}")
    context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 650])
def test_no_page_scrolls_sideways(width: int, site: Path, address: str, browser: Any) -> None:
    """360 pixels are a phone; 650 are a laptop's 1300 at 200 % zoom."""
    context = browser.new_context(viewport={"width": width, "height": 780})
    page = context.new_page()
    wrong = []
    for name in pages(site):
        page.goto(f"{address}/{name}")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        over = page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] :
            [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1)
            .filter(one => !one.parentElement.closest('pre, .table-wrap, div.math'))
            .slice(0, 3).map(one => one.outerHTML.slice(0, 120))"""
        )
        wrong += [f"{name}: {one}" for one in over]
    context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.browser
def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(site: Path, address: str, browser: Any) -> None:
    """Tab through the beginning of each kind of page: nothing hidden is focused, every stop is seen and has a name."""
    context = browser.new_context(viewport={"width": 1300, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    wrong = []
    for name in templates(site):
        page.goto(f"{address}/{name}", wait_until="load")
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") != "skip" and name != "search.html":
            wrong.append(f"{name}: the first stop is not the way to the text")
        page.evaluate("document.querySelector('article').tabIndex = -1; document.querySelector('article').focus()")
        for _ in range(25):
            page.keyboard.press("Tab")
            stop = page.evaluate(STOP)
            if stop is None:
                break
            if not stop["named"]:
                wrong.append(f"{name}: a stop without a name: {stop['html']}")
            if not stop["outlined"]:
                wrong.append(f"{name}: a stop that is not seen: {stop['html']}")
            if not stop["onward"]:
                wrong.append(f"{name}: the order jumps back at {stop['html']}")
    context.close()
    assert not wrong, "\n".join(wrong[:30])


STOP = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || !one.closest('article')) return null;
  const box = one.getBoundingClientRect(), style = getComputedStyle(one), label = one.closest('label');
  const text = [one, label].filter(Boolean).map(it => it.innerText || it.ariaLabel || it.title || '').join('').trim();
  const last = window.lastStop;
  window.lastStop = one;
  const drawn = it => it.outlineStyle !== 'none' && parseFloat(it.outlineWidth) > 0;
  const lined = it => it && drawn(getComputedStyle(it));
  return {
    html: one.outerHTML.slice(0, 120), onward: !last || !!(last.compareDocumentPosition(one) & 4),
    named: !!(text || one.querySelector('img[alt], svg[aria-label]')),
    outlined: box.width > 0 && box.height > 0 && style.visibility === 'visible' && (lined(one) || lined(label)),
  };
}"""


@pytest.mark.browser
def test_nothing_moves_for_those_who_asked_for_rest(site: Path, address: str, page: Any) -> None:
    for name in templates(site):
        page.goto(f"{address}/{name}")
        moving = page.evaluate(
            """() => [...document.querySelectorAll('*')].filter(one => {
              const style = getComputedStyle(one);
              return style.animationName !== 'none' || style.scrollBehavior === 'smooth' ||
                style.transitionDuration.split(',').some(time => parseFloat(time) > 0);
            }).slice(0, 3).map(one => one.outerHTML.slice(0, 100))"""
        )
        assert moving == [], name
        assert page.evaluate("document.getAnimations().length") == 0, name


@pytest.mark.browser
def test_search_works_from_a_disk_by_keyboard(site: Path, page: Any) -> None:
    page.goto(f"{site.as_uri()}/index.html")
    page.keyboard.press("/")
    page.keyboard.type("summary")
    page.wait_for_selector("#search .results a")
    assert "summary" in page.inner_text("#search .results li:first-child").lower()
    assert page.inner_text("#search .search-said")
    page.keyboard.press("ArrowDown")
    target = page.evaluate("document.activeElement.href")
    page.keyboard.press("Enter")
    page.wait_for_url(target)
    fragment = urlsplit(target).fragment
    assert not fragment or page.evaluate("id => !!document.getElementById(id)", unquote(fragment))
    # A question in the address, as a bookmark keeps it; words that are nowhere.
    page.goto(f"{site.as_uri()}/search.html?q=reference")
    page.wait_for_selector("#search-here .results a")
    page.fill("#search-here input", "zzqqxx")
    page.wait_for_function("document.querySelector('#search-here .search-said').textContent.startsWith('Nothing')")


@pytest.mark.browser
def test_dark_follows_the_system_until_the_reader_chooses(address: str, browser: Any) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    paper = "getComputedStyle(document.body).backgroundColor"
    page.goto(f"{address}/index.html")
    dark = page.evaluate(paper)
    page.focus("#theme-button")
    page.keyboard.press("Enter")
    light = page.evaluate(paper)
    page.goto(f"{address}/chapters/facts.html")
    kept = page.evaluate(paper)
    context.close()
    assert sum(map(int, re.findall(r"\d+", dark)[:3])) < 150
    assert sum(map(int, re.findall(r"\d+", light)[:3])) > 700
    assert kept == light


@pytest.mark.browser
def test_code_is_copied(address: str, browser: Any) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{address}/chapters/reference.html")
    block = page.locator("div.highlight").first
    block.locator("button.copy").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("button.copy.done")
    copied = page.evaluate("navigator.clipboard.readText()").replace("\r", "")
    shown = block.locator("pre").inner_text().rstrip("\n")
    # Prompts of a console stay behind.
    page.goto(f"{address}/index.html")
    console = page.locator("div.highlight", has_text="make lab").first
    console.locator("button.copy").click()
    command = page.evaluate("navigator.clipboard.readText()")
    context.close()
    assert copied == shown
    assert command.splitlines()[-1] == "make lab"


@pytest.mark.browser
def test_a_notebook_is_downloaded_as_it_is_stored(address: str, page: Any) -> None:
    page.goto(f"{address}/notebooks/coco.html")
    with page.expect_download() as begun:
        page.click(".launch a[download]")
    assert begun.value.suggested_filename == "coco.ipynb"
    assert Path(begun.value.path()).read_bytes() == (ROOT / "notebooks" / "coco.ipynb").read_bytes()


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_gallery_labels_are_switched_by_keyboard_and_touch(scripts: bool, address: str, browser: Any) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"{address}/index.html")
    box = page.locator(".dh-gallery input.t-boxes").first
    drawn = page.locator(".dh-gallery path.o.b").first
    states = [drawn.is_visible()]
    box.focus()
    page.keyboard.press("Space")
    states.append(drawn.is_visible())
    page.locator(".dh-gallery label:has(input.t-boxes)").first.tap()
    states.append(drawn.is_visible())
    credits_ = page.locator(".dh-gallery figcaption").all_inner_texts()
    context.close()
    assert states == [True, False, True]
    assert credits_
    assert all(re.search(r"CC BY|CC0|[Pp]ublic domain", one) for one in credits_)


@pytest.mark.browser
def test_pages_are_drawn_and_their_pictures_kept(site: Path, address: str, browser: Any) -> None:
    """Screenshots to look at, which CI keeps; one that shows next to nothing fails."""
    folder = ROOT / "_build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    ways = {
        "light": {"viewport": {"width": 1300, "height": 900}, "color_scheme": "light"},
        "dark": {"viewport": {"width": 1300, "height": 900}, "color_scheme": "dark"},
        "phone": {"viewport": PHONE, "color_scheme": "light"},
    }
    for way, options in ways.items():
        context = browser.new_context(**options)
        page = context.new_page()
        for name in [one for one in templates(site) if one != "search.html"]:
            page.goto(f"{address}/{name}", wait_until="networkidle")
            path = folder / f"{name.removesuffix('.html').replace('/', '-')}-{way}.png"
            page.screenshot(path=str(path))
            with Image.open(path) as picture:
                colours = picture.convert("RGB").getcolors(1 << 24)
            most = max(count for count, _ in colours) / sum(count for count, _ in colours)
            assert len(colours) > 100, f"{path}: nearly empty"
            assert most < 0.98, f"{path}: nearly empty"
        context.close()


@pytest.mark.browser
def test_a_long_page_is_laid_out_bit_by_bit_and_then_whole(address: str, page: Any) -> None:
    """What is far from sight waits, so that a phone answers; a place within the page is found at once."""
    left = """() => [...document.querySelectorAll("section")].filter(
        (section) => getComputedStyle(section).contentVisibility == "auto").length"""
    page.route("**/book.js*", lambda route: route.abort())
    page.goto(f"{address}/chapters/coco.html")
    assert page.evaluate(left) > 9
    page.unroute("**/book.js*")
    page.goto(f"{address}/chapters/flickr8k.html")
    page.wait_for_function("!document.documentElement.classList.contains('far')")
    assert page.evaluate(left) == 0
    page.goto("about:blank")
    page.goto(f"{address}/chapters/coco.html#history")
    assert page.evaluate(left) == 0
    assert 0 <= page.locator("#history").bounding_box()["y"] < 150


@pytest.mark.browser
def test_contents_open_on_a_phone(address: str, browser: Any) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True)
    page = context.new_page()
    page.goto(f"{address}/index.html")
    assert not page.is_visible("#menu")
    page.tap("#menu-button")
    assert page.is_visible("#menu")
    assert page.get_attribute("#menu-button", "aria-expanded") == "true"
    page.focus("#menu a")
    page.keyboard.press("Escape")
    hidden = not page.is_visible("#menu")
    context.close()
    assert hidden


@pytest.mark.browser
def test_without_scripts_the_book_is_whole(address: str, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(f"{address}/index.html")
    visible = page.is_visible("#menu a"), page.is_visible("h1"), page.is_visible("#theme-button")
    context.close()
    assert visible == (True, True, False)


# -- a small book that holds one of everything -----------------------------------------------------------------------

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="

CHAPTER = """# One of everything

A chapter that holds each directive once, so that tests can look at all of them in one place.

The figure {fact}`STEM.KEY` and the rival {fact}`STEM.KEY|unit`, and a formula $a^2 + b^2$.

$$
\\mathrm{IoU} = \\frac{|A \\cap B|}{|A \\cup B|}
$$

```{card} STEM
:headline: KEY
```

```{facts-table} STEM
:keys: KEY
```

```{files-table} STEM
```

```{history} STEM
```

```{defects} STEM
```

```{links} STEM
```

```{from-notebook} story figure
The *caption* of a figure.
```

```{from-notebook}
:notebook: story
:cell: frame
:caption: A table.
```

```{quiz} story
```
"""

QUIZ = """
[[questions]]
text = "Which is *right*?"
options = ["left", "`right`"]
answer = "`right`"
explanation = "It says so in the name, and there are {fact}`STEM.KEY`."
[[questions]]
text = "Which two?"
options = ["one", "two", "three"]
answer = ["one", "three"]
explanation = "Because they are odd."
"""


# As the workflow that publishes sets them.
PUBLIC = {
    "BOOK_BASE_URL": "https://book.example/",
    "BOOK_REPOSITORY": "https://github.com/some/where",
    "BOOK_BRANCH": "main",
    "BOOK_EDITION": "1.2.3, 4 May 2027",
}


def small_book(folder: Path, chapter: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Build a book of one chapter and one notebook with the project's own extensions."""
    for name in ("_ext", "_static", "_templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tools/build.py", "tools/learner.py", "tools/pdf.py", "_config.yml", "references.bib"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    stem = next(stem for stem in cards.list_datasets() if cards.parsed(stem).facts)
    rivals = {key: len(one.disagree) for key, one in cards.parsed(stem).facts.items()}
    key = max(rivals, key=lambda name: rivals[name])
    for name in ("chapters", "notebooks", "quizzes"):
        (folder / name).mkdir()
    (folder / "index.md").write_text(
        "# Small\n\nThe landing page of a small book, just for a test.\n", encoding="utf-8"
    )
    (folder / "chapters/facts.md").write_text("# Facts\n\nAll of them, in one place.\n\n```{all-facts}\n```\n", "utf-8")
    (folder / "chapters/all.md").write_text(chapter.replace("STEM", stem).replace("KEY", key), encoding="utf-8")
    (folder / "quizzes/story.toml").write_text(QUIZ.replace("STEM", stem).replace("KEY", key), encoding="utf-8")
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nparts:\n- caption: All\n  chapters:\n  - file: chapters/all\n    sections:\n"
        "    - file: notebooks/story\n  - file: chapters/facts\n",
        encoding="utf-8",
    )
    alt = {"image/png": {"alt": "A dot, larger than life."}}
    frame = (
        '<table border="1" class="dataframe"><thead><tr><th></th><th>n</th></tr></thead>'
        "<tbody><tr><th>0</th><td>5</td></tr></tbody></table>"
    )
    album = (
        '<style>.album { color: inherit }</style><p class="album">'
        f'<img alt="A dot" src="data:image/png;base64,{PIXEL}"></p><script>window.album = 1;</script>'
    )
    story = [
        (
            "contract",
            new_markdown_cell("# A story\n\nWhat you will learn: how outputs of notebooks are drawn in pages."),
        ),
        ("setup", new_code_cell("secret()", metadata={"tags": ["nbval-skip", "remove-cell"]})),
        (
            "figure",
            new_code_cell("draw()", outputs=[new_output("display_data", data={"image/png": PIXEL}, metadata=alt)]),
        ),
        (
            "frame",
            new_code_cell("table()", outputs=[new_output("display_data", data={"text/html": f"<div>{frame}</div>"})]),
        ),
        ("album", new_code_cell("a()", outputs=[new_output("display_data", data={"text/html": album})])),
        ("again", new_code_cell("a()", outputs=[new_output("display_data", data={"text/html": album})])),
        ("exercise-1", new_markdown_cell("## Exercise 1\n\nCount to seven.")),
        ("answer", new_code_cell("seven()", metadata={"tags": ["solution", "hide-cell"]})),
    ]
    cells = []
    for name, cell in story:
        cell["id"] = name
        cells.append(cell)
    kernel = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / "notebooks/story.ipynb")
    return subprocess.run(
        [sys.executable, folder / "tools/build.py"],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    done = small_book(folder, CHAPTER, PUBLIC)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_outputs_of_notebooks_become_files_tables_and_anchors(small: Path) -> None:
    text = (small / "_build/html/notebooks/story.html").read_text(encoding="utf-8")
    outline = Outline(text)
    assert "secret()" not in text
    assert [image["alt"] for image in outline.all("img")] == ["A dot, larger than life.", "A dot", "A dot"]
    assert all(image["src"].startswith("../_images/") and image["loading"] == "lazy" for image in outline.all("img"))
    assert {"cell-figure", "cell-frame", "cell-exercise-1"} <= outline.ids
    assert '<th scope="col">n</th>' in text
    assert '<th scope="row">0</th>' in text
    assert "<caption" in text
    assert "Show a solution" in text
    # A gallery's style and script are files, asked for once however many galleries there are.
    assert len(re.findall(r"<link[^>]+part-[0-9a-f]+\.css", text)) == 1
    assert len(re.findall(r"<script[^>]+part-[0-9a-f]+\.js", text)) == 1


def test_a_chapter_embeds_what_notebook_card_and_quiz_hold(small: Path) -> None:
    text = (small / "_build/html/chapters/all.html").read_text(encoding="utf-8")
    assert 'alt="A dot, larger than life."' in text
    assert "The <em>caption</em> of a figure." in text
    assert 'href="../notebooks/story.html#cell-figure"' in text
    assert text.count("<math ") == 2
    assert "MathJax" not in text
    facts = [a for a in Outline(text).all("a") if a.get("class") == "fact"]
    assert len(facts) == 4
    assert all(re.search(r"(Computed from|Cited from) .+, \d{4}", one["data-origin"]) for one in facts)


def test_public_addresses_appear_only_when_they_are_known(small: Path, site: Path) -> None:
    built = small / "_build/html"
    text = (built / "notebooks/story.html").read_text(encoding="utf-8")
    assert '<link rel="canonical" href="https://book.example/notebooks/story.html">' in text
    assert 'property="og:title"' in text
    assert "https://colab.research.google.com/github/some/where/blob/main/notebooks/story.ipynb" in text
    assert "https://mybinder.org/v2/gh/some/where/main?urlpath=lab/tree/notebooks/story.ipynb" in text
    assert "https://github.com/some/where/edit/main/chapters/all.md" in (built / "chapters/all.html").read_text("utf-8")
    assert "https://book.example/chapters/all.html" in (built / "sitemap.xml").read_text(encoding="utf-8")
    assert "edition 1.2.3, 4 May 2027" in text
    if not (os.environ.get("BOOK_BASE_URL") or os.environ.get("BOOK_REPOSITORY")):
        assert not (site / "sitemap.xml").exists()
        index = (site / "index.html").read_text(encoding="utf-8")
        assert "og:" not in index
        assert "canonical" not in index


def test_every_page_names_its_public_address_and_its_picture(small: Path) -> None:
    """Canonical address, Open Graph and sitemap say the same of every page."""
    built, base = small / "_build/html", "https://book.example/"
    sitemap = re.findall(r"<loc>(.*?)</loc>", (built / "sitemap.xml").read_text(encoding="utf-8"))
    expected = []
    for name in pages(built):
        outline = Outline((built / name).read_text(encoding="utf-8"))
        canonical = [link["href"] for link in outline.all("link") if link.get("rel") == "canonical"]
        graph = {meta["property"]: meta["content"] for meta in outline.all("meta") if "property" in meta}
        assert canonical == [graph["og:url"]] == [base + name.removesuffix("index.html")], name
        described = [meta["content"] for meta in outline.all("meta") if meta.get("name") == "description"]
        assert described == [graph["og:description"]], name
        assert graph["og:title"] and graph["og:site_name"] and graph["og:image:alt"], name
        picture = built / graph["og:image"].removeprefix(base)
        with Image.open(picture) as image:
            assert image.size == (int(graph["og:image:width"]), int(graph["og:image:height"])) == (1200, 630), name
            assert image.format == "PNG", f"{name}: not every site that shows a link reads WebP"
        if name != "search.html":
            expected += canonical
    assert sorted(sitemap) == sorted(expected)
    assert f"Sitemap: {base}sitemap.xml" in (built / "robots.txt").read_text(encoding="utf-8")


def test_an_unchanged_book_is_not_built_again(small: Path) -> None:
    page = small / "_build/html/index.html"
    before = page.stat().st_mtime_ns
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | PUBLIC
    command = [sys.executable, small / "tools/build.py"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert "up to date" in done.stdout
    assert page.stat().st_mtime_ns == before


@pytest.mark.browser
def test_the_book_prints_as_one_document_with_bookmarks(small: Path) -> None:
    command = [sys.executable, small / "tools/pdf.py", "--output", small / "book.pdf"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    data = (small / "book.pdf").read_bytes()
    assert b"/Outlines" in data
    assert "4 pages of the book" in done.stdout
    # A picture that is lost, a frame that would scroll and what is wider than paper are not printed over in silence.
    picture, chapter = next((small / "_build/html/_images").glob("*.*")), small / "_build/html/chapters/all.html"
    kept, text = picture.read_bytes(), chapter.read_text(encoding="utf-8")
    frame = '<div style="max-height: 1em; overflow: auto">one<br>two<br>three</div>'
    picture.unlink()
    wide = '<p style="width: 900px">wide</p>'
    chapter.write_text(text.replace("</article>", f"{frame}{wide}</article>"), encoding="utf-8")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    picture.write_bytes(kept)
    chapter.write_text(text, encoding="utf-8")
    assert done.returncode == 1
    for fault in ("picture missing", "cut off below", "wider than the paper"):
        assert fault in done.stderr


BROKEN = """# Broken

A page on which everything is wrong, so that the strict build must name each fault with its line.

{fact}`nowhere.key` and {fact}`STEM.no_such_fact_anywhere`

```{from-notebook} story no-such-cell
```

```{from-notebook} no-such-notebook figure
```

```{quiz} no-such-quiz
```

```{card} nowhere
```

{cite}`nobody1999nothing`
"""


def test_what_is_missing_fails_the_strict_build_and_is_named(tmp_path: Path) -> None:
    done = small_book(tmp_path, BROKEN, {})
    said = done.stdout + done.stderr
    assert done.returncode != 0
    for fault in (
        "no card 'nowhere'",
        "no_such_fact_anywhere",
        "no-such-cell: no such cell",
        "no notebook 'no-such-notebook'",
    ):
        assert fault in said
    assert "no-such-quiz.toml" in said
    assert "nobody1999nothing" in said
    assert re.search(r"all\.md:\d+", said)
    # The next build does not pass because the faulty page is thought to be read.
    again = subprocess.run([sys.executable, tmp_path / "tools/build.py"], capture_output=True, text=True, check=False)
    assert again.returncode != 0


@pytest.mark.browser
def test_a_fact_tells_its_origin_by_mouse_keyboard_and_tap(small: Path, browser: Any) -> None:
    context = browser.new_context(has_touch=True)
    page = context.new_page()
    page.goto((small / "_build/html/chapters/all.html").as_uri())
    fact = page.locator("p a.fact").first
    fact.hover()
    page.wait_for_selector("#tip:not([hidden])")
    assert fact.get_attribute("data-origin") in page.inner_text("#tip")
    page.keyboard.press("Escape")
    page.wait_for_selector("#tip", state="hidden")
    page.mouse.move(0, 0)
    # By keyboard, from the link before it.
    page.evaluate("document.querySelector('h1 a, .here a, .menu a').focus()")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('fact')"):
            break
    assert page.is_visible("#tip")
    page.keyboard.press("Escape")
    fact.tap()
    page.wait_for_selector("#tip:not([hidden])")
    assert page.url.endswith("chapters/all.html")
    page.click("#tip a")
    page.wait_for_url("**/chapters/facts.html#*")
    shown = page.evaluate("!!document.getElementById(decodeURIComponent(location.hash.slice(1)))")
    context.close()
    assert shown


@pytest.mark.browser
def test_a_quiz_marks_itself_by_keyboard_and_answers_without_scripts(small: Path, browser: Any, page: Any) -> None:
    page.goto((small / "_build/html/chapters/all.html").as_uri())
    first, second = page.locator(".quiz fieldset").all()
    first.locator("input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert first.locator(".quiz-verdict").inner_text().startswith("Not quite")
    first.locator("input").first.focus()
    page.keyboard.press("ArrowDown")
    first.locator("button").focus()
    page.keyboard.press("Enter")
    assert first.locator(".quiz-verdict").inner_text() == "Right."
    for place in (0, 2):
        second.locator("input").nth(place).check()
    second.locator("button").click()
    assert second.locator(".quiz-verdict").inner_text() == "Right."

    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto((small / "_build/html/chapters/all.html").as_uri())
    plain.locator(".quiz-answer summary").first.click()
    answer = plain.locator(".quiz-answer p").first.inner_text()
    context.close()
    assert answer.startswith("right.")


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_solutions_are_folded_and_open_by_keyboard(scripts: bool, small: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto((small / "_build/html/notebooks/story.html").as_uri())
    code = page.get_by_text("seven()")
    states = [code.is_visible()]
    page.locator("summary", has_text="Show a solution").focus()
    for _ in range(2):
        page.keyboard.press("Enter")
        states.append(code.is_visible())
    context.close()
    assert states == [False, True, False]


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_one_of_everything(theme: str, small: Path, browser: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    wrong = []
    for name in ("chapters/all", "notebooks/story"):
        page.goto((small / f"_build/html/{name}.html").as_uri())
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        for found in Axe().run(page).response["violations"]:
            nodes = "; ".join(node["html"][:200] for node in found["nodes"][:3])
            wrong.append(f"{name}: {found['id']} ({found['impact']}): {nodes}")
    context.close()
    assert not wrong, "\n".join(wrong)
