"""The loss of several heads at once, its gradient and its curvature, and the heads at which it is least."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from eyespot.heads.head import Head, HeadOptions, with_zero
from eyespot.heads.lbfgs import MEMORY, minimise
from eyespot.heads.rotation import Rotated

CURVATURE = 0.1
"""Assumed curvature of the loss per unit of feature variance; 0.25 would be its bound for one class (Boehning 1992)."""
LEAST_CURVATURE = 1e-3
"""The same where it is known, but may be next to nothing for a head that is sure of all its answers."""
MOST_SCORES = 2**22
"""Numbers in one array of scores, pictures by heads by classes: so many pictures are looked at at a time. 16 MB."""
MOST_REMEMBERED = 2**27
"""Numbers that L-BFGS remembers of its steps; beyond, heads are minimised in groups. 512 MB: of 2,000 classes one head
at a time takes that."""
MANY = 2**15
"""Pictures: of several times as many a part is fitted first, from where all of them need few steps."""
MOST_CURVED = 2**16
"""Pictures, about, that tell how the loss curves: it only decides how fast the minimum is found."""


class Problems:
    """Several heads on the same rotated features, each trained on its own rows, all minimised together.

    Together, because a matrix product with fifty columns takes hardly longer than one with ten.
    """

    def __init__(self, rotated: Rotated, options: HeadOptions, *, mirror: bool, trained_on: np.ndarray) -> None:
        """trained_on: which pictures each of the B heads may see, (N, B)."""
        self._rotated = rotated if mirror else rotated.without_mirror()
        samples, self._output = self._rotated.samples, options.output
        self._labels, balanced = samples.labels, options.class_weight == "balanced"
        weights = [_sample_weights(self._labels, seen, samples.classes, balanced=balanced) for seen in trained_on.T]
        self._weights = np.stack(weights, axis=1) / np.float32(len(samples.views))  # (N, B), of each view
        outputs = 1 if options.output == "sigmoid" else samples.classes
        widths = [len(rotated.rotation.variance), *options.hidden, outputs]
        self._shapes = [(inputs + 1, outputs) for inputs, outputs in pairwise(widths)]
        self._start = _first_parameters(self._shapes, seed=options.seed)

    def minimise(self, l2: np.ndarray, *, tolerance: float, start: Sequence[Head] = ()) -> list[Head]:
        """The heads, for rotated features, at which each problem's loss is least.

        l2: of each head, (heads,); a multiple of the B heads of `trained_on`, over which they repeat.
        start: a head for each to start from; none for the beginning of everything.
        """
        remembered = 2 * MEMORY * sum(rows * columns for rows, columns in self._shapes)
        at_once = max(MOST_REMEMBERED // remembered, 1)
        numbers = np.arange(len(l2))
        heads: list[Head] = []
        for group in np.split(numbers, numbers[at_once::at_once]):
            first = self._parameters([start[number] for number in group] if start else [], len(group))
            weights = self._weights[:, group % self._weights.shape[1]]  # (N, heads of the group)
            strength = l2[group].astype(np.float32)
            every = 0 if start else len(weights) // MANY
            while every > 1:  # a part of the pictures comes close, in little time
                first = self._minimise(first, weights, strength, tolerance, every=every)
                every //= 4
            found = self._minimise(first, weights, strength, tolerance)
            layers = [
                [(_single(each[head, :-1].T), _single(each[head, -1])) for each in found] for head in range(len(group))
            ]
            heads += [Head(tuple(each), self._output) for each in layers]
        return heads

    def _minimise(
        self, first: list[np.ndarray], weights: np.ndarray, l2: np.ndarray, tolerance: float, *, every: int = 1
    ) -> list[np.ndarray]:
        """Layer by layer, weights and biases at the minimum, (heads, inputs + 1, outputs); of every such picture."""
        scale = np.sqrt(self._curvature(first, weights, l2))  # (heads, axes + 1, outputs)

        def unflat(flat: np.ndarray, which: np.ndarray) -> list[np.ndarray]:
            ends = np.cumsum([rows * columns for rows, columns in self._shapes])
            pieces = np.split(flat, ends[:-1], axis=1)
            layers = [piece.reshape(-1, *shape) for piece, shape in zip(pieces, self._shapes, strict=True)]
            return [layers[0] / scale[which], *layers[1:]]

        def loss(flat: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            value, gradients = self._loss(unflat(flat, which), weights[:, which], l2[which], every=every)
            gradients[0] /= scale[which]
            return value, np.concatenate([each.reshape(len(flat), -1) for each in gradients], axis=1)

        scaled = [first[0] * scale, *first[1:]]
        flat = np.concatenate([layer.reshape(len(l2), -1) for layer in scaled], axis=1)
        found = unflat(minimise(loss, flat, tolerance=tolerance), np.arange(len(l2)))
        if self._output == "softmax":  # what all classes have in common changes no answer, and costs L2
            found[-1] = found[-1] - found[-1].mean(axis=2, keepdims=True)
        return found

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
        known = np.zeros(parameters[0].shape)
        every = max(1, len(weights) // MOST_CURVED)
        for features, rows in self._blocks(len(l2), every=every):
            x = self._rotated.along_axes(features)
            scores = _shared_product(x, parameters[0][:, :-1]) + parameters[0][:, -1]
            p = np.exp(log_softmax(with_zero(scores, self._output)))[:, :, -scores.shape[2] :]  # (n, heads, outputs)
            curved = p * (1 - p) * weights[rows, :, None] * every
            known[:, :-1] += _shared_outer_product(x**2, curved)
            known[:, -1] += curved.sum(axis=0)
        known[:, :-1] += l2[:, None, None]
        return _single(np.maximum(known, self._assumed(LEAST_CURVATURE, l2)))

    def _assumed(self, curvature: float, l2: np.ndarray) -> np.ndarray:
        by_axis = curvature * self._rotated.rotation.variance + l2[:, None]  # (heads, axes)
        return np.concatenate([by_axis, np.full((len(l2), 1), curvature, np.float32)], axis=1)[:, :, None]

    def _blocks(self, heads: int, *, every: int = 1) -> Iterator[tuple[np.ndarray, slice]]:
        """As many features at a time as this many heads may give scores of, and the rows of their pictures."""
        widest = max(heads * max(outputs for _, outputs in self._shapes), self._rotated.samples.identity.shape[1])
        return self._rotated.blocks(max(1, MOST_SCORES // widest), every=every)

    def _loss(
        self, parameters: Sequence[np.ndarray], weights: np.ndarray, l2: np.ndarray, *, every: int = 1
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """The loss of each head (heads,), and its gradient by every layer (heads, inputs + 1, outputs).

        every: how many pictures there are for each that is looked at, and stands for them all.
        """
        as_read = [_single(layer) for layer in (self._rotated.weights_as_read(parameters[0]), *parameters[1:])]
        value, totals = np.zeros(len(l2)), [np.zeros(layer.shape) for layer in as_read]
        for features, rows in self._blocks(len(l2), every=every):
            surprise, gradients = self._of_block(as_read, features, self._labels[rows], weights[rows] * every)
            value += surprise
            for total, gradient in zip(totals, gradients, strict=True):
                total += gradient
        totals[0] = self._rotated.gradients_along_axes(totals[0])
        for total, layer in zip(totals, parameters, strict=True):
            total[:, :-1] += l2[:, None, None] * layer[:, :-1]
            value += l2 / 2 * (layer[:, :-1] ** 2).sum(axis=(1, 2))
        return value, [_single(total) for total in totals]

    def _of_block(
        self, layers: Sequence[np.ndarray], features: np.ndarray, labels: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """What some pictures add to the loss of each head (heads,), and to its gradient by every layer.

        Back-propagation, written out: forward through the layers, keeping what each one saw, then back.
        """
        seen: list[np.ndarray] = [features]
        x = _shared_product(features, layers[0][:, :-1]) + layers[0][:, -1]  # (n, heads, outputs)
        for layer in layers[1:]:
            seen.append(np.maximum(x, 0))
            x = _own_product(seen[-1], layer[:, :-1]) + layer[:, -1]
        log_probability = log_softmax(with_zero(x, self._output))  # (n, heads, classes)
        true = np.arange(len(labels)), slice(None), labels
        value = -(weights * log_probability[true]).sum(axis=0, dtype=np.float64)
        back = np.exp(log_probability)
        back[true] -= 1
        back *= weights[:, :, None]
        back = back[:, :, -x.shape[2] :]  # the sigmoid's zero column has no parameters
        gradients: list[np.ndarray] = []
        for depth in reversed(range(len(layers))):
            by_weight = _outer_product(seen[depth], back) if depth else _shared_outer_product(seen[0], back)
            gradients.insert(0, np.concatenate([by_weight, back.sum(axis=0)[:, None]], axis=1))
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


def mean_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log likelihood of the true classes, of logits (N, classes)."""
    return -float(log_softmax(logits)[np.arange(len(labels)), labels].mean(dtype=np.float64))


def expected_accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean probability of the true classes: as often as that they are named by whoever draws by the probabilities."""
    return float(np.exp(log_softmax(logits)[np.arange(len(labels)), labels]).mean(dtype=np.float64))
