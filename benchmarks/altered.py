"""Copies of pictures as people make them: saved anew, resized, cropped, brightened, mirrored, taken again at once."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

Alter = Callable[[Image.Image, np.random.Generator], Image.Image]
QUALITY = 90
SAVED_WORSE = 50


def altered(path: Path, alter: Alter, random: np.random.Generator, *, quality: int = QUALITY) -> bytes:
    """The picture as an altered JPEG."""
    with Image.open(path) as picture:
        changed = alter(picture.convert("RGB"), random)
    file = io.BytesIO()
    changed.save(file, "JPEG", quality=quality)
    return file.getvalue()


def same(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """The picture itself: what alters it is saving."""
    return picture


def resized(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return picture.resize((int(picture.width * 0.7), int(picture.height * 0.7)), Image.Resampling.BICUBIC)


def brightened(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(float(random.choice([0.7, 1.3])))


def mirrored(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return ImageOps.mirror(picture)


def cropped(share: float) -> Alter:
    """What keeps this share of each side, anywhere."""

    def crop(picture: Image.Image, random: np.random.Generator) -> Image.Image:
        width, height = int(picture.width * share), int(picture.height * share)
        left, top = random.integers(picture.width - width + 1), random.integers(picture.height - height + 1)
        return picture.crop((int(left), int(top), int(left) + width, int(top) + height))

    return crop


def taken_again(*, shift: float, degrees: float, brightness: float, zoom: float) -> Alter:
    """What another picture of a burst may show: moved, turned, brighter or darker, nearer, each by at most so much."""

    def take(picture: Image.Image, random: np.random.Generator) -> Image.Image:
        mean = np.asarray(picture).reshape(-1, 3).mean(axis=0)
        moved = picture.rotate(
            random.uniform(-degrees, degrees),
            Image.Resampling.BICUBIC,
            translate=(
                int(random.uniform(-shift, shift) * picture.width),
                int(random.uniform(-shift, shift) * picture.height),
            ),
            fillcolor=tuple(int(value) for value in mean),
        )
        nearer = cropped(1 - random.uniform(0, zoom))(moved, random)
        return ImageEnhance.Brightness(nearer).enhance(random.uniform(1 - brightness, 1 + brightness))

    return take


SMALL_BURST = taken_again(shift=0.03, degrees=3, brightness=0.1, zoom=0.05)
LARGE_BURST = taken_again(shift=0.06, degrees=8, brightness=0.2, zoom=0.12)
ALTERATIONS: Mapping[str, tuple[Alter, int]] = {
    "re-saved": (same, SAVED_WORSE),
    "resized": (resized, QUALITY),
    "brightness": (brightened, QUALITY),
    "mirror": (mirrored, QUALITY),
    "crop 90 %": (cropped(0.9), QUALITY),
    "crop 80 %": (cropped(0.8), QUALITY),
    "small burst": (SMALL_BURST, QUALITY),
    "large burst": (LARGE_BURST, QUALITY),
}
"""Each with the quality of the JPEG that comes of it."""
