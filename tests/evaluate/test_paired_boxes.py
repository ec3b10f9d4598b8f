"""Which of two detectors is better: against scipy, and on simulated ones that are equal or not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eyespot.evaluate.average_precision import average_precision
from eyespot.evaluate.box_matches import THRESHOLDS, Matches
from eyespot.evaluate.paired_boxes import paired_boxes, t_quantile


def simulated(truths: np.ndarray, hard: np.ndarray, random: np.random.Generator, *, skill: float = 1.5) -> Matches:
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


def pairs(pictures: int, *, gain: float, simulations: int, seed: int = 0):
    """The comparisons of two detectors in so many data sets; the second has that much more skill."""
    random = np.random.default_rng(seed)
    for _ in range(simulations):
        truths, hard = random.integers(1, 4, (pictures, 1)), random.normal(size=pictures)
        before, after = (simulated(truths, hard, random, skill=1.5 + more) for more in (0.0, gain))
        yield paired_boxes(before, after, random, draws=60), before, after


def test_values_are_differences_of_average_precision():
    [(found, before, after)] = pairs(20, gain=0.5, simulations=1)
    one, other = average_precision(before), average_precision(after)
    assert found.map50.value == pytest.approx(other.map50 - one.map50)
    assert found.map50_95.value == pytest.approx(other.map50_95 - one.map50_95)
    assert found.ap50 == (found.map50,)  # of the only class
    assert (found.first.precisions, found.second.precisions) == (one, other)


def test_equal_detectors_are_seldom_told_apart_and_better_ones_mostly_are():
    equal = [found.verdict for found, *_ in pairs(12, gain=0.0, simulations=60)]
    assert equal.count("no difference") >= 0.85 * len(equal)
    better = [found.verdict for found, *_ in pairs(40, gain=3.0, simulations=10)]
    assert better.count("better") >= 8


def test_a_detector_is_no_better_than_itself():
    [(_, before, _)] = pairs(10, gain=0.0, simulations=1)
    found = paired_boxes(before, before, np.random.default_rng(0), draws=50)
    assert found.verdict == "no difference"
    assert set(dict(found.map50_95).values()) == {0.0}


def test_one_picture_shows_nothing():
    [(found, *_)] = pairs(1, gain=3.0, simulations=1)
    assert (found.verdict, found.smallest_seen, found.map50.low, found.map50.high) == ("no difference", None, -1, 1)


@pytest.mark.parametrize("degrees", [3, 5, 9, 29, 71, 1000])
def test_the_quantile_is_students(degrees):
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=0.01)
