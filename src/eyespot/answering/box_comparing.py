"""Which of two opened detectors is better, on pictures that neither was trained on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.answering.box_evaluation import judge, with_known_labels
from eyespot.answering.compared import ClassBoxDifference, CompareDetectorsResult, MeasuredDetector
from eyespot.answering.opened_detector import OpenedDetector
from eyespot.answering.series import ONE_SAY, Together, find_together
from eyespot.answering.unseen import note_on_known, on_weights, unseen
from eyespot.bundle.files import notes_on
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.boxes.records import BoxedPicture
from eyespot.errors import DataError
from eyespot.evaluate.box_matches import Matches, matches
from eyespot.evaluate.detection_scores import estimate
from eyespot.evaluate.paired_boxes import BoxComparison, Figures, paired_boxes
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.progress import Progress
from eyespot.records import SetAside
from eyespot.runs.lists import lists_of


def box_comparison(
    first: OpenedDetector, second: OpenedDetector, data: str, *, split: str, progress: Progress
) -> CompareDetectorsResult:
    """How the second detector differs from the first, which has the same classes. See `eyespot.compare`."""
    started = time.perf_counter()
    boxed = read_boxes(from_home(data))
    pictures, on_foreign = with_known_labels(boxed.pictures, boxed.classes, first.classes, data)
    known = (first.manifest.pictures, second.manifest.pictures)
    new = unseen(pictures, [each.content for each in pictures], known, split=split, data=printable(data))
    both = _both(first, second, new.pictures, progress)
    if not both.first.counted.sum():
        raise DataError(f"{data} has no box of these classes in a readable picture that neither model was trained on")
    together = _together((first, second), pictures, data, progress)
    compared = [each.hashed for each in both.pictures]
    on_series = together.notes_on(compared, ONE_SAY)
    on_series += note_on_known(together, compared, [each.hashed for each in pictures], known)
    on_series += on_weights(first.bundle.graph, second.bundle.graph)
    series = together.numbers(compared)
    found = paired_boxes(both.first, both.second, np.random.default_rng(0), series=series)
    assert found.map50 is not None
    assert found.map50_95 is not None
    return CompareDetectorsResult(
        data=printable(data),
        part=new.part,
        pictures=len(both.pictures),
        left_out=new.left_out,
        classes=first.classes,
        verdict=found.verdict,
        smallest_seen=found.smallest_seen,
        set_aside=(*boxed.set_aside, *both.set_aside),
        notes=(*notes_on(first.bundle, second.bundle), *boxed.notes, *on_foreign, *new.notes, *on_series),
        first=_measured(first, found.first),
        second=_measured(second, found.second),
        boxes=int(both.first.counted.sum()),
        map50=found.map50,
        map50_95=found.map50_95,
        per_class=_per_class(first.classes, found),
        seconds=round(time.perf_counter() - started, 2),
    )


@dataclass(frozen=True)
class _Both:
    """The pictures that both detectors have answered, and what each found in them."""

    pictures: list[BoxedPicture]
    first: Matches
    second: Matches
    set_aside: list[SetAside]
    """The other pictures."""


def _both(first: OpenedDetector, second: OpenedDetector, pictures: Sequence[BoxedPicture], progress: Progress) -> _Both:
    one = judge(first, pictures, doing="asking the first", progress=progress)
    other = judge(second, one.pictures, doing="asking the second", progress=progress)
    answered = {id(each) for each in other.pictures}
    ours = [found for each, found in zip(one.pictures, one.founds, strict=True) if id(each) in answered]
    numbers = np.array([first.classes.index(name) for name in second.classes])
    theirs = [each._replace(labels=numbers[np.asarray(each.labels, np.int64)]) for each in other.founds]
    found, found_too = (
        matches(other.truths, founds, classes=len(first.classes), most=detector.cut.most)
        for detector, founds in ((first, ours), (second, theirs))
    )
    return _Both(other.pictures, found, found_too, [*one.set_aside, *other.set_aside])


def _together(
    detectors: Sequence[OpenedDetector], pictures: Sequence[BoxedPicture], data: str, progress: Progress
) -> Together:
    """The series of all pictures of the data, and the groups that the detectors were trained with."""
    side = min(side for each in detectors for side in each.manifest.preprocess.crop_hw)
    lists = [lists_of(each.bundle.folder, None, data) for each in detectors]
    return find_together([each.hashed for each in pictures], image_side=side, lists=lists, progress=progress)


def _per_class(classes: Sequence[str], found: BoxComparison) -> tuple[ClassBoxDifference, ...]:
    return tuple(
        ClassBoxDifference(name=name, boxes=of.truths, ap50=ap50)
        for name, of, ap50 in zip(classes, found.first.precisions.per_class, found.ap50, strict=True)
    )


def _measured(detector: OpenedDetector, figures: Figures) -> MeasuredDetector:
    map50 = estimate(figures.precisions.map50, figures.intervals.map50)
    map50_95 = estimate(figures.precisions.map50_95, figures.intervals.map50_95)
    assert map50 is not None
    assert map50_95 is not None
    return MeasuredDetector(model=printable(str(detector.bundle.folder)), map50=map50, map50_95=map50_95)
