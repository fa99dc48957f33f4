"""Flickr30k Entities: phrases in the captions' files, boxes in the pictures' files, and the link between them.

Formats: ``Sentences/<id>.txt`` and ``Annotations/<id>.xml`` as the README of Flickr30k Entities describes them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import msgspec

from ..captions import Notes, lines
from ..errors import FormatError, MissingFileError

ID = re.compile("[0-9]+")
HEAD = re.compile(r"\[/EN#([0-9]+)((?:/[a-z]+)+)")


class Phrase(msgspec.Struct, frozen=True):
    """A phrase of a caption that names something.

    Attributes
    ----------
    text
        Its words.
    chain
        Id of the thing it names; the same id in another caption of the picture is the same thing. ``"0"`` is none.
    types
        ``people, clothing, bodyparts, animals, vehicles, instruments, scene, other, notvisual``; one or more.
    span
        Its first word's place in the caption, from 0, and the place after its last word.
    """

    text: str
    chain: str
    types: tuple[str, ...]
    span: tuple[int, int]


class Sentence(msgspec.Struct, frozen=True):
    """A caption without its brackets, its words parted by single blanks, and the phrases that stood in brackets."""

    text: str
    phrases: tuple[Phrase, ...]


class Box(msgspec.Struct, frozen=True):
    """One object of an XML file: a box, or the flags that say why there is none; with all its chains.

    ``bbox`` is ``[x, y, width, height]`` in pixels from the top left, or None. The file counts pixels from 1 and its
    ``xmax, ymax`` lie inside the box: a box from 1 to 10 is ``[0, ..., 10, ...]`` here.
    """

    chains: tuple[str, ...]
    bbox: tuple[int, int, int, int] | None = None
    scene: bool = False
    nobndbox: bool = False
    label: str = ""


class LinkedPhrase(msgspec.Struct, frozen=True):
    """A phrase of a sample with its caption's number and the boxes of its chain; ``label`` is its first type."""

    number: int
    text: str
    chain: str
    types: tuple[str, ...]
    span: tuple[int, int]
    boxes: tuple[tuple[int, int, int, int], ...]
    scene: bool
    nobndbox: bool
    label: str


def read_sentences(path: str | Path) -> list[Sentence]:
    """Read one file of ``Sentences/``: a caption a line, phrases as ``[/EN#chain/type/... words]``.

    Raises
    ------
    MissingFileError, FormatError
        No such file; a bracket that is not closed, opened, or filled as it must be; the message names the line.
    """
    return parse_sentences(Path(path), Notes(Path(path)))


def parse_sentences(file: Path, notes: Notes) -> list[Sentence]:
    """Read a file as `read_sentences` does, noting line ends that should not be there and captions without words."""
    rows = list(lines(file, notes))
    for line, row in rows:
        if not row.strip():
            notes.add("empty-caption", line, "a caption without words")
    if bad := [p for p in notes.problems() if p.kind == "bad-line"]:
        raise FormatError(f"{file.parent / bad[0].where}: {bad[0].detail}. Fetch it again.")
    return [_sentence(row, f"{file}:{line}") for line, row in rows]


def _sentence(row: str, where: str) -> Sentence:
    words: list[str] = []
    phrases: list[Phrase] = []
    head: re.Match[str] | None = None
    start = 0

    def broken(found: str) -> FormatError:
        return FormatError(f"{where}: {found}. Expected [/EN#chain/type words] around whole words; fetch it again.")

    for token in row.split(" "):
        if head is None and token.startswith("["):
            head, start = HEAD.fullmatch(token), len(words)
            if head is None:
                raise broken(f"{token[:40]!r} does not open a phrase")
        elif "[" in token:
            raise broken(f"a bracket inside {'a phrase' if head else 'a word'}: {token[:40]!r}")
        elif head is not None and token.endswith("]"):
            words.append(token[:-1])
            text = " ".join(words[start:])
            if not text or "]" in text:
                raise broken(f"a phrase without words, or closed twice: {token[:40]!r}")
            phrases.append(Phrase(text, head[1], tuple(head[2][1:].split("/")), (start, len(words))))
            head = None
        elif "]" in token:
            raise broken(f"{token[:40]!r} closes a phrase that is not open, or inside a word")
        else:
            words.append(token)
    if head is not None:
        raise broken(f"the phrase {head[0]!r} is not closed")
    return Sentence(" ".join(words), tuple(phrases))


def format_sentences(sentences: Sequence[Sentence]) -> str:
    """Write sentences as a file of ``Sentences/`` has them: the inverse of `read_sentences`."""
    rows = []
    for sentence in sentences:
        words = sentence.text.split(" ")
        for phrase in sentence.phrases:
            first, end = phrase.span
            words[first] = f"[/EN#{phrase.chain}/{'/'.join(phrase.types)} {words[first]}"
            words[end - 1] += "]"
        rows.append(" ".join(words) + "\n")
    return "".join(rows)


def read_boxes(path: str | Path) -> list[Box]:
    """Read one file of ``Annotations/``: one record for each object of the XML, in the file's order.

    Raises
    ------
    MissingFileError, FormatError
        No such file; not well-formed, cut short, with a document type or entities, or a tag that is missing or holds
        what it must not; the message names line or tag.
    """
    file = Path(path)
    return boxes_of(parse(file), file)


def read_size(path: str | Path) -> tuple[int, int]:
    """Read the picture's width and height in pixels from a file of ``Annotations/``; errors as `read_boxes`."""
    file = Path(path)
    return size_of(parse(file), file)


def boxes_of(root: Element, file: Path) -> list[Box]:
    """Return the records of a parsed file."""
    return [_box(node, f"{file}: <object> {i}") for i, node in enumerate(root.iterfind("object"), 1)]


def size_of(root: Element, file: Path) -> tuple[int, int]:
    """Return the picture's size of a parsed file."""
    return _integer(root, "size/width", str(file)), _integer(root, "size/height", str(file))


def parse(file: Path) -> Element:
    """Parse XML with document types refused: no entity is ever expanded, no other file read."""
    if not file.is_file():
        raise MissingFileError(f"{file}: expected an XML file, found nothing.")
    tree = TreeBuilder()
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        line = parser.CurrentLineNumber
        raise FormatError(f"{file}:{line}: a document type or entity, which these files never have. Fetch it again.")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.data
    try:
        parser.Parse(file.read_bytes(), True)
    except (expat.ExpatError, LookupError) as error:
        # An encoding that Python does not know is a LookupError.
        line = parser.CurrentLineNumber
        raise FormatError(f"{file}:{line}: not well-formed XML: {error}. Fetch it again.") from error
    root = tree.close()
    if root.tag != "annotation":
        raise FormatError(f"{file}: found <{root.tag}>, expected <annotation>.")
    return root


def _integer(node: Element, tag: str, where: str) -> int:
    text = (node.findtext(tag) or "").strip()
    if not re.fullmatch("[0-9]{1,6}", text):
        raise FormatError(f"{where}, <{tag}>: found {text[:20]!r}, expected a whole number.")
    return int(text)


def _box(node: Element, where: str) -> Box:
    chains = tuple((name.text or "").strip() for name in node.iterfind("name"))
    if not chains or not all(ID.fullmatch(chain) for chain in chains):
        raise FormatError(f"{where}, <name>: found {', '.join(chains)[:40]!r}, expected a chain's id, one or more.")
    corner = node.find("bndbox")
    if corner is None:
        if node.find("scene") is None and node.find("nobndbox") is None:
            raise FormatError(f"{where}: neither <bndbox> nor <scene> and <nobndbox>.")
        scene, nobndbox = (
            node.find(tag) is not None and _integer(node, tag, where) == 1 for tag in ("scene", "nobndbox")
        )
        return Box(chains, None, scene, nobndbox)
    left, top, right, bottom = (_integer(corner, tag, where) for tag in ("xmin", "ymin", "xmax", "ymax"))
    return Box(chains, (left - 1, top - 1, right - left + 1, bottom - top + 1))


def link(sentences: Sequence[Sentence], boxes: Sequence[Box]) -> list[LinkedPhrase]:
    """Give each phrase of the sentences the boxes of its chain, and the chain's flags."""
    of: dict[str, list[Box]] = defaultdict(list)
    for box in boxes:
        for chain in box.chains:
            of[chain].append(box)
    return [
        LinkedPhrase(
            number=number,
            text=phrase.text,
            chain=phrase.chain,
            types=phrase.types,
            span=phrase.span,
            boxes=tuple(box.bbox for box in of[phrase.chain] if box.bbox is not None),
            scene=any(box.scene for box in of[phrase.chain]),
            nobndbox=any(box.nobndbox for box in of[phrase.chain]),
            label=phrase.types[0],
        )
        for number, sentence in enumerate(sentences)
        for phrase in sentence.phrases
    ]
