"""The teaching kit: a syllabus, notes for teachers and a plan for the network, numbers taken from the notebooks.

``course.toml`` says only what a person decides: sessions with goals, which notebooks are done in class and at home, and
what students tend to believe. Minutes, memory, disk and bytes come from each notebook's own contract, exercises from
its cells, questions from the quizzes, and sizes from the cards.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import tomllib
import zipfile
from pathlib import Path
from typing import ClassVar

import msgspec
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from data_helpers import cards
from data_helpers.miniature import HERE as MINIATURES

from .bank import QUIZZES
from .html import ROOT, esc, note, raw, size, up
from .quiz import load as load_quiz

COURSE = ROOT / "course.toml"
NOTEBOOKS = ROOT / "notebooks"


class Session(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One session: what is learnt, what is read before, and which notebooks are done where."""

    title: str
    goals: list[str]
    read: list[str]
    together: list[str]
    home: list[str]
    end: str


class Notes(msgspec.Struct, forbid_unknown_fields=True):
    """What a teacher should know of a chapter: pairs of a belief and an answer, and where time goes."""

    beliefs: list[tuple[str, str]]
    watch: str


class Measured(msgspec.Struct, forbid_unknown_fields=True):
    """A size that was measured once, since no file of the project holds it."""

    what: str
    bytes: int
    date: str


class Course(msgspec.Struct, forbid_unknown_fields=True):
    """The file ``course.toml``."""

    minutes: int
    sessions: list[Session]
    notes: dict[str, Notes]
    measured: dict[str, Measured]


class Contract(msgspec.Struct, frozen=True):
    """What a notebook's first cell promises, and how many exercises it has."""

    name: str
    title: str
    level: str
    minutes: int
    run: str
    memory: str
    disk: str
    bytes: str
    exercises: tuple[tuple[str, str], ...]


def course() -> Course:
    """Read ``course.toml``; ValueError says what is wrong."""
    try:
        return msgspec.convert(tomllib.loads(COURSE.read_text(encoding="utf-8")), Course)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{COURSE.name}: {error}") from error


def contract(name: str) -> Contract:
    """Read a notebook's contract: the one row below level, minutes, memory, disk, bytes."""
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    text = "".join(next(cell["source"] for cell in cells if cell.get("id") == "contract"))
    rows = [line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    title = re.search(r"(?m)^# (.+)$", text)
    if len(rows) != 3 or len(rows[2]) != 5 or not title:
        raise ValueError(f"notebooks/{name}.ipynb: the contract has no table of five columns and one row")
    level, minutes, memory, disk, size_ = (cell.strip() for cell in rows[2])
    read = re.match(r"(\d+)(?: minutes)? to read, (.+) to run$", minutes)
    if not read:
        raise ValueError(f"notebooks/{name}.ipynb: {minutes!r}, expected '40 to read, half a minute to run'")
    run = read.group(2)
    unit = {"1": " minute", "under 1": " minute"}.get(run, " minutes" if run.isdigit() else "")
    exercises = []
    for cell in cells:
        if re.fullmatch(r"exercise-\d+", str(cell.get("id", ""))):
            head = re.findall(r"(?m)^### (.+)$", "".join(cell["source"]))
            shown = re.sub(r"^(?:Exercise )?\d+[.:]\s*", "", head[-1]) if head else cell["id"]
            exercises.append((cell["id"], shown))
    return Contract(name, title.group(1), level, int(read.group(1)), run + unit, memory, disk, size_, tuple(exercises))


def there(names: list[str]) -> list[Contract]:
    """Contracts of those notebooks that stand."""
    return [contract(name) for name in names if (NOTEBOOKS / f"{name}.ipynb").is_file()]


def questions(chapter: str) -> int:
    """How many questions a chapter's quiz has."""
    path = QUIZZES / f"{chapter}.toml"
    return len(load_quiz(path).questions) if path.is_file() else 0


def duration(minutes: float) -> str:
    """Minutes as people say them."""
    if minutes < 1:
        return f"{max(1, round(minutes * 60))} s"
    return (
        f"{minutes:.0f} min"
        if minutes < 90
        else f"{minutes / 60:.1f} h"
        if minutes < 48 * 60
        else f"{minutes / 1440:.0f} days"
    )


class _FromCourse(SphinxDirective):
    has_content = False

    def run(self) -> list[nodes.Node]:
        """Draw; a broken file is a warning."""
        note(self.env, COURSE, *sorted(NOTEBOOKS.glob("*.ipynb")), *sorted(QUIZZES.glob("*.toml")))
        note(self.env, *(cards._path(stem) for stem in cards.list_datasets()))
        try:
            return self.draw(course())
        except ValueError as error:
            return [self.state.document.reporter.warning(f"{self.name}: {error}", line=self.lineno)]

    def draw(self, found: Course) -> list[nodes.Node]:
        raise NotImplementedError

    def part(self, title: str, name: str) -> nodes.section:
        """A section that stands in the page's contents."""
        section = nodes.section(ids=[name], names=[name])
        section += nodes.title("", title)
        self.state.document.note_explicit_target(section)
        return section

    def inline(self, text: str) -> list[nodes.Node]:
        """Inline Markdown of the file, roles included."""
        got, messages = self.state.inline_text(text, self.lineno)
        return [*got, *messages]

    def page(self, folder: str, name: str, text: str) -> str:
        """A link to a page of the book."""
        return f'<a href="{up(self.env.docname)}{folder}/{name}.html">{esc(text)}</a>'

    def chapter(self, name: str) -> str:
        """A chapter's title as its own page has it, linked."""
        path = ROOT / "chapters" / f"{name}.md"
        head = re.search(r"(?m)^# (.+)$", path.read_text(encoding="utf-8"))
        title = head.group(1) if head else name
        title = re.sub(r"[*`]", "", title)
        return self.page("chapters", name, title)


class CourseNumbers(_FromCourse):
    """Directive ``course-numbers``: the course in one line of large figures."""

    def draw(self, found: Course) -> list[nodes.Node]:
        """Count what stands."""
        books = [one for session in found.sessions for one in there([*session.together, *session.home])]
        quizzes = sum(len(load_quiz(path).questions) for path in QUIZZES.glob("*.toml"))
        hours = sum(one.minutes for one in books) / 60
        tiles = (
            (len(found.sessions), f"sessions of {found.minutes} minutes"),
            (len(books), "notebooks, each on a miniature"),
            (f"{hours:.0f} h", "of reading in them, in class and at home"),
            (sum(len(one.exercises) for one in books), "exercises with solutions"),
            (quizzes, "quiz questions with explanations"),
            (size(sum(path.stat().st_size for path in MINIATURES.glob("*.zip"))), "of miniatures, all in the package"),
        )
        cells = "".join(f"<li><b>{esc(value)}</b> <span>{esc(text)}</span></li>" for value, text in tiles)
        return [raw(f"<ul class=tiles>{cells}</ul>")]


class Syllabus(_FromCourse):
    """Directive ``syllabus``: a section for each session."""

    def draw(self, found: Course) -> list[nodes.Node]:
        """Goals, reading, notebooks with their contracts, and how it ends."""
        sections: list[nodes.Node] = []
        for number, session in enumerate(found.sessions, 1):
            section = self.part(f"{number}. {session.title}", f"session-{number}")
            section += raw("<p><b>At the end students can</b></p><ul>")
            for goal in session.goals:
                section.extend([raw("<li>"), *self.inline(goal), raw("</li>")])
            chapters = [name for name in session.read if f"chapters/{name}" in self.env.found_docs]
            asked = sum(questions(name) for name in chapters)
            section += raw(
                f"</ul><p><b>Before:</b> {', '.join(self.chapter(name) for name in chapters)}."
                f" {asked} quiz questions.</p>"
            )
            section += raw(self.table(found, session))
            section.extend([raw("<p><b>How it ends:</b> "), *self.inline(session.end), raw("</p>")])
            sections.append(section)
        return sections

    def table(self, found: Course, session: Session) -> str:
        """The session's notebooks, those in class first."""
        rows = []
        for place, names in (("in class", session.together), ("at home", session.home)):
            for one in there(names):
                cells = (
                    ("Where", place),
                    ("Minutes", f"{one.minutes}, runs in {one.run}"),
                    ("Memory, disk", f"{one.memory}, {one.disk}"),
                    ("Download", one.bytes.partition(":")[0]),
                    ("Exercises", str(len(one.exercises))),
                )
                drawn = "".join(f'<td data-label="{label}">{esc(cell)}</td>' for label, cell in cells)
                rows.append(f"<tr><th scope=row>{self.page('notebooks', one.name, one.title)}</th>{drawn}</tr>")
        spent = sum(one.minutes for one in there(session.together))
        head = "".join(
            f"<th scope=col>{text}</th>" for text in ("Where", "Minutes", "Memory, disk", "Download", "Exercises")
        )
        rest = found.minutes - spent
        caption = f"{spent} of {found.minutes} minutes go to the notebooks in class, {rest} to exercises and quiz"
        return (
            f'<div class=table-wrap><table class="stack"><caption>{caption}</caption>'
            f"<thead><tr><th scope=col>Notebook</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        )


class InstructorNotes(_FromCourse):
    """Directive ``instructor-notes``: for each chapter beliefs, answers, times, exercises and the quiz's key."""

    def draw(self, found: Course) -> list[nodes.Node]:
        """A section for each chapter that stands."""
        sections: list[nodes.Node] = []
        for name, notes in found.notes.items():
            if f"chapters/{name}" not in self.env.found_docs:
                continue
            books = there(sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb") if path.stem.split("-")[0] == name))
            card = name in cards.list_datasets()
            title = re.split(r":| and ", cards.parsed(name).title)[0] if card else name.capitalize()
            section = self.part(title, f"notes-{name}")
            minutes = ", ".join(f"{self.page('notebooks', one.name, one.name)} {one.minutes}" for one in books)
            section += raw(f"<p>{self.page('chapters', name, 'Chapter')}. Minutes to read: {minutes}. ")
            section.extend([*self.inline(notes.watch), raw("</p><dl class=beliefs>")])
            for belief, answer in notes.beliefs:
                section.extend([raw("<div><dt>“"), *self.inline(belief), raw("”</dt><dd>")])
                section.extend([*self.inline(answer), raw("</dd></div>")])
            section += raw("</dl>")
            section += raw(self.exercises(books))
            section.extend(self.key(name))
            sections.append(section)
        return sections

    def exercises(self, books: list[Contract]) -> str:
        """Links to the exercises; a solution stands folded below each."""
        root = up(self.env.docname)
        items = "".join(
            f'<li><a href="{root}notebooks/{one.name}.html#cell-{cell}">{esc(text)}</a> <small>{one.name}</small></li>'
            for one in books
            for cell, text in one.exercises
        )
        return (
            f"<details><summary>Exercises, each with its solution below it</summary><ul>{items}</ul></details>"
            if items
            else ""
        )

    def key(self, name: str) -> list[nodes.Node]:
        """The quiz's right answers with their explanations."""
        path = QUIZZES / f"{name}.toml"
        if not path.is_file():
            return []
        parts: list[nodes.Node] = [raw("<details><summary>Answers to the quiz</summary><ol>")]
        for question in load_quiz(path).questions:
            parts += [raw("<li>"), *self.inline(question.text), raw("<br><b>")]
            for count, index in enumerate(question.right):
                parts += [*([raw("; ")] if count else []), *self.inline(question.options[index])]
            parts += [raw("</b>. "), *self.inline(question.explanation), raw("</li>")]
        return [*parts, raw("</ol></details>")]


class Bandwidth(_FromCourse):
    """Directive ``bandwidth``: what a room of laptops downloads, over the line and from one machine in the room."""

    option_spec: ClassVar = {
        "laptops": directives.positive_int,
        "line": directives.positive_int,
        "room": directives.positive_int,
    }

    def draw(self, found: Course) -> list[nodes.Node]:
        """Bytes from cards and from what was measured; times by division, without any overhead."""
        laptops = self.options.get("laptops", 30)
        line, room = self.options.get("line", 100), self.options.get("room", 300)
        coco = {file.name: file.bytes or 0 for file in cards.parsed("coco").files}
        wants: list[tuple[str, int]] = [(one.what, one.bytes) for one in found.measured.values()]
        for stem in cards.list_datasets():
            sample = cards.parsed(stem).sample
            if sample is not None:
                title = re.split(r":| and ", cards.parsed(stem).title)[0]
                wants.append((f"{title}, the real sample", sample.bytes))
        for name in ("val2017.zip", "train2017.zip"):
            wants.append((f"COCO, {name} whole", coco[name]))
        rows = []
        for what, count in sorted(wants, key=lambda want: want[1]):
            bits = count * 8 / 1e6 / 60
            cells = (
                ("Bytes", size(count)),
                (f"{laptops} over the line", f"{size(count * laptops)}, {duration(bits * laptops / line)}"),
                ("Once, then in the room", f"{duration(bits / line)} + {duration(bits * laptops / room)}"),
            )
            drawn = "".join(f'<td class=value data-label="{label}">{cell}</td>' for label, cell in cells)
            rows.append(f"<tr><th scope=row>{esc(what.rstrip('.'))}</th>{drawn}</tr>")
        heads = ("What", "One laptop", f"All {laptops} over the line", "Once by the line, then in the room")
        head = f"<th scope=col>{heads[0]}</th>" + "".join(
            f"<th scope=col class=value>{text}</th>" for text in heads[1:]
        )
        caption = f"{laptops} laptops; a line of {line} Mbit/s shared by all; {room} Mbit/s within the room"
        return [
            raw(
                f'<div class=table-wrap><table class="stack wide"><caption>{caption}</caption>'
                f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
            )
        ]


class LearnerEditions(_FromCourse):
    """Directive ``learner-editions``: notebooks without solutions and outputs, one by one and as one archive."""

    def draw(self, found: Course) -> list[nodes.Node]:
        """Link to the files, which are written at the end of the build."""
        root = up(self.env.docname)
        books = there(sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
        items = "".join(
            f'<li><a href="{root}learner/{one.name}.ipynb" download>{esc(one.title)}</a>'
            f" <small>{one.name}.ipynb</small></li>"
            for one in books
        )
        return [
            raw(
                f'<p class="actions"><a class="button" href="{root}learner/learner.zip" download>'
                f"All {len(books)} as one archive</a></p>"
                f"<details><summary>One by one</summary><ul>{items}</ul></details>"
            )
        ]


def finished(app: Sphinx, error: Exception | None) -> None:
    """Write the learner editions beside the pages, and the archive of all."""
    if error or app.builder is None or app.builder.format != "html" or not COURSE.is_file():
        return
    spec = importlib.util.spec_from_file_location("learner", ROOT / "tools" / "learner.py")
    assert spec and spec.loader
    learner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(learner)
    folder = Path(app.outdir) / "learner"
    shutil.rmtree(folder, ignore_errors=True)
    learner.strip_all(NOTEBOOKS, folder)
    with zipfile.ZipFile(folder / "learner.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".zip":
                archive.write(path, Path("learner") / path.relative_to(folder))


def setup(app: Sphinx) -> None:
    """Register the directives and the writing of the files."""
    app.add_directive("course-numbers", CourseNumbers)
    app.add_directive("syllabus", Syllabus)
    app.add_directive("instructor-notes", InstructorNotes)
    app.add_directive("bandwidth", Bandwidth)
    app.add_directive("learner-editions", LearnerEditions)
    app.connect("build-finished", finished)
