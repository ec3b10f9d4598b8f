"""Convolution as deep learning has it, cross-correlation, and as mathematics has it, with the kernel turned round."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic.windows import Padding, slides, sums, windows
from eyespot.errors import OptionError
from eyespot.words import counted


def cross_correlate(
    image: NDArray[Any], kernel: NDArray[np.float64], *, padding: Padding = "valid", stride: int = 1
) -> NDArray[np.float64]:
    """A feature map (H', W'): at each place the products of kernel and pixels, summed over window and channels.

    image: (C, H, W), of any type of numbers.
    kernel: (C, h, w).
    Raises OptionError where the channels differ or the kernel does not fit.
    """
    _require_same_channels(image, kernel)
    down, across = slides(image.shape[1:], kernel.shape[1:], padding=padding, stride=stride)
    return sums("chw,cijhw->ij", kernel, windows(image, down, across))


def turned(kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """The kernel (C, h, w) turned by half a circle: both axes flipped.

    Cross-correlation with it is the true convolution, which is associative: (x * a) * b = x * (a * b).
    """
    return kernel[:, ::-1, ::-1]


@dataclass(frozen=True)
class Cell:
    """One number of a feature map, taken apart."""

    rows: range
    """Rows and columns of the picture under the window; those outside the picture are padding."""
    columns: range
    values: NDArray[np.float64]
    """What lies under the window, (C, h, w)."""
    weights: NDArray[np.float64]
    """The kernel as it was laid on it, (C, h, w)."""

    @property
    def sum(self) -> float:
        return float((self.values * self.weights).sum())


def cell(
    image: NDArray[Any],
    kernel: NDArray[np.float64],
    row: int,
    column: int,
    *,
    padding: Padding = "valid",
    stride: int = 1,
) -> Cell:
    """How `cross_correlate` gets its number at (row, column), both counted from 0.

    Raises OptionError for a cell outside the feature map, and as `cross_correlate`.
    """
    _require_same_channels(image, kernel)
    down, across = slides(image.shape[1:], kernel.shape[1:], padding=padding, stride=stride)
    if not (0 <= row < down.places and 0 <= column < across.places):
        raise OptionError(
            f"there is no cell {row},{column}: rows go from 0 to {down.places - 1}, "
            f"columns from 0 to {across.places - 1}"
        )
    values = windows(image, down, across)[:, row, column].astype(np.float64)  # (C, h, w)
    return Cell(down.pixels(row), across.pixels(column), values, kernel)


@dataclass(frozen=True)
class LayerCost:
    """What a convolution costs as a layer of a network, and a fully connected layer of the same input and output."""

    parameters: int
    """Weights, and a bias for each kernel: whatever the size of the picture."""
    multiplications: int
    fully_connected_weights: int
    """Every value of the output with every value of the input, without biases."""


def layer_cost(
    input_chw: tuple[int, int, int], kernel_hw: tuple[int, int], output_chw: tuple[int, int, int]
) -> LayerCost:
    """The cost of a convolution between volumes of these shapes."""
    products_per_cell = input_chw[0] * prod(kernel_hw)
    return LayerCost(
        parameters=output_chw[0] * (products_per_cell + 1),
        multiplications=prod(output_chw) * products_per_cell,
        fully_connected_weights=prod(input_chw) * prod(output_chw),
    )


def _require_same_channels(image: NDArray[Any], kernel: NDArray[np.float64]) -> None:
    if len(kernel) != len(image):
        ours, theirs = (counted(n, "channel") for n in (len(kernel), len(image)))
        raise OptionError(
            f"the kernel has {ours} but the picture {theirs}: give a kernel with one plane, or with a plane for each"
        )
