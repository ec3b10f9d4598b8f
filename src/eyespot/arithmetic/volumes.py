"""Boxes of a drawing: feature volumes in oblique projection, and how they stand in rows, forks and under arcs.

Every box knows its width, and how far it reaches above and below the axis of its row; it draws itself as SVG where it
is put. The boxes hold only numbers and text: two that are equal look the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from math import sqrt
from typing import Protocol

from eyespot import palette

INK, FAINT, LINE = palette.as_hex(palette.INK), "#5c6670", "#9aa4ae"
FONT = 11
LETTER = 6.1
"""Width of a letter of that font, about."""
LEADING = 13
GAP = 14
"""Between two boxes of a row."""
TIGHT = 5
"""Between equal volumes that stand together."""
MOST_TOGETHER = 4
FORK = 30
ARC = 20
KINDS = {
    "image": ("#c9cfd6", "image"),
    "conv": ("#6ea8e5", "convolution"),
    "pool": ("#f0a05f", "pooling"),
    "dense": ("#78bf8a", "fully connected"),
    "joined": ("#b493d6", "concatenation"),
    "other": ("#d9c56c", "other"),
}
"""Colour of a volume, and its word in the legend."""


@dataclass(frozen=True)
class Scale:
    """From a volume's shape to lengths on the page: by square roots, so that 7 can be seen beside 224."""

    pixels: float
    channels: float

    def side(self, size: int) -> float:
        return max(4.0, self.pixels * sqrt(size))

    def thickness(self, channels: int) -> float:
        return max(3.0, self.channels * sqrt(channels))


class Box(Protocol):
    """What can be put on a page."""

    @property
    def width(self) -> float: ...

    @property
    def above(self) -> float: ...

    @property
    def below(self) -> float: ...

    def svg(self, x: float, y: float) -> Iterator[str]:
        """The parts of the drawing, the left end of the axis being at x, y."""
        ...


@dataclass(frozen=True)
class Volume:
    """The output of one layer, or of several alike, with the lines of its label below."""

    kind: str
    shape_chw: tuple[int, int, int]
    label: tuple[str, ...]
    scale: Scale
    count: int = 1

    @property
    def words(self) -> tuple[str, ...]:
        """The label, with the number of layers where there are several."""
        return self.label if self.count == 1 else (f"{self.count} × {self.label[0]}", *self.label[1:])

    @cached_property
    def _front(self) -> tuple[float, float, float, float]:
        """Thickness and height of the front, and how far the back lies to the right and above."""
        channels, height, width = self.shape_chw
        across = self.scale.side(width)
        return self.scale.thickness(channels), self.scale.side(height), 0.4 * across, 0.24 * across

    @cached_property
    def _drawn(self) -> float:
        thick, _, right, _ = self._front
        together = min(self.count, MOST_TOGETHER)
        return together * thick + (together - 1) * TIGHT + right

    @cached_property
    def width(self) -> float:
        return max(self._drawn, *(LETTER * len(line) for line in self.words))

    @cached_property
    def above(self) -> float:
        return (self._front[1] + self._front[3]) / 2

    @cached_property
    def below(self) -> float:
        return self.above + 4 + LEADING * len(self.words)

    def svg(self, x: float, y: float) -> Iterator[str]:
        thick, height, right, up = self._front
        left = x + (self.width - self._drawn) / 2
        bottom = y + self.above
        colour = KINDS[self.kind][0]
        yield way(x, y, x + self.width, y)
        for number in range(min(self.count, MOST_TOGETHER)):
            a, b, top = left + number * (thick + TIGHT), left + number * (thick + TIGHT) + thick, bottom - height
            faces = (
                ("top", ((a, top), (a + right, top - up), (b + right, top - up), (b, top))),
                ("side", ((b, top), (b + right, top - up), (b + right, bottom - up), (b, bottom))),
                ("front", ((a, top), (b, top), (b, bottom), (a, bottom))),
            )
            for face, corners in faces:
                points = " ".join(f"{px:.1f},{py:.1f}" for px, py in corners)
                yield f'<polygon class="{face}" fill="{colour}" points="{points}"/>'
                if face != "front":
                    yield f'<polygon class="{face}-light" points="{points}"/>'
        for number, line in enumerate(self.words):
            style = "name" if number == 0 else "shape"
            yield text(x + self.width / 2, bottom + 4 + LEADING * (number + 0.75), line, style)


@dataclass(frozen=True)
class Row:
    """Boxes one after the other on an axis."""

    boxes: tuple[Box, ...]

    @cached_property
    def width(self) -> float:
        return sum(box.width for box in self.boxes) + GAP * max(0, len(self.boxes) - 1)

    @cached_property
    def above(self) -> float:
        return max((box.above for box in self.boxes), default=0)

    @cached_property
    def below(self) -> float:
        return max((box.below for box in self.boxes), default=0)

    def svg(self, x: float, y: float) -> Iterator[str]:
        for number, box in enumerate(self.boxes):
            if number > 0:
                yield way(x - GAP, y, x, y)
            yield from box.svg(x, y)
            x += box.width + GAP


@dataclass(frozen=True)
class Arc:
    """A body with its shortcut over it, and the sum after it."""

    body: Row
    label: str
    """What the shortcut does on its way; empty for nothing."""

    before, behind = 8.0, 22.0

    @cached_property
    def width(self) -> float:
        return self.before + self.body.width + self.behind

    @cached_property
    def above(self) -> float:
        return self.body.above + ARC + (LEADING if self.label else 0) / 2

    @cached_property
    def below(self) -> float:
        return self.body.below

    def svg(self, x: float, y: float) -> Iterator[str]:
        end = x + self.width - 9
        top = y - self.body.above - ARC + 6
        yield way(x, y, x + self.before, y)
        yield way(x + self.width - self.behind, y, x + self.width, y)
        yield from self.body.svg(x + self.before, y)
        corner = min(16.0, (end - x) / 4)
        yield (
            f'<path class="shortcut" d="M{x + 1:.1f},{y:.1f} V{top + corner:.1f} Q{x + 1:.1f},{top:.1f} '
            f"{x + 1 + corner:.1f},{top:.1f} H{end - corner:.1f} Q{end:.1f},{top:.1f} {end:.1f},{top + corner:.1f} "
            f'V{y - 7:.1f}"/>'
        )
        yield f'<circle class="dot" cx="{x + 1:.1f}" cy="{y:.1f}" r="2.5"/>'
        yield f'<circle class="sum" cx="{end:.1f}" cy="{y:.1f}" r="7"/>'
        yield f'<path class="plus" d="M{end - 4:.1f},{y:.1f} h8 M{end:.1f},{y - 4:.1f} v8"/>'
        if self.label:
            middle, half = (x + end) / 2, LETTER * len(self.label) / 2 + 4
            yield (
                f'<rect class="pill" x="{middle - half:.1f}" y="{top - 8:.1f}" width="{2 * half:.1f}" height="16" '
                'rx="8"/>'
            )
            yield text(middle, top + 4, self.label, "name")


@dataclass(frozen=True)
class Fork:
    """Branches side by side, and the volume that they make together."""

    branches: tuple[tuple[int, Row], ...]
    """Each with the number of branches that look like it."""
    joined: Volume

    @cached_property
    def _inside(self) -> float:
        return max(row.width + (26 if count > 1 else 0) for count, row in self.branches)

    @cached_property
    def _height(self) -> float:
        return sum(max(row.above, 4) + max(row.below, 4) for _, row in self.branches) + 8 * (len(self.branches) - 1)

    @cached_property
    def width(self) -> float:
        return 2 * FORK + self._inside + self.joined.width

    @cached_property
    def above(self) -> float:
        return max(self._height / 2, self.joined.above)

    @cached_property
    def below(self) -> float:
        return max(self._height / 2, self.joined.below)

    def svg(self, x: float, y: float) -> Iterator[str]:
        top = y - self._height / 2
        right = x + 2 * FORK + self._inside
        for count, row in self.branches:
            axis = top + max(row.above, 4)
            first, last = x + FORK, x + FORK + self._inside
            yield _bend(x, y, first, axis)
            yield _bend(last, axis, right, y)
            indent = (self._inside - row.width) / 2
            yield way(first, axis, first + indent, axis)
            yield way(first + indent + row.width, axis, last, axis)
            yield from row.svg(first + indent, axis)
            if count > 1:
                yield text(last - 4, axis - 6, f"× {count}", "times")
            top += max(row.above, 4) + max(row.below, 4) + 8
        yield from self.joined.svg(right, y)


@dataclass(frozen=True)
class Repeat:
    """A box that comes several times, drawn once."""

    box: Box
    count: int

    inset = 10.0

    @cached_property
    def width(self) -> float:
        return self.box.width + 2 * self.inset

    @cached_property
    def above(self) -> float:
        return self.box.above + 20

    @cached_property
    def below(self) -> float:
        return self.box.below + 8

    def svg(self, x: float, y: float) -> Iterator[str]:
        height = self.box.above + self.box.below + 26
        yield (
            f'<rect class="repeat" x="{x:.1f}" y="{y - self.box.above - 20:.1f}" width="{self.width:.1f}" '
            f'height="{height:.1f}" rx="8"/>'
        )
        yield way(x, y, x + self.inset, y)
        yield way(x + self.width - self.inset, y, x + self.width, y)
        yield from self.box.svg(x + self.inset, y)
        yield text(x + self.width - 8, y - self.box.above - 6, f"× {self.count}", "times")


def text(x: float, y: float, words: str, style: str) -> str:
    """Words on the page. The style sheet says whether they stand around x, begin or end there."""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def way(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line of the data's way."""
    return f'<path class="way" d="M{x1:.1f},{y1:.1f} L{x2:.1f},{y2:.1f}"/>'


def _bend(x1: float, y1: float, x2: float, y2: float) -> str:
    middle = (x1 + x2) / 2
    return f'<path class="way" d="M{x1:.1f},{y1:.1f} C{middle:.1f},{y1:.1f} {middle:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"/>'
