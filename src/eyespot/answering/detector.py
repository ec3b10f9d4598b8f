"""A trained detector in Python: `eyespot.load(run)`, then `predict` and `evaluate`. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eyespot.answering.answers import Answers
from eyespot.answering.detections import Detection, Detections, DetectionValResult
from eyespot.answering.opened_detector import Looked, OpenedDetector
from eyespot.bundle.boxes import Cut
from eyespot.data.data_set import Picture
from eyespot.data.handed import Pictures, listed
from eyespot.data.levels import FLAT_NOTE
from eyespot.errors import OptionError
from eyespot.evaluate.box_matches import Found
from eyespot.progress import Progress, shows_progress, silent
from eyespot.records import SetAside


class Detector(OpenedDetector):
    """A trained detector, ready to answer. Made by `load`."""

    @shows_progress
    def predict(
        self,
        pictures: Pictures,
        *,
        threshold: float | None = None,
        iou: float | None = None,
        max_boxes: int | None = None,
        progress: Progress = silent,
    ) -> list[Detections]:
        """The boxes in each picture, in the order given; folders are searched through.

        pictures: one or several, as `Model.predict` takes them.
        threshold: least score of a box, 0 to 1; None for the model's own, which had the best F1 on validation.
        iou: of two boxes of a class that overlap by more, 0 to 1, only the surer one is named.
        max_boxes: for a picture, at least 1.
        """
        cut = chosen_cut(self.cut, threshold=threshold, iou=iou, max_boxes=max_boxes)
        return self.answers_to(*listed(pictures), cut, progress=progress)

    def answers_to(
        self, found: Sequence[Picture], left: Sequence[SetAside], cut: Cut, *, progress: Progress
    ) -> Answers[Detections]:
        """The boxes in each picture that was found, then those that are set aside. See `listed`."""
        looked = self.look([(each, None) for each in found], cut, doing="predicting", progress=progress)
        named = [self._named(number, picture, looked) for number, picture in enumerate(found)]
        named += [
            Detections(picture=each.picture, width=0, height=0, detections=(), set_aside=each.reason) for each in left
        ]
        return Answers(named, found, self.manifest.preprocess.levels)

    @shows_progress
    def evaluate(
        self, data: str | Path | None = None, *, split: str = "auto", progress: Progress = silent
    ) -> DetectionValResult:
        """Average precision with its intervals, and everything else that `eyespot val` measures.

        data: a folder of pictures with boxes, of any kind that `train` takes; None for those that the run kept.
        split: the part to read: train, val, test or all; auto is test, else val, else all.
        """
        from eyespot.answering.box_evaluation import box_evaluation  # which `predict` does without

        return box_evaluation(self, data, split=split, progress=progress)

    def _named(self, number: int, picture: Picture, looked: Looked) -> Detections:
        if number in looked.reasons:
            return Detections(picture=picture.name, width=0, height=0, detections=(), set_aside=looked.reasons[number])
        height, width = looked.sizes[number]
        return Detections(
            picture=picture.name,
            width=width,
            height=height,
            detections=detections_of(looked.found[number], self.classes),
            note=FLAT_NOTE if number in looked.flat else None,
        )


def detections_of(found: Found, classes: Sequence[str]) -> tuple[Detection, ...]:
    """The same as records."""
    boxes, scores, labels = (np.asarray(each).tolist() for each in found)
    return tuple(
        Detection(
            class_=classes[label],
            probability=min(1.0, score),
            xyxy=(round(box[0], 2), round(box[1], 2), round(box[2], 2), round(box[3], 2)),
        )
        for box, score, label in zip(boxes, scores, labels, strict=True)
    )


def chosen_cut(own: Cut, *, threshold: float | None, iou: float | None, max_boxes: int | None) -> Cut:
    """The model's own cut, but for what a person says. Raises OptionError for what cannot be."""
    for name, value in (("threshold", threshold), ("iou", iou)):
        if value is not None and not 0 <= value <= 1:
            raise OptionError(f"the option {name} cannot be {value}: give a number from 0 to 1")
    if max_boxes is not None and max_boxes < 1:
        raise OptionError(f"the option max_boxes must be at least 1, not {max_boxes}")
    return Cut(
        own.threshold if threshold is None else threshold, own.iou if iou is None else iou, max_boxes or own.most
    )
