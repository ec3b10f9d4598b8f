"""An exported detector at work: decoded pictures of any size in, boxes in their pixels out. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from eyespot.bundle.boxes import Cut, boxes_of
from eyespot.bundle.detector_manifest import DetectorManifest
from eyespot.bundle.exported import ExportedDetector
from eyespot.bundle.run import NO_ANSWER
from eyespot.data.cropping import letterbox_size
from eyespot.data.framed import Framed, Whole
from eyespot.engine.gate import ALL_BOXES, ALL_SCORES, BOXES, LABELS, SCORES
from eyespot.engine.run import WholeEngine
from eyespot.errors import BundleError
from eyespot.evaluate.box_matches import Found
from eyespot.evaluate.boxes import clipped, to_picture

T = TypeVar("T")


class WholeDetector:
    """The file at work, always in fp32: in bf16 a place in a large picture is some pixels off."""

    def __init__(self, exported: ExportedDetector, *, cache_folder: Path | None) -> None:
        """cache_folder: where compiled graphs are kept, so that the next process starts at once."""
        self._exported, self._cache_folder = exported, cache_folder

    def stream(self, pictures: Iterable[tuple[T, Whole]], cut: Cut) -> Iterator[tuple[T, Found | str]]:
        """The boxes of each picture, or why it has none, with its tag, in order.

        cut: which of them; the graph's own suppression makes them where that is the model's own.
        """
        manifest = self._exported.manifest
        try:
            for (tag, whole), outputs in self._engine.stream(((tag, whole), whole.image) for tag, whole in pictures):
                yield (
                    tag,
                    found_by_graph(outputs, whole)
                    if cut == Cut.of(manifest)
                    else _found_anew(outputs, whole, manifest, cut),
                )
        except RuntimeError as error:  # lengths that do not fit are found out when there are some
            raise BundleError(
                f"{self._exported.folder} is damaged: its graph cannot be computed: export the model again"
            ) from error

    @cached_property
    def _engine(self) -> WholeEngine:
        try:
            return WholeEngine(
                self._exported.graph,
                weights=self._exported.weights,
                precision="fp32",
                cache_folder=self._cache_folder,
                foreign=self._exported.folder,
            )
        except RuntimeError as error:
            raise BundleError(f"{self._exported.folder} is damaged: its graph is not complete") from error


def found_by_graph(outputs: Mapping[str, np.ndarray], whole: Whole) -> Found | str:
    """What the graph says by itself, in pixels of the picture; or that it has no answer.

    outputs: the graph's. whole: the picture that it was given, which may be a reduced JPEG.
    """
    if not _are_numbers(outputs):
        return NO_ANSWER
    height, width = whole.picture_hw
    boxes = to_picture(outputs[BOXES], picture_hw=whole.picture_hw, resized_hw=_decoded_hw(whole))
    return Found(clipped(boxes, width=width, height=height), outputs[SCORES], outputs[LABELS])


def _found_anew(outputs: Mapping[str, np.ndarray], whole: Whole, manifest: DetectorManifest, cut: Cut) -> Found | str:
    """What it knows at all places, cut otherwise than in the graph."""
    if not _are_numbers(outputs):
        return NO_ANSWER
    height, width = _decoded_hw(whole)
    shown = letterbox_size(width, height, manifest.preprocess.crop_hw)
    framed = Framed(whole.image, whole.picture_hw, shown[::-1])
    return boxes_of(framed, outputs[ALL_BOXES][0], outputs[ALL_SCORES][0], cut)


def _are_numbers(outputs: Mapping[str, np.ndarray]) -> bool:
    return all(bool(np.isfinite(outputs[name]).all()) for name in (ALL_BOXES, ALL_SCORES))


def _decoded_hw(whole: Whole) -> tuple[int, int]:
    height, width = whole.image.shape[:2]
    return height, width
