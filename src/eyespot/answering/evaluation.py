"""How an opened model does on labelled pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from eyespot import machine
from eyespot.answering.opened import Opened
from eyespot.answering.opened_labels import OpenedLabels
from eyespot.answering.own import PARTS, origin_of_model, own_part, require_split
from eyespot.answering.results import ValResult
from eyespot.answering.rules import rules_of
from eyespot.answering.series import COUNTED, find_together
from eyespot.bundle.files import notes_on
from eyespot.data.copies import Hashed, hash_pictures, without_copies
from eyespot.data.data_set import DataSet, Picture
from eyespot.data.handed_sets import Data, name_of, open_given
from eyespot.data.joined import open_joined
from eyespot.data.levels import note_on_flat
from eyespot.data.read_as import AS_IT_IS, ReadAs
from eyespot.errors import DataError
from eyespot.evaluate.calibration import calibration
from eyespot.evaluate.metrics import LARGEST_MATRIX, most_confused, part_metrics
from eyespot.names import printable
from eyespot.progress import Progress
from eyespot.records import Part, SetAside
from eyespot.runs.lists import as_decided, lists_of
from eyespot.words import some

OWN = "nothing: the model's own temperature is in its answers"
"""What the temperature is fitted on."""
SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Seen:
    """A picture, and the part it had when the model was trained; None if it was not there."""

    hashed: Hashed
    then: Part | None


Chosen: TypeAlias = tuple[str, list[Seen], list[SetAside], list[str]]
"""The part that is read, its pictures, those that are set aside, and notes."""
Choose: TypeAlias = Callable[[list[Seen], str, str], Chosen]
"""What chooses them among all, by the part that is wanted and the name of the data."""


def evaluation(
    model: Opened, data: Data | None, *, split: str, progress: Progress, how: ReadAs = AS_IT_IS, only_new: bool = False
) -> ValResult:
    """See Model.evaluate. data: None for what the model's run was made on. only_new: see `only_untrained`."""
    started = time.perf_counter()
    require_split(split)
    data_set, where = _opened(model, data, how)
    known, foreign = of_known_classes(data_set, model)
    hashed, unread = hash_pictures(known, threads=machine.cores())
    lists = [lists_of(model.bundle.folder, model.manifest.data.exclusion, where)]
    hashed, left_out, on_lists = as_decided(hashed, lists)
    hashed, copies = without_copies(hashed)
    then = model.manifest.pictures.parts(each.content for each in hashed)
    seen = [Seen(*each) for each in zip(hashed, then, strict=True)]
    choose = own_pictures(model) if data is None else choose_part
    part, chosen, trained_on, on_part = (only_untrained(choose) if only_new else choose)(seen, split, where)
    answers = _answers(model, chosen, progress)
    if not answers.pictures:
        raise DataError(f"{where} has no readable picture of this model's classes in part {part!r}")
    measured, image_side = [each.hashed for each in answers.pictures], min(model.manifest.preprocess.crop_hw)
    together = find_together(hashed, image_side=image_side, lists=lists, cluster=model.cluster, progress=progress)
    series, on_series = together.numbers(measured), together.notes_on(measured, COUNTED)
    metrics = part_metrics(answers.labels, answers.probabilities, model.classes, group=series)
    logits = np.log(np.maximum(answers.probabilities, SMALLEST_PROBABILITY))
    return ValResult(
        model=printable(str(model.bundle.folder)),
        data=where,
        part=part,
        **metrics.overall.model_dump(),
        **_refused(model, answers, series),
        per_class=metrics.per_class,
        classes=model.classes,
        confusion=metrics.confusion if len(model.classes) <= LARGEST_MATRIX else (),
        mixed_up=most_confused(metrics.cells, model.classes),
        calibration=calibration(logits, answers.labels, 1.0, OWN, group=series),
        set_aside=(*data_set.set_aside, *foreign, *unread, *left_out, *copies, *trained_on, *answers.unreadable),
        notes=(*notes_on(model.bundle), *data_set.notes, *on_part, *on_lists, *_notes(answers, model), *on_series),
        seconds=round(time.perf_counter() - started, 2),
    )


def of_known_classes(data_set: DataSet, model: Opened) -> tuple[list[Picture], list[SetAside]]:
    """The pictures of classes that the model knows, and the others. Raises DataError where it knows none."""
    known = [picture for picture in data_set.pictures if picture.label in model.classes]
    if not known:
        raise DataError(
            f"none of the classes of {data_set.name} ({some(data_set.classes)}) is one of the model's "
            f"({some(model.classes)}): name the folders as the model names its classes"
        )
    foreign = [
        SetAside(picture=picture.name, reason=f"its class {picture.label!r} is not one that the model knows")
        for picture in data_set.pictures
        if picture.label not in model.classes
    ]
    return known, foreign


def _opened(model: Opened, data: Data | None, how: ReadAs) -> tuple[DataSet, str]:
    """What is to be measured on, and its name."""
    if data is not None:
        return open_given(data, how), name_of(data)
    origin = origin_of_model(model.bundle.folder, how)
    return open_joined(origin.data, origin.how, more=origin.more), str(origin.data)


def own_pictures(model: Opened | OpenedLabels) -> Choose:
    """What chooses among the pictures that the model itself comes from, by the parts that they had."""

    def choose(seen: list[Seen], wanted: str, data: str) -> Chosen:
        part, numbers, notes = own_part([each.then for each in seen], model.manifest.pictures, wanted, data)
        return part, [seen[number] for number in numbers], [], notes

    return choose


def choose_part(seen: list[Seen], wanted: str, data: str) -> Chosen:
    """The part that is read, its pictures, and those of it that are set aside: val and test hold none trained on.

    In a folder without parts each picture has the one that it had in training; what was not there then is test.
    """
    is_split = any(each.hashed.picture.part for each in seen)
    if wanted == "all" or (wanted == "auto" and not is_split):
        return "all", seen, [], []
    for part in PARTS if wanted == "auto" else (wanted,):
        members = [each for each in seen if (each.hashed.picture.part if is_split else each.then or "test") == part]
        if not members:
            continue
        trained_on = [each for each in members if part != "train" and each.then == "train"]
        if len(trained_on) < len(members):
            held_out = [each for each in members if part == "train" or each.then != "train"]
            return part, held_out, [_tests_nothing(each) for each in trained_on], []
        raise DataError(
            f"the model was trained on all {len(members)} pictures of part {part!r} in {data}: give pictures that it "
            "has not seen, or choose --split all"
        )
    if is_split:
        raise DataError(f"{data} has no part {wanted!r}: choose another with --split, or all")
    new = " and none that is new" if wanted == "test" else ""
    raise DataError(
        f"{data} has no picture that was in part {wanted!r} in training{new}: choose another with --split, or all"
    )


def only_untrained(choose: Choose) -> Choose:
    """The same choice, of which pictures that the model was trained on are set aside, whatever the part."""

    def chosen(seen: list[Seen], wanted: str, data: str) -> Chosen:
        part, found, set_aside, notes = choose(seen, wanted, data)
        new, trained_on = ([each for each in found if (each.then == "train") is is_known] for is_known in (False, True))
        if trained_on and not new:
            raise DataError(
                f"the model was trained on all {len(found)} pictures of part {part!r} in {data}, so they say nothing "
                "of a least accuracy: give pictures that it has not seen"
            )
        return part, new, [*set_aside, *map(_tests_nothing, trained_on)], notes

    return chosen


def _tests_nothing(each: Seen) -> SetAside:
    return SetAside(picture=each.hashed.picture.name, reason="the model was trained on it, so it tests nothing")


@dataclass(frozen=True)
class _Answers:
    """The pictures that have an answer, and the others."""

    pictures: list[Seen]
    labels: np.ndarray
    """(N,)."""
    probabilities: np.ndarray
    """(N, classes)."""
    known: list[bool | None]
    """Whether each may show one of the classes."""
    flat: list[str]
    """Names of pictures of one color."""
    unreadable: list[SetAside]


def _answers(model: Opened, seen: Sequence[Seen], progress: Progress) -> _Answers:
    pictures = [(each.hashed.picture, each.hashed.content) for each in seen]
    found = model.answers(pictures, doing="measuring", many=True, progress=progress)
    said = [answer for _, answer in sorted(found.answers.items())]
    kept = [each for number, each in enumerate(seen) if number in found.answers]
    rules = rules_of(model.manifest)
    return _Answers(
        pictures=kept,
        labels=np.array([model.classes.index(str(each.hashed.picture.label)) for each in kept], dtype=np.int64),
        probabilities=np.array([answer.probabilities for answer in said], dtype=np.float64),
        known=[rules.accepts(answer) for answer in said],
        flat=[pictures[number][0].name for number in sorted(found.flat)],
        unreadable=[SetAside(picture=pictures[number][0].name, reason=why) for number, why in found.reasons.items()],
    )


def _refused(model: Opened, answers: _Answers, series: np.ndarray | None) -> dict[str, Any]:
    """How many pictures the model refused, and its accuracy on the others. series: of each picture, (N,)."""
    if None in answers.known:
        return {"refused": None, "accepted": None}
    is_known = np.array(answers.known, bool)
    refused = int((~is_known).sum())
    accepted = None
    if 0 < refused < len(is_known):
        labels, chances = answers.labels[is_known], answers.probabilities[is_known]
        group = None if series is None else series[is_known]
        accepted = part_metrics(labels, chances, model.classes, group=group).overall
    return {"refused": refused, "accepted": accepted}


def _notes(answers: _Answers, model: Opened) -> Iterator[str]:
    seen = answers.pictures
    trained, new = (sum(each.then == then for each in seen) for then in ("train", None))
    if trained:
        yield f"{trained} of these {len(seen)} pictures were trained on: on new pictures expect a lower accuracy"
    if 0 < new < len(seen):  # a folder of only new pictures is what `val` is for
        yield f"{new} of these {len(seen)} pictures are new: they were not there when the model was trained"
    if model.manifest.unknown is None:
        yield "this model refuses no picture: it was made by an earlier eyespot, and one trained again does"
    yield from note_on_flat(answers.flat)
