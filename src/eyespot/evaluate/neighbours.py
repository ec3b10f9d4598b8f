"""The nearest pictures of each picture by the direction of their features: exact, in blocks, in little memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAREST = 20
BLOCK = 512
"""Pictures whose similarities to all others are in memory at once: of 30,000 pictures 61 MB, and twice that to sort."""
NOBODY = -2.0
"""Below every cosine: the similarity to a picture that does not count."""


@dataclass(frozen=True)
class Neighbours:
    """The k pictures most like each of N pictures, most similar first."""

    rows: NDArray[np.int64]
    """(N, k). Where fewer than k others count, what follows them has the similarity NOBODY."""
    similarity: NDArray[np.float32]
    """(N, k), cosines, -1..1."""

    @property
    def count(self) -> NDArray[np.int64]:
        """How many there are of each picture, (N,)."""
        return np.asarray((self.similarity > NOBODY).sum(axis=1))


def nearest_pictures(
    features: NDArray[np.float32], *, group: NDArray[np.int64] | None = None, count: int = NEAREST
) -> Neighbours:
    """The `count` pictures, or all others, whose features have the largest cosine with those of each picture.

    features: (N, D), of any length; N at least 2.
    group: (N,), pictures with the same number show the same thing and are no neighbours; None where all differ.
    """
    pictures = len(features)
    count = min(count, pictures - 1)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    directions = np.asarray(features / np.maximum(lengths, 1e-12), np.float32)
    member = np.arange(pictures) if group is None else group
    rows, similarity = np.empty((pictures, count), np.int64), np.empty((pictures, count), np.float32)
    for start in range(0, pictures, BLOCK):
        block = slice(start, start + BLOCK)
        cosines = directions[block] @ directions.T  # (block, N)
        cosines[member[block, None] == member] = NOBODY
        rows[block], similarity[block] = _largest(cosines, count)
    return Neighbours(rows, similarity)


def _largest(cosines: NDArray[np.float32], count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Columns (block, count) of the largest values of each row, the largest first, and the values."""
    found = np.argpartition(cosines, -count, axis=1)[:, -count:]
    values = np.take_along_axis(cosines, found, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(values, order, axis=1)
