"""Counts and problems of one list, taken up piece by piece: a training file's records are never all in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, compress
from operator import attrgetter
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import numpy as np

from ..errors import FormatError
from . import layout
from .columns import NONE, Limits, Numbers, column, repeated
from .decoding import UnevenError, decode_piece
from .masks import LARGEST, Plain, are_polygons, check, compare_map
from .parts import Part, is_stuff, only_class
from .records import NOTHING, NULL, Annotation, Picture

ORDER = (
    *("duplicate-id", "orphan", "missing-id", "bad-size", "unknown-licence", "bad-crowd", "bad-area"),
    *("unknown-category", "bad-box", "zero-area-box", "outside-box", "bad-polygon", "bad-rle", "bad-keypoints"),
    *("empty-caption", "missing-panoptic", "bad-panoptic"),
)
CROWD_OR_NOT = {0, 1, None}
BBOX, CATEGORY, CROWD = map(attrgetter, ("bbox", "category_id", "iscrowd"))
Positive: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]
Side: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
Report = Callable[[str, str, str], None]


class Sound(msgspec.Struct, gc=False):
    """An object as most are: a box and an outline, and nothing else that would have to be counted."""

    image_id: int
    id: int
    category_id: int
    bbox: tuple[Positive, Positive, Side, Side]
    segmentation: msgspec.Raw
    area: Positive | None = None
    iscrowd: Literal[0, 1] = 0
    keypoints: None = None
    caption: None = None
    segments_info: None = None
    num_keypoints: int | None = None
    score: float | None = None
    file_name: str | None = None
    label: str | None = None


SOUND, PLAIN = msgspec.json.Decoder(list[Sound]), msgspec.json.Decoder(Plain)


class Tally:
    """What one list of a split holds, and what is wrong with it.

    Attributes
    ----------
    counts
        Records of each label type; ``classes`` counts the category ids of those that have a class.
    """

    def __init__(self, part: Part, images: dict[int, Picture], before: Sequence[Tally]) -> None:
        self.part, self.pictures, self.before = part, images, [t for t in before if "boxes" in t.part.kinds()]
        self.limits = Limits(images)
        self.name = part.path.name
        self.counts: Counter[str] = Counter()
        self.classes: dict[str, Counter[Any]] = {kind: Counter() for kind in ("boxes", "stuff", "classes", "panoptic")}
        self.problems: dict[str, list[tuple[str, str]]] = {kind: [] for kind in ORDER}
        self.known: set[tuple[int, int]] | None = None
        self.columns: list[tuple[Numbers, Numbers]] = []
        self.maps = layout.names_in(part.path.with_suffix("")) if part.panoptic else frozenset()

    def report(self, report: Report) -> None:
        """Tell the problems: of the list, of ids, then of each type of label."""
        if self.part.text:
            report("text-number", self.name, "ids or other numbers are written as text, or as 1.0; read as numbers")
        if self.part.lvis:
            detail = "LVIS, not COCO: what is not labelled in a picture may still be in it; use lvis-api"
            report("lvis-file", self.name, detail)
        for kind, problems in self.problems.items():
            for problem in problems:
                report(kind, *problem)
        if (count := self.counts["panoptic"]) and not self.maps:
            detail = f"none of {count:,} maps is here: expected a folder of this name"
            report("missing-panoptic", self.part.path.stem, detail)

    def total(self) -> dict[str, tuple[int, Counter[Any]]]:
        """Return for each label type its records, and how often each category stands among them."""
        return {kind: (self.counts[kind], self.classes.get(kind, Counter())) for kind in self.part.kinds()}

    def _tell(self, kind: str, what: Annotation | str, detail: str) -> None:
        where = what if isinstance(what, str) else self._where(what.id, what.image_id)
        self.problems[kind].append((where, detail))

    def _where(self, number: int | None, image: int) -> str:
        named = number is not None and number != NONE
        return f"{self.name}: annotation {number}" if named else f"{self.name}: a record of image {image}"

    def take_pieces(self, pieces: Iterable[bytes]) -> None:
        """Count and check the records of pieces of JSON; errors as for `take`."""
        for piece in pieces:
            if self.part.points or not self._take_sound(piece):
                self.take(decode_piece(piece))

    def _take_sound(self, piece: bytes) -> bool:
        """Count objects of which schema and bytes tell that nothing is wrong; else count nothing."""
        try:
            notes = SOUND.decode(piece)
            crowds = list(compress(notes, map(CROWD, notes)))
            runs = [PLAIN.decode(note.segmentation) for note in crowds]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        part, images, categories = self.part, column(notes, "image_id"), Counter(map(CATEGORY, notes))
        boxes = np.fromiter(chain.from_iterable(map(BBOX, notes)), np.float64, 4 * len(notes)).reshape(-1, 4)
        with np.errstate(over="ignore"):
            outside = (boxes[:, :2] + boxes[:, 2:] > self.limits(images)).any()
        if outside or not part.categories.keys() >= categories.keys():
            return False
        pictures = [self.pictures.get(note.image_id, Picture(0)) for note in crowds]
        if not all(one.fits(image.height, image.width) for one, image in zip(runs, pictures, strict=True)):
            return False
        if not are_polygons([note.segmentation for note in notes if not note.iscrowd]):
            return False
        part.boxes = True
        self.columns.append((images, column(notes, "id")))
        self.counts.update(boxes=len(notes), masks=len(notes), stuff=len(notes))
        self.classes["stuff" if part.stuff else "boxes"].update(categories)
        return True

    def take(self, notes: list[Annotation]) -> None:
        """Count and check some records.

        Raises
        ------
        UnevenError
            They are of other kinds than those before: whether people stand twice must be known from the first one on.
        """
        part, counts = self.part, self.counts
        if part.span is not None:
            kinds = part.captions, part.panoptic, part.points
            part.learn(notes)
            if self.columns and kinds != (part.captions, part.panoptic, part.points):
                raise UnevenError
        images, ids = column(notes, "image_id"), column(notes, "id")
        self.columns.append((images, ids))
        kept = notes
        if part.points and self.before and "boxes" in part.kinds():
            if self.known is None:
                pairs = (zip(t.images.tolist(), t.ids.tolist(), strict=True) for t in self.before)
                self.known = set(chain.from_iterable(pairs))
            # The people of a list of keypoints stand in the list of instances too.
            kept = [note for note in notes if (note.image_id, NONE if note.id is None else note.id) not in self.known]
        if part.boxes:
            boxed = kept if part.boxed else [note for note in kept if note.bbox is not None]
            counted = list(filter(is_stuff, kept)) if part.stuff else boxed
            counts["boxes"] += len(boxed)
            counts["stuff"] += len(counted)
            self.classes["stuff" if part.stuff else "boxes"].update(map(CATEGORY, counted))
            if boxed:
                self._boxes(boxed, boxed, images if boxed is notes else column(boxed, "image_id"))
            counts["masks"] += self._outlines(kept)
        elif part.classes:
            bare = [note for note in notes if only_class(note)]
            counts["classes"] += len(bare)
            self.classes["classes"].update(map(CATEGORY, bare))
        if part.points:
            self._keypoints(notes)
        if part.captions:
            told = [note for note in notes if note.caption is not None]
            counts["captions"] += len(told)
            for note in told:
                if not (note.caption or "").strip():
                    self._tell("empty-caption", note, "found no text")
        if part.panoptic:
            for note in notes:
                if note.segments_info is not None:
                    counts["panoptic"] += 1
                    self.classes["panoptic"].update(segment.category_id for segment in note.segments_info)
                    self._map(note)
            placed = [(note, one) for note in notes for one in note.segments_info or () if one.bbox is not None]
            if placed:
                owners, segments = zip(*placed, strict=True)
                self._boxes(owners, segments, column(owners, "image_id"))
        self._records(notes)

    def close(self) -> None:
        """Check that each id stands once, and that each image is in the list."""
        self.images, self.ids = (np.concatenate(numbers) for numbers in zip(*self.columns, strict=True))
        part = self.part
        listed = column(part.images, "id")
        categories = [(number, times) for number, times in Counter(part.category_ids).items() if times > 1]
        twice = ("image", repeated(listed)), ("annotation", repeated(self.ids)), ("category", categories)
        for what, found in twice:
            for number, times in found:
                self._tell("duplicate-id", f"{self.name}: {what} {number}", f"the id stands {times} times")
        for index in np.flatnonzero(~np.isin(self.images, listed)).tolist():
            image = int(self.images[index])
            where = self._where(int(self.ids[index]), image)
            self._tell("orphan", where, f"image {image} is not in the list of images")
        for image, times in repeated(self.images) if part.panoptic else ():
            self._tell("bad-panoptic", f"{self.name}: image {image}", f"{times} records, expected one")
        # Results have no ids of their own, nor has a panoptic map.
        if not (part.results or part.panoptic) and (nameless := int((self.ids == NONE).sum())):
            detail = f"{nameless:,} of {len(self.ids):,} annotations have no id, by which others find them"
            self._tell("missing-id", self.name, detail)
        sides = np.stack([column(part.images, "width"), column(part.images, "height")])
        sides[sides == NONE] = 1
        wrong = (sides <= 0).any(axis=0) | (sides.prod(axis=0, dtype=np.float64) > LARGEST)
        for index in np.flatnonzero(wrong).tolist():
            picture = part.images[index]
            detail = f"is listed as {picture.width}x{picture.height} pixels"
            self._tell("bad-size", f"{self.name}: image {picture.id}", detail)
        licences = Counter(picture.license for picture in part.images if picture.license not in {None, *part.licences})
        for licence, times in licences.items() if part.licences else ():
            self._tell("unknown-licence", self.name, f"licence {licence} of {times:,} images is not in the list")

    def _records(self, notes: list[Annotation]) -> None:
        """Check what a record says of itself, and that its category is in the list."""
        part = self.part
        for note in notes if not CROWD_OR_NOT.issuperset(map(CROWD, notes)) else ():
            if note.iscrowd not in CROWD_OR_NOT:
                self._tell("bad-crowd", note, f"iscrowd is {note.iscrowd}, expected 0 or 1")
        for note in notes:
            if note.area is not None and not note.area >= 0:
                self._tell("bad-area", note, f"area is {note.area:g} square pixels")
        if not part.categories and (part.captions or part.results):
            return
        known = part.categories
        for note in notes if part.panoptic or not known.keys() >= set(map(CATEGORY, notes)) else ():
            segments = note.segments_info
            for one in (note,) if segments is None else segments:
                if one.category_id not in known and note.caption is None:
                    self._tell("unknown-category", note, f"category {one.category_id} is not in the list")

    def _boxes(self, notes: Sequence[Annotation], boxed: Sequence[Any], images: Numbers) -> None:
        boxes = np.fromiter(chain.from_iterable(map(BBOX, boxed)), np.float64, 4 * len(boxed)).reshape(-1, 4)
        sound = ((boxes >= 0) & (boxes < np.inf)).all(axis=1)
        with np.errstate(invalid="ignore", over="ignore"):
            outside = (boxes[:, :2] + boxes[:, 2:] > self.limits(images)).any(axis=1)
            flat = ((boxes[:, 2:] == 0) & (boxes[:, 3:1:-1] >= 0)).any(axis=1)
        for kind, which, detail in (
            ("bad-box", ~sound, ": negative or no number"),
            ("zero-area-box", flat, ""),
            ("outside-box", outside, " leaves the picture"),
        ):
            for index in np.flatnonzero(which).tolist():
                self._tell(kind, notes[index], f"bbox {boxes[index].tolist()}{detail}")

    def _outlines(self, notes: list[Annotation]) -> int:
        """Count outlines and check them."""
        outlined = [note for note in notes if note.has_mask]
        for note in outlined:
            image = self.pictures.get(note.image_id, Picture(0))
            try:
                check(note, image.height, image.width)
            except FormatError as error:
                kind = "bad-rle" if bytes(note.raw_segmentation)[:1] == b"{" else "bad-polygon"
                self._tell(kind, note, str(error))
        return len(outlined)

    def _keypoints(self, notes: list[Annotation]) -> None:
        for note in notes:
            if note.raw_keypoints not in (NOTHING, NULL) and (wrong := self._wrong_keypoints(note)):
                self._tell("bad-keypoints", note, wrong)
        self.counts["keypoints"] += sum(note.has_keypoints for note in notes)

    def _wrong_keypoints(self, note: Annotation) -> str:
        try:
            values = msgspec.json.decode(note.raw_keypoints, type=list[float])
        except msgspec.DecodeError:
            return "keypoints is not a flat list of numbers"
        category = self.part.categories.get(note.category_id or 0)
        expected = 3 * len(category.keypoints or ()) if category else 0
        if len(values) % 3 or (expected and len(values) != expected):
            return f"found {len(values)} numbers, expected {expected or 'a multiple of 3'}"
        if not {0, 1, 2}.issuperset(values[2::3]):
            return "a visibility is none of 0, 1, 2"
        told, found = note.num_keypoints, sum(v > 0 for v in values[2::3])
        if told not in (None, found):
            return f"num_keypoints is {told}, {found} have v > 0"
        image = self.pictures.get(note.image_id, Picture(0))
        right, low = max(values[::3], default=0.0), max(values[1::3], default=0.0)
        if min(values, default=0.0) < 0 or right > (image.width or right) or low > (image.height or low):
            return f"a point lies outside the picture, which is {image.width}x{image.height}"
        return ""

    def _map(self, note: Annotation) -> None:
        """Hold a panoptic map against its record, to the pixel."""
        where = f"{self.part.path.stem}/{note.file_name}"
        path = self.part.path.with_suffix("") / note.file_name if note.file_name in self.maps else None
        if path is None:
            if self.maps:
                self._tell("missing-panoptic", where, "the map is not there")
            return
        image = self.pictures.get(note.image_id, Picture(0))
        for detail in compare_map(path, note.segments_info or (), image.height, image.width):
            self._tell("bad-panoptic", where, detail)
