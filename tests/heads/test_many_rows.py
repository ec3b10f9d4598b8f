"""Heads on more features than are turned at once: read some at a time, they end where those in memory do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from head_samples import OPTIONS, blobs, with_mirror
from scipy.special import log_softmax

from eyespot.data import room as room_module
from eyespot.data.room import room
from eyespot.heads import problems, rotation
from eyespot.heads.fit import fit_head, settled
from eyespot.heads.head import HeadOptions, Samples
from eyespot.heads.learning_curve import tenths_of, try_sizes
from eyespot.heads.rotation import Rotated
from eyespot.heads.second_look import second_look


@pytest.fixture
def some_at_a_time(monkeypatch):
    """Makes few features count as many: some dozens are read at a time, and none is turned."""

    def force():
        monkeypatch.setattr(rotation, "MOST_TURNED", 0)
        monkeypatch.setattr(rotation, "ROWS", 64)
        monkeypatch.setattr(problems, "MOST_SCORES", 2000)
        monkeypatch.setattr(problems, "MANY", 40)

    return force


@pytest.fixture
def in_a_file(monkeypatch, tmp_path):
    """Gives the same samples with their features in a file."""
    monkeypatch.setattr(room_module, "MOST_IN_MEMORY", 0)

    def moved(samples: Samples) -> Samples:
        arrays = room((2, *samples.identity.shape), np.float32, what="features", folder=tmp_path)
        arrays[:] = samples.views
        return replace(samples, identity=arrays[0], mirror=arrays[1])

    return moved


def loss(samples: Samples, head, *, l2: float, mirror: bool, weights: np.ndarray) -> float:
    """What a head minimises, as `fit` writes it, in double precision."""
    ((weight, bias),) = head.layers
    views = samples.views if mirror else samples.views[:1]
    surprise = 0.0
    for view in views:
        log_probability = log_softmax(view.astype(np.float64) @ weight.T.astype(np.float64) + bias, axis=1)
        surprise -= (weights * log_probability[np.arange(len(samples)), samples.labels]).sum() / len(views)
    return surprise + l2 / 2 * (weight.astype(np.float64) ** 2).sum()


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize(("count", "width", "classes"), [(400, 12, 3), (300, 40, 5)])
def test_the_minimum_is_that_of_all_features_at_once(some_at_a_time, in_a_file, count, width, classes, class_weight):
    samples = with_mirror(blobs(count, width, classes, apart=0.5))
    options = HeadOptions(class_weight=class_weight, mirror="yes")
    whole = fit_head(samples, options)
    some_at_a_time()
    parts = fit_head(in_a_file(samples), options)
    assert not parts.rotated.is_turned
    assert [trial.l2 for trial in parts.trials] == [trial.l2 for trial in whole.trials]
    assert parts.chosen.l2 == whole.chosen.l2
    weights = 1 / np.bincount(samples.labels)[samples.labels] if class_weight == "balanced" else np.ones(count)
    least, found = (
        loss(samples, each.head, l2=whole.chosen.l2, mirror=True, weights=weights / weights.sum())
        for each in (whole, parts)
    )
    assert found == pytest.approx(least, rel=1e-6)
    assert parts.chosen.loss == pytest.approx(whole.chosen.loss, rel=1e-3)
    np.testing.assert_allclose(parts.out_of_fold, whole.out_of_fold, atol=0.1)
    agreed = parts.out_of_fold.argmax(axis=1) == whole.out_of_fold.argmax(axis=1)
    assert agreed.mean() > 0.99


@pytest.mark.parametrize(
    "options",
    [OPTIONS, replace(OPTIONS, mirror="auto"), replace(OPTIONS, output="sigmoid"), replace(OPTIONS, hidden=(4,))],
    ids=["plain", "mirror", "sigmoid", "hidden"],
)
def test_whatever_is_chosen_about_a_head_it_answers_the_same(some_at_a_time, in_a_file, options):
    samples = with_mirror(blobs(300, 6, 2))
    whole = fit_head(samples, options)
    some_at_a_time()
    parts = fit_head(in_a_file(samples), options)
    answers = [each.head.logits(samples.identity).argmax(axis=1) for each in (whole, parts)]
    assert (answers[0] == answers[1]).mean() > 0.97
    rel = 0.1 if options.hidden else 0.02  # with hidden layers the way down from another start may part a little
    assert parts.chosen.loss == pytest.approx(whole.chosen.loss, rel=rel)


def test_a_loss_and_its_gradient_are_sums_over_the_parts(some_at_a_time):
    samples = with_mirror(blobs(90, 5, 3))
    seen = np.random.default_rng(0).random((90, 2)) < 0.8
    made = problems.Problems(Rotated.of(samples), OPTIONS, mirror=True, trained_on=seen)
    layers, l2 = [np.random.default_rng(1).standard_normal((2, 6, 3)).astype(np.float32)], np.array([0.3, 0.1])
    whole = made._loss(layers, made._weights, l2)
    curvature = made._curvature(layers, made._weights, l2)
    some_at_a_time()
    many = problems.Problems(Rotated.of(samples), OPTIONS, mirror=True, trained_on=seen)
    parts = many._loss(layers, many._weights, l2)
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-6)
    np.testing.assert_allclose(parts[1][0], whole[1][0], atol=1e-6, rtol=1e-4)
    np.testing.assert_allclose(many._curvature(layers, many._weights, l2), curvature, rtol=1e-3)


def test_every_other_picture_gives_about_the_loss_of_all():
    samples = blobs(4000, 5, 3)
    made = problems.Problems(Rotated.of(samples), OPTIONS, mirror=False, trained_on=np.ones((4000, 1), bool))
    layers, l2 = [np.random.default_rng(1).standard_normal((1, 6, 3)).astype(np.float32) * 0.1], np.array([0.1])
    (whole,), (half,) = (made._loss(layers, made._weights, l2, every=every)[0] for every in (1, 2))
    assert half == pytest.approx(whole, rel=0.05)
    assert half != whole


def test_second_looks_and_learning_curves_are_those_of_few_features(some_at_a_time, in_a_file):
    samples = with_mirror(blobs(300, 6, 3))
    fold, tenth = np.arange(300) % 5, tenths_of(samples, seed=0)
    found = []
    for make in (lambda: samples, lambda: in_a_file(samples)):
        given = make()
        fitted = fit_head(given, OPTIONS)
        tried = try_sizes(given, settled(OPTIONS, given), l2=0.1, tenth=tenth, turns=2, rotated=fitted.rotated)
        found.append((second_look(given, OPTIONS, fitted, fold=fold), tried))
        some_at_a_time()
    (looked, tried), (looked_again, tried_again) = found
    np.testing.assert_allclose(looked_again, looked, atol=0.05)
    np.testing.assert_array_equal(tried_again.sizes, tried.sizes)
    np.testing.assert_array_equal(tried_again.asked, tried.asked)
    assert abs(tried_again.wrong - tried.wrong).sum() <= 5
