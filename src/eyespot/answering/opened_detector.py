"""A trained detector, opened: what it is, and the boxes that it finds in pictures. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from eyespot import machine
from eyespot.bundle.boxes import Cut, boxes_of
from eyespot.bundle.detector_manifest import DetectorManifest
from eyespot.bundle.exported import ExportedDetector
from eyespot.bundle.exported_detector import WholeDetector
from eyespot.bundle.files import DetectorBundle
from eyespot.bundle.run import NO_ANSWER, precision_here
from eyespot.card import card
from eyespot.data.data_set import Picture
from eyespot.data.framed import Framed, Whole, read_framed, read_whole_pictures
from eyespot.data.levels import is_flat
from eyespot.engine.compiled import compiled_folder
from eyespot.engine.gate import BOXES, SCORES
from eyespot.engine.run import Engine
from eyespot.errors import BundleError
from eyespot.evaluate.box_matches import Found
from eyespot.features.decode import MOST_WHOLE, decode_with
from eyespot.progress import Progress
from eyespot.words import some

BATCH = 8
"""Pictures in a batch."""
FEW_PICTURES = 4
"""Up to this many are answered one at a time: a batch would have to be filled up."""


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
    """A detector's bundle, or one that was exported, compiled when it is first asked."""

    def __init__(self, bundle: DetectorBundle) -> None:
        self.bundle = bundle
        self._engines: dict[tuple[int, int | None], Engine] = {}
        self._whole: WholeDetector | None = None

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
        return Cut.of(self.manifest)

    def __repr__(self) -> str:
        return f"<eyespot detector {self.manifest.name!r}: {len(self.classes)} classes>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        height, width = self.manifest.preprocess.crop_hw
        rows = [
            ("Classes", some(self.classes, most=12)),
            ("Images", f"{width} x {height} px"),
            ("Model", str(self.bundle.folder)),
        ]
        return card(f"{self.manifest.name}, a detector", rows)

    def look(
        self, pictures: Sequence[tuple[Picture, str | None]], cut: Cut, *, doing: str, progress: Progress
    ) -> Looked:
        """The boxes in each picture.

        pictures: each with the content hash that its file must still have, or None. doing: names the work.
        """
        looked = Looked()
        if isinstance(self.bundle, ExportedDetector):
            self._look_whole(self.bundle, pictures, cut, looked=looked, doing=doing, progress=progress)
            return looked
        batch = BATCH if len(pictures) > FEW_PICTURES else 1
        decoded = decode_with(read_framed, pictures, self.manifest.preprocess, looked.reasons, ahead=4 * batch)
        for tags, outputs in self.engine(batch).stream(_in_batches(decoded, batch)):
            for row, (number, framed) in enumerate(tags):
                self._answer(number, framed, outputs[BOXES][row], outputs[SCORES][row], looked=looked, cut=cut)
                progress(doing, len(looked.found) + len(looked.reasons), len(pictures))
        return looked

    def _look_whole(
        self,
        exported: ExportedDetector,
        pictures: Sequence[tuple[Picture, str | None]],
        cut: Cut,
        *,
        looked: Looked,
        doing: str,
        progress: Progress,
    ) -> None:
        """The same of a model that takes whole pictures."""
        if self._whole is None:
            self._whole = WholeDetector(exported, cache_folder=compiled_folder(machine.cache_folder()))
        preprocess = self.manifest.preprocess
        decoded = decode_with(read_whole_pictures, pictures, preprocess, looked.reasons, ahead=MOST_WHOLE)
        for (number, whole), found in self._whole.stream(_tagged(decoded), cut):
            if isinstance(found, str):
                looked.reasons[number] = found
            else:
                looked.found[number] = found
                looked.sizes[number] = whole.picture_hw
                if is_flat(whole.image):
                    looked.flat.add(number)
            progress(doing, len(looked.found) + len(looked.reasons), len(pictures))

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
                    foreign=self.bundle.folder,
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


def _in_batches(
    decoded: Iterable[tuple[int, Framed]], size: int
) -> Iterator[tuple[list[tuple[int, Framed]], np.ndarray]]:
    source = iter(decoded)
    while chunk := list(islice(source, size)):
        yield chunk, np.stack([framed.image for _, framed in chunk])


def _tagged(decoded: Iterable[tuple[int, Whole]]) -> Iterator[tuple[tuple[int, Whole], Whole]]:
    for number, whole in decoded:
        yield (number, whole), whole
