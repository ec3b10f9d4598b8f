"""What a classifier believes where some of the labels that it is judged by are wrong.

A temperature alone takes every wrong label for an answer that was too sure: with 2 classes and one label in ten wrong
it makes every answer so unsure that no label is doubtful any more. So the share of wrong labels is fitted along: a
label is what the temperature says it is, or else, as often as `noise` says, any class at all. The two are told apart
only by answers that lie far from the label; where few do, what is sure and wrong is best taken for a wrong label.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyespot.evaluate.calibration import HIGHEST, LOWEST, probabilities

MOST_NOISE = 0.5
"""Beyond it labels say too little to be judged by."""
STEPS_OF_TEMPERATURE = 24
"""In which the whole range is looked through; then the best of them and its neighbours."""
GOLDEN = (math.sqrt(5) - 1) / 2
PRECISION = 0.002
"""Relative, of the temperature."""
HALVINGS = 20
"""Of a range: to a millionth."""
CHI_SQUARE_95 = 3.841
"""One degree of freedom."""
ENOUGH = 10_000
"""Answers that two numbers are fitted on; of more, that many are taken, evenly."""


@dataclass(frozen=True)
class LabelNoise:
    """How sure a classifier may be, and how many of the labels are wrong."""

    temperature: float
    """0.05..20, that makes the labels likeliest."""
    surest: float
    """The lowest temperature that the labels do not speak against (likelihood ratio, 95 %)."""
    noise: float
    """0..0.5, that makes the labels likeliest, of C classes: as many labels are wrong as noise (C - 1) / C."""


def believed(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Probabilities (N, C) of the true classes, though labels may be wrong: as sure as the labels allow.

    Arguments as of `fit_noise`.
    """
    return probabilities(logits, temperature=fit_noise(logits, labels).surest)


def fit_noise(logits: ArrayLike, labels: ArrayLike) -> LabelNoise:
    """The noise, and the temperature beside it; where no answer is wrong they are 0 and 1.

    logits: (N, C), scores of pictures that the network was not trained on.
    labels: (N,) class indices, some perhaps wrong.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
    every = -(-len(labels) // ENOUGH) or 1
    logits, labels = logits[::every], labels[::every]
    if len(labels) < 2 or (logits.argmax(axis=1) == labels).all() or np.ptp(logits, axis=1).max() == 0:
        return LabelNoise(temperature=1.0, surest=1.0, noise=0.0)
    away = logits - logits[np.arange(len(labels)), labels][:, None]  # (N, C), of each class from the label's
    best = _best(away)
    likelihood, noise = _likeliest(away, best)
    low, high = math.log(LOWEST), best
    while high - low > PRECISION:
        middle = (low + high) / 2
        is_possible = _likeliest(away, middle)[0] > likelihood - CHI_SQUARE_95 / 2
        low, high = (low, middle) if is_possible else (middle, high)
    return LabelNoise(temperature=math.exp(best), surest=math.exp(high), noise=noise)


def _best(away: NDArray[np.float64]) -> float:
    """The logarithm of the temperature that makes the labels likeliest. away: as of `_likeliest`."""
    logarithms = np.linspace(math.log(LOWEST), math.log(HIGHEST), STEPS_OF_TEMPERATURE)
    best = int(np.argmax([_likeliest(away, each)[0] for each in logarithms]))
    low, high = (logarithms[np.clip(best + side, 0, STEPS_OF_TEMPERATURE - 1)] for side in (-1, 1))
    while high - low > PRECISION:
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        low, high = (low, right) if _likeliest(away, left)[0] >= _likeliest(away, right)[0] else (left, high)
    return float(low + high) / 2


def _likeliest(away: NDArray[np.float64], logarithm: float) -> tuple[float, float]:
    """The log-likelihood of the labels with the noise that makes it largest, and that noise.

    away: (N, C), the logits less that of the label. logarithm: of the temperature.
    """
    with np.errstate(over="ignore"):  # a label of no probability at all
        own = 1 / np.exp(away / math.exp(logarithm)).sum(axis=1)  # (N,)
    own, by_chance = np.maximum(own, 1e-300), 1 / away.shape[1]
    low, high = 0.0, MOST_NOISE  # the slope falls, so it is halved towards its zero
    for _ in range(HALVINGS):
        noise = (low + high) / 2
        slope = ((by_chance - own) / ((1 - noise) * own + noise * by_chance)).sum()
        low, high = (noise, high) if slope > 0 else (low, noise)
    noise = low
    return float(np.log((1 - noise) * own + noise * by_chance).sum()), noise
