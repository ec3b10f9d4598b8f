"""The principal axes of features: a change of coordinates in which the loss of a head is rounder.

Few features are turned to the axes once. Many, which may lie in a file larger than memory, stay as they are: some rows
at a time are read and centred whenever they are needed, and it is the head's weights that are turned instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from eyespot.data.room import release
from eyespot.heads.head import Head, Samples

MOST_TURNED = 2**28
"""Bytes of features up to which they are turned once, which takes as much memory again."""
ROWS = 4096
"""Features that are read at a time."""


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
        width = samples.identity.shape[1]
        count = len(samples.views) * len(samples)
        total = sum((rows.sum(axis=0, dtype=np.float64) for rows, _ in samples.blocks(ROWS)), np.zeros(width))
        mean = (total / count).astype(np.float32)
        if count < width:
            return cls(mean, *principal_axes(np.concatenate(samples.views) - mean))
        products = np.zeros((width, width))
        for rows, _ in samples.blocks(ROWS):
            centred = rows - mean
            products += centred.T @ centred
        return cls(mean, *_axes((products / count).astype(np.float32)))

    def apply(self, samples: Samples) -> Samples:
        """The samples with features (N, axes)."""
        mirror = None if samples.mirror is None else (samples.mirror - self.mean) @ self.axes
        return replace(samples, identity=(samples.identity - self.mean) @ self.axes, mirror=mirror)

    def undo(self, head: Head) -> Head:
        """The head for features as they were, of one for rotated features."""
        (weight, bias), *rest = head.layers
        turned = np.ascontiguousarray(weight @ self.axes.T, np.float32)  # (outputs, D)
        return replace(head, layers=((turned, bias - turned @ self.mean), *rest))


@dataclass(frozen=True)
class Rotated:
    """Samples along the axes of their features, or of more of them."""

    rotation: Rotation
    samples: Samples
    """Turned already, or as they are."""
    is_turned: bool = True

    @classmethod
    def of(cls, samples: Samples) -> Rotated:
        """The samples along their own axes."""
        rotation = Rotation.of(samples)
        if sum(view.nbytes for view in samples.views) > MOST_TURNED:
            return cls(rotation, samples, is_turned=False)
        return cls(rotation, rotation.apply(samples))

    def with_labels(self, samples: Samples) -> Rotated:
        """The same features with the labels of these samples."""
        return replace(self, samples=replace(self.samples, labels=samples.labels, classes=samples.classes))

    def without_mirror(self) -> Rotated:
        """The same pictures, along the same axes, without their mirror images."""
        return replace(self, samples=replace(self.samples, mirror=None))

    def part(self, rows: np.ndarray) -> tuple[Rotated, np.ndarray]:
        """Samples with those at these rows (a mask), and which of them these are: all, unless there are too many."""
        if not self.is_turned:
            return self, rows
        return replace(self, samples=self.samples.take(rows)), np.ones(int(rows.sum()), bool)

    def logits(self, head: Head, rows: np.ndarray) -> np.ndarray:
        """Logits (n, classes) of a head for rotated features, to the pictures at these rows (indices or a mask)."""
        if self.is_turned:
            return head.logits(self.samples.identity[rows])
        undone, features = self.rotation.undo(head), self.samples.identity
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        logits = np.empty((len(rows), self.samples.classes), np.float32)
        for start in range(0, len(rows), ROWS):
            some = slice(start, start + ROWS)
            logits[some] = undone.logits(features[rows[some]])
            release(features)
        return logits

    def blocks(self, size: int, *, every: int = 1) -> Iterator[tuple[np.ndarray, slice]]:
        """`size` features at a time, centred at least, view by view, and the rows of their pictures.

        every: how many pictures there are for each that is read.
        """
        for features, rows in self.samples.blocks(size, every=every):
            yield features if self.is_turned else features - self.rotation.mean, rows

    def along_axes(self, centred: np.ndarray) -> np.ndarray:
        """Features (n, axes) of what `blocks` gives."""
        return centred if self.is_turned else centred @ self.rotation.axes

    def weights_as_read(self, layers: np.ndarray) -> np.ndarray:
        """First layers (heads, inputs + 1, outputs) for what `blocks` gives, of those for rotated features."""
        return layers if self.is_turned else _on_weights(self.rotation.axes, layers)

    def gradients_along_axes(self, gradients: np.ndarray) -> np.ndarray:
        """The loss's gradients by the layers that `weights_as_read` is given, of those by the layers that it gives."""
        return gradients if self.is_turned else _on_weights(self.rotation.axes.T, gradients)


def principal_axes(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal directions (D, axes) that hold all of the features' variance, and the variance along each (axes,).

    centred: features (N, D) with mean zero. With fewer pictures than features the small Gram matrix is taken apart.
    """
    count, width = centred.shape
    if count >= width:
        return _axes(centred.T @ centred / count)
    vectors, values = _axes(centred @ centred.T / count)
    return np.ascontiguousarray(centred.T @ (vectors / np.sqrt(values * count)), np.float32), values


def _axes(products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvectors (n, axes) of a matrix (n, n) whose values (axes,) are not next to zero, and these."""
    values, vectors = np.linalg.eigh(products)
    kept = values > max(float(values[-1]), 1e-12) * 1e-7
    return np.ascontiguousarray(vectors[:, kept], np.float32), values[kept].astype(np.float32)


def _on_weights(turn: np.ndarray, layers: np.ndarray) -> np.ndarray:
    """The layers (heads, inputs + 1, outputs) with their weights turned, and their biases as they are."""
    return np.concatenate([turn @ layers[:, :-1], layers[:, -1:]], axis=1)
