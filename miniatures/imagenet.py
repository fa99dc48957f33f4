# ruff: noqa: E501
"""Build ImageNet's miniature: forty true classes in the true files, pictures cut out of photographs that may be shown."""

from __future__ import annotations

import csv
import io
import json
import random
import tarfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps
from scipy.io import savemat

try:
    from miniatures import common
except ImportError:
    import common  # type: ignore[no-redef]

NOTE = """
This is the miniature of ImageNet that comes with the book Image Datasets for Deep Learning, not ImageNet: {train} training and
{val} validation pictures of forty of the thousand classes, cut out of fifteen photographs that may be shown. Wnids,
devkit ids, words and the tree above them are the true ones; ids above 1000 but that of the root, the numbers of pictures
and the file numbers are the miniature's own. ILSVRC2012_img_train.tar holds one archive a class, ILSVRC2012_img_val is
flat as the original, real.json has all labels that are right for each validation picture, in ReaL's form. Planted:
{wrong} validation pictures with the label of another thing ({wrong_list}); pictures with several right
labels (laptop and notebook, sunglass and sunglasses, cup and espresso, and more); a tabby that is called Egyptian cat; a
dahlia called daisy and a space rocket called missile or projectile, of which no class is right; validation picture {cmyk} is in CMYK, {gray} is gray, {png} is a
PNG named JPEG, {cut} ends early. One training box is flat. Boxes of a scene are the whole picture. Its numbers are never ImageNet's.
"""
TABLES = Path(__file__).parent.parent / "data_helpers" / "cards" / "tables"
SIDE = 220
VAL, SEED = 5, 1000

Box = tuple[int, int, int, int]


class Shot(NamedTuple):
    """One class: what is cut out of which photographs, and which classes besides its own are right for it."""

    name: str
    boxes: tuple[tuple[str, Box], ...]
    also: tuple[str, ...] = ()
    own: bool = True
    train: int = 3


def one(source: str, *boxes: Box) -> tuple[tuple[str, Box], ...]:
    """Return places in one photograph."""
    return tuple((source, box) for box in boxes)


BEACH, DESK, OFFICE, RIDE = "000000159269", "000000255165", "000000553664", "000000214753"
# Names are torchvision's, since they differ from each other.
SHOTS = (
    Shot("backpack", one("000000129648", (92, 0, 190, 80)), train=4),
    Shot("umbrella", one(BEACH, (290, 120, 427, 460), (0, 170, 150, 540), (0, 110, 427, 480)), train=6),
    Shot("patio", one(BEACH, (0, 370, 427, 640)), ("dining table", "umbrella")),
    Shot("dining table", one(BEACH, (110, 395, 310, 600))),
    Shot("seashore", one(RIDE, (0, 0, 640, 190), (0, 0, 225, 424)), train=5),
    Shot("lakeside", one("china", (335, 170, 600, 340))),
    Shot("racket", one("000000174375", (225, 130, 400, 370))),
    Shot("ballplayer", one("000000433998", (275, 160, 430, 370), (240, 320, 430, 427)), train=5),
    Shot("scoreboard", one("000000433998", (0, 125, 490, 240))),
    Shot("pizza", one("000000160012", (90, 180, 640, 461), (380, 135, 640, 250), (60, 120, 640, 461)), train=7),
    Shot("beer bottle", one("000000160012", (0, 0, 125, 400))),
    Shot("cab", one("000000160012", (480, 0, 640, 95))),
    Shot("crash helmet", one("000000165518", (280, 150, 410, 280), (230, 150, 450, 400)), train=4),
    Shot("traffic light", one("000000183709", (190, 110, 275, 220))),
    Shot("street sign", one("000000183709", (195, 35, 310, 150))),
    Shot("sorrel", one(RIDE, (300, 105, 500, 335), (230, 115, 490, 330)), ("seashore",), train=5),
    Shot("desk", one(DESK, (0, 220, 640, 480)), ("monitor", "screen", "computer keyboard", "desktop computer")),
    Shot("monitor", one(DESK, (200, 225, 365, 360)), ("screen",)),
    Shot("desktop computer", one(DESK, (105, 50, 295, 170))),
    Shot("screen", one(DESK, (345, 225, 510, 372)), ("monitor",)),
    Shot("computer keyboard", one(DESK, (185, 362, 390, 450))),
    Shot("laptop", one(OFFICE, (240, 110, 590, 345), (200, 60, 620, 345)), ("notebook",), train=5),
    Shot("notebook", one(OFFICE, (250, 125, 580, 340)), ("laptop",)),
    Shot("bookcase", one(OFFICE, (300, 0, 640, 150)), ("library",)),
    Shot("library", one(OFFICE, (215, 0, 640, 200)), ("bookcase",)),
    Shot("sunglasses", one(OFFICE, (38, 200, 150, 275)), ("sunglass",)),
    Shot("sunglass", one(OFFICE, (45, 208, 145, 270)), ("sunglasses",)),
    Shot("cellular telephone", one(OFFICE, (465, 300, 625, 378))),
    Shot("tabby", one("chelsea", (0, 0, 451, 300), (100, 40, 400, 290)), train=6),
    Shot("tiger cat", one("chelsea", (30, 10, 430, 300)), ("tabby",)),
    Shot("Egyptian cat", one("chelsea", (70, 0, 420, 270)), ("tabby",), own=False, train=2),
    Shot("espresso", one("coffee", (165, 10, 425, 310)), ("cup",), train=4),
    Shot("cup", one("coffee", (80, 0, 500, 400)), ("espresso", "coffee mug")),
    Shot("coffee mug", one("coffee", (150, 0, 460, 340)), ("cup", "espresso")),
    Shot("missile", one("rocket", (240, 90, 420, 427)), own=False),
    Shot("projectile", one("rocket", (270, 110, 390, 427)), own=False),
    Shot("mouse", one(OFFICE, (400, 212, 525, 285))),
    Shot("palace", one("china", (40, 10, 380, 420), (0, 0, 560, 427)), ("tile roof",), train=6),
    Shot("tile roof", one("china", (70, 70, 345, 270)), ("palace",)),
    Shot("daisy", one("flower", (150, 70, 470, 370), (60, 20, 560, 427)), own=False, train=5),
)
# Where each thing lies in its photograph, every instance; what is not here is a scene, and fills its picture.
CAT, CUP, LAPTOP = [(0, 0, 400, 300)], [(172, 18, 408, 310)], [(270, 140, 555, 324)]
SCREENS, ROCKET = [(219, 240, 350, 346), (358, 238, 495, 363)], [(308, 127, 336, 407)]
SHADES, DAHLIA = [(55, 228, 134, 258)], [(169, 85, 446, 360), (287, 375, 470, 427)]
THINGS: dict[str, list[Box]] = {
    "backpack": [(112, 3, 157, 62)], "dining table": [(153, 432, 268, 566), (179, 395, 246, 436)],
    "umbrella": [(14, 205, 89, 531), (108, 266, 134, 438), (233, 276, 267, 395), (251, 235, 318, 446), (324, 154, 427, 443)],
    "racket": [(273, 167, 295, 217)], "ballplayer": [(314, 188, 389, 345), (271, 336, 392, 427)],
    "scoreboard": [(3, 140, 486, 222)], "pizza": [(100, 200, 621, 460), (394, 155, 630, 233)],
    "beer bottle": [(2, 1, 109, 390)], "cab": [(508, 6, 614, 73)], "crash helmet": [(312, 175, 366, 233)],
    "traffic light": [(213, 140, 253, 195), (209, 189, 223, 222), (198, 188, 208, 211)], "street sign": [(219, 51, 279, 130)],
    "sorrel": [(323, 167, 474, 322)], "desk": [(110, 340, 640, 480)], "monitor": SCREENS, "screen": SCREENS,
    "desktop computer": [(190, 60, 276, 157)], "laptop": LAPTOP, "notebook": LAPTOP, "mouse": [(428, 247, 497, 262)],
    "computer keyboard": [(199, 403, 370, 442), (217, 376, 371, 407), (23, 366, 129, 407)],
    "sunglasses": SHADES, "sunglass": SHADES, "cellular telephone": [(491, 326, 594, 356)],
    "tabby": CAT, "tiger cat": CAT, "Egyptian cat": CAT, "espresso": [(205, 95, 372, 193)], "cup": CUP, "coffee mug": CUP,
    "missile": ROCKET, "projectile": ROCKET, "palace": [(62, 28, 388, 427)], "daisy": DAHLIA,
    "tile roof": [(94, 62, 320, 140), (84, 157, 330, 190), (62, 243, 352, 285), (180, 325, 388, 392)],
}  # fmt: skip
SEEN = 0.4
# Validation numbers with the label of another thing; all are far from what is seen.
WRONG = {17: "crash helmet", 38: "pizza", 61: "monitor", 84: "racket", 103: "palace", 122: "traffic light", 149: "espresso",
         166: "scoreboard", 183: "sorrel", 197: "tabby"}  # fmt: skip
CMYK, GRAY, PNG, CUT = 29, 54, 77, 140


def rows(name: str) -> list[dict[str, str]]:
    """Return a card's table."""
    with (TABLES / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def cut(rng: random.Random, picture: Image.Image, box: Box, things: list[Box]) -> tuple[Image.Image, list[Box]]:
    """Cut a place out of a photograph, moved and scaled a little; return it and the boxes of the things in it."""
    left, top, right, bottom = box
    grow = rng.uniform(1.0, 1.3)
    width, height = (right - left) * grow, (bottom - top) * grow
    x = (left + right) / 2 + rng.uniform(-0.1, 0.1) * (right - left) - width / 2
    y = (top + bottom) / 2 + rng.uniform(-0.1, 0.1) * (bottom - top) - height / 2
    frame = [round(v) for v in (max(0, x), max(0, y), min(picture.width, x + width), min(picture.height, y + height))]
    part = picture.crop((frame[0], frame[1], frame[2], frame[3]))
    scale = min(rng.uniform(0.7, 1.0) * SIDE / max(part.size), 1.5)
    size = max(48, round(part.width * scale)), max(48, round(part.height * scale))
    part = part.resize(size, Image.Resampling.LANCZOS)
    if mirror := rng.random() < 0.4:
        part = ImageOps.mirror(part)
    sx, sy = part.width / (frame[2] - frame[0]), part.height / (frame[3] - frame[1])
    boxes = []
    for thing in things or [(frame[0], frame[1], frame[2], frame[3])]:
        x1, y1 = max(thing[0], frame[0]), max(thing[1], frame[1])
        x2, y2 = min(thing[2], frame[2]), min(thing[3], frame[3])
        if max(0, x2 - x1) * max(0, y2 - y1) < SEEN * (thing[2] - thing[0]) * (thing[3] - thing[1]):
            continue
        ends = [(x1 - frame[0]) * sx, (y1 - frame[1]) * sy, (x2 - frame[0]) * sx, (y2 - frame[1]) * sy]
        if mirror:
            ends[0], ends[2] = part.width - ends[2], part.width - ends[0]
        boxes.append((round(ends[0]), round(ends[1]), round(ends[2]), round(ends[3])))
    shade = rng.uniform(0.85, 1.12)
    return part.point(lambda value: min(255, round(value * shade))), boxes


def xml(folder: str, stem: str, size: tuple[int, int], wnid: str, boxes: list[Box]) -> str:
    """Return a picture's annotation in the form of the challenge."""
    objects = "".join(
        f"\t<object>\n\t\t<name>{wnid}</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n"
        "\t\t<difficult>0</difficult>\n\t\t<bndbox>\n"
        + "".join(f"\t\t\t<{t}>{v}</{t}>\n" for t, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
        + "\t\t</bndbox>\n\t</object>\n"
        for box in boxes
    )
    return (
        f"<annotation>\n\t<folder>{folder}</folder>\n\t<filename>{stem}</filename>\n\t<source>\n"
        "\t\t<database>ILSVRC_2012</database>\n\t</source>\n"
        f"\t<size>\n\t\t<width>{size[0]}</width>\n\t\t<height>{size[1]}</height>\n\t\t<depth>3</depth>\n\t</size>\n"
        f"\t<segmented>0</segmented>\n{objects}</annotation>\n"
    )


def packed(members: list[tuple[str, bytes]]) -> bytes:
    """Return a tar with one fixed time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(data), 1_340_000_000, 0o644
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def jpeg(picture: Image.Image) -> bytes:
    """Return a picture as JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=78, optimize=True)
    return buffer.getvalue()


def write(path: Path, text: str) -> None:
    """Write text with LF ends, whatever the system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def build(folder: Path) -> None:
    """Write the whole miniature into a folder."""
    rng = random.Random(SEED)
    classes = {row["torchvision"]: row for row in rows("imagenet-classes.csv")}
    sources = common.sources()
    photos = {name: source.image() for name, source in sources.items()}
    credits: list[common.Credit] = []

    def credit(file: str, source: str) -> None:
        one = sources[source]
        credits.append(common.Credit(file, one.licence, one.credit, one.source))

    archives: list[tuple[str, bytes]] = []
    counts = {}
    for shot in sorted(SHOTS, key=lambda shot: classes[shot.name]["wnid"]):
        wnid, members = classes[shot.name]["wnid"], []
        numbers = sorted(rng.sample(range(1, 20_000), shot.train))
        for place, number in enumerate(numbers):
            source, box = shot.boxes[place % len(shot.boxes)]
            picture, inside = cut(rng, photos[source], box, THINGS.get(shot.name, []))
            stem = f"{wnid}_{number}"
            members.append((f"{stem}.JPEG", jpeg(picture)))
            credit(f"ILSVRC2012_img_train.tar/{stem}.JPEG", source)
            if place < 2:
                if shot.name == "mouse" and place == 0:
                    inside = [(x1, y1, x2, y1) for x1, y1, x2, _ in inside]
                write(
                    folder / "ILSVRC2012_bbox_train" / wnid / f"{stem}.xml",
                    xml(wnid, stem, picture.size, wnid, inside),
                )
        archives.append((f"{wnid}.tar", packed(members)))
        counts[shot.name] = shot.train
    folder.mkdir(exist_ok=True)
    (folder / "ILSVRC2012_img_train.tar").write_bytes(packed(archives))

    truth, real = [], []
    order = [shot for shot in SHOTS for _ in range(VAL)]
    rng.shuffle(order)
    drawn: dict[str, int] = {}
    for number, shot in enumerate(order, 1):
        source, box = shot.boxes[drawn.get(shot.name, 0) % len(shot.boxes)]
        drawn[shot.name] = drawn.get(shot.name, 0) + 1
        picture, inside = cut(rng, photos[source], box, THINGS.get(shot.name, []))
        stem = f"ILSVRC2012_val_{number:08d}"
        path = folder / "ILSVRC2012_img_val" / f"{stem}.JPEG"
        path.parent.mkdir(exist_ok=True)
        given = classes[WRONG.get(number, shot.name)]
        right = [*([shot.name] if shot.own else []), *shot.also]
        assert number not in WRONG or WRONG[number] not in right, number
        truth.append(int(given["devkit"]))
        real.append(sorted(int(classes[name]["index"]) for name in right))
        if number == CMYK:
            path.write_bytes(jpeg(picture.convert("CMYK")))
        elif number == GRAY:
            path.write_bytes(jpeg(picture.convert("L")))
        elif number == PNG:
            picture.resize((96, max(48, 96 * picture.height // picture.width))).quantize(64).convert("RGB").save(
                path, "PNG"
            )
        else:
            data = jpeg(picture)
            path.write_bytes(data[: len(data) * 2 // 3] if number == CUT else data)
        if number != PNG:
            write(
                folder / "ILSVRC2012_bbox_val" / "val" / f"{stem}.xml",
                xml("val", stem, picture.size, given["wnid"], inside),
            )
        credit(path.relative_to(folder).as_posix(), source)
    write(folder / "real.json", json.dumps(real) + "\n")
    kit = folder / "ILSVRC2012_devkit_t12" / "data"
    write(kit / "ILSVRC2012_validation_ground_truth.txt", "".join(f"{value}\n" for value in truth))
    lists(folder, kit, [classes[shot.name] for shot in SHOTS], counts)
    common.write_credits(folder, credits)
    told = ", ".join(f"{number} as {name}" for number, name in WRONG.items())
    common.write_note(
        folder,
        NOTE.format(
            train=sum(counts.values()),
            val=len(order),
            wrong=len(WRONG),
            wrong_list=told,
            cmyk=CMYK,
            gray=GRAY,
            png=PNG,
            cut=CUT,
        ),
    )


def lists(folder: Path, kit: Path, chosen: list[dict[str, str]], counts: dict[str, int]) -> None:
    """Write the lists of words and the tree: the chosen classes and all that they are kinds of."""
    tree = {row["wnid"]: row for row in rows("imagenet-tree.csv")}
    parents = {wnid: row["parents"].split() for wnid, row in tree.items()}
    kept: set[str] = set()
    todo = [row["wnid"] for row in chosen]
    while todo:
        wnid = todo.pop()
        if wnid not in kept:
            kept.add(wnid)
            todo += parents[wnid]
    children = {wnid: sorted(child for child in kept if wnid in parents[child]) for wnid in kept}
    leaves = {row["wnid"]: row for row in chosen}
    inner = sorted(kept - set(leaves), key=lambda wnid: (wnid != "n00001740", wnid))
    ids = {wnid: int(row["devkit"]) for wnid, row in leaves.items()} | {wnid: 1001 + i for i, wnid in enumerate(inner)}
    heights: dict[str, int] = {}

    def height(wnid: str) -> int:
        if wnid not in heights:
            heights[wnid] = 1 + max(map(height, children[wnid])) if children[wnid] else 0
        return heights[wnid]

    words = {wnid: leaves[wnid]["name"] if wnid in leaves else tree[wnid]["name"] for wnid in kept}
    names = {row["wnid"]: row["torchvision"] for row in chosen}
    fields = (
        "ILSVRC2012_ID",
        "WNID",
        "words",
        "gloss",
        "num_children",
        "children",
        "wordnet_height",
        "num_train_images",
    )
    table = np.zeros((len(kept), 1), dtype=[(field, object) for field in fields])
    for place, wnid in enumerate(sorted(kept, key=lambda wnid: ids[wnid])):
        values = (
            float(ids[wnid]), wnid, words[wnid], "", float(len(children[wnid])), [float(ids[c]) for c in children[wnid]],
            float(height(wnid)), float(counts.get(names.get(wnid, ""), 0)),
        )  # fmt: skip
        for field, value in zip(fields, values, strict=True):
            table[place, 0][field] = np.array([value]) if isinstance(value, list) else value
    savemat(kit / "meta.mat", {"synsets": table}, do_compression=True)
    fixed = bytearray((kit / "meta.mat").read_bytes())
    # The header says when and where it was written; the same file must come out every time.
    fixed[:116] = b"MATLAB 5.0 MAT-file, written by SciPy for the miniature of ImageNet".ljust(116)
    (kit / "meta.mat").write_bytes(fixed)
    write(folder / "words.txt", "".join(f"{wnid}\t{words[wnid]}\n" for wnid in sorted(kept)))
    write(
        folder / "wordnet.is_a.txt",
        "".join(f"{parent} {child}\n" for child in sorted(kept) for parent in parents[child] if parent in kept),
    )
    mapped = sorted(chosen, key=lambda row: int(row["devkit"]))
    write(folder / "map_clsloc.txt", "".join(f"{row['wnid']} {row['devkit']} {row['short']}\n" for row in mapped))


if __name__ == "__main__":
    common.main("imagenet", build)
