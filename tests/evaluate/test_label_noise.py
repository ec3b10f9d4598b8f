"""Wrong labels are fitted along with the temperature: known shares come out, and a brute-force search agrees."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from eyespot.evaluate.calibration import fit_temperature, probabilities
from eyespot.evaluate.doubts import is_suspicious
from eyespot.evaluate.label_noise import LabelNoise, believed, fit_noise


def answers(classes: int, *, temperature: float, noise: float, count: int = 4000, seed: int = 0):
    """Logits that are calibrated at this temperature, true classes, and labels of which some are any class."""
    random = np.random.default_rng(seed)
    logits = 3 * random.normal(size=(count, classes))
    shares = probabilities(logits)
    true = (shares.cumsum(axis=1) > random.random(count)[:, None]).argmax(axis=1)
    labels = np.where(random.random(count) < noise, random.integers(0, classes, count), true)
    return logits * temperature, true, labels


def log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float, noise: float) -> float:
    own = probabilities(logits, temperature=temperature)[np.arange(len(labels)), labels]
    return float(np.log((1 - noise) * own + noise / logits.shape[1]).sum())


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("noise", [0.0, 0.05, 0.2, 0.4])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_temperature_and_noise_are_found(classes, noise, temperature):
    logits, _, labels = answers(classes, temperature=temperature, noise=noise)
    found = fit_noise(logits, labels)
    assert found.temperature == pytest.approx(temperature, rel=0.2)
    assert found.surest <= found.temperature
    assert found.noise == pytest.approx(noise, abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_no_other_temperature_and_noise_is_likelier(seed):
    logits, _, labels = answers(3, temperature=1.5, noise=0.1, count=300, seed=seed)
    found, noises = fit_noise(logits, labels), np.linspace(0, 0.5, 501)
    best = log_likelihood(logits, labels, found.temperature, found.noise)
    temperatures = np.geomspace(0.05, 20, 60)
    assert best >= max(log_likelihood(logits, labels, t, e) for t in temperatures for e in noises[::10]) - 0.01
    surest = max(log_likelihood(logits, labels, found.surest, noise) for noise in noises)
    assert surest == pytest.approx(best - chi2(1).ppf(0.95) / 2, abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_with_two_classes_and_one_label_in_ten_wrong_the_wrong_ones_stay_doubtful(seed):
    """A temperature alone gives every wrong label about one chance in ten, and finds hardly any."""
    random = np.random.default_rng(seed)
    true = random.integers(0, 2, 1000)
    logits = np.eye(2)[true] * 8 + random.normal(size=(1000, 2))
    labels = np.where(random.random(1000) < 0.1, 1 - true, true)
    alone = probabilities(logits, temperature=fit_temperature(logits, labels))
    wrong, found = labels != true, is_suspicious(believed(logits, labels), labels)
    assert is_suspicious(alone, labels)[wrong].mean() < 0.2
    assert found[wrong].mean() > 0.9
    assert not found[~wrong].any()


def test_where_nothing_is_wrong_the_answers_are_as_they_are():
    logits, nothing = np.eye(3)[[0, 1, 2, 0]], LabelNoise(temperature=1.0, surest=1.0, noise=0.0)
    assert fit_noise(logits, [0, 1, 2, 0]) == nothing
    assert fit_noise(np.zeros((4, 3)), [0, 1, 2, 0]) == nothing
    assert fit_noise(logits[:1], [1]) == nothing
    assert fit_noise(np.zeros((0, 3)), []) == nothing


def test_scores_that_are_far_apart_do_no_harm():
    logits = np.array([[1e4, 0], [0, 1e4], [1e4, 0], [-1e4, 1e4]])
    assert np.isfinite(believed(logits, [0, 1, 1, 1])).all()
