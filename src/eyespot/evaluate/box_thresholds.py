"""From which score on a box is shown: precision, recall and F1 by threshold, and the threshold with the best F1.

Source: C. J. van Rijsbergen 1979, Information Retrieval, chapter 7 (F1 as the harmonic mean of precision and recall).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluate.box_matches import Matches


@dataclass(frozen=True)
class Counts:
    """How many boxes there are, were found, and are both."""

    truths: int
    found: int
    right: int

    @property
    def precision(self) -> float | None:
        """The share of what was found that is right; None where nothing was found."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """The share of the true boxes that was found; None where there was none."""
        return self.right / self.truths if self.truths else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None where there was nothing to find and nothing was found."""
        return 2 * self.right / (self.truths + self.found) if self.truths + self.found else None


@dataclass(frozen=True)
class AtThreshold:
    """What was found by all boxes with at least this score."""

    threshold: float
    overall: Counts
    """Of all classes together: each box counts the same."""
    per_class: tuple[Counts, ...]


@dataclass(frozen=True)
class ThresholdCurve:
    """Precision, recall and F1 of all classes together at each score that a box has."""

    thresholds: tuple[float, ...]
    """Falling; each holds for all boxes with at least this score."""
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]


def threshold_curve(matches: Matches, *, place: int = 0) -> ThresholdCurve | None:
    """The figures at every score, the highest first; None where no box was to be found.

    place: index of the IoU threshold of the matches; the first is 0.5.
    """
    truths = int(matches.counted.sum())
    if not truths:
        return None
    scores, found, right = _by_score(matches, place)
    return ThresholdCurve(
        thresholds=tuple(scores.tolist()),
        precision=tuple((right / found).tolist()),
        recall=tuple((right / truths).tolist()),
        f1=tuple((2 * right / (found + truths)).tolist()),
    )


def best_threshold(matches: Matches, *, place: int = 0) -> float | None:
    """The threshold with the best F1 of all classes together, the highest of equally good ones; None: nothing is right.

    It lies halfway to the next lower score, so that a rounding in another program does not lose the last box.

    place: index of the IoU threshold of the matches; the first is 0.5.
    """
    scores, found, right = _by_score(matches, place)
    if not right.any():
        return None
    best = int((right / (found + matches.counted.sum())).argmax())
    score, below = float(scores[best]), float(scores[best + 1]) if best + 1 < len(scores) else 0.0
    middle = (score + below) / 2
    return middle if below < middle <= score else score


def at_threshold(matches: Matches, threshold: float, *, place: int = 0) -> AtThreshold:
    """What is right, wrong and missed where boxes below that score are left out.

    threshold: a score; boxes with exactly this one stay.
    place: index of the IoU threshold of the matches; the first is 0.5.
    """
    shown = matches.scores >= threshold
    truths = matches.counted.sum(axis=0)
    found, right = (
        np.bincount(matches.labels[shown & which], minlength=len(truths))
        for which in (~matches.ignored[place], matches.right[place])
    )
    return AtThreshold(
        threshold=threshold,
        overall=Counts(truths=int(truths.sum()), found=int(found.sum()), right=int(right.sum())),
        per_class=tuple(
            Counts(truths=n, found=f, right=r)
            for n, f, r in zip(truths.tolist(), found.tolist(), right.tolist(), strict=True)
        ),
    )


def _by_score(matches: Matches, place: int) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Each score once, falling, and how many boxes with at least this score were found, and are right."""
    counts = ~matches.ignored[place]
    scores, right = matches.scores[counts], np.cumsum(matches.right[place, counts])
    last = np.flatnonzero(np.diff(scores, append=-np.inf))  # of equal scores the last
    return scores[last], last + 1, right[last]
