"""The second look: without doubtful labels, by heads that had not seen the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from head_samples import OPTIONS, blobs, with_mirror
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from eyespot.evaluate.doubts import is_suspicious
from eyespot.evaluate.label_noise import believed
from eyespot.heads.fit import fit_head, folds_of
from eyespot.heads.second_look import second_look


def turned(samples, share: float, *, seed: int = 0):
    """The same pictures, of which some have another class."""
    random = np.random.default_rng(seed)
    rows = random.permutation(len(samples))[: round(share * len(samples))]
    labels = samples.labels.copy()
    labels[rows] = (labels[rows] + random.integers(1, samples.classes, len(rows))) % samples.classes
    return replace(samples, labels=labels)


def own(found: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return found[np.arange(len(labels)), labels]


def test_without_doubts_it_is_the_first_look():
    samples = blobs(120, apart=20)
    fitted = fit_head(samples, OPTIONS)
    looked = second_look(samples, OPTIONS, fitted, fold=folds_of(samples.labels, seed=0))
    np.testing.assert_allclose(looked, softmax(fitted.out_of_fold.astype(np.float64), axis=1), atol=1e-6)


def test_it_is_scikit_learns_regression_on_trusted_pictures_of_the_other_folds():
    samples = turned(blobs(300, apart=1.5), 0.1)
    fitted, fold, labels = fit_head(samples, OPTIONS), folds_of(samples.labels, seed=0), samples.labels
    trusted = ~is_suspicious(believed(fitted.out_of_fold, labels), labels)
    assert not trusted.all()
    logits = np.empty((300, 3))
    for number in np.unique(fold):
        rows = (fold != number) & trusted
        twin = LogisticRegression(C=1 / (fitted.chosen.l2 * rows.sum()), tol=1e-8, max_iter=5000)
        twin.fit(samples.identity[rows].astype(np.float64), labels[rows])
        logits[fold == number] = twin.decision_function(samples.identity[fold == number].astype(np.float64))
    expected = believed(logits, labels)
    np.testing.assert_allclose(second_look(samples, OPTIONS, fitted, fold=fold), expected, atol=0.02)


@pytest.mark.parametrize(("classes", "share"), [(2, 0.1), (2, 0.2), (3, 0.1), (3, 0.3)])
def test_with_few_classes_and_many_wrong_labels_most_of_them_are_doubtful(classes, share):
    true = blobs(600, 20, classes, apart=2)
    samples = turned(true, share)
    wrong = samples.labels != true.labels
    looked = second_look(samples, OPTIONS, fit_head(samples, OPTIONS), fold=folds_of(samples.labels, seed=0))
    listed = is_suspicious(looked, samples.labels)
    assert listed[wrong].mean() > 0.8
    assert wrong[listed].mean() > 0.9


@pytest.mark.parametrize("mirror", ["no", "yes"])
def test_turned_labels_are_told_better_than_at_first(mirror):
    found = {"first": 0, "second": 0}
    for seed in range(5):
        true = with_mirror(blobs(400, 20, 4, apart=1, seed=seed))
        samples = turned(true, 0.15, seed=seed)
        options = replace(OPTIONS, mirror=mirror)
        fitted = fit_head(samples, options)
        looked = second_look(samples, options, fitted, fold=folds_of(samples.labels, seed=0))
        wrong = samples.labels != true.labels
        for name, each in (("first", softmax(fitted.out_of_fold, axis=1)), ("second", looked)):
            found[name] += wrong[np.argsort(own(each, samples.labels))[: wrong.sum()]].sum()
    assert found["second"] > found["first"]
