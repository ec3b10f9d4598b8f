"""What a model answers to pictures that it has not seen, itself or in cross-validation, and which model is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.data.groups import Series, effective_count
from eyespot.data.store import Store
from eyespot.evaluate.metrics import wilson_fraction
from eyespot.evaluate.paired import Comparison, paired
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

    def take(self, which: np.ndarray) -> Answers:
        """The answers to those pictures (a mask)."""
        pictures = [each for each, taken in zip(self.pictures, which, strict=True) if taken]
        return Answers(pictures, self.labels[which], self.logits[:, which])

    @property
    def accuracies(self) -> np.ndarray:
        """Of each repeat, (repeats,)."""
        return np.asarray((self.logits.argmax(axis=2) == self.labels).mean(axis=1))

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
        logits = head.logits(embedded.features["identity"])
        answers = Answers(embedded.pictures, prepared.labels(embedded.pictures), logits[None])
    return Asked(prepared, answers, embedded.computed, embedded.notes)


def on_val(
    prepared: Prepared, trunk: Trunk, head: Head, *, store: Store | None = None, tap: Tap | None = None
) -> Asked:
    """What it answers to the validation pictures."""
    return ask(prepared, prepared.part("val"), trunk=trunk, head=head, store=store, tap=tap)


def compared(before: Answers, after: Answers, series: Series) -> Comparison:
    """How `after` differs from `before`, on the pictures that both have answered. series: those of the data set."""
    known = dict(zip((each.content for each in before.pictures), before.middle.argmax(1) == before.labels, strict=True))
    rows = [row for row, each in enumerate(after.pictures) if each.content in known]
    then = [known[after.pictures[row].content] for row in rows]
    group = series.group([after.pictures[row].content for row in rows])
    return paired(then, (after.middle.argmax(1) == after.labels)[rows], series=group)
