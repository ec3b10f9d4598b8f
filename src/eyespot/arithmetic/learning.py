"""A kernel learned from examples: windows of a picture, and the number that an unknown kernel makes of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic.windows import slides, windows

SMALLEST_SPREAD = 1e-6
"""Patterns with less than this share of the strongest one's spread count as having it: they would take forever."""
_FIRST_WEIGHTS = 0.1
"""Standard deviation of the weights before anything is learned."""


@dataclass(frozen=True)
class Examples:
    """What is learned from."""

    inputs: NDArray[np.float64]
    """Windows, one a row: (N, C * h * w)."""
    outputs: NDArray[np.float64]
    """What the target makes of each: (N,)."""


@dataclass(frozen=True)
class Learned:
    """The kernel after some steps."""

    step: int
    kernel: NDArray[np.float64]
    """(C, h, w)."""
    loss: float
    """Mean squared error over the examples."""


def examples_of(
    image: NDArray[Any], target: NDArray[np.float64], *, count: int, random: np.random.Generator
) -> Examples:
    """Windows at random places of the image, and the target's output at each.

    The image is normalised first, to mean 0 and standard deviation 1: one step size then suits every picture.
    image: (C, H, W).
    target: the kernel to be learned, (C, h, w).
    """
    values = image.astype(np.float64)
    values = (values - values.mean()) / (values.std() or 1.0)
    down, across = slides(image.shape[1:], target.shape[1:], padding="valid", stride=1)
    rows, columns = random.integers(down.places, size=count), random.integers(across.places, size=count)
    chosen = windows(values, down, across)[:, rows, columns]  # (C, N, h, w)
    inputs = chosen.transpose(1, 0, 2, 3).reshape(count, -1)  # (N, C * h * w)
    return Examples(inputs, inputs @ target.ravel())


def learn_kernel(
    examples: Examples, shape: tuple[int, ...], *, steps: int, random: np.random.Generator
) -> Iterator[Learned]:
    """The kernel before each step and after the last one, learned by gradient descent with momentum.

    shape: of the kernel, (C, h, w).
    Source of the method: Nesterov: "A method of solving a convex programming problem with convergence rate O(1/k^2)",
        Soviet Mathematics Doklady 27, 1983.
    """
    step_size, most_momentum = _pace(examples.inputs)
    kernel: NDArray[np.float64] = random.normal(0.0, _FIRST_WEIGHTS, size=(examples.inputs.shape[1],))
    change = np.zeros_like(kernel)
    for step in range(steps):
        yield Learned(step, kernel.reshape(shape), _loss(examples, kernel))
        ahead = kernel + min(most_momentum, step / (step + 3)) * change
        after = ahead - step_size * _gradient(examples, ahead)
        change, kernel = after - kernel, after
    yield Learned(steps, kernel.reshape(shape), _loss(examples, kernel))


def patterns_seen(examples: Examples) -> int:
    """How many independent patterns the windows show. With fewer than weights, the kernel is not determined."""
    return int(np.linalg.matrix_rank(examples.inputs.T @ examples.inputs, hermitian=True))


def _loss(examples: Examples, kernel: NDArray[np.float64]) -> float:
    errors = examples.inputs @ kernel - examples.outputs  # (N,)
    return float(errors @ errors) / len(errors)


def _gradient(examples: Examples, kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of half the loss, by each weight of the kernel: error times input, on average."""
    errors = examples.inputs @ kernel - examples.outputs  # (N,)
    return examples.inputs.T @ errors / len(errors)


def _pace(inputs: NDArray[np.float64]) -> tuple[float, float]:
    """The step size and the most momentum that suit the examples, from their widest and narrowest spread.

    Neighbouring pixels are alike, so windows differ a lot in brightness and little in detail. A step may be no longer
    than the first allows; momentum makes up for it in the second.
    """
    spreads = np.linalg.eigvalsh(inputs.T @ inputs / len(inputs))  # ascending
    widest = max(float(spreads[-1]), float(np.finfo(np.float64).tiny))
    ratio = np.sqrt(max(float(spreads[0]) / widest, SMALLEST_SPREAD))
    return 1 / widest, float((1 - ratio) / (1 + ratio))
