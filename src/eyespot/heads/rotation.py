"""The principal axes of features: a change of coordinates in which the loss of a head is rounder."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eyespot.heads.head import Head, Samples


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


@dataclass(frozen=True)
class Rotated:
    """Samples along the axes of their features, or of more of them."""

    rotation: Rotation
    samples: Samples

    @classmethod
    def of(cls, samples: Samples) -> Rotated:
        """The samples along their own axes."""
        rotation = Rotation.of(samples)
        return cls(rotation, rotation.apply(samples))

    def with_labels(self, samples: Samples) -> Rotated:
        """The same features with the labels of these samples."""
        return replace(self, samples=replace(self.samples, labels=samples.labels, classes=samples.classes))

    def without_mirror(self) -> Rotated:
        """The same pictures, along the same axes, without their mirror images."""
        return replace(self, samples=replace(self.samples, mirror=None))


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
