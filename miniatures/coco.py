"""Build COCO's miniature: the 2017 layout with about forty pictures, every label type, and planted defects.

Whole photographs keep their ids, labels and captions as COCO has them; cuts of them get ids of their own (the number of
the cut in millions, plus the photograph's id). Nothing here is random: the same sources give the same files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import common
import geometry
import numpy as np
from coco_pictures import BOATS, GRID_TRAIN, GRID_VAL, OBJECTS, STUFF, TRAIN, VAL, WHOLE, Points
from PIL import Image
from pycocotools import mask as mask_api

Row = dict[str, Any]
FIRST_OWN = 9_000_000
LICENCE_IDS = {"CC BY 2.0": 4, "CC BY-SA 2.0": 5, "CC0 1.0": 9, "Public domain": 10}
MORE_LICENCES = [
    {"id": 9, "name": "CC0 1.0 (not in COCO)", "url": "http://creativecommons.org/publicdomain/zero/1.0/"},
    {"id": 10, "name": "Public domain (not in COCO)", "url": "https://creativecommons.org/publicdomain/mark/1.0/"},
]
NOTE = """
This is the miniature of COCO that comes with the book Image Datasets for Deep Learning, not COCO: {images}
pictures in the layout of the 2017 release. Ten are photographs of COCO whose own licence allows showing them (CC
BY or CC BY-SA), nine of them whole, with COCO's labels and captions; others are cuts, mirrored cuts and joined
pictures of these, with the labels carried along, and photographs from scikit-image and scikit-learn labelled by
hand. Captions of cuts that COCO does not have, and all stuff labels, were made for this book. A photographer's
licence is not the consent of a person in the picture. Planted, because COCO has such things: crowd regions; an
object of zero height (train2017, annotation {zero}); a listed picture that is missing (train2017, image
{missing}); one annotation given twice under one id (train2017, annotation {twice}); a gray JPEG ({gray}) and a
CMYK JPEG ({cmyk}); pictures without any object. Its numbers are never COCO's.
"""


def load_sources() -> tuple[Row, dict[str, geometry.Scene], dict[str, Row], dict[str, list[str]]]:
    """Return COCO's own header, and of each source its scene, image record and captions."""
    true = json.loads((common.SOURCES / "coco.json").read_text(encoding="utf-8"))
    points = {row["id"]: row for row in true["keypoints"]}
    scenes, records, captions = {}, {}, {}
    for stem, source in common.sources().items():
        image = source.image()
        if stem.isdigit():
            number = int(stem)
            rows = [row | points.get(row["id"], {}) for row in true["instances"] if row["image_id"] == number]
            records[stem] = next(row for row in true["images"] if row["id"] == number)
            captions[stem] = [row["caption"] for row in true["captions"] if row["image_id"] == number]
        else:
            order = list(OBJECTS).index(stem)
            rows = by_hand(OBJECTS[stem], 100 * order)
            records[stem] = {"id": FIRST_OWN + order, "license": LICENCE_IDS[source.licence], "date_captured": ""}
            captions[stem] = list(WHOLE[stem])
            if stem == "china":
                rows.append(boats(image))
        stuff = by_hand(STUFF.get(stem, []), 0)
        scenes[stem] = geometry.Scene(image, rows, stuff)
    return true, scenes, records, captions


def by_hand(objects: list[tuple[int, list[Points]]], first: int) -> list[Row]:
    """Make rows of hand-drawn polygons."""
    rows = [
        {
            "id": first + number,
            "category_id": category,
            "iscrowd": 0,
            "segmentation": [[float(v) for point in part for v in point] for part in parts],
        }
        for number, (category, parts) in enumerate(objects)
    ]
    return geometry.finished(rows, lambda row: row)


def boats(image: Image.Image) -> Row:
    """Make the crowd region of the boats on the lake."""
    part = [float(v) for point in BOATS for v in point]
    row = {"iscrowd": 0, "segmentation": [part]}
    mask = geometry.pixels(row, image.width, image.height)
    crowd = {"id": 1, "category_id": 9, "iscrowd": 1, "segmentation": geometry.encode(mask)}
    return geometry.finished([crowd], lambda row: row)[0]


class Split:
    """One split being written: its image records, labels and captions."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.images: list[Row] = []
        self.instances: list[Row] = []
        self.captions: list[Row] = []
        self.stuff: dict[int, list[Row]] = {}
        self.credits: list[common.Credit] = []

    def add(
        self,
        scene: geometry.Scene,
        record: Row,
        captions: list[tuple[int, str]],
        credit: common.Credit,
        mode: str,
        whole: bool,
    ) -> None:
        """Add one picture; the labels of a whole COCO photograph keep their ids, values and order."""
        number = record["id"]
        name = f"{number:012d}.jpg"
        common.save_jpeg(scene.image.convert(mode), self.folder / self.name / name)
        keys = ["license", "file_name", "coco_url", "height", "width", "date_captured", "flickr_url", "id"]
        full = record | {"file_name": name, "height": scene.image.height, "width": scene.image.width}
        self.images.append({key: full[key] for key in keys if key in full})
        for row in scene.rows:
            row = dict(row) | {"image_id": number}
            if not whole:
                crowd_id = 900_000_000_000 + row["category_id"] * 100_000_000 + number
                row["id"] = crowd_id if row["iscrowd"] else (number // 1_000_000) * 10_000_000 + row["id"]
            self.instances.append(row)
        self.stuff[number] = scene.stuff
        self.captions += [{"image_id": number, "id": key, "caption": text} for key, text in captions]
        self.credits.append(credit._replace(file=f"{self.name}/{name}"))


def build(folder: Path) -> None:
    """Write the whole miniature into a folder."""
    true, scenes, records, captions = load_sources()
    caption_ids = {(row["image_id"], row["caption"]): row["id"] for row in true["captions"]}
    sources = common.sources()
    own = 1_000_000
    splits = [Split("train2017", folder), Split("val2017", folder)]
    plans = ((TRAIN, GRID_TRAIN), (VAL, GRID_VAL))
    marks: Row = {}
    for split, (cuts, grid) in zip(splits, plans, strict=True):
        for cut in cuts:
            source, record = sources[cut.source], records[cut.source]
            whole = cut.number == 0
            scene = scenes[cut.source] if cut.crowds else without_crowds(scenes[cut.source])
            scene = scene.crop(*cut.box) if cut.box else scene
            scene = scene.mirror() if cut.mirror else scene
            texts = [captions[cut.source][i] for i in cut.keep if i < len(captions[cut.source])] + list(cut.captions)
            numbered = []
            for text in texts:
                own += 1
                numbered.append((caption_ids[record["id"], text] if whole else own, text))
            new = dict(record) | {"id": record["id"] + 1_000_000 * cut.number}
            if not whole:
                new.pop("coco_url", None)
            if not cut.source.isdigit():
                new["flickr_url"] = source.source if "flickr.com" in source.source else ""
            how = [] if cut.box is None else ["cut"]
            how += ["mirrored"] if cut.mirror else []
            how += {"L": ["made gray"], "CMYK": ["made CMYK"]}.get(cut.mode, [])
            text = source.credit + (f" ({', '.join(how)})" if how else "")
            split.add(scene, new, numbered, common.Credit("", source.licence, text, source.source), cut.mode, whole)
            if cut.mode != "RGB":
                marks[{"L": "gray", "CMYK": "cmyk"}[cut.mode]] = f"{split.name}, image {new['id']}"
        names, texts = grid
        number = FIRST_OWN + 100 + splits.index(split)
        licence = "CC BY-SA 2.0" if any(sources[name].licence == "CC BY-SA 2.0" for name in names) else "CC BY 2.0"
        joined = geometry.grid([square(without_bad_crowd(name, scenes)) for name in names], 256, 256)
        joined.rows = one_crowd_a_class(joined.rows)
        for order, row in enumerate(joined.rows):
            row["id"] = 1000 * (1 + splits.index(split)) + order
        credit = common.Credit("", licence, "Joined of " + "; ".join(sources[n].credit for n in names), " ".join(
            sources[n].source for n in names))  # fmt: skip
        numbered = [(own + 100 + i, text) for i, text in enumerate(texts)]
        own += 200
        split.add(joined, {"id": number, "license": LICENCE_IDS[licence], "date_captured": "", "flickr_url": ""},
                  numbered, credit, "RGB", False)  # fmt: skip
    marks |= plant(splits[0])
    write(folder, true, splits)
    marks["images"] = sum(len(split.images) for split in splits) - 1
    common.write_credits(folder, [row for split in splits for row in split.credits])
    common.write_note(folder, NOTE.format(**marks))


def without_crowds(scene: geometry.Scene) -> geometry.Scene:
    """Leave out the crowd regions."""
    return geometry.Scene(scene.image, [row for row in scene.rows if not row["iscrowd"]], scene.stuff)


def without_bad_crowd(name: str, scenes: dict[str, geometry.Scene]) -> geometry.Scene:
    """Return a source for joining; see the remark at ``TRAIN`` in"""
    return without_crowds(scenes[name]) if name == "000000129648" else scenes[name]


def one_crowd_a_class(rows: list[Row]) -> list[Row]:
    """Unite the crowd regions of a class: COCO's crowd ids, made of class and picture, allow one."""
    crowds: dict[int, Row] = {}
    for row in rows:
        if row["iscrowd"]:
            first = crowds.setdefault(row["category_id"], row)
            if first is not row:
                both = geometry.decode(first["segmentation"]) | geometry.decode(row["segmentation"])
                first["segmentation"] = geometry.encode(both)
    objects = [row for row in rows if not row["iscrowd"]]
    return objects + geometry.finished(list(crowds.values()), lambda row: row)


def square(scene: geometry.Scene) -> geometry.Scene:
    """Cut the largest square out of the middle."""
    width, height = scene.image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return scene.crop(left, top, left + side, top + side)


def plant(split: Split) -> Row:
    """Put in what COCO is known for: an object of zero height, a missing picture, an annotation given twice."""
    chair = next(row for row in split.instances if row["image_id"] == 159269 and row["category_id"] == 62)
    x, y = chair["segmentation"][0][:2]
    flat = dict(chair) | {
        "id": 9_000_918, "segmentation": [[x, y, x + 20.0, y, x + 40.0, y]], "bbox": [x, y, 40.0, 0.0], "area": 0.0,
    }  # fmt: skip
    twice = next(row for row in split.instances if row["image_id"] == 433998 and row["category_id"] == 72)
    again = dict(twice) | {"segmentation": [[round(v - 1, 2) for v in part] for part in twice["segmentation"]]}
    again["bbox"] = geometry.extent(again["segmentation"])
    split.instances += [flat, again]
    missing = {
        "license": 4,
        "file_name": "000009000404.jpg",
        "height": 427,
        "width": 640,
        "date_captured": "",
        "id": 9_000_404,
    }
    split.images.append(missing)
    return {"zero": flat["id"], "missing": missing["id"], "twice": twice["id"]}


def write(folder: Path, true: Row, splits: list[Split]) -> None:
    """Write the annotation files of all label types."""
    target = folder / "annotations"
    target.mkdir(parents=True)
    categories = json.loads((common.SOURCES / "categories.json").read_text(encoding="utf-8"))
    things = [{key: row[key] for key in ("supercategory", "id", "name")} for row in categories if row["isthing"]]
    for split in splits:
        head = {
            "info": true["info"] | {"description": "Miniature of the COCO 2017 dataset, not COCO: see MINIATURE.txt"},
            "licenses": true["licenses"] + MORE_LICENCES,
            "images": split.images,
        }
        plain = [{k: v for k, v in row.items() if "keypoints" not in k} for row in split.instances]
        dump(target / f"instances_{split.name}.json", head | {"annotations": plain, "categories": things})
        # COCO's keypoint files round areas to five digits, its instance files do not.
        people = [
            {"keypoints": [0] * 51, "num_keypoints": 0} | row | {"area": round(row["area"], 5)}
            for row in split.instances
            if row["category_id"] == 1
        ]
        person = true["person_category"]
        dump(target / f"person_keypoints_{split.name}.json", head | {"annotations": people, "categories": [person]})
        dump(target / f"captions_{split.name}.json", head | {"annotations": split.captions})
        if split.name == "val2017":
            write_panoptic(target, head, split, categories)
            write_stuff(target, head, split)


def write_panoptic(target: Path, head: Row, split: Split, categories: list[Row]) -> None:
    """Write panoptic JSON and PNGs, truly from the masks: stuff below, objects over it, the smallest on top."""
    colours = {row["id"]: row["color"] for row in categories}
    folder = target / f"panoptic_{split.name}"
    folder.mkdir()
    result = []
    for record in split.images:
        canvas = np.zeros((record["height"], record["width"]), np.uint32)
        segments: dict[int, Row] = {}
        objects = [row for row in split.instances if row["image_id"] == record["id"]]
        objects.sort(key=lambda row: (-row["iscrowd"], -row["area"], row["id"]))
        for row in [merged(row) for row in split.stuff[record["id"]]] + objects:
            red, green, blue = colours[row["category_id"]]
            while (segment := red + 256 * green + 65536 * blue) in segments or segment == 0:
                blue = (blue + 7) % 256
            canvas[geometry.pixels(row, record["width"], record["height"]) > 0] = segment
            segments[segment] = {"id": segment, "category_id": row["category_id"], "iscrowd": row["iscrowd"]}
        infos = []
        for segment, info in segments.items():
            ys, xs = np.nonzero(canvas == segment)
            if len(xs):
                box = [int(v) for v in (xs.min(), ys.min(), xs.max() - xs.min() + 1, ys.max() - ys.min() + 1)]
                infos.append(info | {"bbox": box, "area": len(xs)})
        picture = np.stack([canvas % 256, canvas // 256 % 256, canvas // 65536], axis=-1).astype(np.uint8)
        name = record["file_name"].replace(".jpg", ".png")
        Image.fromarray(picture).save(folder / name, optimize=True)
        result.append({"segments_info": infos, "file_name": name, "image_id": record["id"]})
    dump(target / f"panoptic_{split.name}.json", head | {"annotations": result, "categories": categories})


# Panoptic files merge some of the 91 stuff classes into wider ones.
MERGED = {96: 197, 120: 187, 157: 187, 169: 184, 173: 199}


def merged(row: Row) -> Row:
    """Return a stuff row under its panoptic class."""
    return row | {"category_id": MERGED.get(row["category_id"], row["category_id"])}


STUFF_NAMES = {
    96: ("building-other", "building"), 119: ("flower", "plant"), 120: ("fog", "sky"), 149: ("road", "ground"),
    154: ("sand", "ground"), 155: ("sea", "water"), 157: ("sky-other", "sky"), 169: ("tree", "plant"),
    173: ("wall-other", "wall"), 178: ("water-other", "water"), 181: ("window-other", "window"),
    183: ("other", "other"),
}  # fmt: skip


def write_stuff(target: Path, head: Row, split: Split) -> None:
    """Write the stuff file: one compressed RLE a class and picture; class 183 takes all pixels of objects."""
    rows: list[Row] = []
    for record in split.images:
        width, height = record["width"], record["height"]
        masks = {row["category_id"]: geometry.pixels(row, width, height) > 0 for row in split.stuff[record["id"]]}
        objects = np.zeros((height, width), bool)
        for row in split.instances:
            if row["image_id"] == record["id"]:
                objects |= geometry.pixels(row, width, height) > 0
        masks = {key: mask & ~objects for key, mask in masks.items()} | {183: objects}
        for category, mask in masks.items():
            if mask.any():
                rle = mask_api.encode(np.asfortranarray(mask.astype(np.uint8)))
                rows.append({
                    "segmentation": {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")},
                    "area": int(mask_api.area(rle)), "iscrowd": 0, "image_id": record["id"],
                    "bbox": [float(v) for v in mask_api.toBbox(rle)], "category_id": category,
                    "id": 20_000_000 + len(rows),
                })  # fmt: skip
    names = [{"supercategory": group, "id": key, "name": name} for key, (name, group) in STUFF_NAMES.items()]
    dump(target / f"stuff_{split.name}.json", head | {"annotations": rows, "categories": names})


def dump(path: Path, content: Row) -> None:
    """Write JSON, one record a line, so that a reader can look into the file."""

    def short(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    parts = []
    for key, value in content.items():
        text = "[\n" + ",\n".join(map(short, value)) + "\n]" if isinstance(value, list) else short(value)
        parts.append(f"{short(key)}:{text}")
    path.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    common.main("coco", build)
