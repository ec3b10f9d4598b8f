"""Maps as pictures, many on one sheet: feature maps, kernels, signed values with zero in the middle of the scale."""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.palette import GROUND

BELOW, ZERO, ABOVE = (33, 102, 172), (255, 255, 255), (178, 24, 43)
"""Blue, white and red of ColorBrewer's scheme RdBu, which colour-blind people can tell apart."""
ZERO_IS_WHITE = "0 is white, below it blue, above it red"
SHARE_IN_SCALE = 0.995
"""Share of the values that the scale holds: a few extreme ones would make all others pale."""
_ASKED = 1_000_000
"""About this many values, evenly spread, decide the scale: sorting those of a large photo would take seconds."""
SIDE = 1400
"""The whole has about this many pixels a side, as far as its pictures can be enlarged by whole numbers."""
LARGEST_CELL = 320
"""Pixels that a picture is enlarged to at most."""
FINE_CELL, FINE_GAP, GAP = 16, 1, 6
"""Pixels between two pictures: a fine gap where each is smaller than the first number, and between parts of one."""


@dataclass(frozen=True)
class Sheet:
    """Many pictures in one."""

    pixels: NDArray[np.uint8]
    """(H, W, 3)."""
    columns: int
    rows: int

    @property
    def png(self) -> bytes:
        file = io.BytesIO()
        Image.fromarray(self.pixels).save(file, "PNG")
        return file.getvalue()


def sheet(pictures: NDArray[np.uint8], *, columns: int | None = None, parts: int = 1) -> Sheet:
    """Pictures (N, H, W, 3) in rows, the first at the top left; small ones enlarged, each value to a square.

    columns: pictures in a row; None for as many as make the whole about square.
    parts: this many in a row are one picture, side by side, and count as one.
    """
    height, width = pictures.shape[1], pictures.shape[2] * parts
    count = len(pictures) // parts
    columns = columns or _columns(count, sqrt(count * height / width))
    factor = max(1, min(SIDE // (columns * width), LARGEST_CELL // max(height, width)))
    enlarged = pictures.repeat(factor, axis=1).repeat(factor, axis=2)
    if parts > 1:
        enlarged = np.stack([_grid(enlarged[n : n + parts], parts, FINE_GAP) for n in range(0, len(pictures), parts)])
    gap = FINE_GAP if max(height, width) * factor < FINE_CELL else GAP
    return Sheet(_grid(enlarged, columns, gap), columns, ceil(count / columns))


def _grid(pictures: NDArray[np.uint8], columns: int, gap: int) -> NDArray[np.uint8]:
    """Pictures (N, H, W, 3) in rows as one, with a gap of ground between two."""
    count, height, width = pictures.shape[:3]
    down, across = height + gap, width + gap
    whole = np.full((ceil(count / columns) * down - gap, columns * across - gap, 3), GROUND, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        whole[row * down : (row + 1) * down - gap, column * across : (column + 1) * across - gap] = picture
    return whole


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
    meaning = ZERO_IS_WHITE if signed else "0 is black, the largest value white"
    return Mosaic(sheet(colors), f"{scale}: {meaning}")


def of_kernels(kernels: NDArray[np.float32]) -> Mosaic:
    """Kernels (out, in, H, W) as a picture: the planes of each side by side, one for each channel that it sees.

    A weight has the color that a value has in a feature map: 0 is white, below it is blue, above it red. Each kernel
    has its own scale, which its planes share.
    """
    ins = kernels.shape[1]
    largest = np.abs(kernels).max(axis=(1, 2, 3), keepdims=True)
    shares = kernels / np.where(largest > 0, largest, 1)
    planes = shares.reshape(-1, *kernels.shape[2:])  # (out * in, H, W)
    channels = {1: "", 3: "; side by side its red, green and blue channel"}.get(
        ins, f"; side by side its {ins} channels"
    )
    scaling = f"each kernel on its own scale: {ZERO_IS_WHITE}{channels}"
    return Mosaic(sheet(signed_colors(planes, end=1), parts=ins), scaling)


def scale_end(maps: NDArray[np.float64]) -> float:
    """Where the colours end: white is 0, blue minus this and below, red this and above."""
    asked = np.abs(maps.ravel()[:: max(1, maps.size // _ASKED)])
    end = float(np.quantile(asked, SHARE_IN_SCALE, method="higher"))
    return end if end > 0 else max(-float(maps.min()), float(maps.max()))


def of_signed(maps: NDArray[np.float64]) -> Mosaic:
    """The maps (K, H, W) side by side, all on one scale, which a few extreme values may leave."""
    end = scale_end(maps)
    words = f"white is 0, red {end:.6g} and more, blue {-end:.6g} and less" if end > 0 else "white is 0, as everything"
    return Mosaic(sheet(signed_colors(maps, end=end)), words)


def of_counts(counts: NDArray[np.int64]) -> Mosaic:
    """Counts (H, W): white is 0, red the greatest."""
    greatest = int(counts.max())
    return Mosaic(sheet(signed_colors(counts[None], end=greatest)), f"white is 0, red {greatest}")


def of_image(image: NDArray[np.float64], *, rgb: bool) -> Mosaic:
    """Channels (C, H, W) with values from 0, as a rule to 255: one picture in color, or gray ones side by side."""
    white = max(255.0, float(image.max()))
    levels = np.clip(np.rint(image * (255 / white)), 0, 255).astype(np.uint8)
    drawn = sheet(levels.transpose(1, 2, 0)[None] if rgb else np.repeat(levels[..., None], 3, axis=3))
    return Mosaic(drawn, "the colors are those of the pixels" if rgb else f"black is 0 and white {white:.6g}")


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
