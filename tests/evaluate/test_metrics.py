"""The metrics against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from eyespot.evaluate.intervals import wilson
from eyespot.evaluate.metrics import Confusion, confusion_matrix, most_confused, part_metrics, top_mistakes


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_confusion_matrix_agrees_with_scikit_learn(rng):
    labels, answers = rng.integers(0, 7, (2, 500))
    ours = confusion_matrix(labels, answers, 7)
    np.testing.assert_array_equal(ours, sk.confusion_matrix(labels, answers, labels=range(7)))
    assert ours.dtype == np.int64


def test_confusion_matrix_of_nothing_is_all_zero():
    assert confusion_matrix([], [], 3).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_outside_the_classes_is_our_mistake(index):
    with pytest.raises(AssertionError, match=r"outside 0\.\.2"):
        confusion_matrix([index], [0], 3)


def test_part_metrics_agree_with_scikit_learn(rng):
    labels = rng.integers(0, 5, 300)
    probabilities = rng.dirichlet(np.ones(5), 300)
    probabilities[np.arange(300), labels] += 0.4
    answers = probabilities.argmax(axis=1)
    ours = part_metrics(labels, probabilities, list("abcde"))
    precision, recall, f1, support = sk.precision_recall_fscore_support(labels, answers, labels=range(5))
    assert [c.precision for c in ours.per_class] == pytest.approx(precision)
    assert [c.recall for c in ours.per_class] == pytest.approx(recall)
    assert [c.f1 for c in ours.per_class] == pytest.approx(f1)
    assert [c.support for c in ours.per_class] == support.tolist()
    assert ours.overall.accuracy == pytest.approx(sk.accuracy_score(labels, answers))
    assert ours.overall.n == 300


def test_precision_and_recall_have_the_intervals_of_their_own_numbers_of_pictures():
    a, b = part_metrics([0, 0, 0, 1], [[1, 0], [1, 0], [0, 1], [0, 1]], ["a", "b"]).per_class
    for share, right, n in (("recall", 2, 3), ("precision", 2, 2)):
        expected = wilson(right, n)
        found = tuple(getattr(a, f"{share}{end}") for end in ("", "_low", "_high"))
        assert found == (expected.accuracy, expected.low, expected.high)
    assert (b.precision, b.precision_low, b.precision_high) == (0.5, wilson(1, 2).low, wilson(1, 2).high)


def test_an_empty_denominator_gives_none_and_not_zero():
    a, b, c = part_metrics([0, 0], [[1, 0, 0], [0, 1, 0]], ["a", "b", "c"]).per_class
    assert (a.precision, a.recall) == (1, 0.5)
    assert (b.precision, b.recall, b.f1, b.support) == (0, None, 0, 0)
    assert (c.precision, c.recall, c.f1, c.support) == (None, None, None, 0)
    assert (c.precision_low, c.precision_high, c.recall_low, c.recall_high) == (None, None, None, None)


def test_top_mistakes_are_wrong_and_ordered_by_confidence(rng):
    labels = rng.integers(0, 4, 200)
    probabilities = rng.dirichlet(np.ones(4), 200)
    indices = top_mistakes(labels, probabilities, 10)
    by_hand = [i for i in range(200) if probabilities[i].argmax() != labels[i]]
    by_hand.sort(key=lambda i: -probabilities[i].max())
    assert indices.tolist() == by_hand[:10]


def test_equally_confident_mistakes_keep_their_order():
    assert top_mistakes([0, 0, 0], [[0.2, 0.8]] * 3, 2).tolist() == [0, 1]


def test_no_mistakes_give_an_empty_list():
    assert top_mistakes([0, 1], [[1, 0], [0, 1]], 5).tolist() == []


def test_most_confused_leaves_out_the_diagonal_and_zeros():
    confusion = [[90, 2, 0], [7, 80, 0], [0, 2, 1]]
    pairs = most_confused(confusion, ["a", "b", "c"], 5)
    assert pairs == (Confusion("b", "a", 7), Confusion("a", "b", 2), Confusion("c", "b", 2))
    assert most_confused(confusion, ["a", "b", "c"], 1) == pairs[:1]
