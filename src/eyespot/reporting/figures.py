"""The confusion matrix as PNG, drawn by Pillow, and small SVG drawings that the report's style sheet colors."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from eyespot.evaluate.lettering import SMALLEST_TEXT, drawable, lettered, own_font
from eyespot.evaluate.metrics import LARGEST_MATRIX, matrix_of_most_confused, wilson_fraction
from eyespot.palette import INK, PALE, TEAL
from eyespot.records import CalibrationBin, Metric, PartMetrics

RIGHT, WRONG = TEAL, (184, 78, 20)
"""Colors of a full cell on the diagonal and beside it."""
DRAWN_CLASSES = 50
"""Of more than `LARGEST_MATRIX` classes, those that are mixed up most and are drawn."""
FAINTEST = 0.1
"""Strength of the color of a cell with a share near 0."""
WHITE_TEXT = 0.7
"""On colors stronger than this white is easier to read than ink."""
MATRIX_SIDE = 1600
"""The cells share about this many pixels per side; the names come on top."""
SMALLEST_CELL, LARGEST_CELL = 4, 72
LARGEST_TEXT = 24
TRACK = '<rect class="track" width="120" height="14" rx="3"/>'


def part_png(metrics: PartMetrics) -> bytes:
    """The confusion matrix as a PNG, or that of the classes that are mixed up most, where they are too many to read."""
    return cells_png(metrics.cells, [each.name for each in metrics.per_class])


def cells_png(cells: Sequence[tuple[int, int, int]], classes: Sequence[str], *, nothing: str = "") -> bytes:
    """The same of a matrix's cells that are not 0: each its row, its column and its count.

    nothing: the name of one more row and column that is no class.
    """
    names = [*classes, nothing] if nothing else list(classes)
    if len(classes) <= LARGEST_MATRIX:
        few = np.zeros((len(names), len(names)), np.int64)
        for row, column, count in cells:
            few[row, column] = count
        return confusion_png(few, names)
    chosen, counts = matrix_of_most_confused(cells, len(names), DRAWN_CLASSES)
    drawn = sum(index < len(classes) for index in chosen)
    said = f"answer: the {drawn} classes of {len(classes):,} that are mixed up most"
    return confusion_png(counts, [names[index] for index in chosen], answer=said)


def confusion_png(confusion: ArrayLike, names: Sequence[str], *, answer: str = "answer") -> bytes:
    """A confusion matrix as a PNG: true classes down, answers across, each row colored by its shares.

    confusion: (C, C) counts, rows are the true classes; C at least 1.
    answer: what the columns are.
    names: C class names. Long ones are shortened; one that no font here can draw becomes its number, `#3`.
    """
    counts = np.asarray(confusion, np.int64).reshape(len(names), len(names))
    cell = max(SMALLEST_CELL, min(LARGEST_CELL, MATRIX_SIDE // len(names)))
    size = max(SMALLEST_TEXT, min(LARGEST_TEXT, round(cell * 0.55)))
    every = -(-(size + 2) // cell)  # with cells smaller than text, only one name in this many
    labels = {i: lettered(drawable(name, i), size, INK) for i, name in enumerate(names) if i % every == 0}
    axes = [lettered(text, size + 2, INK) for text in (answer, "true class")]
    gap = size // 2
    margin = max(label.width for label in labels.values()) + axes[0].height + 4 * gap
    side = max(cell * len(names), *(axis.width for axis in axes))
    picture = Image.new("RGB", (margin + side + 2 * gap, margin + side + 2 * gap), "white")
    picture.paste(_heat(counts, cell), (margin, margin))
    _draw_grid(picture, margin, cell, len(names))
    _draw_numbers(picture, counts, margin, cell)
    for index, label in labels.items():
        centre = margin + index * cell + cell // 2
        upright = label.transpose(Image.Transpose.ROTATE_90)
        picture.paste(label, (margin - gap - label.width, centre - label.height // 2))
        picture.paste(upright, (centre - upright.width // 2, margin - gap - upright.height))
    across, true = axes[0], axes[1].transpose(Image.Transpose.ROTATE_90)
    picture.paste(across, (margin + (side - across.width) // 2, gap))
    picture.paste(true, (gap, margin + (side - true.height) // 2))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def interval_svg(metric: Metric) -> str:
    """The accuracy as a point on the line from 0 to 100 %, with its interval as a band; as wide as its surroundings."""
    ticks = "".join(
        f'<line class="axis" x1="{t}%" y1="12" x2="{t}%" y2="24"/>'
        f'<text x="{t}%" y="42" text-anchor="{anchor}">{t} %</text>'
        for t, anchor in ((0, "start"), (25, "middle"), (50, "middle"), (75, "middle"), (100, "end"))
    )
    low, at, width = 100 * metric.low, 100 * metric.accuracy, 100 * (metric.high - metric.low)
    body = (
        f'<line class="axis" x1="0" y1="18" x2="100%" y2="18"/>{ticks}'
        f'<rect class="band" x="{low:.2f}%" y="9" width="{width:.2f}%" height="18" rx="4"/>'
        f'<circle class="point" cx="{at:.2f}%" cy="18" r="7"/>'
    )
    label = f"{metric.accuracy:.1%} right, 95 % interval from {metric.low:.1%} to {metric.high:.1%}"
    return f'<svg class="interval" role="img" width="100%" height="46" aria-label="{label}">{body}</svg>'


def bar_svg(metric: Metric | None, label: str) -> str:
    """A small bar for a share, with the 95 % interval as a whisker; empty where there is none."""
    if metric is None:
        return _svg(TRACK, f"{label}: none", width=120, height=14, kind="row-bar")
    low, high = 1 + 118 * metric.low, 1 + 118 * metric.high
    body = (
        f'{TRACK}<rect class="bar" width="{120 * metric.accuracy:.1f}" height="14" rx="3"/>'
        f'<path class="whisker" d="M{low:.1f} 7H{high:.1f}M{low:.1f} 3.5v7M{high:.1f} 3.5v7"/>'
    )
    spoken = f"{label}: {metric.accuracy:.1%}, 95 % interval from {metric.low:.1%} to {metric.high:.1%}"
    return _svg(body, spoken, width=120, height=14, kind="row-bar")


def reliability_svg(bins: Sequence[CalibrationBin], title: str) -> str:
    """A reliability diagram: accuracy against confidence per tenth with intervals, and how many answers lie there."""
    n = sum(b.n for b in bins)
    largest = max(b.n for b in bins)
    body = "".join(_grid_line(tenths) for tenths in range(0, 11, 2))
    points = ""
    for b in bins:
        interval = wilson_fraction(b.accuracy, b.n, worth=b.worth)
        x, y, left = 44 + 240 * b.confidence, 254 - 240 * b.accuracy, 44 + 240 * b.low
        top, bottom = 254 - 240 * interval.high, 254 - 240 * interval.low
        tall = max(1.5, 34 * b.n / largest)
        body += (
            f'<rect class="share" x="{left + 2:.1f}" y="{y:.1f}" width="20" height="{254 - y:.1f}"/>'
            f'<rect class="count" x="{left + 2:.1f}" y="{328 - tall:.1f}" width="20" height="{tall:.1f}">'
            f"<title>{b.n} answers</title></rect>"
        )
        points += (
            f'<line class="whisker" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}"/>'
            f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
        )
    body += f'<line class="ideal" x1="44" y1="254" x2="284" y2="14"/>{points}'
    body += (
        '<text x="164" y="286" text-anchor="middle">confidence</text>'
        '<text x="12" y="134" text-anchor="middle" transform="rotate(-90 12 134)">accuracy</text>'
        '<text x="164" y="344" text-anchor="middle">answers per tenth</text>'
    )
    spoken = "; ".join(f"confidence {b.confidence:.0%}: {b.accuracy:.0%} right of {b.n}" for b in bins)
    return _svg(body, f"{title}, {n} answers. {spoken}", width=300, height=350, kind="reliability")


def _grid_line(tenths: int) -> str:
    x, y = 44 + 24 * tenths, 254 - 24 * tenths
    return (
        f'<line class="grid" x1="44" y1="{y}" x2="284" y2="{y}"/>'
        f'<line class="grid" x1="{x}" y1="14" x2="{x}" y2="254"/>'
        f'<text x="39" y="{y + 4}" text-anchor="end">{tenths * 10}</text>'
        f'<text x="{x}" y="269" text-anchor="middle">{tenths * 10}</text>'
    )


def _svg(body: str, label: str, *, width: int, height: int, kind: str) -> str:
    return f'<svg class="{kind}" role="img" viewBox="0 0 {width} {height}" aria-label="{escape(label)}">{body}</svg>'


def _heat(counts: NDArray[np.int64], cell: int) -> Image.Image:
    """Cells (C, C) as an image, from white to the full color by the share of their row."""
    strength = _strength(counts)[..., None]  # (C, C, 1)
    full = np.where(np.eye(len(counts), dtype=bool)[..., None], RIGHT, WRONG)  # (C, C, 3)
    image = Image.fromarray(np.rint(255 + (full - 255) * strength).astype(np.uint8))
    return image.resize((cell * len(counts), cell * len(counts)), Image.Resampling.NEAREST)


def _strength(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """How strongly each cell is colored, 0..1: its share of the row, lifted so that a single mistake shows."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.where(counts > 0, FAINTEST + (1 - FAINTEST) * shares, 0.0)


def _draw_grid(picture: Image.Image, margin: int, cell: int, classes: int) -> None:
    if cell < 8:  # the lines would hide the cells
        return
    draw, end = ImageDraw.Draw(picture), margin + cell * classes
    for at in range(margin, end + 1, cell):
        draw.line((margin, at, end, at), PALE)
        draw.line((at, margin, at, end), PALE)


def _draw_numbers(picture: Image.Image, counts: NDArray[np.int64], margin: int, cell: int) -> None:
    """Write every count that is not 0, if the longest fits into a cell."""
    draw, font = ImageDraw.Draw(picture), own_font(min(LARGEST_TEXT, round(cell * 0.45)))
    if cell < 16 or font.getlength(str(counts.max())) > cell - 3:
        return
    strength = _strength(counts)
    for row, column in np.argwhere(counts).tolist():
        centre = (margin + (column + 0.5) * cell, margin + (row + 0.5) * cell)
        color = "white" if strength[row, column] > WHITE_TEXT else INK
        draw.text(centre, str(counts[row, column]), color, font, anchor="mm")
