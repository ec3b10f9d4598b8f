"""L-BFGS (Liu, Nocedal 1989) for several smooth problems at once, so that one matrix product serves them all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

MEMORY = 20
"""Steps whose change of slope is remembered."""
SUFFICIENT = 1e-4
"""Share of the decrease that the slope promises with which a step is content (Armijo)."""
SMALLEST_STEP = 1e-6
Loss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def minimise(loss: Loss, start: np.ndarray, *, tolerance: float, most_steps: int = 1000) -> np.ndarray:
    """Where each problem's loss is least, or stops falling: (problems, parameters), float32.

    loss: from parameters (n, parameters) and the numbers of the n problems they belong to, to values (n,) and
    gradients (n, parameters). Problems do not depend on each other; those that have ended are not asked for again.
    tolerance: a problem ends when a step lowers its loss by less than this share of it (of 1 where it is below 1).
    """
    result = start.astype(np.float32)
    which = np.arange(len(start))
    x = result.copy()
    value, gradient = loss(x, which)
    history: deque[_Pair] = deque(maxlen=MEMORY)
    for _ in range(most_steps):
        direction = _direction(gradient, history)
        step = _step(loss, x, value, direction, _dot(direction, gradient), which, first=not history)
        history.append(_pair(step.moved, step.gradient - gradient))
        scale = np.maximum(np.maximum(np.abs(value), np.abs(step.value)), 1)
        running = (value - step.value) / scale > tolerance
        x, value, gradient = x + step.moved, step.value, step.gradient
        if not running.all():
            result[which] = x
            which, x, value, gradient = which[running], x[running], value[running], gradient[running]
            history = deque((_Pair(*(each[running] for each in pair)) for pair in history), maxlen=MEMORY)
        if not len(which):
            break
    result[which] = x
    return result


class _Pair(NamedTuple):
    """A step, the change of slope on it, and 1 / their product, for each problem."""

    moved: np.ndarray
    change: np.ndarray
    inverse: np.ndarray


class _Step(NamedTuple):
    """How far each problem moved, and its value and gradient there."""

    moved: np.ndarray
    value: np.ndarray
    gradient: np.ndarray


def _step(
    loss: Loss,
    x: np.ndarray,
    value: np.ndarray,
    direction: np.ndarray,
    slope: np.ndarray,
    which: np.ndarray,
    *,
    first: bool,
) -> _Step:
    """A step downhill that is long enough; of length 0 for problems where none lowers the loss."""
    length = np.where(slope < 0, 1.0, 0.0)
    if first:
        length /= np.maximum(np.sqrt(_dot(direction, direction)), 1)
    while True:
        moved = length[:, None].astype(np.float32) * direction
        new_value, gradient = loss(x + moved, which)
        too_far = (length > 0) & ~(new_value <= value + SUFFICIENT * length * slope)
        if not too_far.any():
            return _Step(moved, new_value, gradient)
        length[too_far] /= 2
        length[length < SMALLEST_STEP] = 0


def _direction(gradient: np.ndarray, history: deque[_Pair]) -> np.ndarray:
    """Downhill, by the two-loop recursion (Nocedal, Wright 2006, algorithm 7.4), row by row."""
    direction = -gradient
    shares = []
    for moved, change, inverse in reversed(history):
        share = inverse * _dot(moved, direction)
        direction -= share[:, None] * change
        shares.append(share)
    if history:
        moved, change, inverse = history[-1]
        curvature = _dot(change, change) * inverse
        direction /= np.where(curvature > 0, curvature, 1)[:, None]
    for (moved, change, inverse), share in zip(history, reversed(shares), strict=True):
        direction += (share - inverse * _dot(change, direction))[:, None] * moved
    return direction


def _pair(moved: np.ndarray, change: np.ndarray) -> _Pair:
    """The pair of a step; its inverse is 0 where the slope did not grow, so that it is passed over."""
    product = _dot(moved, change)
    useful = product > 1e-12 * _dot(change, change)
    return _Pair(moved, change, np.where(useful, 1 / np.where(useful, product, 1), 0).astype(np.float32))


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("bp,bp->b", a, b))
