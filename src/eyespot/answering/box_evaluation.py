"""How an opened detector does on pictures whose boxes are known."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from eyespot.answering.detections import DetectionValResult
from eyespot.answering.opened_detector import OpenedDetector
from eyespot.answering.own import PARTS, origin_of_model, own_part, require_split
from eyespot.answering.series import COUNTED, find_together
from eyespot.bundle.files import notes_on
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.boxes.records import BoxedDataSet, BoxedPicture
from eyespot.data.handed_sets import path_of
from eyespot.errors import DataError, OptionError
from eyespot.evaluate.box_matches import Found, Truth
from eyespot.evaluate.box_records import DetectionScores
from eyespot.evaluate.detection_scores import detection_scores
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.progress import Progress
from eyespot.records import SetAside
from eyespot.runs.lists import lists_of
from eyespot.words import some

LEAST_SCORE = 0.01
"""From which boxes count for average precision, which looks at unsure ones, too."""


@dataclass(frozen=True)
class Judged:
    """Pictures that were answered, what is in them and what was found."""

    pictures: list[BoxedPicture]
    truths: list[Truth]
    founds: list[Found]
    set_aside: list[SetAside]
    """Those without an answer."""

    @classmethod
    def of(cls, several: Iterable[Judged]) -> Judged:
        """All pictures of several."""
        parts = list(several)
        return cls(
            pictures=[each for part in parts for each in part.pictures],
            truths=[each for part in parts for each in part.truths],
            founds=[each for part in parts for each in part.founds],
            set_aside=[each for part in parts for each in part.set_aside],
        )

    def scores(
        self, classes: Sequence[str], *, threshold: float, most: int, series: ArrayLike | None = None
    ) -> DetectionScores | None:
        """All figures; None where no box is to be found. series: (pictures,), a number that one series shares."""
        return detection_scores(self.truths, self.founds, classes, threshold=threshold, most=most, series=series)

    def only(self, numbers: Sequence[int]) -> Judged:
        """The same of some of the pictures."""
        return Judged(
            pictures=[self.pictures[number] for number in numbers],
            truths=[self.truths[number] for number in numbers],
            founds=[self.founds[number] for number in numbers],
            set_aside=self.set_aside,
        )


def judge(detector: OpenedDetector, pictures: Sequence[BoxedPicture], *, doing: str, progress: Progress) -> Judged:
    """What the detector finds in these pictures, unsure boxes too. Labels of -1 are of classes it does not know."""
    cut = replace(detector.cut, threshold=LEAST_SCORE)
    asked = [(each.picture, each.content or None) for each in pictures]
    looked = detector.look(asked, cut, doing=doing, progress=progress)
    answered = [number for number in range(len(pictures)) if number in looked.found]
    return Judged(
        pictures=[pictures[number] for number in answered],
        truths=[_truth(pictures[number]) for number in answered],
        founds=[looked.found[number] for number in answered],
        set_aside=[SetAside(picture=pictures[at].picture.name, reason=why) for at, why in looked.reasons.items()],
    )


def box_evaluation(
    detector: OpenedDetector, data: str | Path | None, *, split: str, progress: Progress
) -> DetectionValResult:
    """Average precision with its intervals, and all else that is measured. See Detector.evaluate.

    data: None for what the run that the detector lies in was made on.
    """
    started = time.perf_counter()
    require_split(split)
    is_own = data is None
    data = path_of(origin_of_model(detector.bundle.folder).data) if data is None else data
    boxed = read_boxes(from_home(data))
    part, pictures, on_part = _own(boxed, detector, split, data) if is_own else (*_chosen(boxed.parts, split, data), [])
    pictures, on_foreign = with_known_labels(pictures, boxed.classes, detector.classes, data)
    new, trained_on = _unseen(pictures, detector)
    if not new:
        raise DataError(f"the model was trained on every picture of {data}, part {part!r}: give it others")
    judged = judge(detector, new, doing="measuring", progress=progress)
    lists, image_side = [lists_of(detector.bundle.folder, None, data)], min(detector.manifest.preprocess.crop_hw)
    everything = [each.hashed for each in boxed.pictures]
    together = find_together(everything, image_side=image_side, lists=lists, progress=progress)
    measured = [each.hashed for each in judged.pictures]
    series, cut = together.numbers(measured), detector.cut
    scores = judged.scores(detector.classes, threshold=cut.threshold, most=cut.most, series=series)
    if scores is None:
        raise DataError(f"{data} has no box of this model's classes to be found in part {part!r}")
    return DetectionValResult(
        **dict(scores),
        model=printable(str(detector.bundle.folder)),
        data=printable(str(data)),
        part=part,
        classes=detector.classes,
        set_aside=(*boxed.set_aside, *trained_on, *judged.set_aside),
        notes=(*notes_on(detector.bundle), *boxed.notes, *on_part, *on_foreign, *together.notes_on(measured, COUNTED)),
        seconds=round(time.perf_counter() - started, 2),
    )


def _truth(each: BoxedPicture) -> Truth:
    known = each.boxes.labels >= 0
    boxes = each.boxes
    return Truth(boxes.xyxy[known], boxes.labels[known], boxes.ignored[known], boxes.crowd[known])


def _own(
    boxed: BoxedDataSet, detector: OpenedDetector, split: str, data: str | Path
) -> tuple[str, Sequence[BoxedPicture], list[str]]:
    """The part of the detector's own pictures that is measured, by the parts that they had, its pictures, and notes."""
    known = detector.manifest.pictures
    then = known.parts(each.content for each in boxed.pictures)
    part, numbers, notes = own_part(then, known, split, data)
    return part, [boxed.pictures[number] for number in numbers], notes


def _chosen(
    parts: Mapping[str, Sequence[BoxedPicture]], split: str, data: str | Path
) -> tuple[str, Sequence[BoxedPicture]]:
    """The part that is measured, by its name."""
    if split == "all" or (split == "auto" and "all" in parts):
        return "all", [each for part in parts.values() for each in part]
    part = next((each for each in PARTS if each in parts), "all") if split == "auto" else split
    if part not in parts:
        raise OptionError(f"{data} has no part {part!r}: it has {some(list(parts))}")
    return part, parts[part]


def with_known_labels(
    pictures: Sequence[BoxedPicture], theirs: Sequence[str], ours: Sequence[str], data: str | Path
) -> tuple[list[BoxedPicture], list[str]]:
    """The pictures with the model's numbers for the classes, and a note on the classes that it does not know."""
    if not set(theirs) & set(ours):
        raise DataError(
            f"none of the classes of {data} ({some(theirs)}) is one of the model's ({some(ours)}): name them as the "
            "model does"
        )
    number_of = {name: number for number, name in enumerate(ours)}
    numbers = np.array([number_of.get(name, -1) for name in theirs], np.int64)
    renamed = [replace(each, boxes=replace(each.boxes, labels=numbers[each.boxes.labels])) for each in pictures]
    foreign = [name for name in theirs if name not in number_of]
    return renamed, [f"boxes of classes that the model does not know are left out: {some(foreign)}"] if foreign else []


def _unseen(pictures: Sequence[BoxedPicture], detector: OpenedDetector) -> tuple[list[BoxedPicture], list[SetAside]]:
    """The pictures that the model was not trained on, and the others with that reason."""
    then = detector.manifest.pictures.parts(each.content for each in pictures)
    pairs = list(zip(pictures, then, strict=True))
    reason = "was trained on, so it says nothing of new pictures"
    seen = [SetAside(picture=each.picture.name, reason=reason) for each, was in pairs if was == "train"]
    return [each for each, was in pairs if was != "train"], seen
