"""Which of two models is better: against scipy, published figures, every case of few pictures, and simulations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from eyespot.evaluate.paired import Comparison, Counts, holm, paired, power, smallest_seen

Z = stats.norm.ppf(0.975)


def mid_p(won: int, lost: int) -> float:
    """Fagerland and others 2013, equation 5."""
    n = won + lost
    return float(2 * stats.binom.cdf(min(won, lost), n, 0.5) - stats.binom.pmf(min(won, lost), n, 0.5))


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (1, 0), (3, 3), (4, 2), (6, 0), (2, 9), (25, 10), (400, 350)])
def test_p_is_mcnemars_mid_p(won, lost):
    found = Comparison(won, lost, 1000)
    assert found.p == pytest.approx(min(1, mid_p(won, lost)))
    above, just = stats.binom.sf(won, won + lost, 0.5), stats.binom.pmf(won, won + lost, 0.5)
    assert found.p_better == pytest.approx(above + just / 2)


def test_p_of_a_published_example():
    """Of 21 children 7 lost and 1 gained an over-sensitive airway: mid-p 0.0391 (Fagerland 2013)."""
    assert Comparison(won=7, lost=1, count=21).p == pytest.approx(0.0391, abs=5e-5)


@pytest.mark.parametrize(("won", "lost", "count"), [(0, 0, 1), (0, 0, 372), (25, 10, 341), (4, 9, 50), (60, 0, 60)])
def test_the_interval_is_that_of_bonett_and_price(won, lost, count):
    first, second = (won + 1) / (count + 2), (lost + 1) / (count + 2)
    middle = first - second
    reach = Z * np.sqrt((first + second - middle**2) / (count + 2))
    found = Comparison(won, lost, count)
    assert found.difference == found.gain.value == (won - lost) / count
    assert (
        found.interval
        == (found.gain.low, found.gain.high)
        == pytest.approx((max(-1, middle - reach), min(1, middle + reach)))
    )


def test_with_series_p_counts_every_way_in_which_a_coin_could_have_fallen():
    series = (Counts(4, 1, 5), Counts(0, 2, 2), Counts(1, 1, 3), Counts(2, 0, 6))
    found = Comparison(won=3 + 7, lost=1 + 4, count=50, series=series)
    nets = [1, 1, 1, -1, 3, -2, 0, 2]  # of pictures by themselves, then of series
    sums = [sum(np.abs(nets) * signs) for signs in itertools.product([-1, 1], repeat=len(nets))]
    expected = np.mean([(each > sum(nets)) + (each == sum(nets)) / 2 for each in sums])
    assert found.p_better == pytest.approx(expected)
    assert found.p == pytest.approx(2 * expected)


def test_series_whose_pictures_are_one_picture_count_as_one():
    """Every picture five times: the same question as each once, and the same answer."""
    random = np.random.default_rng(0)
    before, after = random.random((2, 60)) < [[0.8], [0.9]]
    once = paired(before, after)
    copied = paired(np.repeat(before, 5), np.repeat(after, 5), series=np.repeat(np.arange(60), 5))
    assert (copied.won, copied.lost, copied.count) == (5 * once.won, 5 * once.lost, 300)
    assert (copied.p, copied.p_better) == pytest.approx((once.p, once.p_better))
    assert copied.interval == pytest.approx(once.interval)
    assert copied.smallest_seen == pytest.approx(once.smallest_seen)


def test_pictures_are_put_into_their_series():
    found = paired([1, 1, 0, 0, 0, 1], [1, 0, 1, 1, 1, 0], series=[7, 5, 3, 3, 4, 3])
    assert found == Comparison(won=3, lost=2, count=6, series=(Counts(2, 1, 3),))
    assert paired([1, 0], [1, 1]) == paired([1, 0], [1, 1], series=[1, 2]) == Comparison(1, 0, 2)


def rates(*, of: int, copies: int, differing: float, gain: float = 0.0, simulations: int = 400) -> dict[str, float]:
    """How often what is said of simulated models holds: each of `of` series has 1 to `copies` pictures, alike."""
    random = np.random.default_rng(of + copies)
    better = covered = different = 0
    for _ in range(simulations):
        sizes = random.integers(1, copies + 1, of)
        kinds = random.choice(3, of, p=[(differing + gain) / 2, (differing - gain) / 2, 1 - differing])
        won, lost = (np.repeat(kinds == kind, sizes) for kind in (0, 1))
        found = paired(lost, won, series=np.repeat(np.arange(of), sizes))
        better += found.is_better
        different += found.verdict != "no difference"
        covered += found.interval[0] <= gain <= found.interval[1]
    return {"better": better / simulations, "different": different / simulations, "covered": covered / simulations}


@pytest.mark.parametrize(("of", "copies"), [(300, 1), (100, 9)])
def test_equal_models_are_seldom_told_apart_and_intervals_hold_the_difference(of, copies):
    found = rates(of=of, copies=copies, differing=0.1)
    assert found["better"] <= 0.08
    assert found["different"] <= 0.08
    assert found["covered"] >= 0.92
    assert rates(of=of, copies=copies, differing=0.2, gain=0.1)["covered"] >= 0.92


def exact_power(gain: float, differing: float, count: int) -> float:
    found = 0.0
    for of in range(count + 1):
        won = np.arange(of + 1)
        midway = stats.binom.sf(won, of, 0.5) + stats.binom.pmf(won, of, 0.5) / 2
        seen = stats.binom.pmf(won, of, (1 + gain / differing) / 2)[2 * midway < 0.05].sum()
        found += stats.binom.pmf(of, count, differing) * seen
    return found


@pytest.mark.parametrize(("gain", "differing", "count"), [(0.02, 0.06, 372), (0.05, 0.1, 372), (0.1, 0.3, 100)])
def test_power_is_how_often_a_gain_is_found(gain, differing, count):
    assert power(gain, differing=differing, count=count) == pytest.approx(exact_power(gain, differing, count), abs=0.03)


@pytest.mark.parametrize(("differing", "count"), [(0.005, 372), (0.03, 372), (0.1, 372), (0.2, 100), (0.1, 30)])
def test_the_smallest_difference_that_is_seen_is_found_in_four_of_five_cases_or_more(differing, count):
    gain = smallest_seen(differing=differing, count=count)
    assert 0.79 < exact_power(gain, max(gain, differing), count) < 0.92


def test_too_few_pictures_show_no_difference_at_all():
    assert Comparison(won=3, lost=0, count=3).smallest_seen is None
    assert Comparison(won=3, lost=0, count=3).verdict == "no difference"


@pytest.mark.parametrize(
    ("won", "lost", "count", "better", "worse", "same"),
    [
        (4, 0, 15, True, False, False),
        (3, 0, 15, False, False, False),
        (7, 2, 300, False, False, False),
        (8, 2, 300, True, False, False),
        (0, 0, 15, False, False, False),
        (0, 0, 30, False, False, True),
        (1, 1, 300, False, False, False),
        (3, 49, 341, False, True, False),
    ],
)
def test_one_rule_says_what_is_better_worse_and_the_same(won, lost, count, better, worse, same):
    found = Comparison(won, lost, count)
    assert (found.is_better, found.is_worse, found.is_the_same) == (better, worse, same)


@pytest.mark.parametrize(
    ("won", "lost", "verdict"), [(5, 0, "better"), (4, 0, "no difference"), (0, 5, "worse"), (9, 9, "no difference")]
)
def test_where_nobody_asked_for_one_of_the_two_both_directions_count(won, lost, verdict):
    assert Comparison(won, lost, 100).verdict == verdict


def test_the_smallest_of_several_p_is_multiplied_by_their_number_the_next_by_one_less():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.4, 0.6]) == pytest.approx([0.8, 0.8])
    assert holm([]) == []


def test_it_is_said_in_words():
    said = Comparison(won=7, lost=2, count=50).in_words("frozen")
    won = "7 right that frozen had wrong and 2 wrong that it had right"
    assert said == f"{won}: +10.0 points (95 % interval -2.6 to +21.8), p 0.055"
    assert "-6.0 points" in Comparison(won=0, lost=3, count=50).in_words("partial")
