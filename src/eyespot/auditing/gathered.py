"""The pictures that are audited: every content once, with its class if there are classes, and what each shows."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eyespot import machine
from eyespot.auditing.result import BoxCount
from eyespot.building.backbone import OWN_PREPROCESS
from eyespot.data.boxes.reading import find_boxes, read_boxes
from eyespot.data.boxes.records import BoxedDataSet
from eyespot.data.copies import Hashed, hash_pictures
from eyespot.data.file_facts import file_facts
from eyespot.data.ranges import find_levels
from eyespot.data.read_as import AS_IT_IS, ReadAs
from eyespot.data.sources import open_pictures
from eyespot.data.store import Store
from eyespot.errors import DataError, StoreError
from eyespot.features.thumbnails import SIDE, grey, of_each
from eyespot.progress import Progress
from eyespot.records import Levels, SetAside

VERSION = 1
"""Changes whenever the same file would give another row."""


@dataclass(frozen=True)
class Gathered:
    """The pictures of a data set."""

    name: str
    classes: tuple[str, ...]
    """Fewer than two where labels cannot be judged."""
    pictures: list[Hashed]
    """Every content once, in the order of the contents."""
    identical: list[tuple[str, ...]]
    """Names of files that hold the same bytes."""
    levels: Levels | None
    set_aside: list[SetAside]
    notes: list[str]
    boxes: tuple[BoxCount, ...] = ()
    """Of each class, where the pictures have boxes."""

    def labels(self) -> np.ndarray | None:
        """The class index of each picture, (N,); None where there are fewer than two classes."""
        if len(self.classes) < 2:
            return None
        index = {name: number for number, name in enumerate(self.classes)}
        return np.array([index[str(each.picture.label)] for each in self.pictures], np.int64)

    def keep(self, pictures: Sequence[Hashed], set_aside: Sequence[SetAside]) -> Gathered:
        """The same with only these pictures."""
        return replace(self, pictures=list(pictures), set_aside=[*self.set_aside, *set_aside])


def gather(data: str | Path, how: ReadAs, progress: Progress) -> Gathered:
    """The pictures of a folder or a list, with classes, with boxes or without either.

    Raises DataError where there is none, and for boxes that cannot be meant.
    """
    folder = Path(os.path.expanduser(data))  # which leaves the ~ of nobody as it is
    if how == AS_IT_IS and find_boxes(folder):
        progress("reading", 0, 1)
        return _with_boxes(read_boxes(folder))
    data_set = open_pictures(data, how)
    has_classes = len(data_set.classes) > 1
    listed = [each for each in data_set.pictures if each.label is not None or not has_classes]
    unlabelled = [
        SetAside(picture=each.name, reason="has no class") for each in data_set.pictures if each.label is None
    ]
    hashed, unread = hash_pictures(
        listed, threads=machine.cores(), progress=lambda done: progress("reading", done, len(listed))
    )
    if not hashed:
        reason = f": {unread[0].picture} {unread[0].reason}" if unread else ""
        raise DataError(f"no picture of {data_set.name} can be read{reason}")
    of_content: dict[str, list[Hashed]] = defaultdict(list)
    for each in hashed:
        of_content[each.content].append(each)
    pictures = [of_content[content][0] for content in sorted(of_content)]
    levels, notes = _levels(pictures)
    return Gathered(
        name=data_set.name,
        classes=data_set.classes,
        pictures=pictures,
        identical=[tuple(each.picture.name for each in same) for same in of_content.values() if len(same) > 1],
        levels=levels,
        set_aside=[*data_set.set_aside, *(unlabelled if has_classes else ()), *unread],
        notes=[*data_set.notes, *notes],
    )


def _with_boxes(data: BoxedDataSet) -> Gathered:
    """The pictures without classes: which boxes to look at, only a detector can tell."""
    pictures = sorted((each.hashed for each in data.pictures), key=lambda each: each.content)
    levels, notes = _levels(pictures)
    counts = Counter(label for each in data.pictures for label in each.boxes.labels[~each.boxes.ignored].tolist())
    return Gathered(
        name=data.name,
        classes=(),
        pictures=pictures,
        identical=list(data.identical),
        levels=levels,
        set_aside=list(data.set_aside),
        notes=[*data.notes, *notes],
        boxes=tuple(BoxCount(name=name, boxes=counts[number]) for number, name in enumerate(data.classes)),
    )


def _levels(pictures: Sequence[Hashed]) -> tuple[Levels | None, list[str]]:
    """The range of deep pictures, those to train on where that is known, and sentences on it."""
    return find_levels([each for each in pictures if each.picture.part == "train"] or pictures)


@dataclass(frozen=True)
class Shown:
    """What the files of some pictures show and say, without any network."""

    thumbnails: np.ndarray
    """(N, 32, 32), grey levels, uint8."""
    size_hw: np.ndarray
    """(N, 2), pixels."""
    file_bytes: np.ndarray
    """(N,)."""
    camera: np.ndarray
    """(N,), whether one signed the file."""


def show(
    pictures: Sequence[Hashed], levels: Levels | None, store: Store | None, progress: Callable[[int, int], None]
) -> Shown:
    """Thumbnails and facts of pictures that can be decoded; those in the store are not read again."""
    keys = {each.content: f"shown-{VERSION}-{levels}-{each.content}" for each in pictures}
    rows: dict[str, np.ndarray] = {}
    with suppress(StoreError):  # `embed` has said already that it cannot be used
        kept = store.get(list(keys.values())) if store else {}
        rows = {content: kept[key] for content, key in keys.items() if key in kept}
    missing = [each for each in pictures if each.content not in rows]
    new: dict[str, np.ndarray] = {}
    for number, row in of_each(missing, lambda data: _row(data, levels), OWN_PREPROCESS):
        new[missing[number].content] = row
        progress(len(pictures) - len(missing) + len(new), len(pictures))
    with suppress(StoreError):
        if store:
            store.put({keys[content]: row for content, row in new.items()})
    array = np.stack([{**rows, **new}[each.content] for each in pictures])  # (N, 1024 + 4)
    facts = array[:, SIDE * SIDE :].astype(np.int64)
    return Shown(
        thumbnails=array[:, : SIDE * SIDE].astype(np.uint8).reshape(-1, SIDE, SIDE),
        size_hw=facts[:, :2],
        file_bytes=facts[:, 2],
        camera=facts[:, 3].astype(bool),
    )


def _row(data: bytes, levels: Levels | None) -> np.ndarray:
    """A picture's thumbnail, then height, width, bytes and whether a camera signed it."""
    facts = file_facts(data)
    said = (facts.height, facts.width, facts.bytes, facts.camera)
    return np.concatenate([grey(data, levels).ravel(), np.array(said, np.float32)])
