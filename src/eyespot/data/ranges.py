"""Which numbers of a data set's deep pictures are black and white: found once, by all of them, and robust.

What is far from the rest decides nothing: hot pixels, values that stand for "no data", and single wild pictures. Every
step keeps its meaning where all numbers are multiplied and shifted, so the unit of a data set is no matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np

from eyespot.data import formats
from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import Picture
from eyespot.data.levels import FLAT, NEARLY_ALL, Kind, is_deep, kind_of, note_on_flat, sampled
from eyespot.errors import UnreadablePicture
from eyespot.records import Levels

MOST_PICTURES = 256
MOST_PIXELS = 2**28
"""Decoded in all."""
EXTREME = (0.0001, 0.9999)
"""Shares of all numbers between which the range lies: a pixel in ten thousand may lie beyond."""
PIXELS_FAR, PICTURES_FAR = 3.0, 1.0
"""Times the width of the rest: pixels further from it are not in the range; nor are single pictures."""
MOST_WILD = 50
"""One picture of this many may be wild; of fewer, one."""
FEWEST_VALUES = 16
"""Different numbers that the rest must have before a single one is taken to stand for "no data"."""
MOST_FILLS = 8
ORDINARY = 0.75
"""Integers that fill this much of what their bits can hold stay as they are, so that they agree with 8-bit twins."""


Sample = tuple[Hashed, Kind, np.ndarray]


def find_levels(hashed: Sequence[Hashed]) -> tuple[Levels | None, list[str]]:
    """The range of the deep pictures among these, and sentences on it; None where there is no such picture.

    Of many, those with the least hashes are looked at, the same number of each class: names and order decide nothing.
    """
    samples = list(_samples([each for each in hashed if each.deep]))
    levels = Levels(integers=_range(samples, "integers"), floats=_range(samples, "floats"))
    if levels.integers is None and levels.floats is None:
        return None, []
    said = f"pictures with more than 8 bits hold {levels}: the ends became black and white, here and for new pictures"
    return levels, [said, *note_on_flat(list(_flat(samples, levels)))]


def levels_of(data: bytes) -> Levels | None:
    """The range of one picture that belongs to no data set and no model."""
    return find_levels([Hashed(Picture("", data=data), content_hash(data), is_deep(data))])[0]


def _samples(deep: Sequence[Hashed]) -> Iterator[Sample]:
    pixels, count = 0, 0
    for each in _drawn(deep):
        try:
            data = each.picture.read()
            with formats.quiet():
                picture = formats.open_picture(data)
                kind = kind_of(picture)
                if pixels + picture.width * picture.height > MOST_PIXELS:
                    return
                if kind is None:
                    continue
                formats.decode(picture, data)
        except (OSError, UnreadablePicture):
            continue  # it is set aside when it is to be decoded
        numbers = sampled(picture, kind)
        if len(numbers):
            pixels, count = pixels + picture.width * picture.height, count + 1
            yield each, kind, numbers
        if count == MOST_PICTURES:
            return


def _drawn(deep: Sequence[Hashed]) -> list[Hashed]:
    """The pictures in an order in which classes take turns."""
    by_class: dict[str | None, list[Hashed]] = defaultdict(list)
    for each in sorted(deep, key=lambda each: each.content):
        by_class[each.picture.label].append(each)
    turns = (filter(None, turn) for turn in zip_longest(*by_class.values()))
    return [each for turn in turns for each in sorted(turn, key=lambda each: each.content)]


def _range(samples: Sequence[Sample], group: str) -> tuple[float, float] | None:
    """Black and white of one group; None where its pictures hold but one number, or there are none."""
    members = [(kind, numbers) for _, kind, numbers in samples if kind.group == group]
    if not members:
        return None
    low, high = robust_range([numbers for _, numbers in members])
    if group == "integers":
        for kind in sorted({kind for kind, _ in members}, key=lambda kind: kind.high - kind.low):
            width = kind.high - kind.low
            if kind.low <= low and high <= kind.high and high - low >= ORDINARY * width:
                return kind.low, kind.high
    return (low, high) if low < high else None


def robust_range(pictures: Sequence[np.ndarray]) -> tuple[float, float]:
    """Where nearly all numbers of nearly all pictures lie. pictures: of each its sorted numbers, (n,)."""
    least, greatest = _without_fills(np.sort(np.concatenate(pictures)))
    cleaned = [numbers[(least <= numbers) & (numbers <= greatest)] for numbers in pictures]
    cleaned = [numbers for numbers in cleaned if len(numbers)]
    ends = np.array([np.quantile(numbers, NEARLY_ALL) for numbers in cleaned])  # (N, 2)
    few = max(1, len(cleaned) // MOST_WILD) if len(cleaned) > 3 else 0
    suspects = {*ends[:, 0].argsort()[:few].tolist(), *ends[:, 1].argsort()[len(ends) - few :].tolist()}
    low, high = _extremes(np.concatenate([each for row, each in enumerate(cleaned) if row not in suspects]))
    far = PICTURES_FAR * (high - low)
    kept = [
        each
        for row, each in enumerate(cleaned)
        if row not in suspects or (low - far <= ends[row, 0] and ends[row, 1] <= high + far)
    ]
    return _extremes(np.concatenate(kept))


def _without_fills(values: np.ndarray) -> tuple[float, float]:
    """The least and the greatest of sorted values without single ones that are far from all others: "no data"."""
    for _ in range(MOST_FILLS):
        core = values[(values > values[0]) & (values < values[-1])]
        if np.count_nonzero(np.diff(core)) + 1 < FEWEST_VALUES:
            break
        low, high = np.quantile(core, NEARLY_ALL)
        far = PIXELS_FAR * (high - low)
        if not far or (values[0] >= low - far and values[-1] <= high + far):
            break
        values = values[(values > values[0]) | (values[0] >= low - far)]
        values = values[(values < values[-1]) | (values[-1] <= high + far)]
    return float(values[0]), float(values[-1])


def _extremes(values: np.ndarray) -> tuple[float, float]:
    """All values but the most extreme ones, and those far from the rest."""
    low, high = np.quantile(values, NEARLY_ALL).tolist()
    if low == high:  # a plain ground, on which little lies
        others = values[values != low]
        if not len(others):
            return low, high
        least, greatest = _extremes(others)
        return min(low, least), max(high, greatest)
    far = PIXELS_FAR * (high - low)
    least = float(np.quantile(values, EXTREME[0], method="higher"))
    greatest = float(np.quantile(values, EXTREME[1], method="lower"))
    return max(least, low - far), min(greatest, high + far)


def _flat(samples: Sequence[Sample], levels: Levels) -> Iterator[str]:
    """The names of pictures whose numbers, nearly all, become one grey though they differ."""
    for each, kind, numbers in samples:
        low, high = getattr(levels, kind.group) or (kind.low, kind.high)
        first, last = np.clip(np.quantile(numbers, NEARLY_ALL), low, high)
        if numbers[0] < numbers[-1] and (last - first) * 255 < (FLAT - 1) * (high - low):
            yield each.picture.name
