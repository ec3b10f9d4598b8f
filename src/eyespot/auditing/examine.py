"""What can be said of a data set by its pictures' features: copies, series, doubtful labels, odd pictures, what more
pictures would bring, and what a network might learn instead of the thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
FEWEST_OF_CLASS = 2


@dataclass(frozen=True)
class Saved:
    """One picture that was saved twice, with other bytes."""

    first: int
    second: int
    """Rows."""
    correlation: float


@dataclass(frozen=True)
class Examined:
    """What was found; rows are those of the pictures."""

    saved: tuple[Saved, ...]
    series: Series
    neighbours: Neighbours | None
    """None of fewer than two pictures."""
    doubts: tuple[Doubt, ...]
    odd: tuple[int, ...]
    poor: tuple[Poor, ...]
    more: MorePictures | None
    by_files: ByFiles | None
    light: tuple[str, ...]
    """Sentences on classes that are darker or brighter than the others."""
    unjudged: str
    """Why labels were not judged; empty where they were."""


def examine(
    features: np.ndarray,
    links: Links,
    contents: Sequence[str],
    shown: Shown,
    *,
    labels: np.ndarray | None,
    classes: Sequence[str],
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Examined:
    """What these pictures tell of each other.

    features: (N, D). links: between their rows. contents: their hashes, ascending. labels: (N,), or None.
    """
    series = Series.joined(links, contents)
    group = series.group(contents)
    neighbours = nearest_pictures(features, group=group) if len(features) > 1 else None
    progress(1, 3)
    unjudged = _unjudged(labels, classes, len(features))
    judged = labels if not unjudged else None
    doubts, more = _by_heads(features, judged, classes, group, neighbours, seed)
    progress(2, 3)
    if labels is None:
        labels = np.zeros(len(features), np.int64)
    return Examined(
        saved=tuple(_saved_twice(links, shown.thumbnails)),
        series=series,
        neighbours=neighbours,
        doubts=tuple(doubts),
        odd=tuple(odd_pictures(features, labels)) if len(features) >= FEWEST_PICTURES else (),
        poor=tuple(poor_pictures(shown.thumbnails, shown.size_hw)),
        more=more,
        by_files=_by_files(shown, judged, group, seed),
        light=tuple(classes_of_other_light(shown.thumbnails, labels, classes)) if judged is not None else (),
        unjudged=unjudged,
    )


def _unjudged(labels: np.ndarray | None, classes: Sequence[str], pictures: int) -> str:
    if labels is None:
        said = f"there is one class only, {classes[0]!r}" if classes else "no folder or list gives the pictures classes"
        return f"labels are not judged: {said}"
    if pictures < FEWEST_PICTURES:
        return f"labels are not judged: {pictures} pictures are too few to say anything about them"
    return ""


def _by_heads(
    features: np.ndarray,
    labels: np.ndarray | None,
    classes: Sequence[str],
    group: np.ndarray | None,
    neighbours: Neighbours | None,
    seed: int,
) -> tuple[list[Doubt], MorePictures | None]:
    """Doubtful labels, and what more pictures would bring, by heads that had not trained on the picture."""
    if labels is None or neighbours is None:
        return [], None
    samples = Samples(features, None, labels, len(classes), group)
    options = HeadOptions(mirror="no", seed=seed)
    fitted = fit_head(samples, options)
    fold = folds_of(labels, seed=seed, group=group)
    doubts = doubtful_labels(second_look(samples, options, fitted, fold=fold), labels, neighbours)
    return doubts, expect_with_more(samples, options, l2=fitted.chosen.l2, rotation=fitted.rotation)


def _by_files(shown: Shown, labels: np.ndarray | None, group: np.ndarray | None, seed: int) -> ByFiles | None:
    if labels is None:
        return None
    facts = facts_of_files(shown.size_hw, shown.file_bytes, shown.camera)
    return told_by_files(facts, labels, fold=folds_of(labels, seed=seed, group=group))


def _saved_twice(links: Links, thumbnails: np.ndarray) -> list[Saved]:
    """The linked pairs whose thumbnails are one, or one's mirror image, the most certain first."""
    found = correlations(thumbnails, links.first, links.second)
    pairs = zip(links.first.tolist(), links.second.tolist(), found.tolist(), strict=True)
    saved = [Saved(first, second, correlation) for first, second, correlation in pairs if correlation >= SAVED_TWICE]
    return sorted(saved, key=lambda each: (-each.correlation, each.first, each.second))
