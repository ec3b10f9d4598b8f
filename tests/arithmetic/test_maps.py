import io

import numpy as np
import pytest
from PIL import Image

from eyespot.arithmetic.maps import (
    ABOVE,
    BELOW,
    FINE_GAP,
    GAP,
    ZERO,
    of_kernels,
    of_maps,
    of_signed,
    signed_colors,
)
from eyespot.palette import GROUND


def colors(png: bytes) -> list[tuple[int, int, int]]:
    """The colours of a picture without its ground, from the top left."""
    pixels = np.asarray(Image.open(io.BytesIO(png))).reshape(-1, 3)
    found = list(dict.fromkeys(map(tuple, pixels.tolist())))
    return [color for color in found if color != GROUND]


def test_zero_is_white_between_blue_and_red():
    mosaic = of_maps(np.array([[[-2.0, 0.0, 2.0]]], np.float32), together=False)
    assert colors(mosaic.sheet.png) == [BELOW, ZERO, ABOVE]
    assert "0 is white" in mosaic.scaling


def test_without_negative_values_zero_is_black():
    mosaic = of_maps(np.array([[[0.0, 1.0, 2.0]]], np.float32), together=False)
    assert colors(mosaic.sheet.png) == [(0, 0, 0), (128, 128, 128), (255, 255, 255)]
    assert "0 is black" in mosaic.scaling


@pytest.mark.parametrize(("together", "faint"), [(False, (255, 255, 255)), (True, (128, 128, 128))])
def test_maps_have_a_scale_each_or_one_together(together, faint):
    maps = np.array([[[2.0]], [[1.0]]], np.float32)
    mosaic = of_maps(maps, together=together)
    assert colors(mosaic.sheet.png)[-1] == faint
    assert ("one scale" in mosaic.scaling) == together


def test_a_map_without_any_value_is_its_zero():
    assert colors(of_maps(np.zeros((1, 2, 2), np.float32), together=False).sheet.png) == [(0, 0, 0)]


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_kernels_have_the_colors_of_maps_on_any_number_of_channels(channels):
    """Each weight, read back from the picture: its kernel's planes side by side, on the kernel's own scale."""
    kernels = np.random.default_rng(channels).normal(size=(6, channels, 2, 3)).astype(np.float32)
    kernels[1] *= 1000
    mosaic = of_kernels(kernels)
    assert mosaic.scaling.startswith("each kernel on its own scale: 0 is white, below it blue, above it red")
    assert ("red, green and blue channel" in mosaic.scaling) == (channels == 3)
    pixels, columns = mosaic.sheet.pixels, mosaic.sheet.columns
    whole_width = (pixels.shape[1] + GAP) // columns
    side = (whole_width - GAP - (channels - 1) * FINE_GAP) // (3 * channels)
    for number, kernel in enumerate(kernels):
        top, left = number // columns * (2 * side + GAP), number % columns * whole_width
        expected = signed_colors(kernel, end=float(np.abs(kernel).max()))
        for plane in range(channels):
            start = left + plane * (3 * side + FINE_GAP)
            shown = pixels[top : top + 2 * side : side, start : start + 3 * side : side]
            assert np.abs(shown.astype(int) - expected[plane]).max() <= 3  # a step of the scale, by rounding


def test_kernels_without_negative_weights_have_white_for_zero_too():
    assert colors(of_kernels(np.array([[[[0.0, 2.0]]]], np.float32)).sheet.png) == [ZERO, ABOVE]


def test_a_map_of_zeros_has_no_ends_of_its_scale():
    mosaic = of_signed(np.zeros((1, 2, 2)))
    assert colors(mosaic.sheet.png) == [ZERO]
    assert mosaic.scaling == "white is 0, as everything"


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (6, 3, 2), (32, 8, 4), (7, 3, 3), (1280, 40, 32)])
def test_the_grid_is_about_square(count, columns, rows):
    mosaic = of_maps(np.ones((count, 4, 4), np.float32), together=False)
    assert (mosaic.sheet.columns, mosaic.sheet.rows) == (columns, rows)


def test_pictures_are_enlarged_and_not_too_large():
    for maps in (np.ones((6, 3, 3), np.float32), np.ones((64, 56, 56), np.float32), np.ones((1280, 7, 7), np.float32)):
        width, height = Image.open(io.BytesIO(of_maps(maps, together=False).sheet.png)).size
        assert 300 <= width <= 1700
        assert 300 <= height <= 1700
