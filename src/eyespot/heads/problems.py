"""The loss of several heads at once, its gradient and its curvature, and the heads at which it is least."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from eyespot.heads.head import Head, HeadOptions, Samples, with_zero
from eyespot.heads.lbfgs import MEMORY, minimise

CURVATURE = 0.1
"""Assumed curvature of the loss per unit of feature variance; 0.25 would be its bound for one class (Boehning 1992)."""
LEAST_CURVATURE = 1e-3
"""The same where it is known, but may be next to nothing for a head that is sure of all its answers."""
MOST_SCORES = 2**26
"""Numbers in one array of scores, pictures by heads by classes; beyond, heads are minimised in groups. 256 MB."""
MOST_REMEMBERED = 2**27
"""Numbers that L-BFGS remembers of its steps; the same. 512 MB: of 2,000 classes one head at a time takes that."""


class Problems:
    """Several heads on the same rotated features, each trained on its own rows, all minimised together.

    Together, because a matrix product with fifty columns takes hardly longer than one with ten.
    """

    def __init__(
        self,
        samples: Samples,
        variance: np.ndarray,
        options: HeadOptions,
        *,
        mirror: bool,
        trained_on: np.ndarray,
    ) -> None:
        """variance: along each axis, (axes,); trained_on: which pictures each of the B heads may see, (N, B)."""
        self._features, labels = samples.identity, samples.labels
        if mirror and samples.mirror is not None:
            self._features = np.concatenate([samples.identity, samples.mirror])
            labels, trained_on = np.concatenate([labels, labels]), np.concatenate([trained_on, trained_on])
        self._variance, self._output = variance, options.output
        balanced = options.class_weight == "balanced"
        self._weights = np.stack(
            [_sample_weights(labels, seen, samples.classes, balanced=balanced) for seen in trained_on.T], axis=1
        )  # (N, B)
        self._targets = np.eye(samples.classes, dtype=np.float32)[labels][:, None]  # (N, 1, classes)
        widths = [len(variance), *options.hidden, 1 if options.output == "sigmoid" else samples.classes]
        self._shapes = [(inputs + 1, outputs) for inputs, outputs in pairwise(widths)]
        self._start = _first_parameters(self._shapes, seed=options.seed)

    def minimise(self, l2: np.ndarray, *, tolerance: float, start: Sequence[Head] = ()) -> list[Head]:
        """The heads, for rotated features, at which each problem's loss is least.

        l2: of each head, (heads,); a multiple of the B heads of `trained_on`, over which they repeat.
        start: a head for each to start from; none for the beginning of everything.
        """
        remembered = 2 * MEMORY * sum(rows * columns for rows, columns in self._shapes)
        scores = self._weights.shape[0] * self._shapes[-1][1]
        at_once = max(min(MOST_SCORES // scores, MOST_REMEMBERED // remembered), 1)
        numbers = np.arange(len(l2))
        heads: list[Head] = []
        for group in np.split(numbers, numbers[at_once::at_once]):
            first = self._parameters([start[number] for number in group] if start else [], len(group))
            weights = self._weights[:, group % self._weights.shape[1]]  # (N, heads of the group)
            heads += self._minimise(first, weights, l2[group].astype(np.float32), tolerance)
        return heads

    def _minimise(self, first: list[np.ndarray], weights: np.ndarray, l2: np.ndarray, tolerance: float) -> list[Head]:
        scale = np.sqrt(self._curvature(first, weights, l2))  # (heads, axes + 1, outputs)

        def unflat(flat: np.ndarray, which: np.ndarray) -> list[np.ndarray]:
            ends = np.cumsum([rows * columns for rows, columns in self._shapes])
            pieces = np.split(flat, ends[:-1], axis=1)
            layers = [piece.reshape(-1, *shape) for piece, shape in zip(pieces, self._shapes, strict=True)]
            return [layers[0] / scale[which], *layers[1:]]

        def loss(flat: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            value, gradients = self._loss(unflat(flat, which), weights[:, which], l2[which])
            gradients[0] /= scale[which]
            return value, np.concatenate([each.reshape(len(flat), -1) for each in gradients], axis=1)

        first[0] = first[0] * scale
        flat = np.concatenate([layer.reshape(len(l2), -1) for layer in first], axis=1)
        found = unflat(minimise(loss, flat, tolerance=tolerance), np.arange(len(l2)))
        layers = [[(each[head, :-1].T, each[head, -1]) for each in found] for head in range(len(l2))]
        return [Head(tuple((_single(w), _single(b)) for w, b in each), self._output) for each in layers]

    def _parameters(self, heads: Sequence[Head], count: int) -> list[np.ndarray]:
        """Layer by layer, the weights and biases of all heads or of `count` new ones, (heads, inputs + 1, outputs)."""
        if not heads:
            return [np.repeat(layer[None], count, axis=0) for layer in self._start]
        layers = zip(*(head.layers for head in heads), strict=True)
        return [np.stack([np.concatenate([w.T, b[None]]) for w, b in layer]) for layer in layers]

    def _curvature(self, parameters: Sequence[np.ndarray], weights: np.ndarray, l2: np.ndarray) -> np.ndarray:
        """How the loss curves along each parameter of the first layer, (heads, axes + 1, outputs or 1).

        Of a head with one layer it is known, the diagonal of the Hessian: the mean of weight * p * (1 - p) * feature^2,
        plus L2; of several layers it is assumed.
        """
        if len(parameters) > 1:
            return self._assumed(CURVATURE, l2)
        scores = _shared_product(self._features, parameters[0][:, :-1]) + parameters[0][:, -1]
        p = np.exp(log_softmax(with_zero(scores, self._output)))[:, :, -scores.shape[2] :]  # (N, heads, outputs)
        curved = p * (1 - p) * weights[:, :, None]
        known = _shared_outer_product(self._features**2, curved) + l2[:, None, None]
        known = np.concatenate([known, curved.sum(axis=0)[:, None]], axis=1)
        return np.asarray(np.maximum(known, self._assumed(LEAST_CURVATURE, l2)))

    def _assumed(self, curvature: float, l2: np.ndarray) -> np.ndarray:
        by_axis = curvature * self._variance + l2[:, None]  # (heads, axes)
        return np.concatenate([by_axis, np.full((len(l2), 1), curvature, np.float32)], axis=1)[:, :, None]

    def _loss(
        self, parameters: Sequence[np.ndarray], weights: np.ndarray, l2: np.ndarray
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """The loss of each head (heads,), and its gradient by every layer (heads, inputs + 1, outputs).

        Back-propagation, written out: forward through the layers, keeping what each one saw, then back.
        """
        layers = [_single(layer) for layer in parameters]
        seen: list[np.ndarray] = [self._features]
        x = _shared_product(self._features, layers[0][:, :-1]) + layers[0][:, -1]  # (N, heads, outputs)
        for layer in layers[1:]:
            seen.append(np.maximum(x, 0))
            x = _own_product(seen[-1], layer[:, :-1]) + layer[:, -1]
        log_probability = log_softmax(with_zero(x, self._output))  # (N, heads, classes)
        surprise = -(log_probability * self._targets).sum(axis=2)  # (N, heads)
        value = (weights * surprise).sum(axis=0, dtype=np.float64)
        back = (np.exp(log_probability) - self._targets) * weights[:, :, None]
        back = back[:, :, -x.shape[2] :]  # the sigmoid's zero column has no parameters
        gradients: list[np.ndarray] = []
        for depth in reversed(range(len(layers))):
            by_weight = _outer_product(seen[depth], back) if depth else _shared_outer_product(seen[0], back)
            by_weight = by_weight + l2[:, None, None] * parameters[depth][:, :-1]
            gradients.insert(0, np.concatenate([by_weight, back.sum(axis=0)[:, None]], axis=1))
            value += l2 / 2 * (parameters[depth][:, :-1] ** 2).sum(axis=(1, 2))
            if depth:
                back = _own_product(back, layers[depth][:, :-1].swapaxes(1, 2)) * (seen[depth] > 0)
        return value, gradients


def _shared_product(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """x (N, inputs) times each head's weights (heads, inputs, outputs), as one product: (N, heads, outputs)."""
    heads, inputs, outputs = weights.shape
    product: np.ndarray = x @ weights.transpose(1, 0, 2).reshape(inputs, heads * outputs)
    return product.reshape(len(x), heads, outputs)


def _shared_outer_product(x: np.ndarray, back: np.ndarray) -> np.ndarray:
    """The gradient by each head's weights (heads, inputs, outputs), of x (N, inputs) and back (N, heads, outputs)."""
    count, heads, outputs = back.shape
    product: np.ndarray = x.T @ back.reshape(count, heads * outputs)
    return product.reshape(-1, heads, outputs).transpose(1, 0, 2)


def _own_product(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Each head's own x (N, heads, inputs) times its weights (heads, inputs, outputs): (N, heads, outputs)."""
    product: np.ndarray = np.matmul(x.swapaxes(0, 1), weights)
    return product.swapaxes(0, 1)


def _outer_product(x: np.ndarray, back: np.ndarray) -> np.ndarray:
    """The gradient by each head's weights (heads, inputs, outputs), of x (N, heads, inputs) and back."""
    return np.asarray(np.matmul(x.transpose(1, 2, 0), back.swapaxes(0, 1)))


def _single(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array, np.float32)


def _first_parameters(shapes: Sequence[tuple[int, int]], *, seed: int) -> list[np.ndarray]:
    """Zeros for a single layer, whose minimum is unique; He et al. (2015) initialisation for several."""
    random = np.random.default_rng(seed)
    layers = [np.zeros(shape, np.float32) for shape in shapes]
    if len(layers) > 1:
        for layer in layers:
            inputs = len(layer) - 1
            layer[:-1] = random.standard_normal(layer[:-1].shape) * np.sqrt(2 / max(inputs, 1))
    return layers


def _sample_weights(labels: np.ndarray, seen: np.ndarray, classes: int, *, balanced: bool) -> np.ndarray:
    """The weight of every picture (N,), 1 in sum, 0 where not seen: equal, or such that each class weighs the same.

    seen: which pictures are trained on, (N,).
    """
    counts = np.bincount(labels[seen], minlength=classes)
    weights = np.ones(classes)
    if balanced:
        weights = 1 / np.maximum(counts, 1)
    each = np.where(seen, weights[labels], 0)
    return np.asarray(each / (each.sum() or 1), np.float32)  # all 0 where a fold leaves nothing to train on


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities, of logits (..., classes)."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
