"""One exact logistic head for each label, against all that have it not, its L2 by cross-validation. No torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from eyespot.heads.fit import are_torn, fit_head, folds_of, out_of_fold_logits
from eyespot.heads.head import HeadOptions, Layer, Samples
from eyespot.heads.rotation import Rotated

FEWEST = 2
"""Pictures with a label, and without it, from which a head is fitted; of fewer its probability is the same always."""
SEEDS = 10
"""Of folds that are tried until none tears a series apart."""


@dataclass(frozen=True)
class Targets:
    """Features of N pictures, and their labels."""

    identity: np.ndarray
    """(N, D), float32."""
    mirror: np.ndarray | None
    truths: np.ndarray
    """(N, K), True where a picture has the label."""
    group: np.ndarray | None
    """(N,), as of `Samples`."""

    def of_label(self, label: int) -> Samples:
        """What one head is fitted on: class 1 has the label, class 0 has it not."""
        return Samples(self.identity, self.mirror, self.truths[:, label].astype(np.int64), 2, self.group)

    def fold_seed(self, label: int, *, seed: int) -> int | None:
        """The first seed from `seed` on whose folds tear no series apart, and leave pictures with the label, and
        without it, to train on whichever is held out; None where there is none, as for a label of one series."""
        labels = self.truths[:, label].astype(np.int64)
        if self.group is None:
            return seed
        if min(len(np.unique(self.group[labels == each])) for each in (0, 1)) < FEWEST:
            return None
        tried = range(seed, seed + SEEDS)
        return next((s for s in tried if not are_torn(self.group, folds_of(labels, seed=s, group=self.group))), None)

    def can_learn(self, label: int) -> bool:
        """Whether enough pictures have the label, and enough have it not."""
        there = int(self.truths[:, label].sum())
        return min(there, len(self.truths) - there) >= FEWEST


@dataclass(frozen=True)
class OneAgainstRest:
    """A head for each label."""

    layer: Layer
    """Weights (K, D) and biases (K,): a label's logit is features @ weight + bias."""
    out_of_fold: np.ndarray
    """Logits (N, K) of every picture, each by a head that had not seen it."""
    l2: np.ndarray
    """(K,); NaN where nothing could be learned."""
    mirror: np.ndarray
    """(K,), whether mirror images were trained on."""
    unmeasured: np.ndarray
    """(K,), True where enough pictures have the label, and have it not, but either are of one series: answers to them
    would be by heads that had seen near-copies. Its probability is the same always."""

    def logits(self, features: np.ndarray) -> np.ndarray:
        """(N, K) of features (N, D)."""
        weight, bias = self.layer
        return np.asarray(features @ weight.T + bias)


def fit_each(targets: Targets, options: HeadOptions, *, nested: bool, done: Callable[[int], None]) -> OneAgainstRest:
    """The heads.

    options: of each; `output` and `class_weight` are set here, since each is to give a label's own probability.
    nested: out-of-fold logits are by heads that chose their L2 without the picture, too: slower.
    done: told how many labels are done.
    """
    options = replace(options, output="sigmoid", class_weight="none")
    count, width = targets.truths.shape[1], targets.identity.shape[1]
    weight, bias = np.zeros((count, width), np.float32), np.zeros(count, np.float32)
    unseen = np.zeros(targets.truths.shape, np.float32)
    l2, mirror, unmeasured = np.full(count, np.nan), np.zeros(count, bool), np.zeros(count, bool)
    rotated = Rotated.of(targets.of_label(0))
    for label in range(count):
        seed = targets.fold_seed(label, seed=options.seed) if targets.can_learn(label) else None
        if seed is None:
            unmeasured[label] = targets.can_learn(label)
            there = int(targets.truths[:, label].sum())
            bias[label] = unseen[:, label] = np.log((there + 0.5) / (len(targets.truths) - there + 0.5))
            continue
        samples, seeded = targets.of_label(label), replace(options, seed=seed)
        fitted = fit_head(samples, seeded, rotated=rotated)
        ((weight[label], bias[label]),) = [(w[0], b[0]) for w, b in fitted.head.layers]
        l2[label], mirror[label] = fitted.chosen.l2, fitted.chosen.mirror
        logits = out_of_fold_logits(samples, seeded, repeats=1)[0] if nested else fitted.out_of_fold
        unseen[:, label] = logits[:, 1] - logits[:, 0]
        done(label + 1)
    return OneAgainstRest((weight, bias), unseen, l2, mirror, unmeasured)
