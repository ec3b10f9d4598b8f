"""Pictures of which no two show the same, for tests of copies, series and labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

KINDS = ("blue", "red")


def painted(kind: str, seed: int) -> Image.Image:
    """Red discs or blue lines, anywhere: no two pictures show the same."""
    random = np.random.default_rng([KINDS.index(kind), seed])

    def color() -> tuple[int, ...]:
        found = random.integers(0, 256, 3)
        found[2 if kind == "blue" else 0] = random.integers(180, 256)
        return tuple(found.tolist())

    picture = Image.new("RGB", (160, 160), color())
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(3, 8)):
        (left, top), (width, height) = random.integers(0, 120, 2).tolist(), random.integers(15, 110, 2).tolist()
        box = (left, top, left + width, top + height)
        if kind == "red":
            draw.ellipse(box, fill=color())
        else:
            draw.line([tuple(point) for point in random.integers(0, 160, (6, 2)).tolist()], fill=color(), width=4)
            draw.rectangle(box, outline=color(), width=3)
    return picture


def turned(kind: str, seed: int, degrees: float) -> Image.Image:
    """Another picture of the same thing."""
    return painted(kind, seed).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))


def write(folder: Path, kinds: tuple[str, ...] = KINDS, *, each: int, copies: int = 0, first: int = 0) -> None:
    """`folder/KIND/NN.png` for each kind, and NN-1.png and so on of the same things."""
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + each):
            painted(kind, number).save(folder / kind / f"{number:02}.png")
            for copy in range(1, copies + 1):
                turned(kind, number, 2.0 * copy).save(folder / kind / f"{number:02}-{copy}.png")
