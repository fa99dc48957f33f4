"""Notebook outputs on pages: pictures become files with alt text, tables get headers, chapters embed named cells."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from PIL import Image
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from data_helpers import cards

from .html import ROOT, esc, note, raw, up

LOGGER = logging.getLogger(__name__)

_IMG = re.compile(r"<img\b[^>]*?>", re.S)
_SRC = re.compile(r"""\bsrc=(["'])data:image/(?P<kind>[a-z0-9.+-]+);base64,(?P<data>[^"']+)\1""", re.S)
_POSTER = re.compile(r"""data:image/(?P<kind>png|jpeg|webp|avif|gif);base64,(?P<data>[A-Za-z0-9+/=\s]+)""")
_STYLE = re.compile(r"<style\b[^>]*>(?P<body>.*?)</style>", re.S | re.I)
_SCRIPT = re.compile(r"<script\b(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.S | re.I)


class Shelf:
    """Where a page's pictures and assets are put, and how the page names them."""

    def __init__(self, env: BuildEnvironment, docname: str) -> None:
        self.folder = Path(env.app.outdir) / "_images"
        self.assets = Path(env.app.outdir) / "_static"
        self.up = up(docname)

    def picture(self, data: bytes, kind: str) -> tuple[str, int, int]:
        """Store a picture once under its hash; a PNG is stored as lossless WebP where that is smaller."""
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            if kind == "png":
                packed = io.BytesIO()
                image.save(packed, "WEBP", lossless=True, quality=60, method=4)
                if packed.tell() < len(data):
                    data, kind = packed.getvalue(), "webp"
        name = f"{hashlib.sha256(data).hexdigest()[:16]}.{'jpg' if kind == 'jpeg' else kind}"
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        if not path.exists():
            path.write_bytes(data)
        return f"{self.up}_images/{name}", width, height

    def asset(self, text: str, kind: str) -> str:
        """Store style or script once under its hash and leave a mark that the page's head is written from."""
        text = text.strip()
        name = f"part-{hashlib.sha256(text.encode()).hexdigest()[:12]}.{kind}"
        self.assets.mkdir(parents=True, exist_ok=True)
        path = self.assets / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")
        return f"<!--asset:{name}-->"


def attribute(tag: str, name: str) -> str | None:
    """Read an attribute of a start tag."""
    found = re.search(rf"""\b{name}\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", tag)
    return None if not found else html.unescape(next(value for value in found.groups() if value is not None))


def set_attribute(tag: str, name: str, value: object) -> str:
    """Add an attribute to a start tag that lacks it."""
    if attribute(tag, name) is not None:
        return tag
    return re.sub(r"\s*/?>$", f' {name}="{esc(value)}">', tag)


def tables(markup: str, label: str) -> str:
    """Give tables a caption, header scopes and a frame that scrolls sideways on a phone."""

    def one(found: re.Match[str]) -> str:
        table = found.group(0)
        head, sep, rest = table.partition("</thead>")
        if sep:
            head = re.sub(r"<th(?![^>]*\bscope=)(\s|>)", r'<th scope="col"\1', head)
            rest = re.sub(r"<th(?![^>]*\bscope=)(\s|>)", r'<th scope="row"\1', rest)
            table = head + sep + rest
        # An empty corner cell heads nothing.
        table = re.sub(r"<th\b[^>]*>\s*</th>", "<td></td>", table)
        if "<caption" not in table and label:
            table = re.sub(r"(<table\b[^>]*>)", rf'\1<caption class="vh">{esc(label)}</caption>', table, count=1)
        table = re.sub(r' border="1"', "", table)
        return f'<div class="table-wrap">{table}</div>'

    if "table-wrap" in markup:
        return markup
    return re.sub(r"<table\b.*?</table>", one, markup, flags=re.S)


def settle(markup: str, shelf: Shelf, label: str) -> str:
    """Make an output's HTML fit for a page: pictures as lazy files, styles and scripts once, tables readable."""

    def image(found: re.Match[str]) -> str:
        tag = found.group(0)
        source = _SRC.search(tag)
        if not source:
            return tag
        if source["kind"] == "svg+xml":
            return tag
        url, width, height = shelf.picture(base64.b64decode(source["data"]), source["kind"])
        tag = f'{tag[: source.start()]}src="{url}"{tag[source.end() :]}'
        for name, value in (("width", width), ("height", height), ("loading", "lazy"), ("decoding", "async")):
            tag = set_attribute(tag, name, value)
        return tag

    def style(found: re.Match[str]) -> str:
        return "" if "dataframe" in found["body"] else shelf.asset(found["body"], "css")

    def script(found: re.Match[str]) -> str:
        kind = attribute(found["attributes"] + ">", "type") or ""
        if attribute(found["attributes"] + ">", "src") or (kind and "javascript" not in kind and kind != "module"):
            return found.group(0)
        return shelf.asset(found["body"], "js")

    # A page of many figures must not have as many landmarks of one name.
    markup = markup.replace('role="region"', 'role="group"')
    markup = _STYLE.sub(style, markup)
    markup = _SCRIPT.sub(script, markup)
    markup = _IMG.sub(image, markup)
    return tables(markup, label)


def figure(output: dict[str, Any], shelf: Shelf, alt: str | None, extra: str = "") -> str:
    """Draw an output's picture."""
    kind = next(kind for kind in ("png", "jpeg", "webp", "gif") if f"image/{kind}" in output["data"])
    data = output["data"][f"image/{kind}"]
    url, width, height = shelf.picture(base64.b64decode("".join(data)), kind)
    alt = alt or alternative(output) or ""
    shape = "dense" if width > 1 and _dense(output) else ""
    return (
        f'<img class="{shape or "plot"}" src="{url}" alt="{esc(alt)}" width="{width}" height="{height}"'
        f' loading="lazy" decoding="async"{extra}>'
    )


def _dense(output: dict[str, Any]) -> bool:
    return bool(output.get("metadata", {}).get("dense"))


def alternative(output: dict[str, Any]) -> str | None:
    """The alternative text that an output carries: in its metadata, or after ``Figure:`` in its plain text."""
    for kind, values in output.get("metadata", {}).items():
        if kind.startswith("image/") and isinstance(values, dict) and values.get("alt"):
            return str(values["alt"])
    text = "".join(output.get("data", {}).get("text/plain", []))
    return text.removeprefix("Figure: ") if text.startswith("Figure: ") else None


def has_picture(output: dict[str, Any]) -> bool:
    """Tell whether an output holds a picture."""
    return any(kind.startswith("image/") and kind != "image/svg+xml" for kind in output.get("data", {}))


def joined(value: str | list[str]) -> str:
    """The text of a notebook field, which may be stored as lines."""
    return value if isinstance(value, str) else "".join(value)


def source_read(app: Sphinx, docname: str, content: list[str]) -> None:
    """Rewrite a notebook's outputs before myst-nb reads it; the file itself stays as it is."""
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return
    book = json.loads(content[0])
    shelf = Shelf(app.env, docname)
    for cell in book["cells"]:
        name = cell.get("id", "")
        if cell["cell_type"] == "markdown":
            if re.match(r"exercise-\d+$", name):
                cell["source"] = f'<span id="cell-{name}" class="exercise-mark"></span>\n\n{joined(cell["source"])}'
            continue
        if cell["cell_type"] != "code":
            continue
        if "solution" in cell["metadata"].get("tags", []):
            cell["metadata"].setdefault("mystnb", {}).update(
                code_prompt_show="Show a solution", code_prompt_hide="Hide the solution"
            )
        first = True
        for output in cell.get("outputs", []):
            data = output.get("data")
            if not data:
                continue
            anchor = f' id="cell-{esc(name)}"' if first and name else ""
            if has_picture(output):
                drawn = f'<figure class="output-figure"{anchor}>{figure(output, shelf, None)}</figure>'
            elif "text/html" in data:
                inner = settle(joined(data["text/html"]), shelf, f"Output of cell {name}")
                drawn = f'<div class="output-html"{anchor}>{inner}</div>'
            else:
                continue
            first = False
            output["data"] = {"text/html": drawn}
            output["metadata"] = {}
        if first and name and cell.get("outputs"):
            # Printed lines alone have no element to carry the place that chapters link to.
            mark = {"text/html": f'<span id="cell-{esc(name)}"></span>'}
            cell["outputs"].insert(0, {"output_type": "display_data", "data": mark, "metadata": {}})
    # Widget state would pull scripts from third parties; no page uses widgets.
    book["metadata"].pop("widgets", None)
    content[0] = json.dumps(book)


def load(env: BuildEnvironment, name: str) -> dict[str, Any]:
    """Read a notebook for a page that embeds a piece of it."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    note(env, path)
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


class FromNotebook(SphinxDirective):
    """Directive ``from-notebook``: the committed figure or table of a named cell, with caption and alt text."""

    has_content = True
    optional_arguments = 2
    option_spec: ClassVar = {
        "notebook": directives.unchanged_required,
        "cell": directives.unchanged_required,
        "caption": directives.unchanged,
        "alt": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Find the cell and draw its outputs; whatever is missing is a warning."""
        arguments = [*self.arguments, "", ""]
        name = (self.options.get("notebook") or arguments[0]).removeprefix("notebooks/").removesuffix(".ipynb")
        wanted = self.options.get("cell") or arguments[1]
        where = f"{name}, cell {wanted}"
        try:
            book = load(self.env, name)
        except FileNotFoundError:
            return [self._warn(f"no notebook {name!r}")]
        cell = next((cell for cell in book["cells"] if cell.get("id") == wanted), None)
        if cell is None:
            return [
                self._warn(f"{where}: no such cell; there are {', '.join(c.get('id', '?') for c in book['cells'])}")
            ]
        outputs = [output for output in cell.get("outputs", []) if output.get("data")]
        shelf = Shelf(self.env, self.env.docname)
        drawn = []
        for output in outputs:
            if has_picture(output):
                alt = self.options.get("alt") or alternative(output)
                if not alt:
                    return [self._warn(f"{where}: its picture has no alternative text; give :alt:")]
                drawn.append(figure(output, shelf, alt))
            elif "text/html" in output["data"]:
                drawn.append(
                    settle(joined(output["data"]["text/html"]), shelf, self.options.get("caption", f"Table of {where}"))
                )
            elif not any(map(has_picture, outputs)):
                drawn.append(f"<pre tabindex=0>{esc(joined(output['data'].get('text/plain', '')))}</pre>")
        streams = [joined(one["text"]) for one in cell.get("outputs", []) if one.get("output_type") == "stream"]
        if not drawn and streams:
            drawn.append(f"<pre>{esc(''.join(streams).rstrip())}</pre>")
        if not drawn:
            return [self._warn(f"{where}: no output to show")]
        caption: list[nodes.Node] = []
        text = self.options.get("caption") or " ".join(line.strip() for line in self.content if line.strip())
        if text:
            inline, messages = self.state.inline_text(text, self.lineno)
            caption = [*inline, *messages, nodes.Text(" ")]
        target = f"{shelf.up}notebooks/{name}.html#cell-{wanted}"
        return [
            raw(f'<figure class="from-notebook">{"".join(drawn)}<figcaption>'),
            nodes.paragraph("", "", *caption),
            raw(f'<a class="made-in" href="{esc(target)}">Made in notebook {esc(name)}</a></figcaption></figure>'),
        ]

    def _warn(self, text: str) -> nodes.system_message:
        return self.state.document.reporter.warning(f"from-notebook: {text}", line=self.lineno)


class GalleryBlock(SphinxDirective):
    """Directive ``gallery``: pictures of a dataset's miniature with overlays, licence and credit, drawn at build."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {
        "samples": directives.positive_int,
        "size": directives.positive_int,
        "split": directives.unchanged,
        "classes": directives.unchanged,
        "ids": directives.unchanged,
        "labels": directives.unchanged,
        "caption": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Read the miniature and let the package draw it."""
        import data_helpers
        from data_helpers.miniature import archive

        stem = self.arguments[0]
        reporter = self.state.document.reporter
        listed = {
            name: re.split(r"\s*,\s*", self.options[name].strip())
            for name in ("split", "classes", "ids", "labels")
            if name in self.options
        }
        try:
            note(self.env, archive(stem), cards._path(stem))
            samples = data_helpers.read(
                stem,
                data_helpers.miniature(stem),
                split=listed.get("split"),
                classes=listed.get("classes"),
                image_ids=listed.get("ids"),
                label_types=listed.get("labels"),
            )
            limit = self.options.get("samples", 12)
            # Larger than in a notebook: here pictures become files, and sharp screens show every pixel.
            markup = data_helpers.gallery(samples, limit=limit, size=self.options.get("size", 400))._repr_html_()
        except (data_helpers.DataError, ImportError) as error:
            return [reporter.warning(f"gallery: {stem}: {error}", line=self.lineno)]
        shelf = Shelf(self.env, self.env.docname)
        title = cards.parsed(stem).title
        text = self.options.get("caption") or " ".join(line.strip() for line in self.content if line.strip())
        caption: list[nodes.Node] = []
        if text:
            inline, messages = self.state.inline_text(text, self.lineno)
            caption = [*inline, *messages, nodes.Text(" ")]
        return [
            raw(f'<figure class="from-miniature">{settle(markup, shelf, f"Pictures of {title}")}<figcaption>'),
            nodes.paragraph("", "", *caption),
            raw("</figcaption></figure>"),
        ]


def setup(app: Sphinx) -> None:
    """Connect the rewriting of notebooks and register the directives."""
    app.connect("source-read", source_read)
    app.add_directive("from-notebook", FromNotebook)
    app.add_directive("gallery", GalleryBlock)
