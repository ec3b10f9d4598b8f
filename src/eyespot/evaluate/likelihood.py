"""Which of two models gives the true classes more probability, and how sure that is.

Whether an answer is right says little of each picture; how probable the true class was says more, so that fewer
pictures show which model is better. Two equal models are as likely to be swapped as not: where the signs of the
differences are turned at random, a mean as large as the one found comes up as often as chance makes it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyespot.evaluate.calibration import fit_temperature, probabilities

TURNS = 9_999
"""Random turns of all signs, so that p is known to 0.002 where it matters."""
BLOCK = 2**20
"""Signs that are held at a time."""
LEAST_PROBABILITY = 1e-6
"""A picture that a model is dead sure to be something else counts as this, not as infinitely much."""


def log_likelihoods(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """The log of the true class's probability, (N,), at the temperature that fits these pictures best.

    logits: (N, C). labels: (N,), class indices.
    """
    labels = np.asarray(labels, np.int64)
    chances = probabilities(logits, temperature=fit_temperature(logits, labels))
    found: NDArray[np.float64] = np.log(np.maximum(chances[np.arange(len(labels)), labels], LEAST_PROBABILITY))
    return found


def p_likelier(before: ArrayLike, after: ArrayLike, *, series: ArrayLike | None = None) -> float:
    """How likely a model that is no better would give the true classes so much more probability by chance.

    before, after: (N,), log-likelihoods of the same pictures.
    series: (N,), pictures with the same number have one say; None: each stands by itself.
    Source: R. A. Fisher, The Design of Experiments, 1935, section 21 (the test by turned signs), one-sided.
    """
    gains = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    if series is not None:
        gains = np.asarray(np.bincount(np.unique(series, return_inverse=True)[1], gains), np.float64)
    if not gains.any():
        return 1.0
    random, reached = np.random.default_rng(0), 0
    rows = max(4, BLOCK // len(gains) // 4 * 4)  # the generator gives four such numbers at a time
    for start in range(0, TURNS, rows):
        signs = random.integers(0, 2, (min(rows, TURNS - start), len(gains)), dtype=np.int8)
        turned = (2 * signs - 1) @ gains
        reached += int((turned >= gains.sum()).sum())
    return (1 + reached) / (1 + TURNS)
