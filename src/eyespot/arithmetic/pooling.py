"""Pooling: each window becomes one number, its greatest or its average, each channel by itself. Nothing to learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic.windows import slides, sums, windows


def max_pool(image: NDArray[Any], size: int, *, stride: int | None = None) -> NDArray[np.float64]:
    """The greatest value of each window, (C, H', W'): as deep as the image.

    image: (C, H, W).
    size: of the square window, pixels.
    stride: by default the size, so that windows lie side by side.
    Raises OptionError for a window larger than the image.
    """
    under = _under(image, size, stride)
    greatest = under[..., 0, 0].astype(np.float64)  # (C, H', W')
    for row, column in np.ndindex(size, size):
        np.maximum(greatest, under[..., row, column], out=greatest)
    return greatest


def average_pool(image: NDArray[Any], size: int, *, stride: int | None = None) -> NDArray[np.float64]:
    """The mean of each window, (C, H', W'). Arguments as in `max_pool`."""
    return sums("cijhw->cij", _under(image, size, stride)) / size**2


def _under(image: NDArray[Any], size: int, stride: int | None) -> NDArray[Any]:
    down, across = slides(image.shape[1:], (size, size), padding="valid", stride=size if stride is None else stride)
    return windows(image, down, across)
