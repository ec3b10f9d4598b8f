"""Pictures unlike every class: another thing altogether, a page of text, a hand before the lens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FAR = 3.0
"""Standard deviations below the middle from which on a picture is odd."""
NORMAL = 1.4826
"""A normal distribution's standard deviation, in median distances from its middle: odd pictures do not move those."""
LEAST_FAR = 0.01
"""A cosine less far below the middle is not odd, however much alike the others are: rounding may be all of it."""


def odd_pictures(features: NDArray[np.float32], labels: NDArray[np.int64]) -> list[int]:
    """Rows of the pictures that are far less like the class they are most like than others are, the oddest first.

    features: (N, D). labels: (N,) class indices; all the same where there are no classes.
    """
    alike = likeness_without_itself(features, labels)
    middle = np.median(alike)
    far = max(FAR * NORMAL * float(np.median(np.abs(alike - middle))), LEAST_FAR)
    odd = np.flatnonzero(alike < middle - far)
    rows: list[int] = odd[np.argsort(alike[odd], kind="stable")].tolist()
    return rows


def likeness_without_itself(features: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """The largest cosine (N,) of each picture with the mean direction of a class, its own taken without itself."""
    directions = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)  # (N, D)
    classes, member = np.unique(labels, return_inverse=True)
    sums = np.stack([directions[member == number].sum(axis=0) for number in range(len(classes))])  # (C, D)
    cosines = directions @ (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)).T  # (N, C)
    others = sums[member] - directions
    lengths = np.linalg.norm(others, axis=1)
    alone = lengths < 1e-6  # a class of one picture is no evidence for it
    own = np.where(alone, -1, (directions * others).sum(axis=1) / np.maximum(lengths, 1e-6))
    cosines[np.arange(len(member)), member] = own
    return np.asarray(cosines.max(axis=1), np.float32)
