"""Rules on what the pages say: skeleton, guarded numbers, alternative text, citations, links. No browser, no build."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
import yaml

from data_helpers import cards
from data_helpers.errors import DataError

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "_ext"))

from book import bank, course, datasheets, facts, quiz, status  # noqa: E402

CHAPTERS = sorted((ROOT / "chapters").glob("*.md"))
STEMS = cards.list_datasets()
OF_DATASETS = [path for path in CHAPTERS if path.stem in STEMS]
NAMES = [path.name for path in CHAPTERS]
SKELETON = [
    "At a glance", "See it", "What is in a file", "How it was made", "Numbers, and why sources disagree",
    "Known defects", "Licence, consent and ethics", "History", "Get the data", "Explore it", "Use it well", "Exercises",
    "Cite",
]  # fmt: skip

YEAR = re.compile(r"^(19|20)\d\d$")
NUMBER = re.compile(r"(?<![\w.,/:#–-])(\d{1,3}(?:[,  ]\d{3})+|\d{3,})(?:\.\d+)?(?![\w/])")
LARGE = re.compile(r"(?<![\w.,])(\d+(?:\.\d+)?)\s+(million|billion|thousand)\b")
FACT = re.compile(r"\{fact\}`([^`]+)`")


def prose(text: str) -> str:
    """What a reader reads as text: no code, directives, roles, formulas, comments, addresses or front matter."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    # Code and directives whose body is data; boxes and asides keep their text.
    text = re.sub(
        r"(?ms)^ {0,3}(`{3,}|~{3,})(?!\{(?:note|warning|tip|margin|dropdown|important|admonition)\}).*?^ {0,3}\1\s*$",
        "",
        text,
    )
    text = re.sub(r"(?m)^\s*(`{3,}|:{3,}).*$", "", text)
    text = re.sub(r"(?m)^\s*:[a-z-]+:.*$", "", text)
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    text = re.sub(r"\$[^$\n]+\$", "", text)
    text = re.sub(r"\{[a-z:_-]+\}`[^`]*`", "", text)
    text = re.sub(r"(`+)(?:(?!\1).)+\1", "", text, flags=re.S)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"<?https?://[^\s>)]+>?", "", text)
    text = re.sub(r"(?i)\b(arxiv|doi|iso|rfc|http|pep)[:\s]+[\w./-]+", "", text)
    return re.sub(r"\b\d{4}-\d{2}(-\d{2})?\b", "", text)


def unguarded(text: str) -> Iterator[str]:
    """Numbers of three digits or more, and millions, that a text prints by itself."""
    for found in NUMBER.finditer(text):
        if not YEAR.match(found.group(1)):
            yield found.group(0)
    for found in LARGE.finditer(text):
        yield found.group(0)


def line_of(text: str, piece: str) -> int:
    """The line on which a piece first stands."""
    return text[: text.find(piece)].count("\n") + 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It has 118,287 pictures.", ["118,287"]),
        ("About 2.5 million labels.", ["2.5 million"]),
        ("In 2014 and val2017, 80 kinds, `123456`, ![a](p/1234.png).", []),
        ("```python\n123456\n```\nSee [it](https://a.b/1234567).", []),
        ("The role {fact}`coco.a` and 5000 others.", ["5000"]),
        ("On 2023-12-19, arXiv:1405.0312, 99.83 %.", []),
        (":::{note}\nAll 330 rows.\n:::", ["330"]),
    ],
)
def test_the_rule_on_numbers_finds_what_it_should(text: str, found: list[str]) -> None:
    assert list(unguarded(prose(text))) == found


@pytest.mark.parametrize("path", CHAPTERS, ids=NAMES)
def test_numbers_in_chapters_are_facts(path: Path) -> None:
    if path.stem in ("facts", "reference", "contributing", "questions"):
        pytest.skip("drawn from the cards and the code themselves")
    text = path.read_text(encoding="utf-8")
    bad = [f"{path.name}:{line_of(text, number)}: {number}" for number in unguarded(prose(text))]
    assert not bad, "write these as {fact}`stem.key`, or as code: " + "; ".join(bad)


@pytest.mark.parametrize(
    "path",
    [*CHAPTERS, *sorted(ROOT.glob("quizzes/*.toml")), *sorted(ROOT.glob("datasheets/*.toml")), ROOT / "course.toml"],
    ids=lambda path: path.name,
)
def test_facts_that_pages_name_are_in_the_cards(path: Path) -> None:
    wrong = []
    for name in FACT.findall(path.read_text(encoding="utf-8")):
        try:
            facts.lookup(name.partition("|")[0].rstrip("\\"))  # in a table the bar is written \|
        except KeyError as error:
            wrong.append(f"{name}: {error.args[0]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", OF_DATASETS, ids=[path.name for path in OF_DATASETS])
def test_dataset_chapters_follow_the_skeleton(path: Path) -> None:
    text = re.sub(r"(?ms)^(`{3,}|~{3,}).*?^\1\s*$", "", path.read_text(encoding="utf-8"))
    headings = re.findall(r"(?m)^## (.+?)\s*$", text)
    # On a phone the pictures may come first.
    second = [SKELETON[1], SKELETON[0], *SKELETON[2:]]
    assert headings in (SKELETON, second), f"{path.name} has {headings}, expected {SKELETON}, in this order"
    assert len(re.findall(r"(?m)^# ", text)) == 1
    whole = path.read_text(encoding="utf-8")
    assert f"<!-- {path.stem}:start -->" in whole, "the chapter opens with its own entry of README.md, included"
    for directive in ("card", "quiz"):
        assert re.search(rf"\{{{directive}\}}\s+{path.stem}\b", whole), f"the directive {directive} is missing"
    # Pictures are drawn at build, or come from a notebook's gallery where drawing them needs an extra.
    shown = rf"\{{gallery\}}\s+{path.stem}\b|\{{from-notebook\}}\s+{path.stem} gallery\b"
    assert re.search(shown, whole), "the chapter shows no gallery"


def readme_entries() -> dict[str, str]:
    """README's entries by stem."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return {
        found["stem"]: found["text"]
        for found in re.finditer(r"<!-- (?P<stem>[a-z0-9]+):start -->(?P<text>.*?)<!-- (?P=stem):end -->", text, re.S)
    }


def known(stem: str) -> list[float]:
    """Every number that a card holds as fact, rival or size."""
    card = cards.parsed(stem)
    values: list[object] = [one.value for one in card.facts.values()]
    values += [other.value for one in card.facts.values() for other in one.disagree]
    values += [file.bytes for file in card.files]
    return [float(value) for value in values if isinstance(value, int | float)]


@pytest.mark.parametrize("stem", STEMS)
def test_numbers_in_readme_are_those_of_the_card(stem: str) -> None:
    entries = readme_entries()
    assert stem in entries, f"README.md has no entry between <!-- {stem}:start --> and <!-- {stem}:end -->"
    values = known(stem)
    wrong = []
    for found in NUMBER.finditer(prose(entries[stem])):
        number = float(re.sub(r"[,  ]", "", found.group(0)))
        if not YEAR.match(found.group(1)) and number not in values:
            wrong.append(found.group(0))
    for found in LARGE.finditer(prose(entries[stem])):
        scale = {"thousand": 1e3, "million": 1e6, "billion": 1e9}[found.group(2)]
        digits = len(found.group(1).partition(".")[2])
        if not any(round(value / scale, digits) == float(found.group(1)) for value in values):
            wrong.append(found.group(0))
    assert not wrong, f"not in cards/{stem}.toml: {wrong}"


@pytest.mark.parametrize("stem", STEMS)
def test_a_derived_figure_is_what_its_formula_gives(stem: str) -> None:
    values = {key: fact.value for key, fact in cards.parsed(stem).facts.items()}
    for key, fact in cards.parsed(stem).facts.items():
        if not fact.note.startswith("= "):
            continue
        found = re.match(r"= ([\w +\-*/(),]+?)(?:\. |$)", fact.note)
        assert found, f"{stem}.{key}: expected '= ', then a formula over facts of the card, then the end or a full stop"
        names = {node.id for node in ast.walk(ast.parse(found[1])) if isinstance(node, ast.Name)} - {"round"}
        assert names <= set(values), f"{stem}.{key}: {names - set(values)} are no facts of the card"
        assert eval(found[1], {"__builtins__": {}, "round": round}, dict(values)) == fact.value, (
            f"{stem}.{key}: {fact.note}"
        )


def test_a_wrong_card_is_told_by_field_and_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (cards.HERE / "coco.toml").read_text(encoding="utf-8")
    monkeypatch.setenv("DATA_HELPERS_CARDS", str(tmp_path))
    for old, new, told in (
        ('origin = "computed"\n', "", r"missing required field `origin` - at `\$\.facts\.\w+`"),
        ('kind = "release"', 'kind = "published"', r"'published' - at `\$\.history\[\d\]\.kind`"),
    ):
        assert old in text
        (tmp_path / "coco.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(DataError, match=rf"coco\.toml: not a valid card: .*{told}"):
            cards.parsed("coco")


@pytest.mark.parametrize("path", [ROOT / "index.md", ROOT / "README.md", *CHAPTERS], ids=lambda path: path.name)
def test_pages_are_finished_and_their_links_clean(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    wrong = []
    for word in re.findall(r"\b(TODO|TBD|FIXME|XXX|[Ll]orem ipsum|PLACEHOLDER)\b", text):
        wrong.append(f"placeholder {word}")
    for shown in re.findall(r"\[(here|this|this link|click here|link)\]\(", text, re.I):
        wrong.append(f"a link must say where it leads, not {shown!r}")
    for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", text):
        if not alt.strip():
            wrong.append(f"picture {target} has no alternative text")
    for target in re.findall(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)", re.sub(r"(?ms)^(`{3,}).*?^\1\s*$", "", text)):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            if re.match(r"https?://(bit\.ly|goo\.gl|t\.co|tinyurl\.com)/", target):
                wrong.append(f"{target}: a shortened address hides where it leads")
            continue
        if path.name == "README.md" and not target.startswith("./"):
            wrong.append(f"{target}: links in README begin with ./ so that chapters may include its entries")
        if not (path.parent / target.partition("#")[0]).exists():
            wrong.append(f"{target}: no such file")
    if re.search(r"(?<![\w.])/(?:home|Users|root|tmp)/\w+", text):
        wrong.append("an absolute path of somebody's machine")
    assert not wrong, "\n".join(wrong)


def bibliography() -> list[str]:
    """Keys of references.bib."""
    return re.findall(r"(?m)^@\w+\{([^,\s]+),", (ROOT / "references.bib").read_text(encoding="utf-8"))


def test_citations_exist_once() -> None:
    keys = bibliography()
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    wanted = {
        (path.name, key.strip())
        for path in CHAPTERS
        for keys_ in re.findall(r"\{cite[a-z:]*\}`([^`]+)`", path.read_text(encoding="utf-8"))
        for key in keys_.split(",")
    }
    # A dataset without a chapter is in preparation, and so is its entry in the bibliography.
    wanted |= {(f"card {path.stem}", cards.parsed(path.stem).citation) for path in OF_DATASETS}
    assert sorted(pair for pair in wanted if pair[1] not in keys) == []


@pytest.mark.parametrize("path", sorted((ROOT / "quizzes").glob("*.toml")), ids=lambda path: path.name)
def test_quizzes_can_be_taken(path: Path) -> None:
    found = quiz.load(path)
    assert len(found.questions) >= 4, f"{path.name}: a quiz has four questions at least"
    for question in found.questions:
        assert len(set(question.options)) == len(question.options) >= 2
        assert len(question.explanation) > 20, question.text
    # Whoever always takes the same place must not pass.
    places = Counter(tuple(question.right) for question in found.questions)
    assert max(places.values()) < len(found.questions), f"{path.name}: the right option always stands in one place"


def test_the_question_bank_holds_every_question() -> None:
    there = sum(len(quiz.load(path).questions) for path in (ROOT / "quizzes").glob("*.toml"))
    text = bank.markdown()
    assert len(re.findall(r"(?m)^\d+\. ", text)) == there
    assert "{fact}" not in text
    root = ElementTree.fromstring(bank.moodle())
    asked = [one for one in root.findall("question") if one.get("type") == "multichoice"]
    assert len(asked) == there
    for one in asked:
        shares = [float(answer.get("fraction", "nan")) for answer in one.findall("answer")]
        # All right options and no other give full marks; ticking everything gives none where several may be ticked.
        assert abs(sum(share for share in shares if share > 0) - 100) < 0.01
        if one.findtext("single") == "false":
            assert abs(sum(shares)) < 0.01


def test_a_quiz_with_an_answer_that_is_no_option_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('[[questions]]\ntext="t"\noptions=["a","b"]\nanswer="c"\nexplanation="e"\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"question 1: answer 'c'"):
        quiz.load(path)
    path.write_text('[[questions]]\ntext="t"\noption=["a","b"]\nanswer="a"\nexplanation="e"\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"x\.toml"):
        quiz.load(path)


@pytest.mark.parametrize("stem", STEMS)
def test_every_dataset_has_a_legal_row(stem: str) -> None:
    row = status.row(stem, "", there=True)
    assert row.count("<td ") == 3 and "None known" not in row, f"cards/{stem}.toml: expected one [[history]] at least"
    whole = status.details(stem)
    card = cards.parsed(stem)
    events = [event for event in card.history if event.kind in status.OF_RIGHTS]
    assert whole.count("<li class=kind-") == len(events)
    assert any(event.kind == "release" for event in events), f'cards/{stem}.toml: no [[history]] of kind = "release"'
    for event in events:
        assert re.search(r"https?://|measured|the files|info of|a public report", event.source), (
            f"{event.date}: its source is {event.source!r}, expected an address, or 'the files'"
        )
    for text in (card.licences.images, card.licences.annotations, card.ethics.consent, card.ethics.opt_out):
        assert len(text) >= 4
    told = {told for _, stems in status.together(("law", "withdrawal")) for told in stems}
    assert (stem in told) == any(event.kind in ("law", "withdrawal") for event in card.history)


def test_datasheets_ask_in_seven_sections() -> None:
    assert list(datasheets.questions()) == [
        "motivation", "composition", "collection", "preprocessing", "uses", "distribution", "maintenance",
    ]  # fmt: skip
    assert all(len(asked) >= 3 for asked in datasheets.questions().values())


@pytest.mark.parametrize("stem", STEMS)
def test_every_dataset_has_a_datasheet(stem: str) -> None:
    path = ROOT / "datasheets" / f"{stem}.toml"
    assert path.is_file(), f"datasheets/{stem}.toml is missing: copy another one and answer anew"
    sheet = datasheets.load(path)
    counts = datasheets.tally(sheet)
    assert list(counts) == list(datasheets.questions())
    assert sum(map(sum, counts.values())) == sum(map(len, datasheets.questions().values()))
    assert sum(authors + others for authors, others, _ in counts.values()) > sum(
        silent for _, _, silent in counts.values()
    )
    bad = [
        f"{section}.{key}: {number}"
        for section, answers in sheet.items()
        for key, one in answers.items()
        for number in unguarded(prose(one.text))
    ]
    assert not bad, f"write these as {{fact}}: {bad}"


def test_a_datasheet_that_claims_without_telling_is_refused(tmp_path: Path) -> None:
    good = (ROOT / "datasheets" / "lfw.toml").read_text(encoding="utf-8")
    path = tmp_path / "lfw.toml"
    for old, new, told in (
        ("funding = {}", 'funding = { by = "others" }', "motivation.funding: an answer has"),
        ("funding = {}", 'funding = { by = "others", text = "Somebody." }', "names its source"),
        ("funding = {}\n", "", r"\[motivation\] answers"),
        ('card = "ethics.consent"', 'card = "ethics.nothing"', "the card has no text"),
        ("[about]", "[other]", "sources were read"),
    ):
        assert old in good
        path.write_text(good.replace(old, new), encoding="utf-8")
        with pytest.raises(ValueError, match=told):
            datasheets.load(path)


def test_facts_are_due_when_their_day_has_come() -> None:
    one = cards.Fact(value=1, what="x", origin="cited", source="s", date="2019", review="2020-01")
    assert facts.overdue(one)
    assert not facts.overdue(msgspec.structs.replace(one, review="2999"))
    assert not facts.overdue(msgspec.structs.replace(one, review=None))
    later = [
        name
        for stem in STEMS
        for name, fact in cards.parsed(stem).facts.items()
        if fact.review and fact.review < fact.date
    ]
    assert later == [], "a review comes after the date"


@pytest.mark.parametrize("stem", STEMS)
def test_facts_have_a_place_and_name_their_notebooks(stem: str) -> None:
    card = cards.parsed(stem)
    drawn = facts.rows(stem, None, "chapters/facts", permalinks=True)
    assert re.findall(r'<tr id="([^"]+)"', drawn) == [f"{stem}.{key}" for key in card.facts]
    there = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    for key, one in card.facts.items():
        named = facts.notebooks(f"{stem}.{key}")
        assert set(named) <= there, f"{stem}.{key}: no such notebook"
        assert not one.notebook or named[0] == one.notebook
    if any(name.split("-")[0] == stem for name in there):
        shown = sum(bool(facts.notebooks(f"{stem}.{key}")) for key in card.facts)
        assert shown >= 5, f"{stem}: {shown} facts of the card name a notebook (notebook = ...), expected five at least"
    assert drawn.count("data-review=") == sum(one.review is not None for one in card.facts.values())


#: Named in the course before they stand.
COMING = {"imagenet", "imagenet-labels", "resources"}


def test_the_course_uses_every_notebook_once() -> None:
    found = course.course()
    assert len(found.sessions) == 6
    named = [name for session in found.sessions for name in (*session.together, *session.home)]
    there = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert [name for name, count in Counter(named).items() if count > 1] == []
    assert set(named) - COMING <= there
    assert sorted(there - set(named)) == [], "give these a session in course.toml"
    chapters = {path.stem for path in CHAPTERS}
    for session in found.sessions:
        assert 2 <= len(session.goals) <= 5 and session.end
        assert set(session.read) <= chapters | COMING
        spent = sum(one.minutes for one in course.there(session.together))
        assert 0 < spent <= found.minutes - 20, f"{session.title}: twenty minutes are left for questions"
    bad = list(unguarded(prose((ROOT / "course.toml").read_text(encoding="utf-8").partition("[measured.")[0])))
    assert not bad, f"write these as {{fact}}: {bad}"
    assert all(one.bytes > 1_000_000 for one in found.measured.values())


def test_teachers_have_notes_on_every_chapter_with_a_quiz() -> None:
    notes = course.course().notes
    quizzes = {path.stem for path in (ROOT / "quizzes").glob("*.toml")}
    assert sorted(quizzes - set(notes)) == [], "write [notes.<chapter>] in course.toml"
    for name, one in notes.items():
        assert len(one.beliefs) >= 2 and len(one.watch) > 20, name
        assert all(len(answer) > 20 for _, answer in one.beliefs), name


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_contracts_can_be_read(path: Path) -> None:
    found = course.contract(path.stem)
    assert 5 <= found.minutes <= 90 and found.run and found.level
    assert re.search(r"\d+ (MB|GB)", found.memory) and re.search(r"\d+ (kB|MB|GB)", found.disk)
    assert re.match(r"none\b|\d", found.bytes)
    assert found.exercises, "every notebook ends with exercises"


def test_the_page_on_testing_prints_what_its_code_prints() -> None:
    text = (ROOT / "chapters" / "testing.md").read_text(encoding="utf-8")
    pairs = re.findall(r"(?ms)^```python\n(.*?)^```\n+```text\n(.*?)^```", text)
    assert len(pairs) == 4 == text.count("```python")
    for code, printed in pairs:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(code, "testing.md", "exec"), {})
        assert said.getvalue() == printed


def test_the_citation_file_can_be_read() -> None:
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert found["version"] == version and found["authors"] and found["title"]


def test_the_table_of_contents_holds_every_page() -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))

    def walk(items: list[dict[str, object]]) -> Iterator[str]:
        for item in items:
            yield str(item["file"])
            yield from walk(item.get("sections", []))  # type: ignore[arg-type]

    named = [name for part in toc["parts"] for name in walk(part["chapters"])]
    assert [name for name, count in Counter(named).items() if count > 1] == []
    missing = [name for name in named if not any((ROOT / f"{name}.{kind}").is_file() for kind in ("md", "ipynb"))]
    assert missing == []
    there = [f"chapters/{path.stem}" for path in CHAPTERS]
    there += [f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert sorted(set(there) - set(named)) == []
