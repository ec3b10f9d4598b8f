"""The metrics against scikit-learn, the interval against scipy and a figure worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sk

from eyespot.evaluate.metrics import (
    confusion_cells,
    matrix_of_most_confused,
    most_confused,
    part_metrics,
    top_mistakes,
    wilson,
    wilson_fraction,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_confusions_are_the_cells_of_scikit_learns_matrix(rng):
    labels, answers = rng.integers(0, 7, (2, 60))
    matrix = np.zeros((7, 7), int)
    for label, answer, n in confusion_cells(labels, answers, 7):
        assert n > 0
        matrix[label, answer] = n
    np.testing.assert_array_equal(matrix, sk.confusion_matrix(labels, answers, labels=range(7)))


def test_nothing_has_no_confusions():
    assert confusion_cells([], [], 3) == ()


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_outside_the_classes_is_our_mistake(index):
    with pytest.raises(AssertionError, match=r"outside 0\.\.2"):
        confusion_cells([index], [0], 3)


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


CELLS = ((0, 0, 90), (0, 1, 2), (1, 0, 7), (1, 1, 80), (2, 1, 2), (2, 2, 1))


def test_most_confused_leaves_out_the_diagonal_and_zeros():
    pairs = most_confused(CELLS, ["a", "b", "c"])
    assert [(each.class_, each.answer, each.n) for each in pairs] == [("b", "a", 7), ("a", "b", 2), ("c", "b", 2)]
    assert most_confused(CELLS, ["a", "b", "c"], 1) == pairs[:1]


def test_the_matrix_of_what_is_mixed_up_most_has_the_classes_of_the_most_frequent_mistakes():
    cells = ((3, 3, 5), (7, 2, 4), (9, 8, 1))
    assert matrix_of_most_confused(cells, 10, 2)[0] == [2, 7]
    chosen, matrix = matrix_of_most_confused(cells, 10, 5)
    assert chosen == [0, 2, 7, 8, 9]
    assert np.argwhere(matrix).tolist() == [[2, 1], [4, 3]]
    assert matrix.sum() == 5
    assert matrix_of_most_confused((), 3, 5)[0] == [0, 1, 2]


def test_two_thousand_classes_are_measured_without_a_matrix_of_four_million_numbers():
    labels = np.arange(6000) % 2000
    answers = np.where(np.arange(6000) < 10, (labels + 1) % 2000, labels)
    found = part_metrics(labels, np.eye(2000, dtype=np.float32)[answers], [f"c{i}" for i in range(2000)])
    assert len(found.cells) == 2010
    assert found.overall.accuracy == 5990 / 6000
    assert found.per_class[0].recall == pytest.approx(2 / 3)


@pytest.mark.parametrize(("correct", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (7, 9), (339, 372), (99_999, 100_000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_wilson_agrees_with_scipy(correct, n, confidence):
    theirs = binomtest(correct, n).proportion_ci(confidence_level=confidence, method="wilson")
    ours = wilson(correct, n, confidence=confidence)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert (ours.accuracy, ours.n) == (correct / n, n)


def test_half_of_ten_worked_by_hand():
    # z = 1.96, z^2 = 3.8416: centre 0.5, reach = 1.96 / 1.38416 * sqrt(0.025 + 0.009604) = 0.2634
    metric = wilson(5, 10)
    assert (metric.low, metric.high) == pytest.approx((0.2366, 0.7634), abs=5e-5)


def test_the_bounds_touch_the_share_when_all_or_none_are_right():
    assert wilson(0, 7).low == 0
    assert wilson(7, 7).high == 1


def test_a_mean_over_repeats_lies_between_its_neighbours():
    below, mean, above = wilson(17, 20), wilson_fraction(0.875, 20), wilson(18, 20)
    assert below.low < mean.low < above.low
    assert below.high < mean.high < above.high
    assert mean.accuracy == pytest.approx(0.875)


def test_a_perfect_mean_is_not_pushed_above_one_by_rounding():
    assert wilson_fraction(1.0, 49).high == 1


def test_no_picture_has_no_interval():
    with pytest.raises(AssertionError, match="at least one picture"):
        wilson(0, 0)
