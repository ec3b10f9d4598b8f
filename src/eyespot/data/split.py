"""Which pictures train, which validate and which test: seeded, stratified by class, a function of content alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eyespot.data.copies import Hashed, content_hash
from eyespot.records import Part

SHARE = 0.15
"""Of each class, the share that validates, and the share that tests."""


def split(hashed: Sequence[Hashed], *, seed: int) -> list[Hashed]:
    """The pictures with a part each. Parts that folders gave stay; a missing val is cut from train.

    Pictures without any part are split into train, val and test. Which picture goes where depends on its content
    and the seed, not on its name or place, so adding a picture moves few others.
    """
    parts = {each.picture.part for each in hashed}
    if parts == {None}:
        return _cut(hashed, seed=seed, parts=("test", "val"))
    if "val" in parts:
        return list(hashed)
    train = [each for each in hashed if each.picture.part == "train"]
    rest = [each for each in hashed if each.picture.part != "train"]
    return [*_cut(train, seed=seed, parts=("val",)), *rest]


def stratified_folds(labels: np.ndarray, *, folds: int, seed: int) -> np.ndarray:
    """The fold of each picture, 0 <= fold < folds, shape (N,): every class spread as evenly as can be.

    labels: class index of each picture, shape (N,).
    """
    random = np.random.default_rng(seed)
    fold = np.empty(len(labels), dtype=np.int64)
    start = 0
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        fold[members] = (start + np.arange(len(members))) % folds  # goes on where the last class ended
        start += len(members)
    return fold


def _cut(hashed: Sequence[Hashed], *, seed: int, parts: Sequence[Part]) -> list[Hashed]:
    """The pictures with the share SHARE of each class in each of the parts, and the rest in train."""
    by_class: dict[str | None, list[Hashed]] = defaultdict(list)
    for each in hashed:
        by_class[each.picture.label].append(each)
    part_of: dict[str, Part] = {}
    for members in by_class.values():
        drawn = sorted(members, key=lambda each: content_hash(f"{seed} {each.content}".encode()))
        count = max(1, round(SHARE * len(members))) if len(members) > len(parts) else 0  # at least one picture trains
        for number, each in enumerate(drawn):
            part_of[each.content] = parts[number // count] if number < count * len(parts) else "train"
    return [replace(each, picture=replace(each.picture, part=part_of[each.content])) for each in hashed]
