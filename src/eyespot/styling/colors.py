"""A photo's own colors under a painting's strokes, no more colored grain than a painting has, and masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

LUMINANCE = (0.299, 0.587, 0.114)
"""Of red, green and blue: ITU-R BT.601."""
LEAST_GRAIN = 1.0
"""Levels: where a painting has less, as one of a single color, a picture is not smoothed further."""
MOST_PASSES = 12


def with_colors_of(photo: Pixels, painted: Pixels) -> Pixels:
    """The painted picture's luminance with the photo's chrominance, each (H, W, 3).

    The difference of luminance is added to all three channels alike; Gatys, Bethge, Hertzmann and Shechtman 2016,
    "Preserving color in neural artistic style transfer", arXiv:1606.05897, section 4.
    """
    brighter = (painted.astype(np.float32) - photo) @ np.array(LUMINANCE, np.float32)
    return np.asarray(np.rint((photo + brighter[..., None]).clip(0, 255)), np.uint8)


def where_masked(photo: Pixels, painted: Pixels, mask: NDArray[np.uint8]) -> Pixels:
    """The painted picture where the mask (H, W) is white, the photo where it is black, a mixture in between."""
    return _mixed(photo, painted, mask.astype(np.float32)[..., None] / np.float32(255))


def with_strength(photo: Pixels, painted: Pixels, strength: float) -> Pixels:
    """The photo at 0, the painted picture at 1, a mixture in between."""
    return painted if strength == 1 else _mixed(photo, painted, strength)


def _mixed(photo: Pixels, painted: Pixels, share: Floats | float) -> Pixels:
    return np.asarray(np.rint(photo + (painted.astype(np.float32) - photo) * share), np.uint8)


def grain(picture: Pixels) -> float:
    """How much single pixels of a picture (H, W, 3) stand out in color, levels: the mean size of the Laplacian of the
    differences between red and green, and blue and green."""
    return _grain(_differences(picture.astype(np.float32)))


def grain_at(picture: Pixels, side: int) -> float:
    """The grain that a picture has when its longer side has that many pixels."""
    height, width = (max(1, round(side / max(picture.shape[:2]) * each)) for each in picture.shape[:2])
    return grain(np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)))


def grain_between(photo: Pixels, painting: float, strength: float) -> float:
    """The grain of a picture that has so much of the painting's, 0..1, and the rest of the photo's."""
    return strength * painting + (1 - strength) * grain(photo)


def with_grain(picture: Pixels, *, most: float) -> Pixels:
    """The picture with its colors smoothed from pixel to pixel until its grain is at most so large, levels.

    Its luminance stays as it is, and with it every stroke: the eye sees fine forms by their luminance alone.
    """
    most = max(most, LEAST_GRAIN)
    pixels = picture.astype(np.float32)
    differences, passes = _differences(pixels), 0
    while _grain(differences) > most and passes < MOST_PASSES:
        differences, passes = [_smoothed(_smoothed(each).T).T for each in differences], passes + 1
    if not passes:
        return picture
    red, blue = differences
    green = pixels @ np.array(LUMINANCE, np.float32) - LUMINANCE[0] * red - LUMINANCE[2] * blue
    smooth = np.stack([green + red, green, green + blue], axis=-1)
    return np.asarray(np.rint(smooth.clip(0, 255)), np.uint8)


def _differences(pixels: Floats) -> list[Floats]:
    """Red less green and blue less green, each (H, W)."""
    return [pixels[..., 0] - pixels[..., 1], pixels[..., 2] - pixels[..., 1]]


def _grain(differences: Sequence[Floats]) -> float:
    sizes = []
    for each in differences:
        around = each[1:-1, :-2] + each[1:-1, 2:] + each[:-2, 1:-1] + each[2:, 1:-1]
        sizes.append(np.abs(4 * each[1:-1, 1:-1] - around).mean())
    return float(np.mean(sizes))


def _smoothed(values: Floats) -> Floats:
    """Each of (H, W) with half of the mean of the one above and the one below it."""
    longer = np.concatenate([values[:1], values, values[-1:]])
    smooth: Floats = (longer[:-2] + longer[2:]) / 4 + values / 2
    return smooth
