"""Many small maps as one picture: the feature maps of a stage, the kernels of a layer."""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.arithmetic.maps import ABOVE, BELOW, ZERO

GROUND = (238, 240, 242)
"""Between the maps."""
SIDE = 1400
"""The whole picture has about this many pixels a side, as far as its maps can be enlarged by whole numbers."""
LARGEST_CELL = 160
"""Pixels that a map is enlarged to at most."""
MIDDLE = 127.5
"""The grey that stands for zero."""


@dataclass(frozen=True)
class Mosaic:
    """A picture of many maps."""

    png: bytes
    columns: int
    rows: int
    scaling: str
    """How numbers became colours, in words."""


def of_maps(maps: NDArray[np.float32], *, together: bool) -> Mosaic:
    """Feature maps (C, H, W) as a picture, the first at the top left.

    Without negative values 0 is black and the largest white; else 0 is white, below it is blue, above it red.
    together: one scale for all maps, so that they can be compared; else each has its own, so that faint ones show.
    """
    largest = np.abs(maps).max(axis=None if together else (1, 2), keepdims=True)
    shares = maps / np.where(largest > 0, largest, 1)  # (C, H, W)
    signed = bool((maps < 0).any())
    colors = _signed(shares) if signed else np.repeat(shares[..., None] * 255, 3, axis=3)
    scale = "all maps on one scale" if together else "each map on its own scale"
    meaning = "0 is white, below it blue, above it red" if signed else "0 is black, the largest value white"
    return _sheet(np.rint(colors).astype(np.uint8), f"{scale}: {meaning}")


def of_kernels(kernels: NDArray[np.float32]) -> Mosaic:
    """Kernels (out, in, H, W) as a picture: in colour where they see three channels, else each plane in grey.

    Each kernel has its own scale, on which mid-grey is 0.
    """
    outs, ins, height, width = kernels.shape
    largest = np.abs(kernels).max(axis=(1, 2, 3), keepdims=True)
    levels = MIDDLE + MIDDLE * kernels / np.where(largest > 0, largest, 1)
    if ins == 3:
        colors, meaning = levels.transpose(0, 2, 3, 1), "red, green and blue are the channels"
    else:
        planes = levels.reshape(outs * ins, height, width)
        colors, meaning = np.repeat(planes[..., None], 3, axis=3), "black is below 0, white above"
    return _sheet(np.rint(colors).astype(np.uint8), f"each kernel on its own scale: mid-grey is 0, {meaning}")


def _signed(shares: NDArray[np.floating]) -> NDArray[np.floating]:
    """Colours (..., 3) of numbers from -1 to 1."""
    below, zero, above = (np.array(color, np.float32) for color in (BELOW, ZERO, ABOVE))
    far = np.abs(shares)[..., None]
    return np.asarray(zero + far * (np.where(shares[..., None] < 0, below, above) - zero))


def _sheet(pictures: NDArray[np.uint8], scaling: str) -> Mosaic:
    """Pictures (N, H, W, 3) in rows, enlarged to squares of pixels."""
    count, height, width = pictures.shape[:3]
    columns = _columns(count, sqrt(count * height / width))
    rows = ceil(count / columns)
    factor = max(1, min(SIDE // (columns * width), LARGEST_CELL // max(height, width)))
    gap = 1 if max(height, width) * factor < 16 else 4
    across, down = width * factor + gap, height * factor + gap
    sheet = np.full((rows * down + gap, columns * across + gap, 3), GROUND, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        top, left = gap + row * down, gap + column * across
        enlarged = picture.repeat(factor, axis=0).repeat(factor, axis=1)
        sheet[top : top + height * factor, left : left + width * factor] = enlarged
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "PNG", optimize=True)
    return Mosaic(file.getvalue(), columns, rows, scaling)


def _columns(count: int, square: float) -> int:
    """As many columns as make the picture about square, or some more where they leave no gap in the last row."""
    fewest = min(count, ceil(square))
    full = [columns for columns in range(fewest, min(count, int(1.5 * square) + 1) + 1) if count % columns == 0]
    return full[0] if full else fewest
