"""What all datasets share when they are shown: figures with their numbers, and galleries of pictures."""

from __future__ import annotations

from .gallery import Gallery, gallery
from .picture import Picture

__all__ = ["Gallery", "Picture", "gallery"]
