"""The pictures of an experiment: of DATA at most two thousand, of all classes as many, as small images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eyespot import machine
from eyespot.data import formats
from eyespot.data.copies import data_fingerprint, hash_pictures, without_copies
from eyespot.data.data_set import DataSet, Picture
from eyespot.data.sources import open_data_set
from eyespot.errors import DataError, UnreadablePicture
from eyespot.features.images import decoded
from eyespot.labs.definition import Both
from eyespot.progress import Progress, silent
from eyespot.records import Preprocess, SetAside
from eyespot.words import counted

if TYPE_CHECKING:
    from eyespot.data.copies import Hashed

MOST = 2000
MOST_CLASSES = 200
FEWEST = 4
"""Pictures of a class, below which it is left out: some have to train, and some to test."""
SMALL_SIDE, SIDE = 8, 16
LOOKED_AT = 20
"""Pictures whose sizes say which of the two it is."""


@dataclass(frozen=True)
class Pictures:
    """What an experiment sees of a data set."""

    name: str
    x: np.ndarray
    """(N, C, side, side), float32 with mean 0 and deviation 1; one channel where all pictures are gray."""
    y: np.ndarray
    """Class of each, (N,)."""
    classes: tuple[str, ...]
    hashed: tuple[Hashed, ...]
    """The pictures themselves, in the same order."""
    fingerprint: str
    set_aside: tuple[SetAside, ...]
    notes: tuple[Both, ...]
    black: float = 0.0
    """What level 0 has become in x."""
    white: float = 1.0
    """What level 255 has become in x."""
    once: dict[str, Any] = field(default_factory=dict)
    """What is computed of all pictures for all seeds together, by name."""

    @property
    def per_class(self) -> int:
        """Pictures of the rarest class."""
        return int(np.bincount(self.y).min())


def read_pictures(data: str | Path, *, side: int, progress: Progress) -> Pictures:
    """The pictures of any source that `train` takes. Raises NoPictures, and as `pictures_of`."""
    return pictures_of(open_data_set(data), side=side, progress=progress)


def pictures_of(found: DataSet, *, side: int = 0, progress: Progress = silent) -> Pictures:
    """The pictures of a data set.

    side: of the images, pixels; 0: as small as suits the pictures.
    Raises DataError where there are too few.
    """
    chosen, notes = _balanced(found)
    hashed, unread = hash_pictures(
        chosen, threads=machine.cores(), progress=lambda done: progress("reading", done, len(chosen))
    )
    hashed, copies = without_copies(hashed)
    images = decoded(hashed, _preprocess(hashed, side), folder=machine.cache_folder() / "labs")
    kept, classes = _with_enough(images.pictures, found)
    set_aside = (*found.set_aside, *unread, *copies, *images.set_aside)
    if len(classes) < 2:
        first = "".join(f"; set aside, among others: {each.picture} {each.reason}" for each in set_aside[:1])
        raise DataError(
            f"{found.name} has {counted(len(classes), 'class', 'classes')} with at least {FEWEST} pictures that can be "
            f"read: an experiment needs two{first}"
        )
    numbers = {name: number for number, name in enumerate(classes)}
    x = images.images[[number for number, each in enumerate(images.pictures) if each in kept]]
    standard, black, white = _standard(x)
    return Pictures(
        name=found.name,
        x=standard,
        y=np.array([numbers[str(each.picture.label)] for each in kept], dtype=np.int64),
        classes=classes,
        hashed=tuple(kept),
        fingerprint=data_fingerprint(replace(found, classes=classes), kept),
        set_aside=set_aside,
        notes=(*notes, *(Both(note, note) for note in found.notes)),
        black=black,
        white=white,
    )


def _balanced(found: DataSet) -> tuple[list[Picture], list[Both]]:
    """At most MOST pictures, of every class as many as of any other where it has them."""
    by_class: dict[str, list[Picture]] = defaultdict(list)
    for each in found.pictures:
        by_class[str(each.label)].append(each)
    notes = []
    if len(by_class) > MOST_CLASSES:
        most = sorted(by_class, key=lambda name: (-len(by_class[name]), name))[:MOST_CLASSES]
        by_class = {name: by_class[name] for name in by_class if name in most}
        notes.append(
            Both(
                "of {all} classes, the {used} with the most pictures are used", "{all} 类中只使用图片最多的 {used} 类"
            ).filled(all=len(found.classes), used=MOST_CLASSES)
        )
    each_class = MOST
    while sum(min(len(members), each_class) for members in by_class.values()) > MOST:
        each_class -= 1
    random, chosen = np.random.default_rng(0), []
    for members in by_class.values():
        kept = np.sort(random.permutation(len(members))[:each_class])
        chosen += [members[number] for number in kept]
    if len(chosen) < len(found.pictures):
        notes.append(
            Both(
                "{used} of {all} pictures are used, at most {each} of a class",
                "使用 {all} 张图片中的 {used} 张，每类最多 {each} 张",
            ).filled(used=len(chosen), all=len(found.pictures), each=each_class)
        )
    if any(each.part for each in chosen):
        notes.append(
            Both(
                "the data's own parts are put together: every seed draws its own test pictures",
                "数据自带的划分合并使用：每个种子重新抽取测试图片",
            )
        )
    return chosen, notes


def _preprocess(hashed: Sequence[Hashed], side: int) -> Preprocess:
    if not side:
        sides = [side for each in hashed[:: max(1, len(hashed) // LOOKED_AT)] if (side := _shorter_side(each))]
        side = SMALL_SIDE if sides and np.median(sides) < SIDE else SIDE
    return Preprocess(
        short_side=side, crop_hw=(side, side), filter="bilinear", color="rgb", mean=(0,) * 3, scale=(1,) * 3
    )


def _shorter_side(hashed: Hashed) -> int:
    """Pixels; 0 for what cannot be read."""
    try:
        with formats.quiet():
            return min(formats.open_picture(hashed.picture.read()).size)
    except (UnreadablePicture, OSError):
        return 0


def _with_enough(pictures: Sequence[Hashed], found: DataSet) -> tuple[list[Hashed], tuple[str, ...]]:
    """The pictures whose classes have at least FEWEST of them, and these classes."""
    counts: dict[str, int] = defaultdict(int)
    for each in pictures:
        counts[str(each.picture.label)] += 1
    classes = tuple(name for name in found.classes if counts[name] >= FEWEST)
    return [each for each in pictures if str(each.picture.label) in classes], classes


def _standard(images: np.ndarray) -> tuple[np.ndarray, float, float]:
    """(N, H, W, 3) levels as (N, C, H, W) floats, and what the levels 0 and 255 become."""
    is_gray = (images == images[..., :1]).all()
    x = images[..., :1] if is_gray else images
    x = x.transpose(0, 3, 1, 2).astype(np.float32)  # (N, C, H, W)
    mean, spread = x.mean(), max(float(x.std()), 1.0)
    return (x - mean) / spread, float(0 - mean) / spread, float(255 - mean) / spread
