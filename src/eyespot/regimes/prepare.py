"""From a data set to pictures that are ready for training: hashed, without copies, each with its part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from eyespot import machine
from eyespot.bundle.files import require_manifest_fits
from eyespot.data.changes import NONE, Changes
from eyespot.data.copies import Hashed, data_fingerprint, hash_pictures, mirror_matters, notes_on_counts
from eyespot.data.data_set import DataSet
from eyespot.data.groups import Series
from eyespot.data.joined import open_joined
from eyespot.data.ranges import find_levels
from eyespot.data.read_as import AS_IT_IS, ReadAs
from eyespot.distributed.world import World, broadcast
from eyespot.errors import DataError
from eyespot.progress import Progress
from eyespot.records import Levels, Part, SetAside, View
from eyespot.regimes.judging import Judged, judge_pictures
from eyespot.words import counted, some

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
    judged: Judged = field(default_factory=Judged)
    """The pictures as they were before the split: with the parts that were given, or none."""
    levels: Levels | None = None
    """What is black and white in pictures with more than 8 bits: the range of those to train on."""
    left_out: list[Hashed] = field(default_factory=list)
    """What the person's list leaves out, each content once, in the part that it would have had."""
    files: list[Hashed] = field(default_factory=list)
    """Every file that can be read: copies, too."""
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The group that a person's file names of each content; of copies there may be several."""
    series: Series = field(default_factory=Series)
    """Pictures that belong together, as far as that was looked for."""
    all_series: Series = field(default_factory=Series)
    """The same with those that the person's list leaves out."""

    def part(self, *parts: Part) -> list[Hashed]:
        """The pictures of these parts."""
        return [each for each in self.hashed if each.picture.part in parts]

    def labels(self, hashed: Sequence[Hashed]) -> np.ndarray:
        """Class index of each picture, (N,)."""
        index = {name: number for number, name in enumerate(self.data_set.classes)}
        return np.array([index[str(each.picture.label)] for each in hashed], dtype=np.int64)

    def views(self, mirror: str) -> tuple[View, ...]:
        """The views of each picture that a head is fitted on, or may be. mirror: as the option is given."""
        if mirror == "no" or (mirror == "auto" and self.mirror_matters):
            return ("identity",)
        return ("identity", "mirror")

    def group(self, hashed: Sequence[Hashed]) -> np.ndarray | None:
        """The group of each picture, (N,); None where no two of them belong together."""
        return self.series.group([each.content for each in hashed])

    def different(self, *parts: Part) -> int:
        """How many pictures of these parts differ: those of one series, as far as that is known, count as one."""
        return self.series.different([each.content for each in self.part(*parts)])

    def with_series(self, series: Series, *, seed: int) -> Prepared:
        """The same, split so that no series is torn apart; where the folders give the parts, they stay.

        A note names the classes that a part lacks because of it.
        """
        part_of = {each.content: each.picture.part for each in self.judged.split(seed=seed, group_of=series.of)}
        hashed, left_out = (_in_parts(pictures, part_of) for pictures in (self.hashed, self.left_out))
        kept = series.only({each.content for each in hashed})
        notes = [*self.notes, *_on_lacking(self.hashed, hashed)]
        return replace(self, hashed=hashed, left_out=left_out, notes=notes, series=kept, all_series=series)

    @property
    def as_found(self) -> Prepared | None:
        """The same without the person's list, each picture in its part; None where the list changes nothing, and where
        nothing could be learned without it."""
        part_of = {each.content: each.picture.part for each in (*self.hashed, *self.left_out)}
        there = [each for each in self.judged.as_found if each.content in part_of]
        found = replace(self, hashed=_in_parts(there, part_of), left_out=[], judged=Judged(), series=self.all_series)
        train = found.part("train")
        return found if len(train) >= FEWEST and len({each.picture.label for each in train}) > 1 else None

    @property
    def notes_on_list(self) -> Iterator[str]:
        """A sentence where the person's list makes what is tested other than it is in the folders."""
        gone = sum(each.picture.part == "test" for each in self.left_out)
        moved = sum(each.content in self.judged.relabelled for each in self.part("test"))
        changes = [f"leaves out {gone}"] * (gone > 0) + [f"gives {moved} another class"] * (moved > 0)
        if changes:
            yield (
                f"of the pictures to test on, your list {' and '.join(changes)}: the figures on test are on pictures "
                "as you judged them, so they cannot be compared with those of a run without the list"
            )

    def without(self, set_aside: Sequence[SetAside]) -> Prepared:
        """The same without pictures that turned out to be unreadable; of those that are not used nothing is said."""
        unread = {each.picture: each for each in set_aside}
        gone = [unread[each.picture.name] for each in self.hashed if each.picture.name in unread]
        hashed = [each for each in self.hashed if each.picture.name not in unread]
        return replace(self, hashed=hashed, set_aside=[*self.set_aside, *gone])


def prepare(
    data: str | Path | DataSet,
    *,
    seed: int,
    progress: Progress,
    how: ReadAs = AS_IT_IS,
    changes: Changes = NONE,
) -> Prepared:
    """The data set, ready for training. Raises DataError where there is nothing to tell apart."""
    data_set = open_joined(data, how, more=changes.more)
    _require_classes(data_set)
    files, unread = hash_pictures(
        data_set.pictures,
        threads=machine.cores(),
        progress=lambda done: progress("reading", done, len(data_set.pictures)),
    )
    judged = judge_pictures(files, data_set.classes, changes)
    split = judged.split(seed=seed)
    gone = {each.content for each in judged.left_out}
    hashed = [each for each in split if each.content not in gone]
    set_aside = [*data_set.set_aside, *unread, *judged.set_aside]
    held_out = sum(each.picture.part != "train" for each in hashed)
    require_manifest_fits(data_set.name, data_set.classes, pictures=len(hashed), held_out=held_out)
    _require_trainable(data_set.name, hashed, set_aside)
    return Prepared(
        data_set=data_set,
        hashed=hashed,
        judged=judged,
        files=files,
        left_out=[each for each in split if each.content in gone],
        was_split=any(each.picture.part for each in judged.kept),
        mirror_matters=data_set.mirror_changes_meaning or mirror_matters(data_set.classes),
        set_aside=set_aside,
        notes=[*data_set.notes, *judged.notes],
        fingerprint=data_fingerprint(data_set, judged.kept, left_out=judged.left_out),  # as it is, so not of the seed
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


def _on_lacking(before: Sequence[Hashed], after: Sequence[Hashed]) -> Iterator[str]:
    """before, after: the same pictures in their parts, without and with regard to series."""
    for part in ("val", "test"):
        had, has = ({str(each.picture.label) for each in all_ if each.picture.part == part} for all_ in (before, after))
        lacking = [repr(label) for label in sorted(had - has)]
        if lacking:
            whose = "its" if len(lacking) == 1 else "their"
            yield (
                f"{part} has no picture of {some(lacking)}: {whose} series are too few to come to every part, and none "
                "is torn apart"
            )


def _in_parts(hashed: Sequence[Hashed], part_of: Mapping[str, Part | None]) -> list[Hashed]:
    return [replace(each, picture=replace(each.picture, part=part_of[each.content])) for each in hashed]


def _require_classes(data_set: DataSet) -> None:
    """Raises DataError where there is nothing to train on, or nothing to tell apart."""
    parts = {picture.part for picture in data_set.pictures}
    if not parts & {None, "train"}:
        raise DataError(f"{data_set.name} has pictures for {' and '.join(sorted(map(str, parts)))}, and none for train")
    if len(data_set.classes) < 2:
        only = repr(data_set.classes[0]) if data_set.classes else "none"
        raise DataError(
            f"{data_set.name} has one class only ({only}): telling classes apart needs at least two"
            + _left_out(data_set.set_aside)
        )


def _require_trainable(name: str, hashed: Sequence[Hashed], set_aside: Sequence[SetAside]) -> None:
    """Raises DataError where fewer than two classes can be trained. name: of the data."""
    train = Counter(str(each.picture.label) for each in hashed if each.picture.part == "train")
    if len(train) < 2:
        raise DataError(
            f"{name} has readable, distinct pictures to train on in {len(train) or 'no'} class: two are needed"
            f"{_left_out(set_aside)}"
        )


def _left_out(set_aside: Sequence[SetAside]) -> str:
    """The end of a sentence on too few pictures: files that were found but not used, and the first one's reason."""
    if not set_aside:
        return ""
    were = "was" if len(set_aside) == 1 else "were"
    return f"; {counted(len(set_aside), 'file')} {were} set aside: {set_aside[0].picture} {set_aside[0].reason}"
