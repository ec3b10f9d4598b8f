"""Random numbers that are a function of seed, epoch, picture and purpose, and of nothing else.

A generator that is drawn from in turn ties its numbers to an order: another file name, batch size, worker or rank, and
every picture gets other numbers. Here each picture has, for each epoch and purpose, a stream of its own: splitmix64
(Steele, Lea and Flood 2014), whose i-th number is a hash of its start and i, so that all are computed at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)
"""From one state of splitmix64 to the next: 2^64 divided by the golden ratio."""
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_MANTISSA_BITS = 53


@dataclass(frozen=True)
class Chance:
    """Where the randomness of one epoch comes from, for some pictures."""

    seed: int
    epoch: int
    pictures: NDArray[np.uint64]
    """(N,), what `pictures_by_content` makes of their content hashes."""

    def uniform(self, what: str, count: int = 1) -> NDArray[np.float64]:
        """Numbers in [0, 1), (N, count). what: the purpose; numbers for different purposes are independent."""
        bits = self._bits(what, count) >> np.uint64(64 - _MANTISSA_BITS)
        return bits.astype(np.float64) * 2.0**-_MANTISSA_BITS

    def normal(self, what: str, count: int = 1) -> NDArray[np.float64]:
        """Numbers from the standard normal distribution, (N, count); by Box and Muller (1958)."""
        radius = np.sqrt(-2 * np.log1p(-self.uniform(f"{what}: radius", count)))
        return np.asarray(radius * np.cos(2 * np.pi * self.uniform(f"{what}: angle", count)))

    def _bits(self, what: str, count: int) -> NDArray[np.uint64]:
        """64 random bits each, (N, count)."""
        assert self.pictures.dtype == np.uint64, "pictures are told apart by 64 bits"
        key = blake2b(f"{self.seed} {self.epoch} {what}".encode(), digest_size=8).digest()
        start = _mixed(self.pictures ^ np.uint64(int.from_bytes(key, "little")))
        steps = np.arange(1, count + 1, dtype=np.uint64) * _STEP
        return _mixed(start[:, None] + steps)


def pictures_by_content(hashes: Iterable[str]) -> NDArray[np.uint64]:
    """Pictures as `Chance` tells them apart, (N,): the first 8 bytes of their content hashes, which are hexadecimal."""
    return np.array([int(each[:16], 16) for each in hashes], np.uint64)


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of the result depends on every bit of x: the output function of splitmix64."""
    x = (x ^ (x >> _SHIFTS[0])) * _MULTIPLIERS[0]
    x = (x ^ (x >> _SHIFTS[1])) * _MULTIPLIERS[1]
    return x ^ (x >> _SHIFTS[2])
