"""Plain tables out of samples: what is counted, by one definition for every dataset that has boxes or classes.

One *object* is one record of the label type ``boxes`` (a crowd region is one object, and is counted); where a dataset
has no boxes, one record of ``classes``, ``stuff`` or ``panoptic`` takes its place. Its *area* is the record's own
``area`` where it has one (COCO: of the outline), else width times height of its box, in square pixels. A *share* is a
percentage of the picture's pixels. Every table is a list of dicts with the same keys, ready for a data frame.
"""

from __future__ import annotations

from .areas import area_shares, band, class_sizes, cooccurrence, objects, pairs, spatial_heatmap
from .counting import KINDS, LARGE, SMALL, Object, Table, kind_of, objects_of
from .tables import (
    class_balance,
    images,
    licences,
    missing_and_empty,
    object_distribution,
    objects_per_image,
    overview,
    picture_sizes,
)

__all__ = [
    "KINDS",
    "LARGE",
    "SMALL",
    "Object",
    "Table",
    "area_shares",
    "band",
    "class_balance",
    "class_sizes",
    "cooccurrence",
    "images",
    "kind_of",
    "licences",
    "missing_and_empty",
    "object_distribution",
    "objects",
    "objects_of",
    "objects_per_image",
    "overview",
    "pairs",
    "picture_sizes",
    "spatial_heatmap",
]
