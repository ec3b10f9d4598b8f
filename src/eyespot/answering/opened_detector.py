"""A trained detector, opened: what it is, and the boxes that it finds in pictures. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from eyespot import machine
from eyespot.bundle.files import DetectorBundle
from eyespot.bundle.manifest import DetectorManifest
from eyespot.bundle.run import NO_ANSWER, precision_here
from eyespot.data.data_set import Picture
from eyespot.data.framed import Framed, read_framed
from eyespot.data.levels import is_flat
from eyespot.engine.compiled import compiled_folder
from eyespot.engine.gate import BOXES, SCORES
from eyespot.engine.run import Engine
from eyespot.errors import BundleError
from eyespot.evaluate.box_matches import Found
from eyespot.evaluate.boxes import clipped, suppressed, to_picture
from eyespot.features.decode import decode_with
from eyespot.progress import Progress

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


class OpenedDetector:
    """A detector's bundle, compiled when it is first asked."""

    def __init__(self, bundle: DetectorBundle) -> None:
        self.bundle = bundle
        self._engines: dict[tuple[int, int | None], Engine] = {}

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

    def engine(self, batch: int, *, streams: int | None = None) -> Engine:
        """The graph for that many images at a time, `streams` times at once; see Engine. Compiled when first used."""
        key = batch, streams
        if key not in self._engines:
            preprocess = self.manifest.preprocess
            try:
                self._engines[key] = Engine(
                    self.bundle.graph,
                    image_hwc=(*preprocess.crop_hw, preprocess.channels),
                    precision=precision_here(self.manifest.precision),
                    batch=batch,
                    streams=streams,
                    cache_folder=compiled_folder(machine.cache_folder()),
                )
            except RuntimeError as error:
                raise BundleError(f"the model in {self.bundle.folder} is damaged: its graph is not complete") from error
        return self._engines[key]

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


def _in_batches(
    decoded: Iterable[tuple[int, Framed]], size: int
) -> Iterator[tuple[list[tuple[int, Framed]], np.ndarray]]:
    source = iter(decoded)
    while chunk := list(islice(source, size)):
        yield chunk, np.stack([framed.image for _, framed in chunk])
