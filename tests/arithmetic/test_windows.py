"""Pooling and pixel coverage against loops and torch."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eyespot.arithmetic.windows import MODES, average_pool, max_pool, pixel_coverage, slides
from eyespot.errors import OptionError

sizes = st.integers(1, 9)


@settings(deadline=None)
@given(sizes, sizes, sizes, st.integers(1, 4), st.integers(1, 3))
def test_pooling_is_torchs(height, width, size, stride, channels):
    assume(size <= min(height, width))
    image = np.random.default_rng(size).normal(size=(channels, height, width))
    theirs = torch.from_numpy(image)
    greatest = torch.nn.functional.max_pool2d(theirs, size, stride).numpy()
    average = torch.nn.functional.avg_pool2d(theirs, size, stride).numpy()
    np.testing.assert_array_equal(max_pool(image, size, stride=stride), greatest)
    np.testing.assert_allclose(average_pool(image, size, stride=stride), average, atol=1e-12)


@settings(deadline=None)
@given(sizes, sizes, sizes, st.integers(1, 4), st.integers(0, 4), st.booleans(), st.integers(0, 99))
def test_padded_pooling_is_torchs(height, width, size, stride, padding, is_bytes, seed):
    """Its maximum never comes from the padding, whatever the signs; its average counts zeros."""
    padding = min(padding, size // 2)
    assume(size <= min(height, width) + 2 * padding)
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (2, height, width)).astype(np.uint8)
    image = image if is_bytes else random.normal(loc=-9, size=image.shape)
    theirs = torch.from_numpy(image.astype(float))
    greatest = torch.nn.functional.max_pool2d(theirs, size, stride, padding).numpy()
    average = torch.nn.functional.avg_pool2d(theirs, size, stride, padding).numpy()
    np.testing.assert_array_equal(max_pool(image, size, padding=padding, stride=stride), greatest)
    np.testing.assert_allclose(average_pool(image, size, padding=padding, stride=stride), average, atol=1e-12)


@settings(deadline=None)
@given(sizes, sizes, st.integers(1, 6), st.integers(1, 4))
def test_pooling_with_same_padding_is_torchs_on_a_padded_image(height, width, size, stride):
    image = np.random.default_rng(size).normal(loc=-2, size=(2, height, width))
    around = ((size - 1) // 2, size // 2) * 2
    lowest = torch.nn.functional.pad(torch.from_numpy(image), around, value=-np.inf)
    zeros = torch.nn.functional.pad(torch.from_numpy(image), around)
    greatest = torch.nn.functional.max_pool2d(lowest, size, stride).numpy()
    average = torch.nn.functional.avg_pool2d(zeros, size, stride).numpy()
    np.testing.assert_array_equal(max_pool(image, size, padding="same", stride=stride), greatest)
    np.testing.assert_allclose(average_pool(image, size, padding="same", stride=stride), average, atol=1e-12)


@pytest.mark.parametrize("pool", [max_pool, average_pool])
@pytest.mark.parametrize(
    ("size", "padding", "said"),
    [
        (3, 2, "padding of 2 is more than half of a window of 3 x 3, .* give at most 1"),
        (1, 1, "give at most 0"),
        (3, "reflect", "padding cannot be 'reflect': give valid, same, or a number from 0 up"),
        (3, -1, "padding cannot be -1"),
    ],
)
def test_a_padding_that_pooling_cannot_have_is_told(pool, size, padding, said):
    with pytest.raises(OptionError, match=said):
        pool(np.ones((1, 5, 5)), size, padding=padding)


def test_windows_lie_side_by_side_by_default():
    assert max_pool(np.zeros((1, 6, 6)), 3).shape == (1, 2, 2)


def test_bytes_are_averaged_without_overflow():
    assert average_pool(np.full((1, 2, 2), 255, np.uint8), 2).item() == 255


@pytest.mark.parametrize("pool", [max_pool, average_pool])
@pytest.mark.parametrize(("size", "stride"), [(4, 1), (0, 1), (2, 0)])
def test_a_window_that_cannot_be_is_told(pool, size, stride):
    with pytest.raises(OptionError):
        pool(np.ones((1, 3, 3)), size, stride=stride)


@settings(deadline=None)
@given(sizes, sizes, sizes, st.integers(1, 4), st.sampled_from(["valid", "same", 1, 2]))
def test_coverage_counts_windows_one_by_one(height, width, window, stride, padding):
    try:
        down, across = slides((height, width), (window, window), padding=padding, stride=stride)
    except OptionError:
        assume(False)
    counts = np.zeros((height, width), int)
    for row in range(down.places):
        for column in range(across.places):
            for y in down.pixels(row):
                for x in across.pixels(column):
                    if 0 <= y < height and 0 <= x < width:
                        counts[y, x] += 1
    ours = pixel_coverage((height, width), (window, window), padding=padding, stride=stride)
    np.testing.assert_array_equal(ours, counts)


@settings(deadline=None)
@given(sizes, sizes, st.integers(1, 6), st.integers(1, 6), st.integers(1, 3), st.sampled_from(MODES[1:]))
def test_coverage_of_padding_made_of_pixels_is_torchs_gradient(height, width, rows, columns, stride, mode):
    """How often a pixel is used is what the sum of all windows gains by it."""
    assume(rows // 2 < height and columns // 2 < width)  # torch pads no further
    picture = torch.zeros(1, 1, height, width, dtype=torch.float64, requires_grad=True)
    around = ((columns - 1) // 2, columns // 2, (rows - 1) // 2, rows // 2)
    padded = torch.nn.functional.pad(picture, around, mode=mode)
    kernel = torch.ones(1, 1, rows, columns, dtype=torch.float64)
    torch.nn.functional.conv2d(padded, kernel, stride=stride).sum().backward()
    ours = pixel_coverage((height, width), (rows, columns), padding=mode, stride=stride)
    np.testing.assert_array_equal(ours, picture.grad[0, 0].numpy())


def test_only_circular_padding_uses_all_pixels_alike():
    assert (pixel_coverage((6, 7), (5, 5), padding="circular") == 25).all()
    for padding in ("valid", "same", "reflect", "replicate"):
        assert len(set(pixel_coverage((6, 7), (5, 5), padding=padding).ravel().tolist())) > 1
