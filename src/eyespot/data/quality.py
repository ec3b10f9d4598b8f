"""Pictures of which little can be seen: very dark, very bright, without contrast, very blurred, tiny, very long.

All but the last two are told by a thumbnail of 32 x 32 grey levels, which every picture has at hand. What is listed
is rare among its own: where many pictures are dark, as digits on black are, that is how they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RARE = 0.05
"""The share of all pictures that have a fault, up to which they are listed."""
DARKEST, BRIGHTEST = 90.0, 200.0
"""Grey levels, 0..255: of a dark picture even the brightest fiftieth lies below, of a bright one the darkest above. Its
mean level says less: a black dress on a bed is no dark picture."""
LEAST_CONTRAST = 30.0
"""Grey levels between the darkest and the brightest fiftieth of a picture."""
LEAST_SHARPNESS = 0.22
"""Of a thumbnail: a picture of 224 pixels blurred by 8 (standard deviation of a Gaussian) has 0.17, a common one 0.7.
A blur of less than 4 pixels does not show in a thumbnail."""
SMALLEST_SIDE = 75
"""Pixels: a network that looks at 224 sees each of them three times."""
LONGEST_SHAPE = 2.5
"""Length by width: the square that networks look at is less than two fifths of a longer picture."""
LIGHT_APART = 1.0
"""Standard deviations between the mean level of a class and that of all others that are worth a warning."""
FEWEST_OF_CLASS = 10
BLOCK = 1000
"""Pictures that are looked at at a time."""


@dataclass(frozen=True)
class Poor:
    """A picture of which little can be seen, and why, as the end of a sentence."""

    row: int
    why: str


def poor_pictures(thumbnails: NDArray[np.number], size_hw: NDArray[np.int64]) -> list[Poor]:
    """The pictures of which little can be seen, in their order; each once, with the first of its faults.

    thumbnails: (N, 32, 32), grey levels 0..255. size_hw: (N, 2), height and width of each picture, pixels.
    """
    blocks = range(0, len(thumbnails), BLOCK)  # what is computed of them takes many times their room
    ends = [np.percentile(thumbnails[start : start + BLOCK], [2, 98], axis=(1, 2)) for start in blocks]
    dark, bright = np.concatenate(ends, axis=1)
    sharp = np.concatenate([sharpness(thumbnails[start : start + BLOCK]) for start in blocks])
    side, shape = size_hw.min(axis=1), size_hw.max(axis=1) / size_hw.min(axis=1)
    faults = (
        (bright < DARKEST, bright, "is very dark: its brightest parts have level {:.0f} of 255, in others {:.0f}"),
        (dark > BRIGHTEST, dark, "is very bright: its darkest parts have level {:.0f} of 255, in others {:.0f}"),
        (bright - dark < LEAST_CONTRAST, bright - dark, "has hardly any contrast: {:.0f} levels of 255, others {:.0f}"),
        (sharp < LEAST_SHARPNESS, sharp, "is very blurred: sharpness {:.2f}, others have {:.2f}"),
        (side < SMALLEST_SIDE, side, "is tiny: its shorter side has {:.0f} pixels, that of others {:.0f}"),
        (shape > LONGEST_SHAPE, shape, "is of another shape: {:.1f} times as long as wide, others {:.1f}"),
    )
    why: dict[int, str] = {}
    for has_it, values, sentence in faults:
        for row in np.flatnonzero(has_it).tolist() if has_it.mean() <= RARE else ():
            why.setdefault(row, sentence.format(values[row], np.median(values)))
    return [Poor(row, why[row]) for row in sorted(why)]


def sharpness(thumbnails: NDArray[np.number]) -> NDArray[np.float64]:
    """How much neighbouring levels differ for their contrast, (N,): the mean size of the Laplacian by the deviation."""
    thumbnails = thumbnails.astype(np.float32)
    across = thumbnails[:, 1:-1, :-2] + thumbnails[:, 1:-1, 2:]
    along = thumbnails[:, :-2, 1:-1] + thumbnails[:, 2:, 1:-1]
    laplacian = np.abs(4 * thumbnails[:, 1:-1, 1:-1] - across - along).mean(axis=(1, 2))
    return np.asarray(laplacian / np.maximum(thumbnails.std(axis=(1, 2)), 1), np.float64)


def classes_of_other_light(
    thumbnails: NDArray[np.number], labels: NDArray[np.int64], names: Sequence[str]
) -> list[str]:
    """A sentence on each class whose pictures are much darker or brighter than all others, the furthest first.

    A class that was told is no longer among the others of the next: where one of three is dark, two are not bright.
    labels: (N,) class indices. names: of the classes.
    """
    level = thumbnails.mean(axis=(1, 2))
    levels = {name: level[labels == number] for number, name in enumerate(names)}
    left = {name: own for name, own in levels.items() if len(own) >= FEWEST_OF_CLASS}
    said = []
    while len(left) > 1:
        apart = {name: _apart(own, np.concatenate([*_without(left, name).values()])) for name, own in left.items()}
        furthest = max(apart, key=lambda name: abs(apart[name]))
        if abs(apart[furthest]) <= LIGHT_APART:
            break
        own, left = left[furthest], _without(left, furthest)
        others = np.concatenate([*left.values()])
        said.append(
            f"the pictures of {furthest} are {'brighter' if apart[furthest] > 0 else 'darker'} than the others (mean "
            f"level {own.mean():.0f} of 255 instead of {others.mean():.0f}): a network may learn the light instead of "
            "the thing, so photograph some of each class in the same light"
        )
    return said


def _apart(own: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """Between the means, in standard deviations of both together."""
    return float((own.mean() - others.mean()) / max(np.sqrt((own.var() + others.var()) / 2), 1e-6))


def _without(levels: Mapping[str, NDArray[np.floating]], name: str) -> dict[str, NDArray[np.floating]]:
    return {each: own for each, own in levels.items() if each != name}
