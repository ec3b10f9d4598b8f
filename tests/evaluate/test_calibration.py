"""Temperature and calibration error against scipy, a grid, and worked numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit, log_softmax, softmax

from eyespot.evaluate.calibration import (
    HIGHEST,
    LOWEST,
    calibration,
    calibration_bins,
    error_by_chance,
    expected_calibration_error,
    fit_temperature,
    probabilities,
)


def drawn(seed: int, *, n: int = 400, classes: int = 5, temperature: float = 1.0):
    """Logits and labels for which `temperature` is right by construction."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, classes))
    labels = np.array([rng.choice(classes, p=p) for p in softmax(logits, axis=1)])
    return logits * temperature, labels


def loss(logits, labels, temperature, output="softmax"):
    rows = np.arange(len(labels))
    if output == "softmax":
        return -log_softmax(logits / temperature, axis=1)[rows, labels].mean()
    truth = np.zeros_like(logits)
    truth[rows, labels] = 1
    return -(truth * log_expit(logits / temperature) + (1 - truth) * log_expit(-logits / temperature)).mean()


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_temperature_agrees_with_scipy(output, temperature):
    logits, labels = drawn(1, temperature=temperature)
    theirs = minimize_scalar(
        lambda log_t: loss(logits, labels, np.exp(log_t), output),
        bounds=np.log([LOWEST, HIGHEST]),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert fit_temperature(logits, labels, output=output) == pytest.approx(np.exp(theirs.x), rel=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 60), classes=st.integers(2, 6), size=st.floats(0.01, 100))
def test_no_temperature_on_a_grid_is_better(seed, n, classes, size):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(0, size, (n, classes)), rng.integers(0, classes, n)
    fitted = fit_temperature(logits, labels)
    assert LOWEST <= fitted <= HIGHEST
    if (logits.argmax(axis=1) == labels).all():
        assert fitted == 1
        return
    grid = np.geomspace(LOWEST, HIGHEST, 300)
    assert loss(logits, labels, fitted) <= min(loss(logits, labels, t) for t in grid) + 1e-9


def test_the_temperature_that_made_the_logits_is_found_again():
    logits, labels = drawn(2, n=5000, temperature=3.0)
    assert fit_temperature(logits, labels) == pytest.approx(3.0, rel=0.05)


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        (np.zeros((0, 3)), []),
        ([[9.0, 0.0]], [1]),
        ([[9.0, 0.0], [0.0, 9.0]], [0, 1]),
        (np.ones((4, 3)), [0, 1, 2, 2]),
    ],
    ids=["no picture", "one picture", "all right", "all logits equal"],
)
def test_the_logits_are_left_alone_where_the_data_cannot_say(logits, labels):
    assert fit_temperature(logits, labels) == 1


def test_all_wrong_ends_at_the_upper_bound():
    assert fit_temperature([[9.0, 0.0], [0.0, 9.0]], [1, 0]) == pytest.approx(HIGHEST, rel=1e-6)


def test_huge_logits_neither_overflow_nor_leave_the_bounds():
    logits, labels = drawn(3, temperature=1e6)
    assert fit_temperature(logits, labels) == pytest.approx(HIGHEST, rel=1e-6)


def test_probabilities_agree_with_scipy():
    logits = np.random.default_rng(0).normal(0, 200, (20, 4))
    np.testing.assert_allclose(probabilities(logits, temperature=2), softmax(logits / 2, axis=1), rtol=1e-12)
    np.testing.assert_allclose(probabilities(logits, output="sigmoid"), expit(logits), rtol=1e-12)


def test_calibration_error_worked_by_hand():
    # 4 answers at 0.95 of which 3 right (distance 0.20), 1 answer at 0.55 that is right (distance 0.45)
    bins = calibration_bins([0.95, 0.95, 0.55, 0.95, 0.95], [1, 1, 1, 1, 0])
    assert [(b.low, b.high, b.n) for b in bins] == [(0.5, 0.6, 1), (0.9, 1.0, 4)]
    assert expected_calibration_error(bins) == pytest.approx((4 * 0.20 + 1 * 0.45) / 5)


def test_certainty_belongs_to_the_last_tenth():
    (only,) = calibration_bins([1.0, 1.0], [True, True])
    assert (only.low, only.high, only.confidence, only.accuracy) == (0.9, 1.0, 1.0, 1.0)


def test_error_by_chance_is_what_perfect_calibration_shows_on_average():
    rng = np.random.default_rng(4)
    confidences = np.repeat([0.55, 0.75, 0.95], 200)
    draws = [calibration_bins(confidences, rng.random(600) < confidences) for _ in range(400)]
    mean = np.mean([expected_calibration_error(bins) for bins in draws])
    assert error_by_chance(draws[0]) == pytest.approx(mean, rel=0.05)


def test_calibration_reports_both_sides_of_the_temperature():
    logits, labels = drawn(5, n=3000, temperature=2.5)
    record = calibration(logits, labels, fit_temperature(logits, labels), "these pictures")
    assert record.ece_after < record.ece_before
    assert sum(b.n for b in record.bins_before) == sum(b.n for b in record.bins_after) == record.n == 3000
    assert record.ece_before == pytest.approx(expected_calibration_error(record.bins_before))
    assert record.fitted_on == "these pictures"
