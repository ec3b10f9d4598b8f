"""How many windows use each pixel: why the border of a picture counts less than its middle without padding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic.windows import Padding, Slide, slides


def pixel_coverage(
    size_hw: tuple[int, int], window_hw: tuple[int, int], *, padding: Padding = "valid", stride: int = 1
) -> NDArray[np.int64]:
    """For each pixel of a picture (H, W), the number of windows it lies in.

    Raises OptionError for a window larger than the padded picture.
    """
    down, across = slides(size_hw, window_hw, padding=padding, stride=stride)
    return np.outer(_along(down), _along(across))


def _along(side: Slide) -> NDArray[np.int64]:
    """The number of places that reach each pixel of one side: in two directions, they multiply."""
    counts = np.zeros(side.size, dtype=np.int64)
    for place in range(side.places):
        pixels = side.pixels(place)
        counts[max(pixels.start, 0) : max(pixels.stop, 0)] += 1
    return counts
