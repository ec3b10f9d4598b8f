"""Named kernels against scipy's filters, and edge kernels against edges drawn at an angle."""

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from eyespot.arithmetic.convolution import cross_correlate
from eyespot.arithmetic.kernels import KERNELS, edge_kernel, named_kernel
from eyespot.errors import OptionError

IMAGE = np.random.default_rng(0).normal(size=(9, 9))


def applied(name):
    return cross_correlate(IMAGE[None], named_kernel(name)[None])


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("sobel-x", scipy.ndimage.sobel(IMAGE, axis=1)),
        ("sobel-y", scipy.ndimage.sobel(IMAGE, axis=0)),
        ("prewitt-x", scipy.ndimage.prewitt(IMAGE, axis=1)),
        ("prewitt-y", scipy.ndimage.prewitt(IMAGE, axis=0)),
        ("laplacian", scipy.ndimage.laplace(IMAGE)),
        ("sharpen", IMAGE - scipy.ndimage.laplace(IMAGE)),
    ],
)
def test_named_kernels_are_scipys_filters(name, theirs):
    np.testing.assert_allclose(applied(name), theirs[1:-1, 1:-1], atol=1e-12)


@pytest.mark.parametrize("name", KERNELS)
def test_edge_kernels_ignore_brightness_and_the_others_keep_it(name):
    keeps = name in ("gaussian", "sharpen", "emboss")
    assert named_kernel(name).sum() == (1 if keeps else 0)


@pytest.mark.parametrize("name", ["sobel", "scharr", "prewitt"])
def test_y_is_x_on_its_side(name):
    np.testing.assert_array_equal(named_kernel(f"{name}-y"), named_kernel(f"{name}-x").T)


def test_a_right_angle_is_the_vertical_kernel_and_none_the_horizontal():
    np.testing.assert_array_equal(edge_kernel(90), named_kernel("vertical"))
    np.testing.assert_array_equal(edge_kernel(0), named_kernel("horizontal"))
    np.testing.assert_allclose(named_kernel("45"), np.array([[2, 1, 0], [1, 0, -1], [0, -1, -2]]) * np.sqrt(0.5))


@settings(deadline=None)
@given(st.floats(-720, 720))
def test_half_a_circle_more_changes_bright_and_dark(degrees):
    np.testing.assert_allclose(edge_kernel(degrees + 180), -edge_kernel(degrees), atol=1e-9)


def edge_at(degrees, side=101):
    """A picture of an edge through its middle: above is bright at 0 degrees; it turns anticlockwise."""
    y, x = np.mgrid[:side, :side] - side // 2
    angle = np.deg2rad(degrees)
    towards_bright = -np.sin(angle) * x - np.cos(angle) * y  # rows go down
    return 1 / (1 + np.exp(-towards_bright / 3))  # soft, so that pixels do not disturb the angle


@pytest.mark.parametrize("degrees", [0, 20, 45, 70, 90, 135, 200, 315])
def test_an_edge_kernel_answers_most_to_edges_at_its_own_angle(degrees):
    middle = edge_at(degrees)[49:52, 49:52]
    answers = [float((edge_kernel(other) * middle).sum()) for other in range(360)]
    assert abs(int(np.argmax(answers)) - degrees) <= 1
    assert max(answers) > 0


@pytest.mark.parametrize(
    ("name", "said"),
    [("sobelx", "did you mean 'sobel-x'"), ("Vertical", "did you mean 'vertical'"), ("nan", "there are vertical")],
)
def test_an_unknown_name_gives_a_hint(name, said):
    with pytest.raises(OptionError, match=said):
        named_kernel(name)
