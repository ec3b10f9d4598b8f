"""Which pictures show the same: pairs whose signatures are nearly one, or one's mirrored, and what was taken in a row.

Measured on 3,781 photos of clothing, where these thresholds link 20 of 7.1 million pairs: of pictures that were saved
anew, resized, brightened, cropped to 90 % or mirrored 97 % and more are found, of small bursts all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from eyespot.data.groups import Links, forest
from eyespot.data.taken import Taken

ALIKE = 0.79
"""Likeness of two pictures that show the same."""
MIRRORED = 0.71
"""Likeness of one to the other's mirrored signature: lower, since a network sees a mirror image a little otherwise, and
chance reaches it as rarely."""
IN_A_ROW = 0.5
"""Likeness of two pictures that were taken one right after the other: of any two, 1 in 500 are so alike."""
SECONDS = 10.0
"""Between two such pictures, at most."""
NEXT = 3
"""Pictures after it that each is compared with."""
PERHAPS = 0.5
"""Likeness from which two pictures may be one, saved twice: then their thumbnails tell."""
LIKEST = 50
"""Pairs of a picture that are kept in any case; of a video, where each frame is like a thousand, also those that join
the same pictures as all would."""
BLOCK = 1000
"""Pictures that are looked at at a time."""
MOST_AT_ONCE = 2**23
"""Pairs that are compared at a time: 34 MB, and some times that for what is made of them."""
MOST_FOUND = 2**20
"""Pairs that are looked through at a time: each that is found takes 20 bytes."""
PRIOR = 50
"""Pictures as which the mean of none weighs: few pictures do not say what their kind has in common."""


def unit_signatures(signatures: np.ndarray) -> np.ndarray:
    """Signatures (N, C, h, w) as vectors (N, C h w), float32, of length one, whose products are likenesses.

    Each channel is divided by its size, so that all count the same, and what most pictures have at a place, or at the
    one mirrored to it, is subtracted: two pictures on white are not alike for the white. Of the columns, the first half
    are the sums of mirrored places and the second half the differences.
    """
    size, common = _size_and_mean(signatures)
    common *= len(signatures) / (len(signatures) + PRIOR)
    half = signatures.shape[3] // 2
    unit = np.empty((len(signatures), common.size), np.float32)
    for start in range(0, len(signatures), BLOCK):
        x = signatures[start : start + BLOCK].astype(np.float32) / size - common
        left, right = x[..., :half], x[..., : half - 1 : -1]
        flat = np.stack([left + right, left - right], axis=1).reshape(len(x), -1)  # (block, C h w)
        unit[start : start + BLOCK] = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return unit


def _size_and_mean(signatures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The size of each channel (C, 1, 1), and the mean of what is divided by it, made symmetric, (C, h, w)."""
    squares, total = 0.0, 0.0
    for start in range(0, len(signatures), BLOCK):
        x = signatures[start : start + BLOCK].astype(np.float32)
        squares = squares + np.square(x).sum(axis=(0, 2, 3), dtype=np.float64)
        total = total + x.sum(axis=0, dtype=np.float64)
    size = np.sqrt(squares / (signatures.size / signatures.shape[1]) + 1e-6)[:, None, None]
    mean = total / size / len(signatures)
    return size.astype(np.float32), ((mean + mean[..., ::-1]) / 2).astype(np.float32)


def alike(unit: np.ndarray, *, unsure: int = 0) -> Links:
    """The pairs that show the same, as they are or mirrored; of many that are all alike, as many as join them.

    unit: as `unit_signatures` gives them, (N, D). Mirroring a picture turns the sign of its differences.
    unsure: of the pairs that may be one picture, saved twice, how many are given beside, the likest.
    """
    found = _Found(len(unit), unsure)
    half = unit.shape[1] // 2
    # a mirrored pair is as sure as another whose likeness is as far above its threshold
    bonus = np.float32((ALIKE - MIRRORED) / 2)
    block = max(1, min(BLOCK, MOST_AT_ONCE // max(1, len(unit))))
    for start in range(0, len(unit), block):
        rows, others = unit[start : start + block], unit[start:]
        likeness, differences = (rows[:, part] @ others[:, part].T for part in (slice(half), slice(half, None)))
        # The larger of s + d and s - d + 2 b, s being sums, is s + b + |d - b|: in place, for there are millions.
        differences -= bonus
        likeness += np.abs(differences, out=differences)
        likeness += bonus
        found.take(likeness, start)
    return found.links


class _Found:
    """The pairs that are kept of those found so far: their number grows as that of the pictures, not as its square."""

    def __init__(self, count: int, unsure: int) -> None:
        self._count, self._most_unsure = count, unsure
        self._likest = [Links.none()]
        self._joining = Links.none()
        """The likest of the others that join the same pictures as all of them would."""
        self._unsure = Links.none()

    @property
    def links(self) -> Links:
        return Links.of(*self._likest, self._joining, self._unsure)

    def take(self, likeness: np.ndarray, start: int) -> None:
        """likeness: of the pictures from `start` on to all from there on, (block, N - start)."""
        step = max(1, MOST_FOUND // likeness.shape[1])
        for top in range(0, len(likeness), step):
            rows = likeness[top : top + step, top:]
            first, second = np.nonzero(np.triu(rows >= self._least, k=1))
            found = Links(first + start + top, second + start + top, rows[first, second])
            is_sure = found.likeness >= ALIKE
            self._take_sure(found.take(is_sure))
            if self._most_unsure:
                unsure = Links.of(self._unsure, found.take(~is_sure))
                self._unsure = unsure.take(np.argsort(-unsure.likeness, kind="stable")[: self._most_unsure])

    @property
    def _least(self) -> float:
        """Likeness that a pair must have to be kept."""
        if not self._most_unsure:
            return ALIKE
        return float(self._unsure.likeness[-1]) if len(self._unsure) == self._most_unsure else PERHAPS

    def _take_sure(self, found: Links) -> None:
        """found: in the order of their first pictures, each with all of its links."""
        order = np.lexsort((-found.likeness, found.first))
        found = found.take(order)
        place = np.arange(len(found)) - np.searchsorted(found.first, found.first)  # among those of its first picture
        self._likest.append(found.take(place < LIKEST))
        others = found.take(place >= LIKEST)
        if len(others):
            self._joining = forest(Links.of(self._joining, others), self._count)


def in_a_row(unit: np.ndarray, taken: Sequence[Taken | None]) -> Links:
    """The pairs that one camera took within seconds, and that are a little alike.

    unit: as `unit_signatures` gives them, (N, D). taken: when each was taken, None where its file does not say.
    """
    pairs = np.array(list(_neighbours(taken)), np.int64).reshape(-1, 2)
    likeness = np.einsum("nd,nd->n", unit[pairs[:, 0]], unit[pairs[:, 1]])
    return Links(pairs[:, 0], pairs[:, 1], likeness).take(likeness >= IN_A_ROW)


def _neighbours(taken: Sequence[Taken | None]) -> Iterator[tuple[int, int]]:
    """Rows of pictures that follow each other within seconds, by camera."""
    known = sorted(((each.camera, each.seconds, row) for row, each in enumerate(taken) if each))
    for at, (camera, seconds, row) in enumerate(known):
        for other_camera, later, other in known[at + 1 : at + 1 + NEXT]:
            if other_camera == camera and later - seconds <= SECONDS:
                yield row, other
