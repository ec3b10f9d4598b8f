"""What a regime of training hands on: a frozen trunk and a head on its features. What follows is the same for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from eyespot.data.audit import Hashed
from eyespot.features.trunk import Trunk
from eyespot.recipes.prepare import Prepared
from eyespot.training.head import Head


@dataclass(frozen=True)
class OutOfFold:
    """Answers to every picture by models that had not seen it."""

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

    regime: Literal["frozen", "scratch"]
    prepared: Prepared
    """Without the pictures that turned out to be unreadable."""
    trunk: Trunk
    head: Head
    temperature: float
    temperature_from: str
    """The answers that the temperature was fitted on, in words."""
    trained_on: int
    mirror: bool
    l2: float | None
    out_of_fold: OutOfFold | None
    """Where the test part is too small to measure on."""
    answers_on_train: OutOfFold | None
    """Answers to the pictures that were trained on, where cross-validation gave them."""
    table: tuple[dict[str, float | int | bool], ...]
    """Rows of results.csv: the L2 values tried, or the epochs."""
    how: tuple[tuple[str, str], ...]
    """Lines of the report: what was done."""
    views_computed: int
    notes: list[str] = field(default_factory=list)
