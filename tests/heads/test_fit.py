"""Heads: scikit-learn's logistic regression as the outside truth, and no picture judged by a head that saw it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from head_samples import OPTIONS, blobs, centred, probabilities, problems, with_mirror
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold

from eyespot import machine
from eyespot.errors import MachineError
from eyespot.heads import problems as problems_module
from eyespot.heads.fit import FOLDS, are_torn, fit_head, folds_of, out_of_fold_logits, repeated_logits, require_memory
from eyespot.heads.head import Head, HeadOptions, Samples


def sklearn_twin(features, labels, *, l2: float, weights=None) -> LogisticRegression:
    """The minimum of the same loss: scikit-learn's is C * (sum of weighted losses) + half the squared weights.

    For two classes it has one output w, where a softmax has -w/2 and w/2, whose squares are half of w's.
    """
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    strength = l2 / 2 if labels.max() == 1 else l2
    twin = LogisticRegression(C=1 / strength, tol=1e-8, max_iter=20_000, solver="newton-cholesky")
    return twin.fit(features.astype(np.float64), labels, sample_weight=weights / weights.sum())


def balanced(labels: np.ndarray) -> np.ndarray:
    return 1 / np.bincount(labels)[labels]


# scikit-learn's logistic regression


@pytest.mark.parametrize(
    ("count", "width", "classes"), [(200, 12, 3), (300, 5, 10), (40, 60, 3), (100, 8, 2), (30, 1, 2)]
)
def test_a_head_is_scikit_learns_logistic_regression(count, width, classes):
    samples = blobs(count, width, classes, apart=0.5)
    fitted = fit_head(samples, OPTIONS)
    twin = sklearn_twin(samples.identity, samples.labels, l2=fitted.chosen.l2)
    expected = twin.predict_proba(samples.identity.astype(np.float64))
    np.testing.assert_allclose(probabilities(fitted.head, samples.identity), expected, atol=5e-3)
    least = objective(samples, twin_head(twin, classes), l2=fitted.chosen.l2)  # where it is flat, weights may differ
    assert objective(samples, fitted.head, l2=fitted.chosen.l2) <= least + 1e-5


def objective(samples, head, *, l2):
    """What a head minimises, as the module's docstring writes it, in double precision."""
    ((weight, bias),) = head.layers
    log_probability = log_softmax(samples.identity.astype(np.float64) @ weight.T + bias, axis=1)
    surprise = -log_probability[np.arange(len(samples)), samples.labels].mean()
    return surprise + l2 / 2 * (weight.astype(np.float64) ** 2).sum()


def twin_head(twin, classes):
    """scikit-learn's answer as a head; with two classes it has one row, of which each class takes half."""
    weight, bias = twin.coef_, twin.intercept_
    if classes == 2:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return Head(((weight, bias),), "softmax")


@pytest.mark.parametrize("l2", [1e-4, 1e-2, 1.0, 100.0])
def test_for_any_l2_the_minimum_is_scikit_learns(l2):
    samples = centred(blobs(150, 6, 4))
    (head,) = problems(samples, OPTIONS).minimise(np.array([l2]), tolerance=1e-9)
    twin = sklearn_twin(samples.identity, samples.labels, l2=l2)
    np.testing.assert_allclose(head.layers[0][0], twin.coef_, atol=0.01 * np.abs(twin.coef_).max())
    expected = twin.predict_proba(samples.identity.astype(np.float64))
    np.testing.assert_allclose(probabilities(head, samples.identity), expected, atol=2e-3)


def test_where_classes_are_unbalanced_each_weighs_the_same():
    samples = blobs(300, 6, 3, shares=[0.8, 0.15, 0.05])
    fitted = fit_head(samples, HeadOptions(mirror="no"))
    twin = sklearn_twin(samples.identity, samples.labels, l2=fitted.chosen.l2, weights=balanced(samples.labels))
    expected = twin.predict_proba(samples.identity.astype(np.float64))
    np.testing.assert_allclose(probabilities(fitted.head, samples.identity), expected, atol=5e-3)
    plain = fit_head(samples, OPTIONS)
    rare = probabilities(fitted.head, samples.identity)[:, 2].sum()
    assert rare > 1.5 * probabilities(plain.head, samples.identity)[:, 2].sum()


def test_where_classes_are_balanced_the_weights_change_nothing():
    samples = blobs(200, 6, 3)
    weighted, plain = fit_head(samples, HeadOptions(mirror="no")), fit_head(samples, OPTIONS)
    np.testing.assert_array_equal(weighted.head.layers[0][0], plain.head.layers[0][0])


def test_mirror_images_are_trained_on_like_further_pictures():
    samples = with_mirror(blobs(120, 6, 3))
    fitted = fit_head(samples, replace(OPTIONS, mirror="yes"))
    assert fitted.chosen.mirror
    both = np.concatenate([samples.identity, samples.mirror])
    twin = sklearn_twin(both, np.tile(samples.labels, 2), l2=fitted.chosen.l2)
    expected = twin.predict_proba(both.astype(np.float64))
    np.testing.assert_allclose(probabilities(fitted.head, both), expected, atol=5e-3)


def test_one_sigmoid_output_answers_like_two_of_a_softmax_with_half_the_l2():
    samples = centred(blobs(200, 6, 2))
    (softmaxed,) = problems(samples, OPTIONS).minimise(np.array([0.2]), tolerance=1e-9)
    sigmoid = replace(OPTIONS, output="sigmoid")
    (sigmoided,) = problems(samples, sigmoid).minimise(np.array([0.1]), tolerance=1e-9)
    assert sigmoided.layers[0][0].shape == (1, 6)
    np.testing.assert_allclose(
        probabilities(sigmoided, samples.identity), probabilities(softmaxed, samples.identity), atol=2e-3
    )
    twin = sklearn_twin(samples.identity, samples.labels, l2=0.2)
    np.testing.assert_allclose(sigmoided.layers[0][0], twin.coef_, atol=0.01 * np.abs(twin.coef_).max())


def test_a_sigmoid_head_is_fitted_and_answers_with_both_probabilities():
    samples = blobs(200, 6, 2, apart=2)
    fitted = fit_head(samples, replace(OPTIONS, output="sigmoid"))
    logits = fitted.head.logits(samples.identity)
    assert logits.shape == (200, 2)
    assert (logits[:, 0] == 0).all()
    assert (logits.argmax(axis=1) == samples.labels).mean() > 0.95


def test_the_l2_that_is_chosen_is_about_as_good_as_scikit_learns_best():
    samples = blobs(150, 60, 3, apart=0.5)
    fitted = fit_head(samples, OPTIONS)
    fold = folds_of(samples.labels, seed=0)
    splits = [(np.flatnonzero(fold != held_out), np.flatnonzero(fold == held_out)) for held_out in range(FOLDS)]
    grid = np.geomspace(1e-4, 10, 11) * float(samples.identity.var(axis=0).sum())
    losses = []
    for l2 in grid:
        lost = 0.0
        for train, test in splits:
            twin = sklearn_twin(samples.identity[train], samples.labels[train], l2=l2)
            answers = twin.predict_log_proba(samples.identity[test].astype(np.float64))
            lost -= answers[np.arange(len(test)), samples.labels[test]].sum()
        losses.append(lost / len(samples))
    assert fitted.chosen.loss < min(losses) + 0.01
    assert fitted.chosen.loss == min(trial.loss for trial in fitted.trials)


def test_the_chosen_head_is_as_accurate_on_new_data_as_logistic_regression_cv():
    everything = blobs(1200, 40, 4, apart=0.5)
    train, test = everything.take(np.arange(300)), everything.take(np.arange(300, 1200))
    fitted = fit_head(train, OPTIONS)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    twin = LogisticRegressionCV(
        Cs=np.geomspace(1e-4, 10, 8),
        cv=folds,
        solver="newton-cholesky",
        scoring="neg_log_loss",
        l1_ratios=(0,),
        use_legacy_attributes=False,
    )
    mean, scale = train.identity.mean(axis=0), train.identity.std()
    twin.fit((train.identity - mean) / scale, train.labels)
    expected = (twin.predict((test.identity - mean) / scale) == test.labels).mean()
    accuracy = (fitted.head.logits(test.identity).argmax(axis=1) == test.labels).mean()
    assert accuracy > expected - 0.02


# Cross-validation


def test_the_out_of_fold_answers_are_those_of_heads_fitted_without_the_fold():
    samples = blobs(120, 6, 3)
    fitted = fit_head(samples, OPTIONS)
    fold = folds_of(samples.labels, seed=OPTIONS.seed)
    for held_out in range(FOLDS):
        rows = fold == held_out
        twin = sklearn_twin(samples.identity[~rows], samples.labels[~rows], l2=fitted.chosen.l2)
        expected = twin.predict_proba(samples.identity[rows].astype(np.float64))
        np.testing.assert_allclose(softmax(fitted.out_of_fold[rows], axis=1), expected, atol=0.03)
    assert fitted.chosen.accuracy == (fitted.out_of_fold.argmax(axis=1) == samples.labels).mean()
    truth = log_softmax(fitted.out_of_fold.astype(np.float64), axis=1)[np.arange(120), samples.labels]
    assert fitted.chosen.loss == pytest.approx(-truth.mean(), rel=1e-4)


@pytest.mark.parametrize("mirror", ["no", "yes"])
def test_labels_without_any_meaning_are_answered_no_better_than_by_chance(mirror):
    """More features than pictures: a head answers all that it saw rightly, so any leak would show."""
    random = np.random.default_rng(0)
    features = random.standard_normal((120, 150)).astype(np.float32)
    samples = with_mirror(Samples(features, None, random.integers(0, 4, 120), 4), noise=0.01)
    options = HeadOptions(mirror=mirror)
    fitted = fit_head(samples, options)
    nested = out_of_fold_logits(samples, options, repeats=1)[0]
    for logits in (fitted.out_of_fold, nested):
        assert (logits.argmax(axis=1) == samples.labels).mean() < 0.25 + 4 * (0.25 * 0.75 / 120) ** 0.5
    assert (fitted.head.logits(features).argmax(axis=1) == samples.labels).mean() > 0.9 or fitted.chosen.l2 > 10


def test_a_held_out_picture_has_no_say_in_its_own_answer():
    samples = with_mirror(blobs(60, 6, 3))
    options = HeadOptions(mirror="yes")
    before = out_of_fold_logits(samples, options, repeats=1)[0]
    fold = folds_of(samples.labels, seed=0)
    rows = fold == 2
    mirror = samples.mirror.copy()
    mirror[rows] += 100
    after = out_of_fold_logits(replace(samples, mirror=mirror), options, repeats=1)[0]
    np.testing.assert_array_equal(after[rows], before[rows])
    assert not np.array_equal(after[~rows], before[~rows])


def test_out_of_fold_answers_have_a_fold_of_their_own_in_each_repeat():
    samples = blobs(60, 4, 3)
    logits = out_of_fold_logits(samples, OPTIONS, repeats=3)
    assert logits.shape == (3, 60, 3)
    assert len({each.tobytes() for each in logits}) == 3
    np.testing.assert_array_equal(logits[1], out_of_fold_logits(samples, replace(OPTIONS, seed=1), repeats=1)[0])


def test_repeats_of_cross_validation_have_folds_of_their_own_and_the_first_is_the_one_that_chose():
    samples = replace(blobs(60, 4, 3), group=np.arange(60) // 3)
    logits = repeated_logits(samples, OPTIONS, repeats=3)
    np.testing.assert_allclose(logits[0], fit_head(samples, OPTIONS).out_of_fold, rtol=1e-5, atol=1e-5)
    assert len({each.tobytes() for each in logits}) == 3
    torn = repeated_logits(samples, OPTIONS, repeats=3, torn=True)
    np.testing.assert_allclose(torn, repeated_logits(replace(samples, group=None), OPTIONS, repeats=3), rtol=1e-5)


def test_mirror_images_are_left_out_where_they_harm_and_kept_where_they_help():
    samples = blobs(150, 10, 3, apart=0.7)
    harmful = replace(samples, mirror=samples.identity[:, ::-1].copy() * 5)
    assert not fit_head(harmful, HeadOptions()).chosen.mirror
    random = np.random.default_rng(1)
    labels = np.arange(60) % 3
    centres = random.standard_normal((3, 20))
    one, other = (centres[labels] + noise * random.standard_normal((60, 20)) for noise in (2, 0.5))
    helpful = Samples(one.astype(np.float32), other.astype(np.float32), labels, 3)
    assert fit_head(helpful, HeadOptions()).chosen.mirror
    assert not fit_head(helpful, HeadOptions(mirror="no")).chosen.mirror


@pytest.mark.parametrize(("count", "folds"), [(2, 2), (3, 3), (5, 5), (100, 5)])
def test_there_are_five_folds_or_as_many_as_pictures(count, folds):
    fold = folds_of(np.arange(count) % 2, seed=0)
    assert set(fold) == set(range(folds))


# Several heads at once


# Odd data


def test_hidden_layers_learn_what_no_single_layer_can():
    random = np.random.default_rng(0)
    features = random.choice([-1.0, 1.0], (200, 2)) + 0.2 * random.standard_normal((200, 2))
    samples = Samples(features.astype(np.float32), None, (features[:, 0] * features[:, 1] > 0).astype(np.int64), 2)
    flat, deep = fit_head(samples, OPTIONS), fit_head(samples, replace(OPTIONS, hidden=(16,)))
    assert [weight.shape for weight, _ in deep.head.layers] == [(16, 2), (2, 16)]
    assert flat.chosen.accuracy < 0.75
    assert deep.chosen.accuracy > 0.95
    assert (deep.head.logits(samples.identity).argmax(axis=1) == samples.labels).mean() > 0.95


@pytest.mark.parametrize("hidden", [(), (4,)])
def test_features_that_never_vary_are_answered_with_the_shares_of_the_classes(hidden):
    labels = np.repeat([0, 1, 2], [20, 10, 10])
    samples = Samples(np.full((40, 5), 3.0, np.float32), None, labels, 3)
    fitted = fit_head(samples, replace(OPTIONS, hidden=hidden))
    np.testing.assert_allclose(probabilities(fitted.head, samples.identity[:1]), [[0.5, 0.25, 0.25]], atol=0.01)


def test_constant_and_repeated_features_among_others_change_no_answer():
    samples = blobs(100, 5, 3)
    constant = np.full((100, 2), 7.0, np.float32)
    widened = replace(samples, identity=np.concatenate([samples.identity, constant], axis=1))
    made, plain = fit_head(widened, OPTIONS), fit_head(samples, OPTIONS)
    assert np.abs(made.head.layers[0][0][:, 5:]).max() < 1e-4
    np.testing.assert_allclose(
        probabilities(made.head, widened.identity), probabilities(plain.head, samples.identity), atol=5e-3
    )


@pytest.mark.parametrize("shift", [0.0, 1000.0])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_scale_and_the_origin_of_the_features_do_not_matter(shift, scale):
    samples = blobs(150, 6, 3)
    moved = replace(samples, identity=((samples.identity + shift) * scale).astype(np.float32))
    fitted = fit_head(moved, OPTIONS)
    l2 = fitted.chosen.l2 / scale**2
    assert 0.3 < l2 / fit_head(samples, OPTIONS).chosen.l2 < 3.2  # neighbours may be as good as each other
    expected = sklearn_twin(samples.identity, samples.labels, l2=l2).predict_proba(samples.identity.astype(np.float64))
    np.testing.assert_allclose(probabilities(fitted.head, moved.identity), expected, atol=5e-3)


@pytest.mark.parametrize("class_weight", ["auto", "none"])
def test_a_class_with_one_picture_is_fitted_with_the_others(class_weight):
    samples = blobs(41, 6, 3, shares=[0.5, 0.5, 0], apart=3)
    assert np.bincount(samples.labels)[2] == 1
    options = replace(OPTIONS, class_weight=class_weight)
    fitted = fit_head(samples, options)
    assert np.isfinite(fitted.head.layers[0][0]).all()
    assert np.isfinite(fitted.out_of_fold).all()
    assert np.isfinite(out_of_fold_logits(samples, options, repeats=1)).all()
    assert fitted.chosen.accuracy > 0.8


@pytest.mark.parametrize(
    ("labels", "output"),
    [
        *(([0, 1], output) for output in ("softmax", "sigmoid")),
        *(([0, 1, 1], output) for output in ("softmax", "sigmoid")),
        *(([0, 0, 1, 1], output) for output in ("softmax", "sigmoid")),
        ([0, 1, 2], "softmax"),
    ],
)
def test_a_handful_of_pictures_is_enough_for_a_head(labels, output):
    labels = np.array(labels)
    features = np.eye(4, 6, dtype=np.float32)[: len(labels)] + labels[:, None].astype(np.float32)
    samples = Samples(features, None, labels, int(labels.max()) + 1)
    options = replace(OPTIONS, output=output)
    fitted = fit_head(samples, options)
    assert np.isfinite(fitted.head.logits(features)).all()
    assert np.isfinite(fitted.out_of_fold).all()
    assert np.isfinite(out_of_fold_logits(samples, options, repeats=2)).all()


def test_a_class_without_pictures_is_never_answered():
    samples = replace(blobs(60, 4, 2, apart=3), classes=3)
    fitted = fit_head(samples, OPTIONS)
    assert set(fitted.head.logits(samples.identity).argmax(axis=1)) == {0, 1}


@pytest.mark.parametrize("hidden", [(), (5,)])
def test_the_same_seed_gives_the_same_bits(hidden):
    samples = with_mirror(blobs(80, 6, 3))
    options = HeadOptions(hidden=hidden, seed=3)
    a, b = fit_head(samples, options), fit_head(samples, options)
    assert a.trials == b.trials
    assert a.out_of_fold.tobytes() == b.out_of_fold.tobytes()
    for (weight, bias), (other_weight, other_bias) in zip(a.head.layers, b.head.layers, strict=True):
        assert weight.tobytes() == other_weight.tobytes()
        assert bias.tobytes() == other_bias.tobytes()


def test_fitting_changes_neither_the_samples_nor_the_global_random_state():
    samples = with_mirror(blobs(50, 4, 2))
    before = samples.identity.copy(), samples.mirror.copy(), samples.labels.copy()
    state = np.random.get_state()[1].copy()
    fit_head(samples, HeadOptions(hidden=(3,)))
    for array, kept in zip((samples.identity, samples.mirror, samples.labels), before, strict=True):
        np.testing.assert_array_equal(array, kept)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_whether_classes_are_balanced_is_decided_once_and_not_by_each_fold():
    """Thirty against ten is not over three times as many; without some of the ten it would be."""
    labels = np.repeat([0, 1], [30, 10])
    features = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    samples = Samples(features, None, labels, 2)
    for fit in (lambda o: fit_head(samples, o).out_of_fold, lambda o: out_of_fold_logits(samples, o, repeats=1)):
        np.testing.assert_array_equal(fit(replace(OPTIONS, class_weight="auto")), fit(OPTIONS))


def test_a_head_that_cannot_fit_into_memory_is_refused_before_the_work(monkeypatch):
    monkeypatch.setattr(machine, "memory_bytes", lambda: 8e9)
    require_memory(20_000, 2_000)
    with pytest.raises(MachineError, match="needs about 12 GB, and this machine has 8 GB of memory"):
        require_memory(30_000, 10_000)
    monkeypatch.setattr(machine, "memory_bytes", lambda: None)
    require_memory(30_000, 10_000)


def test_heads_that_remember_much_are_fitted_one_at_a_time_to_the_same_answers(monkeypatch):
    samples = blobs(seed=1)
    together = fit_head(samples, OPTIONS)
    monkeypatch.setattr(problems_module, "MOST_REMEMBERED", 1)
    alone = fit_head(samples, OPTIONS)
    np.testing.assert_allclose(alone.out_of_fold, together.out_of_fold, atol=2e-2)
    assert alone.chosen.l2 == together.chosen.l2


def test_folds_tear_groups_only_where_they_are_too_few_and_that_can_be_told():
    labels = np.repeat([0, 1], 36)
    few, enough = labels, np.arange(72) // 6  # two groups, and six of each class
    for group, torn in ((few, True), (enough, False), (None, False)):
        fold = folds_of(labels, seed=0, group=group)
        assert are_torn(group, fold) == torn
    assert len(np.unique(folds_of(labels, seed=0, group=np.arange(72) // 18))) == 4
