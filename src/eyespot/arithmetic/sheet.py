"""Pictures of one size in rows and columns, as one PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GROUND = (64, 70, 78)
"""Between the pictures: a colour that zero has on no scale."""
SIDE = 1400
"""The whole has about this many pixels a side, as far as its pictures can be enlarged by whole numbers."""
LARGEST_CELL = 320
"""Pixels that a picture is enlarged to at most."""
FINE_CELL, FINE_GAP, GAP = 16, 1, 6
"""Pixels between two pictures: a fine gap where each is smaller than the first number."""


@dataclass(frozen=True)
class Sheet:
    """Many pictures in one."""

    png: bytes
    columns: int
    rows: int


def sheet(pictures: NDArray[np.uint8], *, columns: int | None = None) -> Sheet:
    """Pictures (N, H, W, 3) in rows, the first at the top left; small ones enlarged, each value to a square.

    columns: pictures in a row; None for as many as make the whole about square.
    """
    count, height, width = pictures.shape[:3]
    columns = columns or _columns(count, sqrt(count * height / width))
    rows = ceil(count / columns)
    factor = max(1, min(SIDE // (columns * width), LARGEST_CELL // max(height, width)))
    gap = FINE_GAP if max(height, width) * factor < FINE_CELL else GAP
    down, across = height * factor + gap, width * factor + gap
    whole = np.full((rows * down - gap, columns * across - gap, 3), GROUND, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        enlarged = picture.repeat(factor, axis=0).repeat(factor, axis=1)
        whole[row * down : (row + 1) * down - gap, column * across : (column + 1) * across - gap] = enlarged
    file = io.BytesIO()
    Image.fromarray(whole).save(file, "PNG")
    return Sheet(file.getvalue(), columns, rows)


def _columns(count: int, square: float) -> int:
    """As many columns as make the whole about square, or some more where they leave no gap in the last row."""
    fewest = min(count, ceil(square))
    full = [columns for columns in range(fewest, min(count, int(1.5 * square) + 1) + 1) if count % columns == 0]
    return full[0] if full else fewest
