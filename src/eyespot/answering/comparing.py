"""Which of two opened models that name classes is better, on pictures that neither was trained on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot import machine
from eyespot.answering.compared import ClassDifference, CompareResult, MeasuredModel
from eyespot.answering.evaluation import of_known_classes
from eyespot.answering.opened import Opened
from eyespot.answering.series import ONE_SAY, find_together
from eyespot.answering.unseen import Unseen, note_on_known, on_weights, unseen
from eyespot.bundle.files import notes_on
from eyespot.data.copies import Hashed, hash_pictures, without_copies
from eyespot.data.groups import effective_count
from eyespot.data.handed_sets import name_of
from eyespot.data.joined import open_joined
from eyespot.errors import DataError
from eyespot.evaluate.metrics import wilson
from eyespot.evaluate.paired import Comparison, holm, paired, verdict
from eyespot.names import printable
from eyespot.progress import Progress
from eyespot.records import SetAside
from eyespot.runs.lists import RunLists, as_decided, lists_of
from eyespot.runs.resume import Origin


def comparison(first: Opened, second: Opened, origin: Origin, *, split: str, progress: Progress) -> CompareResult:
    """How the second model differs from the first, which has the same classes. See `eyespot.compare`.

    origin: where the pictures are.
    """
    started = time.perf_counter()
    asked = _asked(first, second, origin, split=split)
    both = _both(first, second, asked.new.pictures, progress)
    if not both.pictures:
        raise DataError(f"{name_of(origin.data)} has no readable picture that neither of the two models was trained on")
    known = (first.manifest.pictures, second.manifest.pictures)
    sides = (*first.manifest.preprocess.crop_hw, *second.manifest.preprocess.crop_hw)
    together = find_together(asked.everything, image_side=min(sides), lists=asked.lists, progress=progress)
    series, on_series = together.numbers(both.pictures), together.notes_on(both.pictures, ONE_SAY)
    on_series += note_on_known(together, both.pictures, asked.everything, known)
    on_series += on_weights(first.bundle.graph, second.bundle.graph)
    found = paired(both.first, both.second, series=series)
    return CompareResult(
        data=name_of(origin.data),
        part=asked.new.part,
        pictures=found.count,
        left_out=asked.new.left_out,
        classes=first.classes,
        verdict=found.verdict,
        smallest_seen=found.smallest_seen,
        set_aside=(*asked.set_aside, *both.unreadable),
        notes=(*notes_on(first.bundle, second.bundle), *asked.notes, *asked.new.notes, *on_series),
        first=_measured(first, both.first, series),
        second=_measured(second, both.second, series),
        won=found.won,
        lost=found.lost,
        difference=found.gain,
        p=found.p,
        per_class=_per_class(both, first.classes, series=series),
        seconds=round(time.perf_counter() - started, 2),
    )


@dataclass(frozen=True)
class _Asked:
    """The pictures of a data set, and those of them that both models are asked about."""

    everything: list[Hashed]
    lists: list[RunLists]
    """Of the two models' runs."""
    new: Unseen[Hashed]
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]


def _asked(first: Opened, second: Opened, origin: Origin, *, split: str) -> _Asked:
    data_set = open_joined(origin.data, origin.how, more=origin.more)
    known, foreign = of_known_classes(data_set, first)
    hashed, unread = hash_pictures(known, threads=machine.cores())
    where = name_of(origin.data)
    lists = [lists_of(each.bundle.folder, each.manifest.data.exclusion, where) for each in (first, second)]
    hashed, left_out, on_lists = as_decided(hashed, lists)
    hashed, copies = without_copies(hashed)
    parts = (first.manifest.pictures, second.manifest.pictures)
    new = unseen(hashed, [each.content for each in hashed], parts, split=split, data=where)
    set_aside = (*data_set.set_aside, *foreign, *unread, *left_out, *copies)
    return _Asked(hashed, lists, new, set_aside, (*data_set.notes, *on_lists))


@dataclass(frozen=True)
class _Both:
    """The pictures that both models have answered, and whether each was right."""

    pictures: list[Hashed]
    first: NDArray[np.bool_]
    """(N,)."""
    second: NDArray[np.bool_]
    """(N,)."""
    unreadable: list[SetAside]


def _both(first: Opened, second: Opened, pictures: Sequence[Hashed], progress: Progress) -> _Both:
    asked = [(each.picture, each.content) for each in pictures]
    one = first.answers(asked, doing="asking the first", many=True, progress=progress)
    other = second.answers(asked, doing="asking the second", many=True, progress=progress)
    reasons = {**other.reasons, **one.reasons}
    kept = [number for number in range(len(pictures)) if number not in reasons]
    said = [
        [model.classes[answers.answers[number].probabilities.argmax()] for number in kept]
        for model, answers in ((first, one), (second, other))
    ]
    labels = np.array([pictures[number].picture.label for number in kept])
    return _Both(
        pictures=[pictures[number] for number in kept],
        first=np.array(said[0]) == labels,
        second=np.array(said[1]) == labels,
        unreadable=[SetAside(picture=pictures[number].picture.name, reason=why) for number, why in reasons.items()],
    )


def _measured(model: Opened, right: NDArray[np.bool_], series: NDArray[np.int64] | None) -> MeasuredModel:
    worth = None if series is None else effective_count(series)
    accuracy = wilson(int(right.sum()), len(right), worth=worth)
    return MeasuredModel(model=printable(str(model.bundle.folder)), **accuracy.model_dump())


def _per_class(both: _Both, classes: Sequence[str], *, series: NDArray[np.int64] | None) -> tuple[ClassDifference, ...]:
    labels = np.array([each.picture.label for each in both.pictures])
    found = {}
    for name in np.unique(labels):
        own = labels == name
        found[str(name)] = paired(both.first[own], both.second[own], series=None if series is None else series[own])
    together = dict(zip(found, holm([each.p for each in found.values()]), strict=True))
    return tuple(_of_classes(found, together, classes))


def _of_classes(
    found: dict[str, Comparison], together: dict[str, float], classes: Sequence[str]
) -> Iterator[ClassDifference]:
    for name in classes:
        if name not in found:
            yield ClassDifference(name=name, pictures=0, won=0, lost=0, difference=None, p=None, verdict=None)
            continue
        each, p = found[name], together[name]
        yield ClassDifference(
            name=name,
            pictures=each.count,
            won=each.won,
            lost=each.lost,
            difference=each.gain,
            p=p,
            verdict=verdict(each.difference, p),
        )
