"""`val`: how a model does on labelled pictures, every number with its interval."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

from eyespot.answering.evaluation import evaluation
from eyespot.answering.keywords import ClusterKeywords
from eyespot.answering.model import Model, load
from eyespot.answering.multilabel import MultilabelModel
from eyespot.answering.opened import compute_on
from eyespot.answering.results import ValResult
from eyespot.data.handed_sets import Data, path_of
from eyespot.data.read_as import ReadKeywords, read_as, refuse_for_boxes
from eyespot.errors import OptionError, TooLow
from eyespot.progress import Progress, shows_progress, silent
from eyespot.words import counted

if TYPE_CHECKING:
    from eyespot.answering.detector import Detector


@shows_progress
def val(
    run: str | Path,
    data: Data | None = None,
    *,
    split: str = "auto",
    min_accuracy: float | None = None,
    min_map50: float | None = None,
    progress: Progress = silent,
    **options: Unpack[ClusterKeywords],
) -> ValResult | Any:
    """Accuracy with its interval of the model in `run`, on the labelled pictures of `data`. See Model.evaluate.

    Of a detector, average precision on pictures with boxes, in a DetectionValResult; of a model of several labels that
    and F1, in a MultilabelValResult. See Detector.evaluate and MultilabelModel.evaluate.

    data: None for the pictures that the run kept to be measured by, where they were in training.
    min_accuracy, min_map50: from 0 to 1, of a classifier and of a detector. TooLow is raised where the figure is lower.
        Pictures that the model was trained on are set aside then, whatever the part.
    cluster: the Ray cluster whose machines compute: auto, or the address of its head; not for detectors.
    """
    model: Model | Detector | MultilabelModel = load(run)
    compute_on(model, options.pop("cluster", None), run=run)
    reading = cast(ReadKeywords, options)
    _require_meant(model, run, min_accuracy=min_accuracy, min_map50=min_map50)
    if isinstance(model, Model):
        how, has_least = read_as(**reading), min_accuracy is not None
        found = evaluation(model, data, split=split, progress=progress, how=how, only_new=has_least)
        of = f"{counted(found.n, 'picture')} of {found.data}"
        _require("the accuracy", min_accuracy, (found.accuracy, found.low, found.high), of, found)
        return found
    if isinstance(model, MultilabelModel):
        return model.evaluate(data, split=split, progress=progress, **reading)
    refuse_for_boxes(reading, run)
    boxes = model.evaluate(None if data is None else path_of(data), split=split, progress=progress)
    value = boxes.map50
    of = f"{counted(boxes.pictures, 'picture')} of {boxes.data}"
    _require("the mAP50", min_map50, (value.value, value.low, value.high), of, boxes)
    return boxes


def _require_meant(model: Model | Detector | MultilabelModel, run: str | Path, **least: float | None) -> None:
    """Raises OptionError for a least figure that this model does not have, or that none can have."""
    for name, value in least.items():
        if value is None:
            continue
        if not 0 <= value <= 1:
            raise OptionError(f"the option {name} cannot be {value}: give a number from 0 to 1")
        if isinstance(model, MultilabelModel):
            raise OptionError(f"the option {name} does not fit the model in {run}, of several labels: leave it out")
        names_classes = isinstance(model, Model)
        if (name == "min_accuracy") != names_classes:
            does, other = ("names classes", "min_accuracy") if names_classes else ("finds boxes", "min_map50")
            raise OptionError(f"the option {name} does not fit the model in {run}, which {does}: give {other}")


def _require(name: str, least: float | None, figure: tuple[float, float, float], of: str, result: Any) -> None:
    """Raises TooLow where the figure, which stands before the ends of its interval, is below the least one."""
    value, low, high = figure
    if least is None or value >= least:
        return
    may = f"so {least:g} is not ruled out" if high >= least else "which lies below it, too"
    raise TooLow(
        f"{name} is {value:.3f}, lower than the {least:g} that was asked for; its 95 % interval on {of} is {low:.3f} "
        f"to {high:.3f}, {may}",
        result,
    )
