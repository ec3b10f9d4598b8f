"""Which of two detectors is better: against scipy, and on simulated ones that are equal or not."""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from eyespot.evaluate.average_precision import average_precision
from eyespot.evaluate.box_matches import Matches
from eyespot.evaluate.paired_boxes import paired_boxes, t_quantile


@pytest.fixture
def pairs(monkeypatch) -> Any:
    """Comparisons of simulated detectors, those of the benchmark."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return partial(importlib.import_module("trust_compare").detector_pairs, seed=0, draws=60)


def test_values_are_differences_of_average_precision(pairs):
    [(found, before, after)] = pairs(20, gain=0.5, simulations=1)
    one, other = average_precision(before), average_precision(after)
    assert found.map50.value == pytest.approx(other.map50 - one.map50)
    assert found.map50_95.value == pytest.approx(other.map50_95 - one.map50_95)
    assert found.ap50 == (found.map50,)  # of the only class
    assert (found.first.precisions, found.second.precisions) == (one, other)


def test_equal_detectors_are_seldom_told_apart_and_better_ones_mostly_are(pairs):
    equal = [found.verdict for found, *_ in pairs(12, gain=0.0, simulations=60)]
    assert equal.count("no difference") >= 0.85 * len(equal)
    better = [found.verdict for found, *_ in pairs(40, gain=3.0, simulations=10)]
    assert better.count("better") >= 8


def test_a_detector_is_no_better_than_itself(pairs):
    [(_, before, _)] = pairs(10, gain=0.0, simulations=1)
    found = paired_boxes(before, before, np.random.default_rng(0), draws=50)
    assert found.verdict == "no difference"
    assert set(dict(found.map50_95).values()) == {0.0}


def test_pictures_that_are_one_picture_count_as_one(pairs):
    [(once, before, after)] = pairs(15, gain=0.5, simulations=1)
    copied = paired_boxes(
        *(tripled(each) for each in (before, after)), np.random.default_rng(1), series=np.tile(range(15), 3), draws=60
    )
    again = paired_boxes(before, after, np.random.default_rng(1), draws=60)
    assert dict(copied.map50_95) == pytest.approx(dict(again.map50_95))
    assert copied.smallest_seen == pytest.approx(again.smallest_seen)
    assert once.map50_95.value == pytest.approx(copied.map50_95.value)


def tripled(found: Matches) -> Matches:
    """The same of three copies of all pictures."""
    count = len(found.counted)
    pictures = np.concatenate([found.pictures + copy * count for copy in range(3)])
    order = np.argsort(-np.tile(found.scores, 3), kind="stable")
    return Matches(
        thresholds=found.thresholds,
        pictures=pictures[order],
        indices=np.tile(found.indices, 3)[order],
        labels=np.tile(found.labels, 3)[order],
        scores=np.tile(found.scores, 3)[order],
        truths=np.tile(found.truths, 3)[:, order],
        ignored=np.tile(found.ignored, 3)[:, order],
        counted=np.tile(found.counted, (3, 1)),
    )


def test_one_picture_shows_nothing(pairs):
    [(found, *_)] = pairs(1, gain=3.0, simulations=1)
    assert (found.verdict, found.smallest_seen, found.map50.low, found.map50.high) == ("no difference", None, -1, 1)


@pytest.mark.parametrize("degrees", [3, 5, 9, 29, 71, 1000])
def test_the_quantile_is_students(degrees):
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=0.01)
