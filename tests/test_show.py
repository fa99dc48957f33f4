"""Galleries and figures: by their HTML, and in a browser with keyboard, mouse and touch."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from data_helpers import coco, show
from data_helpers.samples import Sample, Selection
from data_helpers.show.style import LINKS


class Box(NamedTuple):
    label: str
    bbox: tuple[float, float, float, float]
    chains: tuple[str, ...] = ()


class Caption(NamedTuple):
    caption: str
    phrase_spans: tuple[tuple[int, int, str], ...] = ()


class Name(NamedTuple):
    label: str


def photo(path: Path, size: tuple[int, int] = (640, 480), mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(size[0]).integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8)
    Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).convert(mode).save(path, "JPEG", quality=90)
    return path


def sample(path: Path, number: int = 1, **labels: Any) -> Sample:
    return Sample(id=number, image=path, width=640, height=480, split="val2017", labels=labels, licence="CC BY 2.0",
                  credit="A. <Photographer>", source_url="https://example.org/1")  # fmt: skip


@pytest.fixture
def one(tmp_path: Path) -> Sample:
    boxes = [Box("<cat>", (10, 10, 200, 200)), Box("dog", (300, 100, 300, 300)), Box("dog", (0, 300, 90, 90))]
    return sample(photo(tmp_path / "a.jpg"), boxes=boxes, captions=[Caption("A cat & a dog.")])


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("img", "input", "path", "image", "circle", "meta"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_gallery_says_what_it_shows(one: Sample) -> None:
    gallery = show.gallery([one, Sample(id=2)])
    text = str(gallery)
    tags = _Tags(text).found
    (image,) = [attrs for tag, attrs in tags if tag == "img"]
    assert image["alt"] == "A cat & a dog. Labelled: 2 × dog, <cat>"
    assert (image["width"], image["height"], image["loading"]) == ("320", "240", "lazy")
    picture = Image.open(io.BytesIO(base64.b64decode((image["src"] or "").removeprefix("data:image/webp;base64,"))))
    assert picture.size == (320, 240) and picture.format == "WEBP"
    assert (
        "A. &lt;Photographer&gt;" in text and "&lt;cat&gt;" in text and "<cat>" not in re.sub(r'alt="[^"]*"', "", text)
    )
    assert {attrs["href"] for tag, attrs in tags if tag == "a"} == {
        "https://creativecommons.org/licenses/by/2.0/", "https://example.org/1"
    }  # fmt: skip
    assert "1 samples whose picture is not on disk" in text
    # The first box, halved with the picture.
    assert 'd="M5 5h100v100h-100z"' in text
    assert not any(attr in attrs for _, attrs in tags for attr in ("id", "onclick", "srcset"))
    assert "<script" not in text and "url(" not in text and "@import" not in text
    assert gallery._repr_html_() == text and text in gallery.page() and repr(gallery) == "Gallery: 1 pictures"
    assert str(show.gallery([one, Sample(id=2)])) == text


def test_a_link_that_is_no_web_address_is_no_link(one: Sample) -> None:
    from msgspec.structs import replace

    text = str(show.gallery([replace(one, source_url="javascript:alert(1)", licence=None, credit=None)]))
    assert "href" not in text and "javascript" not in text and "licence not stated" in text


def test_twelve_pictures_stay_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    samples = []
    for number in range(20):
        boxes = [Box(f"class {i % 9}", (*rng.uniform(0, 300, 2), *rng.uniform(5, 200, 2))) for i in range(80)]
        samples.append(sample(photo(tmp_path / f"{number}.jpg"), number, boxes=boxes))
    gallery = show.gallery(iter(samples))
    assert gallery.pictures == 12 and len(str(gallery)) < 200_000
    assert show.gallery(samples, limit=2).pictures == 2


def test_pictures_of_every_kind_and_none(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("<html>404</html>")
    samples = [
        sample(tmp_path / "text.jpg", 1),
        sample(photo(tmp_path / "gray.jpg", mode="L"), 2),
        sample(photo(tmp_path / "cmyk.jpg", mode="CMYK"), 3, classes=[Name("n01")]),
        Sample(id=4, image=photo(tmp_path / "tall.jpg", (100, 900)), labels={"boxes": [Box("x", (0, 0, 100, 450))]}),
    ]
    text = str(show.gallery(samples))
    assert "1 files that cannot be read" in text and text.count("<img") == 3
    assert 'alt="Picture 2, without labels"' in text and 'alt="Labelled: n01"' in text
    assert 'd="M0 0h36v160h-36z"' in text
    empty = show.gallery([Sample(id=1)])
    assert empty.pictures == 0 and "No picture to show" in str(empty)


def test_a_miniature_says_so(one: Sample, tmp_path: Path) -> None:
    assert "miniature" not in str(show.gallery([one]))
    (tmp_path / "MINIATURE.txt").write_text("This is the miniature.")
    assert "This is the miniature, not the dataset" in str(show.gallery([one]))


def test_phrases_point_at_boxes(tmp_path: Path) -> None:
    boxes = [Box("people", (0, 0, 9, 9), ("7", "8")), Box("dog", (9, 9, 9, 9), ("9",))]
    said = Caption("A <man> and his dog", ((0, 7, "7"), (12, 19, "9"), (14, 16, "8")))
    text = str(show.gallery([sample(photo(tmp_path / "a.jpg"), boxes=boxes, captions=[said])]))
    links = dict(re.findall(r'class="dh-phrase q(\d+)">([^<]*)<', text))
    assert sorted(links.values()) == ["A &lt;man&gt;", "his dog"]
    for number, phrase in links.items():
        (path,) = re.findall(rf'<path class="o b [^"]*\bk{number}\b[^"]*" d="([^"]*)"', text)
        assert path.startswith("M0 0" if "man" in phrase else "M4.5 4.5")


@pytest.mark.real
def test_every_overlay_of_coco_is_drawn(real: Path) -> None:
    mini = list(coco.read(real / "coco" / "Obmutescence_COCO-MINI", Selection()))
    text = str(show.gallery(mini))
    _Tags(text)
    assert len(text) < 200_000 and text.count("<figure") == 12
    for mark in ("o b w ", "k-masks", "<image ", '<g class="o j', "<circle", "dh-captions", "CC BY-NC-ND 2.0"):
        assert mark in text
    panoptic = str(show.gallery(coco.read(real / "coco" / "cocodataset_panopticapi", Selection())))
    assert panoptic.count('class="o m k-panoptic"') == 2
    for folder in ("openvinotoolkit_datumaro", "MiXaiLL76_faster_coco_eval", "cocodataset_cocoapi"):
        show.gallery(coco.read(real / "coco" / folder, Selection()))


FIGURES = [
    show.class_balance, show.objects_per_image, show.picture_sizes, show.cooccurrence, show.object_distribution,
    show.class_sizes, show.spatial_heatmap, show.missing_and_empty, show.licences, show.area_treemap,
]  # fmt: skip


@pytest.mark.parametrize("draw", FIGURES, ids=lambda draw: draw.__name__)
def test_a_figure_has_its_words_and_numbers(draw: Any, one: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    picture = draw([one, one])
    assert dict(mpl.rcParams) == before
    assert (
        len(picture.alt) > 30
        and picture.table.rows
        and picture.text().splitlines()[0].split()[0] == picture.table.head[0]
    )
    assert picture.png() == draw([one, one]).png()
    pixels = np.asarray(Image.open(io.BytesIO(picture.png())).convert("L"))
    # A background of its own, and something on it.
    assert pixels[0, 0] == 255 and 0.001 < (pixels < 200).mean() < 0.95
    assert len(picture.png()) < 120_000


def test_a_notebook_gets_figure_and_table(monkeypatch: pytest.MonkeyPatch) -> None:
    from IPython import display
    from matplotlib import pyplot

    shown: list[tuple[Any, Any]] = []
    monkeypatch.setattr(display, "display", lambda data, metadata=None, raw=False: shown.append((data, metadata)))
    figure, axes = pyplot.subplots()
    axes.plot([1, 2])
    picture = show.Picture(figure, alt="A  line\nup.", table=[("x", "y"), (1, 2.5), (10, None)])
    assert not pyplot.fignum_exists(figure.number)
    picture._ipython_display_()
    (first, metadata), (second, _) = shown
    assert metadata == {"image/png": {"alt": "A line up."}} and first["text/plain"] == "Figure: A line up."
    assert base64.b64decode(first["image/png"])[:4] == b"\x89PNG"
    assert second["text/plain"].splitlines() == [" x  y", " 1  2.5", "10"]
    _Tags(second["text/html"])
    with pytest.raises(ValueError, match="description"):
        show.Picture(figure, alt=" ")
    assert show.Table([{"a": 1, "b": "<x>"}])._repr_html_().count("&lt;x&gt;") == 1


def test_a_treemap_fills_its_square() -> None:
    from data_helpers.show.treemap import squarify

    values = [9.0, 5, 3, 2, 1, 0.5, 0.01]
    boxes = squarify(values)
    assert [w * h for _, _, w, h in boxes] == pytest.approx([value / sum(values) for value in values])
    assert all(x >= -1e-9 and x + w <= 1 + 1e-9 and y >= -1e-9 and y + h <= 1 + 1e-9 for x, y, w, h in boxes)
    for i, (x, y, w, h) in enumerate(boxes):
        for u, v, a, b in boxes[i + 1 :]:
            assert min(x + w, u + a) - max(x, u) < 1e-9 or min(y + h, v + b) - max(y, v) < 1e-9
    assert squarify([]) == []


@pytest.fixture
def page(browser: Any, one: Sample, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Open a page with two galleries, as a file, with every request that leaves it noted."""
    boxes = [Box("man", (10, 10, 300, 300), ("7",)), Box("dog", (350, 100, 200, 200), ("9",))]
    said = Caption("A man and his dog", ((0, 5, "7"), (10, 17, "9")))
    two = sample(photo(tmp_path / "b.jpg", (480, 640)), 2, boxes=boxes, captions=[said])
    first, second = show.gallery([one, two], on=["boxes", "captions"]), show.gallery([two])
    path = tmp_path / "page.html"
    path.write_text(first.page().replace("</main>", f"{second}</main>"), encoding="utf-8")
    options = getattr(request, "param", {})
    context = browser.new_context(**options)
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(path.as_uri())
    yield opened
    assert [address for address in asked if not address.startswith("data:")] == [path.as_uri()]
    context.close()


def _shown(page: Any, gallery: int, selector: str) -> list[bool]:
    script = """([i, s]) => [...document.querySelectorAll('.dh-gallery')[i].querySelectorAll(s)]
        .map(e => getComputedStyle(e).display !== 'none')"""
    return list(page.evaluate(script, [gallery, selector]))


@pytest.mark.browser
def test_toggles_by_keyboard_mouse_and_each_gallery_alone(page: Any) -> None:
    assert all(_shown(page, 0, ".b")) and len(_shown(page, 0, ".b")) == 5
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "t-boxes"
    page.keyboard.press("Space")
    assert not any(_shown(page, 0, ".b")) and all(_shown(page, 1, ".b"))
    page.keyboard.press("Space")
    assert all(_shown(page, 0, ".b"))
    assert all(_shown(page, 0, ".dh-captions")) and not any(_shown(page, 1, ".dh-captions"))
    page.locator(".dh-gallery").nth(1).get_by_text("Captions").click()
    assert all(_shown(page, 1, ".dh-captions"))
    ratio = page.evaluate("(() => { const i = document.querySelector('.dh-pic img').getBoundingClientRect(),"
                          " s = document.querySelector('.dh-pic svg').getBoundingClientRect();"
                          " return [i.width - s.width, i.height - s.height, i.width / i.height] })()")  # fmt: skip
    assert ratio == pytest.approx([0, 0, 4 / 3], abs=0.02)


@pytest.mark.browser
def test_a_phrase_shows_its_box_by_keyboard_and_hover(page: Any) -> None:
    gallery = page.locator(".dh-gallery").first
    gallery.locator(".t-boxes").uncheck()
    phrase = gallery.get_by_role("button", name="his dog")
    for point in (phrase.focus, phrase.hover):
        point()
        shown = page.evaluate(
            "[...document.querySelectorAll('.dh-gallery')[0].querySelectorAll('.dh-fig:nth-child(2) .b')]"
            ".map(e => [getComputedStyle(e).display, getComputedStyle(e).opacity])"
        )
        assert sorted(shown) == [["inline", "1"], ["none", "0.1"]]
        page.evaluate("document.activeElement.blur()")


@pytest.mark.browser
@pytest.mark.parametrize(
    "page",
    [
        {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"},
        {"viewport": {"width": 1200, "height": 900}, "color_scheme": "light"},
    ],
    indirect=True,
    ids=["phone, dark", "wide, light"],
)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    if page.viewport_size["width"] == 360:
        box = page.locator(".dh-gallery").first.locator("label").first
        box.tap()
        assert not any(_shown(page, 0, ".b"))
        box.tap()
        assert box.bounding_box()["height"] >= 24
        page.get_by_role("button", name="his dog").first.tap()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_no_more_classes_are_linked_than_the_style_sheet_knows(tmp_path: Path) -> None:
    boxes = [Box(f"c{i}", (i, i, 50, 50)) for i in range(LINKS + 5)]
    text = str(show.gallery([sample(photo(tmp_path / "a.jpg"), boxes=boxes)]))
    numbers = {int(number) for number in re.findall(r"\bq(\d+)\"", text)}
    assert numbers == set(range(LINKS)) and text.count("dh-chip p") == LINKS + 5
