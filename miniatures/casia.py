# ruff: noqa: E501
"""Build CASIA-WebFace's miniature: drawn people in image folders, InsightFace's pack of them, lists, planted label noise."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from PIL import Image

try:
    from miniatures import common, faces
    from miniatures import lfw as faces_lfw
except ImportError:
    import common  # type: ignore[no-redef]
    import faces  # type: ignore[no-redef]
    import lfw as faces_lfw  # type: ignore[no-redef]

SEED = 1411
MAGIC = 0xCED7230A
COUNTS = (16, 14, 12, 11, 10, 9, 9, 8, 8, 7, 7, 6, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2)
FOREIGN = 500
"""Drawn people from this number on are in this miniature alone."""
# (rank in COUNTS, name here, rank in LFW's miniature or None for a namesake or a stranger). The names come out as LFW's
# miniature has them, or written otherwise, as in the true lists: exactly; another case; a middle initial; another order.
SHARED = {3: "same", 8: "same", 14: "case", 17: "initial", 20: "order", 11: "namesake"}
PARTNERS = {0: 2, 2: 0, 1: 6, 4: 9, 5: 10, 7: 12, 9: 4, 13: 15}
"""Who shares a gallery with whom: a wrong face is the partner's, so the noise comes in clusters."""
NOISE = {0: (4, 9, 13), 2: (5, 11), 1: (3, 8), 4: (2, 7), 5: (6,), 7: (3, 5), 9: (4,), 13: (2, 6)}
TWICE = ((6, 2, 5), (12, 1, 4))
NOTE = """
This is the miniature of CASIA-WebFace that comes with the book Image Datasets for Deep Learning, not CASIA-WebFace: {images}
pictures of {people} people who do not exist, drawn by a script from random numbers; ids that begin with 99 and all names were
made up. CASIA-WebFace/ has a folder for each id, as the first release had. faces_webface_112x112/ is a pack as InsightFace
makes them (train.rec, train.idx, train.lst, property): the same pictures cut to 112 x 112 pixels, less {dropped} identities that
LFW's miniature has too. Planted: {wrong} pictures that show a person other than their folder says, always the same one in a
folder, told in planted.tsv; two pairs of nearly the same picture; one record in several parts, because its picture's bytes hold
the magic number; one namesake among the names shared with LFW's miniature; a verification set in a pickle, lfw.bin, which
holds nothing and is refused; an empty picture file. No number measured on it says anything of CASIA-WebFace or of people.
"""


class Someone(NamedTuple):
    """A person of this miniature: id, name, number of pictures, number of the drawn person, name in LFW's miniature."""

    id: str
    name: str
    images: int
    drawn: int
    lfw: str | None
    how: str | None


def people() -> list[Someone]:
    """Return the people by id."""
    r = random.Random(SEED)
    ids = sorted(r.sample(range(9_900_000, 9_999_999), len(COUNTS)))
    ranks = list(range(len(COUNTS)))
    r.shuffle(ranks)
    there = {rank: name for name, count, rank in faces_lfw.people()}
    pool = [rank for rank, name in sorted(there.items()) if "-" not in name and name.count("_") == 1][3:]
    loners = [f"{first}_{last}" for last, first in zip(faces.LAST * 4, reversed(faces.FIRST), strict=False)]
    loners = [name for name in loners if name not in there.values()]
    found = []
    for place, (number, rank) in enumerate(zip(ids, ranks, strict=True)):
        how = SHARED.get(rank)
        if how is None:
            found.append(Someone(str(number), loners[place], COUNTS[rank], FOREIGN + rank, None, None))
            continue
        drawn = pool[list(SHARED).index(rank)]
        lfw = there[drawn]
        first, last = lfw.split("_")
        name = {"same": lfw, "case": f"{first}_{last.lower()}", "order": f"{last}_{first}"}.get(
            how, f"{first}_B._{last}"
        )
        found.append(Someone(str(number), name, COUNTS[rank], drawn if how != "namesake" else FOREIGN + rank, lfw, how))
    return found


def rank_of(one: Someone) -> int:
    """Return a person's place in COUNTS."""
    by_drawn = {FOREIGN + rank: rank for rank in range(len(COUNTS))}
    if one.drawn in by_drawn:
        return by_drawn[one.drawn]
    return next(rank for rank, how in SHARED.items() if how == one.how and COUNTS[rank] == one.images)


def render(one: Someone, number: int) -> tuple[Image.Image, int]:
    """Return a picture and the number of the drawn person whom it shows."""
    rank = rank_of(one)
    for owner, first, second in TWICE:
        if (rank, number) == (owner, second):
            picture, drawn = render(one, first)
            return picture.crop((2, 3, 247, 248)).resize((faces.SIDE, faces.SIDE), Image.Resampling.LANCZOS), drawn
    drawn = FOREIGN + PARTNERS[rank] if number in NOISE.get(rank, ()) else one.drawn
    return faces.draw(faces.person(drawn), faces.shot(drawn, 100 + number + 37 * rank)), drawn


def frame(payload: bytes) -> bytes:
    """Return a payload as RecordIO writes it: cut into parts wherever the magic number stands at a multiple of four."""
    mark = struct.pack("<I", MAGIC)
    cuts = [i for i in range(0, len(payload) - 3, 4) if payload[i : i + 4] == mark]
    pieces, start = [], 0
    for cut in cuts:
        pieces.append(payload[start:cut])
        start = cut + 4
    pieces.append(payload[start:])
    out = b""
    for place, piece in enumerate(pieces):
        part = 0 if len(pieces) == 1 else 1 if place == 0 else 3 if place == len(pieces) - 1 else 2
        out += mark + struct.pack("<I", part << 29 | len(piece)) + piece + b"\0" * (-len(piece) % 4)
    return out


def packed(key: int, labels: float | Iterable[float], picture: bytes = b"") -> bytes:
    """Return MXNet's image record: one label in the header, or several behind it."""
    if isinstance(labels, int | float):
        return struct.pack("<IfQQ", 0, labels, key, 0) + picture
    several = list(labels)
    return struct.pack("<IfQQ", len(several), 0.0, key, 0) + struct.pack(f"<{len(several)}f", *several) + picture


def pack(pictures: list[tuple[int, bytes]]) -> tuple[bytes, bytes]:
    """Return train.rec and train.idx of (class, file) in order of classes: header record, pictures, identity records."""
    count = len(pictures)
    classes = sorted({label for label, _ in pictures})
    records = [packed(0, (count + 1, count + 1 + len(classes)))]
    records += [packed(key, float(label), data) for key, (label, data) in enumerate(pictures, 1)]
    for place, label in enumerate(classes):
        keys = [key for key, (own, _) in enumerate(pictures, 1) if own == label]
        records.append(packed(count + 1 + place, (keys[0], keys[-1] + 1)))
    rec, idx = b"", b""
    for key, record in enumerate(records):
        idx += f"{key}\t{len(rec)}\n".encode()
        rec += frame(record)
    return rec, idx


def jpeg(picture: Image.Image, comment: bytes = b"") -> bytes:
    """Return a JPEG of 112 x 112 pixels, cut as InsightFace's pack has faces: little hair, no background."""
    out = io.BytesIO()
    picture.crop((62, 58, 190, 186)).resize((112, 112), Image.Resampling.LANCZOS).save(
        out, "JPEG", quality=78, comment=comment
    )
    return out.getvalue()


def write(path: Path, rows: Iterable[str]) -> None:
    """Write lines with LF ends, whatever the system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(row + "\n" for row in rows).encode())


def build(folder: Path) -> None:
    """Write the whole miniature into a folder."""
    everyone, by_drawn = people(), {}
    for one in everyone:
        by_drawn[one.drawn] = one.id
    credits, planted, files, listed = [], ["file\tshows"], [], []
    kept = [one for one in everyone if one.how not in ("same", "case")]
    for one in everyone:
        for number in range(1, one.images + 1):
            picture, drawn = render(one, number)
            place = f"CASIA-WebFace/{one.id}/{number:03d}.jpg"
            common.save_jpeg(picture, folder / place, quality=70)
            credits.append(
                common.Credit(
                    place, "CC0 1.0", "Drawn by a script of this book; nobody is shown", "miniatures/faces.py"
                )
            )
            if drawn != one.drawn:
                planted.append(f"{place}\t{by_drawn[drawn]}")
            if one in kept:
                # A comment in the file holds the magic number where a record would be cut: see `frame`.
                label = kept.index(one)
                mark = (
                    b"".join(b"." * shift + struct.pack("<I", MAGIC) for shift in range(4)) if len(files) == 30 else b""
                )
                files.append((label, jpeg(picture, mark)))
                listed.append(f"1\t{place}\t{label}")
    empty = folder / "CASIA-WebFace" / everyone[4].id / f"{everyone[4].images + 1:03d}.jpg"
    empty.write_bytes(b"")
    credits.append(credits[0]._replace(file=empty.relative_to(folder).as_posix()))
    rec, idx = pack(files)
    target = folder / "faces_webface_112x112"
    target.mkdir()
    (target / "train.rec").write_bytes(rec)
    (target / "train.idx").write_bytes(idx)
    (target / "lfw.bin").write_bytes(b"\x80\x03N.")
    write(target / "property", [f"{len(kept)},112,112"])
    write(target / "train.lst", listed)
    write(folder / "planted.tsv", planted)
    write(folder / "webface_id_name_list.txt", [f"{one.id} {one.name}" for one in everyone])
    shared = [one for one in everyone if one.lfw]
    write(folder / "webface_lfw_overlap.txt", [one.id for one in shared if one.how != "namesake"])
    rows = [f"{one.id}, {one.name}, {one.lfw}" for one in shared]
    write(folder / "webface_lfw_overlap_detail.txt", ["webface_id, webface_name, lfw_name", *rows])
    common.write_credits(folder, credits)
    note = NOTE.format(
        images=sum(COUNTS), people=len(COUNTS), dropped=len(everyone) - len(kept), wrong=len(planted) - 1
    )
    common.write_note(folder, note)


if __name__ == "__main__":
    common.main("casia", build)
