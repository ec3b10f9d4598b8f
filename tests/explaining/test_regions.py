"""The largest region is that which scipy finds, and of equal ones the uppermost."""

import numpy as np
import pytest
from scipy import ndimage

from eyespot.explaining.regions import Region, largest_region


def test_none_is_none():
    assert largest_region(np.zeros((3, 4), bool)) is None


def test_places_that_touch_at_a_corner_are_two_regions():
    assert largest_region(np.eye(3, dtype=bool)) == Region(left=0, top=0, right=1, bottom=1, places=1)


def test_arms_that_meet_further_down_are_one_region():
    chosen = np.array([[1, 0, 1, 0, 1], [1, 0, 1, 0, 1], [1, 1, 1, 0, 1]], bool)
    assert largest_region(chosen) == Region(left=0, top=0, right=3, bottom=3, places=7)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.6, 0.8, 1.0])
def test_on_noise_it_is_what_scipy_finds(share):
    random = np.random.default_rng(int(10 * share))
    for _ in range(20):
        chosen = random.random((random.integers(1, 40), random.integers(1, 40))) <= share
        labels, count = ndimage.label(chosen)
        found = largest_region(chosen)
        if count == 0:
            assert found is None
            continue
        sizes = np.bincount(labels.ravel())[1:]
        largest = [
            Region(left=x.start, top=y.start, right=x.stop, bottom=y.stop, places=int(sizes.max()))
            for number, (y, x) in enumerate(ndimage.find_objects(labels))
            if sizes[number] == sizes.max()
        ]
        assert found in largest
