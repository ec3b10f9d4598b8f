"""Figures of several labels per picture, against scikit-learn, a slow twin and draws whose truth is known."""

import numpy as np
import pytest
from sklearn import metrics as sk

from eyespot.evaluate.multilabel import average_precision, best_thresholds, multilabel_scores
from eyespot.evaluate.platt import fit_platt

NAMES = ["a", "b", "c", "d"]


def drawn(count: int, seed: int, *, decimals: int = 8) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truths = random.random((count, 4)) < [0.1, 0.3, 0.5, 0.7]
    chances = 1 / (1 + np.exp(-(1.5 * truths - 0.5 + random.normal(size=truths.shape))))
    return truths, chances.round(decimals)


@pytest.mark.parametrize("decimals", [1, 8])  # with equal probabilities, and without
def test_average_precision_and_f1_are_those_of_scikit_learn(decimals):
    truths, chances = drawn(200, seed=1, decimals=decimals)
    said = chances >= 0.5
    scores = multilabel_scores(truths, chances, NAMES, thresholds=np.full(4, 0.5))
    for k, each in enumerate(scores.per_class):
        assert each.ap.value == pytest.approx(sk.average_precision_score(truths[:, k], chances[:, k]))
        assert each.f1.value == pytest.approx(sk.f1_score(truths[:, k], said[:, k]))
        assert each.precision == pytest.approx(sk.precision_score(truths[:, k], said[:, k]))
    assert scores.map.value == pytest.approx(sk.average_precision_score(truths, chances, average="macro"))
    assert scores.micro_ap.value == pytest.approx(sk.average_precision_score(truths, chances, average="micro"))
    assert scores.macro_f1.value == pytest.approx(sk.f1_score(truths, said, average="macro"))
    assert scores.micro_f1.value == pytest.approx(sk.f1_score(truths, said, average="micro"))
    assert scores.hamming_loss.value == pytest.approx(sk.hamming_loss(truths, said))
    assert scores.exact_match.value == pytest.approx(sk.accuracy_score(truths, said))


def test_a_weight_counts_a_picture_so_many_times():
    truths, chances = drawn(60, seed=2)
    weights = np.random.default_rng(0).integers(0, 4, (3, 60))
    found = average_precision(truths[:, 1], chances[:, 1], weights.astype(float))
    repeated = [
        sk.average_precision_score(np.repeat(truths[:, 1], row), np.repeat(chances[:, 1], row)) for row in weights
    ]
    assert found == pytest.approx(repeated)


def test_thresholds_have_the_best_f1_of_all():
    truths, chances = drawn(80, seed=3, decimals=2)
    for k, threshold in enumerate(best_thresholds(truths, chances)):
        tried = [sk.f1_score(truths[:, k], chances[:, k] >= each) for each in np.unique(chances[:, k])]
        assert sk.f1_score(truths[:, k], chances[:, k] >= threshold) == pytest.approx(max(tried))


def test_a_label_that_too_few_pictures_have_is_not_tuned():
    truths = np.zeros((9, 2), bool)
    truths[0, 0] = True
    assert best_thresholds(truths, np.full((9, 2), 0.1)).tolist() == [0.5, 0.5]


def test_a_label_that_is_guessed_is_not_answered_always():
    random = np.random.default_rng(9)
    truths = random.random((100, 1)) < 0.3
    guesses = random.uniform(0.25, 0.35, (100, 1))
    assert best_thresholds(truths, guesses).tolist() == [0.5]
    assert best_thresholds(truths, guesses + 0.2 * truths)[0] < 0.5


def test_what_was_not_there_is_not_measured():
    truths, chances = drawn(50, seed=4)
    truths[:, 0] = False
    scores = multilabel_scores(truths, chances, NAMES, thresholds=np.full(4, 0.5))
    absent = scores.per_class[0]
    assert (absent.support, absent.ap, absent.recall, absent.f1) == (0, None, None, None)
    assert scores.map.value == pytest.approx(np.mean([each.ap.value for each in scores.per_class[1:]]))
    nothing = multilabel_scores(np.zeros((5, 4), bool), chances[:5], NAMES, thresholds=np.full(4, 0.5))
    assert (nothing.map.value, nothing.recall) == (0, None)


def test_a_series_counts_once_in_intervals():
    truths, chances = drawn(40, seed=5)
    alone = multilabel_scores(truths, chances, NAMES, thresholds=np.full(4, 0.5))
    twice = multilabel_scores(
        np.repeat(truths, 3, axis=0),
        np.repeat(chances, 3, axis=0),
        NAMES,
        thresholds=np.full(4, 0.5),
        series=np.repeat(np.arange(40), 3),
    )
    for name in ("map", "micro_f1", "exact_match"):
        assert getattr(twice, name).model_dump() == pytest.approx(getattr(alone, name).model_dump())
    assert twice.per_class[1].ap.model_dump() == pytest.approx(alone.per_class[1].ap.model_dump())


def test_intervals_hold_the_true_figures():
    many = drawn(100_000, seed=6)
    true_ap = [average_precision(many[0][:, k], many[1][:, k])[0] for k in range(4)]
    true_f1 = [sk.f1_score(many[0][:, k], many[1][:, k] >= 0.5) for k in range(4)]
    held = {"ap": [], "f1": [], "map": []}
    for seed in range(60):
        scores = multilabel_scores(*drawn(150, seed=1000 + seed), NAMES, thresholds=np.full(4, 0.5))
        held["map"].append(scores.map.low <= np.mean(true_ap) <= scores.map.high)
        for k, each in enumerate(scores.per_class):
            held["ap"].append(each.ap.low <= true_ap[k] <= each.ap.high)
            held["f1"].append(each.f1.low <= true_f1[k] <= each.f1.high)
    assert {name: np.mean(each) > 0.88 for name, each in held.items()} == dict.fromkeys(held, True)


def test_a_perfect_answer_keeps_an_interval():
    truths, _ = drawn(30, seed=7)
    scores = multilabel_scores(truths, truths.astype(float), NAMES, thresholds=np.full(4, 0.5))
    assert scores.map.value == scores.map.high == 1
    assert 0.5 < scores.map.low < 1


def test_probabilities_are_made_to_mean_what_they_say():
    random = np.random.default_rng(8)
    logits = random.normal(0, 2, 5000)
    truths = random.random(5000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))
    assert fit_platt(logits, truths) == pytest.approx((0.5, -1), abs=0.1)
    assert fit_platt(logits[:6], np.array([True] * 2 + [False] * 4)) == (1, 0)
    assert fit_platt(np.full(100, -2, np.float32), truths[:100]) == (1, 0)
