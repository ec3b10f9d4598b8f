"""From a data set to pictures that are ready for training: hashed, without copies, each with its part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from eyespot import machine
from eyespot.bundle.files import require_manifest_fits
from eyespot.data.copies import Hashed, data_fingerprint, hash_pictures, mirror_matters, notes_on_counts, without_copies
from eyespot.data.data_set import DataSet
from eyespot.data.groups import Series
from eyespot.data.ranges import find_levels
from eyespot.data.read_as import ReadAs
from eyespot.data.sources import AS_IT_IS, open_data_set
from eyespot.data.split import split
from eyespot.distributed.world import World, broadcast
from eyespot.errors import DataError
from eyespot.progress import Progress
from eyespot.records import Levels, Part, SetAside
from eyespot.words import counted

FEWEST = 3
"""Pictures below which cross-validation has nothing left to learn from."""


@dataclass(frozen=True)
class Prepared:
    """Pictures with content hash, class and part, and all that was set aside or is worth saying."""

    data_set: DataSet
    hashed: list[Hashed]
    was_split: bool
    """True where the folders said which pictures train and which test."""
    mirror_matters: bool
    """True where a mirror image may be another class: digits, letters, left and right."""
    set_aside: list[SetAside]
    notes: list[str]
    fingerprint: str
    unsplit: list[Hashed] = field(default_factory=list)
    """The pictures as they were before the split: with the parts that the folders gave, or none."""
    levels: Levels | None = None
    """What is black and white in pictures with more than 8 bits: the range of those to train on."""
    series: Series = field(default_factory=Series)
    """Pictures that belong together, as far as that was looked for."""

    def part(self, *parts: Part) -> list[Hashed]:
        """The pictures of these parts."""
        return [each for each in self.hashed if each.picture.part in parts]

    def labels(self, hashed: Sequence[Hashed]) -> np.ndarray:
        """Class index of each picture, (N,)."""
        index = {name: number for number, name in enumerate(self.data_set.classes)}
        return np.array([index[str(each.picture.label)] for each in hashed], dtype=np.int64)

    def group(self, hashed: Sequence[Hashed]) -> np.ndarray | None:
        """The group of each picture, (N,); None where no two of them belong together."""
        return self.series.group([each.content for each in hashed])

    def with_series(self, series: Series, *, seed: int) -> Prepared:
        """The same, split so that no series is torn apart; where the folders give the parts, they stay."""
        split_anew = split(self.unsplit, seed=seed, group_of=series.of)
        part_of = {each.content: each.picture.part for each in split_anew}
        hashed = [replace(each, picture=replace(each.picture, part=part_of[each.content])) for each in self.hashed]
        return replace(self, hashed=hashed, series=series)

    def without(self, set_aside: Sequence[SetAside]) -> Prepared:
        """The same without pictures that turned out to be unreadable."""
        names = {each.picture for each in set_aside}
        hashed = [each for each in self.hashed if each.picture.name not in names]
        return replace(self, hashed=hashed, set_aside=[*self.set_aside, *set_aside])


def prepare(data: str | Path | DataSet, *, seed: int, progress: Progress, how: ReadAs = AS_IT_IS) -> Prepared:
    """The data set, ready for training. Raises DataError where there is nothing to tell apart."""
    data_set = data if isinstance(data, DataSet) else open_data_set(data, how)
    parts = {picture.part for picture in data_set.pictures}
    if not parts & {None, "train"}:
        raise DataError(f"{data_set.name} has pictures for {' and '.join(sorted(map(str, parts)))}, and none for train")
    if len(data_set.classes) < 2:
        only = repr(data_set.classes[0]) if data_set.classes else "none"
        raise DataError(
            f"{data_set.name} has one class only ({only}): telling classes apart needs at least two"
            + _left_out(data_set.set_aside)
        )
    hashed, unread = hash_pictures(
        data_set.pictures,
        threads=machine.cores(),
        progress=lambda done: progress("reading", done, len(data_set.pictures)),
    )
    hashed, copies = without_copies(hashed)
    fingerprint = data_fingerprint(data_set, hashed)  # of the folder as it is, so not of the seed
    unsplit, hashed = hashed, split(hashed, seed=seed)
    held_out = sum(each.picture.part != "train" for each in hashed)
    require_manifest_fits(data_set.name, data_set.classes, pictures=len(hashed), held_out=held_out)
    train = Counter(str(each.picture.label) for each in hashed if each.picture.part == "train")
    if len(train) < 2:
        raise DataError(
            f"{data_set.name} has readable, distinct pictures to train on in {len(train)} class only: two "
            f"are needed{_left_out([*data_set.set_aside, *unread, *copies])}"
        )
    return Prepared(
        data_set=data_set,
        hashed=hashed,
        unsplit=unsplit,
        was_split=any(each.part for each in data_set.pictures),
        mirror_matters=data_set.mirror_changes_meaning or mirror_matters(data_set.classes),
        set_aside=[*data_set.set_aside, *unread, *copies],
        notes=list(data_set.notes),
        fingerprint=fingerprint,
    )


def with_levels(prepared: Prepared, world: World) -> Prepared:
    """The same with the range of the deep pictures to train on, as the writer finds it."""
    levels, notes = find_levels(prepared.part("train")) if world.is_writer else (None, [])
    said = broadcast(levels.model_dump(mode="json") if levels else None, world)
    return replace(prepared, levels=Levels.model_validate(said) if said else None, notes=[*prepared.notes, *notes])


def notes_on_trained(prepared: Prepared, hashed: Sequence[Hashed]) -> list[str]:
    """Sentences on the numbers of pictures, of each class, that could be decoded and will be trained on.

    Raises DataError where fewer than two classes or three pictures are left.
    """
    left = Counter(str(each.picture.label) for each in hashed)
    if len(left) < 2:
        raise DataError(
            f"{prepared.data_set.name} has readable pictures to train on in {len(left)} of its classes, and two are "
            f"needed{_left_out(prepared.set_aside)}"
        )
    if len(hashed) < FEWEST:
        raise DataError(
            f"{prepared.data_set.name} has {counted(len(hashed), 'picture')} to train on: add some, {FEWEST} are "
            f"needed{_left_out(prepared.set_aside)}"
        )
    return list(notes_on_counts({name: left[name] for name in prepared.data_set.classes}))


def _left_out(set_aside: Sequence[SetAside]) -> str:
    """The end of a sentence on too few pictures: files that were found but not used, and the first one's reason."""
    if not set_aside:
        return ""
    were = "was" if len(set_aside) == 1 else "were"
    return f"; {counted(len(set_aside), 'file')} {were} set aside: {set_aside[0].picture} {set_aside[0].reason}"
