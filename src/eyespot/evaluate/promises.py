"""Promises about pictures that nobody has seen yet, from scores of pictures that a model was not fitted on.

A new picture is as likely to stand at any place among n others of its kind. So its score is below the k-th smallest of
theirs with a probability of at most k / (n + 1), whatever the model is and however the scores are distributed.

Sources: Vovk, Gammerman, Shafer 2005, Algorithmic Learning in a Random World (split conformal prediction); for sets of
classes Sadinle, Lei, Wasserman 2019, Least ambiguous set-valued classifiers with bounded error levels,
arXiv:1609.00451.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from eyespot.records import Fraction, Metric, Record

REFUSED = (0.1, 0.05, 0.02, 0.01)
"""Shares of pictures of known classes that may be refused, of which a person chooses."""
USUAL = 0.05
"""The one that holds where nobody chose."""
HELD = (0.8, 0.9, 0.95, 0.99)
"""Shares of sets that hold the true class, of which a person chooses."""
DIGITS = 9
"""Decimals of a share times a number of pictures: beyond is rounding, which must not cost a whole picture."""


class Promise(Record):
    """A share that is promised, and the score that keeps the promise."""

    share: Fraction
    least: float
    """A score below it is one that few pictures of known classes have."""


class Share(Record):
    """A share of pictures that never travels without its 95 % interval (Wilson) and sample size."""

    share: Fraction
    low: Fraction
    high: Fraction
    n: int = Field(ge=1)

    @classmethod
    def of(cls, metric: Metric) -> Share:
        """The same numbers, where they are no accuracy."""
        return cls(share=metric.accuracy, low=metric.low, high=metric.high, n=metric.n)

    @property
    def metric(self) -> Metric:
        """The numbers that it was made of."""
        return Metric(accuracy=self.share, low=self.low, high=self.high, n=self.n)


class Unknown(Record):
    """How a model tells a picture that shows none of its classes: by its likeness to the pictures of the nearest."""

    refusing: tuple[Promise, ...]
    """Each share of pictures of known classes that is refused at most, and the likeness below which a picture is.
    Missing are those for which there were too few pictures."""
    fitted_on: str
    """The pictures whose likenesses they come from, in words."""
    n: int = Field(ge=0)
    """How many these are."""
    refused: Share | None = None
    """Of pictures that decided nothing, the share that the usual promise refused; None where there were none."""
    measured_on: str = ""
    """What those are, in words."""

    def least(self, share: float) -> float | None:
        """The likeness below which a picture is refused; None where that share cannot be promised."""
        return least_of(self.refusing, share)


def least(scores: ArrayLike, share: float) -> float | None:
    """The score that at most this share of new pictures fall below; None where there are too few to promise that.

    scores: (N,), of pictures like those to come, by a model that was not fitted on them. share: 0..1; of 5 % the
    fewest are 19, of 2 % 49, of 1 % 99.
    """
    scores = np.asarray(scores)
    place = math.floor(round(share * (len(scores) + 1), DIGITS))
    return float(np.partition(scores, place - 1)[place - 1]) if place else None


def promises(scores: ArrayLike, shares: Sequence[float], *, below: bool) -> tuple[Promise, ...]:
    """Those promises that the scores allow.

    below: True where the shares are those of scores below the least one; False where they are those of all others.
    """
    found = ((share, least(scores, share if below else 1 - share)) for share in shares)
    return tuple(Promise(share=share, least=score) for share, score in found if score is not None)


def least_of(kept: Sequence[Promise], share: float) -> float | None:
    """The least score of the promise of that share; None where there is none."""
    return next((each.least for each in kept if math.isclose(each.share, share)), None)


def fewest(share: float) -> int:
    """Pictures below which a share cannot be promised to be refused at most."""
    return math.ceil(round(1 / share, DIGITS)) - 1


def class_set(probabilities: NDArray[np.floating], least_probability: float) -> list[int]:
    """The classes (numbers) that are at least that likely, the likeliest first; where none is, the likeliest.

    probabilities: (C,). A set is never empty, so it holds the true class a little more often than promised.
    """
    order: list[int] = np.argsort(-probabilities, kind="stable").tolist()
    return order[: max(1, int((probabilities >= least_probability).sum()))]


def probabilities_of_truth(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """The probability (N,) that each picture's true class was given: the scores that sets are promised by.

    probabilities: (N, C). labels: (N,) class indices.
    """
    found = np.asarray(probabilities, np.float64)
    return np.asarray(found[np.arange(len(found)), np.asarray(labels)])
