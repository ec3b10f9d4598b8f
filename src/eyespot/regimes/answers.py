"""What a model answers to pictures that it has not seen, itself or in cross-validation, and which model is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.data.groups import Series, effective_count
from eyespot.data.store import Store
from eyespot.evaluate.likelihood import log_likelihoods, p_likelier
from eyespot.evaluate.metrics import wilson_fraction
from eyespot.evaluate.paired import SIGNIFICANCE, Comparison, paired
from eyespot.features.embed import embed
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.heads.head import Head
from eyespot.records import Metric
from eyespot.regimes.prepare import Prepared


@dataclass(frozen=True)
class Answers:
    """Logits of pictures, at least one, and what they should say."""

    pictures: list[Hashed]
    labels: np.ndarray
    """(N,)."""
    logits: np.ndarray
    """(repeats, N, classes), before the temperature. A model answers once; cross-validation may be repeated."""
    features: np.ndarray | None = None
    """(N, D), that one model made the logits of; None in cross-validation."""

    def take(self, which: np.ndarray) -> Answers:
        """The answers to those pictures (a mask)."""
        pictures = [each for each, taken in zip(self.pictures, which, strict=True) if taken]
        return Answers(pictures, self.labels[which], self.logits[:, which])

    @property
    def accuracies(self) -> np.ndarray:
        """Of each repeat, (repeats,)."""
        return np.asarray((self.logits.argmax(axis=2) == self.labels).mean(axis=1))

    def different(self, series: Series) -> int:
        """How many of the pictures differ: those of one series count as one."""
        return series.different([each.content for each in self.pictures])

    def metric(self, series: Series) -> Metric:
        """The accuracy with its interval, which series make wider."""
        group = series.group([each.content for each in self.pictures])
        worth = None if group is None else effective_count(group)
        return wilson_fraction(float(self.accuracies.mean()), len(self.labels), worth=worth)

    @property
    def middle(self) -> np.ndarray:
        """Logits (N, classes) of the repeat whose accuracy lies in the middle."""
        order = np.argsort(self.accuracies, kind="stable")
        return np.asarray(self.logits[order[len(order) // 2]])

    def first(self, count: int) -> Answers:
        """Those to the first pictures."""
        features = None if self.features is None else self.features[:count]
        return Answers(self.pictures[:count], self.labels[:count], self.logits[:, :count], features)


@dataclass(frozen=True)
class Asked:
    """What came of asking a model for some pictures."""

    prepared: Prepared
    """Without those of them that cannot be read."""
    answers: Answers | None
    """None where none can be read, or none was there."""
    computed: int
    """Views that were computed for them."""
    notes: list[str]


def ask(
    prepared: Prepared,
    pictures: Sequence[Hashed],
    *,
    trunk: Trunk,
    head: Head,
    store: Store | None = None,
    tap: Tap | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Asked:
    """What the model of trunk and head answers to these of the prepared pictures.

    store: for features that another run may ask for. tap: activations that are kept on the way.
    """
    embedded = embed(trunk, pictures, store=store, tap=tap, progress=progress)
    prepared = prepared.without(embedded.set_aside)
    answers = None
    if embedded.pictures:
        features = embedded.features["identity"]
        logits = head.logits(features)
        answers = Answers(embedded.pictures, prepared.labels(embedded.pictures), logits[None], features)
    return Asked(prepared, answers, embedded.computed, embedded.notes)


def on_val(
    prepared: Prepared, trunk: Trunk, head: Head, *, store: Store | None = None, tap: Tap | None = None
) -> Asked:
    """What it answers to the validation pictures."""
    return ask(prepared, prepared.part("val"), trunk=trunk, head=head, store=store, tap=tap)


FEWEST_FOR_PROBABILITY = 100
"""Pictures from which a model's temperature, fitted on them, says nothing of single ones among them any more."""


@dataclass(frozen=True)
class Weighed:
    """A model beside another one, by their answers to the same pictures."""

    comparison: Comparison
    p_likelier: float
    """How likely chance alone would give the true classes so much more probability."""

    @property
    def is_better(self) -> bool:
        """By a rule that calls one of two equal models better in one of 20 cases, about: it gives the true classes more
        probability than chance explains, and has no fewer answers right. Of few pictures only the answers count."""
        if self.comparison.count < FEWEST_FOR_PROBABILITY:
            return self.comparison.is_better
        return self.comparison.difference >= 0 and self.p_likelier < SIGNIFICANCE

    @property
    def is_ahead(self) -> bool:
        """More answers are right, and the true classes have more probability, though chance may explain it."""
        if self.comparison.count < FEWEST_FOR_PROBABILITY:
            return self.comparison.difference > 0
        return self.comparison.difference > 0 and self.p_likelier < 0.5

    @property
    def is_worse(self) -> bool:
        return self.comparison.is_worse

    def in_words(self, name: str) -> str:
        """name: what the other one is called."""
        said = self.comparison.in_words(name)
        if self.comparison.count < FEWEST_FOR_PROBABILITY:
            return said
        return f"{said}; more probability for the true classes, p {self.p_likelier:.2g}"


def weighed(before: Answers, after: Answers, series: Series) -> Weighed:
    """How `after` compares with `before`, on the pictures that both have answered. series: those of the data set."""
    row_of = {each.content: row for row, each in enumerate(before.pictures)}
    now = [row for row, each in enumerate(after.pictures) if each.content in row_of]
    then = [row_of[after.pictures[row].content] for row in now]
    labels, group = after.labels[now], series.group([after.pictures[row].content for row in now])
    logits = before.middle[then], after.middle[now]
    right = [each.argmax(axis=1) == labels for each in logits]
    return Weighed(
        paired(*right, series=group),
        p_likelier(*(log_likelihoods(each, labels) for each in logits), series=group),
    )
