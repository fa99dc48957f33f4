"""Build LAION's miniature: 5,000 invented rows in the true columns, and the small web that some of them point to.

Nothing in it comes from the original lists: captions are written by rule, hosts end in ``.example``, which can never be
registered, and the pictures behind a few links are the miniatures' own photographs. Distributions follow the
published ones: similarities above each release's threshold, sizes, languages, unsafe and watermark scores.

``server/`` holds what the hosts serve, one folder a host; ``server/answers.json`` says which addresses moved, opted
out, or answer with something else. Planted outcomes stand in ``server/planted.tsv``, so that a lesson can check itself.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from common import Credit, main, sources, write_credits, write_note
from PIL import Image

SEED = 20220331
GROUP = 250
LANGUAGES = {"ru": 241, "fr": 168, "de": 150, "es": 149, "zh": 143, "ja": 131, "it": 95, "pt": 88, "nl": 66, "pl": 62}
WORDS = {
    "en": (
        "red blue small old wooden bright simple large green new",
        "table lamp boat garden bicycle kettle bridge chair window basket",
        "for sale|in the morning|by the sea|with free delivery|photo",
    ),
    "ru": ("красный синий старый новый большой", "стол дом мост сад чайник", "купить|фото"),
    "fr": ("rouge bleu petit grand vieux", "table lampe bateau jardin pont", "à vendre|photo"),
    "de": ("roter blauer kleiner alter neuer", "Tisch Garten Stuhl Korb Kessel", "kaufen|Foto"),
    "es": ("rojo azul pequeño viejo nuevo", "barco puente jardín cesto farol", "en venta|foto"),
    "zh": ("红色 蓝色 小 旧 新", "桌子 船 花园 自行车 桥", "图片|批发"),
    "ja": ("赤い 青い 小さい 古い 新しい", "机 船 庭 自転車 橋", "写真|通販"),
    "it": ("rosso blu piccolo vecchio nuovo", "tavolo ponte giardino cesto faro", "in vendita|foto"),
    "pt": ("vermelho azul pequeno velho novo", "barco jardim cesto banco farol", "à venda|foto"),
    "nl": ("rode blauwe kleine oude nieuwe", "tafel boot tuin fiets brug", "te koop|foto"),
    "pl": ("czerwony niebieski mały stary nowy", "stół most ogród kosz dom", "sprzedaż|zdjęcie"),
}
# What the pictures behind living links show, in alt text as a page would have it.
TITLES = {
    "000000159269": "Parasols and café chairs on a beach at sunset",
    "000000160012": "Pizza with tomato slices on a wooden board",
    "000000165518": "Motorcycle with its headlight on in the fog",
    "000000214753": "Two riders on horses along the surf",
    "000000255165": "Desk with two monitors and a yellow wall",
    "000000433998": "Pitcher on the mound, scoreboard behind",
    "000000553664": "Red laptop on a table in front of bookshelves",
    "chelsea": "Close-up of a tabby cat",
    "china": "Pagoda above a lake",
    "coffee": "Cup of coffee on a red saucer",
    "flower": "Orange dahlia against dark leaves",
    "rocket": "Rocket on its launch pad at dusk",
}
HOSTS = ("photos.example", "shop.example", "blog.example")


def murmur3(data: bytes) -> int:
    """Return the first 64 bits, signed, of MurmurHash3 x64 128 with seed 0: LAION's key of a row."""
    mask, c1, c2 = (1 << 64) - 1, 0x87C37B91114253D5, 0x4CF5AD432745937F

    def rotl(x: int, r: int) -> int:
        return ((x << r) | (x >> (64 - r))) & mask

    def mix(x: int) -> int:
        x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCD & mask
        x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53 & mask
        return x ^ (x >> 33)

    h1 = h2 = 0
    whole = len(data) // 16 * 16
    for k1, k2 in struct.iter_unpack("<QQ", data[:whole]):
        h1 = (rotl(h1 ^ rotl(k1 * c1 & mask, 31) * c2 & mask, 27) + h2 & mask) * 5 + 0x52DCE729 & mask
        h2 = (rotl(h2 ^ rotl(k2 * c2 & mask, 33) * c1 & mask, 31) + h1 & mask) * 5 + 0x38495AB5 & mask
    k1, k2 = struct.unpack("<QQ", data[whole:].ljust(16, b"\0"))
    h2 ^= rotl(k2 * c2 & mask, 33) * c1 & mask
    h1 ^= rotl(k1 * c1 & mask, 31) * c2 & mask
    h1, h2 = h1 ^ len(data), h2 ^ len(data)
    h1 = h1 + h2 & mask
    h2 = h2 + h1 & mask
    h1, h2 = mix(h1), mix(h2)
    h1 = h1 + h2 & mask
    return h1 - (1 << 64) if h1 >> 63 else h1


class Web:
    """The hosts that the miniature's living links point to, and what they answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: dict[str, dict[str, Any]] = {}
        self.planted: list[tuple[str, str]] = []
        self.credits: list[Credit] = []
        self.rows: list[dict[str, Any]] = []

    def serve(self, address: str, body: bytes, source: Any) -> None:
        """Put a picture where its host serves it, with its source's credit."""
        path = self.folder / "server" / address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self.credits.append(Credit(f"server/{address}", source.licence, source.credit, source.source))

    def row(self, address: str, caption: str, outcome: str, size: tuple[int, int], body: bytes | None) -> None:
        """List an address in the table, with the outcome that it was planted for and the hash once seen there."""
        self.planted.append((f"http://{address}", outcome))
        md5 = hashlib.md5(body).hexdigest() if body else None
        self.rows.append({"URL": f"http://{address}", "TEXT": caption, "WIDTH": size[0], "HEIGHT": size[1], "md5": md5})


def jpeg(picture: Image.Image, quality: int = 78) -> bytes:
    """Return a picture as JPEG bytes."""
    body = io.BytesIO()
    picture.save(body, "JPEG", quality=quality, optimize=True)
    return body.getvalue()


def living_web(folder: Path) -> Web:
    """Serve pictures and plant one of every outcome a downloader meets."""
    web = Web(folder)
    known = sources()
    for number, (name, title) in enumerate(TITLES.items()):
        source = known[name]
        picture = source.image()
        width, height = picture.size
        host = HOSTS[number % 3]
        crops = {
            "whole": (0, 0, width, height),
            "left": (0, 0, width * 2 // 3, height),
            "right": (width // 3, 0, width, height),
            "middle": (width // 6, height // 6, width * 5 // 6, height * 5 // 6),
        }
        for kind, box in crops.items():
            cut = picture.crop(box)
            cut.thumbnail((288, 288))
            body = jpeg(cut)
            address = f"{host}/{kind}/{number:02d}.jpg"
            web.serve(address, body, source)
            web.row(address, title if kind == "whole" else f"{title} ({kind})", "saved", cut.size, body)
        small = picture.copy()
        small.thumbnail((288, 288))
        body = jpeg(small)
        if number < 6:
            # The same picture once more, at another quality: a near-duplicate with another hash.
            again = jpeg(small, 50)
            address = f"copies.example/{number:02d}.jpg"
            web.serve(address, again, source)
            web.row(address, title, "saved, near-duplicate", small.size, again)
        if number < 5:
            # The list knows the hash of what stood there; somebody else owns the address now.
            other = known["flower"].image().rotate(90 * number, expand=True)
            other.thumbnail((200, 200))
            address = f"expired.example/{number:02d}.jpg"
            web.serve(address, jpeg(other), known["flower"])
            web.row(address, title, "hash differs", small.size, body)
        if number < 6:
            address = f"optout.example/{number:02d}.jpg"
            web.serve(address, body, source)
            web.answers[address] = {"headers": {"X-Robots-Tag": "noai, noimageai"}}
            web.row(address, title, "opted out", small.size, body)
            moved = f"moved.example/{number:02d}.jpg"
            web.answers[moved] = {"status": 301, "headers": {"Location": f"http://{host}/whole/{number:02d}.jpg"}}
            web.row(moved, title, "saved, moved", small.size, None)
        if number < 4:
            address = f"closed.example/private/{number:02d}.jpg"
            web.serve(address, body, source)
            web.row(address, title, "refused by robots.txt", small.size, body)
        if number < 3:
            web.answers[f"parked.example/{number:02d}.jpg"] = {
                "status": 200,
                "body": "<html><title>This domain is for sale</title></html>",
                "headers": {"Content-Type": "text/html"},
            }
            web.row(f"parked.example/{number:02d}.jpg", title, "not a picture", small.size, None)
        for gone in range(2):
            web.row(f"{host}/gone/{number:02d}-{gone}.jpg", title, "not found", small.size, None)
    web.answers["broken.example/00.jpg"] = {"status": 503}
    web.row("broken.example/00.jpg", "A window of a shop", "server error", (640, 480), None)
    web.answers["loop.example/00.jpg"] = {"status": 302, "headers": {"Location": "http://loop.example/00.jpg"}}
    web.row("loop.example/00.jpg", "A round table", "redirect loop", (640, 480), None)
    robots = folder / "server" / "closed.example" / "robots.txt"
    robots.write_text("User-agent: *\nDisallow: /private/\n", encoding="utf-8", newline="\n")
    return web


def invented(random: np.random.Generator, count: int, language: str | None = None) -> list[dict[str, Any]]:
    """Return rows with dead, invented addresses and captions written by rule."""
    weights = np.array(list(LANGUAGES.values()), float)
    ranks = 1 / np.arange(1, 61) ** 1.1
    rows = []
    for _ in range(count):
        spoken = language or str(random.choice(list(LANGUAGES), p=weights / weights.sum()))
        adjectives, nouns, tails = (part.split(sep) for part, sep in zip(WORDS[spoken], (" ", " ", "|"), strict=True))
        text = " ".join([str(random.choice(adjectives)), str(random.choice(nouns)), str(random.choice(tails))])
        if random.random() < 0.3:
            text += f" {random.integers(1, 400)}"
        host = int(random.choice(60, p=ranks / ranks.sum()))
        width = int(np.clip(np.exp(random.normal(np.log(340), 0.62)), 40, 4000))
        height = int(np.clip(width * np.exp(random.normal(-0.06, 0.3)), 40, 4000))
        address = f"http://host{host:02d}.example/i/{random.integers(1 << 40):010x}.jpg"
        rows.append({"URL": address, "TEXT": text, "WIDTH": width, "HEIGHT": height, "md5": None, "LANGUAGE": spoken})
    return rows


def scores(random: np.random.Generator, rows: list[dict[str, Any]], threshold: float) -> None:
    """Add similarity, key and the two noisy scores, distributed as published."""
    for row in rows:
        row["similarity"] = float(np.float32(threshold + random.exponential(0.022)))
        row["punsafe"] = float(np.float32(random.beta(9, 4) if random.random() < 0.033 else random.beta(0.35, 9)))
        row["pwatermark"] = float(np.float32(random.beta(14, 1.2) if random.random() < 0.066 else random.beta(0.5, 4)))
        row["hash"] = murmur3((row["URL"] + (row["TEXT"] or "")).encode())


def write(folder: Path, name: str, rows: list[dict[str, Any]], columns: list[tuple[str, str, pa.DataType]]) -> None:
    """Write rows to a Parquet file: columns as (published name, our name, type)."""
    fields = [(published, pa.array([row.get(own) for row in rows], kind)) for published, own, kind in columns]
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(dict(fields)), path, row_group_size=GROUP, compression="snappy")


def build(folder: Path) -> None:
    """Write the miniature's tree."""
    random = np.random.default_rng(SEED)
    web = living_web(folder)
    large = invented(random, 1500, "en")
    english = web.rows + invented(random, 2000 - len(web.rows), "en")
    multi = invented(random, 1000)
    safe = invented(random, 500, "en")
    order = random.permutation(len(english))
    english = [english[index] for index in order]
    for rows, threshold in ((large, 0.30), (english, 0.28), (multi, 0.26), (safe, 0.28)):
        scores(random, rows, threshold)
    for row in safe:
        # The research-safe release cut at 0.45.
        row["punsafe"] = min(row["punsafe"], 0.45 * row["punsafe"])
    for number, row in enumerate(large):
        row["SAMPLE_ID"] = 1_000_000 + number
        row["LICENSE"] = "https://creativecommons.org/licenses/by/4.0/" if random.random() < 0.02 else "?"
        row["NSFW"] = "NSFW" if row["punsafe"] > 0.9 else "UNSURE" if row["punsafe"] > 0.5 else "UNLIKELY"
    # Planted: columns that shifted, no caption, no size, a row that stands twice, an address that is none.
    large[7]["similarity"] = 6016.0
    large[11]["WIDTH"] = 0
    english[3]["TEXT"] = ""
    english[5]["TEXT"] = None
    multi[9] = dict(multi[8])
    multi[20]["URL"] = "data:image/png;base64,AAAA"
    safe[4]["URL"] = None
    text, number, real = pa.string(), pa.int32(), pa.float64()
    write(
        folder,
        "laion400m/part-00000.snappy.parquet",
        large,
        [
            ("SAMPLE_ID", "SAMPLE_ID", pa.int64()),
            ("URL", "URL", text),
            ("TEXT", "TEXT", text),
            ("HEIGHT", "HEIGHT", number),
            ("WIDTH", "WIDTH", number),
            ("LICENSE", "LICENSE", text),
            ("NSFW", "NSFW", text),
            ("similarity", "similarity", real),
        ],
    )
    joined = [
        ("URL", "URL", text),
        ("TEXT", "TEXT", text),
        ("WIDTH", "WIDTH", number),
        ("HEIGHT", "HEIGHT", number),
        ("similarity", "similarity", real),
        ("hash", "hash", pa.int64()),
        ("pwatermark", "pwatermark", pa.float32()),
        ("punsafe", "punsafe", pa.float32()),
    ]
    write(folder, "laion2B-en/part-00000.snappy.parquet", english[:1000], [*joined, ("md5", "md5", text)])
    write(folder, "laion2B-en/part-00001.snappy.parquet", english[1000:], [*joined, ("md5", "md5", text)])
    write(folder, "laion2B-multi/part-00000.snappy.parquet", multi, [*joined, ("LANGUAGE", "LANGUAGE", text)])
    write(
        folder,
        "relaion2B-en-research-safe/part-00000.snappy.parquet",
        safe,
        [(published.lower(), own, kind) for published, own, kind in joined],
    )
    server = folder / "server"
    (server / "answers.json").write_text(
        json.dumps(web.answers, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n"
    )
    planted = "".join(f"{address}\t{outcome}\n" for address, outcome in web.planted)
    (server / "planted.tsv").write_text("address\toutcome\n" + planted, encoding="utf-8", newline="\n")
    write_credits(folder, web.credits)
    write_note(
        folder,
        """This is the miniature of LAION, not LAION: 5,000 rows in the true columns, every one invented. Captions
        are written by rule, hosts end in .example and lead nowhere, and the hosts under server/ are served on your own
        machine. Planted: a similarity of 6016 (columns shifted), a width of 0, two rows without a caption, a row that
        stands twice, an address that is none, a missing address; behind the links: pictures
        that moved, are gone, changed, opted out, are closed to robots, or are a page that sells the domain.""",
    )


if __name__ == "__main__":
    main("laion", build)
