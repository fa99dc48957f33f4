"""Flickr30k and its Entities: phrases and boxes byte for byte, damage told by line or tag."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_helpers import flickr30k
from data_helpers.errors import DataError, FormatError
from data_helpers.flickr30k import Box, Phrase, Sentence
from data_helpers.samples import Selection

LINE = "[/EN#7/people/other A red dog] runs over [/EN#0/notvisual it] near [/EN#8/scene the sea] ."
XML = """<annotation>
  <filename>1.jpg</filename><size><width>100</width><height>50</height><depth>3</depth></size>
  <object><name>7</name><name>9</name>
    <bndbox><xmin>1</xmin><ymin>11</ymin><xmax>100</xmax><ymax>50</ymax></bndbox></object>
  <object><name>7</name><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>5</xmax><ymax>6</ymax></bndbox></object>
  <object><name>8</name><scene>1</scene><nobndbox>1</nobndbox></object>
</annotation>
"""


def root(folder: Path, line: str = LINE, xml: str = XML) -> Path:
    for name, text in {"Sentences/1.txt": f"{line}\n" * 5, "Annotations/1.xml": xml}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def kinds(folder: Path) -> set[tuple[str, str]]:
    return {(problem.kind, problem.where) for problem in flickr30k.scan(folder).problems}


def test_phrases_and_boxes_are_read_and_linked(tmp_path: Path) -> None:
    sentence = flickr30k.read_sentences(root(tmp_path) / "Sentences" / "1.txt")[0]
    assert sentence == Sentence(
        "A red dog runs over it near the sea .",
        (
            Phrase("A red dog", "7", ("people", "other"), (0, 3)),
            Phrase("it", "0", ("notvisual",), (5, 6)),
            Phrase("the sea", "8", ("scene",), (7, 9)),
        ),
    )
    boxes = flickr30k.read_boxes(tmp_path / "Annotations" / "1.xml")
    assert boxes == [
        Box(("7", "9"), (0, 10, 100, 40)),
        Box(("7",), (4, 5, 1, 1)),
        Box(("8",), None, scene=True, nobndbox=True),
    ]
    assert flickr30k.read_size(tmp_path / "Annotations" / "1.xml") == (100, 50)
    dog, it, sea, *_ = flickr30k.link([sentence], boxes)
    assert dog.boxes == ((0, 10, 100, 40), (4, 5, 1, 1)) and not dog.scene
    assert it.boxes == sea.boxes == () and sea.scene and sea.nobndbox and not it.scene
    sample = next(flickr30k.read(tmp_path, Selection(classes="scene")))
    assert (sample.id, sample.width, sample.height) == ("1", 100, 50)
    assert [box.label for box in sample.labels["boxes"]] == ["people", "people"]
    assert kinds(tmp_path) == {("unknown-chain", "Annotations/1.xml, <object> 1")}
    with pytest.raises(DataError, match="people"):
        next(flickr30k.read(tmp_path, Selection(classes="fish")))


WORD = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], blacklist_characters="[]"), min_size=1
)
PHRASE = st.tuples(
    st.integers(0, 999999),
    st.lists(st.sampled_from(["people", "scene", "other"]), min_size=1),
    st.lists(WORD, min_size=1),
)


@given(st.lists(st.lists(st.one_of(WORD, PHRASE), min_size=1, max_size=6), min_size=1, max_size=5), st.data())
def test_any_sentences_go_round_and_any_lost_bracket_is_seen(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str | tuple[int, list[str], list[str]]]],
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.mktemp("any") / "1.txt"
    lines = [
        " ".join(p if isinstance(p, str) else f"[/EN#{p[0]}/{'/'.join(p[1])} {' '.join(p[2])}]" for p in row)
        for row in rows
    ]
    written = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(written)
    sentences = flickr30k.read_sentences(path)
    assert flickr30k.format_sentences(sentences).encode() == written
    for sentence, row in zip(sentences, rows, strict=True):
        words = sentence.text.split(" ")
        phrases = [part for part in row if not isinstance(part, str)]
        assert [(p.chain, list(p.types), words[slice(*p.span)]) for p in sentence.phrases] == [
            (str(chain), types, said) for chain, types, said in phrases
        ]
    brackets = [i for i, byte in enumerate(written) if byte in b"[]"]
    if brackets:
        lost = data.draw(st.sampled_from(brackets))
        path.write_bytes(written[:lost] + written[lost + 1 :])
        line = written[:lost].count(b"\n") + 1
        # Without its opening bracket a phrase is plain words until its end is met; either way the line is named.
        with pytest.raises(FormatError, match=rf"1\.txt:{line}:"):
            flickr30k.read_sentences(path)


@pytest.mark.parametrize(
    "line",
    [
        "[/EN#7/people A dog runs",
        "A dog] runs",
        "[/EN#7 A dog]",
        "[/EN#x/people A dog]",
        "[/EN#7/people ]",
        "[/EN#7/people A [/EN#8/other red dog]]",
        "a dog[/EN#7/people s]",
        "[A dog]",
    ],
)
def test_damaged_sentences_are_an_error_in_reading_and_a_problem_in_counting(tmp_path: Path, line: str) -> None:
    root(tmp_path)
    path = tmp_path / "Sentences" / "1.txt"
    path.write_text(f"fine\n{line}\nfine\n")
    with pytest.raises(FormatError, match=r"1\.txt:2:"):
        flickr30k.read_sentences(path)
    with pytest.raises(FormatError, match=r"1\.txt:2:"):
        list(flickr30k.read(tmp_path, Selection()))
    assert kinds(tmp_path) == {("bad-sentences", "Sentences/1.txt:2")}


@pytest.mark.parametrize(
    ("content", "told", "kind", "where"),
    [
        (b"<html>Gone</html>\n", "web page", "bad-sentences", "Sentences/1.txt"),
        (b"version https://git-lfs.github.com/spec/v1\n", "LFS pointer", "bad-sentences", "Sentences/1.txt"),
        (b"fine\n\xff\xfe\n", "not UTF-8", "bad-sentences", "Sentences/1.txt:2"),
        (b"fine\n\nfine\nfine\nfine\n", None, "empty-caption", "1.txt:2"),
    ],
)
def test_what_is_no_sentences_file_is_told(
    tmp_path: Path, content: bytes, told: str | None, kind: str, where: str
) -> None:
    root(tmp_path)
    path = tmp_path / "Sentences" / "1.txt"
    path.write_bytes(content)
    if told:
        with pytest.raises(FormatError, match=told):
            flickr30k.read_sentences(path)
    assert (kind, where) in kinds(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda xml: xml[:150], r"xml:\d+: not well-formed"),
        (lambda xml: xml.replace("<xmin>1</xmin>", ""), "<xmin>"),
        (lambda xml: xml.replace("<ymax>50<", "<ymax>much<"), "<ymax>: found 'much'"),
        (lambda xml: xml.replace("<name>8</name>", ""), "<object> 3, <name>"),
        (lambda xml: xml.replace("<scene>1</scene><nobndbox>1</nobndbox>", ""), "neither <bndbox>"),
        (lambda xml: xml.replace("annotation>", "html>"), "found <html>"),
        (lambda xml: '<!DOCTYPE a [<!ENTITY b "c">]>' + xml.replace("<name>8<", "<name>&b;<"), "document type"),
        (lambda xml: '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + xml, "document type"),
        (lambda xml: "", "not well-formed"),
        (lambda xml: '<?xml version="1.0" encoding="klingon"?>' + xml, "unknown encoding"),
    ],
)
def test_damaged_xml_is_an_error_with_line_or_tag(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    root(tmp_path, xml=change(XML))
    with pytest.raises(FormatError, match=message):
        flickr30k.read_boxes(tmp_path / "Annotations" / "1.xml")
    assert {kind for kind, _ in kinds(tmp_path)} == {"bad-xml"}


def test_boxes_that_cannot_be_are_problems_and_what_is_absent_is_none(tmp_path: Path) -> None:
    odd = XML.replace("<xmax>100<", "<xmax>130<").replace("<ymax>6<", "<ymax>5<").replace("<name>9</name>", "")
    assert kinds(root(tmp_path, xml=odd)) == {
        ("outside-box", "Annotations/1.xml, <object> 1"),
        ("zero-area-box", "Annotations/1.xml, <object> 2"),
    }
    for path in (tmp_path / "Sentences").iterdir():
        path.unlink()
    (sample,) = flickr30k.read(tmp_path, Selection())
    assert set(sample.labels) == {"boxes"}
    (tmp_path / "Annotations" / "1.xml").unlink()
    with pytest.raises(DataError, match=r"results_20130124\.token"):
        list(flickr30k.read(tmp_path, Selection()))


def test_the_csv_of_kaggle_with_the_bar_it_lost(tmp_path: Path) -> None:
    rows = [f"2199200615.jpg| {n}| A dog , number {n} ." for n in range(5)]
    rows[4] = rows[4].replace("4|", "4 ", 1)
    path = tmp_path / "results.csv"
    path.write_text("\n".join(["image_name| comment_number| comment", *rows]))
    assert flickr30k.read_captions(path) == [("2199200615.jpg", n, f"A dog , number {n} .") for n in range(4)]
    assert kinds(tmp_path) == {("bad-line", "results.csv:6"), ("caption-count", "results.csv:2")}


@pytest.mark.real
def test_each_real_sentences_file_goes_round_to_the_same_bytes(real: Path) -> None:
    paths = sorted((real / "flickr30k").glob("*/Sentences/*.txt"))
    assert len(paths) >= 5
    for path in paths:
        sentences = flickr30k.read_sentences(path)
        assert flickr30k.format_sentences(sentences).encode() == path.read_bytes()
        assert len(sentences) == 5
        assert sum(len(s.phrases) for s in sentences) == path.read_text().count("[/EN#")


@pytest.mark.real
def test_the_real_lists_and_the_real_xml(real: Path) -> None:
    lists = real / "flickr30k" / "BryanPlummer_flickr30k_entities"
    scan = flickr30k.scan(lists)
    assert scan.splits == {"train": 29783, "val": 1000, "test": 1000}
    assert (scan.images, scan.problems) == (31783, [])
    unrelated = flickr30k.read_unrelated(lists / "UNRELATED_CAPTIONS")
    assert len(unrelated) == 21 and unrelated[2] == ("153299765", 2)
    everywhere = {sample.id: sample.extra for sample in flickr30k.read(lists, Selection())}
    assert everywhere["153299765"] == {"unrelated": [1]}

    excerpt = real / "flickr30k" / "transcribed"
    boxes = flickr30k.read_boxes(excerpt / "Annotations" / "1000092795.xml")
    assert [box.chains for box in boxes] == [("1",), ("4",), ("4",), ("1", "6"), ("10",)]
    assert boxes[0].bbox == (158, 124, 61, 211) and boxes[-1].nobndbox and not boxes[-1].scene
    guys = next(flickr30k.read(excerpt, Selection())).labels["phrases"][0]
    assert guys.text == "Two young guys" and len(guys.boxes) == 2
    # The README that printed the file left objects out; the chains they held are told.
    assert kinds(excerpt) == {("chain-without-object", "Annotations/1000092795.xml")}
