"""The pictures that are audited: every content once, with its class if there are classes, and what each shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np

from eyespot import machine
from eyespot.auditing.result import BoxCount
from eyespot.building.backbone import OWN_PREPROCESS
from eyespot.data.boxes.reading import find_boxes, read_boxes
from eyespot.data.boxes.records import BoxedDataSet
from eyespot.data.copies import FIRST_CLAIM, Hashed, hash_pictures, without_copies
from eyespot.data.data_set import DataSet
from eyespot.data.file_facts import file_facts
from eyespot.data.ranges import find_levels
from eyespot.data.read_as import AS_IT_IS, ReadAs
from eyespot.data.several_labels import find_labels, open_labels
from eyespot.data.sources import open_pictures
from eyespot.data.split import split
from eyespot.data.store import Store
from eyespot.errors import DataError, StoreError
from eyespot.features.thumbnails import SIDE, grey, of_each
from eyespot.files import from_home
from eyespot.progress import Progress
from eyespot.records import Levels, Part, SetAside
from eyespot.regimes.prepare import FEWEST
from eyespot.regimes.series import SMALLEST_SIDE
from eyespot.words import counted, some

VERSION = 1
"""Changes whenever the same file would give another row."""
FACTS = 4
"""Of a file, behind the thumbnail in its row."""


@dataclass(frozen=True)
class Gathered:
    """The pictures of a data set."""

    name: str
    classes: tuple[str, ...]
    """Those that have pictures; fewer than two where labels cannot be judged."""
    pictures: list[Hashed]
    """Every content once, in the order of the contents."""
    identical: list[tuple[str, ...]]
    """Names of files that hold the same bytes."""
    contradictory: list[tuple[Hashed, ...]]
    """Files that hold the same bytes and stand in several classes: they are not among the pictures."""
    levels: Levels | None
    set_aside: list[SetAside]
    notes: list[str]
    boxes: tuple[BoxCount, ...] = ()
    """Of each class, where the pictures have boxes."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Those that the pictures are split into already; none where a training splits them."""
        present = {each.picture.part for each in self.pictures}
        return tuple(part for part in get_args(Part) if part in present)

    @property
    def untrainable(self) -> str:
        """Why `train` would refuse the pictures as they are; empty where nothing here says that it would."""
        if self.parts and "train" not in self.parts:
            return f"train would refuse them: there are pictures for {some(self.parts)}, and none for train"
        if self.boxes or (self.contradictory and len(self.classes) > 1):
            return ""  # a detector says itself what it needs, and the list may bring pictures back
        if len(self.classes) < 2:
            return (
                f"train would refuse them: two classes are needed, and there {'is one' if self.classes else 'are none'}"
            )
        train = [each.picture.label for each in split(self.pictures, seed=0) if each.picture.part == "train"]
        classes = len({*train} - {None})
        if classes > 1 and len(train) >= FEWEST:
            return ""
        there = f"{counted(len(train), 'picture')} of {counted(classes, 'class', 'classes')}"
        return f"train would refuse them: there are {there} to train on, and at least {FEWEST} of 2 classes are needed"

    def labels(self) -> np.ndarray | None:
        """The class index of each picture, (N,); None where there are fewer than two classes."""
        if len(self.classes) < 2:
            return None
        index = {name: number for number, name in enumerate(self.classes)}
        return np.array([index[str(each.picture.label)] for each in self.pictures], np.int64)

    def keep(self, pictures: Sequence[Hashed], set_aside: Sequence[SetAside]) -> Gathered:
        """The same with only these pictures, and the classes that they have."""
        return replace(
            self,
            classes=_with_pictures(self.classes, pictures),
            pictures=list(pictures),
            set_aside=[*self.set_aside, *set_aside],
        )


def gather(data: str | Path, how: ReadAs, progress: Progress) -> Gathered:
    """The pictures of a folder or a list, with classes, with boxes or without either.

    Raises DataError where there is none to judge, and for boxes that cannot be meant.
    """
    folder = from_home(data)
    if how == AS_IT_IS and not find_labels(folder) and find_boxes(folder):
        progress("reading", 0, 1)
        return _with_boxes(read_boxes(folder))
    data_set = _opened(data, how)
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
    pictures, identical = _each_once(hashed)
    contradictory = [same for same in identical if len({each.picture.label for each in same}) > 1]
    if not pictures:
        names = " and ".join(each.picture.name for each in contradictory[0][:2])
        raise DataError(
            f"every picture of {data_set.name} stands in several classes with the same bytes, such as {names}: keep "
            "the right one of each"
        )
    levels, notes = _levels(pictures)
    return Gathered(
        name=data_set.name,
        classes=_with_pictures(data_set.classes, pictures),
        pictures=pictures,
        identical=[tuple(each.picture.name for each in same) for same in identical],
        contradictory=contradictory,
        levels=levels,
        set_aside=[*data_set.set_aside, *(unlabelled if has_classes else ()), *unread, *without_copies(hashed)[1]],
        notes=[*data_set.notes, *notes, *_on_parts(identical)],
    )


def _opened(data: str | Path, how: ReadAs) -> DataSet:
    """The pictures, with classes where there are some; where they have several labels each, without them."""
    labels = find_labels(from_home(data), how)
    return _without_labels(open_labels(labels)) if labels else open_pictures(data, how)


def _without_labels(data_set: DataSet) -> DataSet:
    """The same pictures, of which several labels each are not judged."""
    pictures = tuple(replace(each, label=None, labels=None) for each in data_set.pictures)
    note = "pictures have several labels each, which are not judged: the report of a trained model shows doubtful ones"
    return replace(data_set, pictures=pictures, classes=(), notes=(*data_set.notes, note))


def _each_once(hashed: Sequence[Hashed]) -> tuple[list[Hashed], list[tuple[Hashed, ...]]]:
    """Every content of one class, in order, by the file that `train` keeps; and the files of each content that has
    several."""
    of_content: dict[str, list[Hashed]] = defaultdict(list)
    for each in hashed:
        of_content[each.content].append(each)
    agreed = sorted(content for content, same in of_content.items() if len({each.picture.label for each in same}) == 1)
    pictures = [min(of_content[content], key=lambda each: FIRST_CLAIM[each.picture.part]) for content in agreed]
    return pictures, [tuple(same) for same in of_content.values() if len(same) > 1]


def _on_parts(identical: Sequence[Sequence[Hashed]]) -> Iterator[str]:
    """A sentence on the same bytes in several of the parts; where the classes differ, others say what is done."""
    agreed = [same for same in identical if len({each.picture.label for each in same}) == 1]
    across = [same for same in agreed if len({each.picture.part for each in same}) > 1]
    if across:
        parts = {each.picture.part for same in across for each in same}
        lie = f"{counted(len(across), 'picture')} {'lies' if len(across) == 1 else 'lie'}"
        named = [" with ".join(each.picture.name for each in same) for same in across]
        yield (
            f"{lie} in several of {some([part for part in get_args(Part) if part in parts])} with the same bytes: "
            f"{some(named, most=2)}; train uses each once, where it lies in test, or else in val"
        )


def _with_pictures(classes: Sequence[str], pictures: Sequence[Hashed]) -> tuple[str, ...]:
    present = {each.picture.label for each in pictures}
    return tuple(name for name in classes if name in present)


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
        contradictory=[],
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

    pictures: list[Hashed]
    """N, those that could be read."""
    rows: np.ndarray
    """(N,), their numbers among those that were asked for."""
    set_aside: list[SetAside]
    """The others."""
    thumbnails: np.ndarray
    """(N, 32, 32), grey levels, uint8."""
    size_hw: np.ndarray
    """(N, 2), pixels."""
    file_bytes: np.ndarray
    """(N,)."""
    camera: np.ndarray
    """(N,), whether one signed the file."""

    @property
    def is_small(self) -> np.ndarray:
        """Whether each is too small to be compared with others, (N,): enlarged, small pictures are all alike."""
        return np.asarray(self.size_hw.max(axis=1) < SMALLEST_SIDE)


def show(
    pictures: Sequence[Hashed], levels: Levels | None, store: Store | None, progress: Callable[[int, int], None]
) -> Shown:
    """Thumbnails and facts of the pictures that can still be decoded; those in the store are not read again."""
    keys = {each.content: f"shown-{VERSION}-{levels}-{each.content}" for each in pictures}
    rows: dict[str, np.ndarray] = {}
    with suppress(StoreError):  # `embed` has said already that it cannot be used
        kept = store.get(list(keys.values())) if store else {}
        rows = {content: kept[key] for content, key in keys.items() if key in kept}
    missing = [each for each in pictures if each.content not in rows]
    new: dict[str, np.ndarray] = {}
    reasons: dict[int, str] = {}
    for number, row in of_each(missing, lambda data: _row(data, levels), OWN_PREPROCESS, reasons):
        new[missing[number].content] = row
        progress(len(pictures) - len(missing) + len(new), len(pictures))
    with suppress(StoreError):
        if store:
            store.put({keys[content]: row for content, row in new.items()})
    rows |= new
    found = [number for number, each in enumerate(pictures) if each.content in rows]
    array = np.array([rows[pictures[number].content] for number in found]).reshape(-1, SIDE * SIDE + FACTS)
    facts = array[:, SIDE * SIDE :].astype(np.int64)
    return Shown(
        pictures=[pictures[number] for number in found],
        rows=np.array(found, np.int64),
        set_aside=[SetAside(picture=missing[number].picture.name, reason=why) for number, why in reasons.items()],
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
