"""How well labels are told, where a picture may have several: average precision, F1, and their intervals.

Average precision is the sum over thresholds of the gain in recall times the precision there, without interpolation, as
scikit-learn has it. Its interval is Wilson's for a share of the pictures that have the label, which covers better than
a bootstrap where these are few (K. Boyd, K. Eng, C. D. Page 2013, Area under the precision-recall curve, ECML). F1 is a
function of the share of right ones among pictures that have the label or are given it, J: F1 = 2 J / (1 + J); so its
interval is that function of Wilson's for J. Means over labels have intervals on the logit's scale, by the error of a
bootstrap over pictures, series being drawn as wholes (B. Efron 1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.data.groups import effective_count
from eyespot.evaluate.box_records import Estimate
from eyespot.evaluate.calibration import calibration_bins, expected_calibration_error
from eyespot.evaluate.metrics import wilson_fraction
from eyespot.evaluate.multilabel_records import LabelScores, MultilabelScores

RESAMPLES = 200
Z = 1.959964
AT_ONCE = 2**22
"""Weights of pictures that are looked at together."""
Floats = NDArray[np.float64]


def average_precision(truths: NDArray[np.bool_], scores: Floats, weights: Floats | None = None) -> Floats:
    """Average precision (R,) of one label, under each of R weightings of the pictures; NaN where none has it.

    truths: (N,). scores: (N,), of which only the order counts; equal ones are one threshold. weights: (R, N); None for
    one weighting, in which each picture counts once.
    """
    return _Ranking.of(truths, scores).average_precision(np.ones((1, len(scores))) if weights is None else weights)


@dataclass(frozen=True, eq=False)
class _Ranking:
    """Pictures from the surest down."""

    order: NDArray[np.int64]
    """(N,)."""
    ends: NDArray[np.int64]
    """Places of the last of equal scores, (thresholds,)."""
    truths: NDArray[np.bool_]
    """(N,), in that order."""

    @classmethod
    def of(cls, truths: NDArray[np.bool_], scores: Floats) -> _Ranking:
        order = np.argsort(-scores, kind="stable")
        return cls(order, np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)), truths[order])

    def average_precision(self, weights: Floats) -> Floats:
        """(R,). weights: (R, N)."""
        ranked = weights[:, self.order]
        found, answered = (np.cumsum(each, axis=1)[:, self.ends] for each in (ranked * self.truths, ranked))
        gained = np.diff(found, axis=1, prepend=0.0)  # (R, thresholds)
        precision = np.divide(found, answered, out=np.zeros_like(found), where=answered > 0)
        total = found[:, -1]
        summed = (gained * precision).sum(axis=1)
        return np.asarray(np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0))


def best_thresholds(truths: NDArray[np.bool_], chances: Floats) -> Floats:
    """The probability of each label from which on F1 is best, (K,); 0.5 of a label that is not told, see `is_told`:
    its best F1 would be had by answering it always.

    It lies halfway between the last probability that is answered and the next. truths, chances: (N, K).
    """
    return np.array([_best_threshold(truths[:, k], chances[:, k]) for k in range(truths.shape[1])])


def is_told(truths: NDArray[np.bool_], chances: Floats) -> bool:
    """Whether at least two pictures have the label, and these are ranked higher than guesses would be: by more than the
    standard error that a guess's average precision, the share of pictures that have it, has.

    truths, chances: (N,).
    """
    there, share = int(truths.sum()), float(truths.mean())
    if there < 2:
        return False
    return float(average_precision(truths, chances)[0]) > share + math.sqrt(share * (1 - share) / there)


def _best_threshold(truths: NDArray[np.bool_], chances: Floats) -> float:
    if not is_told(truths, chances):
        return 0.5
    order = np.argsort(-chances, kind="stable")
    ranked, right = chances[order], np.cumsum(truths[order])
    f1 = 2 * right / (np.arange(1, len(ranked) + 1) + truths.sum())
    f1[:-1][ranked[:-1] == ranked[1:]] = -1  # a threshold cannot tell equal ones apart
    last = int(f1.argmax())
    below = float(ranked[last + 1]) if last + 1 < len(ranked) else 0.0
    return (float(ranked[last]) + below) / 2


@dataclass(frozen=True, eq=False)
class _Counts:
    """What was right at the thresholds, under R weightings of the pictures: (R, K) each."""

    right: Floats
    answered: Floats
    there: Floats

    @classmethod
    def of(cls, truths: NDArray[np.bool_], said: NDArray[np.bool_], weights: Floats) -> _Counts:
        return cls(*(weights @ each.astype(np.float64) for each in (truths & said, said, truths)))

    def macro_f1(self) -> Floats:
        """(R,), over labels that are there."""
        both = self.answered + self.there
        f1 = np.divide(2 * self.right, both, out=np.zeros_like(both), where=both > 0)
        present = self.there > 0
        return np.asarray((f1 * present).sum(axis=1) / np.maximum(present.sum(axis=1), 1))

    def micro_f1(self) -> Floats:
        """(R,)."""
        both = (self.answered + self.there).sum(axis=1)
        return np.asarray(np.divide(2 * self.right.sum(axis=1), both, out=np.zeros(len(both)), where=both > 0))


def multilabel_scores(
    truths: NDArray[np.bool_],
    chances: Floats,
    classes: Sequence[str],
    *,
    thresholds: Floats,
    said: NDArray[np.bool_] | None = None,
    series: NDArray[np.int64] | None = None,
) -> MultilabelScores:
    """The figures of N pictures, at least one.

    truths: (N, K). chances: (N, K), probabilities. thresholds: (K,), from which on a label is answered.
    said: (N, K), what is answered, where other thresholds decided that.
    series: (N,), a number that pictures of one series share, for the intervals; None: each stands by itself.
    """
    said = chances >= thresholds if said is None else said
    drawn = _draws(len(truths), series)
    whole, counts = (_Counts.of(truths, said, each) for each in (np.ones((1, len(truths))), drawn))
    ap = np.array([average_precision(truths[:, k], chances[:, k])[0] for k in range(len(classes))])
    worth = None if series is None else effective_count(series)
    present, wrong = int(truths.sum()), (truths != said).mean(axis=1)
    right, answered = float(whole.right.sum()), float(whole.answered.sum())
    micro = np.nan_to_num(average_precision(truths.ravel(), chances.ravel())[0])
    return MultilabelScores(
        pictures=len(truths),
        labels=present,
        map=_by_error(_mean(ap), _mean_ap(truths, chances, drawn), present, worth),
        micro_ap=_by_error(micro, _micro_ap(truths, chances, drawn), present, worth),
        macro_f1=_by_error(whole.macro_f1()[0], counts.macro_f1(), present, worth),
        micro_f1=_by_error(whole.micro_f1()[0], counts.micro_f1(), present, worth),
        precision=right / answered if answered else None,
        recall=right / present if present else None,
        exact_match=_share(float((wrong == 0).mean()), len(truths), worth),
        hamming_loss=_by_error(wrong.mean(), drawn @ wrong / drawn.sum(axis=1), len(truths), worth),
        calibration_error=_miscalibration(truths, chances),
        per_class=tuple(
            _of_label(name, truths[:, k], said[:, k], float(ap[k]), float(thresholds[k]), series)
            for k, name in enumerate(classes)
        ),
    )


def _miscalibration(truths: NDArray[np.bool_], chances: Floats) -> float:
    """The expected calibration error of all pairs."""
    return min(1.0, expected_calibration_error(calibration_bins(chances.ravel().clip(0, 1), truths.ravel())))


def _of_label(
    name: str,
    truths: NDArray[np.bool_],
    said: NDArray[np.bool_],
    ap: float,
    threshold: float,
    series: NDArray[np.int64] | None,
) -> LabelScores:
    support, answered, right = (int(each.sum()) for each in (truths, said, truths & said))
    either = truths | said
    f1 = None
    if support:
        jaccard = _share(right / int(either.sum()), int(either.sum()), _worth(either, series))
        f1 = Estimate(**{end: 2 * j / (1 + j) for end, j in jaccard.model_dump().items()})
    return LabelScores(
        name=name,
        support=support,
        threshold=threshold,
        ap=_share(ap, support, _worth(truths, series)) if support else None,
        share=support / len(truths),
        precision=right / answered if answered else None,
        recall=right / support if support else None,
        f1=f1,
    )


def _worth(which: NDArray[np.bool_], series: NDArray[np.int64] | None) -> float | None:
    """As many independent pictures as these are worth; None where each stands by itself."""
    return None if series is None else effective_count(series[which])


def _share(value: float, count: int, worth: float | None) -> Estimate:
    found = wilson_fraction(min(max(value, 0.0), 1.0), count, worth=worth)
    return Estimate(value=found.accuracy, low=max(found.low, 0.0), high=min(found.high, 1.0))


def _by_error(value: float, drawn: Floats, count: int, worth: float | None) -> Estimate:
    """The interval on the logit's scale by the error that draws show; where they show none, that of a share.

    count: what the share would be of.
    """
    value = min(max(float(value), 0.0), 1.0)
    error = float(np.nanstd(drawn)) if np.isfinite(drawn).any() else 0.0
    if not (0 < value < 1 and error > 0):
        return _share(value, max(count, 1), None if worth is None else min(worth, max(count, 1)))
    reach, middle = Z * error / (value * (1 - value)), math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-min(max(middle + side, -700), 700))) for side in (-reach, reach))
    return Estimate(value=value, low=low, high=high)


def _mean(ap: Floats) -> float:
    """Over labels that some picture has; 0 where none has any."""
    return float(np.nanmean(ap)) if np.isfinite(ap).any() else 0.0


def _mean_ap(truths: NDArray[np.bool_], chances: Floats, weights: Floats) -> Floats:
    """The mean over labels in each draw, (R,)."""
    total, present = np.zeros(len(weights)), np.zeros(len(weights))
    for k in range(truths.shape[1]):
        ranking = _Ranking.of(truths[:, k], chances[:, k])
        ap = np.concatenate([ranking.average_precision(part) for part in _in_parts(weights, of_each=1)])
        total += np.nan_to_num(ap)
        present += np.isfinite(ap)
    return np.asarray(np.divide(total, present, out=np.full(len(weights), np.nan), where=present > 0))


def _micro_ap(truths: NDArray[np.bool_], chances: Floats, weights: Floats) -> Floats:
    """Of all pairs in each draw, (R,)."""
    labels = truths.shape[1]
    ranking = _Ranking.of(truths.ravel(), chances.ravel())
    parts = _in_parts(weights, of_each=labels)
    return np.concatenate([ranking.average_precision(np.repeat(part, labels, axis=1)) for part in parts])


def _in_parts(weights: Floats, *, of_each: int) -> list[Floats]:
    """The draws, so many at a time as may be looked at together. of_each: numbers that each weight stands for."""
    rows = max(1, AT_ONCE // max(1, weights.shape[1] * of_each))
    return [weights[start : start + rows] for start in range(0, len(weights), rows)]


def _draws(count: int, series: NDArray[np.int64] | None) -> Floats:
    """How often each picture is in each of the draws, (R, N): pictures of one series together."""
    index = np.arange(count) if series is None else np.unique(series, return_inverse=True)[1]
    groups = int(index.max()) + 1
    random = np.random.default_rng(0)
    drawn = np.stack([np.bincount(random.integers(groups, size=groups), minlength=groups) for _ in range(RESAMPLES)])
    return np.asarray(drawn[:, index], np.float64)
