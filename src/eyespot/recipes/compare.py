"""`compare`: whether one model is better than another, on pictures that neither was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from eyespot.answering.compared import CompareResult
from eyespot.answering.detector import Detector
from eyespot.answering.model import Model, load
from eyespot.answering.unseen import require_split
from eyespot.bundle.files import what_holds
from eyespot.data.handed_sets import Data, path_of
from eyespot.data.read_as import ReadKeywords, given_of, read_as, refuse_for_boxes
from eyespot.errors import OptionError
from eyespot.progress import Progress, shows_progress, silent
from eyespot.runs.pictures import origin_of_first
from eyespot.runs.resume import Origin
from eyespot.words import some


@shows_progress
def compare(
    run: str | Path,
    other: str | Path,
    data: Data | None = None,
    *,
    split: str = "auto",
    progress: Progress = silent,
    **reading: Unpack[ReadKeywords],
) -> CompareResult | Any:
    """Whether the model in `other` is better than the one in `run`, with the interval of the difference.

    run, other: run folders, bundles or exported files, of the same classes.
    data: labelled pictures, of any kind that `train` takes; None for those that the first run was made on. They are
        known by their content: what either model was trained on is left out.
    split: test, val, or all of what neither was trained on; auto is test, else val. What is new to both is test.
    reading: `layout`, `image_column`, `label_column` and `split_column` of `data`, as `train` has them.
    Of two detectors average precision is compared, in a CompareDetectorsResult.
    """
    require_split(split)
    first, second = _comparable(run), _comparable(other)
    _require_a_pair(first, second, (str(run), str(other)))
    if data is None and (given := given_of(reading)):
        raise OptionError(f"the option {given[0]} says how DATA is read: give DATA, too")
    origin = origin_of_first((run, other)) if data is None else Origin(data, read_as(**reading))
    if isinstance(first, Model) and isinstance(second, Model):
        from eyespot.answering.comparing import comparison

        return comparison(first, second, origin, split=split, progress=progress)
    from eyespot.answering.box_comparing import box_comparison

    refuse_for_boxes(reading, run)
    assert isinstance(first, Detector)
    assert isinstance(second, Detector)
    return box_comparison(first, second, str(path_of(origin.data)), split=split, progress=progress)


def _comparable(run: str | Path) -> Model | Detector:
    """The model in `run`. Raises OptionError for one of several labels."""
    model = load(run)
    if not isinstance(model, Model | Detector):
        raise OptionError(
            f"{run} holds {what_holds(model.bundle)}, and only models that name one class, or detectors, are compared: "
            "compare the mAP that `eyespot val` gives for each on the same pictures"
        )
    return model


def _require_a_pair(first: Model | Detector, second: Model | Detector, names: tuple[str, str]) -> None:
    """Raises OptionError for what cannot be compared. names: as they were given."""
    one, other = names
    if first.bundle.folder.resolve() == second.bundle.folder.resolve():
        raise OptionError(f"{one} and {other} are the same model: give two to be compared")
    if type(first) is not type(second):
        detector, classifier = (one, other) if isinstance(first, Detector) else (other, one)
        raise OptionError(
            f"{detector} finds boxes and {classifier} names classes, so neither is better: give two of one kind"
        )
    if set(first.classes) != set(second.classes):
        only, only_other = (
            some([name for name in model.classes if name not in another.classes]) or "none"
            for model, another in ((first, second), (second, first))
        )
        raise OptionError(
            f"two models are compared on the same classes: {one} has {only} that {other} has not, which has "
            f"{only_other}; give two that were trained on the same classes"
        )
