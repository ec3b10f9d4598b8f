"""Drawings of circles, squares and triangles: some are only a few pixels large, and all lie on noise."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

CLASSES = ("circle", "square", "triangle")
SIZE_WH = (160, 120)
RADII = (5, 14)
"""Pixels: the smallest, and the first that is too large."""


def boxed_shape(name: str, random: np.random.Generator) -> tuple[Image.Image, tuple[int, int, int, int]]:
    """A drawing of a class of `CLASSES`, and the box around its shape: left, top, right and bottom, pixels."""
    width, height = SIZE_WH
    noise = random.integers(0, 100, (height, width, 3)) + random.integers(0, 156, 3)
    picture = Image.fromarray(noise.astype(np.uint8))
    radius = int(random.integers(*RADII))
    x, y = int(random.integers(radius, width - radius)), int(random.integers(radius, height - radius))
    box = (x - radius, y - radius, x + radius, y + radius)
    color = tuple(random.integers(0, 256, 3).tolist())
    draw = ImageDraw.Draw(picture)
    if name == "circle":
        draw.ellipse(box, fill=color)
    elif name == "square":
        draw.rectangle(box, fill=color)
    else:
        draw.polygon([(x, box[1]), (box[0], box[3]), (box[2], box[3])], fill=color)
    return picture, box
