"""Whether one model is better than another by the same pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from eyespot.regimes.answers import Answers

FEWEST_VALIDATION = 30
"""Validation pictures below which a deeper regime cannot be told from a luckier one."""


@dataclass(frozen=True)
class Comparison:
    """How a model's answers to some pictures differ from another's to the same."""

    won: int
    """Pictures that it has right, and the other wrong."""
    lost: int
    """Pictures that it has wrong, and the other right."""
    count: int

    @property
    def difference(self) -> float:
        """Of the accuracies."""
        return (self.won - self.lost) / self.count

    @property
    def standard_error(self) -> float:
        """Of that difference: the pictures are the same, so only those count on which the two differ."""
        differ, more = self.won + self.lost, self.won - self.lost
        return math.sqrt(max(differ - more**2 / self.count, 0.0)) / self.count

    @property
    def is_better(self) -> bool:
        """By more than its error; one picture more is no evidence, though its error is a little smaller than that."""
        return self.difference > self.standard_error and self.won - self.lost > 1

    @property
    def is_worse(self) -> bool:
        return Comparison(self.lost, self.won, self.count).is_better

    @property
    def is_the_same(self) -> bool:
        """Whether enough pictures were asked, and each was answered as before."""
        return self.won == self.lost == 0 and self.count >= FEWEST_VALIDATION

    def in_words(self, name: str) -> str:
        """name: what the other one is called."""
        return (
            f"{self.won} more right and {self.lost} more wrong than {name}: {100 * self.difference:+.1f} points, "
            f"standard error {100 * self.standard_error:.1f}"
        )


def compared(before: Answers, after: Answers) -> Comparison:
    """How `after` differs from `before`, on the pictures that both have answered."""
    known = dict(zip((each.content for each in before.pictures), before.middle.argmax(1) == before.labels, strict=True))
    rows = [row for row, each in enumerate(after.pictures) if each.content in known]
    now = (after.middle.argmax(1) == after.labels)[rows]
    then = np.array([known[after.pictures[row].content] for row in rows])
    return Comparison(won=int((now & ~then).sum()), lost=int((then & ~now).sum()), count=len(rows))
