"""Numbers of several seeds: their mean with its interval, and differences that are paired by seed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eyespot.labs.definition import FOLDS, Both, Cell, Lab, Language, Verdict

LEVEL = 0.95
ROUNDING = 1e-12
MOST_DECIMALS = 6
MOST_SEEDS = 1000
"""More than that nobody runs: where these do not suffice, more pictures are needed."""
NONE: Mapping[str, int] = {}
Row = dict[str, object]
"""A line of the table: the seed, the values of the axes, the measures."""


@dataclass(frozen=True)
class Interval:
    """The mean of a measure over seeds, and its 95 % interval; without ends where one seed cannot have any."""

    mean: float
    low: float
    high: float
    seeds: int
    spread: float = 0.0
    """Standard deviation between seeds."""
    share: float = 0.0
    """Test pictures for each training picture, see `interval`."""

    @property
    def up(self) -> bool:
        return self.low > 0

    @property
    def down(self) -> bool:
        return self.high < 0

    def within(self, worth: float) -> bool:
        """Whether all of it is closer to 0 than what is worth speaking of."""
        return -worth < self.low and self.high < worth

    def minus(self, number: float) -> Interval:
        """The same, counted from another number than 0."""
        return replace(self, mean=self.mean - number, low=self.low - number, high=self.high - number)

    def cut(self, least: float, most: float) -> Interval:
        """The part of it that a measure with these limits can have."""
        if not math.isfinite(self.low):
            return self
        return replace(self, low=max(self.low, least), high=min(self.high, most))

    def to(self, language: Language) -> str:
        return told(self.mean, self.low, self.high, language)

    def seeds_needed(self, worth: float = 0.0) -> int | None:
        """How many seeds would tell, if mean and spread stayed as they are; None where no number of them would."""
        for seeds in range(2, MOST_SEEDS + 1):
            half = half_width(self.spread, seeds, self.share)
            if abs(self.mean) > half or abs(self.mean) + half < worth:
                return seeds
        return None


def interval(values: Sequence[float], *, share: float, exact: bool = False, tests: int = 0) -> Interval:
    """The mean of one value for each seed, with its interval by Student's t.

    Five seeds test every picture once. They share most of their training pictures, so that their values are more alike
    than those of new pictures: the variance of their mean is taken as that of independent ones times (1 + test pictures
    / training pictures). More seeds test the same pictures again: they only make the spread surer. `benchmarks/labs.py`
    measures how often such intervals hold the truth, and those of Nadeau and Bengio 2003, "Inference for the
    generalization error", which were made for test pictures that overlap.

    share: test pictures / training pictures; 0 where seeds share no pictures.
    exact: the values hold no chance, and one of them is enough.
    tests: the values are shares of so many test pictures, or differences of such: between seeds they are taken to
        differ by at least one picture, even where they happen to be the same.
    """
    mean, count = float(np.mean(values)), len(values)
    if exact:
        return Interval(mean, mean, mean, count)
    if count == 1:
        return Interval(mean, -math.inf, math.inf, 1)
    spread = max(float(np.std(values, ddof=1)), 1 / tests if tests else 0.0)
    if spread < ROUNDING:
        spread = 0.0
    half = half_width(spread, count, share)
    return Interval(mean, mean - half, mean + half, count, spread, share)


def half_width(spread: float, seeds: int, share: float) -> float:
    """Of the interval of a mean over so many seeds. spread, share: as `Interval` has them."""
    from scipy.stats import t

    return float(t.ppf((1 + LEVEL) / 2, seeds - 1)) * spread * math.sqrt((1 + share) / min(seeds, FOLDS))


class Gains:
    """The rows of finished rounds, asked for the mean of a cell or for the difference of two, paired by seed."""

    def __init__(
        self,
        rows: Sequence[Row],
        *,
        share: float,
        exact: bool = False,
        bounded: Collection[str] = (),
        tests: Mapping[str, int] = NONE,
    ) -> None:
        """share, exact: as for `interval`. bounded: measures between 0 and 1. tests: of those that are shares of test
        pictures, how many there are.
        """
        self.rows, self.share, self.exact, self.bounded, self.tests = rows, share, exact, bounded, tests
        self.seeds = len({row["seed"] for row in rows})

    def values(self, measure: str, where: Cell) -> list[float]:
        """Of one cell, a value for each seed."""
        found = [row for row in self.rows if all(row[axis] == value for axis, value in where.items())]
        assert len(found) == self.seeds, f"{dict(where)} is no single cell"
        return [float(str(row[measure])) for row in found]

    def __call__(self, measure: str, arm: object = None, *, over: object = None, **where: object) -> Interval:
        """The measure of an arm, or how much more it is than that of the arm `over`.

        where: values of the other axes.
        """
        cell = where if arm is None else {"arm": arm, **where}
        if over is not None:
            return self.change(measure, cell, {**where, "arm": over})
        found = self._interval(measure, self.values(measure, cell))
        return found.cut(0, 1) if measure in self.bounded else found

    def change(self, measure: str, cell: Cell, over: Cell) -> Interval:
        """How much more the measure of a cell is than that of another, paired by seed."""
        pairs = zip(self.values(measure, cell), self.values(measure, over), strict=True)
        return self._interval(measure, [one - other for one, other in pairs])

    def _interval(self, measure: str, values: Sequence[float]) -> Interval:
        return interval(values, share=self.share, exact=self.exact, tests=self.tests.get(measure, 0))


def untold(*intervals: Interval, worth: float = 0.0) -> Verdict:
    """The third verdict: these intervals hold 0, and how many seeds it would take until none does."""
    needed = [each.seeds_needed(worth) for each in intervals if math.isfinite(each.low)]
    seeds = intervals[0].seeds
    if not needed:
        said = Both("It cannot be told from one seed: run at least two.", "只有一个种子，无法判断：至少运行两个。")
    elif None in needed:
        said = Both(
            "It cannot be told from these pictures: more seeds would not help, more pictures would.",
            "用这些图片无法判断：增加种子没有用，需要更多图片。",
        )
    else:
        most = max(seeds + 1, *(each for each in needed if each is not None))
        said = Both(
            f"It cannot be told with so few seeds ({seeds}): it would take about {most}.",
            f"种子太少（{seeds} 个），无法判断：大约需要 {most} 个。",
        )
    return Verdict("cannot be told", said)


def cells_of(lab: Lab) -> list[Row]:
    """Every combination of the grid's values, the last axis changing fastest."""
    cells: list[Row] = [{}]
    for axis, values in lab.grid.items():
        cells = [{**cell, axis: value} for cell in cells for value in values]
    return cells


def told(mean: float, low: float, high: float, language: Language) -> str:
    """`0.98 (0.97 to 0.99)`, to two digits of half the interval's width; without ends where there are none."""
    if low == high or not (math.isfinite(low) and math.isfinite(high)):
        return number(mean)
    decimals = max(0, 1 - math.floor(math.log10((high - low) / 2)))
    if decimals > MOST_DECIMALS:
        middle, *ends = map(number, (mean, low, high))
    else:
        middle, *ends = (f"{round(each, decimals) + 0.0:,.{decimals}f}" for each in (mean, low, high))
    return f"{middle} ({' to '.join(ends)})" if language == "en" else f"{middle}（{' 至 '.join(ends)}）"


def number(value: float) -> str:
    """With three digits that count; whole numbers with all of theirs."""
    if not math.isfinite(value):
        return "–"
    if value == int(value) and abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 1e-3 else f"{value:.1e}"
