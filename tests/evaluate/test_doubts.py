"""Doubtful labels: worked scores, and labels that were turned on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from eyespot.evaluate.doubts import MOST_LISTED, doubtful_labels, is_suspicious, label_scores, votes
from eyespot.evaluate.neighbours import NOBODY, Neighbours, nearest_pictures


def neighbours(rows, similarity) -> Neighbours:
    return Neighbours(np.array(rows), np.array(similarity, np.float32))


THREE = neighbours([[1, 2], [0, 2], [0, 1]], [[1.0, 0.5], [1.0, 0.5], [0.5, 0.5]])
LABELS = np.array([0, 1, 0])


def test_a_vote_is_the_share_of_cosines_to_the_eighth():
    far = 0.5**8
    np.testing.assert_allclose(votes(LABELS, THREE), [far / (1 + far), 0, 0.5])


def test_a_score_is_the_log_of_both_witnesses():
    probabilities = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
    far = 0.5**8
    expected = np.log([0.25, 0.5, 1.0]) + np.log(np.array([far / (1 + far), 0, 0.5]) + 0.02)
    np.testing.assert_allclose(label_scores(probabilities, LABELS, THREE), expected)


def test_who_has_no_neighbours_is_judged_by_the_probability_alone():
    alone = neighbours([[1], [0]], [[NOBODY], [NOBODY]])
    scores = label_scores(np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([0, 1]), alone)
    assert np.isfinite(scores).all()
    assert scores[0] - scores[1] == pytest.approx(np.log(5))
    assert doubtful_labels(np.array([[0.01, 0.99], [0.9, 0.1]]), np.array([0, 1]), alone)[0].nearest == ()


def test_a_label_is_suspicious_below_the_limit_unless_no_other_is_likelier():
    many = np.full((1, 50), 0.02)
    many[0, 0] += 1e-9
    assert not is_suspicious(many, np.array([0])).any()
    assert is_suspicious(many, np.array([1])).all()
    assert is_suspicious(np.array([[0.049, 0.951], [0.051, 0.949]]), np.array([0, 0])).tolist() == [True, False]


def clouds(seed: int = 0):
    """Two classes well apart, some labels turned; probabilities as of a good classifier."""
    random = np.random.default_rng(seed)
    true = np.arange(300) % 2
    features = random.standard_normal((300, 8)).astype(np.float32) + np.where(true, 4, -4)[:, None]
    labels = true.copy()
    turned = random.choice(300, 12, replace=False)
    labels[turned] = 1 - labels[turned]
    probabilities = np.where(np.eye(2)[true] == 1, 0.97, 0.03)
    return features, labels, probabilities, set(turned.tolist())


def test_turned_labels_are_listed_with_what_speaks_against_them():
    features, labels, probabilities, turned = clouds()
    found = doubtful_labels(probabilities, labels, nearest_pictures(features))
    assert {each.row for each in found} == turned
    for each in found:
        assert each.likelier == 1 - labels[each.row]
        assert (each.probability, each.likelier_probability) == pytest.approx((0.03, 0.97))
        assert len(each.nearest) == 3
        assert np.mean(labels[list(each.nearest)] == each.likelier) > 0.5


def test_the_most_doubtful_come_first_and_no_more_than_wanted():
    features, labels, probabilities, _ = clouds()
    scores = label_scores(probabilities, labels, nearest_pictures(features))
    found = doubtful_labels(probabilities, labels, nearest_pictures(features), most=5)
    rows = [each.row for each in found]
    assert len(rows) == 5
    assert scores[rows].tolist() == sorted(scores)[:5]
    assert MOST_LISTED == 200
