"""What a regime of training hands on: a frozen trunk and a head on its features. What follows is the same for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from eyespot.data.audit import Hashed
from eyespot.features.trunk import Trunk
from eyespot.recipes.options import Regime
from eyespot.recipes.prepare import Prepared
from eyespot.records import Part, Rung
from eyespot.training.head import Head

T = TypeVar("T")

SMALLEST_TEST = 30
"""Test pictures below which an accuracy says too little; cross-validation on everything says more."""


@dataclass(frozen=True)
class OutOfFold:
    """Answers to pictures by models that had not seen them."""

    pictures: list[Hashed]
    labels: np.ndarray
    """(N,)."""
    logits: np.ndarray
    """(repeats, N, classes)."""

    @property
    def accuracies(self) -> np.ndarray:
        """Of each repeat, (repeats,)."""
        return np.asarray((self.logits.argmax(axis=2) == self.labels).mean(axis=1))

    @property
    def middle(self) -> np.ndarray:
        """Logits (N, classes) of the repeat whose accuracy lies in the middle."""
        order = np.argsort(self.accuracies, kind="stable")
        return np.asarray(self.logits[order[len(order) // 2]])


@dataclass(frozen=True)
class Fitted:
    """A trained model before it is measured."""

    regime: Regime
    prepared: Prepared
    """Without the pictures that turned out to be unreadable."""
    trunk: Trunk
    head: Head
    held_out: tuple[Part, ...]
    """Parts that the model was not trained on, to be measured."""
    small_test: bool
    """True where fewer than SMALLEST_TEST test pictures are there, so that cross-validation comes first."""
    temperature: float
    temperature_from: str
    """The answers that the temperature was fitted on, in words."""
    calibrated_on: OutOfFold | None
    """Those answers; None where there were none, and the temperature is 1."""
    trained_on: int
    mirror: bool
    l2: float | None
    out_of_fold: OutOfFold | None
    """Where the test part is too small to measure on; None there, too, where cross-validation was stopped."""
    answers_on_train: OutOfFold | None
    """Answers to the pictures that were trained on, where cross-validation gave them."""
    table: tuple[dict[str, float | int | bool], ...]
    """Rows of results.csv: the L2 values tried, or the epochs."""
    how: tuple[tuple[str, str], ...]
    """Lines of the report: what was done."""
    views_computed: int
    notes: list[str] = field(default_factory=list)
    ladder: tuple[Rung, ...] = ()
    """The regimes that were tried, where more than one was."""
    instead: str = ""
    """Why it is the frozen model where another regime was chosen; empty where it is the chosen one."""

    @property
    def answers_on_val(self) -> OutOfFold | None:
        """The model's own answers to the validation pictures, where they were needed before; None otherwise."""
        return None if self.regime == "frozen" or self.out_of_fold else self.calibrated_on


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
