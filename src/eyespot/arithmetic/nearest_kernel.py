"""Which named kernel a kernel is most like, by the cosine between their numbers: 1 is the same up to a factor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyespot.arithmetic.kernels import KERNELS

NAMED_SIZE = 3
"""Rows and columns of the kernels that have a name."""


@dataclass(frozen=True)
class Nearest:
    """The named kernel that a kernel is most like."""

    name: str
    cosine: float
    """-1..1; below 0 where the kernel with its sign turned is like the named one."""


def nearest_kernels(planes: ArrayLike, *, turned: bool) -> list[Nearest | None]:
    """Of each plane (N, H, W) the nearest named kernel of the same size; None where there is none, and for zeros.

    turned: whether a plane may also be like a named kernel with its sign turned.
    """
    values = np.asarray(planes, np.float64)
    named = of_size(*values.shape[1:])
    if not named:
        return [None] * len(values)
    flat, names = values.reshape(len(values), values.shape[1] * values.shape[2]), list(named)
    rows = np.stack([each.ravel() for each in named.values()])
    sizes = np.linalg.norm(flat, axis=1, keepdims=True)
    cosines = (
        flat / np.where(sizes > 0, sizes, 1) @ (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T
    )  # (N, names)
    best = (np.abs(cosines) if turned else cosines).round(12).argmax(axis=1)  # of equal ones the first
    return [
        Nearest(names[at], float(row[at])) if size > 0 else None
        for row, at, [size] in zip(cosines, best, sizes, strict=True)
    ]


@cache
def of_size(height: int, width: int) -> dict[str, NDArray[np.float64]]:
    """The named kernels of that size: all of 3x3, and of larger odd squares those that are defined for every size.

    They are products of a smoothing and a difference, binomials, as OpenCV's Sobel, Laplacian and GaussianBlur have
    them (getDerivKernels). Empty for other sizes.
    """
    if (height, width) == (NAMED_SIZE, NAMED_SIZE):
        return {name: np.array(rows, np.float64) for name, rows in KERNELS.items()}
    if height != width or height < NAMED_SIZE or height % 2 == 0:
        return {}
    smooth, slope, bend = (_derivative(height, times) for times in range(3))
    return {
        "sobel-x": np.outer(smooth, slope),
        "sobel-y": np.outer(slope, smooth),
        "laplacian": np.outer(smooth, bend) + np.outer(bend, smooth),
        "gaussian": np.outer(smooth, smooth) / smooth.sum() ** 2,
    }


def _derivative(size: int, times: int) -> NDArray[np.float64]:
    """Of a smoothed line, with that many numbers: 1 4 6 4 1, its difference -1 -2 0 2 1, the difference of that."""
    found = np.ones(1)
    for factor in [[1, 1]] * (size - 1 - times) + [[-1, 1]] * times:
        found = np.convolve(found, factor)
    return found
