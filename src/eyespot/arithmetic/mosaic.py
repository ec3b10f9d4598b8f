"""Many small maps as one picture: the feature maps of a stage, the kernels of a layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic.maps import signed_colors
from eyespot.arithmetic.sheet import Sheet, sheet

MIDDLE = 127.5
"""The grey that stands for zero."""


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


def _grays(levels: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Greys (N, H, W, 3) of levels 0 to 255, (N, H, W)."""
    return np.repeat(_bytes(levels)[..., None], 3, axis=3)


def _bytes(levels: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(levels), np.uint8)
