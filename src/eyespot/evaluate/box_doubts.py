"""Boxes that a detector, which had not trained on their pictures, speaks against: to be looked at, not to be called
wrong. Three kinds: a thing is found where no box is, nothing is found where a box is, another class is found there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluate.box_matches import Found, Truth, to_be_found
from eyespot.evaluate.boxes import Boxes, areas, intersection_over_first, iou

NEAR = 0.3
"""A find that overlaps a box by less is not meant for it."""
SAME_PLACE = 0.6
"""One that overlaps it by this much lies on the same thing."""
UNSUPPORTED = 0.05
"""Of a box whose surest find has less, nothing is found: things that are there have a find of some score."""
SURE = 0.75
"""A find without a box is sure if it has the score that this share of its class's boxes stay below."""
MOST_UNFOUND = 0.25
"""Share of a class's boxes, unsupported, from which on that says more of the detector than of the boxes."""
MOST_LISTED = 50
"""Of a kind."""
Why = Literal["another class", "nothing found", "no box"]


@dataclass(frozen=True)
class BoxDoubt:
    """A box that is doubtful, or a place without one."""

    why: Why
    picture: int
    truth: int | None
    """Index of the box among the true ones of the picture; None where there is none."""
    found: int | None
    """Index of the find that speaks against it among those of the picture; None where nothing is found."""
    score: float
    """Of that find; where nothing is found, of the surest one near the box, 0 for none."""


def doubtful_boxes(
    truths: Sequence[Truth], founds: Sequence[Found], *, classes: int, threshold: float, most: int = MOST_LISTED
) -> list[BoxDoubt]:
    """Kind after kind, those that were the surest when errors were planted first; in a kind the surest first.

    truths, founds: a picture each, in the same order; unsure finds, too.
    classes: number of classes. threshold: least score of a find that the detector answers.
    most: so many of a kind are listed at most.
    """
    places = [_Places.of(number, *pair) for number, pair in enumerate(zip(truths, founds, strict=True))]
    sure = np.maximum(_sure_scores(places, classes), threshold)
    seen = _share_unsupported(places, classes) <= MOST_UNFOUND
    kinds: tuple[Iterable[BoxDoubt], ...] = (
        sorted((doubt for each in places for doubt in each.of_other_class(threshold)), key=lambda doubt: -doubt.score),
        _largest_first(each.without_find(seen) for each in places),
        sorted((doubt for each in places for doubt in each.without_box(sure)), key=lambda doubt: -doubt.score),
    )
    return [doubt for kind in kinds for doubt in list(kind)[:most]]


@dataclass(frozen=True, eq=False)
class _Places:
    """The M boxes of one picture that are to be found and its D finds, and how they lie."""

    picture: int
    boxes: NDArray[np.int64]
    """(M,), the index of each among the true boxes."""
    labels: NDArray[np.int64]
    """(M,)."""
    sizes: Boxes
    """(M,), square pixels."""
    xyxy: NDArray[np.float64]
    """(D, 4), the finds."""
    scores: NDArray[np.float64]
    """(D,)."""
    said: NDArray[np.int64]
    """(D,), the class of each find."""
    overlaps: Boxes
    """(M, D), IoU."""
    on_a_box: NDArray[np.bool_]
    """(D,), whether a box of any class is there, one that need not be found, too."""

    @classmethod
    def of(cls, picture: int, truth: Truth, found: Found) -> _Places:
        true = np.asarray(truth.xyxy, np.float64).reshape(-1, 4)
        xyxy = np.asarray(found.xyxy, np.float64).reshape(-1, 4)
        overlaps = iou(true, xyxy)  # (boxes, D)
        lies_on = overlaps.copy()
        if truth.crowd is not None:
            crowd = np.asarray(truth.crowd, bool)
            lies_on[crowd] = intersection_over_first(xyxy, true[crowd]).T
        boxes = np.flatnonzero(to_be_found(truth))
        return cls(
            picture=picture,
            boxes=boxes,
            labels=np.asarray(truth.labels, np.int64)[boxes],
            sizes=areas(true)[boxes],
            xyxy=xyxy,
            scores=np.asarray(found.scores, np.float64),
            said=np.asarray(found.labels, np.int64),
            overlaps=overlaps[boxes],
            on_a_box=np.asarray((lies_on >= NEAR).any(axis=0)),
        )

    @property
    def own_support(self) -> NDArray[np.float64]:
        """(M,), the score of the surest find of each box's class near it; 0 for none."""
        return self._best((self.overlaps >= NEAR) & (self.said == self.labels[:, None]))

    @property
    def support(self) -> NDArray[np.float64]:
        """(M,), the same of any class."""
        return self._best(self.overlaps >= NEAR)

    def of_other_class(self, threshold: float) -> Iterable[BoxDoubt]:
        """Boxes that no find of their class supports, with an answered one of another class on them."""
        against = (self.overlaps >= SAME_PLACE) & (self.said != self.labels[:, None]) & (self.scores >= threshold)
        for row in np.flatnonzero(against.any(axis=1) & (self.own_support < UNSUPPORTED)).tolist():
            found = int(np.where(against[row], self.scores, -1).argmax())
            yield BoxDoubt("another class", self.picture, int(self.boxes[row]), found, float(self.scores[found]))

    def without_find(self, seen: NDArray[np.bool_]) -> Iterable[tuple[float, BoxDoubt]]:
        """Boxes near which nothing is found, each with its size. seen: (classes,), whether that is rare."""
        support = self.support
        for row in np.flatnonzero((support < UNSUPPORTED) & seen[self.labels]).tolist():
            doubt = BoxDoubt("nothing found", self.picture, int(self.boxes[row]), None, float(support[row]))
            yield float(self.sizes[row]), doubt

    def without_box(self, sure: NDArray[np.float64]) -> Iterable[BoxDoubt]:
        """Sure finds where no box of any class is; of several at one place the surest.

        sure: (classes,), least scores.
        """
        alone = np.flatnonzero(~self.on_a_box & (self.scores >= sure[self.said]))
        kept: list[int] = []
        for found in alone[np.argsort(-self.scores[alone], kind="stable")].tolist():
            if (iou(self.xyxy[[found]], self.xyxy[kept]) < NEAR).all():
                kept.append(found)
                yield BoxDoubt("no box", self.picture, None, found, float(self.scores[found]))

    def _best(self, which: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(M,), the highest score of those finds, (M, D); 0 for none."""
        best: NDArray[np.float64] = np.where(which, self.scores, 0).max(axis=1, initial=0)
        return best


def _sure_scores(places: Sequence[_Places], classes: int) -> NDArray[np.float64]:
    """(classes,), the score below which the share `SURE` of each class's boxes are supported; of a class that has none,
    the same of all boxes."""
    support = np.concatenate([np.zeros(0), *(each.own_support for each in places)])
    labels = np.concatenate([np.zeros(0, np.int64), *(each.labels for each in places)])
    of_all = float(np.quantile(support, SURE)) if len(support) else 1.0
    return np.array(
        [np.quantile(support[labels == label], SURE) if (labels == label).any() else of_all for label in range(classes)]
    )


def _share_unsupported(places: Sequence[_Places], classes: int) -> NDArray[np.float64]:
    """(classes,), of each class's boxes; 0 where there is none."""
    labels = np.concatenate([np.zeros(0, np.int64), *(each.labels for each in places)])
    is_unsupported = np.concatenate([np.zeros(0, bool), *(each.support < UNSUPPORTED for each in places)])
    counts = np.bincount(labels, minlength=classes)
    share: NDArray[np.float64] = np.bincount(labels[is_unsupported], minlength=classes) / np.maximum(counts, 1)
    return share


def _largest_first(found: Iterable[Iterable[tuple[float, BoxDoubt]]]) -> list[BoxDoubt]:
    """The least supported first, then the largest: of small things it is said sooner that nothing is there."""
    pairs = [pair for each in found for pair in each]
    return [doubt for _, doubt in sorted(pairs, key=lambda pair: (pair[1].score, -pair[0]))]
