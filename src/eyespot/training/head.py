"""Exact softmax heads on features: multinomial logistic regression by L-BFGS, its L2 by cross-validation. No torch.

The loss of a head on N weighted pictures is

    mean over pictures of  weight * -log softmax(head(features))[label]   +   l2 / 2 * sum of squared weights

which for a head of one layer is convex: every run ends at the same minimum. Features are first rotated to their
principal axes, which changes neither loss nor answers, and each axis is scaled so that the loss curves about equally
in all directions; L-BFGS then needs a third of the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from eyespot.data.audit import is_unbalanced
from eyespot.data.split import stratified_folds
from eyespot.training.lbfgs import minimise

Output = Literal["softmax", "sigmoid"]
Layer = tuple[np.ndarray, np.ndarray]
"""Weights (outputs, inputs) and biases (outputs,)."""

FOLDS = 5
STEP = 10**0.5
"""Ratio of neighbouring L2 values that are tried."""
FIRST_STRENGTH = 3e-5
"""The L2 tried first, as a share of the features' total variance."""
STRENGTHS = (1e-9, 1.0)
"""The range in which L2 is looked for, as shares of the features' total variance."""
CURVATURE = 0.1
"""Assumed curvature of the loss per unit of feature variance; 0.25 would be its bound for one class (Boehning 1992)."""
LOOSE, TIGHT = 3e-5, 1e-8
"""Relative decrease of the loss at which L-BFGS stops: while comparing L2 values, and for the head that is kept."""


@dataclass(frozen=True)
class HeadOptions:
    """What a person may choose about a head."""

    hidden: tuple[int, ...] = ()
    """Widths of hidden layers (ReLU) before the output: none, since features of a good backbone need none."""
    output: Output = "softmax"
    """With two classes, `sigmoid` gives one output, the second class's."""
    class_weight: Literal["auto", "balanced", "none"] = "auto"
    """balanced: every class weighs the same; auto: only where one has over three times the pictures of another."""
    mirror: Literal["auto", "yes", "no"] = "auto"
    """auto: mirror images are trained on where cross-validation is not worse with them."""
    seed: int = 0


@dataclass(frozen=True)
class Samples:
    """Features of N pictures, and of their mirror images where there are any."""

    identity: np.ndarray
    """(N, D), float32."""
    mirror: np.ndarray | None
    labels: np.ndarray
    """(N,), class indices."""
    classes: int

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Samples:
        """The pictures at these rows (indices or a mask)."""
        mirror = None if self.mirror is None else self.mirror[rows]
        return Samples(self.identity[rows], mirror, self.labels[rows], self.classes)


@dataclass(frozen=True)
class Head:
    """Layers from features to logits."""

    layers: tuple[Layer, ...]
    output: Output

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Logits (N, classes) of features (N, D); of a sigmoid head, (0, z) whose softmax is (1 - p, p)."""
        x = features
        for weight, bias in self.layers[:-1]:
            x = np.maximum(x @ weight.T + bias, 0)  # (N, hidden)
        weight, bias = self.layers[-1]
        return _with_zero(x @ weight.T + bias, self.output)  # (N, classes)


@dataclass(frozen=True)
class Trial:
    """One candidate, judged by cross-validation."""

    l2: float
    mirror: bool
    accuracy: float
    loss: float
    """Mean negative log likelihood of the true class, out of fold."""


@dataclass(frozen=True)
class FittedHead:
    """The head that is kept, and the cross-validation that chose it."""

    head: Head
    chosen: Trial
    trials: tuple[Trial, ...]
    out_of_fold: np.ndarray
    """Logits (N, classes) of every picture, from a head that had not seen it or its mirror image."""


def fit_head(samples: Samples, options: HeadOptions) -> FittedHead:
    """The head with the L2, and with or without mirror images, that cross-validation finds best, fitted on everything.

    A picture and its mirror image always lie in the same fold.
    """
    rotation = Rotation.of(samples)
    rotated = rotation.apply(samples)
    cv = _CrossValidation(rotated, rotation.variance, options)
    chosen = cv.best()
    everything = np.ones((len(samples), 1), bool)
    problems = _Problems(rotated, rotation.variance, options, mirror=chosen.mirror, trained_on=everything)
    start = _between(cv.heads(chosen))
    (head,) = problems.minimise(np.array([chosen.l2]), start=[start], tolerance=TIGHT)
    return FittedHead(rotation.undo(head), chosen, tuple(cv.trials), cv.out_of_fold(chosen))


def out_of_fold_logits(samples: Samples, options: HeadOptions, *, repeats: int) -> np.ndarray:
    """Logits (repeats, N, classes) of every picture by heads that never saw it, not even to choose their L2."""
    runs = []
    for repeat in range(repeats):
        seeded = replace(options, seed=options.seed + repeat)
        fold = folds_of(samples.labels, seed=seeded.seed)
        logits = np.zeros((len(samples), samples.classes), np.float32)
        for held_out in np.unique(fold):
            fitted = fit_head(samples.take(fold != held_out), seeded)
            logits[fold == held_out] = fitted.head.logits(samples.identity[fold == held_out])
        runs.append(logits)
    return np.stack(runs)


def folds_of(labels: np.ndarray, *, seed: int) -> np.ndarray:
    """The fold of every picture (N,): five, or as many as there are pictures where they are fewer."""
    return stratified_folds(labels, folds=max(2, min(FOLDS, len(labels))), seed=seed)


@dataclass(frozen=True)
class Rotation:
    """The features' principal axes: turning to them and centring changes no loss, and makes the loss rounder."""

    mean: np.ndarray
    """(D,)."""
    axes: np.ndarray
    """(D, axes), orthonormal. Directions in which no feature varies are left out: L2 keeps weights there at zero."""
    variance: np.ndarray
    """Along each axis, (axes,)."""

    @classmethod
    def of(cls, samples: Samples) -> Rotation:
        """The rotation to the axes of all features, mirror images included."""
        features = samples.identity
        if samples.mirror is not None:
            features = np.concatenate([features, samples.mirror])
        mean = features.mean(axis=0)
        return cls(mean, *principal_axes(features - mean))

    def apply(self, samples: Samples) -> Samples:
        """The samples with features (N, axes)."""
        mirror = None if samples.mirror is None else (samples.mirror - self.mean) @ self.axes
        return replace(samples, identity=(samples.identity - self.mean) @ self.axes, mirror=mirror)

    def undo(self, head: Head) -> Head:
        """The head for features as they were, of one for rotated features."""
        (weight, bias), *rest = head.layers
        turned = np.ascontiguousarray(weight @ self.axes.T, np.float32)  # (outputs, D)
        return replace(head, layers=((turned, bias - turned @ self.mean), *rest))


def principal_axes(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal directions (D, axes) that hold all of the features' variance, and the variance along each (axes,).

    centred: features (N, D) with mean zero. With fewer pictures than features the small Gram matrix is taken apart.
    """
    count, width = centred.shape
    small = centred @ centred.T if count < width else centred.T @ centred
    values, vectors = np.linalg.eigh(small / count)
    kept = values > max(float(values[-1]), 1e-12) * 1e-7
    values, vectors = values[kept], vectors[:, kept]
    axes = centred.T @ (vectors / np.sqrt(values * count)) if count < width else vectors
    return np.ascontiguousarray(axes, np.float32), values.astype(np.float32)


class _CrossValidation:
    """Tries L2 values on a logarithmic grid: a first one, its neighbours, then further downhill.

    A fold's later trials start from its earlier ones, which saw the same pictures.
    """

    def __init__(self, samples: Samples, variance: np.ndarray, options: HeadOptions) -> None:
        self._samples, self._variance, self._options = samples, variance, options
        self.trials: list[Trial] = []
        self._heads: dict[Trial, list[Head]] = {}
        self._logits: dict[Trial, np.ndarray] = {}
        self._fold = folds_of(samples.labels, seed=options.seed)
        self._problems: dict[bool, _Problems] = {}

    def best(self) -> Trial:
        """The L2 with the lowest loss; with mirror images where that is not worse."""
        wish = self._options.mirror if self._samples.mirror is not None else "no"
        best = self._walk(mirror=wish == "yes")
        if wish == "auto":
            self._problems.clear()
            (mirrored,) = self._try([best.l2], mirror=True, start=self.heads(best))
            return mirrored if mirrored.loss <= best.loss else best
        return best

    def out_of_fold(self, trial: Trial) -> np.ndarray:
        """Logits (N, classes) of a trial."""
        return self._logits[trial]

    def heads(self, trial: Trial) -> list[Head]:
        """The head of every fold, for rotated features."""
        return self._heads[trial]

    def _walk(self, *, mirror: bool) -> Trial:
        total = float(self._variance.sum()) or 1.0
        first = FIRST_STRENGTH * total
        (middle,) = self._try([first], mirror=mirror)
        lower, upper = self._try([first / STEP, first * STEP], mirror=mirror, start=self.heads(middle))
        best = min((middle, lower, upper), key=lambda trial: trial.loss)
        factor = best.l2 / first  # 1 where the middle is best: nothing further is tried
        while factor != 1 and STRENGTHS[0] <= best.l2 * factor / total <= STRENGTHS[1]:
            (trial,) = self._try([best.l2 * factor], mirror=mirror, start=self.heads(best))
            if trial.loss >= best.loss:
                break
            best = trial
        return best

    def _try(self, strengths: Sequence[float], *, mirror: bool, start: Sequence[Head] = ()) -> list[Trial]:
        """One trial for each L2: every picture answered by a head that was fitted on the other folds."""
        folds = range(self._fold.max() + 1)
        if mirror not in self._problems:
            trained_on = self._fold[:, None] != np.array(folds)  # (N, folds)
            options = self._options
            self._problems[mirror] = _Problems(
                self._samples, self._variance, options, mirror=mirror, trained_on=trained_on
            )
        heads = self._problems[mirror].minimise(
            np.repeat(strengths, len(folds)), start=[*start] * len(strengths), tolerance=LOOSE
        )
        return [
            self._judge(l2, mirror, heads[number * len(folds) : (number + 1) * len(folds)])
            for number, l2 in enumerate(strengths)
        ]

    def _judge(self, l2: float, mirror: bool, heads: Sequence[Head]) -> Trial:
        labels = self._samples.labels
        logits = np.zeros((len(labels), self._samples.classes), np.float32)
        for fold, head in enumerate(heads):
            logits[self._fold == fold] = head.logits(self._samples.identity[self._fold == fold])
        trial = Trial(l2, mirror, float((logits.argmax(axis=1) == labels).mean()), _mean_loss(logits, labels))
        self.trials.append(trial)
        self._logits[trial], self._heads[trial] = logits, list(heads)
        return trial


class _Problems:
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
        self._weights = np.stack(
            [_sample_weights(labels, seen, samples.classes, options.class_weight) for seen in trained_on.T], axis=1
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
        weights = np.tile(self._weights, len(l2) // self._weights.shape[1])  # (N, heads)
        l2 = l2.astype(np.float32)
        scale = np.sqrt(CURVATURE * self._variance + l2[:, None])[:, :, None]  # (heads, axes, 1)

        def unflat(flat: np.ndarray, which: np.ndarray) -> list[np.ndarray]:
            ends = np.cumsum([rows * columns for rows, columns in self._shapes])
            pieces = np.split(flat, ends[:-1], axis=1)
            layers = [piece.reshape(-1, *shape) for piece, shape in zip(pieces, self._shapes, strict=True)]
            return [np.concatenate([layers[0][:, :-1] / scale[which], layers[0][:, -1:]], axis=1), *layers[1:]]

        def loss(flat: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            value, gradients = self._loss(unflat(flat, which), weights[:, which], l2[which])
            gradients[0][:, :-1] /= scale[which]
            return value, np.concatenate([each.reshape(len(flat), -1) for each in gradients], axis=1)

        first = self._parameters(start) if start else [np.repeat(layer[None], len(l2), axis=0) for layer in self._start]
        first[0][:, :-1] *= scale
        flat = np.concatenate([layer.reshape(len(l2), -1) for layer in first], axis=1)
        found = unflat(minimise(loss, flat, tolerance=tolerance), np.arange(len(l2)))
        layers = [[(each[head, :-1].T, each[head, -1]) for each in found] for head in range(len(l2))]
        return [Head(tuple((_single(w), _single(b)) for w, b in each), self._output) for each in layers]

    def _parameters(self, heads: Sequence[Head]) -> list[np.ndarray]:
        """Layer by layer, the weights and biases of all heads, (heads, inputs + 1, outputs)."""
        layers = zip(*(head.layers for head in heads), strict=True)
        return [np.stack([np.concatenate([w.T, b[None]]) for w, b in layer]) for layer in layers]

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
        log_probability = _log_softmax(_with_zero(x, self._output))  # (N, heads, classes)
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


def _between(heads: Sequence[Head]) -> Head:
    """A head to start from: of heads with one layer their mean, which lies close to what all pictures ask for."""
    if len(heads[0].layers) > 1:
        return heads[0]
    weight, bias = (np.mean([head.layers[0][i] for head in heads], axis=0) for i in (0, 1))
    return Head(((weight, bias),), heads[0].output)


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


def _sample_weights(labels: np.ndarray, seen: np.ndarray, classes: int, class_weight: str) -> np.ndarray:
    """The weight of every picture (N,), 1 in sum, 0 where not seen: equal, or such that each class weighs the same.

    seen: which pictures are trained on, (N,).
    """
    counts = np.bincount(labels[seen], minlength=classes)
    weights = np.ones(classes)
    if class_weight == "balanced" or (class_weight == "auto" and is_unbalanced(counts.tolist())):
        weights = 1 / np.maximum(counts, 1)
    each = np.where(seen, weights[labels], 0)
    return np.asarray(each / (each.sum() or 1), np.float32)  # all 0 where a fold leaves nothing to train on


def _with_zero(scores: np.ndarray, output: Output) -> np.ndarray:
    return np.concatenate([np.zeros_like(scores), scores], axis=-1) if output == "sigmoid" else scores


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _mean_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    return -float(_log_softmax(logits)[np.arange(len(labels)), labels].mean(dtype=np.float64))
