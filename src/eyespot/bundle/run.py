"""A bundle at work: pictures in, probabilities out. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from eyespot.bundle.files import Bundle
from eyespot.engine.gate import PROBABILITIES
from eyespot.engine.run import BATCH, Engine, available_precisions, in_batches
from eyespot.errors import BundleError
from eyespot.records import PrecisionName

T = TypeVar("T")


class Classifier:
    """A bundle's graph, compiled when first needed: for one picture at a time, and for many."""

    resizes = False
    """It takes images, which are resized already."""

    def __init__(self, bundle: Bundle, *, cache_folder: Path | None, precision: PrecisionName | None = None) -> None:
        """cache_folder: where compiled graphs are kept for the next process, or None.
        precision: of the arithmetic; None for that which the model was measured in, where this machine has it.
        """
        self._bundle, self._cache_folder = bundle, cache_folder
        self._engines: dict[tuple[int, int | None], Engine] = {}
        self.precision: PrecisionName = precision or precision_here(bundle.manifest.precision.name)

    def outputs(
        self, images: Iterable[tuple[T, np.ndarray]], *, many: bool
    ) -> Iterator[tuple[T, dict[str, np.ndarray]]]:
        """Everything that the graph gives for each image (H, W, C), by the outputs' names, with its tag."""
        engine = self.engine(BATCH if many else 1)
        for tags, outputs in engine.stream(in_batches(images, engine.batch)):
            for row, tag in enumerate(tags):
                yield tag, {name: values[row] for name, values in outputs.items()}

    def stream(self, images: Iterable[tuple[T, np.ndarray]], *, many: bool) -> Iterator[tuple[T, np.ndarray]]:
        """The probabilities (classes,) of each image (H, W, C), with its tag, in no particular order.

        many: more than a few images are to come, so that working in batches pays.
        """
        engine = self.engine(BATCH if many else 1)
        for tags, outputs in engine.stream(in_batches(images, engine.batch)):
            yield from zip(tags, self.probabilities(outputs), strict=True)

    def probabilities(self, outputs: dict[str, np.ndarray]) -> np.ndarray:
        """The output (N, classes), where the graph has one for each class of the manifest."""
        return require_probabilities(self._bundle, outputs)

    def engine(self, batch: int, *, streams: int | None = None) -> Engine:
        """The graph compiled for batches of this size, so many at a time; see Engine. Compiled when first asked for."""
        key = batch, streams
        if key not in self._engines:
            preprocess = self._bundle.manifest.preprocess
            try:
                self._engines[key] = Engine(
                    self._bundle.graph,
                    image_hwc=(*preprocess.crop_hw, preprocess.channels),
                    precision=self.precision,
                    batch=batch,
                    streams=streams,
                    cache_folder=self._cache_folder,
                )
            except RuntimeError as error:
                height, width = preprocess.crop_hw
                raise BundleError(
                    f"the model in {self._bundle.folder} is damaged: its graph does not fit its manifest's images of "
                    f"{width} x {height} px, or is not complete"
                ) from error
        return self._engines[key]


def require_probabilities(bundle: Bundle, outputs: dict[str, np.ndarray]) -> np.ndarray:
    """The output (N, classes), where the graph has one for each class of the manifest. Raises BundleError elsewhere."""
    found, classes = outputs.get(PROBABILITIES), len(bundle.manifest.classes)
    if found is None or found.shape[1:] != (classes,):
        shape = "no such output" if found is None else f"an output of shape (N, {', '.join(map(str, found.shape[1:]))})"
        raise BundleError(
            f"the model in {bundle.folder} is damaged: its manifest names {classes} classes, its graph has "
            f"{shape} for their {PROBABILITIES}"
        )
    return found


def precision_here(wanted: PrecisionName) -> PrecisionName:
    """The precision a model was measured in where this machine has it, else fp32."""
    return wanted if wanted in available_precisions() else "fp32"
