"""An accuracy with the interval that its number of pictures allows (Wilson 1927)."""

from __future__ import annotations

import math
from statistics import NormalDist

from eyespot.records import Metric


def wilson(correct: float, n: int, *, confidence: float = 0.95) -> Metric:
    """The share `correct / n` with its score interval, which stays sensible near 0 and 1 and for few pictures.

    correct: right answers, 0..n; may be fractional, e.g. the mean over repeats of cross-validation.
    n: distinct pictures, at least 1. Repeats do not count: asking the same pictures again brings no new ones.
    confidence: how often such an interval holds the true share, strictly between 0 and 1.
    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    assert n >= 1, "an interval needs at least one picture"
    assert 0 <= correct <= n, f"{correct} right answers of {n}"
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = correct / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At 0 and n right answers the bound is exactly the share; rounding would leave it a hair beside.
    low = 0.0 if correct == 0 else centre - reach
    high = 1.0 if correct == n else centre + reach
    return Metric(accuracy=share, low=low, high=high, n=n)


def wilson_fraction(accuracy: float, n: int, *, confidence: float = 0.95) -> Metric:
    """`accuracy` with its score interval, for a mean over repeats of cross-validation on the same `n` pictures.

    accuracy: mean share of right answers, 0..1.
    n: distinct pictures. This is on the careful side: the mean over repeats varies no more than one of them.
    """
    return wilson(min(accuracy * n, n), n, confidence=confidence)
