"""Pictures whose label the other pictures speak against: to be looked at, not to be called wrong.

Two witnesses that hardly know of each other: what a classifier that had not trained on the picture makes of it, and
which classes the pictures most like it have. A picture's score is log p(label) + log(its neighbours' vote for it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluate.neighbours import Neighbours

SUSPICIOUS = 0.05
"""A label that is given less than this probability is listed. Of labels turned at random 0.05 lists 93 in 100; 0.10
lists 95, for a third more pictures to look at."""
MOST_LISTED = 200
SHOWN_NEIGHBOURS = 3
SHARPNESS = 8
"""Power of the cosine with which a neighbour votes: near ones count for much more than far ones."""
LEAST_VOTE = 0.02
"""Added to each vote, so that no neighbour of the class is strong evidence and not proof."""
_LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Doubt:
    """A picture whose label is doubtful."""

    row: int
    probability: float
    """Of its label, out of fold, 0..1."""
    likelier: int
    """The class that is likeliest."""
    likelier_probability: float
    nearest: tuple[int, ...]
    """Rows of the pictures most like it, most similar first."""
    neighbours: int
    """How many pictures most like it were asked."""
    agreeing: int
    """How many of those have its label."""


def doubtful_labels(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], neighbours: Neighbours, *, most: int = MOST_LISTED
) -> list[Doubt]:
    """The pictures with doubtful labels, the most doubtful first.

    probabilities: (N, C), calibrated, by classifiers that had not trained on the picture.
    labels: (N,) class indices.
    most: so many are listed at most.
    """
    own, likelier = probabilities[np.arange(len(labels)), labels], probabilities.argmax(axis=1)  # (N,)
    listed, count = np.flatnonzero(is_suspicious(probabilities, labels)), neighbours.count
    ranked = listed[np.argsort(label_scores(probabilities, labels, neighbours)[listed], kind="stable")]
    return [
        Doubt(
            row=row,
            probability=float(own[row]),
            likelier=int(likelier[row]),
            likelier_probability=float(probabilities[row, likelier[row]]),
            nearest=tuple(neighbours.rows[row, : min(SHOWN_NEIGHBOURS, count[row])].tolist()),
            neighbours=int(count[row]),
            agreeing=int((labels[neighbours.rows[row, : count[row]]] == labels[row]).sum()),
        )
        for row in ranked[:most].tolist()
    ]


def is_suspicious(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each label, (N,), has a probability below SUSPICIOUS and another class a larger one."""
    own = probabilities[np.arange(len(labels)), labels]
    return np.asarray((own < SUSPICIOUS) & (probabilities.argmax(axis=1) != labels))


def label_scores(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], neighbours: Neighbours
) -> NDArray[np.float64]:
    """How much speaks for each label, (N,): the log of p(label) times the neighbours' vote for it. Low is doubtful."""
    own = probabilities[np.arange(len(labels)), labels]  # (N,)
    return np.asarray(np.log(np.maximum(own, _LEAST_PROBABILITY)) + np.log(votes(labels, neighbours) + LEAST_VOTE))


def votes(labels: NDArray[np.int64], neighbours: Neighbours) -> NDArray[np.float64]:
    """The share of each picture's neighbours that have its label, (N,), 0..1, weighted by cosine^SHARPNESS.

    A picture without neighbours has 0, which every other such picture has, too.
    """
    weights = np.maximum(neighbours.similarity, 0).astype(np.float64) ** SHARPNESS  # (N, k)
    same = labels[neighbours.rows] == labels[:, None]
    return np.asarray((weights * same).sum(axis=1) / np.maximum(weights.sum(axis=1), _LEAST_PROBABILITY))
