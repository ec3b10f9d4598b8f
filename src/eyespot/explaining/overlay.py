"""A heat map as a picture that is laid over what the network saw."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 224
"""Of the longer side of an overlay by itself, pixels: whoever shows it enlarges it smoothly."""

# Black over purple and orange to yellow: lightness rises all the way, so that the order is seen without colors, too.
# The stops are those of matplotlib's inferno (van der Walt and Smith, 2015).
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_COLORS = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
_OPACITY = (0.55, 0.45, 0.45, 0.5, 0.6)


def overlay(values: NDArray[np.float32], size_wh: tuple[int, int]) -> Image.Image:
    """The map in colors that can be seen through, mode RGBA, of that width and height.

    values: (h, w). What is 0 or below is darkened, the largest value is yellow; in between it is interpolated.
    """
    raised = Image.fromarray(shares(values)).resize(size_wh, Image.Resampling.BICUBIC)
    return Image.fromarray(_colored(np.asarray(raised).clip(0, 1)))


def overlay_png(values: NDArray[np.float32], crop_hw: tuple[int, int]) -> bytes:
    """The same as a PNG in the proportions of the crop, its longer side `SIDE` pixels."""
    height, width = (max(1, round(SIDE * side / max(crop_hw))) for side in crop_hw)
    file = io.BytesIO()
    overlay(values, (width, height)).save(file, "PNG")
    return file.getvalue()


def scale(size_wh: tuple[int, int]) -> Image.Image:
    """All colors in a row, from what did not raise the answer to what raised it most, over mid-gray; mode RGB."""
    width, height = size_wh
    colors = _colored(np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1)))
    ground = Image.new("RGBA", size_wh, (160, 160, 160, 255))
    return Image.alpha_composite(ground, Image.fromarray(colors)).convert("RGB")


def shares(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map as shares of its largest value, 0..1; 0 for all that is not above 0."""
    largest = float(values.max())
    return np.asarray(values.clip(0) / largest if largest > 0 else np.zeros_like(values), np.float32)


def _colored(heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colors (H, W, 4) of shares 0..1, (H, W)."""
    channels = [np.interp(heat, _SHARES, column) for column in zip(*_COLORS, strict=True)]
    opacity = 255 * np.interp(heat, _SHARES, _OPACITY)
    return np.rint(np.stack([*channels, opacity], axis=2)).astype(np.uint8)
