"""`predict`: the likeliest classes of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from eyespot.answering.model import load
from eyespot.answering.opened import predictions
from eyespot.answering.results import Prediction
from eyespot.data.read_as import ReadAs
from eyespot.progress import Progress, silent


def predict(
    run: str | Path,
    pictures: str | Path | Iterable[str | Path],
    *,
    topk: int = 3,
    image_column: str | None = None,
    progress: Progress = silent,
) -> list[Prediction]:
    """The likeliest classes of each picture, by the model in `run`. See Model.predict.

    >>> [answer] = eyespot.predict("runs/train/digits", "seven.png")
    >>> answer.predictions[0].class_
    '7'
    """
    return predictions(load(run), pictures, topk=topk, progress=progress, how=ReadAs(image_column=image_column))
