"""What a model does with pictures that show none of its classes, found out before anybody asks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eyespot.data.copies import Hashed, content_hash
from eyespot.data.different import different_pictures
from eyespot.data.groups import effective_count
from eyespot.data.store import Store
from eyespot.evaluate.calibration import probabilities
from eyespot.evaluate.likeness import likeness
from eyespot.evaluate.metrics import wilson
from eyespot.evaluate.promises import (
    HELD,
    REFUSED,
    USUAL,
    Promise,
    Share,
    Unknown,
    least,
    probabilities_of_truth,
    promises,
)
from eyespot.features.embed import embed
from eyespot.records import Part
from eyespot.regimes.answers import Answers
from eyespot.regimes.fitted import Fitted
from eyespot.regimes.prepare import Prepared

MOST_COMPARED = 5 * 10**7
"""Pictures times classes up to which each class is left out in turn: a second's work."""


@dataclass(frozen=True)
class LeftOut:
    """A class as if it had not been learned, and how many of its pictures would have been noticed."""

    name: str
    noticed: Share


@dataclass(frozen=True)
class Different:
    """How many of quite different pictures are refused."""

    kinds: tuple[str, ...]
    refused: Share


@dataclass(frozen=True)
class Refusals:
    """Everything that is known of a model's refusals."""

    unknown: Unknown
    sets: tuple[Promise, ...]
    """Each share of sets that hold the true class, and the probability from which on a class is in one."""
    left_out: tuple[LeftOut, ...]
    """In the order of the classes; none of a network that learned to tell them: its features would be other ones."""
    different: Different | None = None
    """None where nothing is refused, or where the run was stopped before they were asked."""


def refusals(fitted: Fitted, answers: Mapping[Part, Answers]) -> Refusals:
    """What follows from the answers. answers: the model's own, to pictures that were held out, by part."""
    means, fitted_on = fitted.means, fitted.temperature.answers
    scores = means.unseen.first if means.unseen else np.zeros(0)
    unknown = Unknown(refusing=promises(scores, REFUSED, below=True), fitted_on=means.source, n=len(scores))
    truths = np.zeros(0)
    if fitted_on:
        tempered = probabilities(fitted_on.middle, temperature=fitted.temperature.value)
        truths = probabilities_of_truth(tempered, fitted_on.labels)
    return Refusals(
        unknown=_measured(unknown, fitted, answers),
        sets=promises(truths, HELD, below=False),
        left_out=_left_out(fitted) if fitted.regime == "frozen" else (),
    )


def refused_of_different(fitted: Fitted, prepared: Prepared, store: Store | None) -> Different | None:
    """How many of the pictures that eyespot brings along are refused; None where the model refuses none.

    Their features are kept in the store: a later run on the same network computes none.
    """
    unseen = fitted.means.unseen
    below = least(unseen.first, USUAL) if unseen else None
    if below is None:
        return None
    pictures = different_pictures(digits=not prepared.mirror_matters)
    hashed = [Hashed(each, content_hash(each.read())) for each in pictures]
    features = embed(fitted.trunk, hashed, store=store).features["identity"]
    kinds = tuple(dict.fromkeys(str(each.label) for each in pictures))
    return Different(kinds, _below(likeness(features, fitted.means.values).first, below, group=None))


def _measured(unknown: Unknown, fitted: Fitted, answers: Mapping[Part, Answers]) -> Unknown:
    """With the share that is refused of pictures that decided nothing, where there are enough."""
    parts: list[Part] = [] if fitted.small_test else ["test"]
    if fitted.regime == "frozen":  # else the validation pictures decided below which likeness to refuse
        parts.append("val")
    below = unknown.least(USUAL)
    part = next((each for each in parts if each in answers), None)
    if part is None or below is None:
        return unknown
    features = answers[part].features
    assert features is not None
    group = fitted.prepared.group(answers[part].pictures)
    share = _below(likeness(features, fitted.means.values).first, below, group=group)
    name = "test pictures" if part == "test" else "validation pictures"
    return unknown.model_copy(update={"refused": share, "measured_on": name})


def _left_out(fitted: Fitted) -> tuple[LeftOut, ...]:
    """For each class that has pictures: those of it that would be refused if its mean were not known."""
    unseen, labels, classes = fitted.means.unseen, fitted.means.labels, fitted.prepared.data_set.classes
    answers = fitted.temperature.answers  # to the same pictures: a frozen run fits both out of fold
    group = fitted.prepared.group(answers.pictures) if answers else None
    if unseen is None or len(classes) < 3 or len(labels) * len(classes) > MOST_COMPARED:
        return ()
    found = []
    for number, name in enumerate(classes):
        alike, is_of = unseen.without(number), labels == number
        below = least(alike[~is_of], USUAL)
        if below is not None and is_of.any():
            own = None if group is None else group[is_of]
            found.append(LeftOut(name, _below(alike[is_of], below, group=own)))
    return tuple(found)


def _below(scores: np.ndarray, below: float, *, group: np.ndarray | None) -> Share:
    worth = None if group is None else effective_count(group)
    return Share.of(wilson(int((scores < below).sum()), len(scores), worth=worth))
