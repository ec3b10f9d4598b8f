"""How often the ladder calls one of two equal models better, and how often it keeps one that is: by simulation.

Two models see the same pictures, each with errors of its own: their scores are the truth, what is hard about the
picture for both, and noise. A better model has less noise. No data are needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measuring import Bar, at_least, at_most
from numpy.typing import NDArray

from eyespot.data.copies import Hashed
from eyespot.data.data_set import Picture
from eyespot.data.groups import Series
from eyespot.data.store import Store
from eyespot.regimes.answers import Answers, Weighed, weighed

SEED, SIMULATIONS = 0, 2_000
CLASSES = 10
PICTURES = (30, 100, 341)
"""341 is the number of validation pictures of the clothing data set."""
TRUTH, HARD, NOISE = 5.0, 1.5, 1.0
"""About nine answers in ten are right, as with a frozen network on clothing."""
GAINS = {2.0: 0.8, 3.5: 0.62, 5.0: 0.38}
"""Points of accuracy that a model gains whose noise is this many times as large; measured below, and told."""
EQUAL_BAR = at_most(5.5, "%", "of two equal models the ladder says that the second is better")
FOUND_BAR = at_least(80, "%", "a model that is 3.5 points better is kept by 341 validation pictures")


@dataclass(frozen=True)
class Pair:
    """Two models' scores of the same pictures, (N, classes) each, and the truth."""

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    labels: NDArray[np.int64]

    @classmethod
    def drawn(cls, count: int, random: np.random.Generator, *, noise: float = 1.0) -> Pair:
        """noise: of the second, as a multiple of the first's."""
        labels = random.integers(0, CLASSES, count)
        both = TRUTH * np.eye(CLASSES)[labels] + HARD * random.standard_normal((count, CLASSES))
        first, second = (NOISE * random.standard_normal((count, CLASSES)) for _ in range(2))
        return cls(both + first, both + noise * second, labels)

    def weighed(self) -> Weighed:
        pictures = [Hashed(Picture(""), f"{number}") for number in range(len(self.labels))]
        before, after = (Answers(pictures, self.labels, each[None]) for each in (self.first, self.second))
        return weighed(before, after, Series())


def ladder(_: Path, __: Store) -> Iterator[tuple[Bar, float]]:
    """Equal models called better, at every number of pictures; better models that are kept."""
    random = np.random.default_rng(SEED)
    for count in PICTURES:
        called = [Pair.drawn(count, random).weighed() for _ in range(SIMULATIONS)]
        by_accuracy = 100 * np.mean([each.comparison.is_better for each in called])
        print(f"{count} pictures: by right answers alone {by_accuracy:.1f} %")
        yield EQUAL_BAR, 100 * float(np.mean([each.is_better for each in called]))
    for points, noise in GAINS.items():
        found = [Pair.drawn(PICTURES[-1], random, noise=noise).weighed() for _ in range(SIMULATIONS // 4)]
        gain = 100 * np.mean([each.comparison.difference for each in found])
        kept, by_accuracy = (
            100 * float(np.mean(each))
            for each in ([each.is_better for each in found], [each.comparison.is_better for each in found])
        )
        print(f"{gain:.1f} points better: kept {kept:.0f} %, by right answers alone {by_accuracy:.0f} %")
        if points == 3.5:
            yield FOUND_BAR, kept
