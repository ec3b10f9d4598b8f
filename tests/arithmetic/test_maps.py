import io

import numpy as np
import pytest
from PIL import Image

from eyespot.arithmetic.maps import ABOVE, BELOW, GROUND, ZERO, of_kernels, of_maps


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


def test_kernels_on_three_channels_are_in_colour():
    kernel = np.zeros((1, 3, 1, 3), np.float32)
    kernel[0, 0, 0, 0], kernel[0, 2, 0, 2] = 1, -1
    mosaic = of_kernels(kernel)
    assert colors(mosaic.sheet.png) == [(255, 128, 128), (128, 128, 128), (128, 128, 0)]


def test_other_kernels_are_grey_planes():
    mosaic = of_kernels(np.array([[[[-1.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]]]], np.float32))
    assert (mosaic.sheet.rows, mosaic.sheet.columns) == (1, 2) or (mosaic.sheet.rows, mosaic.sheet.columns) == (2, 1)
    assert colors(mosaic.sheet.png) == [(0, 0, 0), (128, 128, 128), (255, 255, 255)]


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (6, 3, 2), (32, 8, 4), (7, 3, 3), (1280, 40, 32)])
def test_the_grid_is_about_square(count, columns, rows):
    mosaic = of_maps(np.ones((count, 4, 4), np.float32), together=False)
    assert (mosaic.sheet.columns, mosaic.sheet.rows) == (columns, rows)


def test_pictures_are_enlarged_and_not_too_large():
    for maps in (np.ones((6, 3, 3), np.float32), np.ones((64, 56, 56), np.float32), np.ones((1280, 7, 7), np.float32)):
        width, height = Image.open(io.BytesIO(of_maps(maps, together=False).sheet.png)).size
        assert 300 <= width <= 1700
        assert 300 <= height <= 1700
