"""`val`: how a model does on labelled pictures, every number with its interval."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from eyespot.answering.evaluation import evaluation
from eyespot.answering.model import Model, load
from eyespot.answering.results import ValResult
from eyespot.data.handed_sets import Data, path_of
from eyespot.data.read_as import ReadKeywords, read_as, refuse_for_boxes
from eyespot.progress import Progress, shows_progress, silent

if TYPE_CHECKING:
    from eyespot.answering.detector import Detector


@shows_progress
def val(
    run: str | Path, data: Data, *, split: str = "auto", progress: Progress = silent, **reading: Unpack[ReadKeywords]
) -> ValResult | Any:
    """Accuracy with its interval of the model in `run`, on the labelled pictures of `data`. See Model.evaluate.

    Of a detector, average precision on pictures with boxes, in a DetectionValResult. See Detector.evaluate.
    """
    model: Model | Detector = load(run)
    if isinstance(model, Model):
        return evaluation(model, data, split=split, progress=progress, how=read_as(**reading))
    refuse_for_boxes(reading, run)
    return model.evaluate(path_of(data), split=split, progress=progress)
