"""Precision over recall, a line for each class: as SVG in the report, and as a picture beside it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluate.average_precision import RECALLS, Curve, curves
from eyespot.evaluate.box_matches import Matches
from eyespot.evaluate.box_records import DetectionScores
from eyespot.evaluate.lettering import drawable, shorten
from eyespot.names import printable
from eyespot.palette import BOXES, INK, Color, as_hex, color_of
from eyespot.reporting.canvas import HUNDRED, SOFT, TEXT, Canvas, Point, Square, width_of
from eyespot.words import counted

NAMED = len(BOXES)
"""Lines that have a color and a name: of more classes those that are found worst, which are worth a look."""
LONGEST_NAME = 40
"""Of a class, in the report, characters."""
STEPS = 400
"""Recalls that a drawing can tell apart."""
OTHERS: Color = (200, 205, 210)
"""Of lines without a name."""
SIDE, ROW, MARGIN, SWATCH = 560, 26, 24, 28
"""Of the picture, pixels: its axes, a row of names, its edge, a piece of line beside a name."""


@dataclass(frozen=True, eq=False)
class ClassLine:
    """One line of the drawing."""

    label: int
    name: str
    ap50: float
    points: NDArray[np.float64]
    """(N, 2), recall and precision from the surest box down."""
    color: Color | None
    """None for a line that is drawn without a name, among others."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What both drawings show."""

    lines: tuple[ClassLine, ...]
    unmeasured: tuple[tuple[int, str], ...]
    """Number and name of the classes without a box to be found."""
    mean: NDArray[np.float64]
    """(101, 2), recall and the mean over the classes of the best precision at this recall or a higher one."""
    map50: float

    @property
    def named(self) -> list[ClassLine]:
        return [each for each in self.lines if each.color]

    @property
    def others(self) -> list[ClassLine]:
        return [each for each in self.lines if not each.color]


def drawn_curves(matched: Matches, scores: DetectionScores) -> Drawn:
    """Precision over recall where a box counts as found if it overlaps by half. scores: of these matches."""
    names = [each.name for each in scores.per_class]
    found = {label: curve for label, curve in enumerate(curves(matched)) if curve is not None}
    ap50 = {label: each.ap50.value for label, each in enumerate(scores.per_class) if each.ap50}
    named = sorted(sorted(found, key=lambda label: ap50[label])[:NAMED])
    own = len(names) <= NAMED  # then each class has its color, the one that its boxes are drawn in
    colors = {label: color_of(label if own else place) for place, label in enumerate(named)}
    return Drawn(
        lines=tuple(
            ClassLine(label, names[label], ap50[label], thinned(curve), colors.get(label))
            for label, curve in found.items()
        ),
        unmeasured=tuple((label, name) for label, name in enumerate(names) if label not in found),
        mean=np.stack([RECALLS, np.mean([_best(curve) for curve in found.values()], axis=0)], axis=1),
        map50=scores.map50.value,
    )


def thinned(curve: Curve) -> NDArray[np.float64]:
    """(N, 2), recall and precision: of the points that lie over the same step of recall the first, the best, the worst
    and the last, because thousands of unsure boxes would make megabytes that nobody can see."""
    recall, precision = np.asarray(curve.recall), np.asarray(curve.precision)
    if not len(recall):
        return np.zeros((0, 2))
    starts = np.flatnonzero(np.diff(np.floor(recall * STEPS), prepend=-1))
    kept: set[int] = set()
    for start, end in pairwise([*starts.tolist(), len(recall)]):
        piece = precision[start:end]
        kept |= {start, start + int(piece.argmax()), start + int(piece.argmin()), end - 1}
    at = sorted(kept)
    return np.stack([[0, *recall[at]], [precision[0], *precision[at]]], axis=1)


def curves_svg(drawn: Drawn) -> str:
    """HTML: an SVG, and a paragraph that says whose line is which."""
    lines = [
        *(f'<polyline class="other" points="{_points(each.points)}"/>' for each in drawn.others),
        *(
            f'<polyline class="line" color="{as_hex(each.color)}" points="{_points(each.points)}">'
            f"<title>{escape(printable(each.name))}</title></polyline>"
            for each in drawn.named
            if each.color
        ),
    ]
    if len(drawn.lines) > 1:
        lines.append(f'<polyline class="mean" points="{_points(drawn.mean)}"><title>mean</title></polyline>')
    grid = "".join(
        f'<path class="grid" d="M40 {_y(tenth / 10):g}H340M{_x(tenth / 10):g} 10V310"/>'
        f'<text x="34" y="{_y(tenth / 10) + 4:g}" text-anchor="end">{10 * tenth}</text>'
        f'<text x="{_x(tenth / 10):g}" y="328" text-anchor="middle">{10 * tenth}</text>'
        for tenth in range(0, 11, 2)
    )
    names = '<text x="190" y="348" text-anchor="middle">recall, %</text><text x="40" y="-2">precision, %</text>'
    return (
        '<svg class="reliability curves" role="img" viewBox="0 -16 360 370" '
        f'aria-label="Precision over recall, a line a class">{grid}{names}{"".join(lines)}</svg>{_key(drawn)}'
    )


def _key(drawn: Drawn) -> str:
    """Whose line is which, as a paragraph of HTML."""
    keys = [
        f'<svg class="key" width="14" height="10" aria-hidden="true"><path class="line" color="{as_hex(each.color)}" '
        f'd="M0 5H14"/></svg> <bdi>{escape(shorten(each.name, LONGEST_NAME))}</bdi>'
        for each in drawn.named
        if each.color
    ]
    for kind, words in (("mean", "mean" if len(drawn.lines) > 1 else ""), ("other", _others(drawn))):
        if words:
            keys.append(
                f'<svg class="key" width="14" height="10" aria-hidden="true"><path class="{kind}" d="M0 5H14"/></svg> '
                f"{words}"
            )
    return f'<p class="caption key">{"".join(f"<span>{each}</span> " for each in keys)}</p>'


def _others(drawn: Drawn) -> str:
    return f"{counted(len(drawn.others), 'class', 'classes')} found better" if drawn.others else ""


def curves_png(drawn: Drawn) -> bytes:
    """The same as a PNG, with each class's average precision at an overlap of half."""
    rows = _rows(drawn)
    names = max(width_of(name) for _, name, _ in rows)
    figures = max(width_of(figure) for _, _, figure in rows)
    square = Square(MARGIN + 36, MARGIN + 2 * TEXT, SIDE)
    legend = square.left + SIDE + 2 * MARGIN
    canvas = Canvas(
        legend + SWATCH + names + MARGIN + figures + MARGIN,
        max(square.top + SIDE + 3.5 * TEXT, square.top + ROW * len(rows)) + MARGIN,
    )
    canvas.axes(square, across=HUNDRED, up=HUNDRED, names=("recall, %", "precision, %"))
    for each in drawn.others:
        canvas.line(_placed(square, each.points), OTHERS, width=1)
    for each in drawn.named:
        canvas.line(_placed(square, each.points), each.color or OTHERS, width=2)
    if len(drawn.lines) > 1:
        canvas.line(_placed(square, drawn.mean), INK, width=3)
    for number, (color, name, figure) in enumerate(rows):
        y = square.top + ROW * (number + 0.5)
        if color:
            canvas.line([(legend, y), (legend + SWATCH - 8, y)], color, width=3)
        canvas.text((legend + SWATCH, y), name, color=INK if color else SOFT)
        canvas.text((legend + SWATCH + names + MARGIN + figures, y), figure, color=INK if color else SOFT, anchor="rm")
    return canvas.png()


def _rows(drawn: Drawn) -> list[tuple[Color | None, str, str]]:
    """What stands beside the axes: the color of a line, whose it is, its figure."""
    rows: list[tuple[Color | None, str, str]] = [(None, "class", "AP50")]
    if len(drawn.lines) > 1:
        rows.append((INK, "mean", f"{drawn.map50:.3f}"))
    rows += [(each.color, drawable(each.name, each.label), f"{each.ap50:.3f}") for each in drawn.named]
    if drawn.others:
        best = [each.ap50 for each in drawn.others]
        rows.append((OTHERS, _others(drawn), f"{min(best):.3f} to {max(best):.3f}"))
    if len(drawn.unmeasured) <= NAMED:
        rows += [(None, drawable(name, label), "not measured") for label, name in drawn.unmeasured]
    else:
        rows.append((None, counted(len(drawn.unmeasured), "class", "classes"), "not measured"))
    return rows


def _placed(square: Square, points: NDArray[np.float64]) -> list[Point]:
    return [square.at(recall, precision) for recall, precision in points.tolist()]


def _best(curve: Curve) -> NDArray[np.float64]:
    """(101,), the best precision at each recall or a higher one, as average precision takes it; 0 beyond the last."""
    best = np.append(np.maximum.accumulate(np.asarray(curve.precision)[::-1])[::-1], 0)
    at_recall: NDArray[np.float64] = best[np.searchsorted(curve.recall, RECALLS)]
    return at_recall


def _points(points: NDArray[np.float64]) -> str:
    return " ".join(f"{_x(recall):.1f},{_y(precision):.1f}" for recall, precision in points.tolist())


def _x(share: float) -> float:
    return 40 + 300 * share


def _y(share: float) -> float:
    return 310 - 300 * share
