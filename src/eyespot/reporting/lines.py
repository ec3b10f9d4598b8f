"""Lines over two axes, each from 0 to 1: as SVG that the reports' style sheet colors, and as a PNG beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from eyespot.names import printable
from eyespot.palette import Color, as_hex
from eyespot.reporting.canvas import TEXT, Canvas, Point, Square, Ticks, width_of

SIDE, ROW, MARGIN, SWATCH = 480, 26, 24, 28
"""Of the PNG, pixels: its axes, a row of names, its edge, a piece of line beside a name."""
LEFT, RIGHT, TOP, BOTTOM = 40, 340, 10, 310
"""Of the SVG, its own units: where the axes end."""


@dataclass(frozen=True)
class Line:
    """One line, and its name."""

    name: str
    color: Color
    points: Sequence[Point]
    """Each across and up, from 0 to 1."""
    is_main: bool = False
    """Whether it is drawn broader than the others."""


@dataclass(frozen=True)
class Plot:
    """Lines over axes that are marked."""

    lines: tuple[Line, ...]
    across: Ticks
    up: Ticks
    names: tuple[str, str]
    """Of the axis across, and of the axis up."""


def plot_svg(plot: Plot) -> str:
    """HTML: an SVG, and a paragraph that says whose line is which."""
    across = "".join(
        f'<path class="grid" d="M{_x(place):.1f} {TOP}V{BOTTOM}"/>'
        f'<text x="{_x(place):.1f}" y="{BOTTOM + 18}" text-anchor="middle">{escape(words)}</text>'
        for place, words in plot.across
    )
    up = "".join(
        f'<path class="grid" d="M{LEFT} {_y(place):.1f}H{RIGHT}"/>'
        f'<text x="{LEFT - 6}" y="{_y(place) + 4:.1f}" text-anchor="end">{escape(words)}</text>'
        for place, words in plot.up
    )
    names = (
        f'<text x="{(LEFT + RIGHT) / 2:g}" y="{BOTTOM + 38}" text-anchor="middle">{escape(plot.names[0])}</text>'
        f'<text x="{LEFT}" y="{TOP - 12}">{escape(plot.names[1])}</text>'
    )
    lines = "".join(
        f'<polyline {_kind(each)} points="{" ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in each.points)}">'
        f"<title>{escape(printable(each.name))}</title></polyline>"
        for each in plot.lines
    )
    keys = "".join(
        f'<span><svg class="key" width="14" height="10" aria-hidden="true"><path {_kind(each)} d="M0 5H14"/></svg> '
        f"<bdi>{escape(printable(each.name))}</bdi></span> "
        for each in plot.lines
    )
    label = escape(f"{plot.names[1]} over {plot.names[0]}")
    return (
        f'<svg class="reliability curves" role="img" viewBox="0 -16 360 370" aria-label="{label}">'
        f'{across}{up}{names}{lines}</svg><p class="caption key">{keys}</p>'
    )


def plot_png(plot: Plot) -> bytes:
    """The same as a PNG."""
    square = Square(MARGIN + 44, MARGIN + 2 * TEXT, SIDE)
    legend = square.left + SIDE + MARGIN
    canvas = Canvas(
        legend + SWATCH + max(width_of(each.name) for each in plot.lines) + MARGIN,
        max(square.top + SIDE + 3.5 * TEXT, square.top + ROW * len(plot.lines)) + MARGIN,
    )
    canvas.axes(square, across=plot.across, up=plot.up, names=plot.names)
    for number, each in enumerate(plot.lines):
        width, y = 3 if each.is_main else 2, square.top + ROW * (number + 0.5)
        canvas.line([square.at(*point) for point in each.points], each.color, width=width)
        canvas.line([(legend, y), (legend + SWATCH - 8, y)], each.color, width=3)
        canvas.text((legend + SWATCH, y), each.name)
    return canvas.png()


def _kind(line: Line) -> str:
    """Attributes of a line: its class in the style sheet, and its color where the sheet has none for it."""
    return 'class="mean"' if line.is_main else f'class="line" color="{as_hex(line.color)}"'


def _x(share: float) -> float:
    return LEFT + (RIGHT - LEFT) * share


def _y(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share
