"""Photos, paintings and masks as a person names them, read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from eyespot.data.pictures import naming, read_named, read_small
from eyespot.data.ranges import levels_of
from eyespot.errors import DataError, OptionError
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.styling.colors import Pixels
from eyespot.styling.options import LEAST_SIDE
from eyespot.styling.painter import Painting

LARGEST_PAINTING = 4096
"""Pixels of a painting's longer side; a larger one is reduced first."""


def read_paintings(given: Sequence[str | Path]) -> list[Painting]:
    """What is named, each with its weight. Raises OptionError, DataError."""
    if not given:
        raise OptionError("the option style must name at least one painting")
    paintings = []
    for each in given:
        path, weight = _path_and_weight(str(each))
        name, data = read_named(path)
        paintings.append(Painting(name, read_pixels(name, data), weight, from_home(path)))
    return paintings


def read_pixels(name: str, data: bytes, *, most: int | None = None) -> Pixels:
    """A picture, upright, (H, W, 3), its longer side at most `most` pixels.

    Raises DataError if it cannot be read or is too small.
    """
    with naming(name):
        picture = read_small(data, most or LARGEST_PAINTING, levels_of(data))
    if min(picture.size) < LEAST_SIDE:
        raise DataError(
            f"{name} would have {picture.width} x {picture.height} pixels, and painting takes at least {LEAST_SIDE} on "
            "each side: choose a larger picture, or a larger --imgsz"
        )
    return np.asarray(picture)


def read_mask(mask: str | Path | None, photo: Pixels) -> Pixels | None:
    """The mask at the photo's size, (H, W). Raises DataError if it cannot be read, or has other proportions."""
    if mask is None:
        return None
    height, width = photo.shape[:2]
    name, picture = _mask(mask, 2 * max(height, width))
    if abs(picture.width * height - picture.height * width) > 0.02 * picture.width * height + max(height, width):
        raise DataError(
            f"the mask {name} is {picture.width} x {picture.height} pixels, and the photo {width} x {height}: draw it "
            "on a copy of the photo, whose proportions it must have"
        )
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def require_mask(mask: str | Path | None) -> None:
    """Raises DataError for a mask that cannot be read."""
    if mask is not None:
        _mask(mask, LEAST_SIDE)


def _mask(mask: str | Path, most: int) -> tuple[str, Image.Image]:
    """Its name, and it in gray, its longer side at most so long."""
    name, data = read_named(mask)
    with naming(name):
        return name, read_small(data, most, levels_of(data)).convert("L")


def _path_and_weight(given: str) -> tuple[str, float]:
    path, colon, number = given.rpartition(":")
    if not colon or os.path.exists(from_home(given)):
        return given, 1.0
    try:
        weight = float(number)
    except ValueError:
        return given, 1.0
    if not 0 < weight < float("inf"):
        raise OptionError(f"the weight of the painting {printable(path)} must be above 0, not {number}")
    return path, weight
