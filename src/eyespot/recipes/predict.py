"""`predict`: the likeliest classes of pictures, about where these are; the boxes of a detector; or several labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from eyespot.answering.keywords import PredictKeywords
from eyespot.answering.model import Model, load
from eyespot.answering.opened import FEW_PICTURES, Answered, compute_on, named, predictions, require_topk
from eyespot.answering.results import PlacedPrediction, Prediction
from eyespot.answering.rules import RuleOptions, Rules, rules_of
from eyespot.bundle.files import notes_on
from eyespot.data.handed import OnePicture, Pictures, is_path, items_of, listed
from eyespot.data.read_as import ReadAs
from eyespot.errors import OptionError
from eyespot.progress import Progress, announce, shows_progress, silent

if TYPE_CHECKING:
    from eyespot.answering.detections import BoxOptions, Detections
    from eyespot.answering.detector import Detector

TOPK = 3
RULES = tuple(each.name for each in fields(RuleOptions))
"""Options of models that name classes; detectors have a threshold of their own."""
WRITING = ("draw", "save_crop", "save_txt")
"""Options that write boxes, a detector's or estimated ones."""


class Keywords(PredictKeywords, total=False):
    """Options of models, and where is computed."""

    cluster: str | None


@overload
def predict(
    run: str | Path,
    pictures: Pictures,
    *,
    where: Literal[True],
    topk: int = 3,
    image_column: str | None = None,
    progress: Progress = silent,
    **options: Unpack[Keywords],
) -> list[PlacedPrediction]: ...


@overload
def predict(
    run: str | Path,
    pictures: Pictures,
    *,
    where: bool = False,
    topk: int = 3,
    image_column: str | None = None,
    progress: Progress = silent,
    **options: Unpack[Keywords],
) -> list[Prediction] | Any: ...


@shows_progress
def predict(
    run: str | Path,
    pictures: Pictures,
    *,
    topk: int = TOPK,
    image_column: str | None = None,
    where: bool = False,
    progress: Progress = silent,
    **options: Unpack[Keywords],
) -> list[Prediction] | Any:
    """The likeliest classes of each picture, by the model in `run`, or lists of Detections, where it is a detector.

    pictures, topk: see Model.predict. A model of several labels takes only `threshold` and `image_column`.
    image_column: of a table, the column that names the pictures.
    where: also a box around what the class activation map of the likeliest class shows: an estimate.
    cluster: the Ray cluster whose machines compute: auto, or the address of its head; not for boxes.
    options: those of RuleOptions, when the answer is none of the classes; or those of BoxOptions, which boxes are
        named, and what is written of them. The latter with `where`, too.

    >>> [answer] = eyespot.predict("runs/train/digits", "seven.png")
    >>> answer.label, answer.probability > 0.5
    ('7', True)
    """
    model = _loaded(run, options.pop("cluster", None), where=where, progress=progress)
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    asked_for, how = items_of(pictures), ReadAs(image_column=image_column)
    if not isinstance(model, Model):
        from eyespot.answering.detector import Detector  # which naming classes does without

        if not isinstance(model, Detector):
            _require_for_labels(given, run, topk=topk, where=where)
            return model.predict(asked_for, threshold=given.get("threshold"), how=how, progress=progress)
        _require_no_rules(given, run, where=where)
        return _detected(model, asked_for, _box_options(given), progress=progress)
    rules = rules_of(model.manifest, _rule_options(given), model=run)
    if not where and not given.keys() - {"overwrite"}:
        return predictions(model, asked_for, topk=topk, rules=rules, progress=progress, how=how)
    boxes = _box_options(given)
    _require_fits(given, run, where=where)
    return _placed(model, asked_for, boxes, topk=topk, rules=rules, how=how, progress=progress)


def _loaded(run: str | Path, cluster: str | None, *, where: bool, progress: Progress) -> Any:
    model = load(run)
    if where and cluster is not None:
        raise OptionError("the option cluster cannot be given with where: boxes are estimated on this machine")
    compute_on(model, cluster, run=run)
    announce(progress, *notes_on(model.bundle))
    return model


def _rule_options(given: dict[str, Any]) -> RuleOptions:
    """Those that are given, which are taken out."""
    return RuleOptions(**{name: given.pop(name) for name in RULES if name in given})


def _box_options(given: Mapping[str, Any]) -> BoxOptions:
    from eyespot.answering.detections import BoxOptions  # which naming classes does without
    from eyespot.keywords import as_record

    return as_record(BoxOptions, given, verb=predict)


def _detected(
    model: Detector, pictures: Sequence[OnePicture], options: BoxOptions, *, progress: Progress
) -> list[Detections]:
    """The boxes in each picture; what is asked for is written."""
    from eyespot.answering.detector import chosen_cut
    from eyespot.answering.drawn import require_room, write_answers

    cut = chosen_cut(model.cut, threshold=options.threshold, iou=options.iou, max_boxes=options.max_boxes)
    require_room(options)
    found, left = listed(pictures)  # once: an open file is at its end then
    answers = model.answers_to(found, left, cut, progress=progress)
    write_answers(options, answers, {each.name: each for each in found}, model)
    return answers


def _require_for_labels(given: dict[str, Any], run: str | Path, *, topk: int, where: bool) -> None:
    """Raises OptionError for an option that has no meaning for a model of several labels."""
    if given.get("threshold") == "auto":
        del given["threshold"]
    given.pop("overwrite", None)
    unfit = [*["topk"] * (topk != TOPK), *["where"] * where, *sorted(given.keys() - {"threshold"})]
    if unfit:
        raise OptionError(
            f"the option {unfit[0]} is for other models, and the model in {run} gives pictures several labels: leave "
            "it out; threshold says how probable a label must be"
        )


def _require_no_rules(given: dict[str, Any], run: str | Path, *, where: bool) -> None:
    """Raises OptionError for an option that has no meaning for a detector; a threshold that is auto is left out."""
    if given.get("threshold") == "auto":
        del given["threshold"]
    unfit = ["where"] if where else [name for name in RULES if name in given and name != "threshold"]
    if unfit:
        raise OptionError(
            f"the option {unfit[0]} is for models that name classes, and the model in {run} is a detector, which gives "
            "boxes anyway: leave it out"
        )


def _require_fits(given: Iterable[str], run: str | Path, *, where: bool) -> None:
    """Raises OptionError for an option that has no meaning for a model that names classes."""
    unfit = sorted({*given} - {"overwrite"} - ({*WRITING} if where else set()))
    if unfit:
        or_where = ", or add where for boxes that are estimated" if unfit[0] in WRITING else ""
        raise OptionError(
            f"the option {unfit[0]} is for detectors, and the model in {run} names classes: leave it out{or_where}"
        )


def _placed(
    model: Model,
    pictures: Sequence[OnePicture],
    options: BoxOptions,
    *,
    topk: int,
    rules: Rules,
    how: ReadAs,
    progress: Progress,
) -> list[PlacedPrediction]:
    """The likeliest classes of each picture, and about where the first of them is; what is asked for is written."""
    from eyespot import machine
    from eyespot.answering.drawn import require_room
    from eyespot.answering.labels import texts_of
    from eyespot.answering.placed import with_boxes, write_placed
    from eyespot.engine.compiled import compiled_folder
    from eyespot.explaining.where import locate, network_with_maps

    require_topk(topk)
    found, left = listed(pictures, how)
    texts = texts_of(found, [each for each in pictures if is_path(each)]) if options.save_txt is not None else {}
    many = len(found) > FEW_PICTURES
    network = network_with_maps(model.bundle, many=many, cache_folder=compiled_folder(machine.cache_folder()))
    require_room(options)
    located = locate(network, found, many=many, progress=progress)
    answered = Answered(located.answers, located.reasons, located.flat)
    answers = named(found, left, answered, classes=model.classes, topk=topk, rules=rules)
    placed = with_boxes(answers, located.boxes, located.sizes)
    write_placed(options, placed, found, model, sizes=located.sizes, texts=texts)
    return placed
