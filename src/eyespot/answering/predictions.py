"""The likeliest classes of pictures, by an opened model."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from eyespot.answering.opened import FEW_PICTURES, Opened
from eyespot.answering.results import ClassProbability, Prediction
from eyespot.data.levels import FLAT_NOTE
from eyespot.data.read_as import ReadAs
from eyespot.data.sources import AS_IT_IS, list_pictures
from eyespot.errors import OptionError
from eyespot.progress import Progress


def predictions(
    model: Opened,
    pictures: str | Path | Iterable[str | Path],
    *,
    topk: int,
    progress: Progress,
    how: ReadAs = AS_IT_IS,
) -> list[Prediction]:
    """Those of each picture, in the order given; folders are searched through. See Model.predict."""
    if topk < 1:
        raise OptionError(f"the option topk must be at least 1, not {topk}")
    paths = [pictures] if isinstance(pictures, str | Path) else list(pictures)
    found, left = list_pictures(paths, how)
    answered = model.answers(
        [(picture, None) for picture in found], doing="predicting", many=len(found) > FEW_PICTURES, progress=progress
    )
    named = [
        Prediction(
            picture=picture.name,
            predictions=tuple(
                ClassProbability(class_=model.classes[index], probability=probability)
                for index, probability in likeliest(answered.probabilities[number], topk)
            ),
            note=FLAT_NOTE if number in answered.flat else None,
        )
        if number in answered.probabilities
        else Prediction(picture=picture.name, predictions=(), set_aside=answered.reasons[number])
        for number, picture in enumerate(found)
    ]
    unreadable = {each.picture: each.reason for each in left}
    return named + [Prediction(picture=name, predictions=(), set_aside=reason) for name, reason in unreadable.items()]


def likeliest(probabilities: np.ndarray, topk: int) -> list[tuple[int, float]]:
    """The likeliest classes by their numbers, with their probabilities, the likeliest first."""
    order = np.argsort(-probabilities, kind="stable")[:topk].tolist()
    return [(index, min(1.0, float(probabilities[index]))) for index in order]
