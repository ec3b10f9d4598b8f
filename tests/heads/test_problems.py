"""The loss of several heads, against its definition in float64 and against one head at a time."""

import numpy as np
import pytest
from head_samples import OPTIONS, blobs, centred, probabilities, problems, with_mirror
from scipy.special import log_softmax

from eyespot.heads import problems as module
from eyespot.heads.head import HeadOptions


def float64_loss(layers, features, labels, *, weights, l2: float, output: str) -> float:
    """The loss as the module's docstring writes it. layers: (inputs + 1, outputs), the last row the biases."""
    x = features.astype(np.float64)
    for layer in layers[:-1]:
        x = np.maximum(x @ layer[:-1] + layer[-1], 0)
    logits = x @ layers[-1][:-1] + layers[-1][-1]
    if output == "sigmoid":
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    likelihood = log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    return float((weights * -likelihood).sum() + l2 / 2 * sum((layer[:-1] ** 2).sum() for layer in layers))


@pytest.mark.parametrize("hidden", [(), (5,), (6, 4)])
@pytest.mark.parametrize(("output", "classes"), [("softmax", 3), ("softmax", 2), ("sigmoid", 2)])
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("mirror", [False, True])
def test_the_losss_gradient_is_that_of_finite_differences(hidden, output, classes, class_weight, mirror):
    shares = [0.9, *[0.1 / (classes - 1)] * (classes - 1)]
    samples = with_mirror(blobs(40, 4, classes, shares=shares))
    options = HeadOptions(hidden=hidden, output=output, class_weight=class_weight)
    seen = np.random.default_rng(1).random((len(samples), 2)) < 0.8
    made = problems(samples, options, mirror=mirror, trained_on=seen)
    random = np.random.default_rng(2)
    parameters = [random.standard_normal((2, *shape)) * 0.3 for shape in made._shapes]
    l2 = np.array([0.7, 0.01], np.float32)
    value, gradients = made._loss(parameters, made._weights, l2)
    times = 2 if mirror else 1
    features = np.concatenate([samples.identity, samples.mirror])[: times * len(samples)]
    labels = np.tile(samples.labels, times)
    for number in range(2):
        rows = np.tile(seen[:, number], times)
        weights = np.where(rows, 1.0, 0.0)
        if class_weight == "balanced":
            weights = weights / np.bincount(labels[rows], minlength=classes)[labels]
        weights /= weights.sum()

        def twin(layers, weights=weights, number=number):
            return float64_loss(layers, features, labels, weights=weights, l2=float(l2[number]), output=output)

        own = [layer[number] for layer in parameters]
        assert value[number] == pytest.approx(twin(own), rel=1e-5)
        for depth, layer in enumerate(own):
            for place in np.ndindex(layer.shape):
                kept, step = layer[place], 1e-6
                layer[place] = kept + step
                above = twin(own)
                layer[place] = kept - step
                slope = (above - twin(own)) / (2 * step)
                layer[place] = kept
                assert gradients[depth][number][place] == pytest.approx(slope, abs=2e-4, rel=1e-3)


@pytest.mark.parametrize(("hidden", "output"), [((), "softmax"), ((), "sigmoid"), ((7,), "softmax")])
def test_heads_fitted_together_are_those_fitted_one_by_one(hidden, output):
    samples = centred(blobs(100, 6, 2))
    options = HeadOptions(hidden=hidden, output=output)
    seen = np.random.default_rng(0).random((100, 3)) < 0.7
    strengths = np.array([0.3, 0.3, 0.3, 0.01, 0.01, 0.01])
    together = problems(samples, options, trained_on=seen).minimise(strengths, tolerance=1e-6)
    assert len(together) == 6
    for number, head in enumerate(together):
        alone = problems(samples, options, trained_on=seen[:, [number % 3]])
        (single,) = alone.minimise(strengths[[number]], tolerance=1e-6)
        atol = 2e-3 if not hidden else 0.1  # the way down from one start; with hidden layers it may part a little
        np.testing.assert_allclose(
            probabilities(head, samples.identity), probabilities(single, samples.identity), atol=atol
        )


def test_a_later_start_ends_at_the_same_minimum():
    samples = centred(blobs(100, 6, 3))
    made = problems(samples, OPTIONS)
    (far,) = made.minimise(np.array([1.0]), tolerance=1e-9)
    (cold,) = made.minimise(np.array([0.1]), tolerance=1e-9)
    (warm,) = made.minimise(np.array([0.1]), start=[far], tolerance=1e-9)
    np.testing.assert_allclose(probabilities(warm, samples.identity), probabilities(cold, samples.identity), atol=2e-3)


def test_heads_in_groups_are_those_of_one_group(monkeypatch):
    samples = centred(blobs(100, 6, 3))
    seen = np.random.default_rng(0).random((100, 3)) < 0.7
    strengths = np.array([0.3, 0.3, 0.3, 0.01, 0.01, 0.01])
    made = problems(samples, OPTIONS, trained_on=seen)
    at_once = made.minimise(strengths, tolerance=1e-8)
    later = made.minimise(strengths, start=at_once, tolerance=1e-8)
    monkeypatch.setattr(module, "MOST_SCORES", 4 * 3 * 100)
    for whole, grouped in (
        (at_once, made.minimise(strengths, tolerance=1e-8)),
        (later, made.minimise(strengths, start=at_once, tolerance=1e-8)),
    ):
        for one, other in zip(whole, grouped, strict=True):
            np.testing.assert_allclose(
                probabilities(one, samples.identity), probabilities(other, samples.identity), atol=2e-3
            )


def test_the_curvature_is_the_diagonal_of_the_hessian():
    """By finite differences of the gradient, for heads that are unsure enough that no floor lifts it."""
    samples = centred(blobs(60, 4, 3))
    made = problems(samples, OPTIONS)
    parameters = [np.random.default_rng(0).standard_normal((1, 5, 3)) * 0.1]
    l2 = np.array([0.2], np.float32)
    known = made._curvature(parameters, made._weights, l2)[0]
    for place in np.ndindex(5, 3):
        step = np.zeros((1, 5, 3))
        step[0][place] = 1e-2
        above, below = (made._loss([parameters[0] + s], made._weights, l2)[1][0][0] for s in (step, -step))
        assert known[place] == pytest.approx((above - below)[place] / 2e-2, rel=0.02)
