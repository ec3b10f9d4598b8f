"""`val`: how a model does on labelled pictures, every number with its interval."""

from __future__ import annotations

from pathlib import Path

from eyespot.answering.detections import DetectionValResult
from eyespot.answering.evaluation import evaluation
from eyespot.answering.model import Model, load
from eyespot.answering.multilabel import MultilabelModel
from eyespot.answering.multilabel_results import MultilabelValResult
from eyespot.answering.results import ValResult
from eyespot.data.read_as import read_as, refuse_for_boxes
from eyespot.progress import Progress, silent


def val(
    run: str | Path, data: str | Path, *, split: str = "auto", progress: Progress = silent, **reading: str | None
) -> ValResult | DetectionValResult | MultilabelValResult:
    """Accuracy with its interval of the model in `run`, on the labelled pictures of `data`. See Model.evaluate.

    Of a detector, average precision on pictures with boxes, and of a model of several labels that and F1. See
    Detector.evaluate and MultilabelModel.evaluate.
    """
    model = load(run)
    if isinstance(model, Model):
        return evaluation(model, data, split=split, progress=progress, how=read_as(**reading))
    if isinstance(model, MultilabelModel):
        return model.evaluate(data, split=split, progress=progress, **reading)
    refuse_for_boxes(reading, run)
    return model.evaluate(data, split=split, progress=progress)
