"""Maps as pictures, many on one sheet: feature maps, kernels, signed values with zero in the middle of the scale."""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BELOW, ZERO, ABOVE = (33, 102, 172), (255, 255, 255), (178, 24, 43)
"""Blue, white and red of ColorBrewer's scheme RdBu, which colour-blind people can tell apart."""
SHARE_IN_SCALE = 0.995
"""Share of the values that the scale holds: a few extreme ones would make all others pale."""
_ASKED = 1_000_000
"""About this many values, evenly spread, decide the scale: sorting those of a large photo would take seconds."""

MIDDLE = 127.5
"""The grey that stands for zero."""
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


@dataclass(frozen=True)
class Mosaic:
    """A picture of many maps."""

    sheet: Sheet
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
    colors = signed_colors(shares, end=1) if signed else _grays(255 * shares)
    scale = "all maps on one scale" if together else "each map on its own scale"
    meaning = "0 is white, below it blue, above it red" if signed else "0 is black, the largest value white"
    return Mosaic(sheet(colors), f"{scale}: {meaning}")


def of_kernels(kernels: NDArray[np.float32]) -> Mosaic:
    """Kernels (out, in, H, W) as a picture: in colour where they see three channels, else each plane in grey.

    Each kernel has its own scale, on which mid-grey is 0.
    """
    outs, ins, height, width = kernels.shape
    largest = np.abs(kernels).max(axis=(1, 2, 3), keepdims=True)
    levels = MIDDLE + MIDDLE * kernels / np.where(largest > 0, largest, 1)
    if ins == 3:
        colors, meaning = _bytes(levels.transpose(0, 2, 3, 1)), "red, green and blue are the channels"
    else:
        colors, meaning = _grays(levels.reshape(outs * ins, height, width)), "black is below 0, white above"
    return Mosaic(sheet(colors), f"each kernel on its own scale: mid-gray is 0, {meaning}")


def scale_end(maps: NDArray[np.float64]) -> float:
    """Where the colours end: white is 0, blue minus this and below, red this and above."""
    asked = np.abs(maps.ravel()[:: max(1, maps.size // _ASKED)])
    end = float(np.quantile(asked, SHARE_IN_SCALE, method="higher"))
    return end if end > 0 else max(-float(maps.min()), float(maps.max()))


def signed_png(maps: NDArray[np.generic], *, end: float) -> bytes:
    """The maps (K, H, W) side by side as a PNG, all on one scale from -end to end."""
    return sheet(signed_colors(maps, end=end)).png


def plain_png(image: NDArray[np.float64], *, rgb: bool) -> bytes:
    """Channels (C, H, W) with values 0 to 255 as a PNG: one picture in colour, or grey ones side by side."""
    levels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return sheet(levels.transpose(1, 2, 0)[None] if rgb else np.repeat(levels[..., None], 3, axis=3)).png


def signed_colors(values: NDArray[np.generic], *, end: float) -> NDArray[np.uint8]:
    """The colour of each value, (..., 3): white is 0, blue -end and below, red end and above."""
    return _SIGNED_COLORS[_levels(values, end)]


def _levels(values: NDArray[np.generic], end: float) -> NDArray[np.uint8]:
    """Values as levels 0 (at or below -end) to 254 (at or above end); the middle is a level, too, 127."""
    if not end > 0:
        return np.full(values.shape, 127, np.uint8)
    share = (values.astype(np.float32) + np.float32(end)) * np.float32(127 / end)
    return np.clip(np.rint(share, out=share), 0, 254, out=share).astype(np.uint8)


def _scheme() -> NDArray[np.uint8]:
    """The colour of each level, (255, 3)."""
    places = np.arange(255)
    channels = [np.interp(places, (0, 127, 254), ends) for ends in zip(BELOW, ZERO, ABOVE, strict=True)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def _grays(levels: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Greys (N, H, W, 3) of levels 0 to 255, (N, H, W)."""
    return np.repeat(_bytes(levels)[..., None], 3, axis=3)


def _bytes(levels: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(levels), np.uint8)


def _columns(count: int, square: float) -> int:
    """As many columns as make the whole about square, or some more where they leave no gap in the last row."""
    fewest = min(count, ceil(square))
    full = [columns for columns in range(fewest, min(count, int(1.5 * square) + 1) + 1) if count % columns == 0]
    return full[0] if full else fewest


_SIGNED_COLORS = _scheme()
