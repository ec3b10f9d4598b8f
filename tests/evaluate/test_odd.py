"""Pictures unlike every class, among directions whose likeness is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from eyespot.evaluate.odd import likeness_without_itself, odd_pictures


def bundles(seed: int = 0, *, each: int = 60, width: int = 40):
    """Three classes of features around a direction each."""
    random = np.random.default_rng(seed)
    centres = np.eye(3, width) * 8
    labels = np.repeat(np.arange(3), each)
    return (centres[labels] + random.standard_normal((3 * each, width))).astype(np.float32), labels


def test_likeness_is_the_cosine_with_the_mean_of_the_others():
    features, labels = bundles(each=5)
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    for row, alike in enumerate(likeness_without_itself(features, labels)):
        others = np.arange(15) != row
        means = [directions[(labels == number) & others].mean(axis=0) for number in range(3)]
        assert alike == pytest.approx(max(1 - cosine(features[row], mean) for mean in means), abs=1e-5)


def test_strangers_are_listed_oddest_first_and_hardly_anything_else():
    features, labels = bundles()
    strangers = np.random.default_rng(1).standard_normal((4, 40)).astype(np.float32)
    found = odd_pictures(np.concatenate([features, strangers]), np.append(labels, [0, 1, 2, 0]))
    assert {180, 181, 182, 183} <= set(found)
    assert len(found) <= 6
    alike = likeness_without_itself(np.concatenate([features, strangers]), np.append(labels, [0, 1, 2, 0]))
    assert alike[found].tolist() == sorted(alike[found])


def test_the_only_picture_of_a_class_is_no_evidence_for_it():
    features, labels = bundles()
    stranger = np.random.default_rng(1).standard_normal((1, 40)).astype(np.float32)
    assert 180 in odd_pictures(np.concatenate([features, stranger]), np.append(labels, 3))


def test_all_of_many_strangers_are_listed():
    features, labels = bundles(each=400)
    strangers = np.random.default_rng(1).standard_normal((60, 40)).astype(np.float32)
    found = odd_pictures(np.concatenate([features, strangers]), np.append(labels, np.arange(60) % 3))
    assert len({*found} & {*range(1200, 1260)}) > 55


def test_pictures_that_are_all_the_same_are_not_odd():
    assert odd_pictures(np.ones((30, 4), np.float32), np.zeros(30, np.int64)) == []


@pytest.mark.parametrize("seed", range(5))
def test_what_rounding_does_to_pictures_that_are_all_the_same_is_not_odd(seed):
    random = np.random.default_rng(seed)
    same = np.tile(random.standard_normal(40).astype(np.float32), (300, 1))
    assert odd_pictures(same * random.uniform(0.99, 1.01, (300, 1)).astype(np.float32), np.zeros(300, np.int64)) == []
    same[:, :2] += random.standard_cauchy((300, 2)).astype(np.float32) * 1e-4
    assert odd_pictures(same, np.zeros(300, np.int64)) == []
