"""The learning curve as a small SVG drawing that the report's style sheet colors."""

from __future__ import annotations

import math

import numpy as np

from eyespot.evaluate.learning_curve import MorePictures

WIDTH, HEIGHT = 420, 220
LEFT, TOP, RIGHT, BOTTOM = 52, 12, 16, 40
STEPS = 40


def curve_svg(more: MorePictures) -> str:
    """Accuracy by the number of pictures trained on: what was measured, the curve, and its band at twice as many."""
    sizes = [size for size, _ in more.points]
    last = 2 * more.pictures
    now = 1 - more.curve.error(more.pictures)
    values = [*(1 - error for _, error in more.points), now + more.low, now + more.high]
    low, high = max(0.0, min(values) - 0.02), min(1.0, max(values) + 0.02)

    def x(size: float) -> float:
        share = math.log(size / sizes[0]) / math.log(last / sizes[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(accuracy: float) -> float:
        return TOP + (high - min(max(accuracy, low), high)) / (high - low) * (HEIGHT - TOP - BOTTOM)

    drawn = np.geomspace(sizes[0], last, STEPS)
    line = " ".join(f"{x(size):.1f},{y(1 - more.curve.error(size)):.1f}" for size in drawn)
    points = "".join(f'<circle class="point" cx="{x(n):.1f}" cy="{y(1 - e):.1f}" r="4"/>' for n, e in more.points)
    band = (
        f'<rect class="band" x="{x(last) - 4:.1f}" y="{y(now + more.high):.1f}" width="8" '
        f'height="{max(1.0, y(now + more.low) - y(now + more.high)):.1f}"/>'
    )
    ticks = "".join(
        f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{100 * value:.0f} %</text>'
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        for value in (low, (low + high) / 2, high)
    )
    labels = "".join(
        f'<text x="{x(size):.1f}" y="{HEIGHT - 18}" text-anchor="{anchor}">{round(size)}</text>'
        for size, anchor in ((sizes[0], "start"), (more.pictures, "middle"), (last, "end"))
    )
    return (
        f'<svg class="curves" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Accuracy by number of pictures">'
        f'{ticks}<polyline class="ideal" fill="none" points="{line}"/>{band}{points}{labels}'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 2}" text-anchor="middle">pictures trained on</text>'
        "</svg>"
    )
