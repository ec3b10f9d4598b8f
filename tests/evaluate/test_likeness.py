"""Likeness against loops over pictures and classes, and scikit-learn's cosine."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import normalize

from eyespot.evaluate import likeness as module
from eyespot.evaluate.likeness import class_means, in_order, likeness, out_of_fold


@pytest.fixture
def samples():
    """Features (N, 6) of four classes, the last of which has no picture."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 50)
    features = rng.gamma(1.0, size=(50, 6)).astype(np.float32) + 2 * np.eye(6, dtype=np.float32)[labels]
    return features, labels


def by_hand(features, labels, classes, asked):
    """Likeness of each picture to each class, (N, classes)."""
    unit = normalize(features)
    means = [unit[labels == each].sum(axis=0) for each in range(classes)]
    return cosine_similarity(asked, np.array(means))


def test_likeness_is_the_cosine_to_the_nearest_mean(samples):
    features, labels = samples
    asked = np.random.default_rng(1).gamma(1.0, size=(20, 6))
    expected = by_hand(features, labels, 4, asked)
    found = likeness(asked, class_means(features, labels, 4))
    np.testing.assert_allclose(found.first, expected.max(axis=1), atol=1e-6)
    np.testing.assert_array_equal(found.nearest, expected.argmax(axis=1))
    np.testing.assert_allclose(found.second, np.sort(expected)[:, -2], atol=1e-6)
    for class_ in range(4):
        rest = np.delete(expected, class_, axis=1)
        np.testing.assert_allclose(found.without(class_), rest.max(axis=1), atol=1e-6)


def test_a_picture_is_judged_by_the_other_folds_alone(samples):
    features, labels = samples
    fold = np.random.default_rng(2).integers(0, 5, 50)
    found = out_of_fold(features, labels, 4, fold=fold)
    for row in range(50):
        others = fold != fold[row]
        expected = by_hand(features[others], labels[others], 4, features[row : row + 1])
        assert abs(found.first[row] - expected.max()) < 1e-6
        assert found.nearest[row] == expected.argmax()


def test_blocks_make_no_difference(samples, monkeypatch):
    features, labels = samples
    whole = likeness(features, class_means(features, labels, 4))
    monkeypatch.setattr(module, "ROWS", 7)
    parts = likeness(features, class_means(features, labels, 4))
    np.testing.assert_allclose(whole.first, parts.first, atol=1e-6)
    np.testing.assert_array_equal(whole.nearest, parts.nearest)


def test_parts_come_back_in_order(samples):
    features, labels = samples
    means = class_means(features, labels, 4)
    rows = [np.arange(1, 50, 2), np.arange(0, 50, 2)]
    back = in_order([likeness(features[each], means) for each in rows], rows)
    np.testing.assert_allclose(back.first, likeness(features, means).first, atol=1e-6)


def test_features_that_are_all_zero_are_like_nothing(samples):
    features, labels = samples
    means = class_means(features, labels, 4)
    assert not means[3].any()  # the class without pictures
    assert likeness(np.zeros((1, 6)), means).first == 0
    assert likeness(np.zeros((0, 6)), means).first.shape == (0,)


def test_how_bright_features_are_makes_no_difference(samples):
    features, labels = samples
    means = class_means(features, labels, 4)
    np.testing.assert_allclose(likeness(features * 100, means).first, likeness(features, means).first, atol=1e-6)
