"""What can be said of a data set by its pictures' features: copies, series, doubtful labels, odd pictures, what more
pictures would bring, and what a network might learn instead of the thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.auditing.gathered import Shown
from eyespot.data.groups import Links, Series
from eyespot.data.quality import Poor, classes_of_other_light, poor_pictures
from eyespot.evaluate.doubts import Doubt, doubtful_labels
from eyespot.evaluate.learning_curve import MorePictures
from eyespot.evaluate.neighbours import Neighbours, nearest_pictures
from eyespot.evaluate.odd import odd_pictures
from eyespot.evaluate.shortcuts import ByFiles, facts_of_files, told_by_files
from eyespot.features.thumbnails import SAVED_TWICE, correlations
from eyespot.heads.fit import fit_head, folds_of
from eyespot.heads.head import HeadOptions, Samples
from eyespot.heads.learning_curve import expect_with_more
from eyespot.heads.second_look import second_look

FEWEST_PICTURES = 20
"""Below, labels cannot be judged by the other pictures."""
FEWEST_KNOWN = 4
"""Pictures of a class, those of a series counting once, below which a classifier that trained on them hardly knows it.
Of ten kinds of clothing, where one had one picture, this was doubted in 6 of 6 cases; where it had two or three, 22 of
30 were; of five, 8 of 30; of twenty, 10 of 120."""


@dataclass(frozen=True)
class Saved:
    """One picture that was saved several times, with other bytes; rows."""

    kept: int
    """The one with the most pixels, or the most bytes of as many."""
    copies: tuple[int, ...]


@dataclass(frozen=True)
class Examined:
    """What was found; rows are those of the pictures."""

    saved: tuple[Saved, ...]
    small: int
    """Pictures that were too small to be compared."""
    series: Series
    neighbours: Neighbours | None
    """None of fewer than two pictures."""
    doubts: tuple[Doubt, ...]
    unknown: tuple[int, ...]
    """Classes of which the others have too few pictures to judge a label of it."""
    odd: tuple[int, ...]
    poor: tuple[Poor, ...]
    more: MorePictures | None
    by_files: ByFiles | None
    light: tuple[str, ...]
    """Sentences on classes that are darker or brighter than the others."""
    unjudged: str
    """Why labels were not judged; empty where they were."""


@dataclass(frozen=True)
class Told:
    """What is known of the pictures that are examined, row by row."""

    contents: Sequence[str]
    """Their hashes, ascending."""
    features: np.ndarray
    """(N, D)."""
    links: Links
    shown: Shown
    labels: np.ndarray | None
    """(N,), class indices; None where labels cannot be judged."""
    classes: Sequence[str]
    has_boxes: bool = False
    """Whether it is boxes that have classes."""


def examine(told: Told, *, seed: int) -> Examined:
    """What these pictures tell of each other. seed: decides the folds."""
    features, shown = told.features, told.shown
    series = Series.joined(told.links, told.contents)
    group = series.group(told.contents)
    neighbours = nearest_pictures(features, group=group) if len(features) > 1 else None
    unjudged = _unjudged(told)
    labels = None if unjudged else told.labels
    doubts, unknown, more = _by_heads(told, labels, group, neighbours, seed)
    kinds = np.zeros(len(features), np.int64) if told.labels is None else told.labels
    return Examined(
        saved=tuple(_saved_twice(told.links, shown)),
        small=int(shown.is_small.sum()),
        series=series,
        neighbours=neighbours,
        doubts=tuple(doubts),
        unknown=tuple(unknown),
        odd=tuple(odd_pictures(features, kinds)) if len(features) >= FEWEST_PICTURES else (),
        poor=tuple(poor_pictures(shown.thumbnails, shown.size_hw)),
        more=more,
        by_files=_by_files(shown, labels, group, seed),
        light=() if labels is None else tuple(classes_of_other_light(shown.thumbnails, labels, told.classes)),
        unjudged=unjudged,
    )


def _unjudged(told: Told) -> str:
    if told.has_boxes:
        return "boxes are not judged here: train a detector, and its report shows those to look at"
    if told.labels is None:
        only = f"there is one class only, {told.classes[0]!r}, that has pictures" if told.classes else ""
        return f"labels are not judged: {only or 'no folder or list gives the pictures classes'}"
    if len(told.features) < FEWEST_PICTURES:
        return f"labels are not judged: {len(told.features)} pictures are too few to say anything about them"
    return ""


def _by_heads(
    told: Told, labels: np.ndarray | None, group: np.ndarray | None, neighbours: Neighbours | None, seed: int
) -> tuple[list[Doubt], list[int], MorePictures | None]:
    """Doubtful labels, the classes that cannot be judged, and what more pictures would bring, by heads that had not
    trained on the picture."""
    if labels is None or neighbours is None:
        return [], [], None
    samples = Samples(told.features, None, labels, len(told.classes), group)
    options = HeadOptions(mirror="no", seed=seed)
    fitted = fit_head(samples, options)
    fold = folds_of(labels, seed=seed, group=group)
    probabilities = second_look(samples, options, fitted, fold=fold)
    doubts = doubtful_labels(probabilities, labels, neighbours, most=len(labels))
    unknown = _unknown(labels, fold, group)
    judged = [each for each in doubts if labels[each.row] not in unknown]
    return judged, unknown, expect_with_more(samples, options, l2=fitted.chosen.l2, rotated=fitted.rotated)


def _unknown(labels: np.ndarray, fold: np.ndarray, group: np.ndarray | None) -> list[int]:
    """The classes that some fold's head had trained on too little to judge a label of them."""
    group = np.arange(len(labels)) if group is None else group

    def known(label: int) -> int:
        mine = labels == label
        folds, groups = fold[mine], group[mine]
        return min(len(np.unique(groups[folds != one])) for one in np.unique(folds))

    return [label for label in np.unique(labels).tolist() if known(label) < FEWEST_KNOWN]


def _by_files(shown: Shown, labels: np.ndarray | None, group: np.ndarray | None, seed: int) -> ByFiles | None:
    """None where labels cannot be judged, or the pictures are no files of their own, such as the sample's."""
    if labels is None or not any(each.picture.is_file for each in shown.pictures):
        return None
    facts = facts_of_files(shown.size_hw, shown.file_bytes, shown.camera)
    return told_by_files(facts, labels, fold=folds_of(labels, seed=seed, group=group), group=group)


def _saved_twice(links: Links, shown: Shown) -> list[Saved]:
    """The pictures that are linked and whose thumbnails are one, or one's mirror image, the most certain first."""
    found = correlations(shown.thumbnails, links.first, links.second)
    certain = np.argsort(-found, kind="stable")[: int((found >= SAVED_TWICE).sum())]
    place = np.empty(len(shown.rows), np.int64)
    place[np.lexsort((-shown.file_bytes, -shown.size_hw.prod(axis=1)))] = np.arange(len(place))
    pairs = [
        sorted(pair, key=place.__getitem__)
        for pair in zip(links.first[certain].tolist(), links.second[certain].tolist(), strict=True)
    ]
    kept: dict[int, int] = {}
    for better, copy in sorted(pairs, key=lambda pair: place[pair[0]]):
        kept.setdefault(copy, kept.get(better, better))
    copies: dict[int, dict[int, None]] = {}
    for _, copy in pairs:
        copies.setdefault(kept[copy], {})[copy] = None
    return [Saved(row, tuple(others)) for row, others in copies.items()]
