"""The interval against scipy, and against a figure worked by hand."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from eyespot.evaluate.intervals import wilson, wilson_fraction


@pytest.mark.parametrize(("correct", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (7, 9), (339, 372), (99_999, 100_000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_wilson_agrees_with_scipy(correct, n, confidence):
    theirs = binomtest(correct, n).proportion_ci(confidence_level=confidence, method="wilson")
    ours = wilson(correct, n, confidence=confidence)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert (ours.accuracy, ours.n) == (correct / n, n)


def test_half_of_ten_worked_by_hand():
    # z = 1.96, z^2 = 3.8416: centre 0.5, reach = 1.96 / 1.38416 * sqrt(0.025 + 0.009604) = 0.2634
    metric = wilson(5, 10)
    assert (metric.low, metric.high) == pytest.approx((0.2366, 0.7634), abs=5e-5)


def test_the_bounds_touch_the_share_when_all_or_none_are_right():
    assert wilson(0, 7).low == 0
    assert wilson(7, 7).high == 1


def test_a_mean_over_repeats_lies_between_its_neighbours():
    below, mean, above = wilson(17, 20), wilson_fraction(0.875, 20), wilson(18, 20)
    assert below.low < mean.low < above.low
    assert below.high < mean.high < above.high
    assert mean.accuracy == pytest.approx(0.875)


def test_a_perfect_mean_is_not_pushed_above_one_by_rounding():
    assert wilson_fraction(1.0, 49).high == 1


def test_no_picture_has_no_interval():
    with pytest.raises(AssertionError, match="at least one picture"):
        wilson(0, 0)
