"""Cross-correlation and convolution against four loops, scipy and torch; what a cell is made of."""

import tracemalloc

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eyespot.arithmetic.convolution import cell, cross_correlate, layer_cost, turned
from eyespot.arithmetic.windows import MODES, slides
from eyespot.errors import OptionError

sizes = st.integers(1, 8)
strides = st.integers(1, 4)
paddings = st.one_of(st.sampled_from(["valid", "same"]), st.integers(0, 3))
filled = st.sampled_from(MODES[1:])


def convolve(image, kernel, **how):
    """The true convolution."""
    return cross_correlate(image, turned(kernel), **how)


def by_four_loops(image, kernel, *, padding, stride):
    """The brute-force twin: no view, no einsum, and its own idea of padding."""
    channels, height, width = kernel.shape
    if padding == "same":
        top, left, bottom, right = (height - 1) // 2, (width - 1) // 2, height // 2, width // 2
    else:
        top = left = bottom = right = 0 if padding == "valid" else padding
    rows, columns = image.shape[1] + top + bottom, image.shape[2] + left + right
    padded = np.zeros((channels, rows, columns))
    padded[:, top : top + image.shape[1], left : left + image.shape[2]] = image
    maps = []
    for row in range(0, rows - height + 1, stride):
        line = []
        for column in range(0, columns - width + 1, stride):
            total = 0.0
            for y in range(height):
                for x in range(width):
                    total += float(padded[:, row + y, column + x] @ kernel[:, y, x])
            line.append(total)
        maps.append(line)
    return np.array(maps)


@settings(deadline=None)
@given(sizes, sizes, sizes, sizes, st.integers(1, 3), strides, paddings, st.integers(0, 99))
def test_it_is_what_four_loops_give(height, width, rows, columns, channels, stride, padding, seed):
    random = np.random.default_rng(seed)
    image, kernel = random.normal(size=(channels, height, width)), random.normal(size=(channels, rows, columns))
    twin = by_four_loops(image, kernel, padding=padding, stride=stride)
    if twin.size == 0:
        with pytest.raises(OptionError, match="does not fit"):
            cross_correlate(image, kernel, padding=padding, stride=stride)
        return
    ours = cross_correlate(image, kernel, padding=padding, stride=stride)
    assert ours.shape == twin.shape
    np.testing.assert_allclose(ours, twin, atol=1e-12)


@settings(deadline=None)
@given(sizes, sizes, st.integers(1, 3), strides, st.integers(0, 3))
def test_it_is_torchs_convolution(side, window, channels, stride, padding):
    assume(window <= side + 2 * padding)
    random = np.random.default_rng(side)
    image, kernel = random.normal(size=(channels, side, side + 1)), random.normal(size=(channels, window, window))
    theirs = torch.nn.functional.conv2d(
        torch.from_numpy(image)[None], torch.from_numpy(kernel)[None], stride=stride, padding=padding
    )
    np.testing.assert_allclose(
        cross_correlate(image, kernel, padding=padding, stride=stride), theirs[0, 0].numpy(), atol=1e-12
    )


@settings(deadline=None, max_examples=300)
@given(sizes, sizes, sizes, sizes, st.integers(1, 3), strides, filled, st.integers(0, 99))
def test_padding_made_of_pixels_is_torchs(height, width, rows, columns, channels, stride, mode, seed):
    random = np.random.default_rng(seed)
    image, kernel = random.normal(size=(channels, height, width)), random.normal(size=(channels, rows, columns))
    if mode == "reflect" and (rows // 2 >= height or columns // 2 >= width):
        with pytest.raises(OptionError, match=f"to mirror, but the picture has only {height} x {width}: take"):
            cross_correlate(image, kernel, padding=mode, stride=stride)
        return
    assume(mode == "replicate" or (rows // 2 <= height and columns // 2 <= width))  # torch wraps once only
    around = ((columns - 1) // 2, columns // 2, (rows - 1) // 2, rows // 2)
    padded = torch.nn.functional.pad(torch.from_numpy(image)[None], around, mode=mode)
    theirs = torch.nn.functional.conv2d(padded, torch.from_numpy(kernel)[None], stride=stride)
    ours = cross_correlate(image, kernel, padding=mode, stride=stride)
    np.testing.assert_allclose(ours, theirs[0, 0].numpy(), atol=1e-12)


def test_circular_padding_goes_round_as_often_as_a_large_kernel_needs():
    image, kernel = np.array([[[1.0, 2.0]]]), np.zeros((1, 1, 9))
    kernel[0, 0, 0] = 1  # four to the left
    assert cross_correlate(image, kernel, padding="circular").tolist() == [[1, 2]]


@pytest.mark.parametrize("mode", MODES[1:])
def test_flat_pictures_get_no_false_edges(mode):
    flat, vertical = np.full((1, 5, 5), 10), np.array([[[1.0, 0, -1]] * 3])[0][None]
    assert (cross_correlate(flat, vertical, padding=mode) == 0).all()
    assert np.abs(cross_correlate(flat, vertical, padding="same")).max() == 30


@settings(deadline=None)
@given(sizes, sizes)
def test_true_convolution_is_scipys(side, window):
    assume(window <= side)
    random = np.random.default_rng(side)
    image, kernel = random.normal(size=(1, side, side)), random.normal(size=(1, window, window))
    valid = scipy.signal.convolve2d(image[0], kernel[0], mode="valid")
    full = scipy.signal.convolve2d(image[0], kernel[0], mode="full")
    np.testing.assert_allclose(convolve(image, kernel), valid, atol=1e-12)
    np.testing.assert_allclose(convolve(image, kernel, padding=window - 1), full, atol=1e-12)


@settings(deadline=None)
@given(st.integers(5, 8), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_true_convolution_is_associative(side, first, second, seed):
    random = np.random.default_rng(seed)
    x, a, b = (random.normal(size=(1, n, n)) for n in (side, first, second))
    both = convolve(a, b, padding=second - 1)[None]
    np.testing.assert_allclose(convolve(convolve(x, a)[None], b), convolve(x, both), atol=1e-9)


def test_cross_correlation_is_not_associative():
    random = np.random.default_rng(0)
    x, a, b = (random.normal(size=(1, n, n)) for n in (6, 3, 3))
    both = cross_correlate(a, b, padding=2)[None]
    assert np.abs(cross_correlate(cross_correlate(x, a)[None], b) - cross_correlate(x, both)).max() > 1


def test_a_kernel_that_is_the_same_when_turned_gives_both_alike():
    image, kernel = np.random.default_rng(0).normal(size=(1, 6, 6)), np.ones((1, 3, 3))
    np.testing.assert_allclose(convolve(image, kernel), cross_correlate(image, kernel), atol=1e-12)


def test_bytes_do_not_overflow():
    image = np.full((3, 4, 4), 255, np.uint8)
    assert cross_correlate(image, np.ones((3, 4, 4))) == 255 * 48


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_photo_of_12_megapixels_needs_no_memory_for_its_windows(padding):
    image, kernel = np.zeros((3, 3000, 4000), np.uint8), np.ones((3, 1, 2))
    tracemalloc.start()
    cross_correlate(image, kernel, padding=padding)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6  # the map itself takes 96 MB, the padded picture 36 MB


@settings(deadline=None)
@given(sizes, sizes, st.integers(1, 2), strides, paddings, st.data())
def test_a_cells_factors_add_up_to_its_number(side, window, channels, stride, padding, data):
    random = np.random.default_rng(side)
    image, kernel = random.normal(size=(channels, side, side)), random.normal(size=(channels, window, window))
    try:
        feature_map = cross_correlate(image, kernel, padding=padding, stride=stride)
    except OptionError:
        return
    row, column = (data.draw(st.integers(0, n - 1)) for n in feature_map.shape)
    taken = cell(image, kernel, row, column, padding=padding, stride=stride)
    assert taken.sum == pytest.approx(feature_map[row, column], abs=1e-12)
    for y, place_y in enumerate(taken.rows):
        for x, place_x in enumerate(taken.columns):
            inside = 0 <= place_y < side and 0 <= place_x < side
            expected = image[:, place_y, place_x] if inside else np.zeros(channels)
            np.testing.assert_array_equal(taken.values[:, y, x], expected)


@settings(deadline=None)
@given(st.integers(4, 8), sizes, filled, st.data())
def test_a_cell_shows_the_pixels_that_the_padding_is_made_of(side, window, mode, data):
    assume(window // 2 < side)
    image = np.arange(2.0 * side * side).reshape(2, side, side)
    kernel = np.random.default_rng(side).normal(size=(2, window, window))
    row, column = (data.draw(st.integers(0, side - 1)) for _ in range(2))
    taken = cell(image, kernel, row, column, padding=mode)
    assert taken.sum == pytest.approx(cross_correlate(image, kernel, padding=mode)[row, column], abs=1e-9)
    before, behind = (window - 1) // 2, window // 2
    names = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    padded = np.pad(image, ((0, 0), (before, behind), (before, behind)), mode=names[mode])
    np.testing.assert_array_equal(taken.values, padded[:, row : row + window, column : column + window])


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), strides, paddings)
def test_places_and_what_is_dropped_fill_the_padded_picture(size, window, stride, padding):
    try:
        side, _ = slides((size, size), (window, window), padding=padding, stride=stride)
    except OptionError:
        assume(False)
    covered = (side.places - 1) * stride + window
    assert covered + side.dropped == size + side.before + side.behind
    assert side.dropped < stride
    assert side.formula.endswith(f" = {side.places}")


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), strides)
def test_same_padding_gives_a_place_for_every_stride_th_pixel(size, window, stride):
    side, _ = slides((size, size), (window, window), padding="same", stride=stride)
    assert side.places == -(-size // stride)
    assert side.before + side.behind == window - 1
    assert side.behind - side.before == (0 if window % 2 else 1)  # as TensorFlow: the odd zero at the end


def test_the_cost_of_a_layer_is_that_of_torchs_modules():
    cost = layer_cost((3, 8, 9), (3, 5), (4, 6, 5))
    conv, dense = torch.nn.Conv2d(3, 4, (3, 5)), torch.nn.Linear(3 * 8 * 9, 4 * 6 * 5, bias=False)
    assert cost.parameters == sum(p.numel() for p in conv.parameters())
    assert cost.fully_connected_weights == dense.weight.numel()
    assert cost.multiplications == 4 * 6 * 5 * 3 * 3 * 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stride": 0}, "stride must be a whole number from 1 up, not 0"),
        ({"stride": 1.5}, "not 1.5"),
        ({"padding": -1}, "padding cannot be -1"),
        ({"padding": "full"}, "padding cannot be 'full'"),
        ({"padding": 0.5}, "padding cannot be 0.5"),
    ],
)
def test_options_that_cannot_be_are_told(options, said):
    with pytest.raises(OptionError, match=said):
        cross_correlate(np.ones((1, 4, 4)), np.ones((1, 3, 3)), **options)


def test_a_kernel_of_other_depth_is_told():
    with pytest.raises(OptionError, match="the kernel has 3 channels but the picture 1 channel"):
        cross_correlate(np.ones((1, 4, 4)), np.ones((3, 3, 3)))


@pytest.mark.parametrize("place", [(-1, 0), (0, 2), (2, 0)])
def test_a_cell_outside_the_map_is_told(place):
    with pytest.raises(OptionError, match="rows go from 0 to 1, columns from 0 to 1"):
        cell(np.ones((1, 4, 4)), np.ones((1, 3, 3)), *place)
