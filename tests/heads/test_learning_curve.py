"""Heads on growing parts: nobody answers what it has trained on, and the curve is that of known errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from head_samples import OPTIONS, blobs, with_mirror
from scipy.stats import norm

from eyespot.evaluate.learning_curve import FEWEST_PICTURES
from eyespot.heads.head import Samples
from eyespot.heads.learning_curve import TENTHS, expect_with_more, tenths_of, try_sizes


def test_each_size_asks_exactly_the_tenths_it_did_not_train_on():
    samples = blobs(200)
    tenth = tenths_of(samples, seed=0)
    tried = try_sizes(samples, OPTIONS, l2=0.01, tenth=tenth, turns=1)
    assert tried.sizes.tolist() == [20, 40, 60, 80, 100, 120, 160]
    for row, count in enumerate(TENTHS):
        np.testing.assert_array_equal(tried.asked[row], tenth >= count)
    assert (tried.wrong <= tried.asked).all()


def test_over_ten_turns_every_picture_is_asked_alike():
    samples = blobs(100)
    tried = try_sizes(samples, OPTIONS, l2=0.01, tenth=tenths_of(samples, seed=0), turns=10)
    for row, count in enumerate(TENTHS):
        assert (tried.asked[row] == 10 - count).all()


def test_labels_that_say_nothing_are_answered_by_chance():
    """A head that had seen a picture would know its label by heart: there are more axes than pictures."""
    samples = with_mirror(blobs(400, 500, 2, apart=0))
    tried = try_sizes(samples, OPTIONS, l2=1e-4, tenth=tenths_of(samples, seed=0), turns=2)
    errors = tried.errors(np.ones(400))
    assert errors.min() > 0.4
    assert errors.max() < 0.6


def test_the_curve_of_two_normal_clouds_falls_to_their_known_error():
    """Of two clouds whose means are 2 apart, the best rule has the error norm.cdf(-1); many pictures come close."""
    random = np.random.default_rng(0)
    labels = np.arange(2000) % 2
    features = random.standard_normal((2000, 40)).astype(np.float32)
    features[:, 0] += 2 * labels
    samples = Samples(features, None, labels, 2)
    more = expect_with_more(samples, OPTIONS, l2=1e-3)
    assert more is not None
    assert more.curve.error(2000) == pytest.approx(norm.cdf(-1), abs=0.02)
    assert more.points[0][1] > more.points[-1][1]
    assert 0 <= more.gain < 0.02


def test_tenths_of_other_sizes_count_as_what_they_are():
    """Series that stay together make some tenths larger: what counts is how many pictures were trained on."""
    samples = blobs(200)
    tenth = np.repeat(np.arange(10), [56, 16, 16, 16, 16, 16, 16, 16, 16, 16])
    tried = try_sizes(samples, OPTIONS, l2=0.01, tenth=tenth, turns=1)
    assert tried.sizes.tolist() == [56, 72, 88, 104, 120, 136, 168]


def test_too_few_pictures_are_not_tried(monkeypatch):
    monkeypatch.delattr("eyespot.heads.learning_curve.try_sizes")
    samples = blobs(FEWEST_PICTURES - 1)
    assert expect_with_more(samples, OPTIONS, l2=0.01) is None


def test_series_are_not_torn_apart(monkeypatch):
    """Copies of 60 pictures whose labels say nothing: heads that had seen a copy would know the label by heart."""
    one = blobs(60, 200, 2, apart=0)
    samples = Samples(one.identity.repeat(10, axis=0), None, one.labels.repeat(10), 2, np.arange(60).repeat(10))
    assert expect_with_more(samples, OPTIONS, l2=1e-4) is None  # no more than 60 different ones
    monkeypatch.setattr("eyespot.evaluate.learning_curve.FEWEST_PICTURES", 60)
    together = expect_with_more(samples, OPTIONS, l2=1e-4)
    apart = expect_with_more(replace(samples, group=None), OPTIONS, l2=1e-4)
    assert apart.points[-1][1] < 0.02
    assert together.points[-1][1] > 0.3
