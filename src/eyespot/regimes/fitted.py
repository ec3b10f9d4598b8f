"""What a regime of training hands on: a frozen trunk and a head on its features. What follows is the same for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.evaluate.calibration import fit_temperature
from eyespot.evaluate.likeness import Likeness, likeness
from eyespot.features.trunk import Trunk
from eyespot.heads.head import Head
from eyespot.records import Part, Rung
from eyespot.regimes.answers import Answers
from eyespot.regimes.findings import Findings
from eyespot.regimes.prepare import Prepared
from eyespot.runs.options import Regime

T = TypeVar("T")

SMALLEST_TEST = 30
"""Different test pictures below which an accuracy says too little; cross-validation on everything says more."""


@dataclass(frozen=True)
class Temperature:
    """What the logits are divided by, so that confidence means what it says."""

    value: float
    source: str
    """The answers that it was fitted on, in words."""
    answers: Answers | None
    """Those answers; None where there were none, and the value is 1."""

    @classmethod
    def fitted_on(cls, answers: Answers | None, source: str) -> Temperature:
        return cls(fit_temperature(answers.middle, answers.labels) if answers else 1.0, source, answers)


@dataclass(frozen=True)
class ClassMeans:
    """What the pictures of each class have in common, by which one that shows none of the classes is told."""

    values: np.ndarray
    """(classes, D), each of length 1."""
    unseen: Likeness | None
    """How like the classes pictures are that had no part in the means; None where there were none."""
    labels: np.ndarray
    """The true class of each of those, (N,)."""
    source: str
    """Those pictures, in words."""

    @classmethod
    def judged_on(cls, values: np.ndarray, answers: Answers | None, source: str) -> ClassMeans:
        """answers: of the model, to pictures that had no part in the means."""
        if answers is None or answers.features is None:
            return cls(values, None, np.zeros(0, np.int64), source)
        return cls(values, likeness(answers.features, values), answers.labels, source)


@dataclass(frozen=True)
class AsFound:
    """The pictures without the person's list, and what they would have given."""

    prepared: Prepared
    fit: Callable[[], tuple[Head, int]]
    """Gives the head that is fitted on them, and the views that were computed for it."""
    frozen: Fitted | None = None
    """What to compare it with, where more than the head was trained in the end; None where that is the model."""


@dataclass(frozen=True)
class Fitted:
    """A trained model before it is measured."""

    regime: Regime
    trunk: Trunk
    head: Head
    temperature: Temperature
    means: ClassMeans

    prepared: Prepared
    """Without the pictures that turned out to be unreadable."""
    trained_on: int
    """Pictures."""
    mirror: bool
    """Whether their mirror images were trained on, too."""
    l2: float | None
    """Of the head that was fitted on frozen features; None from scratch, where none was."""

    held_out: tuple[Part, ...]
    """Parts that the model was not trained on, to be measured."""
    small_test: bool
    """True where fewer than SMALLEST_TEST different test pictures are there, so that cross-validation comes first."""
    out_of_fold: Answers | None
    """Those of cross-validation: None without a small test, and where cross-validation was left out or stopped."""

    table: tuple[dict[str, float | int | bool], ...]
    """Rows of results.csv: the L2 values tried, or the epochs."""
    how: tuple[tuple[str, str], ...]
    """Lines of the report: what was done."""
    views_computed: int
    notes: list[str] = field(default_factory=list)
    ladder: tuple[Rung, ...] = ()
    """The regimes that were tried, where more than one was."""
    findings: Findings = field(default_factory=Findings)
    """What the features say of the pictures that a head was fitted on; nothing from scratch."""
    as_found: AsFound | None = None
    """What to compare the head with, to say what a person's list is worth; None where that cannot be said."""
    instead: str = ""
    """Why it is the frozen model where another regime was chosen; empty where it is the chosen one."""

    @property
    def answers_on_val(self) -> Answers | None:
        """The model's own answers to the validation pictures, where its temperature was fitted on them; else None."""
        return None if self.regime == "frozen" or self.out_of_fold else self.temperature.answers

    @property
    def answers_on_train(self) -> Answers | None:
        """Cross-validated answers to exactly the pictures that were trained on; None where the regime is not frozen."""
        return (self.out_of_fold or self.temperature.answers) if self.regime == "frozen" else None

    def parts_of(self, pictures: Iterable[Hashed]) -> list[Hashed]:
        """The pictures with the part each had for this model: in train is what it was fitted on, and nothing else."""
        fitted_on = self.answers_on_train.pictures if self.answers_on_train else self.prepared.part("train")
        contents = {each.content for each in fitted_on}
        assert len(contents) == self.trained_on
        return [
            each
            if each.picture.part == "train" or each.content not in contents
            else replace(each, picture=replace(each.picture, part="train"))
            for each in pictures
        ]


def despite_ctrl_c(work: Callable[[], T]) -> tuple[T, bool]:
    """What `work` returns, and whether Ctrl-C came meanwhile: then it is begun again; a second Ctrl-C ends it.

    For the seconds between a trained model and its file, where stopping at once would lose what took much longer.
    """
    try:
        return work(), False
    except KeyboardInterrupt:
        return work(), True


def stopped_note(during: str) -> str:
    """A sentence on a run that was stopped when its model was trained already."""
    return f"stopped by you during {during}: the model is complete and usable, but its figures are incomplete"
