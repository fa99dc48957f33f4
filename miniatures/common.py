"""What the miniatures' scripts share: source photographs, credits, and zips that come out the same every time.

``sources/`` holds every photograph a miniature is made of, with ``SOURCES.tsv`` (licence, credit, address), so that a
miniature can be rebuilt from any clone. The COCO photographs among them are those whose own licence allows it; the
true annotations are in ``sources/coco.json``.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageChops

HERE = Path(__file__).parent
SOURCES = HERE / "sources"
TARGET = HERE.parent / "data_helpers" / "miniatures"
LIMIT = 2_500_000
PICTURES = {".jpg", ".jpeg", ".webp"}
STAMP = (2020, 1, 1, 0, 0, 0)


class Source(NamedTuple):
    """One source photograph, as SOURCES.tsv has it."""

    file: str
    licence: str
    licence_url: str
    credit: str
    source: str
    origin: str

    def image(self) -> Image.Image:
        """Return the photograph in RGB."""
        with Image.open(SOURCES / self.file) as picture:
            return picture.convert("RGB")


class Credit(NamedTuple):
    """One line of CREDITS.tsv: a picture of the miniature, its licence, whom to credit, and its page."""

    file: str
    licence: str
    credit: str
    source: str


def sources() -> dict[str, Source]:
    """Return the source photographs by file name without its suffix."""
    with (SOURCES / "SOURCES.tsv").open(encoding="utf-8", newline="") as lines:
        return {Path(row["file"]).stem: Source(**row) for row in csv.DictReader(lines, delimiter="\t")}


def save_jpeg(picture: Image.Image, path: Path, quality: int = 80) -> None:
    """Write a JPEG (RGB, L or CMYK as the picture is), making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, "JPEG", quality=quality, optimize=True)


def write_credits(folder: Path, rows: Iterable[Credit]) -> None:
    """Write CREDITS.tsv: one line for each picture file of the miniature."""
    lines = ["\t".join(Credit._fields), *("\t".join(row) for row in sorted(rows))]
    (folder / "CREDITS.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def write_note(folder: Path, text: str) -> None:
    """Write MINIATURE.txt: one paragraph on what this is and what was planted in it."""
    (folder / "MINIATURE.txt").write_text(" ".join(text.split()) + "\n", encoding="utf-8", newline="\n")


def pack(folder: Path, target: Path) -> None:
    """Zip a folder: sorted names, one fixed time, pictures stored as they are.

    Raises
    ------
    ValueError
        The archive is larger than a miniature may be.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as bundle:
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), STAMP)
                entry.external_attr = 0o644 << 16
                stored = path.suffix.lower() in PICTURES
                entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                bundle.writestr(entry, path.read_bytes(), compresslevel=9)
    if target.stat().st_size > LIMIT:
        raise ValueError(f"{target}: {target.stat().st_size:,} bytes, at most {LIMIT:,} are allowed.")


def main(stem: str, build: Callable[[Path], None]) -> None:
    """Build one miniature in a temporary folder and write its zip into the package."""
    with tempfile.TemporaryDirectory() as work:
        build(Path(work))
        target = TARGET / f"{stem}.zip"
        pack(Path(work), target)
    print(f"{target.relative_to(HERE.parent)}: {target.stat().st_size:,} bytes")


def differences(folder: Path, archive: Path) -> list[str]:
    """Compare a freshly built folder with a miniature's zip: every byte, but of pictures only size, mode and look.

    JPEG and WebP encoders differ between versions of Pillow, so their pixels may differ by little; PNGs must agree to
    the pixel.
    """
    found: list[str] = []
    with zipfile.ZipFile(archive) as bundle:
        packed = {name: bundle.read(name) for name in bundle.namelist()}
    built = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    for name in sorted(packed.keys() ^ built.keys()):
        found.append(f"{name}: only {'in the zip' if name in packed else 'built'}")
    for name in sorted(packed.keys() & built.keys()):
        suffix = Path(name).suffix.lower()
        # A pack holds encoded pictures between its records: the tests of its dataset compare it record by record.
        if packed[name] == built[name] or suffix in (".rec", ".idx", ".tar"):
            continue
        if suffix in PICTURES | {".png"}:
            limit = 0.0 if suffix == ".png" else 4.0
            if (what := _unlike(packed[name], built[name], limit)) is not None:
                found.append(f"{name}: {what}")
        elif packed[name] != built[name]:
            found.append(f"{name}: bytes differ")
    return found


def _unlike(one: bytes, two: bytes, limit: float) -> str | None:
    with Image.open(io.BytesIO(one)) as a, Image.open(io.BytesIO(two)) as b:
        if (a.size, a.mode) != (b.size, b.mode):
            return f"{a.size} {a.mode} against {b.size} {b.mode}"
        histogram = ImageChops.difference(a.convert("RGB"), b.convert("RGB")).histogram()
    mean = sum(count * (i % 256) for i, count in enumerate(histogram)) / sum(histogram)
    return f"mean difference of pixels {mean:.2f}" if mean > limit else None
