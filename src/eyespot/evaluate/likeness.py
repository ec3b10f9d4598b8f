"""How like the pictures of each class a picture is: the cosine of its features to the class's mean.

The mean is that of features of length 1. A picture that shows none of the classes is like none of the means, however
sure the softmax is: that only weighs the classes against each other. Related: Lee et al. 2018, arXiv:1807.03888, whose
distance also knows the features' covariance; on few pictures its promises do not hold (docs/figures.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.data.room import release

ROWS = 1024
"""Pictures that are worked on at a time: the features of all may be more than memory holds."""
SMALLEST_SQUARE = 1e-12
"""Added to a squared length, so that features that are all zero are like nothing."""


@dataclass(frozen=True)
class Likeness:
    """How like the two nearest classes N pictures are, 1 being the most."""

    first: NDArray[np.float32]
    """(N,), to the nearest class."""
    nearest: NDArray[np.int64]
    """(N,), the number of that class."""
    second: NDArray[np.float32]
    """(N,), to the next class."""

    def without(self, class_: int) -> NDArray[np.float32]:
        """(N,), to the nearest class if that one were not known."""
        return np.where(self.nearest == class_, self.second, self.first)


def class_means(features: NDArray[np.floating], labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """The mean (classes, D) of each class, of length 1; zero for a class without pictures.

    features: (N, D). labels: (N,) class indices.
    """
    return unit(_sums(features, np.arange(len(features)), labels, classes))


def likeness(features: NDArray[np.floating], means: NDArray[np.float32]) -> Likeness:
    """How like the classes pictures are that had no part in the means. features: (N, D). means: (classes, D)."""
    return _likeness(features, np.arange(len(features)), means)


def out_of_fold(
    features: NDArray[np.floating], labels: NDArray[np.int64], classes: int, *, fold: NDArray[np.int64]
) -> Likeness:
    """How like the classes pictures are, each by the means of all folds but its own.

    features: (N, D). labels: (N,) class indices. fold: (N,), each picture's.
    """
    folds = [np.flatnonzero(fold == each) for each in np.unique(fold)]
    sums = [_sums(features, rows, labels, classes) for rows in folds]
    whole = np.sum(sums, axis=0)  # (classes, D)
    found = [_likeness(features, rows, unit(whole - own)) for rows, own in zip(folds, sums, strict=True)]
    return in_order(found, folds)


def in_order(found: list[Likeness], rows: list[NDArray[np.int64]]) -> Likeness:
    """Those of all pictures, of parts of them. rows: which pictures each part has; together each exactly once."""
    back = np.argsort(np.concatenate(rows))
    whole = _joined(found)
    return Likeness(whole.first[back], whole.nearest[back], whole.second[back])


def unit(features: NDArray[np.floating]) -> NDArray[np.float32]:
    """The features (N, D), each of length 1; zero stays zero."""
    values = np.asarray(features, np.float32)
    lengths = np.sqrt(np.square(values).sum(axis=1, keepdims=True) + SMALLEST_SQUARE)
    return np.asarray(values / lengths, np.float32)


def _sums(
    features: NDArray[np.floating], rows: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.float32]:
    """The sum (classes, D) of each class's features at these rows, taken as of length 1."""
    sums = np.zeros((classes, features.shape[1]), np.float32)
    for some in _blocks(rows):
        is_of = np.asarray(labels[some, None] == np.arange(classes), np.float32)  # (rows, classes)
        sums += is_of.T @ unit(features[some])
        release(features)
    return sums


def _likeness(features: NDArray[np.floating], rows: NDArray[np.int64], means: NDArray[np.float32]) -> Likeness:
    """Of the pictures at these rows."""
    found = []
    for some in _blocks(rows):
        found.append(_nearest(unit(features[some]) @ means.T))
        release(features)
    return _joined(found)


def _nearest(cosines: NDArray[np.float32]) -> Likeness:
    """cosines: (N, classes), at least two."""
    best = np.argpartition(-cosines, 1, axis=1)[:, :2]
    two = np.take_along_axis(cosines, best, axis=1)
    order = np.argsort(-two, axis=1, kind="stable")
    two, best = np.take_along_axis(two, order, axis=1), np.take_along_axis(best, order, axis=1)
    return Likeness(two[:, 0], best[:, 0], two[:, 1])


def _joined(found: list[Likeness]) -> Likeness:
    return Likeness(
        np.concatenate([each.first for each in found]),
        np.concatenate([each.nearest for each in found]),
        np.concatenate([each.second for each in found]),
    )


def _blocks(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """At least one, which may be empty."""
    yield from (rows[start : start + ROWS] for start in range(0, max(len(rows), 1), ROWS))
