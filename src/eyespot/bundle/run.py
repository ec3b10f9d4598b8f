"""A bundle at work: pictures in, answers out. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from eyespot.bundle.files import Bundle
from eyespot.engine.gate import LIKENESS, PROBABILITIES
from eyespot.engine.run import BATCH, Engine, available_precisions, in_batches
from eyespot.errors import BundleError
from eyespot.records import PrecisionName

UNITY = 1e-2
"""How far the probabilities of one picture may be from a sum of one: bf16 has three digits."""
NO_ANSWER = "has no answer: what the model computes from it is no number"
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What a model says of one picture."""

    probabilities: np.ndarray
    """(classes,)."""
    likeness: float | None
    """To the nearest class, -1..1; None of a model that cannot tell when a picture shows none of its classes."""


A = TypeVar("A", bound=Answer)


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

    def stream(self, images: Iterable[tuple[T, np.ndarray]], *, many: bool) -> Iterator[tuple[T, Answer | str]]:
        """The answer to each image (H, W, C), or why it has none, with its tag, in any order.

        many: more than a few images are to come, so that working in batches pays.
        Raises BundleError if the model has no answer to any picture.
        """
        engine = self.engine(BATCH if many else 1)
        for tags, outputs in engine.stream(in_batches(images, engine.batch)):
            rows, alike = self.probabilities(outputs), likenesses(outputs)
            for tag, row, likeness in zip(tags, rows, alike, strict=True):
                yield tag, answer_or_reason(Answer(row, likeness), self._bundle, self.of_black)

    def probabilities(self, outputs: dict[str, np.ndarray]) -> np.ndarray:
        """The output (N, classes); see `require_probabilities`."""
        return require_probabilities(self._bundle, outputs)

    def of_black(self) -> np.ndarray:
        """The output (1, classes) for a black image."""
        engine = self.engine(1)
        return self.probabilities(engine.run(np.zeros((1, *engine.image_hwc), np.uint8)))

    def engine(self, batch: int, *, streams: int | None = None) -> Engine:
        """The graph for batches of this size, `streams` of them at a time; see Engine. Compiled at first use."""
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
    """The output (N, classes). Raises BundleError unless the graph has one for each class of the manifest."""
    found, classes = outputs.get(PROBABILITIES), len(bundle.manifest.classes)
    if found is None or found.shape[1:] != (classes,):
        shape = "no such output" if found is None else f"an output of shape (N, {', '.join(map(str, found.shape[1:]))})"
        raise BundleError(
            f"the model in {bundle.folder} is damaged: its manifest names {classes} classes, its graph has "
            f"{shape} for their {PROBABILITIES}"
        )
    return found


def likenesses(outputs: dict[str, np.ndarray]) -> list[float] | list[None]:
    """The likeness of each of N pictures to the nearest class, as far as the graph gives it."""
    if LIKENESS not in outputs:
        return [None] * len(outputs[PROBABILITIES])
    found: list[float] = np.asarray(outputs[LIKENESS], np.float64).tolist()
    return found


def answer_or_reason(answer: A, bundle: Bundle, of_black: Callable[[], np.ndarray]) -> A | str:
    """The answer to a picture, or why it has none.

    of_black: gives the probabilities of a black image, (1, classes). Raises BundleError if they are none either: then
    it is not the picture, whose numbers may have become too large, but the model.
    """
    if is_distribution(answer.probabilities):
        return answer
    require_distribution(of_black()[0], bundle)
    return NO_ANSWER


def require_distribution(row: np.ndarray, bundle: Bundle) -> None:
    """Raises BundleError unless a model's answer (classes,) is a distribution over its classes."""
    if not is_distribution(row):
        fault = "probabilities do not sum to one" if np.isfinite(row).all() else "answers are no numbers"
        raise BundleError(
            f"the model in {bundle.folder} is damaged: its {fault}; copy it again, whole, or train it again"
        )


def is_distribution(row: np.ndarray) -> bool:
    """True for probabilities (classes,) that are numbers from 0 to 1 with a sum of 1."""
    return bool(row.min() >= -UNITY and abs(float(row.sum()) - 1) <= UNITY)  # false for what is no number, too


def precision_here(wanted: PrecisionName) -> PrecisionName:
    """The precision a model was measured in where this machine has it, else fp32."""
    return wanted if wanted in available_precisions() else "fp32"
