"""All that is served otherwise because a model finds boxes: its options, its answers, what is said of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eyespot.answering.detections import Detection
from eyespot.answering.detector import chosen_cut, detections_of
from eyespot.answering.opened_detector import OpenedDetector
from eyespot.bundle.boxes import Cut, boxes_of
from eyespot.bundle.described import described
from eyespot.bundle.files import DetectorBundle
from eyespot.bundle.many_threads import ManyThreads
from eyespot.bundle.run import NO_ANSWER
from eyespot.data.framed import Framed
from eyespot.data.levels import is_flat
from eyespot.engine.gate import BOXES, MOST_CANDIDATES, SCORES
from eyespot.errors import BundleError, RequestError
from eyespot.serve import query
from eyespot.serve.explaining import Explaining
from eyespot.serve.pictures import frame_sent
from eyespot.serve.served import Answer, Served, Tensor, black, known_by

MOST_BOXES = MOST_CANDIDATES
"""That a request may ask for, of one picture."""
LABELS, COUNTS = "labels", "counts"


@dataclass(frozen=True)
class Boxes(Answer):
    """The boxes in one picture."""

    detections: tuple[Detection, ...]
    """In pixels of the upright picture, the surest first."""
    said: str
    """The same as JSON, made by the worker: of many boxes it takes long, and all other requests would stand still."""


@dataclass(frozen=True, eq=False)
class ServedDetector(Served[Cut, Boxes]):
    """A detector at work."""

    bundle: DetectorBundle

    @classmethod
    def of(cls, bundle: DetectorBundle) -> ServedDetector:
        """The bundle, once it has answered. Raises BundleError unless its answer to a black image is numbers."""
        answering = ManyThreads(OpenedDetector(bundle))
        outputs = answering.outputs(black(bundle.manifest.preprocess), alone=True)
        if not _are_numbers(outputs[BOXES], outputs[SCORES]):
            raise BundleError(
                f"the model in {bundle.folder} is damaged: its answers are no numbers; copy it again, whole, or train "
                "it again"
            )
        return cls(bundle, answering, *known_by(bundle))

    @property
    def cut(self) -> Cut:
        """Which boxes are answered unless a request says otherwise."""
        return Cut(self.bundle.manifest.threshold, self.bundle.manifest.iou, self.bundle.manifest.most)

    def asked(self, fields: Sequence[tuple[str, str]]) -> Cut:
        """The options in a query such as `threshold=0.5&max_boxes=20`. Raises RequestError for any other."""
        shares: dict[str, float | None] = {"threshold": None, "iou": None}
        most = None
        for name, text in fields:
            query.require_known(name, (*shares, "max_boxes"))
            if name in shares:
                shares[name] = query.share(name, text)
            else:
                most = query.whole(name, text, low=1, high=MOST_BOXES)
        return chosen_cut(self.cut, **shares, max_boxes=most)

    def read(self, data: bytes) -> Framed:
        return frame_sent(data, self.preprocess)

    def answers(
        self, images: Sequence[Framed], wanted: Sequence[Cut], *, alone: bool
    ) -> Sequence[Boxes | RequestError]:
        stacked = np.stack([each.image for each in images])  # (N, H, W, C)
        outputs = self.answering.outputs(stacked, alone=alone)
        rows = zip(images, outputs[BOXES], outputs[SCORES], wanted, strict=True)
        return [_answer(*each, classes=self.classes) for each in rows]

    async def entries(self, answer: Boxes, picture: bytes, wanted: Cut, explaining: Explaining) -> str:
        return f'"detections": {answer.said}'

    def described(self) -> dict[str, Any]:
        return described(self.bundle.manifest)

    def tensors_described(self) -> dict[str, Tensor]:
        return {
            BOXES: {"datatype": "FP32", "shape": [-1, -1, 4]},
            SCORES: {"datatype": "FP32", "shape": [-1, -1]},
            LABELS: {"datatype": "BYTES", "shape": [-1, -1]},
            COUNTS: {"datatype": "INT64", "shape": [-1]},
        }

    def tensors(self, answers: Sequence[Boxes]) -> dict[str, Tensor]:
        """A row for each picture, as long as that with the most boxes; after its own, boxes of 0 without a label."""
        named = [each.detections for each in answers]
        longest = max(map(len, named))
        missing = [longest - len(each) for each in named]
        pairs = list(zip(named, missing, strict=True))
        shape = [len(answers), longest]
        boxes = [at for row, none in pairs for at in [*(at for each in row for at in each.xyxy), *[0.0] * 4 * none]]
        scores = [score for row, none in pairs for score in [*(each.probability for each in row), *[0.0] * none]]
        labels = [name for row, none in pairs for name in [*(each.class_ for each in row), *[""] * none]]
        return {
            BOXES: {"datatype": "FP32", "shape": [*shape, 4], "data": boxes},
            SCORES: {"datatype": "FP32", "shape": shape, "data": scores},
            LABELS: {"datatype": "BYTES", "shape": shape, "data": labels},
            COUNTS: {"datatype": "INT64", "shape": [len(answers)], "data": [len(each) for each in named]},
        }


def _answer(
    image: Framed, boxes: np.ndarray, scores: np.ndarray, cut: Cut, *, classes: Sequence[str]
) -> Boxes | RequestError:
    """boxes: (L, 4), pixels of the image. scores: (L, classes)."""
    if not _are_numbers(boxes, scores):
        return RequestError(500, f"the picture {NO_ANSWER}")
    height, width = image.shown_hw
    named = detections_of(boxes_of(image, boxes, scores, cut), classes)
    return Boxes(
        named,
        json.dumps([each.model_dump(by_alias=True) for each in named]),
        size_wh=image.picture_hw[::-1],
        is_flat=is_flat(image.image[:height, :width]),
    )


def _are_numbers(boxes: np.ndarray, scores: np.ndarray) -> bool:
    return bool(np.isfinite(boxes).all() and np.isfinite(scores).all())
