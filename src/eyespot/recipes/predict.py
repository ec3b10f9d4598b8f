"""`predict`: the likeliest classes of pictures, or the boxes in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyespot.answering.model import Model, load
from eyespot.answering.opened import predictions
from eyespot.answering.results import Prediction
from eyespot.data.read_as import ReadAs
from eyespot.errors import OptionError
from eyespot.progress import Progress, silent

if TYPE_CHECKING:
    from eyespot.answering.detections import Detections


def predict(
    run: str | Path,
    pictures: str | Path | Iterable[str | Path],
    *,
    topk: int = 3,
    image_column: str | None = None,
    progress: Progress = silent,
    **boxes: Any,
) -> list[Prediction] | list[Detections]:
    """The likeliest classes of each picture, by the model in `run`, or the boxes, where it is a detector.

    topk, image_column: see Model.predict.
    boxes: those of BoxOptions: which boxes are named, and what is written of them.

    >>> [answer] = eyespot.predict("runs/train/digits", "seven.png")
    >>> answer.predictions[0].class_
    '7'
    """
    model = load(run)
    given = {name: value for name, value in boxes.items() if value is not None}
    if isinstance(model, Model) and not given.keys() - {"overwrite"}:
        return predictions(model, pictures, topk=topk, progress=progress, how=ReadAs(image_column=image_column))
    from eyespot.answering.detections import BoxOptions  # which naming classes does without
    from eyespot.answering.drawn import require_room, write_answers
    from eyespot.data.sources import list_pictures
    from eyespot.keywords import as_record

    options = as_record(BoxOptions, given, verb=predict)
    if isinstance(model, Model):
        name = min(given.keys() - {"overwrite"})
        raise OptionError(f"the option {name} is for detectors, and the model in {run} names classes: leave it out")
    require_room(options)
    paths = [pictures] if isinstance(pictures, str | Path) else list(pictures)
    answers = model.predict(
        paths, threshold=options.threshold, iou=options.iou, max_boxes=options.max_boxes, progress=progress
    )
    write_answers(options, answers, {each.name: each for each in list_pictures(paths)[0]}, model)
    return answers
