"""Pictures that are quite different from anything a person trains on: noise, drawings, printed digits.

They are made here, the same ones every time, to find out whether a model notices that they show none of its classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from eyespot.data.data_set import Picture

SIDE = 224
"""Pixels."""
OF_EACH = 10
"""Few enough to cost a twentieth of a second, enough to tell most from some."""
STROKES = 6
"""In a drawing, at most."""
WHITE = (255, 255, 255)

Paint = Callable[[int, np.random.Generator], Image.Image]


def different_pictures(*, digits: bool) -> tuple[Picture, ...]:
    """`OF_EACH` pictures of each kind, whose labels are the kinds.

    digits: False where the model's own classes may be digits, which are left out then.
    """
    kinds: dict[str, Paint] = {"noise": _noise, "drawings": _drawing}
    if digits:
        kinds["digits"] = _digit
    return tuple(each for kind, paint in kinds.items() for each in _painted(kind, paint))


def _painted(kind: str, paint: Paint) -> Iterator[Picture]:
    for number in range(OF_EACH):
        random = np.random.default_rng([number, *kind.encode()])
        yield Picture(f"{kind}/{number}", label=kind, data=_file(paint(number, random)))


def _noise(number: int, random: np.random.Generator) -> Image.Image:
    """Every other one is coarse: of squares that are as bright as they happen to be."""
    cells = SIDE if number % 2 else SIDE // 2 ** (number % 5 + 1)
    values = random.integers(0, 256, (cells, cells, 3), np.uint8)
    return Image.fromarray(values).resize((SIDE, SIDE), Image.Resampling.NEAREST)


def _drawing(number: int, random: np.random.Generator) -> Image.Image:
    """Lines, circles and filled shapes on white, as a child draws them with a program."""
    image = Image.new("RGB", (SIDE, SIDE), WHITE)
    pen = ImageDraw.Draw(image)
    for _ in range(2 + number % (STROKES - 1)):
        left, top, right, bottom = (*random.integers(0, SIDE // 2, 2), *random.integers(SIDE // 2, SIDE, 2))
        box, color = [(int(left), int(top)), (int(right), int(bottom))], tuple(map(int, random.integers(0, 200, 3)))
        shape = random.integers(4)
        if shape == 0:
            pen.line(box, color, width=5)
        elif shape == 1:
            pen.ellipse(box, outline=color, width=5)
        elif shape == 2:
            pen.rectangle(box, fill=color)
        else:
            pen.polygon([box[0], box[1], (int(right), int(top))], fill=color)
    return image


def _digit(number: int, random: np.random.Generator) -> Image.Image:
    """One digit, black on white, nearly as high as the picture."""
    image = Image.new("RGB", (SIDE, SIDE), WHITE)
    place = (SIDE // 2, SIDE // 2)
    font = ImageFont.load_default(size=int(random.integers(SIDE // 2, SIDE)))
    ImageDraw.Draw(image).text(place, str(number % 10), (0, 0, 0), font=font, anchor="mm")
    return image


def _file(image: Image.Image) -> bytes:
    """As a PPM, which takes no time to write or to read."""
    return b"P6 %d %d 255\n" % image.size + image.tobytes()
