"""Build the miniature of Flickr30k with Entities: captions, phrases, boxes, lists, Karpathy's file."""

from __future__ import annotations

import json
import re
from pathlib import Path

try:
    from miniatures import common, flickr_common, flickr_pictures
except ImportError:
    import common  # type: ignore[no-redef]
    import flickr_common  # type: ignore[no-redef]
    import flickr_pictures  # type: ignore[no-redef]

NOTE = """
This is the miniature of Flickr30k and Flickr30k Entities that comes with the book Image Datasets for Deep Learning, not
the dataset: {images} pictures, photographs that may be shown and cuts of them, each with five captions, phrases and
boxes that were made for this book. Numbers that begin with 9000000 were made up; the others are the photographs' own at
Flickr. The fourth caption of a picture says more than can be seen, as many do in the original. Planted, because the
original has such things: a caption of another picture, listed in UNRELATED_CAPTIONS; Karpathy's file
(dataset_flickr30k.json) lacks two pictures; phrases without a box and phrases that mean the whole scene; boxes shared
by chains. Planted, because copies have such things: a picture that is missing, and one chain whose object was lost from
its XML. Its numbers are never the dataset's.
"""
LISTS = {"train": "train", "dev": "val", "test": "test", "none": "train"}
MISSING = "9000000060"
UNRELATED = "two dogs play in the snow"


def build(folder: Path) -> None:
    """Write the whole miniature into a folder."""
    pictures = sorted(flickr_common.made(), key=lambda made: int(made.number))
    credits, tokens, karpathy = [], [], []
    lists: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    chain = 100
    for picture in pictures:
        name = f"{picture.number}.jpg"
        common.save_jpeg(picture.image, folder / "flickr30k-images" / name)
        credits.append(picture.credit._replace(file=f"flickr30k-images/{name}"))
        captions = list(picture.captions)
        if picture.source == "flower":
            captions[4] = UNRELATED
            write(folder / "UNRELATED_CAPTIONS", f"# format: <imageID> <sentence number>\n{picture.number} 5\n")
        chains = {}
        for thing in picture.things:
            chain += 1
            chains[thing] = str(chain)
        sentences = [_bracketed(caption, picture, chains) for caption in captions]
        write(folder / "Sentences" / f"{picture.number}.txt", "".join(line + "\n" for line in sentences))
        write(folder / "Annotations" / f"{picture.number}.xml", _xml(name, picture, chains))
        plain = [flickr_common.plain(caption) for caption in captions]
        tokens += [f"{name}#{n}\t{caption}" for n, caption in enumerate(plain)]
        split = LISTS[picture.split]
        lists[split].append(picture.number)
        if picture.source not in ("flower", "coffee"):
            karpathy.append((name, split, plain))
    tokens += [
        f"{MISSING}.jpg#{n}\t{text}" for n, text in enumerate(["A dog runs .", "A brown dog on grass .", *["dog"] * 3])
    ]
    lists["train"].append(MISSING)
    write(folder / "results_20130124.token", "".join(row + "\n" for row in tokens))
    for split, ids in lists.items():
        write(folder / f"{split}.txt", "".join(f"{number}\n" for number in ids))
    write(folder / "dataset_flickr30k.json", json.dumps(_karpathy(karpathy)) + "\n")
    common.write_credits(folder, credits)
    common.write_note(folder, NOTE.format(images=len(pictures)))


def _bracketed(caption: str, picture: flickr_common.Made, chains: dict[str, str]) -> str:
    def phrase(match: re.Match[str]) -> str:
        if match[1] == "-":
            return f"[/EN#0/notvisual {match[2]}]"
        thing, _, own = match[1].partition(":")
        return f"[/EN#{chains[thing]}/{own.replace(',', '/') or picture.things[thing][0]} {match[2]}]"

    return flickr_common.PHRASE.sub(phrase, caption)


def _xml(name: str, picture: flickr_common.Made, chains: dict[str, str]) -> str:
    """Write one XML file as the original has them: pixels from 1, ends inside, one object for each box."""
    width, height = picture.image.size
    rows = ["<annotation>", f"\t<filename>{name}</filename>", "\t<size>", f"\t\t<width>{width}</width>"]
    rows += [f"\t\t<height>{height}</height>", "\t\t<depth>3</depth>", "\t</size>"]
    shared: dict[flickr_pictures.Box, list[str]] = {}
    flags = []
    for thing, (_, boxes) in picture.things.items():
        if isinstance(boxes, str):
            flags.append((chains[thing], boxes))
            continue
        for box in boxes:
            shared.setdefault(box, []).append(chains[thing])
    if picture.source == "rocket":
        shared = {box: owners for box, owners in shared.items() if chains["pad"] not in owners}
    for (left, top, right, bottom), owners in shared.items():
        rows += ["\t<object>", *(f"\t\t<name>{owner}</name>" for owner in owners), "\t\t<bndbox>"]
        corners = {"xmin": left + 1, "ymin": top + 1, "xmax": right, "ymax": bottom}
        rows += [f"\t\t\t<{tag}>{value}</{tag}>" for tag, value in corners.items()]
        rows += ["\t\t</bndbox>", "\t</object>"]
    for owner, flag in flags:
        scene = int(flag == flickr_pictures.SCENE)
        rows += ["\t<object>", f"\t\t<name>{owner}</name>", f"\t\t<scene>{scene}</scene>"]
        rows += [f"\t\t<nobndbox>{1 - scene}</nobndbox>", "\t</object>"]
    return "\n".join([*rows, "</annotation>", ""])


def _karpathy(rows: list[tuple[str, str, list[str]]]) -> dict[str, object]:
    images = []
    for number, (name, split, captions) in enumerate(rows):
        ids = list(range(5 * number, 5 * number + 5))
        sentences = [
            {"raw": raw, "tokens": re.findall(r"[a-z]+", raw.lower()), "imgid": number, "sentid": key}
            for key, raw in zip(ids, captions, strict=True)
        ]
        images.append({"filename": name, "imgid": number, "split": split, "sentids": ids, "sentences": sentences})
    return {"images": images, "dataset": "flickr30k"}


def write(path: Path, text: str) -> None:
    """Write text with LF ends, whatever the system, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


if __name__ == "__main__":
    common.main("flickr30k", build)
