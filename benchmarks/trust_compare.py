"""Whether `compare` tells equal models apart, and whether its intervals hold the difference: by simulation.

    python benchmarks/trust_compare.py

Two models answer the same pictures, 2,000 times for each accuracy, correlation and number of pictures. Beside it stand
what the ladder did before, one standard error, and the plain (Wald) interval; series whose pictures are taken for
single ones; and, for detectors, the percentiles of the resamples. No data are needed. It takes a minute.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import measuring
import numpy as np
from measuring import Bar, at_least, at_most
from numpy.typing import NDArray

from eyespot.evaluate.average_precision import Resamples, drawn_anew
from eyespot.evaluate.box_matches import THRESHOLDS, Matches
from eyespot.evaluate.paired import Comparison, paired
from eyespot.evaluate.paired_boxes import BoxComparison, paired_boxes

SEED, SIMULATIONS = 0, 2_000
PICTURES = (30, 100, 372, 1_000)
ACCURACIES, CORRELATIONS = (0.6, 0.75, 0.9, 0.97), (0.0, 0.4, 0.8)
GAIN = 0.03
SERIES, COPIES = 100, 9
BOXED, DETECTORS = (12, 72), 300
TEST = 372
"""Pictures of the clothing data set to test on."""
DIFFERING = 0.09
"""Share of the pictures on which a frozen and a deeper model differ, about, where these figures are told."""
KINDS = ("apart", "by_one_error")
APART_BAR = at_most(5.5, "%", "of two equal models compare says that one is better or worse")
HELD_BAR = at_least(94, "%", "the interval of the difference holds it, at the accuracies and correlations together")
WORST_BAR = at_least(93, "%", "and at the worst of them")
SERIES_BAR = at_most(5.5, "%", "where pictures come in series that are right or wrong together, no more are told apart")
SMALLEST_BAR = at_least(78, "%", "a difference as large as the smallest that is seen is found, at the least")
BOXES_BAR = at_most(7.5, "%", "of two equal detectors compare says that one is better or worse")
Row = tuple[str, Bar | None, float]


@dataclass(frozen=True)
class Models:
    """Two models: how often one is right and the other wrong."""

    won: float
    lost: float

    @classmethod
    def alike(cls, accuracy: float, correlation: float, *, gain: float = 0.0) -> Models:
        """Both have that accuracy, whether they are right has that correlation; then the second gains."""
        return cls.of(2 * accuracy * (1 - accuracy) * (1 - correlation), gain)

    @classmethod
    def of(cls, differing: float, gain: float) -> Models:
        """One of the two is right and the other wrong on that share of the pictures, or on what the gain takes."""
        return cls((max(differing, gain) + gain) / 2, (max(differing, gain) - gain) / 2)

    def drawn(self, count: int, random: np.random.Generator, *, simulations: int) -> Counter[tuple[int, int]]:
        """How often so many pictures are won and lost."""
        found = random.multinomial(count, [self.won, self.lost, 1 - self.won - self.lost], size=simulations)
        return Counter(map(tuple, found[:, :2].tolist()))


@dataclass(frozen=True)
class Said:
    """What is said of one outcome."""

    apart: bool
    by_one_error: bool
    """Better, by the rule of one standard error."""
    interval: tuple[float, float]
    wald: tuple[float, float]


@cache
def said(won: int, lost: int, count: int) -> Said:
    found = Comparison(won, lost, count)
    more, error = won - lost, math.sqrt(max(won + lost - (won - lost) ** 2 / count, 0)) / count
    plain = more / count
    return Said(
        apart=found.verdict != "no difference",
        by_one_error=plain > error and more > 1,
        interval=found.interval,
        wald=(plain - 1.96 * error, plain + 1.96 * error),
    )


def main() -> None:
    measuring.arguments_parser(__doc__).parse_args()
    print(measuring.heading(), flush=True)
    for name, bar, value in rows():
        print(f"{name}: {bar.verdict(value) if bar else f'{value:.4g} %'}", flush=True)


def rows(*, simulations: int = SIMULATIONS, detectors: int = DETECTORS) -> Iterator[Row]:
    """What is measured, its bar if it has one, and the figure in %."""
    random = np.random.default_rng(SEED)
    for count in PICTURES:
        yield from _equal(count, random, simulations)
    yield from _intervals(random, simulations)
    yield from _series(random, simulations)
    yield from _found(random, simulations)
    for pictures in BOXED:
        yield from _detectors(pictures, detectors)


def _equal(count: int, random: np.random.Generator, simulations: int) -> Iterator[Row]:
    """How often two equal models are told apart, over all accuracies and correlations."""
    totals = Counter[str]()
    for pair in itertools.product(ACCURACIES, CORRELATIONS):
        for outcome, times in Models.alike(*pair).drawn(count, random, simulations=simulations).items():
            told = said(*outcome, count)
            totals.update({name: times * getattr(told, name) for name in KINDS})
    of = simulations * len(ACCURACIES) * len(CORRELATIONS) / 100
    yield f"equal, {count} pictures, compare", APART_BAR, totals["apart"] / of
    yield f"equal, {count} pictures, by one standard error", None, totals["by_one_error"] / of


def _intervals(random: np.random.Generator, simulations: int) -> Iterator[Row]:
    """How often intervals hold the difference, where there is one and where there is none."""
    held: dict[str, list[float]] = {"interval": [], "wald": []}
    for count, accuracy, correlation, gain in itertools.product(PICTURES, ACCURACIES, CORRELATIONS, (0.0, GAIN)):
        drawn = Models.alike(accuracy, correlation, gain=gain).drawn(count, random, simulations=simulations)
        for kind, shares in held.items():
            holds = {each: getattr(said(*each, count), kind) for each in drawn}
            right = sum(times for each, times in drawn.items() if holds[each][0] <= gain <= holds[each][1])
            shares.append(100 * right / simulations)
    yield "intervals that hold the difference", HELD_BAR, float(np.mean(held["interval"]))
    yield "the same, worst case", WORST_BAR, min(held["interval"])
    yield "plain (Wald) intervals", None, float(np.mean(held["wald"]))
    yield "the same, worst case", None, min(held["wald"])


def _series(random: np.random.Generator, simulations: int) -> Iterator[Row]:
    """How often equal models are told apart on series of 1 to 9 pictures, counted as series and as single pictures."""
    apart = Counter[str]()
    for _ in range(simulations):
        sizes = random.integers(1, COPIES + 1, SERIES)
        kinds = random.choice(3, SERIES, p=[0.05, 0.05, 0.9])
        won, lost = (np.repeat(kinds == kind, sizes) for kind in (0, 1))
        numbers = np.repeat(np.arange(SERIES), sizes)
        apart["series"] += paired(lost, won, series=numbers).verdict != "no difference"
        apart["single"] += paired(lost, won).verdict != "no difference"
    yield "equal, series", SERIES_BAR, 100 * apart["series"] / simulations
    yield "equal, series taken for single pictures", None, 100 * apart["single"] / simulations


def _found(random: np.random.Generator, simulations: int) -> Iterator[Row]:
    """How often a gain is found."""

    def share(models: Models, count: int, kind: str) -> float:
        drawn = models.drawn(count, random, simulations=simulations)
        return 100 * sum(times for each, times in drawn.items() if getattr(said(*each, count), kind)) / simulations

    for gain in (0.02, 0.035, 0.05):
        models = Models.of(DIFFERING, gain)
        points = f"{100 * gain:g} points better"
        yield f"{points}, {TEST} pictures, compare", None, share(models, TEST, "apart")
    least = 100.0
    for count, differing in itertools.product(PICTURES, (0.02, 0.1, 0.3)):
        each = round(differing * count / 2)
        gain = Comparison(won=each, lost=each, count=count).smallest_seen
        assert gain is not None
        least = min(least, share(Models.of((2 * each + 2) / (count + 2), gain), count, "apart"))
    yield "the smallest difference that is seen", SMALLEST_BAR, least


def _detectors(pictures: int, simulations: int) -> Iterator[Row]:
    """How often two equal detectors are told apart, and how often by the percentiles of the resamples."""
    apart = Counter[str]()
    for found, before, after in detector_pairs(pictures, gain=0.0, simulations=simulations, seed=SEED):
        apart["compare"] += found.verdict != "no difference"
        weights = drawn_anew(np.arange(pictures), np.random.default_rng(SEED), resamples=200)
        low, high = np.quantile(
            Resamples.of(after, weights).map50_95 - Resamples.of(before, weights).map50_95, [0.025, 0.975]
        )
        apart["percentiles"] += not low <= 0 <= high
    yield f"equal detectors, {pictures} pictures", BOXES_BAR, 100 * apart["compare"] / simulations
    yield f"the same, by percentiles, {pictures} pictures", None, 100 * apart["percentiles"] / simulations


def detector_pairs(
    pictures: int, *, gain: float, simulations: int, seed: int, draws: int = 200
) -> Iterator[tuple[BoxComparison, Matches, Matches]]:
    """Comparisons of two detectors on so many data sets, and what they found; the second has that much more skill."""
    random = np.random.default_rng(seed)
    for _ in range(simulations):
        truths, hard = random.integers(1, 4, (pictures, 1)), random.normal(size=pictures)
        before, after = (_detected(truths, hard, random, skill=1.5 + more) for more in (0.0, gain))
        yield paired_boxes(before, after, random, draws=draws), before, after


def _detected(
    truths: NDArray[np.int64], hard: NDArray[np.float64], random: np.random.Generator, *, skill: float
) -> Matches:
    """What a detector finds: most things in easy pictures, at an overlap that its skill decides, and some that are not.

    truths: (pictures, 1) things to find. hard: (pictures,), the higher the fewer are found.
    """
    pictures = np.repeat(np.arange(len(truths)), truths[:, 0])
    sure = 1 / (1 + np.exp(hard[pictures] - skill - random.normal(size=len(pictures))))
    wrong = random.integers(len(truths), size=len(truths) // 2)
    reached = np.concatenate([np.clip(random.normal(6 * sure + 1, 2), 0, 10), np.zeros(len(wrong))]).astype(int)
    scores = np.concatenate([sure, random.random(len(wrong)) / 2])
    order = np.argsort(-scores, kind="stable")
    found = np.arange(len(THRESHOLDS))[:, None] < reached[order]
    zeros = np.zeros(len(order), np.int64)
    return Matches(
        thresholds=THRESHOLDS,
        pictures=np.concatenate([pictures, wrong])[order],
        indices=zeros,
        labels=zeros,
        scores=scores[order],
        truths=np.where(found, 0, -1),
        ignored=np.zeros_like(found),
        counted=truths,
    )


if __name__ == "__main__":
    main()
