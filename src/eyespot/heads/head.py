"""What a head is: layers from features to logits, what it is fitted on, and what may be chosen about it. No torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eyespot.data.room import release

Output = Literal["softmax", "sigmoid"]
Layer = tuple[np.ndarray, np.ndarray]
"""Weights (outputs, inputs) and biases (outputs,)."""


@dataclass(frozen=True)
class HeadOptions:
    """What a person may choose about a head."""

    hidden: tuple[int, ...] = ()
    """Widths of hidden layers (ReLU) before the output: none, since features of a good backbone need none."""
    output: Output = "softmax"
    """With two classes, `sigmoid` gives one output, the second class's."""
    class_weight: Literal["auto", "balanced", "none"] = "auto"
    """balanced: every class weighs the same; auto: where one class has over three times the pictures of another."""
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
    group: np.ndarray | None = None
    """(N,), the group of each picture, which no fold tears apart; None where each is by itself."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def views(self) -> tuple[np.ndarray, ...]:
        """The features (N, D), and those of the mirror images where there are any."""
        return (self.identity,) if self.mirror is None else (self.identity, self.mirror)

    def blocks(self, size: int, *, every: int = 1) -> Iterator[tuple[np.ndarray, slice]]:
        """`size` features at a time, view by view, and the rows of their pictures; memory holds no more of a file.

        every: how many pictures there are for each that is read.
        """
        for view in self.views:
            for start in range(0, len(view), size * every):
                rows = slice(start, start + size * every, every)
                yield view[rows], rows
                release(view)

    def take(self, rows: np.ndarray) -> Samples:
        """The pictures at these rows (indices or a mask)."""
        mirror = None if self.mirror is None else self.mirror[rows]
        group = None if self.group is None else self.group[rows]
        return Samples(self.identity[rows], mirror, self.labels[rows], self.classes, group)


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
        return with_zero(x @ weight.T + bias, self.output)  # (N, classes)


def with_zero(scores: np.ndarray, output: Output) -> np.ndarray:
    """The logits that belong to an output layer's scores (..., outputs): a sigmoid's one score z means (0, z)."""
    return np.concatenate([np.zeros_like(scores), scores], axis=-1) if output == "sigmoid" else scores
