"""Pooling and pixel coverage against loops and torch."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eyespot.arithmetic.windows import average_pool, max_pool, pixel_coverage, slides
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
