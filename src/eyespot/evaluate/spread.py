"""What lies far from the rest, told by the middle and the spread that a few such numbers do not move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NORMAL = 1.4826
"""The standard deviation of a normal distribution, in median distances from its middle."""


def far_below(values: NDArray[np.floating], deviations: float) -> NDArray[np.bool_]:
    """Which of the values (N,) lie more than so many robust standard deviations below the median."""
    middle = np.median(values)
    return np.asarray(values < middle - deviations * NORMAL * np.median(np.abs(values - middle)))
