"""Promises against their definition counted out, and against what they say of pictures to come."""

from __future__ import annotations

import numpy as np
import pytest

from eyespot.evaluate.promises import (
    HELD,
    REFUSED,
    class_set,
    fewest,
    least,
    least_of,
    probabilities_of_truth,
    promises,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("share", [*REFUSED, *(1 - held for held in HELD)])
@pytest.mark.parametrize("n", [1, 4, 9, 18, 19, 20, 48, 49, 98, 99, 100, 1000])
def test_the_least_score_is_the_largest_that_keeps_the_promise(rng, n, share):
    scores = rng.permutation(n).astype(float)  # their places in order, from 0
    kept = [score for score in range(n) if (score + 1) / (n + 1) <= share + 1e-12]
    assert least(scores, share) == (float(kept[-1]) if kept else None)


@pytest.mark.parametrize(("share", "n"), [(0.1, 9), (0.05, 19), (0.02, 49), (0.01, 99)])
def test_the_fewest_pictures_are_those_of_which_the_worst_may_be_refused(share, n):
    assert fewest(share) == n
    assert least(np.arange(n), share) == 0
    assert least(np.arange(n - 1), share) is None


def test_no_pictures_promise_nothing():
    assert promises([], REFUSED, below=True) == ()
    assert promises([], HELD, below=False) == ()


@pytest.mark.parametrize("n", [19, 60, 300])
def test_new_pictures_are_refused_no_more_often_than_promised(rng, n):
    share, draws = 0.05, 20_000
    scores = rng.gamma(2.0, size=(draws, n + 1))
    refused = np.mean([row[-1] < least(row[:-1], share) for row in scores])
    promised = np.floor(share * (n + 1)) / (n + 1)  # exact for scores that never tie
    assert abs(refused - promised) < 4 * np.sqrt(promised / draws)


@pytest.mark.parametrize("held", HELD)
def test_sets_of_new_pictures_hold_the_truth_as_often_as_promised(rng, held):
    """Probabilities that are far from calibrated: the promise does not need them to be."""
    n, classes = 4000, 5
    logits = rng.normal(size=(2 * n, classes))
    labels = np.array([rng.choice(classes, p=row / row.sum()) for row in np.exp(logits)])
    wrong = np.exp(3 * logits) / np.exp(3 * logits).sum(axis=1, keepdims=True)
    found = promises(probabilities_of_truth(wrong[:n], labels[:n]), [held], below=False)
    sets = [class_set(row, found[0].least) for row in wrong[n:]]
    holds = np.mean([label in each for each, label in zip(sets, labels[n:], strict=True)])
    assert holds > held - 4 * np.sqrt(held * (1 - held) / n) - 1 / n


def test_a_set_names_the_likeliest_first_and_is_never_empty():
    assert class_set(np.array([0.2, 0.5, 0.3]), 0.25) == [1, 2]
    assert class_set(np.array([0.2, 0.5, 0.3]), 0.6) == [1]


def test_a_promise_is_found_by_its_share():
    kept = promises(np.arange(200.0), HELD, below=False)
    assert [each.share for each in kept] == [*HELD]
    assert least_of(kept, 0.95) == 9  # the 10th smallest of 200
    assert least_of(kept, 0.5) is None
