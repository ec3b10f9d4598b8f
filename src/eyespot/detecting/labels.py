"""What the labels of a data set look like, as a picture: boxes by class and part, their sizes, and where they lie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.data.boxes.records import BoxedPicture
from eyespot.evaluate.lettering import drawable
from eyespot.palette import INK, TEAL, Color
from eyespot.reporting.canvas import HUNDRED, SOFT, TEXT, Canvas, Square, Ticks, width_of
from eyespot.words import counted

MOST_ROWS = 30
"""Of more classes half as many are shown that have the most boxes, and half as many that have the fewest."""
PARTS: Mapping[str, Color] = {"train": TEAL, "val": (222, 150, 50), "test": (150, 40, 150)}
NO_BOXES: Color = (184, 78, 20)
"""Of the number 0."""
MARGIN, ROW, BARS, SIDE, GAP = 24, 24, 420, 400, 84
"""Pixels: the edge, a row of the table, its longest bar, the axes, and what lies between them."""
CELLS = 50
"""Of a side of the axes: boxes that fall into one cell are counted together."""
FAINTEST = 0.25
"""Strength of the color of a cell with one box, where others have many."""
MARKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Shares of a picture's side that an axis may be marked with."""


@dataclass(frozen=True, eq=False)
class Labels:
    """The boxes that are to be found, of all parts."""

    classes: tuple[str, ...]
    counts: Mapping[str, NDArray[np.int64]]
    """By part, (classes,); only parts that have pictures."""
    sizes: NDArray[np.float64]
    """(N, 2), width and height as shares of the picture's."""
    middles: NDArray[np.float64]
    """(N, 2), across and down, as shares of the picture's."""

    @classmethod
    def of(cls, parts: Mapping[str, Sequence[BoxedPicture]], classes: Sequence[str]) -> Labels:
        """parts: train, val and test, or some of them."""
        pictures = [each for part in PARTS for each in parts.get(part, ())]
        shares = np.concatenate([np.zeros((0, 4)), *map(_shares, pictures)])  # (N, 4)
        return cls(
            classes=tuple(classes),
            counts={part: _counts(parts[part], len(classes)) for part in PARTS if parts.get(part)},
            sizes=shares[:, 2:] - shares[:, :2],
            middles=(shares[:, 2:] + shares[:, :2]) / 2,
        )

    @property
    def totals(self) -> NDArray[np.int64]:
        """(classes,), boxes in all parts."""
        totals: NDArray[np.int64] = np.sum(list(self.counts.values()), axis=0)
        return totals


def labels_png(labels: Labels) -> bytes:
    """A PNG: a table with a bar for each class, and below it how large the boxes are and where their middles lie."""
    rows = _rows(labels)
    table = _Table.of(labels, {row: drawable(labels.classes[row], row) for row in rows if row is not None})
    axes_top = MARGIN + ROW * (len(rows) + 1) + 4 * TEXT
    width = max(table.bars + BARS + MARGIN, 2 * MARGIN + 2 * SIDE + 2 * GAP)
    canvas = Canvas(width, axes_top + SIDE + 3.5 * TEXT + MARGIN)
    _draw_table(canvas, labels, table, rows)
    _draw_sizes(canvas, labels, Square(MARGIN + GAP / 2, axes_top, SIDE))
    _draw_middles(canvas, labels, Square(MARGIN + SIDE + 1.5 * GAP, axes_top, SIDE))
    return canvas.png()


def _shares(each: BoxedPicture) -> NDArray[np.float64]:
    """(N, 4), the sides of the boxes that are to be found as shares of the picture's."""
    shares: NDArray[np.float64] = each.boxes.xyxy[~each.boxes.ignored] / np.tile([each.width, each.height], 2)
    return shares.reshape(-1, 4)


def _counts(pictures: Sequence[BoxedPicture], classes: int) -> NDArray[np.int64]:
    """(classes,), boxes that are to be found."""
    labels = [each.boxes.labels[~each.boxes.ignored] for each in pictures]
    return np.bincount(np.concatenate([np.zeros(0, np.int64), *labels]), minlength=classes)


def _rows(labels: Labels) -> list[int | None]:
    """The classes in their order; of many, those with the most boxes, None, and those with the fewest."""
    if len(labels.classes) <= MOST_ROWS:
        return list(range(len(labels.classes)))
    falling, half = np.argsort(-labels.totals, kind="stable").tolist(), MOST_ROWS // 2
    return [*falling[:half], None, *falling[-half:]]


@dataclass(frozen=True)
class _Table:
    """Where its columns lie."""

    names: Mapping[int, str]
    ends: Mapping[str, float]
    """Where the numbers of each part end."""
    bars: float

    @classmethod
    def of(cls, labels: Labels, names: Mapping[int, str]) -> _Table:
        x, ends = MARGIN + max(map(width_of, [*names.values(), "class"])), {}
        for part, counts in labels.counts.items():
            x += MARGIN + max(width_of(part), width_of(f"{counts.max():,}"))
            ends[part] = x
        return cls(names, ends, x + MARGIN)


def _draw_table(canvas: Canvas, labels: Labels, table: _Table, rows: Sequence[int | None]) -> None:
    y = MARGIN + ROW / 2
    canvas.text((MARGIN, y), "class", color=SOFT)
    for part, end in table.ends.items():
        canvas.text((end, y), part, color=PARTS[part], anchor="rm")
    canvas.text((table.bars, y), "boxes", color=SOFT)
    longest = max(1, int(labels.totals.max()))
    for number, row in enumerate(rows, start=1):
        y, x = MARGIN + ROW * (number + 0.5), table.bars
        if row is None:
            between = counted(len(labels.classes) - MOST_ROWS, "class", "classes")
            canvas.text((MARGIN, y), f"({between} between these)", color=SOFT)
            continue
        canvas.text((MARGIN, y), table.names[row])
        for part, counts in labels.counts.items():
            count, end = int(counts[row]), x + BARS * int(counts[row]) / longest
            canvas.text((table.ends[part], y), f"{count:,}", color=INK if count else NO_BOXES, anchor="rm")
            if count:
                canvas.fill(x, y - 7, end, y + 7, PARTS[part])
            x = end


def _draw_sizes(canvas: Canvas, labels: Labels, square: Square) -> None:
    smallest = float(labels.sizes.min(initial=1))
    first = max((mark for mark in MARKS if mark <= smallest), default=MARKS[0])
    first = min(first, MARKS[-4])  # a box that fills the picture alone would leave no axis
    reach = -math.log(first)
    ticks: Ticks = [(1 + math.log(mark) / reach, f"{100 * mark:g}") for mark in MARKS if mark >= first]
    names = ("width of the boxes, % of the picture's", "height of the boxes, % of the picture's")
    canvas.axes(square, across=ticks, up=ticks, names=names)
    _draw_cells(canvas, square, 1 + np.log(np.maximum(labels.sizes, first)) / reach)


def _draw_middles(canvas: Canvas, labels: Labels, square: Square) -> None:
    down = [(1 - place, words) for place, words in HUNDRED]
    names = ("middle of the boxes, % from the left", "middle of the boxes, % from the top")
    canvas.axes(square, across=HUNDRED, up=down, names=names)
    _draw_cells(canvas, square, labels.middles * [1, -1] + [0, 1])


def _draw_cells(canvas: Canvas, square: Square, points: NDArray[np.float64]) -> None:
    """Colors each cell by how many points lie in it. points: (N, 2), across and up, from 0 to 1."""
    places = np.clip((points * CELLS).astype(int), 0, CELLS - 1)  # (N, 2)
    cells, counts = np.unique(places, axis=0, return_counts=True)
    strengths = FAINTEST + (1 - FAINTEST) * np.sqrt(counts / counts.max(initial=1))
    for (across, up), strength in zip(cells.tolist(), strengths.tolist(), strict=True):
        left, bottom = square.at(across / CELLS, up / CELLS)
        right, top = square.at((across + 1) / CELLS, (up + 1) / CELLS)
        canvas.fill(left, top, right, bottom, _mixed(strength))


def _mixed(strength: float) -> Color:
    """Between white, at 0, and the full color, at 1."""
    red, green, blue = (round(255 + (full - 255) * strength) for full in TEAL)
    return red, green, blue
