"""Which scores of a run to trust first, and what the numbers mean, for someone who reads such for the first time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from eyespot.evaluate.calibration import error_by_chance
from eyespot.evaluate.lettering import shorten
from eyespot.records import Calibration, ClassMetric, Metric, PartMetrics, Scores
from eyespot.words import counted, some

Measured = Literal["test", "out-of-fold", "validation"]
FEWEST_PICTURES = 30
"""Below this many pictures a figure is no more than a first impression: its interval is over 20 points wide."""
WIDE_INTERVAL = 0.10
"""An interval wider than this is pointed out."""
FEW_PER_CLASS = 20
"""In a class with fewer pictures, one picture moves its recall by more than 5 points."""


class RunScores(Scores):
    """The scores that a bundle keeps, with what is told of them in the run's report."""

    out_of_fold_detail: PartMetrics | None
    """The answers of cross-validation per class, where they were kept."""
    out_of_fold_reason: str
    """Why cross-validation was run, as one sentence; empty if it was not."""


def most_trusted_first(scores: Scores) -> list[tuple[Measured, PartMetrics | Metric]]:
    """What was measured: on test, then out of fold, on a small test, on validation."""
    found: tuple[tuple[Measured, PartMetrics | Metric | None], ...] = (
        ("test", scores.test),
        ("out-of-fold", scores.out_of_fold),
        ("test", scores.small_test),
        ("validation", scores.validation),
    )
    return [(measured, each) for measured, each in found if each is not None]


def overall(score: PartMetrics | Metric) -> Metric:
    """The accuracy on all pictures of the part."""
    return score.overall if isinstance(score, PartMetrics) else score


def percent(share: float) -> str:
    """`91.1 %`, with a space that does not break; never rounded to 0 or 100 % unless it is that."""
    digits = 1
    while digits < 6 and 0 < share < 1 and float(f"{100 * share:.{digits}f}") in (0, 100):
        digits += 1
    return f"{100 * share:.{digits}f}\u00a0%"


def points(difference: float) -> str:
    """A difference of two percentages: `2.4 points`."""
    return f"{100 * difference:.1f}\u00a0points"


def accuracy_sentence(metric: Metric, measured: Measured) -> str:
    """How often the answer was right, and on which pictures."""
    if measured == "out-of-fold":
        return (
            f"Each of the {metric.n} pictures was answered by a network that had not trained on it: "
            f"{percent(metric.accuracy)} of the answers were right."
        )
    unseen = "which it had never seen" if measured == "test" else "which it did not train on"
    return (
        f"In {round(metric.accuracy * metric.n)} of {metric.n} {measured} pictures, {unseen}, "
        f"the answer was right: {percent(metric.accuracy)}."
    )


def interval_sentence(metric: Metric) -> str:
    """Where the true accuracy may lie."""
    return (
        f"With this many pictures the true figure lies between {percent(metric.low)} and {percent(metric.high)} "
        "(95\u00a0% interval: intervals made this way hold the true figure 95 times in 100)."
    )


def baseline_sentence(per_class: Sequence[ClassMetric]) -> str:
    """What guessing would achieve: always the largest class."""
    n = sum(c.support for c in per_class)
    largest = max(per_class, key=lambda c: c.support)
    share = percent(largest.support / n)
    return (
        f"For comparison: always answering the most frequent class, {shorten(largest.name)}, would be right in {share}."
    )


def limits(metric: Metric, per_class: Sequence[ClassMetric]) -> tuple[str, ...]:
    """What this many pictures do not allow to conclude; empty if there is nothing to warn of."""
    sentences = []
    width = metric.high - metric.low
    if metric.n < FEWEST_PICTURES:
        sentences.append(
            f"With only {counted(metric.n, 'picture')}, take the figure as a first impression, not as a measurement."
        )
    if width > WIDE_INTERVAL:
        sentences.append(
            f"The interval is {points(width)} wide. Two runs whose figures differ by less may be equally good; "
            "more held-back pictures make it narrower (four times as many, half as wide)."
        )
    if metric.accuracy == 1:
        sentences.append(
            f"No mistake among {counted(metric.n, 'picture')} does not mean that none will come: "
            f"with up to {percent(1 - metric.low)} mistakes on new pictures this result would be nothing unusual."
        )
    few = [c.name for c in per_class if 0 < c.support < FEW_PER_CLASS]
    if few:
        sentences.append(
            f"Fewer than {FEW_PER_CLASS} pictures were measured in {_some(few)}: "
            "one picture more or less moves such a class by more than 5 points."
        )
    none = [c.name for c in per_class if c.support == 0]
    if none:
        sentences.append(f"Nothing was measured for {_some(none)}: no pictures of that kind are in this part.")
    return tuple(sentences)


def temperature_sentence(temperature: float) -> str:
    """What the fitted temperature says about the network."""
    if temperature == 1:
        return "The temperature is 1: its confidence is left as it was."
    if temperature > 1.02:
        return (
            f"The temperature is {temperature:.2f}: the network was too sure of itself, so its confidence is lowered."
        )
    if temperature < 0.98:
        return f"The temperature is {temperature:.2f}: the network was too cautious, so its confidence is raised."
    return f"The temperature is {temperature:.2f}: the network's confidence needed hardly any change."


def calibration_sentence(calibration: Calibration) -> str:
    """How far confidence can be trusted, measured against what only chance would show."""
    chance = error_by_chance(calibration.bins_after)
    if calibration.ece_after <= 1.5 * chance:
        judgement = "so what remains is no more than chance explains"
    else:
        judgement = "so part of what remains is real: take its confidence as a rough guide"
    more = " The temperature brought no gain here." if calibration.ece_after > calibration.ece_before else ""
    if calibration.cross_fitted:
        more += (
            " No other pictures were left to measure this on, so it was measured by folds: the answers of each fold "
            "with a temperature fitted only on the other folds."
        )
    before, after = points(calibration.ece_before), points(calibration.ece_after)
    return (
        f"On {calibration.n} {calibration.measured_on}, confidence and accuracy lay {before} apart before and {after} "
        "after (expected calibration error, ECE). Even a perfect network would show "
        f"about {points(chance)} on this many pictures, {judgement}.{more}"
    )


def _some(names: Sequence[str]) -> str:
    """`one class (hat)` or `7 classes (hat, shirt, ... and 2 more)`."""
    listed = some([shorten(name) for name in names])
    return f"{'one class' if len(names) == 1 else f'{len(names)} classes'} ({listed})"
