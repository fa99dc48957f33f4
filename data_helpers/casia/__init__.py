"""CASIA-WebFace, for those who lawfully hold a copy: image folders by id, InsightFace's pack, public lists of ids.

Nothing here fetches pictures of people; the card says why. Read are folders ``<seven-digit id>/*.jpg``, packs
``train.rec``, ``train.idx``, ``property``, ``train.lst``, each in the root or in one folder below it, and the lists of
https://github.com/happynear/FaceDatasets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..samples import Sample, Scan, Selection
from .folder import Face, Root, found_in
from .lists import Identity, Listed, Overlap, Property, read_identities, read_list, read_overlap, read_property
from .recordio import Record, read_index, read_records

__all__ = [
    "Face",
    "Identity",
    "Listed",
    "Overlap",
    "Property",
    "Record",
    "read",
    "read_identities",
    "read_index",
    "read_list",
    "read_overlap",
    "read_property",
    "read_records",
    "recognise",
    "scan",
]


def recognise(folder: Path) -> str | None:
    """Name what of CASIA-WebFace a folder holds, or None."""
    found = found_in(folder)
    what = [
        name
        for name, there in (("image folders", found.folders), ("pack", found.pack), ("lists", found.lists))
        if there
    ]
    return "CASIA-WebFace: " + ", ".join(what) if what else None


def read(root: Path, want: Selection) -> Iterator[Sample]:
    """Iterate the pictures: those in folders, then those in the pack.

    ``labels`` has ``classes``, one `Face`: the folder's id, or in a pack the number of the class. A picture of a pack
    has ``split`` ``train``, no ``image`` and in ``extra`` its ``key`` and ``offset``: `read_records` gives its bytes.
    """
    whole = Root(root)
    splits = want.names("split", ("train",) if len(whole.pack) else ())
    people = want.names("classes", whole.classes())
    kinds = want.names("label_types", ("classes", "people", "overlap"))
    ids, chosen = want.wants_id(), set(people or ())
    for place in want.take(
        place
        for place in range(len(whole))
        if (splits is None or whole.split(place) in splits)
        and (people is None or whole.label(place) in chosen)
        and (ids is None or whole.id(place) in ids)
    ):
        yield whole.sample(place, labelled=kinds is None or "classes" in kinds)


def scan(root: Path) -> Scan:
    """Count pictures (those of a pack are on disk in it), people of the lists, rows of the overlap; list problems."""
    whole = Root(root, counting=True)
    classes = Counter(map(whole.label, range(len(whole))))
    labels = {"classes": len(whole), "people": len(whole.identities), "overlap": len(whole.overlap)}
    return Scan(
        images=len(whole),
        images_on_disk=len(whole),
        splits={"train": len(whole.pack)} if len(whole.pack) else {},
        labels={kind: count for kind, count in labels.items() if count},
        classes=dict(classes),
        problems=list(whole.check()),
    )
