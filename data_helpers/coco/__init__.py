"""COCO, in every form it is published: instances, keypoints, captions, stuff, panoptic, results.

Source of the format: https://cocodataset.org/#format-data and https://cocodataset.org/#format-results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .decoding import read_file
from .layout import recognise
from .masks import mask, read_panoptic
from .parts import read_categories
from .reading import read
from .records import Annotation, Category, File, Licence, Picture, Segment
from .results import read_results
from .scanning import scan

if TYPE_CHECKING:
    from .fetching import fetch, plan

__all__ = [
    "Annotation",
    "Category",
    "File",
    "Licence",
    "Picture",
    "Segment",
    "fetch",
    "mask",
    "plan",
    "read",
    "read_categories",
    "read_file",
    "read_panoptic",
    "read_results",
    "recognise",
    "scan",
]


def __getattr__(name: str) -> Any:
    # Reading must not load what speaks to the network.
    if name in ("fetch", "plan"):
        try:
            from . import fetching
        except ModuleNotFoundError as error:
            raise AttributeError(f"{__name__} has no {name}") from error
        return getattr(fetching, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
