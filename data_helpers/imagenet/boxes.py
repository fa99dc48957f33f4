"""Bounding boxes: ImageNet's Pascal VOC XML, and the tables of Tiny ImageNet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

import msgspec

from ..errors import FormatError, MissingFileError
from .classes import Named

LARGEST = 4_000_000
"""Bytes of the largest annotation that is read; the published ones have a few hundred."""
WNID = re.compile(r"n[0-9]{8}")
PICTURES = (".jpeg", ".jpg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
"""How a picture's file name ends; ImageNet's own are JPEG, and `scan` tells the others."""


class Box(Named, msgspec.Struct, frozen=True):
    """One object of a picture: ``label`` is its wnid, ``bbox`` x, y, width and height in pixels from the top left.

    The files give the corners xmin, ymin, xmax, ymax; width is xmax - xmin.
    """

    image: str
    label: str
    bbox: tuple[float, float, float, float]
    name: str = ""
    truncated: bool = False
    difficult: bool = False


class Annotation(msgspec.Struct, frozen=True):
    """One annotation file: the picture's stem, its size in pixels, its boxes."""

    filename: str
    width: int
    height: int
    boxes: tuple[Box, ...]


def corners(values: list[str], where: str) -> tuple[float, float, float, float]:
    """Return x, y, width and height of four corner numbers in a file's text."""
    try:
        x1, y1, x2, y2 = (float(value) if "." in value else int(value) for value in values)
    except ValueError:
        raise FormatError(f"{where}: {' '.join(values)!r} found, expected four numbers: xmin ymin xmax ymax.") from None
    if not all(-100_000 < value < 100_000 for value in (x1, y1, x2, y2)):
        raise FormatError(f"{where}: a corner at {x1}, {y1}, {x2}, {y2} lies in no picture.")
    return x1, y1, x2 - x1, y2 - y1


def _tree(path: Path) -> ElementTree.Element:
    """Parse XML without a document type: no entity is ever defined, so none can grow."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise MissingFileError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
    if size > LARGEST:
        raise FormatError(f"{path}: {size:,} bytes, an annotation has a few hundred. It is not read.")
    builder, parser = ElementTree.TreeBuilder(), expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise FormatError(
            f"{path}, line {parser.CurrentLineNumber}: a document type (DTD); annotations have none, and it could "
            "define entities that grow without end. The file is refused."
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, AssertionError, LookupError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}: no whole XML ({error}). Unpack it again from its archive.") from error


def _text(node: ElementTree.Element, tag: str, path: Path, where: str) -> str:
    found = node.findtext(tag)
    if found is None or not found.strip():
        raise FormatError(f"{path}: {where} has no <{tag}>. Unpack the file again from its archive.")
    return found.strip()


def read_annotation(path: str | Path) -> Annotation:
    """Read one annotation of ``Annotations/CLS-LOC`` or of the bounding-box archives (Pascal VOC XML, names are wnids).

    Raises
    ------
    MissingFileError, FormatError
        No such file; no XML, a document type, a missing tag, a number that is none, a name that is no wnid.
    """
    path = Path(path)
    root = _tree(path)
    if root.tag != "annotation":
        raise FormatError(f"{path}: begins with <{root.tag}>, expected <annotation>.")
    stem = _text(root, "filename", path, "the annotation")
    size = [_text(root, f"size/{tag}", path, "the annotation") for tag in ("width", "height")]
    if not all(value.isdecimal() for value in size):
        raise FormatError(f"{path}: a size of {' x '.join(size)}, expected whole numbers of pixels.")
    boxes = []
    for number, node in enumerate(root.iterfind("object"), 1):
        where = f"object {number}"
        name = _text(node, "name", path, where)
        if not WNID.fullmatch(name):
            raise FormatError(f"{path}: {where} is called {name!r}, expected a wnid such as n01440764.")
        box = [_text(node, f"bndbox/{tag}", path, where) for tag in ("xmin", "ymin", "xmax", "ymax")]
        flags = (node.findtext("truncated", "0").strip() == "1", node.findtext("difficult", "0").strip() == "1")
        boxes.append(Box(path.stem, name, corners(box, f"{path}, {where}"), "", *flags))
    return Annotation(stem, int(size[0]), int(size[1]), tuple(boxes))


def read_boxes(path: str | Path) -> list[Box]:
    """Read the boxes of one file, each with its wnid; errors as for `read_annotation`.

    Parameters
    ----------
    path
        An annotation in XML, or one of Tiny ImageNet's tables: ``<wnid>_boxes.txt``, ``val_annotations.txt``.
    """
    path = Path(path)
    return list(read_annotation(path).boxes if path.suffix.lower() == ".xml" else _table(path))


def _table(path: Path) -> Iterator[Box]:
    from .lists import lines

    named = WNID.match(path.name)
    for line, text in lines(path):
        cells = text.split("\t")
        wnid = cells.pop(1) if len(cells) == 6 else named[0] if named else ""
        if len(cells) != 5 or not WNID.fullmatch(wnid):
            raise FormatError(
                f"{path}, line {line}: {text[:80]!r} found, expected a picture, {'' if named else 'a wnid, '}"
                "xmin, ymin, xmax and ymax, by TABs."
            )
        yield Box(Path(cells[0]).stem, wnid, corners(cells[1:], f"{path}, line {line}"))
