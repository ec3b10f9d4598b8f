"""`predict`: the likeliest classes of pictures, about where these are, or the boxes of a detector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyespot.answering.model import Model, load
from eyespot.answering.opened import FEW_PICTURES, Answered, named, predictions, require_topk
from eyespot.answering.results import PlacedPrediction, Prediction
from eyespot.data.read_as import ReadAs
from eyespot.data.sources import list_pictures
from eyespot.errors import OptionError
from eyespot.progress import Progress, silent

if TYPE_CHECKING:
    from eyespot.answering.detections import BoxOptions, Detections
    from eyespot.answering.detector import Detector

WRITING = ("draw", "save_crop", "save_txt")
"""Options that write boxes, a detector's or estimated ones."""


def predict(
    run: str | Path,
    pictures: str | Path | Iterable[str | Path],
    *,
    topk: int = 3,
    image_column: str | None = None,
    where: bool = False,
    progress: Progress = silent,
    **boxes: Any,
) -> list[Prediction] | list[PlacedPrediction] | list[Detections]:
    """The likeliest classes of each picture, by the model in `run`, or the boxes, where it is a detector.

    topk, image_column: see Model.predict.
    where: also a box around what the class activation map of the likeliest class shows: an estimate.
    boxes: those of BoxOptions: which boxes are named, and what is written of them; the latter with `where`, too.

    >>> [answer] = eyespot.predict("runs/train/digits", "seven.png")
    >>> answer.predictions[0].class_
    '7'
    """
    model = load(run)
    given = {name: value for name, value in boxes.items() if value is not None}
    how = ReadAs(image_column=image_column)
    if isinstance(model, Model) and not where and not given.keys() - {"overwrite"}:
        return predictions(model, pictures, topk=topk, progress=progress, how=how)
    from eyespot.answering.detections import BoxOptions  # which naming classes does without
    from eyespot.keywords import as_record

    options = as_record(BoxOptions, given, verb=predict)
    paths = [pictures] if isinstance(pictures, str | Path) else list(pictures)
    if isinstance(model, Model):
        _require_fits(given, run, where=where)
        return _placed(model, paths, options, topk=topk, how=how, progress=progress)
    if where:
        raise OptionError(
            f"the option where is for models that name classes, and the model in {run} is a detector, which gives "
            "boxes anyway: leave it out"
        )
    return _detected(model, paths, options, progress=progress)


def _detected(
    model: Detector, paths: Sequence[str | Path], options: BoxOptions, *, progress: Progress
) -> list[Detections]:
    """The boxes in each picture; what is asked for is written."""
    from eyespot.answering.drawn import require_room, write_answers

    require_room(options)
    answers = model.predict(
        paths, threshold=options.threshold, iou=options.iou, max_boxes=options.max_boxes, progress=progress
    )
    write_answers(options, answers, {each.name: each for each in list_pictures(paths)[0]}, model)
    return answers


def _require_fits(given: Iterable[str], run: str | Path, *, where: bool) -> None:
    """Raises OptionError for an option that has no meaning for a model that names classes."""
    unfit = sorted({*given} - {"overwrite"} - ({*WRITING} if where else set()))
    if unfit:
        or_where = ", or add where for boxes that are estimated" if unfit[0] in WRITING else ""
        raise OptionError(
            f"the option {unfit[0]} is for detectors, and the model in {run} names classes: leave it out{or_where}"
        )


def _placed(
    model: Model, paths: Sequence[str | Path], options: BoxOptions, *, topk: int, how: ReadAs, progress: Progress
) -> list[PlacedPrediction]:
    """The likeliest classes of each picture, and about where the first of them is; what is asked for is written."""
    from eyespot import machine
    from eyespot.answering.drawn import require_room
    from eyespot.answering.labels import texts_of
    from eyespot.answering.placed import with_boxes, write_placed
    from eyespot.engine.compiled import compiled_folder
    from eyespot.explaining.where import locate, network_with_maps

    require_topk(topk)
    found, left = list_pictures(paths, how)
    texts = texts_of(found, paths) if options.save_txt is not None else {}
    many = len(found) > FEW_PICTURES
    network = network_with_maps(model.bundle, many=many, cache_folder=compiled_folder(machine.cache_folder()))
    require_room(options)
    located = locate(network, found, many=many, progress=progress)
    answered = Answered(located.probabilities, located.reasons, located.flat)
    answers = with_boxes(named(found, left, answered, classes=model.classes, topk=topk), located.boxes, located.sizes)
    write_placed(options, answers, found, model, sizes=located.sizes, texts=texts)
    return answers
