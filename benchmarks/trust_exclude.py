"""Lists and growing: whether a list moves pictures that it does not name, how often `add` warns without a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from measuring import Bar, at_least, at_most

from eyespot.data.copies import Hashed, hash_pictures, without_copies
from eyespot.data.data_set import DataSet
from eyespot.data.deciding import decide
from eyespot.data.decisions import LEAVE_OUT, Decision, Decisions
from eyespot.data.sources import open_data_set
from eyespot.data.split import split
from eyespot.regimes.judging import Judged
from eyespot.reporting.regression import Both, Regression, regression

SEED, SIMULATIONS = 23, 2000
DECIDED = 0.05
"""Share of the pictures that the list leaves out, and share that it gives another class."""
CLASSES, ACCURACY, ALIKE, LOST = 10, 0.89, 0.8, 0.3
"""Of simulated tests: classes, accuracy of both models, share of the pictures whose answer is the same for both, and
what one class loses."""
SIZES = (37, 100)
"""Pictures of a class in a test; the first as in the clothing data."""
MOVED = at_most(0, "pictures", "a picture that the list does not name stays in its part")
IN_ALL = at_most(0.06, "", "of models that are not worse, so many are called worse in all")
IN_A_CLASS = at_most(0.055, "", "of models that are not worse, so many are called worse in a class")
FOUND = at_least(0.8, "", "a class that has lost 30 points is named")


def rows(data: Path) -> Iterator[tuple[Bar, float]]:
    """data: the folder that holds `clothing/`."""
    yield MOVED, _moved(data / "clothing")
    for size in SIZES:
        random = np.random.default_rng(SEED + size)
        equal = [_simulated(random, size=size, lost=0.0) for _ in range(SIMULATIONS)]
        worse = [_simulated(random, size=size, lost=LOST) for _ in range(SIMULATIONS // 10)]
        in_all, in_a_class = (np.mean([found(each) for each in equal]) for found in (_in_all, _in_a_class))
        either = np.mean([each.is_worse for each in equal])
        print(f"{CLASSES} classes of {size}: {in_all:.3f} in all, {in_a_class:.3f} in a class, {either:.3f} either")
        yield IN_ALL, float(in_all)
        yield IN_A_CLASS, float(in_a_class)
        yield FOUND, float(np.mean([any(one.name == "0" for one in each.worse_classes) for each in worse]))


def _in_all(found: Regression) -> bool:
    return found.worse


def _in_a_class(found: Regression) -> bool:
    return bool(found.worse_classes)


def _moved(folder: Path) -> int:
    """Pictures that are in another part with a list than without, of those that it does not leave out."""
    data_set = open_data_set(folder)
    pictures = _without_copies(data_set)
    random = np.random.default_rng(SEED)
    order = random.permutation(len(pictures))[: round(2 * DECIDED * len(pictures))]
    done = {
        pictures[row].content: LEAVE_OUT if place % 2 else str(random.choice(data_set.classes))
        for place, row in enumerate(order)
    }
    listed = {content: Decision(content, "", "", do, line=1) for content, do in done.items()}
    decided = decide(pictures, Decisions("list.csv", "", listed), yes=True)
    with_list = Judged(decided.kept, decided.left_out, decided.relabelled).split(seed=SEED)
    before = _parts(split(pictures, seed=SEED))
    gone = {each.content for each in decided.left_out}
    anew = _parts(split(decided.kept, seed=SEED))
    print(
        f"a list on {len(done)} of {len(pictures)} pictures would move {_differing(before, anew)} of the others, "
        "were the rest split anew"
    )
    return _differing(before, _parts([each for each in with_list if each.content not in gone]))


def _without_copies(data_set: DataSet) -> list[Hashed]:
    """The pictures, without the parts that their folders give."""
    hashed, _ = without_copies(hash_pictures(data_set.pictures, threads=1)[0])
    return [replace(each, picture=replace(each.picture, part=None)) for each in hashed]


def _parts(pictures: list[Hashed]) -> dict[str, str]:
    return {each.content: str(each.picture.part) for each in pictures}


def _differing(before: dict[str, str], after: dict[str, str]) -> int:
    return sum(before[content] != part for content, part in after.items())


def _simulated(random: np.random.Generator, *, size: int, lost: float) -> Regression:
    """Two models on one test: equally good, and alike as two models of the same kind are; but the second one may have
    lost a share of the first class."""
    labels = np.repeat(np.arange(CLASSES), size)
    before = random.random(len(labels)) < ACCURACY
    other = random.random(len(labels)) < ACCURACY
    after = np.where(random.random(len(labels)) < ALIKE, before, other)
    after &= (labels != 0) | (random.random(len(labels)) >= lost / ACCURACY)
    return regression("before", [str(label) for label in range(CLASSES)], Both(labels, before, after))
