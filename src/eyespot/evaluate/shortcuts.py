"""Whether classes can be told by their files alone: then a network may learn the camera instead of the thing.

A naive Bayes classifier gets width, height, shape, bytes, bytes a pixel, and whether a camera signed the file, each in
a few bins. It knows nothing of what is shown. Where it recognises a class all the same, the pictures of that class
came another way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.data.groups import effective_count
from eyespot.evaluate.metrics import wilson
from eyespot.records import Metric

BINS = 12
"""Of each fact, with about equally many pictures each."""
RECOGNISED = 0.4
"""Of a class: the share recognised by its files, less the share of other pictures that are taken for it, from which
on it is said, if chance does not explain it. Of ten kinds of clothing 0.2 at most; 0.6 where one was saved smaller."""
FEWEST_OF_CLASS = 20
"""Pictures, a series counting once."""
_PRIOR = 0.5
"""Pictures added to each bin of each class, so that nothing is impossible."""


@dataclass(frozen=True)
class Recognised:
    """A class that its files give away."""

    class_index: int
    share: Metric
    """Of its pictures, by their files alone."""
    mistaken: float
    """Share of the other pictures that are taken for it, 0..1."""


@dataclass(frozen=True)
class ByFiles:
    """What can be told by files alone."""

    accuracy: Metric
    chance: float
    """What guessing in the same proportions would have right, 0..1."""
    recognised: tuple[Recognised, ...]
    """The classes that are worth a warning."""

    def sentences(self, names: Sequence[str]) -> list[str]:
        """A warning for each class that its files give away. names: of the classes."""
        return [
            f"the files of {names[each.class_index]} differ from the others: by size, shape, bytes and camera alone "
            f"{100 * each.share.accuracy:.0f} % of its pictures are recognised ({100 * each.share.low:.0f} to "
            f"{100 * each.share.high:.0f}), and {100 * each.mistaken:.0f} % of the others taken for it: a network may "
            "learn how they were made, so take some of each class the same way"
            for each in self.recognised
        ]


def told_by_files(
    facts: NDArray[np.float64], labels: NDArray[np.int64], *, fold: NDArray[np.int64], group: NDArray[np.int64] | None
) -> ByFiles:
    """How many pictures are given their class by naive Bayes on their files' facts, in cross-validation.

    facts: (N, facts), as of `facts_of_files`. labels: (N,) class indices. fold: of each picture, (N,).
    group: (N,), the series of each picture, which says no more than one; None where each is by itself.
    """
    group = np.arange(len(labels)) if group is None else group
    answers = _answers(_binned(facts), labels, fold)
    classes = int(labels.max()) + 1
    shares = np.bincount(labels, minlength=classes) / len(labels)
    found = []
    for number in range(classes):
        inside, taken = labels == number, answers == number
        worth = effective_count(group[inside]) if inside.any() else 0
        if worth < FEWEST_OF_CLASS or inside.all():
            continue
        share = wilson(int(taken[inside].sum()), int(inside.sum()), worth=worth)
        mistaken = float(taken[~inside].mean())
        if share.low - mistaken > RECOGNISED:
            found.append(Recognised(number, share, mistaken))
    guessed = np.bincount(answers, minlength=classes) / len(labels)
    accuracy = wilson(int((answers == labels).sum()), len(labels), worth=effective_count(group))
    return ByFiles(accuracy, float(shares @ guessed), tuple(found))


def facts_of_files(
    size_hw: NDArray[np.int64], bytes_of_file: NDArray[np.int64], camera: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Height, width, shape, bytes, bytes a pixel and camera of each picture's file, (N, 6).

    size_hw: (N, 2), pixels. camera: (N,), whether one signed the file.
    """
    height, width = size_hw.T.astype(np.float64)
    return np.stack([height, width, width / height, bytes_of_file, bytes_of_file / (height * width), camera], axis=1)


def _binned(facts: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each fact, (N, facts), 0..BINS-1; equal values share one."""
    ends = np.quantile(facts, np.arange(1, BINS) / BINS, axis=0)  # (BINS - 1, facts)
    return np.asarray((facts[:, None] > ends).sum(axis=1))


def _answers(bins: NDArray[np.int64], labels: NDArray[np.int64], fold: NDArray[np.int64]) -> NDArray[np.int64]:
    """The likeliest class of each picture, (N,), by counts in the other folds; all classes as likely beforehand."""
    classes, answers = int(labels.max()) + 1, np.empty(len(labels), np.int64)
    for held_out in np.unique(fold):
        mine, scores = fold == held_out, np.zeros((int((fold == held_out).sum()), classes))
        for column in bins.T:
            counts = np.full((BINS, classes), _PRIOR)
            np.add.at(counts, (column[~mine], labels[~mine]), 1)
            scores += np.log(counts / counts.sum(axis=0))[column[mine]]
        answers[mine] = scores.argmax(axis=1)
    return answers
