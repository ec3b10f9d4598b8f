"""All pictures of a data set decoded at once, into one array: what trains on pixels reads them many times."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.data.room import room
from eyespot.features.decode import decode_pictures
from eyespot.records import Preprocess, SetAside
from eyespot.words import counted

_MOST_AHEAD, _MOST_AHEAD_BYTES = 1024, 2**26
"""Images, and their bytes, that may be decoded before they are in the array."""


@dataclass(frozen=True)
class Decoded:
    """Pictures as images, and the pictures that could not be decoded."""

    images: np.ndarray
    """(N, H, W, C), uint8, in the order of `pictures`."""
    pictures: list[Hashed]
    set_aside: list[SetAside]


def bytes_needed(count: int, preprocess: Preprocess) -> int:
    """What the images of this many pictures take, in memory or on disk."""
    return count * math.prod(_shape(preprocess))


def decoded(
    hashed: Sequence[Hashed],
    preprocess: Preprocess,
    *,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Decoded:
    """Every picture that can be decoded, in order, as an image.

    folder: where there is room on disk; used, and made, only for what takes too much memory.
    progress: told pictures done and pictures in all.
    Raises MachineError where the disk has too little room; nothing is decoded then.
    """
    images = room(
        (len(hashed), *_shape(preprocess)),
        np.uint8,
        what=f"{counted(len(hashed), 'picture')} as images",
        folder=folder,
    )  # (N, H, W, C)
    pictures: list[Hashed] = []
    reasons: dict[int, str] = {}
    progress(0, len(hashed))
    ahead = max(1, min(_MOST_AHEAD, _MOST_AHEAD_BYTES // bytes_needed(1, preprocess)))
    work = [(each.picture, each.content) for each in hashed]
    with closing(decode_pictures(work, preprocess, reasons, ahead=ahead)) as decoded:
        for number, image in decoded:
            images[len(pictures)] = image
            pictures.append(hashed[number])
            progress(number + 1, len(hashed))
    if len(hashed) - 1 in reasons:
        progress(len(hashed), len(hashed))
    set_aside = [SetAside(picture=hashed[number].picture.name, reason=why) for number, why in reasons.items()]
    return Decoded(images[: len(pictures)], pictures, set_aside)


def _shape(preprocess: Preprocess) -> tuple[int, int, int]:
    return (*preprocess.crop_hw, preprocess.channels)  # (H, W, C)
