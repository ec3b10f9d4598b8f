"""What the images of a detector look like: their shape, from the pictures' own, and the maps that are looked at."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np

from eyespot.data.boxes.records import BoxedPicture
from eyespot.data.cropping import letterbox_size

LONG_SIDE = 640
"""Of the images, unless a person says otherwise, pixels."""
STEP = 32
"""Sides are multiples of it: the coarsest map has a place for each such square."""


def image_shape(pictures: Sequence[BoxedPicture], long_side: int = LONG_SIDE) -> tuple[int, int]:
    """Height and width of the images: the longer side as given, the other by the pictures' median aspect."""
    aspect = statistics.median(each.width / each.height for each in pictures)
    short_side = min(long_side, -(-round(long_side * min(aspect, 1 / aspect)) // STEP) * STEP)
    return (short_side, long_side) if aspect >= 1 else (long_side, short_side)


def shorter_sides(pictures: Sequence[BoxedPicture], image_hw: tuple[int, int]) -> list[float]:
    """The shorter side of every box, pixels of the image."""
    found: list[float] = []
    for each in pictures:
        wide, high = letterbox_size(each.width, each.height, image_hw)
        sides = (each.boxes.xyxy[:, 2:] - each.boxes.xyxy[:, :2]) * np.array([wide / each.width, high / each.height])
        found += sides.min(1).tolist()
    return found
