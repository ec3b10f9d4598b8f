"""A photo's own colors under a painting's strokes, and painting only where a mask says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

LUMINANCE = (0.299, 0.587, 0.114)
"""Of red, green and blue: ITU-R BT.601."""


def with_colors_of(photo: Pixels, painted: Pixels) -> Pixels:
    """The painted picture's luminance with the photo's chrominance, each (H, W, 3).

    The difference of luminance is added to all three channels alike; Gatys, Bethge, Hertzmann and Shechtman 2016,
    "Preserving color in neural artistic style transfer", arXiv:1606.05897, section 4.
    """
    brighter = (painted.astype(np.float32) - photo) @ np.array(LUMINANCE, np.float32)
    return np.asarray(np.rint((photo + brighter[..., None]).clip(0, 255)), np.uint8)


def where_masked(photo: Pixels, painted: Pixels, mask: NDArray[np.uint8]) -> Pixels:
    """The painted picture where the mask (H, W) is white, the photo where it is black, a mixture in between."""
    share = mask.astype(np.float32)[..., None] / 255
    return np.asarray(np.rint(photo + (painted.astype(np.float32) - photo) * share), np.uint8)
