# ruff: noqa: E501
"""What the COCO miniature shows: hand-made annotations of five photographs, cuts of all, and true captions of each cut.

Captions of whole COCO photographs are COCO's own. A cut keeps, by their numbers, those of them that are still true; the
others were written for this book by looking at the picture. ``stuff`` outlines are drawn well inside the thing they name:
a pixel near a border stays unlabelled rather than wrong.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

Row = dict[str, Any]
Points = list[tuple[float, float]]


class Cut(NamedTuple):
    """One picture: a part (left, top, right, bottom) of a source, with its captions, and what is planted in it."""

    source: str
    number: int
    box: tuple[int, int, int, int] | None = None
    mirror: bool = False
    mode: str = "RGB"
    keep: tuple[int, ...] = (0, 1, 2, 3, 4)
    captions: tuple[str, ...] = ()
    crowds: bool = True


def ring(x: float, y: float, rx: float, ry: float, corners: int = 28) -> Points:
    """Return the corners of an ellipse around (x, y)."""
    turns = [2 * math.pi * i / corners for i in range(corners)]
    return [(round(x + rx * math.cos(t), 2), round(y + ry * math.sin(t), 2)) for t in turns]


# --- objects drawn by hand: source -> [(category id, polygons)] ---
CAT: Points = [
    (41, 0), (398, 0), (384, 25), (371, 57), (358, 76), (364, 107), (363, 144), (353, 173), (340, 201), (322, 230),
    (312, 262), (301, 300), (0, 300), (0, 127), (27, 117), (33, 90), (32, 57), (35, 20),
]  # fmt: skip
CUP: Points = [
    (173, 112), (176, 150), (183, 185), (199, 222), (211, 238), (203, 252), (197, 272), (197, 290), (203, 302), (217, 308),
    (228, 305), (240, 290), (255, 272), (262, 281), (285, 285), (307, 283), (326, 270), (333, 252), (348, 245), (366, 236),
    (378, 226), (390, 200), (400, 170), (406, 140), (408, 115), (403, 88), (393, 66), (375, 47), (350, 31), (320, 21),
    (288, 18), (255, 21), (225, 31), (200, 46), (184, 68), (176, 88),
]  # fmt: skip
SPOON: list[Points] = [
    [(397, 71), (412, 67), (423, 73), (424, 84), (410, 123), (406, 104)],
    [
        (391, 192), (386, 234), (390, 240), (402, 256), (406, 276), (401, 298), (388, 316), (366, 326), (344, 322),
        (330, 306), (326, 286), (330, 267), (344, 250), (360, 245), (376, 235), (382, 213),
    ],
]  # fmt: skip
TABLE: Points = [(0, 110), (60, 76), (163, 0), (600, 0), (600, 400), (0, 400)]
OBJECTS: dict[str, list[tuple[int, list[Points]]]] = {
    "chelsea": [(17, [CAT])],
    "coffee": [(47, [CUP]), (50, SPOON), (67, [TABLE])],
    "rocket": [],
    "china": [],
    "flower": [],
}
# The boats on the lake of china.jpg, too small to outline: one crowd region, as COCO's annotators would have drawn it.
BOATS: Points = [
    (365, 252), (373, 250), (386, 253), (395, 254), (403, 247), (418, 244), (446, 256), (446, 263), (467, 273), (486, 269),
    (500, 256), (544, 258), (425, 279), (408, 285), (385, 287), (373, 300),
]  # fmt: skip

# --- stuff drawn by hand: source -> [(stuff id, polygons)] ---
STUFF: dict[str, list[tuple[int, list[Points]]]] = {
    "000000214753": [
        (155, [[(0, 0), (640, 0), (640, 163), (582, 156), (500, 128), (430, 99), (330, 84), (233, 69), (116, 54), (0, 35)]]),
        (154, [[(0, 188), (90, 185), (180, 190), (240, 205), (330, 240), (480, 250), (640, 280), (640, 424), (0, 424)]]),
    ],
    "000000165518": [
        (120, [[(0, 0), (612, 0), (612, 130), (0, 130)]]),
        (149, [[(0, 490), (269, 478), (392, 468), (610, 552), (611, 611), (0, 611)]]),
    ],
    "000000255165": [
        (173, [[(292, 10), (425, 10), (425, 166), (632, 180), (632, 300), (510, 310), (505, 246), (366, 232), (290, 234)]]),
        (181, [[(0, 0), (72, 0), (72, 165), (0, 170)]]),
    ],
    "china": [
        (157, [[
            (0, 0), (640, 0), (640, 120), (600, 125), (560, 160), (545, 188), (334, 192), (332, 168), (300, 158), (300, 135),
            (322, 132), (322, 114), (275, 92), (240, 82), (218, 58), (218, 26), (192, 26), (190, 58), (160, 82), (115, 92),
            (95, 104), (92, 132), (115, 140), (112, 158), (80, 168), (78, 190), (60, 180), (20, 165), (0, 128),
        ]]),
        (96, [[
            (199, 34), (212, 34), (213, 62), (260, 98), (312, 116), (314, 125), (292, 130), (294, 158), (322, 176), (318, 190),
            (320, 230), (344, 252), (338, 270), (343, 305), (362, 332), (330, 365), (292, 380), (250, 375), (210, 350),
            (160, 342), (150, 330), (82, 333), (80, 285), (72, 270), (75, 255), (98, 245), (96, 232), (100, 190), (94, 178),
            (120, 162), (120, 140), (100, 126), (102, 112), (150, 97), (195, 64),
        ]]),
        (169, [
            [(556, 232), (565, 195), (582, 165), (592, 145), (615, 142), (630, 170), (638, 200), (638, 420), (585, 420), (565, 290)],
            [(365, 420), (372, 375), (402, 335), (440, 310), (500, 295), (545, 288), (560, 340), (565, 420)],
            [(0, 350), (60, 356), (130, 345), (200, 372), (220, 398), (275, 402), (280, 424), (0, 424)],
            [(0, 185), (40, 200), (60, 225), (20, 265), (0, 270)],
        ]),
        (178, [[(352, 243), (420, 244), (490, 246), (545, 243), (545, 265), (500, 276), (440, 294), (395, 318), (372, 316)]]),
    ],
    "flower": [(119, [ring(308, 221, 132, 129), [(300, 424), (296, 405), (345, 380), (395, 384), (425, 386), (436, 424)]])],
    "rocket": [
        (157, [
            [(95, 4), (552, 4), (558, 108), (95, 112)],
            [(212, 118), (298, 118), (298, 330), (212, 330)],
            [(346, 118), (432, 118), (432, 330), (346, 330)],
        ])
    ],
}  # fmt: skip

# --- captions ---
WHOLE: dict[str, tuple[str, ...]] = {
    "chelsea": (
        "A close view of a tabby cat's face.",
        "A brown striped cat with green eyes looks past the camera.",
        "The face of a cat with long white whiskers.",
        "A tabby cat with a pink nose.",
        "A cat looks to one side.",
    ),
    "coffee": (
        "An espresso in a red cup on a red saucer.",
        "A cup of coffee with a spoon on a wooden table.",
        "A small red cup half full of coffee.",
        "A shiny spoon lies on the saucer beside a cup of coffee.",
        "Coffee in a cup that is white inside, seen from above.",
    ),
    "rocket": (
        "A white rocket stands on its launch pad at dusk.",
        "A rocket between tall lattice towers under a dark blue sky.",
        "Lights shine around a rocket that waits for its launch.",
        "A tall rocket on a pad in the evening.",
        "A launch site with a rocket, towers and bright lamps.",
    ),
    "china": (
        "A tower with curved orange roofs rises above the trees beside a lake.",
        "An ornate red and green building in front of a wide lake.",
        "Small boats on a lake behind a Chinese tower.",
        "Trees surround a tower of several storeys.",
        "An old Chinese building seen above the treetops on a clear day.",
    ),
    "flower": (
        "A round orange dahlia against dark green leaves.",
        "A single large orange flower in full bloom.",
        "An orange flower with many small petals, a second one below it.",
        "A close view of an orange flower.",
        "The dense petals of a flower in front of a blurred background.",
    ),
}

# The crowd region of 129648 was drawn carelessly: far from the people it also marks the empty bowl. The whole picture
# shows it as COCO has it; a cut that would show the bowl alone leaves it out (crowds=False).
TRAIN: list[Cut] = [
    Cut("000000129648", 0),
    Cut("000000129648", 1, (20, 115, 320, 375), crowds=False, keep=(0, 1, 2, 3), captions=(
        "A young skateboarder crouches on his board at the edge of a blue bowl.",)),
    Cut("000000129648", 2, (20, 115, 320, 375), mirror=True, crowds=False, keep=(0, 1, 2, 3), captions=(
        "A young skateboarder crouches on his board at the edge of a blue bowl.",)),
    Cut("000000159269", 0),
    Cut("000000159269", 1, (0, 260, 427, 640)),
    Cut("000000159269", 2, (100, 200, 360, 460), keep=(0, 1, 4), captions=(
        "Closed umbrellas stand on a beach while small boats lie on the water behind.",
        "The sky glows over folded parasols by the sea.")),
    Cut("000000159269", 3, (0, 260, 427, 640), mirror=True),
    Cut("000000174375", 0),
    Cut("000000174375", 1, (200, 60, 440, 400)),
    Cut("000000174375", 2, (250, 150, 640, 427)),
    Cut("000000174375", 3, (200, 60, 440, 400), mirror=True, mode="L"),
    Cut("000000433998", 0),
    Cut("000000433998", 1, (270, 170, 470, 427), keep=(0, 1, 2, 4), captions=(
        "A pitcher on the mound faces a batter whose back is turned to us.",)),
    Cut("000000433998", 2, (100, 135, 640, 427), keep=(0, 1, 2, 4), captions=(
        "A pitcher winds up below a scoreboard full of results from other games.",)),
]  # fmt: skip
GRID_TRAIN = (("000000129648", "000000159269", "000000433998", "000000174375"), (
    "Four photographs in one picture: a skateboarder, a beach, a pitcher and a tennis player.",
    "Three pictures of sports and one of umbrellas on a beach.",
    "A picture put together from four photographs.",
    "A skateboarder, a baseball player and a tennis player, each in a photograph of their own.",
    "Four scenes side by side, one of them a beach with tables and chairs.",
))  # fmt: skip

VAL: list[Cut] = [
    Cut("000000160012", 0),
    Cut("000000160012", 1, (90, 150, 640, 461), keep=(0, 2, 3, 4), captions=(
        "A large pizza with slices of tomato lies on a board, a second pizza behind it.",)),
    Cut("000000160012", 2, (0, 0, 130, 400), keep=(), captions=(
        "A dark green bottle with a yellow label.",
        "The label of a bottle shows a bird with spread wings.",
        "A tall green bottle stands at the edge of a table in the evening.",
        "A close view of a glass bottle.",
        "A bottle in front of a chair at night.")),
    Cut("000000160012", 3, (90, 150, 640, 461), mirror=True, keep=(0, 2, 3, 4), captions=(
        "A large pizza with slices of tomato lies on a board, a second pizza behind it.",)),
    Cut("000000165518", 0),
    Cut("000000165518", 1, (200, 150, 480, 530), keep=(0, 1, 2, 4), captions=(
        "A rider in a helmet comes towards us with the headlight on.",)),
    Cut("000000165518", 2, (200, 150, 480, 530), mirror=True, keep=(0, 1, 2, 4), captions=(
        "A rider in a helmet comes towards us with the headlight on.",)),
    Cut("000000183709", 1, (0, 0, 385, 640), keep=(1, 2, 3), captions=(
        "People seen from behind wait at a zebra crossing in a town.",
        "A person in a dark jacket and a knitted cap, with a bag over the shoulder, waits at a crossing.")),
    Cut("000000183709", 2, (100, 40, 385, 390), keep=(), captions=(
        "A traffic light and road signs at a street corner with people far away.",
        "A head in a knitted cap in front of a crossing with people on the other side.",
        "Blue direction signs hang beside a traffic light in a city.",
        "Cars and people on the far side of a street.",
        "Road signs point the way to Novara and Pavia.")),
    Cut("000000214753", 0),
    Cut("000000214753", 1, (210, 90, 500, 340)),
    Cut("000000214753", 2, mirror=True),
    Cut("000000214753", 3, (318, 95, 500, 335), keep=(), captions=(
        "A rider on a brown horse, seen from behind, on wet sand.",
        "A person riding a horse on the beach.",
        "A rider wearing a helmet sits on a brown horse.",
        "Someone rides a horse along a rocky shore.",
        "A horse and its rider by the sea.")),
    Cut("000000255165", 0),
    Cut("000000255165", 1, (190, 220, 520, 460), keep=(3,), captions=(
        "Two flat screens and two keyboards on a wooden desk.",
        "A cup stands beside two monitors on a desk.",
        "Two monitors show web pages, each with a small picture of a desk.",
        "Two keyboards lie one behind the other in front of two screens.")),
    Cut("000000255165", 2, (0, 180, 330, 480), keep=(), captions=(
        "An open laptop stands on a desk beside a telephone.",
        "A laptop, a telephone and a shelf with books.",
        "A corner of a desk with a laptop and part of a keyboard.",
        "Books stand on a shelf above a desk with a laptop.",
        "A laptop with a dark screen to the side of a monitor.")),
    Cut("000000553664", 0),
    Cut("000000553664", 1, (250, 120, 600, 370), keep=(0, 1, 3), captions=(
        "An open red laptop on a wooden table in front of bookshelves.",
        "A telephone on a white cable lies beside a red laptop.")),
    Cut("000000553664", 2, (410, 0, 600, 215), keep=(), captions=(
        "White shelves full of books.",
        "Books stand upright on white bookshelves.",
        "Rows of books in a bright room.",
        "Shelves with books of many colours.",
        "Books stand and lean on white shelves.")),
    Cut("000000553664", 3, (250, 120, 600, 370), mirror=True, mode="CMYK", keep=(0, 1, 3), captions=(
        "An open red laptop on a wooden table in front of bookshelves.",
        "A telephone on a white cable lies beside a red laptop.")),
    Cut("chelsea", 1),
    Cut("chelsea", 2, (20, 0, 420, 300), mirror=True),
    Cut("coffee", 1),
    Cut("coffee", 2, (150, 10, 450, 350)),
    Cut("rocket", 1),
    Cut("china", 1),
    Cut("flower", 1),
]  # fmt: skip
GRID_VAL = (("000000214753", "000000165518", "000000160012", "000000553664"), (
    "Four photographs in one picture: riders on a beach, a motorcycle in fog, a pizza and a laptop.",
    "A picture put together from four photographs.",
    "Two horses, a motorcycle, pizzas and a red laptop in four scenes.",
    "Four scenes side by side, two of them with riders.",
    "A pizza below a beach, a laptop below a foggy road.",
))  # fmt: skip
