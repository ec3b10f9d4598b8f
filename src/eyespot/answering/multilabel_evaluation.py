"""How a model of several labels does on pictures whose labels are known."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from eyespot import machine
from eyespot.answering.evaluation import Seen, choose_part, own_pictures
from eyespot.answering.multilabel_results import MultilabelValResult
from eyespot.answering.opened import Answered
from eyespot.answering.opened_labels import OpenedLabels
from eyespot.answering.own import origin_of_model, require_split
from eyespot.answering.series import COUNTED, find_together
from eyespot.bundle.files import notes_on
from eyespot.data.copies import Hashed, hash_pictures, without_copies
from eyespot.data.data_set import DataSet, Picture
from eyespot.data.handed_sets import path_of
from eyespot.data.levels import note_on_flat
from eyespot.data.read_as import ReadAs
from eyespot.data.several_labels import LISTS, find_labels, open_labels
from eyespot.errors import DataError, OptionError
from eyespot.evaluate.multilabel import multilabel_scores
from eyespot.evaluate.multilabel_records import MultilabelScores
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.progress import Progress
from eyespot.records import SetAside
from eyespot.runs.lists import lists_of
from eyespot.words import some


def open_for(classes: Sequence[str], data: str | Path, how: ReadAs) -> tuple[DataSet, list[Picture], list[SetAside]]:
    """The data set, its pictures all of whose labels are of these classes, and the others.

    Raises DataError where the data say no labels, or none that is known.
    """
    found = find_labels(from_home(data), how, expected=True)
    if found is None:
        raise DataError(
            f"{printable(str(data))} gives pictures no list of labels, which this model is measured by; {LISTS}"
        )
    data_set = open_labels(found)
    known, foreign = [], []
    for each in data_set.pictures:
        new = [label for label in each.labels or () if label not in classes]
        if new:
            foreign.append(SetAside(picture=each.name, reason=f"its label {new[0]!r} is not one that the model knows"))
        else:
            known.append(each)
    if not known:
        there = f"none of the labels of {data_set.name} ({some(data_set.classes)})"
        raise DataError(f"{there} is one of the model's ({some(classes)}): name them as it does")
    return data_set, known, foreign


def label_evaluation(
    model: OpenedLabels, data: str | Path | None, *, split: str, progress: Progress, how: ReadAs
) -> MultilabelValResult:
    """See MultilabelModel.evaluate. data: None for what the model's run was made on."""
    started = time.perf_counter()
    require_split(split)
    _require_no_layout(how)
    choose, (data, how) = (choose_part, (data, how)) if data is not None else (own_pictures(model), _own(model, how))
    data_set, known, foreign = open_for(model.classes, data, how)
    hashed, unread = hash_pictures(known, threads=machine.cores())
    hashed, copies = without_copies(hashed)
    then = model.manifest.pictures.parts(each.content for each in hashed)
    part, chosen, trained_on, on_part = choose(
        [Seen(*each) for each in zip(hashed, then, strict=True)], split, str(data)
    )
    pictures = [(each.hashed.picture, each.hashed.content) for each in chosen]
    answered = model.answers(pictures, doing="measuring", progress=progress)
    kept = [each for number, each in enumerate(chosen) if number in answered.answers]
    if not kept:
        raise DataError(f"{data} has no readable picture in part {part!r}")
    measured = [each.hashed for each in kept]
    lists, image_side = [lists_of(model.bundle.folder, None, data)], min(model.manifest.preprocess.crop_hw)
    together = find_together(hashed, image_side=image_side, lists=lists, cluster=model.cluster, progress=progress)
    names = [picture.name for picture, _ in pictures]
    return MultilabelValResult(
        **_scores(model, measured, answered, together.numbers(measured)).model_dump(),
        model=printable(str(model.bundle.folder)),
        data=printable(str(data)),
        part=part,
        classes=model.classes,
        set_aside=(*data_set.set_aside, *foreign, *unread, *copies, *trained_on, *_unread(names, answered)),
        notes=(
            *(*notes_on(model.bundle), *data_set.notes),
            *on_part,
            *_notes(kept),
            *note_on_flat([names[number] for number in sorted(answered.flat)]),
            *together.notes_on(measured, COUNTED),
        ),
        seconds=round(time.perf_counter() - started, 2),
    )


def _require_no_layout(how: ReadAs) -> None:
    if how.layout != "auto":
        raise OptionError("the option layout is for folders of classes, and a list says several labels: leave it out")


def _own(model: OpenedLabels, how: ReadAs) -> tuple[str | Path, ReadAs]:
    """What the model's run was made on, and how it was read."""
    origin = origin_of_model(model.bundle.folder, how)
    return path_of(origin.data), origin.how


def _scores(
    model: OpenedLabels, pictures: Sequence[Hashed], answered: Answered, series: np.ndarray | None
) -> MultilabelScores:
    """pictures: those that have an answer. series: the number of each picture's, (N,)."""
    chances = np.array([answer.probabilities for _, answer in sorted(answered.answers.items())], np.float64)
    thresholds = np.array(model.manifest.thresholds)
    return multilabel_scores(
        _truths(pictures, model.classes), chances, model.classes, thresholds=thresholds, series=series
    )


def _unread(names: Sequence[str], answered: Answered) -> list[SetAside]:
    """names: of all pictures that were asked about."""
    return [SetAside(picture=names[number], reason=why) for number, why in answered.reasons.items()]


def _truths(pictures: Sequence[Hashed], classes: Sequence[str]) -> np.ndarray:
    """(N, K), bool."""
    index = {name: number for number, name in enumerate(classes)}
    truths = np.zeros((len(pictures), len(classes)), bool)
    for row, each in enumerate(pictures):
        truths[row, [index[label] for label in each.picture.labels or ()]] = True
    return truths


def _notes(seen: Sequence[Seen]) -> Iterator[str]:
    trained, new = (sum(each.then == then for each in seen) for then in ("train", None))
    if trained:
        yield f"{trained} of these {len(seen)} pictures were trained on: on new pictures expect lower figures"
    if 0 < new < len(seen):
        yield f"{new} of these {len(seen)} pictures are new: they were not there when the model was trained"
