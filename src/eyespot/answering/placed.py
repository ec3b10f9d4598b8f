"""Answers of a model that names classes with estimated boxes, and these drawn, cut out and written as labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from eyespot.answering.detections import BoxOptions, Detection, Detections
from eyespot.answering.drawn import write_answers
from eyespot.answering.labels import write_labels
from eyespot.answering.opened import Opened
from eyespot.answering.results import PlacedPrediction, Prediction, Where
from eyespot.data.data_set import Picture

NO_BOX = "has no box: nowhere did the network find what raises the score of the likeliest class"
"""A picture's note."""
REMARK = ", estimated"
"""On a drawn box that no detector found."""


def with_boxes(
    answers: Sequence[Prediction],
    boxes: Mapping[int, tuple[float, float, float, float]],
    sizes: Mapping[int, tuple[int, int]],
) -> list[PlacedPrediction]:
    """The answers, each with its box, or a note that it has none.

    boxes: by the number of the answer, in pixels. sizes: height and width of each picture that was answered.
    """
    placed = []
    for number, answer in enumerate(answers):
        where, note = None, answer.note
        if number in boxes:
            height, width = sizes[number]
            where = Where(class_=answer.predictions[0].class_, xyxy=boxes[number], width=width, height=height)
        elif answer.set_aside is None:
            note = f"{note}; it {NO_BOX}" if note else NO_BOX
        said = {name: getattr(answer, name) for name in Prediction.model_fields}
        placed.append(PlacedPrediction(**{**said, "note": note}, where=where))
    return placed


def write_placed(
    options: BoxOptions,
    answers: Sequence[PlacedPrediction],
    pictures: Sequence[Picture],
    model: Opened,
    *,
    sizes: Mapping[int, tuple[int, int]],
    texts: Mapping[str, str],
) -> None:
    """Writes what was asked for. Raises CannotWrite.

    pictures: of the first answers, in their order. sizes: as above. texts: see `write_labels`.
    """
    boxed = [_as_detections(answers[number], size) for number, size in sorted(sizes.items())]
    if options.save_txt is not None:
        write_labels(Path(options.save_txt), boxed, texts, model.classes, overwrite=options.overwrite)
    sources = {each.name: each for each in pictures}
    write_answers(replace(options, save_txt=None), boxed, sources, model, remark=REMARK)


def _as_detections(answer: PlacedPrediction, size_hw: tuple[int, int]) -> Detections:
    """The box as one that a detector found, for all that writes those; its probability is that of the class."""
    height, width = size_hw
    found: tuple[Detection, ...] = ()
    if answer.where is not None:
        likeliest = answer.predictions[0]
        found = (Detection(class_=likeliest.class_, probability=likeliest.probability, xyxy=answer.where.xyxy),)
    return Detections(picture=answer.picture, width=width, height=height, detections=found)
