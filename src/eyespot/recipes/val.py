"""`val`: how a model does on labelled pictures, every number with its interval."""

from __future__ import annotations

from pathlib import Path

from eyespot.answering.evaluation import evaluation
from eyespot.answering.model import load
from eyespot.answering.results import ValResult
from eyespot.data.read_as import read_as
from eyespot.progress import Progress, silent


def val(
    run: str | Path, data: str | Path, *, split: str = "auto", progress: Progress = silent, **reading: str | None
) -> ValResult:
    """Accuracy with its interval of the model in `run`, on the labelled pictures of `data`. See Model.evaluate."""
    return evaluation(load(run), data, split=split, progress=progress, how=read_as(**reading))
