"""Which pictures show the same: pairs whose signatures are nearly one, or one's mirrored, and what was taken in a row.

Measured on 3,781 photos of clothing, where these thresholds link 20 of 7.1 million pairs: of pictures that were saved
anew, resized, brightened, cropped to 90 % or mirrored 97 % and more are found, of small bursts all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eyespot.data.groups import Links, forest
from eyespot.data.room import release, room
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
SOME = 10_000
"""Pictures that a block is compared with before memory gives them back, where they lie in a file: 72 MB."""
MOST_AT_ONCE = 2**23
"""Pairs that are compared at a time: 34 MB, and some times that for what is made of them."""
MOST_FOUND = 2**20
"""Pairs that are looked through at a time: each that is found takes 20 bytes."""
MANY = 10_000
"""Pictures from which few numbers of each tell which pairs are plainly unlike: of fewer all are compared outright."""
AXES = 128
"""Those numbers, of each half of a signature."""
SAMPLED = 20_000
"""Pictures that the axes are found by: others only make the bound less tight."""
ROUNDING = 1e-4
"""That a bound may be too low by."""
SHARE = 1 / 64
"""Of a block's pairs: where more may be alike, as those of a video are, comparing all takes less time than these."""
PAIRS = 2**6
"""Pairs that are compared one by one, at a time: of a file the system brings up to 1 MB for each of their rows."""
PRIOR = 50
"""Pictures as which the mean of none weighs: few pictures do not say what their kind has in common."""


def unit_signatures(signatures: np.ndarray, *, folder: Path | None = None) -> np.ndarray:
    """Signatures (N, C, h, w) as vectors (N, C h w), float32, of length one, whose products are likenesses.

    Each channel is divided by its size, so that all count the same, and what most pictures have at a place, or at the
    one mirrored to it, is subtracted: two pictures on white are not alike for the white. Of the columns, the first half
    are the sums of mirrored places and the second half the differences.

    folder: where there is room on disk, for what takes too much memory.
    """
    size, common = _size_and_mean(signatures)
    common *= len(signatures) / (len(signatures) + PRIOR)
    half = signatures.shape[3] // 2
    unit = room((len(signatures), common.size), np.float32, what="signatures of pictures", folder=folder)
    for start in range(0, len(signatures), BLOCK):
        x = signatures[start : start + BLOCK].astype(np.float32) / size - common
        left, right = x[..., :half], x[..., : half - 1 : -1]
        flat = np.stack([left + right, left - right], axis=1).reshape(len(x), -1)  # (block, C h w)
        unit[start : start + BLOCK] = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
        release(unit)
        release(signatures)
    return unit


def _size_and_mean(signatures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The size of each channel (C, 1, 1), and the mean of what is divided by it, made symmetric, (C, h, w)."""
    squares, total = 0.0, 0.0
    for start in range(0, len(signatures), BLOCK):
        x = signatures[start : start + BLOCK].astype(np.float32)
        squares = squares + np.square(x).sum(axis=(0, 2, 3), dtype=np.float64)
        total = total + x.sum(axis=0, dtype=np.float64)
        release(signatures)
    size = np.sqrt(squares / (signatures.size / signatures.shape[1]) + 1e-6)[:, None, None]
    mean = total / size / len(signatures)
    return size.astype(np.float32), ((mean + mean[..., ::-1]) / 2).astype(np.float32)


def alike(unit: np.ndarray, *, unsure: int = 0) -> Links:
    """The pairs that show the same, as they are or mirrored; of many that are all alike, as many as join them.

    unit: as `unit_signatures` gives them, (N, D). Mirroring a picture turns the sign of its differences.
    unsure: of the pairs that may be one picture, saved twice, how many are given beside, the likest.
    """
    found = _Found(unit, unsure)
    few_numbers = _FewNumbers.of(unit) if len(unit) >= MANY else None
    block = max(1, min(BLOCK, MOST_AT_ONCE // max(1, len(unit))))
    for start in range(0, len(unit), block):
        rows, others = slice(start, start + block), slice(start, None)
        if few_numbers:
            most = few_numbers.at_most(rows, others)
            is_open = most >= found.least
            if np.count_nonzero(is_open) <= SHARE * most.size:
                found.take_open(is_open, start)
                continue
        found.take(_likeness(*_products(unit, rows, others)), start)
    return found.links


def _halves(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sums and the differences of mirrored places."""
    half = unit.shape[1] // 2
    return unit[:, :half], unit[:, half:]


def _products(unit: np.ndarray, rows: slice, others: slice) -> list[np.ndarray]:
    """The products of the halves of these pictures with those of the others, two of (rows, others)."""
    some = unit[rows].copy()
    start, stop, _ = others.indices(len(unit))
    products = [np.empty((len(some), stop - start), np.float32) for _ in range(2)]
    for column in range(start, stop, SOME):
        chunk = unit[column : min(stop, column + SOME)]
        for product, one, other in zip(products, _halves(some), _halves(chunk), strict=True):
            np.matmul(one, other.T, out=product[:, column - start : column - start + len(chunk)])
        release(unit)
    return products


def _likeness(sums: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """Of pairs, as they are or mirrored, by the products of their halves, in whose place it comes.

    A mirrored pair is as sure as another whose likeness is as far above its threshold. The larger of s + d and
    s - d + 2 b is s + b + |d - b|.
    """
    bonus = np.float32((ALIKE - MIRRORED) / 2)
    differences -= bonus
    sums += np.abs(differences, out=differences)
    sums += bonus
    return sums


def _of_pairs(unit: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The products of the halves of pairs, (P,) each."""
    products = np.empty((2, len(first)), np.float32)
    for start in range(0, len(first), PAIRS):
        some = slice(start, start + PAIRS)
        one, other = unit[first[some]], unit[second[some]]
        for row, (left, right) in enumerate(zip(_halves(one), _halves(other), strict=True)):
            products[row, some] = np.einsum("pd,pd->p", left, right)
        release(unit)
    return products[0], products[1]


@dataclass(frozen=True)
class _FewNumbers:
    """Of each picture, what says how alike any two are at most.

    Along the principal axes the product of two vectors is known; what both have beside them adds no more than the
    product of its lengths (Cauchy and Schwarz).
    """

    sums: np.ndarray
    """(N, axes + 2), with the lengths of what both halves have beside the axes."""
    differences: np.ndarray
    """(N, axes)."""

    @classmethod
    def of(cls, unit: np.ndarray) -> _FewNumbers:
        """unit: as `unit_signatures` gives them."""
        axes = [_axes(half) for half in _halves(_sampled(unit))]
        width = axes[0].shape[1]
        sums, differences = (np.empty((len(unit), columns), np.float32) for columns in (width + 2, width))
        for start in range(0, len(unit), BLOCK):
            some = slice(start, start + BLOCK)
            halves = _halves(unit[some])
            sums[some, :width], differences[some] = (half @ axis for half, axis in zip(halves, axes, strict=True))
            for column, (half, along) in enumerate(zip(halves, (sums[some, :width], differences[some]), strict=True)):
                beside = np.square(half).sum(axis=1) - np.square(along).sum(axis=1)
                sums[some, width + column] = np.sqrt(np.maximum(beside, 0))
            release(unit)
        return cls(sums, differences)

    def at_most(self, rows: slice, others: slice) -> np.ndarray:
        """What the likeness of each of these pictures to each of those is at most."""
        most = _likeness(*(half[rows] @ half[others].T for half in (self.sums, self.differences)))
        most += np.float32(ROUNDING)
        return most


def _sampled(unit: np.ndarray) -> np.ndarray:
    """A copy of at most `SAMPLED` rows, from all over."""
    every = -(-len(unit) // SAMPLED)
    some = np.empty((-(-len(unit) // every), unit.shape[1]), unit.dtype)
    for start in range(0, len(some), BLOCK):
        some[start : start + BLOCK] = unit[start * every : (start + BLOCK) * every : every]
        release(unit)
    return some


def _axes(some: np.ndarray) -> np.ndarray:
    """The directions (D, axes) along which vectors (n, D) are longest."""
    return np.ascontiguousarray(np.linalg.eigh(some.T @ some)[1][:, -AXES:])


def _later(is_one: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """The true places in the rows from `top` on that lie right of the diagonal, row by row."""
    first, second = np.divmod(np.flatnonzero(is_one), is_one.shape[1])
    is_later = second > first + top
    return first[is_later], second[is_later]


class _Found:
    """The pairs that are kept of those found so far: their number grows as that of the pictures, not as its square."""

    def __init__(self, unit: np.ndarray, unsure: int) -> None:
        self._unit, self._most_unsure = unit, unsure
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
            rows = likeness[top : top + step]
            first, second = _later(rows >= self.least, top)
            self._take(Links(first + start + top, second + start, rows[first, second]))

    def take_open(self, is_open: np.ndarray, start: int) -> None:
        """is_open: which of these pairs may be alike enough."""
        step = max(1, MOST_FOUND // is_open.shape[1])
        for top in range(0, len(is_open), step):
            first, second = _later(is_open[top : top + step], top)
            first, second = first + start + top, second + start
            exact = _likeness(*_of_pairs(self._unit, first, second))
            self._take(Links(first, second, exact).take(exact >= self.least))

    def _take(self, found: Links) -> None:
        is_sure = found.likeness >= ALIKE
        self._take_sure(found.take(is_sure))
        if self._most_unsure:
            unsure = Links.of(self._unsure, found.take(~is_sure))
            self._unsure = unsure.take(np.argsort(-unsure.likeness, kind="stable")[: self._most_unsure])

    @property
    def least(self) -> float:
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
            self._joining = forest(Links.of(self._joining, others), len(self._unit))


def in_a_row(unit: np.ndarray, taken: Sequence[Taken | None]) -> Links:
    """The pairs that one camera took within seconds, and that are a little alike.

    unit: as `unit_signatures` gives them, (N, D). taken: when each was taken, None where its file does not say.
    """
    pairs = np.array(list(_neighbours(taken)), np.int64).reshape(-1, 2)
    likeness = np.add(*_of_pairs(unit, pairs[:, 0], pairs[:, 1]))
    return Links(pairs[:, 0], pairs[:, 1], likeness).take(likeness >= IN_A_ROW)


def _neighbours(taken: Sequence[Taken | None]) -> Iterator[tuple[int, int]]:
    """Rows of pictures that follow each other within seconds, by camera."""
    known = sorted(((each.camera, each.seconds, row) for row, each in enumerate(taken) if each))
    for at, (camera, seconds, row) in enumerate(known):
        for other_camera, later, other in known[at + 1 : at + 1 + NEXT]:
            if other_camera == camera and later - seconds <= SECONDS:
                yield row, other
