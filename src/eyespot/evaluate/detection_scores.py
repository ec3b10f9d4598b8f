"""All figures of a detector on one part of the data, as they are written down."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from eyespot.evaluate.average_precision import AveragePrecision, Interval, Intervals, average_precision, intervals
from eyespot.evaluate.box_matches import Found, Truth, matches
from eyespot.evaluate.box_mistakes import confusion
from eyespot.evaluate.box_records import ClassDetection, DetectionScores, Estimate, SizeDetection
from eyespot.evaluate.box_sizes import by_size
from eyespot.evaluate.box_thresholds import AtThreshold, at_threshold


def detection_scores(
    truths: Sequence[Truth],
    founds: Sequence[Found],
    classes: Sequence[str],
    *,
    threshold: float,
    most: int,
    series: ArrayLike | None = None,
) -> DetectionScores | None:
    """The figures; None where there is no box to be found.

    truths, founds: a picture each, in the same order. threshold: of precision, recall and confusions.
    most: boxes that are answered for a picture.
    series: (pictures,), a number that pictures of one series share, for the intervals; None: each stands by itself.
    """
    matched = matches(truths, founds, classes=len(classes), most=most)
    if not matched.counted.sum():
        return None
    precisions = average_precision(matched)
    ranges = intervals(matched, np.random.default_rng(0), series=series)
    counts = at_threshold(matched, threshold)
    table = confusion(truths, founds, matched, threshold=threshold)
    assert precisions.map75 is not None
    map50, map50_95 = estimate(precisions.map50, ranges.map50), estimate(precisions.map50_95, ranges.map50_95)
    assert map50 is not None
    assert map50_95 is not None
    return DetectionScores(
        map50=map50,
        map50_95=map50_95,
        map75=precisions.map75,
        pictures=len(truths),
        boxes=counts.overall.truths,
        threshold=threshold,
        precision=counts.overall.precision,
        recall=counts.overall.recall,
        f1=counts.overall.f1,
        per_class=_by_class(classes, precisions, ranges, counts),
        by_size=_by_size(truths, founds, classes=len(classes), most=most),
        cells=tuple((int(true), int(said), int(table[true, said])) for true, said in np.argwhere(table)),
    )


def _by_class(
    classes: Sequence[str], precisions: AveragePrecision, ranges: Intervals, counts: AtThreshold
) -> tuple[ClassDetection, ...]:
    return tuple(
        ClassDetection(
            name=name,
            boxes=of.truths,
            ap50=estimate(precisions.of(label, 0.5), ranges.ap50[label]),
            ap50_95=precisions.per_class[label].ap50_95,
            precision=of.precision,
            recall=of.recall,
            f1=of.f1,
        )
        for label, (name, of) in enumerate(zip(classes, counts.per_class, strict=True))
    )


def _by_size(truths: Sequence[Truth], founds: Sequence[Found], *, classes: int, most: int) -> tuple[SizeDetection, ...]:
    return tuple(
        SizeDetection(
            from_side=math.sqrt(each.from_area),
            to_side=None if each.to_area is None else math.sqrt(each.to_area),
            boxes=each.truths,
            map50=each.measured.map50,
        )
        for each in by_size(truths, founds, classes=classes, most=most)
    )


def estimate(value: float | None, interval: Interval | None) -> Estimate | None:
    """A figure with its interval, as it is written down; None where it was not measured."""
    if value is None or interval is None:
        return None
    return Estimate(value=value, low=min(value, interval.low), high=max(value, interval.high))
