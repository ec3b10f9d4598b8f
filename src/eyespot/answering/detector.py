"""A trained detector in Python: `eyespot.load(run)`, then `predict` and `evaluate`. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from eyespot import machine
from eyespot.answering.detections import Detection, Detections, DetectionValResult
from eyespot.bundle.files import DetectorBundle
from eyespot.bundle.manifest import DetectorManifest
from eyespot.bundle.run import NO_ANSWER, precision_here
from eyespot.data.data_set import Picture
from eyespot.data.framed import Framed, read_framed
from eyespot.data.levels import FLAT_NOTE, is_flat
from eyespot.data.sources import list_pictures
from eyespot.engine.compiled import compiled_folder
from eyespot.engine.gate import BOXES, SCORES
from eyespot.engine.run import Engine
from eyespot.errors import BundleError, OptionError
from eyespot.evaluate.box_matches import Found
from eyespot.evaluate.boxes import clipped, suppressed, to_picture
from eyespot.features.decode import decode_with
from eyespot.progress import Progress, silent

BATCH = 8
"""Pictures in a batch."""
FEW_PICTURES = 4
"""Up to this many are answered one at a time: a batch would have to be filled up."""
MOST_CANDIDATES = 1000
"""The surest boxes of a picture that suppression looks at."""


@dataclass(frozen=True)
class Cut:
    """Which boxes are answered."""

    threshold: float
    """Least score."""
    iou: float
    """Of two boxes of a class that overlap by more, only the surer one."""
    most: int
    """For a picture."""


@dataclass(frozen=True)
class Looked:
    """What a detector finds in some pictures, by their numbers."""

    found: dict[int, Found] = field(default_factory=dict)
    """In pixels of the picture, the surest first."""
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Height and width of each picture, pixels."""
    reasons: dict[int, str] = field(default_factory=dict)
    """Why the others have no answer."""
    flat: set[int] = field(default_factory=set)
    """Pictures of one color."""


class Detector:
    """A trained detector, ready to answer. Made by `load`."""

    def __init__(self, bundle: DetectorBundle) -> None:
        self.bundle = bundle
        self._engines: dict[int, Engine] = {}

    @property
    def manifest(self) -> DetectorManifest:
        """Everything that is known of the model."""
        return self.bundle.manifest

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the scores."""
        return self.manifest.classes

    @property
    def cut(self) -> Cut:
        """Which boxes are answered unless somebody says otherwise."""
        return Cut(self.manifest.threshold, self.manifest.iou, self.manifest.most)

    def predict(
        self,
        pictures: str | Path | Iterable[str | Path],
        *,
        threshold: float | None = None,
        iou: float | None = None,
        max_boxes: int | None = None,
        progress: Progress = silent,
    ) -> list[Detections]:
        """The boxes in each picture, in the order given; folders are searched through.

        pictures: one path or several, of files or folders.
        threshold: least score of a box, 0 to 1; None for the model's own, which had the best F1 on validation.
        iou: of two boxes of a class that overlap by more, 0 to 1, only the surer one is named.
        max_boxes: for a picture, at least 1.
        """
        cut = chosen_cut(self.cut, threshold=threshold, iou=iou, max_boxes=max_boxes)
        paths = [pictures] if isinstance(pictures, str | Path) else list(pictures)
        found, left = list_pictures(paths)
        looked = self.look([(each, None) for each in found], cut, doing="predicting", progress=progress)
        named = [self._named(number, picture, looked) for number, picture in enumerate(found)]
        return named + [
            Detections(picture=each.picture, width=0, height=0, detections=(), set_aside=each.reason) for each in left
        ]

    def evaluate(self, data: str | Path, *, split: str = "auto", progress: Progress = silent) -> DetectionValResult:
        """Average precision with its intervals, and everything else that `eyespot val` measures.

        data: a folder of pictures with boxes, of any kind that `train` takes.
        split: the part to read: train, val, test or all; auto is test, else val, else all.
        """
        from eyespot.answering.box_evaluation import box_evaluation  # which `predict` does without

        return box_evaluation(self, data, split=split, progress=progress)

    def look(
        self, pictures: Sequence[tuple[Picture, str | None]], cut: Cut, *, doing: str, progress: Progress
    ) -> Looked:
        """The boxes in each picture.

        pictures: each with the content hash that its file must still have, or None. doing: names the work.
        """
        looked = Looked()
        batch = BATCH if len(pictures) > FEW_PICTURES else 1
        decoded = decode_with(read_framed, pictures, self.manifest.preprocess, looked.reasons, ahead=4 * batch)
        for tags, outputs in self.engine(batch).stream(_in_batches(decoded, batch)):
            for row, (number, framed) in enumerate(tags):
                self._answer(number, framed, outputs[BOXES][row], outputs[SCORES][row], looked=looked, cut=cut)
                progress(doing, len(looked.found) + len(looked.reasons), len(pictures))
        return looked

    def engine(self, batch: int) -> Engine:
        """The graph for that many images at a time, compiled when first used."""
        if batch not in self._engines:
            preprocess = self.manifest.preprocess
            try:
                self._engines[batch] = Engine(
                    self.bundle.graph,
                    image_hwc=(*preprocess.crop_hw, preprocess.channels),
                    precision=precision_here(self.manifest.precision),
                    batch=batch,
                    cache_folder=compiled_folder(machine.cache_folder()),
                )
            except RuntimeError as error:
                raise BundleError(f"the model in {self.bundle.folder} is damaged: its graph is not complete") from error
        return self._engines[batch]

    def _answer(
        self, number: int, framed: Framed, boxes: np.ndarray, scores: np.ndarray, *, looked: Looked, cut: Cut
    ) -> None:
        """boxes: (L, 4), pixels of the image. scores: (L, classes)."""
        if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
            looked.reasons[number] = NO_ANSWER
            return
        looked.found[number] = boxes_of(framed, boxes, scores, cut)
        looked.sizes[number] = framed.picture_hw
        height, width = framed.shown_hw
        if is_flat(framed.image[:height, :width]):
            looked.flat.add(number)

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


def boxes_of(framed: Framed, boxes: np.ndarray, scores: np.ndarray, cut: Cut) -> Found:
    """What is found in one picture, in its pixels, the surest first.

    boxes: (L, 4), pixels of the image. scores: (L, classes).
    """
    places, labels = np.nonzero(scores >= cut.threshold)
    sure = scores[places, labels]
    first = np.argsort(-sure, kind="stable")[:MOST_CANDIDATES]
    places, labels, sure = places[first], labels[first], sure[first]
    height, width = framed.picture_hw
    moved = to_picture(boxes[places], picture_hw=framed.picture_hw, resized_hw=framed.shown_hw)
    moved = clipped(moved, width=width, height=height)
    kept = suppressed(moved, sure, labels, iou=cut.iou, most=cut.most)
    return Found(moved[kept], sure[kept], labels[kept])


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


def _in_batches(
    decoded: Iterable[tuple[int, Framed]], size: int
) -> Iterator[tuple[list[tuple[int, Framed]], np.ndarray]]:
    source = iter(decoded)
    while chunk := list(islice(source, size)):
        yield chunk, np.stack([framed.image for _, framed in chunk])
