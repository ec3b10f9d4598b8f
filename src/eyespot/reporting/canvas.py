"""A white picture that figures are drawn on, by Pillow, which draws no smooth lines: everything is drawn twice as large
and halved in the end."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from eyespot.evaluate.lettering import font_for, own_font
from eyespot.palette import INK, PALE, Color

TEXT = 14
"""Height of letters, pixels."""
SOFT: Color = (86, 94, 103)
"""Of letters beside axes."""
TWICE = 2
Point = tuple[float, float]
Ticks = Sequence[tuple[float, str]]
"""Where an axis is marked, from 0 to 1, and with which words."""
HUNDRED: Ticks = tuple((tenth / 10, str(10 * tenth)) for tenth in range(0, 11, 2))
"""From 0 to 100 %."""


@dataclass(frozen=True)
class Square:
    """A part of a canvas with an axis across and one up, each from 0 to 1."""

    left: float
    top: float
    side: float

    def at(self, across: float, up: float) -> Point:
        """The point of the canvas, in pixels."""
        return self.left + self.side * across, self.top + self.side * (1 - up)


class Canvas:
    """All places and sizes are in pixels of the finished picture; 0, 0 is its top left corner."""

    def __init__(self, width: float, height: float) -> None:
        self._image = Image.new("RGB", (TWICE * round(width), TWICE * round(height)), "white")
        self._pen = ImageDraw.Draw(self._image)

    def text(self, at: Point, words: str, *, color: Color = INK, anchor: str = "lm") -> None:
        """anchor: Pillow's, which part of the words lies at that point; `lm` is the left end, half way up."""
        self._pen.text((TWICE * at[0], TWICE * at[1]), words, color, _font(words), anchor=anchor)

    def line(self, points: Sequence[Point], color: Color, *, width: float = 1) -> None:
        """Through all points; nothing is drawn of fewer than two."""
        doubled = [(TWICE * x, TWICE * y) for x, y in points]
        self._pen.line(doubled, color, round(TWICE * width), joint="curve")

    def fill(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        """A rectangle, at least one dot wide and high."""
        right, bottom = (max(TWICE * low, TWICE * high - 1) for low, high in ((left, right), (top, bottom)))
        self._pen.rectangle((TWICE * left, TWICE * top, right, bottom), color)

    def axes(self, square: Square, *, across: Ticks, up: Ticks, names: tuple[str, str]) -> None:
        """A grid with its marks. names: of the axis across, below it, and of the axis up, above it."""
        for place, words in across:
            x, y = square.at(place, 0)
            self.line([(x, y), square.at(place, 1)], PALE)
            self.text((x, y + TEXT), words, color=SOFT, anchor="mm")
        for place, words in up:
            x, y = square.at(0, place)
            self.line([(x, y), square.at(1, place)], PALE)
            self.text((x - 8, y), words, color=SOFT, anchor="rm")
        self.text((square.left + square.side / 2, square.top + square.side + 2.6 * TEXT), names[0], anchor="mm")
        self.text((square.left, square.top - 1.3 * TEXT), names[1])

    def png(self) -> bytes:
        """The finished picture as a file."""
        buffer = io.BytesIO()
        self._image.reduce(TWICE).save(buffer, "PNG", optimize=True)
        return buffer.getvalue()


def width_of(words: str) -> float:
    """How wide they are on a canvas."""
    return _font(words).getlength(words) / TWICE


def _font(words: str) -> ImageFont.FreeTypeFont:
    return font_for(words, TWICE * TEXT) or own_font(TWICE * TEXT)
