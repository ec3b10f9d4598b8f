"""What a detector gets wrong: confusion with other classes and with nothing, and boxes that a person should look at.

Kinds of mistakes: Bolya et al. 2020, TIDE: a general toolbox for identifying object detection errors, arXiv:2008.08115.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluate.box_matches import NONE, Found, Matches, Truth, matches, to_be_found
from eyespot.evaluate.boxes import areas, iou

SAME_PLACE = 0.5
"""A box that overlaps a true one by at least this much is meant for it."""
NEAR = 0.1
"""A box that overlaps no true one by this much lies where there is nothing."""
Kind = Literal["duplicate", "class", "place", "nothing"]
"""What is wrong with a box: its true box was found before by a surer one; it lies on a box of another class; it lies
beside a box of its class; there is nothing of the kind."""


@dataclass(frozen=True)
class WrongBox:
    """A box that was found and is no true box."""

    picture: int
    index: int
    """Among what was found in the picture."""
    label: int
    score: float
    kind: Kind
    truth: int | None
    """Index of the true box that it was found beside, on, or again; None where there is nothing."""
    overlap: float
    """IoU with that box, or with the nearest one of its class where there is nothing."""


@dataclass(frozen=True)
class MissedBox:
    """A true box that was not found."""

    picture: int
    index: int
    """Among the true boxes of the picture."""
    label: int
    area: float
    """Square pixels."""
    score: float | None
    """Of the box that found it, but is below the threshold; None where there is no such box."""


def confusion(
    truths: Sequence[Truth], founds: Sequence[Found], matched: Matches, *, threshold: float
) -> NDArray[np.int64]:
    """How often each class was found as which, (C + 1, C + 1): true classes down, found ones across, "nothing" last.

    First the boxes of the same class are matched, as for average precision at IoU 0.5; then what is left, from the
    surest down, with what is left of any class. Boxes that are still left are found where nothing is, or missed. A row
    adds up to the true boxes of its class, a column to the boxes found of it; ignored ones are in neither.

    matched: the matches of these pictures, of which the first threshold is 0.5.
    threshold: boxes below this score are left out.
    """
    nothing = matched.counted.shape[1]
    table = np.zeros((nothing + 1, nothing + 1), np.int64)
    shown = matched.scores >= threshold
    np.add.at(table, (matched.labels[shown & matched.right[0]],) * 2, 1)
    missed, wrong = _missed(truths, matched, threshold), _wrong(matched, threshold, len(founds))
    across = matches(
        [Truth(_rows(truth.xyxy)[at], np.zeros(len(at), np.int64)) for truth, at in zip(truths, missed, strict=True)],
        [
            Found(_rows(found.xyxy)[at], np.asarray(found.scores)[at], np.zeros(len(at), np.int64))
            for found, at in zip(founds, wrong, strict=True)
        ],
        classes=1,
        most=max(map(len, wrong), default=0),
        thresholds=[SAME_PLACE],
    )
    missed_labels = [np.asarray(truth.labels, np.int64)[at] for truth, at in zip(truths, missed, strict=True)]
    for labels in missed_labels:
        np.add.at(table, (labels, nothing), 1)
    for picture, index, truth in zip(across.pictures, across.indices, across.truths[0], strict=True):
        label = np.asarray(founds[picture].labels)[wrong[picture][index]]
        true = nothing if truth == NONE else missed_labels[picture][truth]
        table[true, label] += 1
        if truth != NONE:
            table[true, nothing] -= 1  # found after all, as another class
    return table


def wrong_boxes(
    truths: Sequence[Truth], founds: Sequence[Found], matched: Matches, *, threshold: float
) -> tuple[WrongBox, ...]:
    """The boxes that are no true ones, surest first, and what is wrong with each.

    matched: the matches of these pictures, of which the first threshold is 0.5.
    threshold: boxes below this score are left out.
    """
    at = np.flatnonzero(matched.wrong[0] & (matched.scores >= threshold))
    return tuple(
        _wrong_box(truths[picture], founds[picture], picture, index)
        for picture, index in zip(matched.pictures[at].tolist(), matched.indices[at].tolist(), strict=True)
    )


def missed_boxes(truths: Sequence[Truth], matched: Matches, *, threshold: float) -> tuple[MissedBox, ...]:
    """The true boxes that were not found, largest first; equal ones in the order of pictures.

    matched: the matches of these pictures, of which the first threshold is 0.5.
    threshold: boxes below this score are left out.
    """
    below = np.flatnonzero(matched.right[0] & (matched.scores < threshold))
    scores = {
        (picture, truth): score
        for picture, truth, score in zip(
            matched.pictures[below].tolist(),
            matched.truths[0, below].tolist(),
            matched.scores[below].tolist(),
            strict=True,
        )
    }
    found = [
        MissedBox(
            picture=picture,
            index=index,
            label=int(np.asarray(truths[picture].labels)[index]),
            area=float(areas(_rows(truths[picture].xyxy)[index : index + 1])[0]),
            score=scores.get((picture, index)),
        )
        for picture, indices in enumerate(_missed(truths, matched, threshold))
        for index in indices.tolist()
    ]
    return tuple(sorted(found, key=lambda each: -each.area))


def _missed(truths: Sequence[Truth], matched: Matches, threshold: float) -> list[NDArray[np.int64]]:
    """For each picture the indices of the true boxes that no box with at least that score is."""
    left = [to_be_found(truth) for truth in truths]
    hits = np.flatnonzero(matched.right[0] & (matched.scores >= threshold))
    for picture, truth in zip(matched.pictures[hits], matched.truths[0, hits], strict=True):
        left[picture][truth] = False
    return [np.flatnonzero(each) for each in left]


def _wrong(matched: Matches, threshold: float, pictures: int) -> list[NDArray[np.int64]]:
    """For each picture the indices of the boxes that are no true ones, surest first."""
    at = np.flatnonzero(matched.wrong[0] & (matched.scores >= threshold))
    order = at[np.argsort(matched.pictures[at], kind="stable")]
    ends = np.searchsorted(matched.pictures[order], np.arange(1, pictures))
    return np.split(matched.indices[order], ends)[:pictures]


def _wrong_box(truth: Truth, found: Found, picture: int, index: int) -> WrongBox:
    label = int(np.asarray(found.labels)[index])
    overlaps = iou(_rows(found.xyxy)[index : index + 1], truth.xyxy)[0]  # (M,)
    same = np.asarray(truth.labels, np.int64) == label
    own, other = np.where(same, overlaps, 0.0), np.where(same, 0.0, overlaps)
    kind: Kind = "nothing"
    nearest = own
    if own.max(initial=0) >= SAME_PLACE:
        kind = "duplicate"
    elif other.max(initial=0) >= SAME_PLACE:
        kind, nearest = "class", other
    elif own.max(initial=0) >= NEAR:
        kind = "place"
    return WrongBox(
        picture=picture,
        index=index,
        label=label,
        score=float(np.asarray(found.scores)[index]),
        kind=kind,
        truth=None if kind == "nothing" else int(nearest.argmax()),
        overlap=float(nearest.max(initial=0)),
    )


def _rows(boxes: object) -> NDArray[np.float64]:
    return np.asarray(boxes, np.float64).reshape(-1, 4)
