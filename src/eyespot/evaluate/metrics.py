"""What was right and what was mistaken for what, from true classes and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyespot.evaluate.intervals import wilson
from eyespot.records import ClassMetric, PartMetrics


@dataclass(frozen=True)
class Confusion:
    """Pictures of class `label` that were answered `answer`, `n` times."""

    label: str
    answer: str
    n: int


def confusion_matrix(labels: ArrayLike, answers: ArrayLike, classes: int) -> NDArray[np.int64]:
    """How often class i was answered j: (C, C), rows are the true classes, columns the answers.

    labels, answers: (N,) class indices, 0..classes-1.
    """
    labels, answers = np.asarray(labels, np.int64), np.asarray(answers, np.int64)
    assert labels.shape == answers.shape, f"{labels.shape} labels for {answers.shape} answers"
    for indices in (labels, answers):
        assert not indices.size or (indices.min() >= 0 and indices.max() < classes), (
            f"an index outside 0..{classes - 1}"
        )
    return np.bincount(labels * classes + answers, minlength=classes * classes).reshape(classes, classes)  # (C, C)


def part_metrics(labels: ArrayLike, probabilities: ArrayLike, names: Sequence[str]) -> PartMetrics:
    """Accuracy with its interval, precision, recall and F1 per class, and the confusion matrix of one part.

    labels: (N,) class indices, N at least 1.
    probabilities: (N, C); the answer is the largest (the first of equal ones).
    names: C class names.
    """
    answers = np.asarray(probabilities).argmax(axis=1)  # (N,)
    confusion = confusion_matrix(labels, answers, len(names))
    return PartMetrics(
        overall=wilson(int(confusion.trace()), int(confusion.sum())),
        per_class=tuple(_class_metric(confusion, index, name) for index, name in enumerate(names)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
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


def most_confused(confusion: ArrayLike, names: Sequence[str], n: int) -> tuple[Confusion, ...]:
    """The at most `n` most frequent mistakes, most frequent first; equal ones in the order of the classes.

    confusion: (C, C), rows are the true classes.
    """
    counts = np.array(confusion, np.int64).reshape(len(names), len(names))
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:n]
    pairs = ((names[flat // len(names)], names[flat % len(names)], int(counts.flat[flat])) for flat in order)
    return tuple(Confusion(label, answer, count) for label, answer, count in pairs if count)


def _class_metric(confusion: NDArray[np.int64], index: int, name: str) -> ClassMetric:
    right = int(confusion[index, index])
    support, answered = int(confusion[index].sum()), int(confusion[:, index].sum())
    precision, recall = (wilson(right, n) if n else None for n in (answered, support))
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
