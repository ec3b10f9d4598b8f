"""Boxes that were drawn on a picture as its file stores it, turned as the picture is to be held upright."""

from __future__ import annotations

import numpy as np

TOLERANCE = 1.0
"""Pixels that a box may stand out of the picture that it was drawn on: programs count from 0 or from 1."""


def turned(xyxy: np.ndarray, orientation: int, *, stored: tuple[int, int]) -> np.ndarray:
    """The boxes (N, 4) in pixels of the upright picture.

    orientation: of EXIF, 1 to 8. stored: width and height of the picture before it is turned.
    """
    left, top, right, bottom = xyxy.T
    width, height = stored
    flipped = {
        1: (left, top, right, bottom),
        2: (width - right, top, width - left, bottom),
        3: (width - right, height - bottom, width - left, height - top),
        4: (left, height - bottom, right, height - top),
        5: (top, left, bottom, right),
        6: (height - bottom, left, height - top, right),
        7: (height - bottom, width - right, height - top, width - left),
        8: (top, width - right, bottom, width - left),
    }
    return np.stack(flipped[orientation], axis=1)  # (N, 4)


def placed(xyxy: np.ndarray, *, said: tuple[int, int], upright: tuple[int, int], orientation: int) -> np.ndarray | str:
    """The boxes (N, 4) on the upright picture, or why it is unclear where they lie.

    said: the size of the picture that they were drawn on, as their file has it; with a 0 where it does not say it.
    upright, orientation: of the picture's file.
    """
    is_turned = orientation >= 5
    stored = (upright[1], upright[0]) if is_turned else upright
    if is_turned and said == stored != upright:
        return turned(xyxy, orientation, stored=stored)
    if said == upright or (0 in said and not is_turned) or _fit(xyxy, upright):
        return xyxy
    if is_turned and _fit(xyxy, stored):
        return turned(xyxy, orientation, stored=stored)
    return (
        f"is {upright[0]} x {upright[1]} pixels, its boxes were drawn on {said[0]} x {said[1]}, and not all lie within "
        "the picture: draw them on this file"
    )


def _fit(xyxy: np.ndarray, size: tuple[int, int]) -> bool:
    """True where all boxes lie in a picture of that width and height; NaN lies nowhere and is judged elsewhere."""
    low, high = -TOLERANCE, np.array([*size, *size]) + TOLERANCE
    return not ((xyxy < low) | (xyxy > high)).any()
