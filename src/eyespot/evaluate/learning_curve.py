"""How much more would be right with twice the pictures, from how the error falls with the pictures there are.

The error of a classifier that trains on n pictures is described by a * n^-b + c (Hestness et al. 2017,
arXiv:1712.00409): a power law above the mistakes that no number of pictures mends. It is fitted to the errors of
classifiers that trained on parts of the pictures, and followed for one doubling: further it would be a guess.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.data.groups import effective_count
from eyespot.evaluate.trust import MoreExpected

FEWEST_PICTURES = 300
"""Below, the parts are so small that the curve says more of luck than of pictures. A series counts as few."""
LEAST_REACH = 0.015
"""The band is no narrower than this to either side: what other pictures of the same kinds would have said."""
BOOTSTRAPS = 20
EXPONENTS = np.linspace(0.1, 1.5, 57)
"""Tried for b: flatter looks like a straight line in log n, which promises twice too much."""
_LEAST_ERRORS = 0.5
"""Mistakes that a point without any is taken to have, so that it weighs no more than it can know."""


@dataclass(frozen=True)
class Tried:
    """Which pictures were answered rightly by classifiers that had trained on K numbers of other pictures."""

    sizes: NDArray[np.float64]
    """(K,), pictures trained on, rising."""
    asked: NDArray[np.int64]
    """(K, N), how many classifiers of each size answered each picture."""
    wrong: NDArray[np.int64]
    """(K, N), how many of those answers were wrong."""

    def errors(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of wrong answers at each size, (K,). weights: of each picture, (N,)."""
        return np.asarray(self.wrong @ weights / np.maximum(self.asked @ weights, 1e-12))


@dataclass(frozen=True)
class Curve:
    """The error a * n^-b + c of a classifier that trains on n pictures."""

    a: float
    b: float
    c: float

    def error(self, pictures: float) -> float:
        return float(self.a * pictures**-self.b + self.c)


@dataclass(frozen=True)
class MorePictures:
    """What twice the pictures would bring, and what that is read from."""

    points: tuple[tuple[float, float], ...]
    """Pictures trained on, and the share of wrong answers to others."""
    curve: Curve
    pictures: int
    """That are there now."""
    gain: float
    """Of accuracy, 0..1."""
    low: float
    high: float

    @property
    def expected(self) -> MoreExpected:
        """What is told of it: `with twice as many pictures expect +1.0 points (0.0 to 2.5)`."""
        return MoreExpected(pictures=self.pictures, points=self.points, gain=self.gain, low=self.low, high=self.high)


def are_enough(pictures: int, group: NDArray[np.int64] | None = None) -> bool:
    """Whether that many pictures, of which those of a group show the same, say anything about twice as many."""
    return (pictures if group is None else effective_count(group)) >= FEWEST_PICTURES


def more_pictures(tried: Tried, *, seed: int, group: NDArray[np.int64] | None = None) -> MorePictures | None:
    """The accuracy that one doubling is to bring, with its band; None where the pictures are not enough.

    The band holds the gains of BOOTSTRAPS draws of the pictures, with replacement, and reaches LEAST_REACH at least.
    group: (N,), pictures with the same number are drawn together.
    """
    pictures = tried.asked.shape[1]
    if not are_enough(pictures, group):
        return None
    errors = tried.errors(np.ones(pictures))
    curve = fit_curve(tried.sizes, errors, tried.asked.sum(axis=1))
    gain = _gain(curve, pictures)
    random = np.random.default_rng(seed)
    member = np.arange(pictures) if group is None else np.unique(group, return_inverse=True)[1]
    drawn = []
    for _ in range(BOOTSTRAPS):
        times = np.bincount(random.integers(0, member.max() + 1, member.max() + 1), minlength=member.max() + 1)
        weights = times[member].astype(np.float64)
        again = fit_curve(tried.sizes, tried.errors(weights), tried.asked.sum(axis=1))
        drawn.append(_gain(again, pictures))
    low, high = min(*drawn, gain - LEAST_REACH), max(*drawn, gain + LEAST_REACH)
    points = tuple(zip(tried.sizes.tolist(), errors.tolist(), strict=True))
    return MorePictures(points, curve, pictures, gain, low, high)


def fit_curve(sizes: NDArray[np.float64], errors: NDArray[np.float64], answers: NDArray[np.int64]) -> Curve:
    """The curve nearest to the errors (K,), by least squares weighted as binomial shares of `answers` (K,) vary.

    a and c are at least 0. For each exponent both are known in closed form; the best exponent is looked up.
    """
    share = np.clip(errors, _LEAST_ERRORS / answers, 0.5)
    weights = np.sqrt(answers / (share * (1 - share)))  # (K,)
    powers = sizes[None] ** -EXPONENTS[:, None]  # (exponents, K)
    a, c = _lines(powers, errors, weights)
    misfits = (((a[:, None] * powers + c[:, None] - errors) * weights) ** 2).sum(axis=1)
    best = int(misfits.argmin())
    return Curve(float(a[best]), float(EXPONENTS[best]), float(c[best]))


def _lines(
    powers: NDArray[np.float64], errors: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope and height, neither below 0, of the line through (power, error) for each row of powers, two times (E,)."""
    w = weights**2 / (weights**2).sum()
    x, y = powers @ w, float(errors @ w)  # weighted means
    spread = ((powers - x[:, None]) ** 2) @ w
    slope = np.maximum(((powers - x[:, None]) * (errors - y)) @ w / np.maximum(spread, 1e-300), 0)
    height = y - slope * x
    through_zero = np.maximum((powers * errors) @ w / ((powers**2) @ w), 0)
    return np.where(height < 0, through_zero, slope), np.maximum(height, 0)


def _gain(curve: Curve, pictures: int) -> float:
    return curve.error(pictures) - curve.error(2 * pictures)
