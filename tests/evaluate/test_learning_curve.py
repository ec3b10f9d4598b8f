"""The curve against scipy's fit and worked numbers, its promise against simulated classifiers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

from eyespot.evaluate.learning_curve import FEWEST_PICTURES, LEAST_REACH, Curve, Tried, fit_curve, more_pictures

SIZES = np.array([300.0, 600, 900, 1200, 1500, 1800, 2400])


def simulated(curve: Curve, *, seed: int, pictures: int = 3000, turns: int = 5) -> Tried:
    """What classifiers with exactly these errors would answer, picture by picture: some pictures are always hard."""
    random = np.random.default_rng(seed)
    hard = random.uniform(0, 1, pictures)
    sizes = pictures * np.array([1, 2, 3, 4, 5, 6, 8]) / 10
    asked = random.binomial(turns, 1 - sizes[:, None] / pictures, (len(sizes), pictures))
    error = np.array([curve.error(size) for size in sizes])
    return Tried(sizes, asked, asked * (hard < error[:, None]))


@pytest.mark.parametrize("curve", [Curve(3, 0.5, 0.05), Curve(1, 0.3, 0), Curve(40, 1, 0.1)])
def test_without_noise_the_curve_comes_back(curve):
    errors = np.array([curve.error(size) for size in SIZES])
    found = fit_curve(SIZES, errors, np.full(7, 1000))
    for size in (300, 3000, 6000):
        assert found.error(size) == pytest.approx(curve.error(size), abs=1e-3)


def test_with_noise_it_is_scipys():
    answers = np.array([2700, 2400, 2100, 1800, 1500, 1200, 600])
    random = np.random.default_rng(3)
    share = 3 * SIZES**-0.5 + 0.05
    errors = random.binomial(answers, share) / answers
    found = fit_curve(SIZES, errors, answers)
    sigma = np.sqrt(errors * (1 - errors) / answers)
    (a, b, c), _ = curve_fit(
        lambda n, a, b, c: a * n**-b + c,
        SIZES,
        errors,
        p0=(3, 0.5, 0.05),
        sigma=sigma,
        bounds=((0, 0.1, 0), (99, 1.5, 1)),
    )
    twin = Curve(a, b, c)
    assert found.error(6000) == pytest.approx(twin.error(6000), abs=2e-4)


def test_an_error_that_does_not_fall_promises_nothing():
    rising = fit_curve(SIZES, np.linspace(0.1, 0.2, 7), np.full(7, 500))
    assert rising.error(3000) - rising.error(6000) == 0
    perfect = fit_curve(SIZES, np.zeros(7), np.full(7, 500))
    assert perfect.error(3000) == 0


@pytest.mark.parametrize("curve", [Curve(3, 0.5, 0.05), Curve(1.5, 0.35, 0), Curve(60, 1, 0.1)])
def test_the_gain_is_right_on_average_and_the_band_holds_it(curve):
    true = curve.error(3000) - curve.error(6000)
    found = [more_pictures(simulated(curve, seed=seed), seed=seed) for seed in range(12)]
    assert np.mean([each.gain for each in found if each]) == pytest.approx(true, abs=0.006)
    assert sum(each.low <= true <= each.high for each in found if each) >= 11


def test_the_band_reaches_far_enough_and_the_sentence_says_it():
    more = more_pictures(simulated(Curve(3, 0.5, 0.05), seed=0), seed=0)
    assert more is not None
    assert more.high - more.gain >= LEAST_REACH
    assert more.gain - more.low >= LEAST_REACH
    low, high = max(100 * more.low, 0), 100 * more.high
    assert str(more.expected) == (
        f"with twice as many pictures expect {100 * more.gain:+.1f} points ({low:.1f} to {high:.1f})"
    )
    assert [size for size, _ in more.points] == SIZES.tolist()
    assert more_pictures(simulated(Curve(3, 0.5, 0.05), seed=0), seed=0) == more


def test_series_that_are_drawn_together_make_the_band_wider(monkeypatch):
    monkeypatch.setattr("eyespot.evaluate.learning_curve.FEWEST_PICTURES", 60)
    one = simulated(Curve(2, 0.5, 0.05), seed=1, pictures=60)
    series = Tried(one.sizes * 50, np.repeat(one.asked, 50, axis=1), np.repeat(one.wrong, 50, axis=1))
    group = np.repeat(np.arange(60), 50)
    apart, together = more_pictures(series, seed=0), more_pictures(series, seed=0, group=group)
    assert together.high - together.low > apart.high - apart.low


def test_too_few_pictures_promise_nothing():
    assert more_pictures(simulated(Curve(3, 0.5, 0), seed=0, pictures=FEWEST_PICTURES - 1), seed=0) is None
