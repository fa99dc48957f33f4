# ruff: noqa: E501
"""Drawn faces: forty people who do not exist, each in as many pictures as asked, for the miniatures of LFW and CASIA.

A person is a set of numbers (shape of the face, hair, eyes, ...); a picture adds pose, light, expression, background and
noise. Everything is drawn with polygons and lines: nobody was photographed, and nobody could take it for a photograph.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 250
"""Width and height of a picture, as LFW's."""
SUPER = 3
"""Drawn so many times larger, then made smaller: smooth lines."""
INK = (38, 30, 34)
Colour = tuple[int, int, int]

SKINS: list[Colour] = [
    (247, 217, 190), (240, 196, 160), (226, 172, 130), (205, 148, 104),
    (178, 120, 80), (146, 94, 62), (112, 70, 48), (84, 54, 40),
]  # fmt: skip
HAIRS: list[Colour] = [
    (30, 26, 28), (62, 40, 30), (104, 64, 38), (150, 96, 48), (196, 150, 84), (222, 190, 128),
    (150, 60, 34), (120, 116, 120), (206, 204, 204),
]  # fmt: skip
IRIS: list[Colour] = [(70, 44, 28), (98, 66, 36), (88, 112, 66), (74, 112, 142), (110, 120, 126), (44, 34, 30)]
CLOTH: list[Colour] = [
    (52, 84, 128), (150, 54, 58), (60, 110, 84), (196, 160, 70), (96, 76, 124), (70, 72, 80), (206, 204, 196), (34, 40, 58),
]  # fmt: skip
WALLS: list[Colour] = [
    (202, 214, 222), (224, 206, 184), (150, 166, 158), (98, 112, 134), (186, 164, 160), (214, 222, 200), (82, 78, 84),
]  # fmt: skip

FIRST = [
    "Alder",
    "Aspen",
    "Basil",
    "Bay",
    "Birch",
    "Briar",
    "Bryony",
    "Cedar",
    "Cicely",
    "Clover",
    "Coral",
    "Dahlia",
    "Elder",
    "Fern",
    "Flax",
    "Hazel",
    "Heather",
    "Holly",
    "Iris",
    "Ivy",
    "Jasmine",
    "Juniper",
    "Laurel",
    "Lily",
    "Linden",
    "Maple",
    "Marigold",
    "Mint",
    "Moss",
    "Myrtle",
    "Oak",
    "Olive",
    "Poppy",
    "Reed",
    "Rose",
    "Rowan",
    "Rue",
    "Sage",
    "Sorrel",
    "Willow",
]
LAST = [
    "Crayon",
    "Charcoal",
    "Pencil",
    "Ink",
    "Pastel",
    "Brush",
    "Chalk",
    "Easel",
    "Canvas",
    "Palette",
    "Stencil",
    "Sketch",
]


def names(count: int = 40) -> list[str]:
    """Return the people's names: a plant and a thing to draw with, sorted; a few have a hyphen or three parts."""
    made = []
    for i, first in enumerate(FIRST[:count]):
        last = LAST[(5 * i) % len(LAST)]
        if i % 13 == 6:
            first = f"{first}-{FIRST[(i + 7) % len(FIRST)]}"
        elif i % 17 == 4:
            first = f"{first}_{chr(65 + i % 26)}"
        made.append(f"{first}_{last}")
    return sorted(made)


class Person(NamedTuple):
    """What makes a drawn person the same in every picture; lengths in halves of the head's width."""

    skin: Colour
    hair: Colour
    iris: Colour
    style: str
    beard: str
    glasses: str
    width: float
    height: float
    jaw: float
    chin: float
    eye_gap: float
    eye_size: float
    eye_tilt: float
    eye_height: float
    brow: float
    brow_tilt: float
    brow_gap: float
    nose_length: float
    nose_width: float
    mouth_width: float
    lips: float
    mouth_height: float
    ears: float
    mark: tuple[float, float] | None
    freckles: int
    lines: bool


class Shot(NamedTuple):
    """What differs from picture to picture of one person."""

    yaw: float
    pitch: float
    roll: float
    scale: float
    shift: tuple[float, float]
    smile: float
    open_mouth: float
    lids: float
    light: float
    light_angle: float
    gamma: float
    noise: float
    blur: float
    wall: int
    scene: int
    cloth: int
    seed: int


STYLES = ("bald", "crop", "parting", "fringe", "long", "bun", "curls", "afro", "quiff", "bob")
BEARDS = ("none", "none", "none", "stubble", "moustache", "goatee", "full")


def person(number: int, seed: int = 2007) -> Person:
    """Return the drawn person of a number: the same numbers for the same seed, whatever else was drawn."""
    r = random.Random(seed * 1000 + number)
    beard = r.choice(BEARDS)
    style = STYLES[(number * 7 + r.randrange(3)) % len(STYLES)]
    return Person(
        skin=SKINS[(number * 3 + r.randrange(2)) % len(SKINS)],
        hair=r.choice(HAIRS),
        iris=r.choice(IRIS),
        style=style,
        beard=beard,
        glasses=r.choice(("none", "none", "none", "round", "square")),
        width=r.uniform(0.80, 1.02),
        height=r.uniform(1.16, 1.40),
        jaw=r.uniform(1.9, 3.2),
        chin=r.uniform(0.52, 0.86),
        eye_gap=r.uniform(0.33, 0.47),
        eye_size=r.uniform(0.13, 0.20),
        eye_tilt=r.uniform(-0.22, 0.22),
        eye_height=r.uniform(0.38, 0.62),
        brow=r.uniform(0.03, 0.10),
        brow_tilt=r.uniform(-0.35, 0.3),
        brow_gap=r.uniform(0.17, 0.29),
        nose_length=r.uniform(0.34, 0.56),
        nose_width=r.uniform(0.12, 0.25),
        mouth_width=r.uniform(0.26, 0.46),
        lips=r.uniform(0.04, 0.12),
        mouth_height=r.uniform(0.56, 0.70),
        ears=r.uniform(0.14, 0.24),
        mark=(r.uniform(-0.5, 0.5), r.uniform(0.0, 0.6)) if r.random() < 0.3 else None,
        freckles=r.choice((0, 0, 0, 24)),
        lines=r.random() < 0.3,
    )


def shot(number: int, index: int, seed: int = 2007, spread: float = 0.47) -> Shot:
    """Return pose, light and noise of one picture; ``spread`` widens or narrows all of them."""
    r = random.Random(seed * 1_000_000 + number * 1000 + index)
    return Shot(
        yaw=max(-0.75, min(0.75, r.gauss(0, 0.27) * spread)),
        pitch=r.gauss(0, 0.09) * spread,
        roll=r.gauss(0, 5.0) * spread,
        scale=1 + r.gauss(0, 0.045) * spread,
        shift=(r.gauss(0, 3.2) * spread, r.gauss(0, 3.2) * spread),
        smile=r.uniform(-0.35, 1.0),
        open_mouth=max(0.0, r.gauss(0.0, 0.5)),
        lids=r.choice((0.0, 0.0, 0.1, 0.3, 0.9 if r.random() < 0.25 else 0.2)),
        light=r.uniform(0.05, 0.55) * spread,
        light_angle=r.uniform(0, 2 * math.pi),
        gamma=math.exp(r.gauss(0, 0.22) * spread),
        noise=abs(r.gauss(3, 3)) * spread,
        blur=max(0.0, r.gauss(0.2, 0.5)) * spread,
        wall=r.randrange(len(WALLS)),
        scene=r.randrange(4),
        cloth=r.randrange(len(CLOTH)),
        seed=r.randrange(1 << 30),
    )


def _mix(a: Colour, b: Colour, t: float) -> Colour:
    return tuple(round(x + (y - x) * t) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


class _Board:
    """A picture that takes places on a turned head: x to the right, y down, z towards us."""

    def __init__(self, one: Person, s: Shot) -> None:
        self.image = Image.new("RGB", (SIDE * SUPER, SIDE * SUPER), WALLS[s.wall])
        self.draw = ImageDraw.Draw(self.image)
        self.unit = 54.0 * SUPER * s.scale
        self.cos, self.sin = math.cos(s.yaw), math.sin(s.yaw)
        self.pitch = s.pitch
        self.turn = math.radians(s.roll)
        self.middle = ((SIDE / 2 + s.shift[0]) * SUPER, (SIDE / 2 + 2 + s.shift[1]) * SUPER)
        self.one = one

    def at(self, x: float, y: float, z: float = 0.0) -> tuple[float, float]:
        x, z = x * self.cos + z * self.sin, z * self.cos - x * self.sin
        y = y + self.pitch * z
        c, s = math.cos(self.turn), math.sin(self.turn)
        return self.middle[0] + (x * c - y * s) * self.unit, self.middle[1] + (x * s + y * c) * self.unit

    def shape(
        self, points: Sequence[tuple[float, ...]], fill: Colour | None, line: Colour | None = INK, width: float = 2
    ) -> None:
        placed = [self.at(*point) for point in points]
        if fill is not None:
            self.draw.polygon(placed, fill=fill)
        if line is not None:
            self.stroke([*placed, placed[0], placed[1]], line, width)

    def line(self, points: Sequence[tuple[float, ...]], line: Colour = INK, width: float = 2) -> None:
        self.stroke([self.at(*point) for point in points], line, width)

    def stroke(self, placed: Sequence[tuple[float, float]], line: Colour, width: float) -> None:
        self.draw.line(placed, fill=line, width=max(1, round(width * SUPER / 2)), joint="curve")

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour | None, line: Colour | None = INK, z: float = 0.0,
             tilt: float = 0.0, width: float = 2) -> None:  # fmt: skip
        c, s = math.cos(tilt), math.sin(tilt)
        ring = [(rx * math.cos(t), ry * math.sin(t)) for t in np.linspace(0, 2 * math.pi, 40, endpoint=False)]
        self.shape([(x + u * c - v * s, y + u * s + v * c, z) for u, v in ring], fill, line, width)


def _outline(one: Person, grow: float = 0.0, top: float = 1.0) -> list[tuple[float, float, float]]:
    """Return the face's outline: an oval above, towards the chin a squarer and narrower one."""
    points = []
    for t in np.linspace(0, 2 * math.pi, 72, endpoint=False):
        c, s = math.cos(t), math.sin(t)
        power = 2.0 if s < 0 else one.jaw
        radius = (abs(c) ** power + abs(s) ** power) ** (-1 / power)
        x, y = radius * c, radius * s
        narrow = 1 - (1 - one.chin) * max(0.0, y) ** 1.6
        height = one.height if y > 0 else one.height * 0.92 * top
        points.append((x * one.width * narrow * (1 + grow), y * height * (1 + grow), 0.0))
    return points


def _scene(board: _Board, s: Shot) -> None:
    r = random.Random(s.seed)
    wall, size = WALLS[s.wall], SIDE * SUPER
    draw = board.draw
    if s.scene == 1:
        for _ in range(5):
            x, w = r.randrange(size), r.randrange(20, 80) * SUPER
            draw.rectangle((x, 0, x + w, size), fill=_mix(wall, r.choice(WALLS), 0.45))
    elif s.scene == 2:
        for _ in range(9):
            x, y, q = r.randrange(size), r.randrange(size), r.randrange(8, 34) * SUPER
            draw.ellipse((x - q, y - q, x + q, y + q), fill=_mix(wall, (255, 255, 255), r.uniform(0.1, 0.5)))
    elif s.scene == 3:
        horizon = r.randrange(SIDE // 3, SIDE // 2) * SUPER
        draw.rectangle((0, horizon, size, size), fill=_mix(wall, (60, 70, 60), 0.4))


def _body(board: _Board, one: Person, s: Shot) -> None:
    cloth = CLOTH[s.cloth]
    neck = one.width * 0.52
    board.shape(
        [(-neck, 0.7, -0.3), (neck, 0.7, -0.3), (neck * 1.1, 1.9, -0.3), (-neck * 1.1, 1.9, -0.3)],
        _mix(one.skin, INK, 0.18),
    )
    shoulders = [
        (-2.4, 3.4),
        (-2.1, 2.1),
        (-1.3, 1.78),
        (-neck * 1.05, 1.55),
        (0, 1.95),
        (neck * 1.05, 1.55),
        (1.3, 1.78),
        (2.1, 2.1),
        (2.4, 3.4),
    ]
    board.shape([(x, y, -0.3) for x, y in shoulders], cloth)
    board.line(
        [(-neck * 1.05, 1.55, -0.3), (0, 2.0, -0.2), (neck * 1.05, 1.55, -0.3)], _mix(cloth, (255, 255, 255), 0.45), 5
    )


def _hair_behind(board: _Board, one: Person) -> None:
    hair = one.hair
    w, h = one.width, one.height
    if one.style in ("long", "bob"):
        end = 1.75 if one.style == "long" else 0.95
        side = [
            (-w * 1.22, -0.1),
            (-w * 1.25, end),
            (-w * 0.75, end + 0.12),
            (w * 0.75, end + 0.12),
            (w * 1.25, end),
            (w * 1.22, -0.1),
        ]
        top = [(w * 1.15 * math.cos(t), -0.1 - h * 1.02 * math.sin(t)) for t in np.linspace(0, math.pi, 24)]
        board.shape([(x, y, -0.25) for x, y in [*side, *top]], hair)
    elif one.style == "afro":
        board.oval(0, -h * 0.5, w * 1.5, h * 0.98, hair, z=-0.2)
    elif one.style == "bun":
        board.oval(0, -h * 1.12, w * 0.42, w * 0.4, hair, z=-0.5)


def _hair(board: _Board, one: Person) -> None:
    hair, w, h = one.hair, one.width, one.height
    if one.style == "bald":
        board.line(
            [(-0.3, -h * 0.74, 0.3), (-0.1, -h * 0.8, 0.3), (0.12, -h * 0.79, 0.3)],
            _mix(one.skin, (255, 255, 255), 0.5),
            5,
        )
        return
    front = {
        "crop": 0.60,
        "parting": 0.56,
        "fringe": 0.40,
        "long": 0.58,
        "bun": 0.62,
        "curls": 0.54,
        "afro": 0.60,
        "quiff": 0.60,
        "bob": 0.42,
    }
    low = front[one.style] * h
    arc = [(w * 1.06 * math.cos(t), -h * 0.16 - h * 0.84 * math.sin(t)) for t in np.linspace(0, math.pi, 28)]
    if one.style in ("fringe", "bob"):
        edge = [
            (-w * 0.98, -h * 0.12),
            (-w * 0.8, -low),
            (-w * 0.3, -low * 0.92),
            (w * 0.3, -low * 0.94),
            (w * 0.8, -low),
            (w * 0.98, -h * 0.12),
        ]
    elif one.style == "parting":
        edge = [
            (-w * 1.0, -h * 0.1),
            (-w * 0.82, -h * 0.40),
            (-w * 0.35, -low * 1.32),
            (w * 0.25, -low * 0.9),
            (w * 0.85, -h * 0.36),
            (w * 1.0, -h * 0.1),
        ]
    else:
        edge = [
            (-w * 1.0, -h * 0.1),
            (-w * 0.84, -h * 0.42),
            (-w * 0.4, -low * 1.08),
            (w * 0.4, -low * 1.08),
            (w * 0.84, -h * 0.42),
            (w * 1.0, -h * 0.1),
        ]
    board.shape([*((x, y, 0.05) for x, y in arc), *((x, y, 0.25) for x, y in edge)], hair)
    shine = _mix(hair, (255, 255, 255), 0.25)
    if one.style == "curls":
        for t in np.linspace(0.05, math.pi - 0.05, 13):
            board.oval(w * 1.03 * math.cos(t), -h * 0.2 - h * 0.74 * math.sin(t), 0.17, 0.17, hair, z=0.05, width=1.5)
    elif one.style == "quiff":
        board.shape(
            [
                (-w * 0.6, -h * 0.82, 0.2),
                (-w * 0.5, -h * 1.16, 0.2),
                (w * 0.1, -h * 1.24, 0.2),
                (w * 0.72, -h * 1.05, 0.2),
                (w * 0.6, -h * 0.72, 0.2),
            ],
            hair,
        )
    else:
        for k in (-0.35, 0.0, 0.35):
            board.line(
                [(w * k - 0.1, -h * 0.93, 0.1), (w * k, -h * 0.8, 0.2), (w * k + 0.06, -low * 1.12, 0.25)], shine, 1.5
            )


def _eyes(board: _Board, one: Person, s: Shot) -> None:
    y = -one.eye_height * 0.5 + 0.02
    for side in (-1, 1):
        x, q = side * one.eye_gap, one.eye_size
        tilt = side * one.eye_tilt
        tall = q * 0.62 * (1 - 0.85 * s.lids)
        board.oval(x, y, q, max(tall, 0.012), (250, 248, 244), tilt=tilt, z=0.55, width=2.2)
        if s.lids < 0.6:
            look = 0.25 * q * math.sin(s.seed)
            board.oval(x + look, y, q * 0.47, min(tall, q * 0.5), one.iris, z=0.57, width=1)
            board.oval(x + look, y, q * 0.22, min(tall, q * 0.24), INK, None, z=0.58)
            board.oval(x + look - q * 0.14, y - q * 0.14, q * 0.09, q * 0.09, (255, 255, 255), None, z=0.59)
        lid = [
            (x + u * q, y + side * one.eye_tilt * u * q - math.sqrt(max(0, 1 - u * u)) * tall - 0.012, 0.57)
            for u in np.linspace(-1.1, 1.1, 12)
        ]
        board.line(lid, INK, 3)
        top = y - one.brow_gap - 0.03 * s.smile
        bend = [
            (x + u * q * 1.35, top - side * u * one.brow_tilt * q - 0.035 * (1 - u * u), 0.55)
            for u in np.linspace(-1, 1, 9)
        ]
        board.line(bend, _mix(one.hair, INK, 0.45), 2 + one.brow * 60)


def _nose_and_mouth(board: _Board, one: Person, s: Shot) -> None:
    shade = _mix(one.skin, (96, 40, 30), 0.35)
    tip = -0.12 + one.nose_length
    n = one.nose_width
    board.line([(0.05, -0.16, 0.62), (0.07, tip - 0.1, 0.92)], shade, 3)
    board.line([(-n, tip - 0.03, 0.62), (-n * 0.9, tip + 0.05, 0.66), (-n * 0.3, tip + 0.04, 0.84), (0, tip + 0.08, 0.92), (n * 0.3, tip + 0.04, 0.84),
                (n * 0.9, tip + 0.05, 0.66), (n, tip - 0.03, 0.62)], _mix(shade, INK, 0.4), 3)  # fmt: skip
    y, w = one.mouth_height * one.height * 0.82, one.mouth_width * (1 + 0.18 * s.smile)
    lips = _mix(one.skin, (170, 48, 60), 0.55)
    curve = [(u * w, y - 0.09 * s.smile * u * u - 0.02, 0.55) for u in np.linspace(-1, 1, 15)]
    gap = 0.07 * s.open_mouth
    lower = [(u * w, y - 0.09 * s.smile * u * u + (gap + one.lips) * (1 - u * u), 0.57) for u in np.linspace(1, -1, 15)]
    upper = [
        (u * w, y - 0.09 * s.smile * u * u - one.lips * (1 - u * u) * (1 - 0.3 * math.cos(3 * u)), 0.58)
        for u in np.linspace(-1, 1, 15)
    ]
    board.shape([*upper, *lower], lips, _mix(lips, INK, 0.5), 1.5)
    if gap > 0.03:
        teeth = [(u * w * 0.8, y - 0.07 * s.smile * u * u + gap * (1 - u * u), 0.57) for u in np.linspace(1, -1, 11)]
        board.shape(
            [*[(u * w * 0.8, y - 0.07 * s.smile * u * u - 0.01, 0.57) for u in np.linspace(-1, 1, 11)], *teeth],
            (250, 248, 242),
            INK,
            1.5,
        )
    else:
        board.line(curve, _mix(lips, INK, 0.75), 2.5)
    if one.lines:
        for side in (-1, 1):
            board.line([(side * n * 1.25, tip + 0.02, 0.6), (side * w * 1.22, y - 0.04, 0.5)], shade, 2)
    if one.lines:
        for k in (0.0, 0.11):
            board.line(
                [
                    (-0.3, -one.height * 0.5 - k, 0.5),
                    (0, -one.height * 0.52 - k, 0.55),
                    (0.3, -one.height * 0.5 - k, 0.5),
                ],
                shade,
                1.5,
            )


def _beard(board: _Board, one: Person) -> None:
    if one.beard == "none":
        return
    hair = _mix(one.hair, one.skin, 0.1)
    y, w = one.mouth_height * one.height * 0.82, one.mouth_width
    if one.beard in ("full", "stubble"):
        outline = [point for point in _outline(one) if point[1] > 0.12]
        outline.sort(key=lambda p: math.atan2(p[1], p[0]))
        inner = [(math.cos(t) * w * 1.9, y - 0.42 + 0.36 * math.sin(t), 0.4) for t in np.linspace(math.pi, 0, 14)]
        fill = hair if one.beard == "full" else _mix(one.skin, one.hair, 0.34)
        board.shape([*outline, *inner], fill, None)
    if one.beard in ("goatee", "full"):
        board.oval(
            0, y + 0.3, w * 0.75, 0.24, hair, _mix(hair, INK, 0.5) if one.beard == "goatee" else None, z=0.5, width=1.5
        )
    if one.beard in ("moustache", "goatee", "full"):
        top = y - one.lips - 0.13
        board.shape([(-w * 1.1, y - 0.02, 0.5), (-w * 0.6, top, 0.6), (0, top + 0.04, 0.66), (w * 0.6, top, 0.6), (w * 1.1, y - 0.02, 0.5), (0, y - one.lips * 0.9, 0.64)],
                    hair, _mix(hair, INK, 0.5), 1.5)  # fmt: skip


def _extras(board: _Board, one: Person, s: Shot) -> None:
    y = -one.eye_height * 0.5 + 0.02
    if one.mark:
        board.oval(one.mark[0] * one.width, one.mark[1], 0.035, 0.035, _mix(one.skin, INK, 0.7), None, z=0.45)
    r = random.Random(one.freckles + round(one.width * 1e6))
    for _ in range(one.freckles):
        x, v = r.uniform(-0.62, 0.62), r.uniform(0.0, 0.34)
        board.oval(x * one.width, v, 0.014, 0.014, _mix(one.skin, (120, 60, 30), 0.5), None, z=0.5)
    if one.glasses != "none":
        for side in (-1, 1):
            q = one.eye_size * 1.55
            if one.glasses == "round":
                board.oval(side * one.eye_gap, y, q, q * 0.92, None, (24, 24, 28), z=0.68, width=4)
            else:
                x = side * one.eye_gap
                box = [
                    (x - q, y - q * 0.62),
                    (x + q, y - q * 0.62),
                    (x + q * 0.9, y + q * 0.7),
                    (x - q * 0.9, y + q * 0.7),
                ]
                board.shape([(u, v, 0.68) for u, v in box], None, (24, 24, 28), 4)
            board.line([(side * (one.eye_gap + q), y, 0.66), (side * one.width * 1.02, y - 0.05, 0.0)], (24, 24, 28), 3)
        inner = one.eye_gap - one.eye_size * 1.55
        board.line([(-inner, y, 0.7), (0, y - 0.05, 0.74), (inner, y, 0.7)], (24, 24, 28), 4)


def _shaded(picture: Image.Image, s: Shot) -> Image.Image:
    if s.blur > 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(s.blur))
    pixels = np.asarray(picture, np.float64) / 255
    ramp = np.linspace(-1, 1, SIDE)
    field = ramp[None, :] * math.cos(s.light_angle) + ramp[:, None] * math.sin(s.light_angle)
    pixels = np.clip(pixels, 1e-4, 1) ** s.gamma * np.clip(1 + s.light * field, 0.25, 1.8)[..., None]
    noise = np.random.default_rng(s.seed).normal(0, s.noise / 255, pixels.shape)
    return Image.fromarray((np.clip(pixels + noise, 0, 1) * 255).round().astype(np.uint8))


def draw(one: Person, s: Shot, behind: tuple[Person, Shot] | None = None) -> Image.Image:
    """Return one picture of a drawn person, 250 x 250 pixels; ``behind`` puts a second face at the edge."""
    board = _Board(one, s)
    _scene(board, s)
    if behind is not None:
        other, shot_of = behind
        small = draw(other, shot_of._replace(noise=0, blur=0, light=0, gamma=1)).resize((118, 118))
        board.image.paste(
            small.resize((118 * SUPER, 118 * SUPER)).crop((0, 0, 118 * SUPER, 118 * SUPER)),
            ((SIDE - 84) * SUPER, 30 * SUPER),
        )
    _hair_behind(board, one)
    _body(board, one, s)
    for side in (-1, 1):
        board.oval(
            side * one.width * 1.0, 0.0, one.ears * 0.62, one.ears * 1.25, _mix(one.skin, (150, 70, 50), 0.15), z=-0.1
        )
    board.shape(_outline(one), one.skin, INK, 2.5)
    for side in (-1, 1):
        board.oval(side * one.width * 0.55, 0.28, 0.17, 0.1, _mix(one.skin, (214, 96, 84), 0.22), None, z=0.42)
    parts: list[Callable[[], None]] = [
        lambda: _beard(board, one),
        lambda: _nose_and_mouth(board, one, s),
        lambda: _eyes(board, one, s),
        lambda: _hair(board, one),
        lambda: _extras(board, one, s),
    ]
    for part in parts:
        part()
    return _shaded(board.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS), s)
