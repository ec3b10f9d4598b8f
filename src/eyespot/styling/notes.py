"""What is worth knowing of a photo and its paintings before one is painted as the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from PIL import Image

from eyespot.styling.colors import Pixels

ONE_COLOR = 2.0
"""Standard deviation of each channel, levels: a picture with less has one color, whatever its noise."""
SAME = 1.5
"""Mean difference, levels: two pictures that differ by less show the same."""


def notes_on(name: str, photo: Pixels, paintings: Mapping[str, Pixels]) -> Iterator[str]:
    """Sentences on what cannot come out well. paintings: by their names."""
    for each, painting in paintings.items():
        if painting.reshape(-1, 3).std(axis=0).max() < ONE_COLOR:
            yield f"{each} has only one color: there is nothing else to take from it"
        elif _is_same(photo, painting):
            yield f"{each} shows the same as {name}: it has no other style to take"


def _is_same(photo: Pixels, painting: Pixels) -> bool:
    height, width = photo.shape[:2]
    if abs(height * painting.shape[1] - width * painting.shape[0]) > 0.02 * width * painting.shape[0]:
        return False  # of other proportions
    resized = Image.fromarray(painting).resize((width, height), Image.Resampling.BICUBIC)
    return float(np.abs(np.asarray(resized, np.float32) - photo).mean()) < SAME
