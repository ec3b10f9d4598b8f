"""Which examples each step sees: an epoch's order, and where it is cut into batches."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=2)
def order(seed: int, epoch: int, count: int) -> np.ndarray:
    """The positions 0..count-1 in the order in which an epoch, counted from 0, takes them: the same everywhere."""
    positions = np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(count)
    positions.flags.writeable = False  # one array for all steps of the epoch
    return positions


def in_batches(count: int, size: int) -> list[slice]:
    """Places 0..count-1 cut into pieces of `size`; less than a quarter of one, left over, joins the piece before it.

    BatchNorm cannot tell the spread of a batch of one, and badly that of a few, which several processes would share,
    too. So a batch of one is left only where one was asked for, or where there is one example in all.
    """
    starts = list(range(0, count, size))
    if size > 1 and len(starts) > 1 and count - starts[-1] < max(2, size / 4):
        starts.pop()
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], count], strict=True)]
