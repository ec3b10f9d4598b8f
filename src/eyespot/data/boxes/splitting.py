"""Which pictures with boxes train, which validate and which test: as `data/split` does it, and what is worth a note."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from eyespot.data.boxes.records import BoxedDataSet, BoxedPicture
from eyespot.data.copies import Hashed
from eyespot.data.data_set import Picture
from eyespot.data.split import split
from eyespot.records import Part
from eyespot.words import some

FEW = 10
"""Boxes of a class to train on: with fewer it can hardly be learned."""
_VERSION = re.compile(r"(.*)\.rf\.[0-9A-Za-z]{16,}\.\w+")
"""Roboflow's name of a picture that it made from another, turned or in other colors: the same before `.rf.`."""


def split_boxes(data: BoxedDataSet, *, seed: int) -> BoxedDataSet:
    """The data set in parts. Those that the folder gave stay; a missing val is cut from train.

    A data set without parts is split into train, val and test, so that each class is in all of them where it can be. A
    picture's place depends on its content and the seed only; versions of one picture are never in two parts.
    """
    given = "train" if "train" in data.parts else "all" if "all" in data.parts else None
    parts = {**data.parts}
    if given and "val" not in data.parts:
        groups = _groups(data.parts[given])
        rarest = _by_rarity(data)
        cut = split([_hashed(group, data.classes, rarest) for group in groups], seed=seed)
        parts = {name: pictures for name, pictures in data.parts.items() if name != given}
        parts |= _by_part((each.picture.part for each in cut), groups)
    order: tuple[str, ...] = ("train", "val", "test")
    ordered = {name: parts[name] for name in order if name in parts}
    return replace(data, parts=ordered, notes=(*data.notes, *_notes(ordered, data.classes)))


def _groups(pictures: Sequence[BoxedPicture]) -> list[list[BoxedPicture]]:
    """Pictures that must be in the same part, each group in order."""
    groups: dict[str, list[BoxedPicture]] = defaultdict(list)
    for each in pictures:
        version = _VERSION.fullmatch(each.picture.name.rpartition("/")[2])
        groups[f"version of {version[1]}" if version else each.content].append(each)
    return list(groups.values())


def _by_rarity(data: BoxedDataSet) -> list[int]:
    """The classes' numbers, that with the fewest boxes first."""
    counts = _counts(data.pictures)
    return sorted(range(len(data.classes)), key=lambda number: counts[number])


def _hashed(group: Sequence[BoxedPicture], classes: Sequence[str], rarest: Sequence[int]) -> Hashed:
    """A group as one picture, whose class is the rarest that it shows: so that this class comes into every part."""
    shown = _counts(group)
    label = next((classes[number] for number in rarest if shown[number]), None)
    first = min(group, key=lambda each: each.content)
    return Hashed(Picture(first.picture.name, label=label, part=first.picture.part), first.content)


def _by_part(
    parts: Iterable[Part | None], groups: Iterable[Sequence[BoxedPicture]]
) -> dict[str, tuple[BoxedPicture, ...]]:
    found: dict[str, list[BoxedPicture]] = defaultdict(list)
    for part, group in zip(parts, groups, strict=True):
        found[str(part)] += [replace(each, picture=replace(each.picture, part=part)) for each in group]
    return {part: tuple(pictures) for part, pictures in found.items()}


def _counts(pictures: Iterable[BoxedPicture]) -> Counter[int]:
    """Boxes of each class, those that count."""
    return Counter(label for each in pictures for label in each.boxes.labels[~each.boxes.ignored].tolist())


def _notes(parts: Mapping[str, Sequence[BoxedPicture]], classes: Sequence[str]) -> Iterator[str]:
    """Sentences on classes with few boxes to train on, and with none to measure on."""
    counts = {part: _counts(pictures) for part, pictures in parts.items()}
    if "train" in counts:
        few = {name: counts["train"][number] for number, name in enumerate(classes) if counts["train"][number] < FEW}
        if few:
            said = some([f"{name!r} {count}" for name, count in few.items()])
            yield (f"classes with fewer than {FEW} boxes to train on can hardly be learned: {said}; draw more of them")
    for part in ("val", "test"):
        none = [repr(name) for number, name in enumerate(classes) if part in counts and not counts[part][number]]
        if none:
            yield f"not measured on {part}, where there is no box of it: the average precision of {some(none)}"
