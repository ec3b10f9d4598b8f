"""Images with some of their places hidden, as occlusion and the deletion test need them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def with_hidden(image: NDArray[np.uint8], places: NDArray[np.bool_], color: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of the image in which the chosen places have one color.

    image: (H, W, C). places: (h, w), True where hidden; each is a rectangle of about H / h by W / w pixels.
    color: (C,).
    """
    rows, columns = (_place_of_pixels(pixels, count) for pixels, count in zip(image.shape, places.shape, strict=False))
    hidden = image.copy()
    hidden[places[rows[:, None], columns]] = color
    return hidden


def _place_of_pixels(pixels: int, places: int) -> NDArray[np.intp]:
    """The place that each pixel of a side belongs to."""
    return np.arange(pixels) * places // pixels
