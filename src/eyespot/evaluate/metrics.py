"""What was right and what was mistaken for what, from true classes and probabilities.

An accuracy comes with the interval that its number of pictures allows (Wilson 1927).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, islice
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyespot.data.groups import effective_count
from eyespot.records import ClassMetric, Metric, MixedUp, PartMetrics

LARGEST_MATRIX = 100
"""More classes than this and nobody reads their whole confusion matrix: what is mixed up most is shown instead."""

Cells = Sequence[tuple[int, int, int]]
"""A confusion matrix without its zeros, row by row: true class, answer, pictures."""


def wilson(correct: float, n: int, *, worth: float | None = None, confidence: float = 0.95) -> Metric:
    """The share `correct / n` with its score interval, which stays sensible near 0 and 1 and for few pictures.

    correct: right answers, 0..n; may be fractional, e.g. the mean over repeats of cross-validation.
    n: distinct pictures, at least 1. Repeats do not count: asking the same pictures again brings no new ones.
    worth: as many independent pictures as they are worth, 1..n, where some show nearly the same; None for n.
    confidence: how often such an interval holds the true share, strictly between 0 and 1.
    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    assert n >= 1, "an interval needs at least one picture"
    assert 0 <= correct <= n, f"{correct} right answers of {n}"
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, m = correct / n, worth or n
    centre = (share + z * z / (2 * m)) / (1 + z * z / m)
    reach = z / (1 + z * z / m) * math.sqrt(share * (1 - share) / m + z * z / (4 * m * m))
    # At 0 and n right answers the bound is exactly the share; rounding would leave it a hair beside.
    low = 0.0 if correct == 0 else centre - reach
    high = 1.0 if correct == n else centre + reach
    return Metric(accuracy=share, low=low, high=high, n=n)


def wilson_fraction(accuracy: float, n: int, *, worth: float | None = None, confidence: float = 0.95) -> Metric:
    """`accuracy` with its score interval, for a mean over repeats of cross-validation on the same `n` pictures.

    accuracy: mean share of right answers, 0..1.
    n: distinct pictures. This is on the careful side: the mean over repeats varies no more than one of them.
    worth: as of `wilson`.
    """
    return wilson(min(accuracy * n, n), n, worth=worth, confidence=confidence)


def confusion_cells(labels: ArrayLike, answers: ArrayLike, classes: int) -> tuple[tuple[int, int, int], ...]:
    """How often each class was answered as which, where it was.

    labels, answers: (N,) class indices, 0..classes-1.
    """
    labels, answers = np.asarray(labels, np.int64), np.asarray(answers, np.int64)
    assert labels.shape == answers.shape, f"{labels.shape} labels for {answers.shape} answers"
    for indices in (labels, answers):
        assert not indices.size or (indices.min() >= 0 and indices.max() < classes), (
            f"an index outside 0..{classes - 1}"
        )
    flat, counts = np.unique(labels * classes + answers, return_counts=True)
    return tuple(zip((flat // classes).tolist(), (flat % classes).tolist(), counts.tolist(), strict=True))


def part_metrics(
    labels: ArrayLike, probabilities: ArrayLike, names: Sequence[str], *, group: ArrayLike | None = None
) -> PartMetrics:
    """Accuracy with its interval, precision, recall and F1 per class, and the confusions of one part.

    labels: (N,) class indices, N at least 1.
    probabilities: (N, C); the answer is the largest (the first of equal ones).
    names: C class names.
    group: (N,) the series of each picture; None where each is by itself. Series make intervals wider.
    """
    labels, answers = np.asarray(labels, np.int64), np.asarray(probabilities).argmax(axis=1)  # (N,)
    support, answered, right = (
        np.bincount(found, minlength=len(names)).tolist() for found in (labels, answers, labels[labels == answers])
    )
    worth, of_answers, of_labels = _worths(labels, answers, len(names), group)
    return PartMetrics(
        overall=wilson(sum(right), len(labels), worth=worth),
        per_class=tuple(map(_class_metric, names, right, support, answered, of_answers, of_labels)),
        cells=confusion_cells(labels, answers, len(names)),
    )


def top_mistakes(labels: ArrayLike, probabilities: ArrayLike, n: int) -> NDArray[np.int64]:
    """Indices of at most `n` wrong answers, the most confident first; equal ones in their given order.

    labels: (N,) class indices.
    probabilities: (N, C).
    """
    probabilities = np.asarray(probabilities)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != np.asarray(labels))
    order = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return wrong[order[:n]].astype(np.int64)


def most_confused(cells: Cells, names: Sequence[str], n: int | None = None) -> tuple[MixedUp, ...]:
    """The `n` most frequent mistakes, or all, most frequent first; equal ones in the order of the classes."""
    mistakes = _mistakes(cells)[:n]
    return tuple(MixedUp(class_=names[label], answer=names[answer], n=count) for label, answer, count in mistakes)


def matrix_of_most_confused(cells: Cells, classes: int, most: int) -> tuple[list[int], NDArray[np.int64]]:
    """The at most `most` classes that are mixed up most, in their order, and their confusion matrix.

    They are those of the most frequent mistakes, and the first classes if that many make none.
    """
    ends = chain.from_iterable((label, answer) for label, answer, _ in _mistakes(cells))
    chosen = sorted(islice(dict.fromkeys(chain(ends, range(classes))), most))
    place = {index: number for number, index in enumerate(chosen)}
    matrix = np.zeros((len(chosen), len(chosen)), np.int64)
    for label, answer, count in cells:
        if label in place and answer in place:
            matrix[place[label], place[answer]] = count
    return chosen, matrix


def _mistakes(cells: Cells) -> list[tuple[int, int, int]]:
    return sorted((each for each in cells if each[0] != each[1]), key=lambda each: -each[2])


def _worths(
    labels: NDArray[np.int64], answers: NDArray[np.int64], classes: int, group: ArrayLike | None
) -> tuple[float | None, list[float | None], list[float | None]]:
    """What all pictures are worth, those that were answered as each class, and those of each class."""
    if group is None:
        return None, [None] * classes, [None] * classes
    group = np.asarray(group)
    of_answers, of_labels = (
        [effective_count(group[found == index]) if (found == index).any() else None for index in range(classes)]
        for found in (answers, labels)
    )
    return effective_count(group), of_answers, of_labels


def _class_metric(
    name: str, right: int, support: int, answered: int, of_answers: float | None, of_labels: float | None
) -> ClassMetric:
    shares = ((answered, of_answers), (support, of_labels))
    precision, recall = (wilson(right, n, worth=worth) if n else None for n, worth in shares)
    return ClassMetric(
        name=name,
        precision=precision and precision.accuracy,
        precision_low=precision and precision.low,
        precision_high=precision and precision.high,
        recall=recall and recall.accuracy,
        recall_low=recall and recall.low,
        recall_high=recall and recall.high,
        f1=2 * right / (support + answered) if support + answered else None,
        support=support,
    )
