"""Which box that was found belongs to which true box: decided once, as COCO does it, and counted in many ways after.

Source: T.-Y. Lin et al. 2014, Microsoft COCO, arXiv:1405.0312; rules as pycocotools 2.0 has them: from the surest box
down, each takes the true box of its class that it overlaps most, if the overlap reaches the threshold and no surer box
took it before. Where no such box is left it may take an ignored one, and then counts neither as right nor as wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eyespot.evaluate.boxes import areas, intersection_over_first, iou

THRESHOLDS: NDArray[np.float64] = np.linspace(0.5, 0.95, 10)
"""Overlaps (IoU) from which on a box counts as found, COCO's ten."""
MOST = 100
"""Boxes of one class in one picture that count, the surest ones; COCO's number."""
NEARLY_ONE = 1 - 1e-10
"""A threshold of 1 forgives rounding, as in pycocotools."""
NONE = -1
"""Instead of the index of a true box: none was matched."""
ANY_AREA = (0.0, float("inf"))


class Truth(NamedTuple):
    """The true boxes of one picture."""

    xyxy: ArrayLike
    """(M, 4), pixels."""
    labels: ArrayLike
    """(M,) class indices."""
    ignored: ArrayLike | None = None
    """(M,) whether it need not be found and may be (Pascal VOC's `difficult`); None: all must be found."""
    crowd: ArrayLike | None = None
    """(M,) whether the box holds many things (COCO's `iscrowd`): ignored, and any number of boxes may lie in it."""


class Found(NamedTuple):
    """The boxes that a detector found in one picture."""

    xyxy: ArrayLike
    """(N, 4), pixels."""
    scores: ArrayLike
    """(N,), higher is surer."""
    labels: ArrayLike
    """(N,) class indices."""


def to_be_found(truth: Truth) -> NDArray[np.bool_]:
    """(M,), whether each true box of the picture counts: it is neither ignored nor a crowd."""
    counts = np.ones(len(np.asarray(truth.labels)), bool)
    for flags in (truth.ignored, truth.crowd):
        if flags is not None:
            counts &= ~np.asarray(flags, bool)
    return counts


@dataclass(frozen=True, eq=False)
class Matches:
    """What was found in all pictures, surest first, and the true box of each; T thresholds, D boxes found."""

    thresholds: NDArray[np.float64]
    """(T,), IoU."""
    pictures: NDArray[np.int64]
    """(D,), index of the picture."""
    indices: NDArray[np.int64]
    """(D,), index among what was found in that picture."""
    labels: NDArray[np.int64]
    """(D,), class index."""
    scores: NDArray[np.float64]
    """(D,), falling; equal ones in the order of pictures."""
    truths: NDArray[np.int64]
    """(T, D), index among the true boxes of that picture; -1: none."""
    ignored: NDArray[np.bool_]
    """(T, D), whether it counts neither as right nor as wrong."""
    counted: NDArray[np.int64]
    """(pictures, classes), how many true boxes there are to find."""

    @property
    def right(self) -> NDArray[np.bool_]:
        """(T, D), whether it is a true box that counts."""
        right: NDArray[np.bool_] = (self.truths != NONE) & ~self.ignored
        return right

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """(T, D), whether it is no true box."""
        wrong: NDArray[np.bool_] = (self.truths == NONE) & ~self.ignored
        return wrong


def matches(
    truths: Sequence[Truth],
    founds: Sequence[Found],
    *,
    classes: int,
    most: int = MOST,
    thresholds: ArrayLike = THRESHOLDS,
    area: tuple[float, float] = ANY_AREA,
) -> Matches:
    """What was found in each picture, matched with the true boxes of its class at each threshold.

    truths, founds: a picture each, in the same order.
    classes: number of classes.
    most: boxes of a class in a picture that count.
    thresholds: (T,) IoU.
    area: from and to which size, square pixels, a true box counts; others are ignored, and so is what was found
        outside these sizes and is no true box (COCO's area ranges).
    """
    assert len(truths) == len(founds), f"true boxes of {len(truths)} pictures, found ones of {len(founds)}"
    levels = np.asarray(thresholds, np.float64)
    parts = [
        _in_picture(_Truth.of(truth, classes, area), _Found.of(found, classes, most), levels, area)
        for truth, found in zip(truths, founds, strict=True)
    ]
    pictures = np.repeat(np.arange(len(parts)), np.array([len(part.indices) for part in parts], np.int64))
    # Empty arrays first, because numpy cannot join a list without any: there may be no picture.
    none, nowhere = np.zeros(0, np.int64), np.zeros((len(levels), 0), np.int64)
    scores = np.concatenate([none.astype(np.float64), *(part.scores for part in parts)])
    order = np.argsort(-scores, kind="stable")
    return Matches(
        thresholds=levels,
        pictures=pictures[order],
        indices=np.concatenate([none, *(part.indices for part in parts)])[order],
        labels=np.concatenate([none, *(part.labels for part in parts)])[order],
        scores=scores[order],
        truths=np.concatenate([nowhere, *(part.truths for part in parts)], axis=1)[:, order],
        ignored=np.concatenate([nowhere.astype(bool), *(part.ignored for part in parts)], axis=1)[:, order],
        counted=np.array([part.counted for part in parts], np.int64).reshape(len(parts), classes),
    )


@dataclass(frozen=True, eq=False)
class _Truth:
    xyxy: NDArray[np.float64]
    labels: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    crowd: NDArray[np.bool_]
    counted: NDArray[np.int64]
    """(classes,), boxes to find."""

    @classmethod
    def of(cls, truth: Truth, classes: int, area: tuple[float, float]) -> _Truth:
        xyxy, labels = _checked(truth.xyxy, truth.labels, classes)
        crowd = np.zeros(len(labels), bool) if truth.crowd is None else np.asarray(truth.crowd, bool)
        ignored = ~to_be_found(truth) | _outside(xyxy, area)
        return cls(xyxy, labels, ignored, crowd, np.bincount(labels[~ignored], minlength=classes))


@dataclass(frozen=True, eq=False)
class _Found:
    """What counts of the boxes found in one picture, surest first."""

    xyxy: NDArray[np.float64]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]

    @classmethod
    def of(cls, found: Found, classes: int, most: int) -> _Found:
        xyxy, labels = _checked(found.xyxy, found.labels, classes)
        scores = np.asarray(found.scores, np.float64).reshape(len(labels))
        assert not np.isnan(scores).any(), "a score is no number"
        order = np.argsort(-scores, kind="stable")
        order = order[_ranks(labels[order]) < most]
        return cls(xyxy[order], scores[order], labels[order], order.astype(np.int64))


@dataclass(frozen=True, eq=False)
class _InPicture:
    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    truths: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    counted: NDArray[np.int64]


def _in_picture(truth: _Truth, found: _Found, thresholds: NDArray[np.float64], area: tuple[float, float]) -> _InPicture:
    matched = _greedy(truth, found, np.minimum(thresholds, NEARLY_ONE))  # (T, D)
    none = matched == NONE
    # What is unmatched has -1 for an index: the value appended at the end is read there, and replaced.
    on_ignored = np.append(truth.ignored, False)[matched]
    return _InPicture(
        found.indices,
        found.labels,
        found.scores,
        matched,
        np.where(none, _outside(found.xyxy, area), on_ignored),
        truth.counted,
    )


def _greedy(truth: _Truth, found: _Found, thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """(T, D), the index of the true box that each box takes at each threshold; -1: none."""
    matched = np.full((len(thresholds), len(found.labels)), NONE, np.int64)
    taken = np.zeros((len(thresholds), len(truth.labels)), bool)
    overlaps = _overlaps(truth, found)  # (D, M)
    boxes, truths = np.nonzero(overlaps >= thresholds.min())
    # For each box the true boxes that it may take, the one it wants most first. The later of equal ones: as COCO.
    order = np.lexsort((-truths, -overlaps[boxes, truths], truth.ignored[truths], boxes))
    boxes, truths = boxes[order], truths[order]
    edges = np.flatnonzero(np.diff(boxes, prepend=NONE, append=NONE))  # where the next box begins
    for start, end in pairwise(edges.tolist()):
        box, wanted = boxes[start], truths[start:end]
        free = (overlaps[box, wanted] >= thresholds[:, None]) & ~taken[:, wanted]  # (T, wanted)
        at = np.flatnonzero(free.any(axis=1))
        chosen = wanted[free[at].argmax(axis=1)]
        matched[at, box] = chosen
        taken[at, chosen] = ~truth.crowd[chosen]
    return matched


def _overlaps(truth: _Truth, found: _Found) -> NDArray[np.float64]:
    """(D, M), -1 where the classes differ."""
    overlaps = iou(found.xyxy, truth.xyxy)
    overlaps[:, truth.crowd] = intersection_over_first(found.xyxy, truth.xyxy[truth.crowd])
    return np.where(found.labels[:, None] == truth.labels, overlaps, -1.0)


def _checked(xyxy: ArrayLike, labels: ArrayLike, classes: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    labels = np.asarray(labels, np.int64)
    boxes = np.asarray(xyxy, np.float64).reshape(len(labels), 4)
    assert not labels.size or (labels.min() >= 0 and labels.max() < classes), f"a class outside 0..{classes - 1}"
    return boxes, labels


def _outside(xyxy: NDArray[np.float64], area: tuple[float, float]) -> NDArray[np.bool_]:
    sizes = areas(xyxy)
    return (sizes < area[0]) | (sizes > area[1])


def _ranks(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(D,), how many of the same class stand before each."""
    order = np.argsort(labels, kind="stable")
    first = np.searchsorted(labels[order], labels[order], side="left")
    ranks = np.empty(len(labels), np.int64)
    ranks[order] = np.arange(len(labels)) - first
    return ranks
