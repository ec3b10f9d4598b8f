"""What a number of a layer takes from one map of what the layer takes: a patch, and the kernel on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic.windows import Window
from eyespot.records import Record

Floats = NDArray[np.float32]


class Part(Record):
    """What a number takes from one map, or from one place of a vector."""

    source: int
    """Which of the layer's inputs."""
    map: int
    """In it, from 0; below, or beyond the last, for a map of zeros."""
    top: int
    left: int
    """The place of the patch's first number in the map; below 0 in the padding."""
    patch: tuple[tuple[float | None, ...], ...]
    """Rows; None in the padding."""
    kernel: tuple[tuple[float, ...], ...] | None = None
    """Rows, as large as the patch."""
    sum: float
    """What it adds: the sum of the products, or the number itself."""


def patch_of(
    image: Floats, map_index: int, windows: tuple[Window, Window], at: tuple[int, ...], *, kernel: Floats | None = None
) -> Part:
    """What windows at a place see of a map. kernel: whose products with it are summed; None: its numbers are."""
    ways = [
        [place * window.stride - window.before + step * window.dilation for step in range(window.kernel)]
        for place, window in zip(at, windows, strict=True)
    ]
    numbers = image[map_index].astype(np.float64)
    inside = [[0 <= each < size for each in way] for way, size in zip(ways, numbers.shape, strict=True)]
    rows, columns = (np.clip(way, 0, size - 1) for way, size in zip(ways, numbers.shape, strict=True))
    there = np.outer(inside[0], inside[1])
    seen = np.where(there, numbers[np.ix_(rows, columns)], 0.0)
    return Part(
        source=0,
        map=map_index,
        top=ways[0][0],
        left=ways[1][0],
        patch=tuple(
            tuple(number if is_there else None for number, is_there in zip(*row, strict=True))
            for row in zip(seen.tolist(), there.tolist(), strict=True)
        ),
        kernel=None if kernel is None else tuple(tuple(row) for row in kernel.astype(np.float64).tolist()),
        sum=float((seen if kernel is None else seen * kernel).sum()),
    )


def number_of(values: Floats, place: tuple[int, ...], *, source: int = 0) -> Part:
    """One number of an input."""
    top, left = place[1:] if len(place) == 3 else (0, 0)
    number = float(values[place])
    return Part(source=source, map=place[0], top=top, left=left, patch=((number,),), sum=number)
