"""Pictures as 32 x 32 grey levels: enough to tell one picture, saved twice, from two that are much alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.data.pictures import read_small
from eyespot.errors import UnreadablePicture
from eyespot.features.decode import decode_with
from eyespot.records import Levels, Preprocess

SIDE = 32
SMALL = 64
"""Pixels of a picture's longer side, of which its thumbnail is made."""
AHEAD = 1024
SAVED_TWICE = 0.97
"""Correlation of two thumbnails of what is one picture, saved twice: other pictures of a series stay below it."""
BLOCK = 1000
"""Pairs that are looked at at a time."""
T = TypeVar("T")


def grey(data: bytes, levels: Levels | None) -> np.ndarray:
    """The thumbnail (32, 32) of a picture, float32. Raises UnreadablePicture."""
    return np.asarray(read_small(data, SMALL, levels).convert("L").resize((SIDE, SIDE)), np.float32)


def of_each(
    pictures: Sequence[Hashed],
    make: Callable[[bytes], T],
    preprocess: Preprocess,
    reasons: dict[int, str] | None = None,
) -> Iterator[tuple[int, T]]:
    """The number of each picture that can be decoded, and what `make` makes of its bytes; by several threads.

    reasons: takes the numbers of the others, and why they cannot.
    """

    def read(files: Sequence[bytes], _: Preprocess) -> Iterator[T | UnreadablePicture]:
        for data in files:
            try:
                yield make(data)
            except UnreadablePicture as error:
                yield error

    work = [(each.picture, each.content) for each in pictures]
    yield from decode_with(read, work, preprocess, {} if reasons is None else reasons, ahead=AHEAD)


def correlations(thumbnails: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of pairs of thumbnails, or of one and the other's mirror image, whichever is larger, (P,).

    thumbnails: (N, 32, 32). first, second: (P,), rows.
    """
    found = np.empty(len(first), np.float32)
    for start in range(0, len(first), BLOCK):
        some = slice(start, start + BLOCK)
        one, other = thumbnails[first[some]], _standardised(thumbnails[second[some]])
        both = (np.einsum("pd,pd->p", _standardised(each), other) for each in (one, one[:, :, ::-1]))
        found[some] = np.maximum(*both)
    return found


def _standardised(thumbnails: np.ndarray) -> np.ndarray:
    """As vectors (N, 1024) whose products are correlations; of a picture of one color nothing correlates."""
    flat = thumbnails.reshape(len(thumbnails), SIDE * SIDE).astype(np.float32)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-3))
