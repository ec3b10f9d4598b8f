"""The nearest pictures, beside a twin that sorts all of them one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from eyespot.evaluate import neighbours
from eyespot.evaluate.neighbours import NOBODY, nearest_pictures


def drawn(count: int, *, width: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


def twin(features: np.ndarray, group: np.ndarray, row: int, count: int) -> list[int]:
    others = [other for other in range(len(features)) if group[other] != group[row]]
    return sorted(others, key=lambda other: cosine(features[row], features[other]))[:count]


@pytest.mark.parametrize("block", [7, 1000])
def test_they_are_those_of_sorting_all(block, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", block)
    features, group = drawn(60), np.arange(60) // 2
    found = nearest_pictures(features, group=group, count=5)
    for row in range(60):
        assert found.rows[row].tolist() == twin(features, group, row, 5)
        alike = [1 - cosine(features[row], features[other]) for other in found.rows[row]]
        np.testing.assert_allclose(found.similarity[row], alike, atol=1e-5)


def test_without_groups_only_the_picture_itself_does_not_count():
    features = np.concatenate([drawn(20), drawn(20)])  # each twice
    found = nearest_pictures(features, count=1)
    assert found.rows[:, 0].tolist() == [*range(20, 40), *range(20)]


def test_lengths_do_not_matter_and_features_of_zeros_are_like_nothing():
    features = drawn(30)
    features[3] = 0
    found = nearest_pictures(features * np.linspace(0.1, 9, 30, dtype=np.float32)[:, None], count=4)
    assert found.rows.tolist() == nearest_pictures(features, count=4).rows.tolist()
    assert (found.similarity[3] == 0).all()


def test_fewer_neighbours_than_wanted_are_counted():
    found = nearest_pictures(drawn(5), group=np.array([0, 0, 0, 0, 1]))
    assert found.rows.shape == (5, 4)
    assert found.count.tolist() == [1, 1, 1, 1, 4]
    assert (found.similarity[0, 1:] == NOBODY).all()
