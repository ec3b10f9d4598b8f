"""Whether confidence means what it says: answers that are 80 % sure should be right 8 times in 10.

Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv:1706.04599.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyespot.data.groups import effective_count
from eyespot.errors import NetworkError
from eyespot.records import Calibration, CalibrationBin

BINS = 10
LOWEST, HIGHEST = 0.05, 20.0
"""Temperatures outside these say that the scores are no logits, not that the network is badly calibrated."""
STEPS = 200
PRECISION = 1e-10
"""Relative width of the bracket around 1 / temperature at which the search stops."""


def probabilities(logits: ArrayLike, *, temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities (N, C), the softmax of logits (N, C) divided by `temperature`."""
    scaled = np.asarray(logits, np.float64) / temperature  # (N, C)
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """The temperature, 0.05..20, whose probabilities give the true classes the smallest mean negative log-likelihood.

    The likelihood is convex in 1 / temperature, so its slope is monotone: Newton's method inside a bracket finds
    the only zero, the same on every run. Where the data cannot say, the answer is 1 (as the logits are): fewer than
    two pictures, no mistake among them (the likelihood then only asks for more confidence), all logits equal.

    logits: (N, C), scores of pictures that the network was not trained on.
    labels: (N,) class indices.
    Source: Guo et al. 2017, section 4.2.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
    assert logits.ndim == 2, f"logits of shape {logits.shape}, expected (N, C)"
    assert labels.shape == logits.shape[:1], f"{labels.shape} labels for logits {logits.shape}"
    if not np.isfinite(logits).all():
        raise NetworkError(
            "the trained network's scores are no numbers, so none was kept: train with a lower learning rate (--lr), "
            "and with --precision fp32"
        )
    if len(labels) < 2 or (logits.argmax(axis=1) == labels).all() or np.ptp(logits, axis=1).max() == 0:
        return 1.0
    low, high = 1 / HIGHEST, 1 / LOWEST
    inverse = 1.0
    for _ in range(STEPS):
        slope, curvature = _slope_and_curvature(logits, labels, inverse)
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        if high - low <= PRECISION * high:
            break
        step = inverse - slope / curvature if curvature > 0 else math.inf
        if abs(step - inverse) <= PRECISION * inverse:
            break
        inverse = step if low < step < high else math.sqrt(low * high)
    return min(max(1 / inverse, LOWEST), HIGHEST)


def cross_fitted(logits: ArrayLike, labels: ArrayLike, fold: ArrayLike) -> NDArray[np.float64]:
    """The logits (N, C), those of each fold divided by the temperature that is fitted on all other folds.

    logits: (N, C); labels: (N,) class indices; fold: (N,), the fold of each picture.
    """
    logits, labels, fold = np.asarray(logits, np.float64), np.asarray(labels, np.int64), np.asarray(fold)
    divided = np.empty_like(logits)
    for each in np.unique(fold):
        mine = fold == each
        divided[mine] = logits[mine] / fit_temperature(logits[~mine], labels[~mine])
    return divided


def calibration_bins(
    confidences: ArrayLike, right: ArrayLike, *, group: ArrayLike | None = None
) -> tuple[CalibrationBin, ...]:
    """The tenths of confidence that have answers in them, from unsure to sure.

    confidences: (N,) probability of each answer, 0..1; exactly 1 belongs to the last tenth.
    right: (N,) whether each answer is true.
    group: (N,) the series of each picture; None where each is by itself.
    """
    confidences, right = np.asarray(confidences, np.float64), np.asarray(right, bool)
    tenth = np.minimum((confidences * BINS).astype(np.int64), BINS - 1)
    return tuple(
        CalibrationBin(
            low=index / BINS,
            high=(index + 1) / BINS,
            confidence=min(float(confidences[tenth == index].mean()), 1.0),
            accuracy=float(right[tenth == index].mean()),
            n=int((tenth == index).sum()),
            worth=None if group is None else effective_count(np.asarray(group)[tenth == index]),
        )
        for index in np.unique(tenth).tolist()
    )


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """Mean distance between confidence and accuracy over the tenths, each weighted by its answers, 0..1."""
    n = sum(b.n for b in bins)
    return sum(b.n / n * abs(b.accuracy - b.confidence) for b in bins)


def error_by_chance(bins: Sequence[CalibrationBin]) -> float:
    """The calibration error that a perfectly calibrated network would show on this many answers, on average.

    In a tenth whose answers are worth n independent ones, of confidence p, the accuracy strays from p by
    sqrt(2 p (1 - p) / (pi n)) on average (mean absolute deviation of the normal approximation). An error of this size
    is no sign of miscalibration.
    """
    n = sum(b.n for b in bins)
    return sum(b.n / n * math.sqrt(2 * b.confidence * (1 - b.confidence) / (math.pi * (b.worth or b.n))) for b in bins)


def calibration(
    logits: ArrayLike,
    labels: ArrayLike,
    temperature: float,
    fitted_on: str,
    *,
    measured_on: str = "pictures",
    fold: ArrayLike | None = None,
    group: ArrayLike | None = None,
) -> Calibration:
    """How far confidence and accuracy lie apart on these pictures, without and with the temperature.

    logits: (N, C), N at least 1.
    labels: (N,) class indices.
    fitted_on: the scores that the temperature was fitted on, in words.
    measured_on: what these pictures are, in words.
    fold: None if the temperature was fitted on other pictures; else the fold of each picture, (N,): its answer is
        then divided by the temperature that all other folds ask for, since its own fold has seen the truth.
    group: (N,) the series of each picture; None where each is by itself.
    """
    logits = np.asarray(logits, np.float64)
    right = logits.argmax(axis=1) == np.asarray(labels)
    before = calibration_bins(probabilities(logits).max(axis=1), right, group=group)
    divided = logits / temperature if fold is None else cross_fitted(logits, labels, fold)  # (N, C)
    after = calibration_bins(probabilities(divided).max(axis=1), right, group=group)
    return Calibration(
        temperature=temperature,
        fitted_on=fitted_on,
        measured_on=measured_on,
        cross_fitted=fold is not None,
        ece_before=expected_calibration_error(before),
        ece_after=expected_calibration_error(after),
        bins_before=before,
        bins_after=after,
        n=len(right),
    )


def _slope_and_curvature(logits: NDArray[np.float64], labels: NDArray[np.int64], inverse: float) -> tuple[float, float]:
    """First and second derivative of the summed negative log-likelihood with respect to 1 / temperature."""
    shares = probabilities(logits, temperature=1 / inverse)  # (N, C)
    true = logits[np.arange(len(labels)), labels]  # (N,)
    mean = (shares * logits).sum(axis=1)  # (N,)
    spread = (shares * (logits - mean[:, None]) ** 2).sum()
    return float((mean - true).sum()), float(spread)
