# ruff: noqa: E501
"""Build Flickr8k's miniature: its text files as its zip has them, pictures beside them, and the defects of real copies."""

from __future__ import annotations

from pathlib import Path

try:
    from miniatures import common, flickr_common
except ImportError:
    import common  # type: ignore[no-redef]
    import flickr_common  # type: ignore[no-redef]

NOTE = """
This is the miniature of Flickr8k that comes with the book Image Datasets for Deep Learning, not Flickr8k: {images}
pictures, photographs that may be shown and cuts of them, each with five captions that were written for this book. Names
that begin with 9000000 were made up; the others are the photographs' own at Flickr. The fourth caption of a picture
says more than can be seen, as many do in the original. Expert and crowd scores were made for this book too, on the
scale and in the files of the original, the three expert scores of a row in rising order as there: they are no
measurement of people. Planted in Flickr8k.token.txt, because copies in the wild have such things: a phantom group
whose name ends in .jpg.1; CR LF on three lines; a blank for a TAB; a line lost; a foreign line at the end, and its name in
the list of training pictures; a caption that is just "A"; one that says "broken image"; a caption given twice; a picture
that is missing; a picture in no list; and one crowd that turns down a true caption. Its numbers are never Flickr8k's.
"""
MISSING = ("9000000060", "0123456789")
LOST = [
    "A brown dog runs across a lawn .",
    "A dog on grass .",
    "A brown dog with a red collar runs over short grass .",
    "A happy dog fetches its favourite ball .",
    "dog running",
]
PHANTOM = [
    "People wait on a platform .",
    "Three people at a station .",
    "Three people stand beside the rails with bags .",
    "Commuters are tired after work .",
    "train platform , people",
]
# (picture, picture the caption was written for) -> scores; pictures by their place in `flickr_pictures.PICTURES`.
# Cuts of one photograph share captions that fit both: the false negatives of retrieval.
SCORES = {
    (0, 1): (4, 4, 4), (1, 0): (2, 3, 3), (4, 5): (3, 4, 4), (5, 4): (2, 2, 2), (6, 7): (4, 4, 4), (7, 6): (3, 4, 4),
    (8, 9): (4, 4, 4), (9, 8): (3, 4, 4), (12, 13): (3, 3, 4), (13, 12): (2, 2, 3), (15, 16): (4, 4, 4), (16, 15): (2, 3, 3),
    (0, 8): (1, 1, 2), (8, 0): (1, 1, 2), (0, 9): (1, 1, 2), (9, 0): (1, 1, 1), (8, 1): (1, 1, 2), (1, 8): (1, 1, 1),
    (6, 0): (1, 1, 2), (7, 1): (1, 1, 1), (6, 12): (1, 1, 1), (12, 6): (1, 1, 1), (13, 6): (1, 1, 1), (13, 7): (1, 1, 2),
    (12, 7): (1, 1, 2), (7, 13): (1, 1, 2), (6, 13): (1, 1, 1), (7, 0): (1, 1, 2),
}  # fmt: skip
OWN = {0: (4, 4, 4), 1: (4, 4, 4), 4: (4, 4, 4), 5: (4, 4, 4), 6: (3, 4, 4), 7: (4, 4, 4), 8: (4, 4, 4), 9: (4, 4, 4),
       12: (4, 4, 4), 13: (3, 4, 4), 15: (4, 4, 4), 16: (3, 4, 4)}  # fmt: skip
LEMMAS = {
    "is": "be", "are": "be", "has": "have", "had": "have", "thrown": "throw", "done": "do", "does": "do", "gone": "go",
    "lies": "lie", "lead": "lead", "gets": "get", "knows": "know", "closed": "close", "seen": "see", "left": "leave",
    "wearing": "wear", "showing": "show", "skating": "skate", "riding": "ride", "waiting": "wait", "coming": "come",
    "crossing": "crossing", "running": "run", "swimming": "swimming", "burning": "burning", "grinning": "grin",
    "people": "people", "guests": "guest", "stories": "story", "storeys": "storey", "glass": "glass", "grass": "grass",
    "this": "this", "his": "he", "its": "it", "their": "they", "her": "she", "tennis": "tennis", "topped": "top",
    "melted": "melt", "folded": "fold", "men": "man", "women": "woman", "us": "we", "rides": "ride", "skates": "skate",
    "crouches": "crouch", "watches": "watch", "reaches": "reach", "stretches": "stretch", "pitches": "pitch",
    "looks": "look", "holds": "hold", "shoulders": "shoulder", "enjoys": "enjoy", "carries": "carry", "hurries": "hurry",
    "families": "family", "leaves": "leaf", "shelves": "shelf", "glasses": "glass", "lattice": "lattice", "trousers": "trousers",
    "shorts": "shorts", "sunglasses": "sunglasses", "shades": "shade", "always": "always", "across": "across", "towards": "towards",
    "as": "as", "bus": "bus", "says": "say", "headlights": "headlight", "supper": "supper", "hers": "she",
}  # fmt: skip


def lemma(word: str) -> str:
    """Return a word's lemma by a list and one rule: what is good enough for a miniature."""
    word = word.lower()
    if word in LEMMAS:
        return LEMMAS[word]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def build(folder: Path) -> None:
    """Write the whole miniature into a folder."""
    pictures = flickr_common.made()
    names = [f"{picture.number}_{picture.secret}.jpg" for picture in pictures]
    credits = []
    for name, picture in zip(names, pictures, strict=True):
        common.save_jpeg(picture.image, folder / "Flicker8k_Dataset" / name)
        credits.append(picture.credit._replace(file=f"Flicker8k_Dataset/{name}"))
    groups = {name: [flickr_common.plain(c) for c in p.captions] for name, p in zip(names, pictures, strict=True)}
    groups["_".join(MISSING) + ".jpg"] = list(LOST)
    groups["9000000050_c0ffee1234.jpg.1"] = list(PHANTOM)
    of = dict(zip(names, pictures, strict=True))
    flower, rocket, coffee = (
        next(n for n in names if of[n].source == source) for source in ("flower", "rocket", "coffee")
    )
    groups[flower][0] = "A"
    groups[rocket][3] = "broken image"
    groups[coffee][4] = groups[coffee][0]
    rows = [f"{name}#{n}\t{caption}" for name in sorted(groups) for n, caption in enumerate(groups[name])]
    lemmas = [
        f"{name}#{n}\t{' '.join(map(lemma, caption.split()))}"
        for name in sorted(groups)
        for n, caption in enumerate(groups[name])
    ]
    cat = next(name for name in names if of[name].source == "chelsea")
    rows = [row for row in rows if not row.startswith(f"{cat}#4\t")]
    rows[3] = rows[3].replace("\t", " ", 1)
    for line in (20, 21, 22):
        rows[line] += "\r"
    rows.append("my_dog.jpg#0\tRex in the garden .")
    write(folder / "Flickr8k.token.txt", rows)
    write(folder / "Flickr8k.lemma.token.txt", lemmas)
    for split, title in {"train": "trainImages", "dev": "devImages", "test": "testImages"}.items():
        listed = [name for name, picture in zip(names, pictures, strict=True) if picture.split == split]
        if split == "train":
            listed += ["_".join(MISSING) + ".jpg", "my_dog.jpg"]
        write(folder / f"Flickr_8k.{title}.txt", listed)
    write_scores(folder, names)
    common.write_credits(folder, credits)
    common.write_note(folder, NOTE.format(images=len(names)))


def write_scores(folder: Path, names: list[str]) -> None:
    """Write both score files, sorted as the originals are, for caption number 2 of each test picture."""
    experts, crowd = [], []
    for picture in sorted(OWN, key=lambda i: names[i]):
        for origin in sorted(OWN, key=lambda i: names[i]):
            pair = f"{names[picture]}\t{names[origin]}#2"
            scores = OWN[picture] if picture == origin else SCORES.get((picture, origin), (1, 1, 1))
            if picture == origin or (picture, origin) in SCORES or (picture * 7 + origin * 3) % 5 == 0:
                experts.append("\t".join([pair, *map(str, scores)]))
            yes, no = {12: (3, 0), 11: (3, 0), 10: (2, 1), 8: (2, 2), 7: (1, 3), 6: (0, 3)}.get(sum(scores), (0, 3))
            if picture == origin == 7:
                yes, no = 1, 2
            if sum(scores) == 4 and (picture + origin) % 3 == 0:
                yes, no = 1, 2
            crowd.append(f"{pair}\t{yes / (yes + no):.12g}\t{yes}\t{no}")
    write(folder / "ExpertAnnotations.txt", experts)
    write(folder / "CrowdFlowerAnnotations.txt", crowd)


def write(path: Path, rows: list[str]) -> None:
    """Write lines with LF ends, whatever the system."""
    path.write_bytes("".join(row + "\n" for row in rows).encode())


if __name__ == "__main__":
    common.main("flickr8k", build)
