"""Average precision of a detector, equal to COCO's to the last digits, with intervals.

Sources: T.-Y. Lin et al. 2014, Microsoft COCO, arXiv:1405.0312, and pycocotools 2.0 (101 recalls, IoU 0.50 to 0.95);
Everingham et al. 2010, The Pascal Visual Object Classes Challenge, section 4.2 (precision as the best at this recall or
a higher one). Intervals: B. Efron 1979, Bootstrap methods: another look at the jackknife (percentiles).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyespot.evaluate.box_matches import Matches

RECALLS: NDArray[np.float64] = np.linspace(0, 1, 101)
"""The recalls at which precision is read; AP is the mean."""
RESAMPLES = 200
CONFIDENCE = 0.95


@dataclass(frozen=True)
class ClassPrecision:
    """Average precision of one class."""

    truths: int
    """True boxes that were to be found."""
    by_threshold: tuple[float, ...] | None
    """AP at each IoU threshold; None where there was no box to find: not measured, which is not 0."""

    @property
    def ap50_95(self) -> float | None:
        return None if self.by_threshold is None else float(np.mean(self.by_threshold))


@dataclass(frozen=True)
class AveragePrecision:
    """Average precision by class, and its means over the classes that were measured."""

    thresholds: tuple[float, ...]
    """IoU."""
    per_class: tuple[ClassPrecision, ...]

    def of(self, label: int, iou: float) -> float | None:
        """AP of the class of that index at that IoU threshold; None where it was not measured."""
        found = self.per_class[label].by_threshold
        return None if found is None else found[self._place(iou)]

    def mean(self, iou: float) -> float | None:
        """mAP at that IoU threshold; None where no class was measured."""
        return _mean([found[self._place(iou)] for found in self._measured])

    @property
    def map50(self) -> float | None:
        return self.mean(0.5)

    @property
    def map75(self) -> float | None:
        return self.mean(0.75)

    @property
    def map50_95(self) -> float | None:
        """The mean over all thresholds and classes."""
        return _mean([ap for found in self._measured for ap in found])

    @property
    def _measured(self) -> list[tuple[float, ...]]:
        return [each.by_threshold for each in self.per_class if each.by_threshold is not None]

    def _place(self, iou: float) -> int:
        places = [place for place, each in enumerate(self.thresholds) if math.isclose(each, iou)]
        assert places, f"not measured at IoU {iou}, only at {self.thresholds}"
        return places[0]


@dataclass(frozen=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True)
class Intervals:
    """95 % intervals of average precision; None where it was not measured."""

    map50: Interval | None
    map50_95: Interval | None
    ap50: tuple[Interval | None, ...]
    """By class, at IoU 0.5."""


@dataclass(frozen=True, eq=False)
class Resamples:
    """Average precision in R resamples of the pictures; NaN where it was not measured."""

    map50: NDArray[np.float64]
    """(R,)."""
    map50_95: NDArray[np.float64]
    """(R,)."""
    ap50: NDArray[np.float64]
    """(classes, R), at IoU 0.5."""

    @classmethod
    def of(cls, matches: Matches, weights: ArrayLike) -> Resamples:
        """matches: at thresholds of which the first is 0.5. weights: as `resampled` takes them."""
        found = resampled(matches, weights)  # (R, C, T)
        return cls(_means(found[:, :, 0]), _means(found.mean(axis=2)), found[:, :, 0].T)

    def minus(self, other: Resamples) -> Resamples:
        """The difference in each resample, which must be the same ones."""
        return Resamples(self.map50 - other.map50, self.map50_95 - other.map50_95, self.ap50 - other.ap50)

    def intervals(self) -> Intervals:
        """The percentiles of the resamples in which a figure could be measured."""
        return Intervals(_interval(self.map50), _interval(self.map50_95), tuple(map(_interval, self.ap50)))


@dataclass(frozen=True)
class Curve:
    """Precision and recall of one class from the surest box down, one point for each box that counts."""

    scores: tuple[float, ...]
    """Falling; the point holds for all boxes up to this one."""
    precision: tuple[float, ...]
    recall: tuple[float, ...]


def average_precision(matches: Matches) -> AveragePrecision:
    """AP of each class at each threshold of the matches."""
    found = resampled(matches, np.ones((1, len(matches.counted))))[0]  # (C, T)
    truths = matches.counted.sum(axis=0).tolist()
    return AveragePrecision(
        thresholds=tuple(matches.thresholds.tolist()),
        per_class=tuple(
            ClassPrecision(truths=n, by_threshold=tuple(aps.tolist()) if n else None)
            for n, aps in zip(truths, found, strict=True)
        ),
    )


def intervals(
    matches: Matches, generator: np.random.Generator, *, series: ArrayLike | None = None, resamples: int = RESAMPLES
) -> Intervals:
    """Where 95 % of the figures lie when the pictures are drawn anew, as many as there are, with replacement.

    matches: at thresholds of which the first is 0.5.
    generator: draws the pictures; the same seed gives the same intervals.
    series: (pictures,), a number for each picture that pictures of one series share, which are drawn together; None:
        each stands by itself.
    resamples: how often they are drawn.
    """
    numbers = np.arange(len(matches.counted)) if series is None else series
    return Resamples.of(matches, drawn_anew(numbers, generator, resamples=resamples)).intervals()


def drawn_anew(series: ArrayLike, generator: np.random.Generator, *, resamples: int) -> NDArray[np.int64]:
    """How often each picture is drawn (resamples, pictures): as many series as there are, with replacement.

    series: (pictures,), a number for each picture that pictures of one series share.
    """
    names, numbers = np.unique(series, return_inverse=True)
    assert len(names), "an interval needs at least one picture"
    drawn: NDArray[np.int64] = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return drawn[:, numbers]


def resampled(matches: Matches, weights: ArrayLike) -> NDArray[np.float64]:
    """AP (resamples, C, T) where each picture counts as often as its weight says; NaN where no box was to be found.

    weights: (resamples, pictures), whole numbers, 0 or more.
    """
    weights = np.asarray(weights, np.float64)
    truths = weights @ matches.counted  # (resamples, C)
    right = matches.right
    aps = np.full((*truths.shape, len(matches.thresholds)), np.nan)
    for label in range(truths.shape[1]):
        for place, ignored in enumerate(matches.ignored):
            counts = np.flatnonzero((matches.labels == label) & ~ignored)
            pictures, hits = matches.pictures[counts], np.flatnonzero(right[place, counts])
            for resample in np.flatnonzero(truths[:, label]):
                drawn = weights[resample, pictures]
                aps[resample, label, place] = _area_below_curve(drawn, hits, truths[resample, label])
    return aps


def curves(matches: Matches, *, place: int = 0) -> tuple[Curve | None, ...]:
    """Precision and recall by class; None where no box was to be found.

    place: index of the threshold of the matches; the first is IoU 0.5.
    """
    return tuple(
        _curve(matches, label=label, place=place, truths=truths) if truths else None
        for label, truths in enumerate(matches.counted.sum(axis=0).tolist())
    )


def _curve(matches: Matches, *, label: int, place: int, truths: int) -> Curve:
    counts = np.flatnonzero((matches.labels == label) & ~matches.ignored[place])
    hits = np.cumsum(matches.right[place, counts])
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / truths
    return Curve(tuple(matches.scores[counts].tolist()), tuple(precision.tolist()), tuple(recall.tolist()))


def _area_below_curve(drawn: NDArray[np.float64], hits: NDArray[np.int64], truths: float) -> float:
    """AP from the boxes that count, surest first.

    A picture that is drawn twice has each box twice, one after the other. Only the last right box of such a row
    matters: precision rises along right ones, and recall stays along wrong ones. A box that is there 0 times changes
    nothing: its recall is that of the box before, its precision at most that.

    drawn: how often each box is there; hits: indices of the right ones.
    """
    all_boxes = np.cumsum(drawn)[hits]
    right = np.cumsum(drawn[hits])
    precision = right / np.maximum(all_boxes, 1)  # 0 where there is no box yet
    best = np.maximum.accumulate(precision[::-1])[::-1]
    reached = np.searchsorted(right / truths, RECALLS)
    return float(best[reached[reached < len(best)]].sum()) / len(RECALLS)


def _means(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over the classes (N,) that were measured; NaN where none was.

    found: (N, C), NaN where not measured.
    """
    measured = np.isfinite(found)
    sums, counts = np.where(measured, found, 0).sum(axis=1), measured.sum(axis=1)
    means: NDArray[np.float64] = np.divide(sums, counts, out=np.full(len(found), np.nan), where=counts > 0)
    return means


def _mean(found: Sequence[float]) -> float | None:
    return float(np.mean(found)) if found else None


def _interval(found: NDArray[np.float64]) -> Interval | None:
    """Percentiles of the resamples in which the figure could be measured."""
    found = found[np.isfinite(found)]
    if not len(found):
        return None
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    return Interval(low, high)
