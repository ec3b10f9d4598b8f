"""What is drawn lies where it should, read back from the pixels."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from eyespot.palette import INK, TEAL
from eyespot.reporting.canvas import HUNDRED, Canvas, Square, width_of


def pixels(canvas: Canvas) -> np.ndarray:
    """uint8 (height, width, 3)."""
    with Image.open(io.BytesIO(canvas.png())) as image:
        return np.asarray(image.convert("RGB"))


def test_a_rectangle_fills_its_pixels_and_no_others() -> None:
    canvas = Canvas(20, 10)
    canvas.fill(3, 2, 8, 5, TEAL)
    full = (pixels(canvas) == TEAL).all(axis=2)
    assert full[2:5, 3:8].all()
    assert full.sum() == 15


def test_a_narrow_rectangle_leaves_a_trace() -> None:
    canvas = Canvas(20, 10)
    canvas.fill(3, 2, 3.01, 5, TEAL)
    assert (pixels(canvas) < 255).any()


def test_lines_are_smooth() -> None:
    canvas = Canvas(40, 40)
    canvas.line([(2, 2), (38, 20)], INK, width=2)
    assert len(np.unique(pixels(canvas).reshape(-1, 3), axis=0)) > 3


def test_a_square_counts_up_from_its_bottom_left_corner() -> None:
    square = Square(10, 20, 100)
    assert square.at(0, 0) == (10, 120)
    assert square.at(1, 1) == (110, 20)


def test_axes_reach_from_end_to_end() -> None:
    canvas = Canvas(200, 200)
    canvas.axes(Square(50, 40, 100), across=HUNDRED, up=HUNDRED, names=("across", "up"))
    gray = pixels(canvas).min(axis=2) < 240
    assert gray[90, 50:150].sum() >= 6
    assert gray[40, 52:148].all()
    assert not gray[:20].any()


def test_words_are_as_wide_as_they_say() -> None:
    canvas = Canvas(300, 40)
    canvas.text((10, 20), "several words")
    columns = np.flatnonzero((pixels(canvas) < 200).any(axis=(0, 2)))
    assert abs(columns[-1] - columns[0] - width_of("several words")) < 4
