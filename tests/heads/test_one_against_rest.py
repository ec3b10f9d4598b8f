"""A logistic head for each label, against scikit-learn's."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from eyespot.heads.head import HeadOptions
from eyespot.heads.one_against_rest import Targets, fit_each


@pytest.fixture(scope="module")
def targets() -> Targets:
    random = np.random.default_rng(0)
    features = random.normal(size=(80, 12)).astype(np.float32)
    truths = features[:, :4] + 0.7 * random.normal(size=(80, 4)) > [0.0, 0.8, -0.5, 9.0]
    truths[3, 3] = True
    return Targets(features, None, truths, None)


def test_each_head_is_scikit_learns_at_its_l2(targets):
    done = []
    heads = fit_each(targets, HeadOptions(), nested=False, done=done.append)
    weight, bias = heads.layer
    for k in range(3):
        twin = LogisticRegression(C=1 / (heads.l2[k] * 80), tol=1e-8, max_iter=5000)
        twin.fit(targets.identity, targets.truths[:, k])
        assert weight[k] == pytest.approx(twin.coef_[0], abs=2e-2)
        assert bias[k] == pytest.approx(twin.intercept_[0], abs=2e-2)
    assert done == [1, 2, 3]
    assert heads.logits(targets.identity) == pytest.approx(targets.identity @ weight.T + bias)


def test_a_label_of_one_picture_has_the_same_probability_always(targets):
    heads = fit_each(targets, HeadOptions(), nested=True, done=lambda count: None)
    assert not heads.layer[0][3].any()
    assert np.isnan(heads.l2[3])
    assert heads.layer[1][3] == pytest.approx(np.log(1.5 / 79.5))
    assert (heads.out_of_fold[:, 3] == heads.layer[1][3]).all()


def test_out_of_fold_answers_are_worse_than_those_to_what_was_trained_on(targets):
    heads = fit_each(targets, HeadOptions(), nested=True, done=lambda count: None)

    def surprise(logits: np.ndarray) -> float:
        return float(np.logaddexp(0, np.where(targets.truths, -logits, logits))[:, :3].mean())

    assert surprise(heads.out_of_fold) > surprise(heads.logits(targets.identity))


def near_copies(stray: int) -> Targets:
    """20 series of four near-copies each with a label that stands at one of them alone, at two others, or at all but
    one; what a picture shows says nothing of the labels. stray: the seed."""
    random = np.random.default_rng(stray)
    series = np.repeat(np.arange(20), 4)
    features = random.normal(size=(20, 12))[series] + 0.01 * random.normal(size=(80, 12))
    truths = np.stack([series == 3, np.isin(series, (5, 9)), series != 7, np.arange(80) % 2 == 0], axis=1)
    return Targets(features.astype(np.float32), None, truths, series)


@pytest.mark.parametrize("nested", [False, True])
def test_a_label_of_one_series_is_not_measured_by_its_near_copies(nested):
    targets = near_copies(0)
    heads = fit_each(targets, HeadOptions(), nested=nested, done=lambda count: None)
    assert heads.unmeasured.tolist() == [True, False, True, False]
    for label, there in ((0, 4), (2, 76)):
        assert not heads.layer[0][label].any()
        assert heads.out_of_fold[:, label] == pytest.approx(np.log((there + 0.5) / (80.5 - there)))
        assert np.isnan(heads.l2[label])
    assert heads.l2[[1, 3]].all()


def test_a_label_of_two_series_is_measured_whatever_the_seed():
    for seed in range(20):
        targets = near_copies(seed)
        truths = targets.truths[:, 1] & (np.arange(80) % 4 < 2)  # the series have pictures without it, too
        targets = replace(targets, truths=truths[:, None])
        assert targets.fold_seed(0, seed=seed) is not None
