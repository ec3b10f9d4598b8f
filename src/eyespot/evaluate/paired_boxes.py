"""Which of two detectors is better, by what both found in the same pictures, and how sure that is.

The pictures are drawn anew many times, as many as there are, with replacement, and both detectors are measured on each
draw: what makes a draw easy makes it easy for both, and falls out of the difference. Source: B. Efron 1979, Bootstrap
methods: another look at the jackknife (percentiles).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from eyespot.evaluate.average_precision import (
    CONFIDENCE,
    AveragePrecision,
    Interval,
    Intervals,
    Resamples,
    average_precision,
    drawn_anew,
)
from eyespot.evaluate.box_matches import Matches
from eyespot.evaluate.paired import USUALLY, Verdict
from eyespot.records import Difference

DRAWS = 500
"""Of the pictures. With fewer, the ends of an interval are themselves a matter of chance."""


@dataclass(frozen=True)
class Figures:
    """What a detector reaches."""

    precisions: AveragePrecision
    intervals: Intervals


@dataclass(frozen=True)
class BoxComparison:
    """What two detectors reach, and by how much the second's figures are higher; None where nothing was to be found."""

    first: Figures
    second: Figures
    map50: Difference | None
    map50_95: Difference | None
    ap50: tuple[Difference | None, ...]
    """By class, at IoU 0.5."""

    @property
    def verdict(self) -> Verdict:
        """By mAP50-95 alone: who looks at many figures finds one that differs."""
        if self.map50_95 is None or self.map50_95.low <= 0 <= self.map50_95.high:
            return "no difference"
        return "better" if self.map50_95.low > 0 else "worse"

    @property
    def smallest_seen(self) -> float | None:
        """The smallest difference in mAP50-95 that such pictures usually show, about: in 80 % of cases."""
        if self.map50_95 is None:
            return None
        reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
        error = (self.map50_95.high - self.map50_95.low) / (2 * reach)
        least = (reach + NormalDist().inv_cdf(USUALLY)) * error
        return least if least <= 1 else None


def paired_boxes(
    before: Matches, after: Matches, generator: np.random.Generator, *, draws: int = DRAWS
) -> BoxComparison:
    """How `after` differs from `before`.

    before, after: of the same pictures and true boxes, at thresholds of which the first is 0.5.
    generator: draws the pictures; the same seed gives the same intervals.
    """
    assert np.array_equal(before.counted, after.counted), "two detectors are compared on the same true boxes"
    weights = drawn_anew(len(before.counted), generator, resamples=draws)
    drawn = Resamples.of(before, weights), Resamples.of(after, weights)
    first, second = (
        Figures(average_precision(found), of.intervals()) for found, of in zip((before, after), drawn, strict=True)
    )
    one, other, gained = first.precisions, second.precisions, drawn[1].minus(drawn[0]).intervals()
    return BoxComparison(
        first=first,
        second=second,
        map50=_difference(one.map50, other.map50, gained.map50),
        map50_95=_difference(one.map50_95, other.map50_95, gained.map50_95),
        ap50=tuple(_difference(one.of(at, 0.5), other.of(at, 0.5), each) for at, each in enumerate(gained.ap50)),
    )


def _difference(before: float | None, after: float | None, interval: Interval | None) -> Difference | None:
    if before is None or after is None or interval is None:
        return None
    value = after - before
    return Difference(value=value, low=min(value, interval.low), high=max(value, interval.high))
