"""`predict`: the likeliest classes of pictures. Needs neither torch nor the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from eyespot import machine
from eyespot.data.levels import FLAT_NOTE, is_flat
from eyespot.data.read_as import ReadAs
from eyespot.data.sources import AS_IT_IS, list_pictures
from eyespot.engine.run import BATCH
from eyespot.errors import OptionError
from eyespot.features.decode import decode_pictures
from eyespot.recipes.model import Model, load
from eyespot.recipes.progress import Progress, silent
from eyespot.recipes.results import ClassProbability, Prediction

FEW = 4
"""Up to so many pictures are answered one at a time: a batch would have to be filled up."""


def predict(
    run: str | Path,
    pictures: str | Path | Iterable[str | Path],
    *,
    topk: int = 3,
    image_column: str | None = None,
    progress: Progress = silent,
) -> list[Prediction]:
    """The likeliest classes of each picture, by the model in `run`. See Model.predict."""
    return predict_with(load(run), pictures, topk=topk, progress=progress, how=ReadAs(image_column=image_column))


def predict_with(
    model: Model,
    pictures: str | Path | Iterable[str | Path],
    *,
    topk: int,
    progress: Progress,
    how: ReadAs = AS_IT_IS,
) -> list[Prediction]:
    """The same with a model that is loaded already."""
    if topk < 1:
        raise OptionError(f"the option topk must be at least 1, not {topk}")
    paths = [pictures] if isinstance(pictures, str | Path) else list(pictures)
    found, left = list_pictures(paths, how)
    unreadable = {each.picture: each.reason for each in left}
    answers: dict[int, np.ndarray] = {}
    reasons: dict[int, str] = {}
    notes: dict[int, str] = {}

    def images() -> Iterator[tuple[int, np.ndarray]]:
        decoded = decode_pictures(
            [(picture, None) for picture in found],
            model.manifest.preprocess,
            threads=min(machine.cores(), len(found)),
            ahead=4 * BATCH,
            resized=not model.classifier.resizes,
        )
        for number, image in enumerate(decoded):
            if isinstance(image, str):
                reasons[number] = image
            else:
                if is_flat(image):
                    notes[number] = FLAT_NOTE
                yield number, image

    for number, answer in model.classifier.stream(images(), many=len(found) > FEW):
        if isinstance(answer, str):
            reasons[number] = answer
        else:
            answers[number] = answer
        progress("predicting", len(answers) + len(reasons), len(found))
    named = [
        Prediction(
            picture=picture.name,
            predictions=_top(answers[number], model.classes, topk),
            note=notes.get(number),
        )
        if number in answers
        else Prediction(picture=picture.name, predictions=(), set_aside=reasons[number])
        for number, picture in enumerate(found)
    ]
    return named + [Prediction(picture=name, predictions=(), set_aside=reason) for name, reason in unreadable.items()]


def _top(probabilities: np.ndarray, classes: tuple[str, ...], topk: int) -> tuple[ClassProbability, ...]:
    order = np.argsort(-probabilities, kind="stable")[:topk]
    return tuple(ClassProbability(class_=classes[i], probability=min(1.0, float(probabilities[i]))) for i in order)
