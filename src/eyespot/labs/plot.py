"""The one plot of all labs, as SVG: a row for each setting, a dot for each seed, a whisker for the interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from eyespot.labs.definition import Language
from eyespot.labs.figures import Interval
from eyespot.palette import BOXES, as_hex

WIDTH, EDGE, ROW, HEADING = 360, 10, 38, 30
"""Of the drawing, its left and right edge, a row and a heading, in its own units: those of a phone's screen."""
MOST_TICKS = 5
OWN_STYLE = (
    "svg{--ink:#1d2227;--soft:#565e67;--line:#dfe2e4;--card:#fff;--lift:0%;background:var(--card)}"
    "@media(prefers-color-scheme:dark){svg{--ink:#e8eaec;--soft:#a3acb5;--line:#343a40;--card:#1c2024;--lift:40%}}"
    "text{fill:var(--soft);font:13px system-ui,sans-serif}.whisker{fill:none;stroke:var(--ink);stroke-width:1.5}"
    "text.heading{fill:var(--ink);font-weight:600}.grid{stroke:var(--line)}"
    ".dot{fill:color-mix(in srgb,currentColor,white var(--lift));fill-opacity:.75}"
)
"""For the file by itself; in the report the page's style sheet does it."""


@dataclass(frozen=True)
class PlotRow:
    """A setting of the experiment."""

    heading: str
    """What its group has in common; a new one is written above the row. Empty for none."""
    label: str
    arm: int
    """Number of its color."""
    values: Sequence[float]
    interval: Interval


def plot_svg(rows: Sequence[PlotRow], *, title: str, language: Language, by_itself: bool = False) -> str:
    """The drawing. title: what is measured. by_itself: as a file of its own, with its colors."""
    ticks = _ticks([number for row in rows for number in _ends(row)])
    low, high = ticks[0], ticks[-1]

    def x(value: float) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * (value - low) / (high - low)

    drawn, y, heading = [], 4.0, ""
    for row in rows:
        if row.heading != heading:
            heading, y = row.heading, y + HEADING
            drawn.append(f'<text class="heading" x="{EDGE}" y="{y - 8:g}">{escape(heading)}</text>')
        drawn.append(_row(row, y, x, language))
        y += ROW
    grid = "".join(
        f'<path class="grid" d="M{x(tick):.1f} 4V{y:g}"/>'
        f'<text x="{x(tick):.1f}" y="{y + 16:g}" text-anchor="{_anchor(number, len(ticks))}">{tick:g}</text>'
        for number, tick in enumerate(ticks)
    )
    name = f'<text x="{WIDTH / 2:g}" y="{y + 36:g}" text-anchor="middle">{escape(title)}</text>'
    style = f"<style>{OWN_STYLE}</style>" if by_itself else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="trials" role="img" viewBox="0 0 {WIDTH} {y + 46:g}" '
        f'aria-label="{escape(title)}">{style}{grid}{"".join(drawn)}{name}</svg>'
    )


def _row(row: PlotRow, y: float, x: Callable[[float], float], language: Language) -> str:
    middle = y + 26
    color = as_hex(BOXES[row.arm % len(BOXES)])
    dots = "".join(
        f'<circle class="dot" cx="{x(value):.1f}" cy="{middle:g}" r="4"/>'
        for value in row.values
        if math.isfinite(value)
    )
    ends = row.interval.low, row.interval.high
    whisker = ""
    if ends[0] < ends[1] and all(map(math.isfinite, ends)):
        left, right, mean = x(ends[0]), x(ends[1]), x(row.interval.mean)
        whisker = (
            f'<path class="whisker" d="M{left:.1f} {middle:g}H{right:.1f}M{left:.1f} {middle - 4:g}v8'
            f'M{right:.1f} {middle - 4:g}v8M{mean:.1f} {middle - 7:g}v14"/>'
        )
    return (
        f'<g color="{color}"><text x="{EDGE}" y="{y + 14:g}">{escape(row.label)}</text>'
        f'<text x="{WIDTH - EDGE}" y="{y + 14:g}" text-anchor="end">{escape(row.interval.to(language))}</text>'
        f"{dots}{whisker}</g>"
    )


def _anchor(number: int, count: int) -> str:
    return "start" if number == 0 else "end" if number == count - 1 else "middle"


def _ends(row: PlotRow) -> list[float]:
    return [value for value in (*row.values, row.interval.low, row.interval.high) if math.isfinite(value)]


def _ticks(values: Sequence[float]) -> list[float]:
    """Round numbers, from at or below the least value to at or above the greatest."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / (MOST_TICKS - 1)
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]
