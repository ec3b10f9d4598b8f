"""Which pictures with boxes train, which validate and which test: as `data/split` does it, and what is worth a note."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from eyespot.data.boxes.records import BoxedDataSet, BoxedPicture
from eyespot.data.copies import Hashed
from eyespot.data.groups import Links, Series
from eyespot.data.split import split
from eyespot.records import Part
from eyespot.words import some

FEW = 10
"""Boxes of a class to train on: with fewer it can hardly be learned."""
_VERSION = re.compile(r"(.*)\.rf\.[0-9A-Za-z]{16,}\.\w+")
"""Roboflow's name of a picture that it made from another, turned or in other colors: the same before `.rf.`."""


def series_of(data: BoxedDataSet, links: Links) -> Series:
    """The pictures that belong together: those that are linked, and versions of one picture, which their names tell.

    links: by the rows of the pictures in the order of their contents.
    """
    ordered = sorted(data.pictures, key=lambda each: each.content)
    versions = Links.of_names([_source(each) for each in ordered])
    return Series.joined(Links.of(links, versions), [each.content for each in ordered])


def split_boxes(data: BoxedDataSet, *, seed: int, series: Series | None = None) -> BoxedDataSet:
    """The data set in parts. Those that the folder gave stay; a missing val is cut from train.

    A data set without parts is split into train, val and test, so that each class is in all of them where it can be. A
    picture's place depends on its content and the seed only; no series is in two of the parts that are drawn.

    series: None for versions of one picture alone.
    """
    given = "train" if "train" in data.parts else "all" if "all" in data.parts else None
    parts = {**data.parts}
    if given and "val" not in data.parts:
        pictures, rarest = data.parts[given], _by_rarity(data)
        group_of = (series_of(data, Links.none()) if series is None else series).of
        cut = split([_with_rarest(each, data.classes, rarest) for each in pictures], seed=seed, group_of=group_of)
        parts = {name: pictures for name, pictures in data.parts.items() if name != given}
        parts |= _by_part((each.picture.part for each in cut), pictures)
    order: tuple[str, ...] = ("train", "val", "test")
    ordered = {name: parts[name] for name in order if name in parts}
    return replace(data, parts=ordered, notes=(*data.notes, *_notes(ordered, data.classes)))


def _source(each: BoxedPicture) -> list[str]:
    """The name that versions of one picture share; none where a name tells of none."""
    version = _VERSION.fullmatch(each.picture.name.rpartition("/")[2])
    return [version[1]] if version else []


def _by_rarity(data: BoxedDataSet) -> list[int]:
    """The classes' numbers, that with the fewest boxes first."""
    counts = _counts(data.pictures)
    return sorted(range(len(data.classes)), key=lambda number: counts[number])


def _with_rarest(each: BoxedPicture, classes: Sequence[str], rarest: Sequence[int]) -> Hashed:
    """A picture whose class is the rarest that it shows: so that this class comes into every part."""
    shown = _counts([each])
    label = next((classes[number] for number in rarest if shown[number]), None)
    return Hashed(replace(each.picture, label=label), each.content)


def _by_part(parts: Iterable[Part | None], pictures: Iterable[BoxedPicture]) -> dict[str, tuple[BoxedPicture, ...]]:
    found: dict[str, list[BoxedPicture]] = defaultdict(list)
    for part, each in zip(parts, pictures, strict=True):
        found[str(part)].append(replace(each, picture=replace(each.picture, part=part)))
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
