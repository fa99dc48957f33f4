# ruff: noqa: E501
"""Build LFW's miniature: forty drawn people in LFW's tree, with all its lists made by the true rules, and planted faults."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

from PIL import Image, ImageEnhance

try:
    from miniatures import common, faces
except ImportError:
    import common  # type: ignore[no-redef]
    import faces  # type: ignore[no-redef]

FOLDS, EACH = 10, 15
TRAIN, TEST = 60, 30
SEED = 2007
# A long tail as LFW's: few people with many pictures, half of them with one or two.
COUNTS = (12, 10, 9, 9, 8, 8, 7, 7, 7, 7) + (5, 4, 4, 4, 3, 3, 3, 3, 3, 3) + (2,) * 9 + (1,) * 11
WRONG = (3, 5, 17)
"""Picture 5 of the person ranked 3 shows the person ranked 17: a wrong label, as LFW has some."""
TWICE = ((0, 3, 7), (4, 2, 6))
"""Rank, number, number: the second picture is nearly the first one, cut and brightened by little."""
SECOND = ((1, 4, 25), (12, 2, 2))
"""Rank, number, rank: another face stands at the picture's edge; the one over the centre counts."""
MISSING = (6, 7)
NOTE = """
This is the miniature of Labeled Faces in the Wild that comes with the book Image Datasets for Deep Learning, not LFW: {images}
pictures of {people} people who do not exist. Every face is drawn by a script from random numbers; no photograph of anybody
was used, and the names are plants and drawing tools. Tree and lists (lfw-names.txt, people.txt, peopleDevTrain.txt,
peopleDevTest.txt, pairs.txt, pairsDevTrain.txt, pairsDevTest.txt) follow the rules of the original, with {folds} folds of
{each} matched and {each} other pairs in View 2. Planted: {wrong} shows another person than its name says; {twice} are nearly
the same pictures; in {second} a second face stands at the edge; {missing} is in the lists and not on disk. No number
measured on it says anything of LFW or of people.
"""


def people() -> list[tuple[str, int, int]]:
    """Return (name, number of pictures, number of the drawn person), by name; the ranks of COUNTS are dealt at random."""
    ranks = list(range(len(COUNTS)))
    random.Random(SEED).shuffle(ranks)
    return [(name, COUNTS[rank], rank) for name, rank in zip(faces.names(len(COUNTS)), ranks, strict=True)]


def picture(name: str, number: int) -> str:
    """Return a picture's place in the tree."""
    return f"lfw/{name}/{name}_{number:04d}.jpg"


def render(rank: int, number: int) -> Image.Image:
    """Return a person's picture, with what is planted in it."""
    for owner, first, second in TWICE:
        if (rank, number) == (owner, second):
            almost = (
                render(rank, first).crop((2, 1, 249, 248)).resize((faces.SIDE, faces.SIDE), Image.Resampling.LANCZOS)
            )
            return ImageEnhance.Brightness(almost).enhance(1.06)
    if (rank, number) == WRONG[:2]:
        rank, number = WRONG[2], 60
    behind = next(
        ((faces.person(other), faces.shot(other, 70)) for owner, n, other in SECOND if (owner, n) == (rank, number)),
        None,
    )
    return faces.draw(faces.person(rank), faces.shot(rank, number), behind)


def folds() -> list[list[tuple[str, int]]]:
    """Deal the people into folds so that each has enough matched pairs, as LFW's makers did: no person in two folds."""
    dealt: list[list[tuple[str, int]]] = [[] for _ in range(FOLDS)]
    ordered = sorted(people(), key=lambda one: one[2])
    for place, (name, count, _) in enumerate(ordered):
        row, column = divmod(place, FOLDS)
        dealt[column if row % 2 == 0 else FOLDS - 1 - column].append((name, count))
    return [sorted(fold) for fold in dealt]


def matched(group: list[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Return all matched pairs of a group of people."""
    return [(name, a, b) for name, count in group for a, b in itertools.combinations(range(1, count + 1), 2)]


def chosen(group: list[tuple[str, int]], count: int, r: random.Random) -> tuple[list[str], list[str]]:
    """Return lines of so many matched and so many other pairs, each kind sorted by name."""
    same = sorted(r.sample(matched(group), count))
    others: set[tuple[str, int, str, int]] = set()
    while len(others) < count:
        (a, m), (b, n) = sorted(r.sample(group, 2))
        others.add((a, r.randint(1, m), b, r.randint(1, n)))
    return (
        [f"{name}\t{a}\t{b}" for name, a, b in same],
        [f"{a}\t{m}\t{b}\t{n}" for a, m, b, n in sorted(others)],
    )


def write(path: Path, rows: list[str]) -> None:
    """Write lines with LF ends, whatever the system."""
    path.write_bytes("".join(row + "\n" for row in rows).encode())


def write_lists(folder: Path) -> None:
    """Write the seven lists."""
    listed = [(name, count) for name, count, _ in people()]
    write(folder / "lfw-names.txt", [f"{name}\t{count}" for name, count in listed])
    dealt, r = folds(), random.Random(SEED + 1)
    rows = [str(FOLDS)]
    for fold in dealt:
        rows += [str(len(fold)), *(f"{name}\t{count}" for name, count in fold)]
    write(folder / "people.txt", rows)
    rows = [f"{FOLDS}\t{EACH}"]
    for fold in dealt:
        same, others = chosen(fold, EACH, r)
        rows += same + others
    write(folder / "pairs.txt", rows)
    # View 1 overlaps with View 2 on purpose, as in the original; its two lists share no person.
    test = {name for name, _, rank in people() if rank % 10 in (2, 5, 8)}
    for title, group, each in (
        ("Train", [one for one in listed if one[0] not in test], TRAIN),
        ("Test", [one for one in listed if one[0] in test], TEST),
    ):
        write(folder / f"peopleDev{title}.txt", [str(len(group)), *(f"{name}\t{count}" for name, count in group)])
        same, others = chosen(group, each, r)
        write(folder / f"pairsDev{title}.txt", [str(each), *same, *others])


def build(folder: Path) -> None:
    """Write the whole miniature into a folder."""
    at = {rank: name for name, _, rank in people()}
    credits = []
    for name, count, rank in people():
        for number in range(1, count + 1):
            if (rank, number) == MISSING:
                continue
            place = picture(name, number)
            common.save_jpeg(render(rank, number), folder / place, quality=72)
            credits.append(
                common.Credit(
                    place, "CC0 1.0", "Drawn by a script of this book; nobody is shown", "miniatures/faces.py"
                )
            )
    write_lists(folder)
    common.write_credits(folder, credits)
    stem = lambda rank, number: Path(picture(at[rank], number)).stem  # noqa: E731
    note = NOTE.format(
        images=sum(COUNTS),
        people=len(COUNTS),
        folds=FOLDS,
        each=EACH,
        wrong=stem(*WRONG[:2]),
        twice=" and ".join(f"{stem(o, a)} and {stem(o, b)}" for o, a, b in TWICE),
        second=" and ".join(stem(*one[:2]) for one in SECOND),
        missing=stem(*MISSING),
    )
    common.write_note(folder, note)


if __name__ == "__main__":
    common.main("lfw", build)
