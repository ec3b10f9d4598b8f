"""What a detector's graph gives, as a few boxes in the pixels of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eyespot.bundle.detector_manifest import DetectorManifest
from eyespot.data.framed import Framed
from eyespot.engine.gate import MOST_CANDIDATES
from eyespot.evaluate.box_matches import Found
from eyespot.evaluate.boxes import clipped, suppressed, to_picture


@dataclass(frozen=True)
class Cut:
    """Which boxes are answered."""

    threshold: float
    """Least score."""
    iou: float
    """Of two boxes of a class that overlap by more, only the surer one."""
    most: int
    """For a picture."""

    @classmethod
    def of(cls, manifest: DetectorManifest) -> Cut:
        """The model's own."""
        return cls(manifest.threshold, manifest.iou, manifest.most)


def boxes_of(framed: Framed, boxes: np.ndarray, scores: np.ndarray, cut: Cut) -> Found:
    """What is found in one picture, in its pixels, the surest first.

    boxes: (L, 4), pixels of the image. scores: (L, classes).
    """
    return found_at(framed, boxes, scores, cut)[0]


def found_at(framed: Framed, boxes: np.ndarray, scores: np.ndarray, cut: Cut) -> tuple[Found, np.ndarray]:
    """The same, and the index of the place that told each box, (N,)."""
    places, labels = np.nonzero(scores >= cut.threshold)
    sure = scores[places, labels]
    first = np.argsort(-sure, kind="stable")[:MOST_CANDIDATES]
    places, labels, sure = places[first], labels[first], sure[first]
    height, width = framed.picture_hw
    moved = to_picture(boxes[places], picture_hw=framed.picture_hw, resized_hw=framed.shown_hw)
    moved = clipped(moved, width=width, height=height)
    kept = suppressed(moved, sure, labels, iou=cut.iou, most=cut.most)
    return Found(moved[kept], sure[kept], labels[kept]), places[kept]
