"""Which pictures train, which validate and which test: seeded, stratified by class, a function of content alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from eyespot.data.copies import Hashed, content_hash
from eyespot.records import Part

SHARE = 0.15
"""Of each class, the share that validates, and the share that tests."""
ALONE: Mapping[str, str] = MappingProxyType({})
"""Where no two pictures belong together."""


def split(hashed: Sequence[Hashed], *, seed: int, group_of: Mapping[str, str] = ALONE) -> list[Hashed]:
    """The pictures with a part each. Parts that folders gave stay; a missing val is cut from train.

    Pictures without any part are split into train, val and test. Which picture goes where depends on its content
    and the seed, not on its name or place, so adding a picture moves few others.

    group_of: the group of each content that has one: its pictures come into the same part.
    """
    parts = {each.picture.part for each in hashed}
    if parts == {None}:
        return _cut(hashed, seed=seed, parts=("test", "val"), group_of=group_of)
    if "val" in parts:
        return list(hashed)
    train = [each for each in hashed if each.picture.part == "train"]
    rest = [each for each in hashed if each.picture.part != "train"]
    return [*_cut(train, seed=seed, parts=("val",), group_of=group_of), *rest]


def stratified_folds(labels: np.ndarray, *, folds: int, seed: int, group: np.ndarray | None = None) -> np.ndarray:
    """The fold of each picture, 0 <= fold < folds, shape (N,): every class spread as evenly as can be.

    Where there are fewer groups than folds, the first folds have one each, and the others are left out.

    labels: class index of each picture, shape (N,).
    group: number of each picture's group, shape (N,), whose pictures are in one fold; None where each is by itself.
    """
    random = np.random.default_rng(seed)
    group = np.arange(len(labels)) if group is None else group
    names, index, sizes = np.unique(group, return_inverse=True, return_counts=True)
    members_of = np.split(np.argsort(index, kind="stable"), np.cumsum(sizes)[:-1])
    place = np.full(len(names), -1)
    classes, label_of = np.unique(labels, return_inverse=True)
    held = [[0] * folds for _ in classes]
    start = 0
    for label in range(len(classes)):
        drawn = index[random.permutation(np.flatnonzero(label_of == label))]
        for each in drawn[np.argsort(-sizes[drawn], kind="stable")].tolist():  # the largest while there is most room
            if place[each] < 0:
                # the emptiest; of equally empty ones, that which comes next where the last class ended
                there, first = held[label], start
                place[each] = min(range(folds), key=lambda fold: (there[fold], (fold - first) % folds))
                for row in members_of[each].tolist():
                    held[label_of[row]][place[each]] += 1
        start = int((place >= 0).sum())
    return np.asarray(place[index])


def labels_of(hashed: Hashed) -> tuple[str | None, ...]:
    """What a part wants its share of: the picture's class, or each of its labels; of a picture without any, that."""
    return hashed.picture.labels or (hashed.picture.label,)


def _cut(hashed: Sequence[Hashed], *, seed: int, parts: Sequence[Part], group_of: Mapping[str, str]) -> list[Hashed]:
    """The pictures with the share SHARE of each class in each of the parts, and the rest in train."""
    left = Counter(label for each in hashed for label in labels_of(each))
    shares = {
        label: max(1, round(SHARE * count)) if count > len(parts) else 0  # at least one picture trains
        for label, count in left.items()
    }
    wanted = {part: Counter(shares) for part in parts}
    groups = [
        (group, Counter(label for each in group for label in labels_of(each)))
        for group in _in_order(hashed, seed=seed, group_of=group_of)
    ]
    placed: list[Part] = []
    for _, labels in groups:
        trains_on = all(left[label] > count for label, count in labels.items())
        part = next((part for part in parts if trains_on and _brings_nearer(wanted[part], labels)), None)
        if part:
            wanted[part].subtract(labels)
            left.subtract(labels)
        placed.append(part or "train")
    placed = _in_every_part([labels for _, labels in groups], placed, parts=parts)
    part_of = {each.content: part for (group, _), part in zip(groups, placed, strict=True) for each in group}
    return [replace(each, picture=replace(each.picture, part=part_of[each.content])) for each in hashed]


def _in_every_part(
    groups: Sequence[Mapping[str | None, int]], placed: Sequence[Part], *, parts: Sequence[Part]
) -> list[Part]:
    """Where each group goes, so that a class which has a group for each of the parts and for train is in all of them.

    groups: the pictures of each class in each. placed: where these would go by the shares alone. A part that lacks a
    class gets the smallest of its groups whose going leaves none of its classes missing elsewhere.
    """
    places = list(placed)
    of_class: dict[str | None, list[int]] = defaultdict(list)
    for number, labels in enumerate(groups):
        for label in labels:
            of_class[label].append(number)
    held = Counter((places[number], label) for number, labels in enumerate(groups) for label in labels)
    for label in sorted((each for each, numbers in of_class.items() if len(numbers) > len(parts)), key=str):
        for part in parts:
            numbers = of_class[label] if not held[part, label] else []
            may_go = [number for number in numbers if all(held[places[number], each] > 1 for each in groups[number])]
            if may_go:
                gone = min(may_go, key=lambda number: sum(groups[number].values()))
                held.subtract((places[gone], each) for each in groups[gone])
                held.update((part, each) for each in groups[gone])
                places[gone] = part
    return places


def _in_order(hashed: Sequence[Hashed], *, seed: int, group_of: Mapping[str, str]) -> list[list[Hashed]]:
    """The groups, as content and seed order them."""
    groups: dict[str, list[Hashed]] = defaultdict(list)
    for each in hashed:
        groups[group_of.get(each.content, each.content)].append(each)
    smallest = (min(each.content for each in group) for group in groups.values())
    keys = [content_hash(f"{seed} {content}".encode()) for content in smallest]
    return [group for _, group in sorted(zip(keys, groups.values(), strict=True), key=lambda each: each[0])]


def _brings_nearer(wanted: Mapping[str | None, int], labels: Mapping[str | None, int]) -> bool:
    """Whether a part is nearer to the pictures that it wants of each class with these than without them."""
    return sum(abs(wanted[label]) - abs(wanted[label] - count) for label, count in labels.items()) > 0
