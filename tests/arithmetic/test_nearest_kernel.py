"""The nearest named kernel: by its cosine, with and without turning the sign, of every size that has names."""

from __future__ import annotations

import numpy as np
import pytest

from eyespot.arithmetic.kernels import KERNELS, named_kernel
from eyespot.arithmetic.nearest_kernel import nearest_kernels, of_size


@pytest.mark.parametrize("name", KERNELS)
def test_a_named_kernel_is_nearest_to_itself_whatever_its_size(name):
    [found] = nearest_kernels(0.01 * named_kernel(name)[None], turned=False)
    assert found.name == name
    assert found.cosine == pytest.approx(1)


def test_a_turned_one_is_told_by_its_sign():
    kernel = -named_kernel("sobel-x")[None] + 0.01
    [plain], [turned] = nearest_kernels(kernel, turned=False), nearest_kernels(kernel, turned=True)
    assert plain.name == "vertical"  # bright on the left
    assert 0.9 < plain.cosine < 1
    assert turned.name == "sobel-x"
    assert turned.cosine == pytest.approx(-1, abs=0.01)


def test_the_cosine_is_that_of_the_numbers():
    kernel = np.random.default_rng(0).normal(size=(3, 3))
    cosines = {
        name: float((kernel * rows).sum() / np.linalg.norm(kernel) / np.linalg.norm(rows))
        for name, rows in KERNELS.items()
    }
    [plain], [turned] = nearest_kernels([kernel], turned=False), nearest_kernels([kernel], turned=True)
    assert plain.cosine == pytest.approx(max(cosines.values()))
    assert cosines[plain.name] == pytest.approx(plain.cosine)
    assert abs(turned.cosine) == pytest.approx(max(map(abs, cosines.values())))


def test_larger_ones_are_those_of_opencv():
    named = of_size(5, 5)
    smooth, slope = [1, 4, 6, 4, 1], [-1, -2, 0, 2, 1]  # cv2.getDerivKernels(1, 0, 5)
    np.testing.assert_array_equal(named["sobel-x"], np.outer(smooth, slope))
    np.testing.assert_array_equal(named["sobel-y"], np.outer(slope, smooth))
    np.testing.assert_array_equal(
        named["laplacian"],  # of cv2.Laplacian with ksize=5
        [[2, 4, 4, 4, 2], [4, 0, -8, 0, 4], [4, -8, -24, -8, 4], [4, 0, -8, 0, 4], [2, 4, 4, 4, 2]],
    )
    assert named["gaussian"].sum() == pytest.approx(1)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (4, 4), (3, 5), (1, 7)])
def test_sizes_without_names_have_no_nearest(size):
    assert nearest_kernels(np.ones((2, *size)), turned=True) == [None, None]


def test_a_kernel_of_zeros_is_like_none():
    assert nearest_kernels(np.zeros((0, 3, 3)), turned=True) == []
    assert nearest_kernels(np.zeros((1, 3, 3)), turned=True) == [None]
