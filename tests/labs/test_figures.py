"""Intervals, paired differences, and how many seeds would tell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from eyespot.labs.definition import ACCURACY, Both
from eyespot.labs.figures import Gains, interval, number, untold

VALUES = [0.9, 0.92, 0.95, 0.91, 0.93]


def rows(**arms):
    return [{"seed": s, "arm": arm, "score": value} for arm, values in arms.items() for s, value in enumerate(values)]


def test_without_shared_pictures_it_is_the_plain_t_interval():
    low, high = stats.t.interval(0.95, 4, np.mean(VALUES), stats.sem(VALUES))
    found = interval(VALUES, share=0)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_shared_training_pictures_make_it_wider():
    half = stats.t.ppf(0.975, 4) * np.std(VALUES, ddof=1) * math.sqrt(1.25 / 5)
    found = interval(VALUES, share=0.25)
    assert found.high - found.mean == pytest.approx(half)


def test_more_than_five_seeds_test_the_same_pictures_again_and_count_as_five():
    found = interval([*VALUES, *VALUES], share=0)
    half = stats.t.ppf(0.975, 9) * np.std([*VALUES, *VALUES], ddof=1) * math.sqrt(1 / 5)
    assert found.high - found.mean == pytest.approx(half)


def test_one_seed_has_no_ends_and_no_chance_has_no_width():
    assert math.isinf(interval([0.5], share=0.2).high)
    assert interval([0.5], share=0.2, exact=True).low == 0.5
    assert interval([0.5, 0.5], share=0.2).high == 0.5


@pytest.mark.parametrize("apart", [0.0, 0.1])
def test_seeds_that_agree_on_few_test_pictures_say_little(apart):
    """Not even where rounding makes them a little different."""
    gain = Gains(rows(a=[0.6, 0.8], b=[0.6 + apart, 0.8 + apart]), share=0.25, tests={"score": 6})
    found = gain("score", "b", over="a")
    assert not found.within(0.03)
    assert not found.up
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, 1) / 6 * math.sqrt(1.25 / 2))


def test_rounding_is_no_spread():
    assert interval([0.8 - 0.6, 1.0 - 0.8], share=0.25).high == pytest.approx(0.2, abs=1e-15)


def test_differences_are_paired_by_seed():
    noise = [0.0, 5.0, -3.0, 8.0, 1.0]
    gain = Gains(rows(a=noise, b=[each + 1 for each in noise]), share=0.25)
    assert gain("score", "b", over="a").low == pytest.approx(1)
    assert gain("score", "a").high > 5


def test_a_share_is_never_below_0_or_above_1():
    gain = Gains(rows(a=[0.9, 1.0, 0.99]), share=0.25, bounded=["score"])
    assert gain("score", "a").high == 1


def test_so_many_seeds_would_tell():
    values = [0.0, 0.2, 0.1]
    found = interval(values, share=0)
    needed = found.seeds_needed()
    assert not found.up
    assert stats.t.ppf(0.975, needed - 1) * 0.1 * math.sqrt(1 / 5) < 0.1
    assert stats.t.ppf(0.975, needed - 2) * 0.1 * math.sqrt(1 / 5) > 0.1
    assert f"about {needed}" in untold(found).said.en
    assert f"{needed} 个" in untold(found).said.zh


def test_more_seeds_do_not_help_where_the_same_pictures_come_again():
    found = interval([0.0, 0.2, 0.1, 0.3, -0.2], share=0)
    assert found.seeds_needed() is None
    assert "more pictures" in untold(found).said.en


def test_numbers_and_texts_are_said_in_both_languages():
    text = Both("by {a} of {b}", "{b} 中的 {a}").filled(a=interval(VALUES, share=0), b=7)
    assert text.en == "by 0.922 (0.898 to 0.946) of 7"
    assert text.zh == "7 中的 0.922（0.898 至 0.946）"
    assert ACCURACY.to("zh") == "测试准确率"
    assert [number(each) for each in (12345678, 0.00012, -0.5, 1234.5, 3.0)] == [
        "12,345,678",
        "1.2e-04",
        "-0.5",
        "1,234",
        "3",
    ]
