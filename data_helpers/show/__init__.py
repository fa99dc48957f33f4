"""What all datasets share when they are shown: figures with their numbers, and galleries of pictures."""

from __future__ import annotations

from .figures import (
    class_balance,
    class_sizes,
    cooccurrence,
    licences,
    missing_and_empty,
    object_distribution,
    objects_per_image,
    picture_sizes,
    spatial_heatmap,
)
from .gallery import Gallery, gallery
from .picture import Picture, Table
from .treemap import area_treemap

__all__ = [
    "Gallery",
    "Picture",
    "Table",
    "area_treemap",
    "class_balance",
    "class_sizes",
    "cooccurrence",
    "gallery",
    "licences",
    "missing_and_empty",
    "object_distribution",
    "objects_per_image",
    "picture_sizes",
    "spatial_heatmap",
]
