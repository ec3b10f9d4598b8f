"""Whether one model is better than another by the same pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from eyespot.recipes.regime import OutOfFold


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
        return self.difference > self.standard_error

    def in_words(self, name: str) -> str:
        """name: what the other one is called."""
        return (
            f"{self.won} more right and {self.lost} more wrong than {name}: {100 * self.difference:+.1f} points, "
            f"standard error {100 * self.standard_error:.1f}"
        )


def compared(before: OutOfFold, after: OutOfFold) -> Comparison:
    """How `after` differs from `before`, on the pictures that both have answered."""
    known = dict(zip((each.content for each in before.pictures), before.middle.argmax(1) == before.labels, strict=True))
    rows = [row for row, each in enumerate(after.pictures) if each.content in known]
    now = (after.middle.argmax(1) == after.labels)[rows]
    then = np.array([known[after.pictures[row].content] for row in rows])
    return Comparison(won=int((now & ~then).sum()), lost=int((then & ~now).sum()), count=len(rows))
