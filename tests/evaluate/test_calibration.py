"""Temperature and calibration error against scipy, a grid, and worked numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from eyespot.errors import NetworkError
from eyespot.evaluate.calibration import (
    HIGHEST,
    LOWEST,
    calibration,
    calibration_bins,
    cross_fitted,
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


def loss(logits, labels, temperature):
    return -log_softmax(logits / temperature, axis=1)[np.arange(len(labels)), labels].mean()


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_temperature_agrees_with_scipy(temperature):
    logits, labels = drawn(1, temperature=temperature)
    theirs = minimize_scalar(
        lambda log_t: loss(logits, labels, np.exp(log_t)),
        bounds=np.log([LOWEST, HIGHEST]),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert fit_temperature(logits, labels) == pytest.approx(np.exp(theirs.x), rel=1e-5)


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


def test_calibration_error_worked_by_hand():
    # 4 answers at 0.95 of which 3 right (distance 0.20), 1 answer at 0.55 that is right (distance 0.45)
    bins = calibration_bins([0.95, 0.95, 0.55, 0.95, 0.95], [1, 1, 1, 1, 0])
    assert [(b.low, b.high, b.n) for b in bins] == [(0.5, 0.6, 1), (0.9, 1.0, 4)]
    assert expected_calibration_error(bins) == pytest.approx((4 * 0.20 + 1 * 0.45) / 5)


def test_certainty_belongs_to_the_last_tenth():
    (only,) = calibration_bins([1.0, 1.0], [True, True])
    assert (only.low, only.high, only.confidence, only.accuracy) == (0.9, 1.0, 1.0, 1.0)


def test_answers_of_one_series_explain_more_by_chance():
    """Of twenty pairs of the same picture chance knows twenty, not forty."""
    sure, right, pairs = np.full(40, 0.8), np.arange(40) % 10 < 8, np.arange(40) // 2
    alone, paired = calibration_bins(sure, right), calibration_bins(sure, right, group=pairs)
    assert [each.worth for each in (*alone, *paired)] == [None, 20.0]
    assert error_by_chance(paired) == pytest.approx(2**0.5 * error_by_chance(alone))


def test_error_by_chance_is_what_perfect_calibration_shows_on_average():
    rng = np.random.default_rng(4)
    confidences = np.repeat([0.55, 0.75, 0.95], 200)
    draws = [calibration_bins(confidences, rng.random(600) < confidences) for _ in range(400)]
    mean = np.mean([expected_calibration_error(bins) for bins in draws])
    assert error_by_chance(draws[0]) == pytest.approx(mean, rel=0.05)


def test_each_fold_is_divided_by_the_temperature_of_the_others():
    logits, labels = drawn(6, n=90, temperature=2.0)
    fold = np.arange(90) % 3
    divided = cross_fitted(logits, labels, fold)
    for each in range(3):
        others = fit_temperature(logits[fold != each], labels[fold != each])
        np.testing.assert_allclose(divided[fold == each], logits[fold == each] / others)


def test_a_pictures_own_truth_decides_nothing_about_its_cross_fitted_confidence():
    logits, labels = drawn(7, n=20)
    fold = np.arange(20) % 5
    changed = labels.copy()
    changed[fold == 2] = (labels[fold == 2] + 1) % 5
    np.testing.assert_array_equal(
        cross_fitted(logits, labels, fold)[fold == 2], cross_fitted(logits, changed, fold)[fold == 2]
    )


def test_few_answers_look_better_calibrated_by_their_own_temperature_than_by_that_of_other_folds():
    """The flattery that cross-fitting takes away, over many small data sets; the truth is known by construction."""
    likelihoods = []
    for seed in range(60):
        logits, labels = drawn(seed, n=12, temperature=3.0)
        own = fit_temperature(logits, labels)
        new_logits, new_labels = drawn(1000 + seed, n=500, temperature=3.0)
        divided = cross_fitted(logits, labels, np.arange(12) % 4)
        likelihoods.append((loss(logits, labels, own), loss(divided, labels, 1.0), loss(new_logits, new_labels, own)))
    in_sample, by_folds, on_new = np.mean(likelihoods, axis=0)
    assert in_sample < on_new
    assert abs(by_folds - on_new) < abs(in_sample - on_new)


def test_calibration_by_folds_says_so_and_measures_the_cross_fitted_answers():
    logits, labels = drawn(8, n=50, temperature=3.0)
    fold = np.arange(50) % 5
    record = calibration(logits, labels, 2.0, "these very pictures", fold=fold)
    confidence = probabilities(cross_fitted(logits, labels, fold)).max(axis=1)
    assert record.cross_fitted
    assert record.bins_after == calibration_bins(confidence, logits.argmax(axis=1) == labels)
    assert not calibration(logits, labels, 2.0, "others").cross_fitted


def test_calibration_reports_both_sides_of_the_temperature():
    logits, labels = drawn(5, n=3000, temperature=2.5)
    record = calibration(logits, labels, fit_temperature(logits, labels), "these pictures")
    assert record.ece_after < record.ece_before
    assert sum(b.n for b in record.bins_before) == sum(b.n for b in record.bins_after) == record.n == 3000
    assert record.ece_before == pytest.approx(expected_calibration_error(record.bins_before))
    assert record.fitted_on == "these pictures"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused_in_a_sentence(value):
    logits, labels = drawn(0)
    logits[7, 2] = value
    with pytest.raises(NetworkError, match=r"scores are no numbers.*lower learning rate"):
        fit_temperature(logits, labels)
