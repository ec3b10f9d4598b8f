"""The paired test of two models' probabilities, against all turns of signs, and by simulation."""

from __future__ import annotations

import tracemalloc
from itertools import product

import numpy as np
import pytest

from eyespot.evaluate.likelihood import log_likelihoods, p_likelier

RANDOM = np.random.default_rng(0)


def test_p_is_the_share_of_all_turns_that_gain_as_much():
    gains = RANDOM.normal(0.3, 1, 12)
    turns = np.array(list(product((-1, 1), repeat=12))) @ gains
    expected = (turns >= gains.sum() - 1e-12).mean()
    assert p_likelier(np.zeros(12), gains) == pytest.approx(expected, abs=0.015)


def test_few_of_the_turns_are_held_at_a_time_and_they_are_those_of_one_seed():
    gains = np.random.default_rng(1).normal(0.02, 1, 2001)
    signs = np.random.default_rng(0).integers(0, 2, (9_999, 2001), dtype=np.int8)
    reached = int(((2 * signs - 1) @ gains >= gains.sum()).sum())
    tracemalloc.start()
    assert p_likelier(np.zeros(2001), gains) == (1 + reached) / 10_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e7


def test_models_that_answer_alike_are_not_told_apart():
    assert p_likelier(np.ones(5), np.ones(5)) == 1.0


def test_a_series_has_one_say():
    gains = np.concatenate([np.full(50, 0.5), RANDOM.normal(0, 1, 20)])
    series = np.concatenate([np.zeros(50), np.arange(1, 21)])
    assert p_likelier(np.zeros(70), gains) < 0.05
    assert p_likelier(np.zeros(70), gains, series=series) > 0.05


def test_log_likelihoods_are_those_at_the_best_temperature():
    labels = RANDOM.integers(0, 3, 200)
    logits = RANDOM.normal(size=(200, 3)) + 2 * np.eye(3)[labels]
    found = log_likelihoods(logits, labels)
    np.testing.assert_allclose(log_likelihoods(5 * logits, labels), found, atol=1e-3)
    assert found.mean() >= (logits - np.log(np.exp(logits).sum(1, keepdims=True)))[np.arange(200), labels].mean()


def test_of_two_equal_models_one_in_twenty_is_called_better():
    called = 0
    for _ in range(400):
        labels = RANDOM.integers(0, 4, 60)
        both = RANDOM.normal(size=(60, 4)) + 2 * np.eye(4)[labels]
        one, other = (both + RANDOM.normal(0, 1, both.shape) for _ in range(2))
        called += p_likelier(log_likelihoods(one, labels), log_likelihoods(other, labels)) < 0.05
    assert 8 <= called <= 34  # 20 are expected: 99.7 % of such simulations
