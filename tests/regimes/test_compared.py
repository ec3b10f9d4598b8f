"""Two models compared on the same pictures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eyespot.data.copies import Hashed
from eyespot.data.data_set import Picture
from eyespot.regimes.answers import Answers
from eyespot.regimes.compared import Comparison, compared


def answers(right: list[int], *, names: list[int] | None = None) -> Answers:
    """Answers to pictures of class 1, which are right or not."""
    numbers = range(len(right)) if names is None else names
    logits = np.array([[0.0, 1.0] if each else [1.0, 0.0] for each in right])
    pictures = [Hashed(Picture(f"{number}.png", label="b"), content=f"{number:08x}") for number in numbers]
    return Answers(pictures, np.ones(len(right), np.int64), logits[None])


@pytest.mark.parametrize("seed", range(5))
def test_difference_and_error_are_mean_and_standard_error_of_the_paired_differences(seed):
    random = np.random.default_rng(seed)
    before, after = random.integers(0, 2, (2, 60))
    found = compared(answers(before.tolist()), answers(after.tolist()))
    assert found.difference == pytest.approx((after - before).mean())
    assert found.standard_error == pytest.approx(stats.sem(after - before, ddof=0))
    assert found.is_better == ((after - before).mean() > stats.sem(after - before, ddof=0))


def test_the_error_is_that_of_resampled_pictures():
    before, after = np.repeat([[1, 1], [0, 1], [1, 0], [0, 0]], [70, 20, 8, 2], axis=0).T
    found = compared(answers(before.tolist()), answers(after.tolist()))
    resampled = np.random.default_rng(0).choice(after - before, (20_000, len(after))).mean(axis=1)
    assert found.standard_error == pytest.approx(resampled.std(), rel=0.03)
    assert (found.won, found.lost, found.count, found.is_better) == (20, 8, 100, True)


@pytest.mark.parametrize(
    ("won", "lost", "is_better"),
    [(0, 0, False), (3, 3, False), (0, 3, False), (4, 2, False), (6, 2, True), (1, 0, False), (2, 0, True)],
)
def test_better_is_what_wins_by_more_than_the_error(won, lost, is_better):
    assert Comparison(won, lost, 100).is_better == is_better


def test_nothing_but_wins_has_no_error():
    assert Comparison(won=100, lost=0, count=100).standard_error == 0
    assert Comparison(won=100, lost=0, count=100).is_better


def test_only_pictures_that_both_have_answered_count_in_whatever_order_they_come():
    before = answers([1, 0, 0, 1], names=[1, 2, 3, 4])
    after = answers([0, 1, 1, 1], names=[9, 3, 2, 1])
    assert compared(before, after) == Comparison(won=2, lost=0, count=3)


def test_it_is_said_in_words():
    said = Comparison(won=7, lost=2, count=50).in_words("frozen")
    assert said == "7 more right and 2 more wrong than frozen: +10.0 points, standard error 5.8"
    assert "-6.0 points" in Comparison(won=0, lost=3, count=50).in_words("partial")
