"""A bundle at work: pictures in, answers out. No torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from eyespot.bundle.files import Naming
from eyespot.engine.gate import LIKENESS, PROBABILITIES
from eyespot.engine.run import Engine, available_precisions, in_batches
from eyespot.errors import BundleError
from eyespot.records import PrecisionName

UNITY = 1e-2
"""How far the probabilities of one picture may be from a sum of one: bf16 has three digits."""
NO_ANSWER = "has no answer: what the model computes from it is no number"
T = TypeVar("T")


@dataclass(frozen=True)
class ClassAnswer:
    """What a model that names classes says of one picture."""

    probabilities: np.ndarray
    """(classes,)."""
    likeness: float | None
    """To the nearest class, -1..1; None of a model that cannot tell when a picture shows none of its classes."""

    several: bool = field(default=False, kw_only=True)
    """True where each class is answered by itself, and the probabilities sum to nothing in particular."""

    @property
    def is_one(self) -> bool:
        """True if the probabilities are numbers from 0 to 1, with a sum of 1 where only one class is true, and the
        likeness is a number."""
        row = self.probabilities  # false for what is no number, too
        if self.several:
            return bool(row.min() >= -UNITY and row.max() <= 1 + UNITY)
        is_distribution = bool(row.min() >= -UNITY and abs(float(row.sum()) - 1) <= UNITY)
        return is_distribution and math.isfinite(self.likeness or 0.0)


A = TypeVar("A", bound=ClassAnswer)


class Classifier:
    """A bundle's graph, compiled when first needed: for one picture at a time, and for many."""

    resizes = False
    """It takes images, which are resized already."""

    def __init__(self, bundle: Naming, *, cache_folder: Path | None, precision: PrecisionName | None = None) -> None:
        """cache_folder: where compiled graphs are kept for the next process, or None.
        precision: of the arithmetic; None for that which the model was measured in, where this machine has it.
        """
        self._bundle, self._cache_folder = bundle, cache_folder
        self._engines: dict[tuple[int | None, int | None], Engine] = {}
        self.precision: PrecisionName = precision or precision_here(bundle.manifest.precision.name)

    def outputs(
        self, images: Iterable[tuple[T, np.ndarray]], *, many: bool
    ) -> Iterator[tuple[T, dict[str, np.ndarray]]]:
        """Everything that the graph gives for each image (H, W, C), by the outputs' names, with its tag."""
        engine = self.engine(None if many else 1)
        for tags, outputs in engine.stream(in_batches(images, engine.batch)):
            for row, tag in enumerate(tags):
                yield tag, {name: values[row] for name, values in outputs.items()}

    def stream(self, images: Iterable[tuple[T, np.ndarray]], *, many: bool) -> Iterator[tuple[T, ClassAnswer | str]]:
        """The answer to each image (H, W, C), or why it has none, with its tag, in any order.

        many: more than a few images are to come, so that working in batches pays.
        Raises BundleError if the model has no answer to any picture.
        """
        engine = self.engine(None if many else 1)
        for tags, outputs in engine.stream(in_batches(images, engine.batch)):
            for tag, answer in zip(tags, self.answers(outputs), strict=True):
                yield tag, answer_or_reason(answer, self._bundle, self.of_black)

    def answers(self, outputs: dict[str, np.ndarray]) -> list[ClassAnswer]:
        """Those of the graph to N pictures; see `answers_in`."""
        return answers_in(outputs, self._bundle)

    def of_black(self) -> ClassAnswer:
        """The answer to a black image."""
        engine = self.engine(1)
        return self.answers(engine.run(np.zeros((1, *engine.image_hwc), np.uint8)))[0]

    def engine(self, batch: int | None, *, streams: int | None = None) -> Engine:
        """The graph for batches of this size, by default the usual one, `streams` of them at a time; see Engine.

        Compiled at first use.
        """
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
                    foreign=self._bundle.folder,
                )
            except RuntimeError as error:
                height, width = preprocess.crop_hw
                raise BundleError(
                    f"the model in {self._bundle.folder} is damaged: its graph does not fit its manifest's images of "
                    f"{width} x {height} px, or is not complete"
                ) from error
        return self._engines[key]


def answers_in(outputs: dict[str, np.ndarray], bundle: Naming) -> list[ClassAnswer]:
    """What a graph's outputs say of N pictures.

    Raises BundleError unless there is a probability for each class of the manifest, and a likeness if it speaks of one.
    """
    found, classes = outputs.get(PROBABILITIES), len(bundle.manifest.classes)
    if found is None or found.shape[1:] != (classes,):
        shape = "no such output" if found is None else f"an output of shape (N, {', '.join(map(str, found.shape[1:]))})"
        raise BundleError(
            f"the model in {bundle.folder} is damaged: its manifest names {classes} classes, its graph has "
            f"{shape} for their {PROBABILITIES}"
        )
    if bundle.manifest.unknown is None:
        several = bundle.manifest.task == "multilabel"
        return [ClassAnswer(row, None, several=several) for row in found]
    if LIKENESS not in outputs or outputs[LIKENESS].shape != found.shape[:1]:
        raise BundleError(
            f"the model in {bundle.folder} is damaged: its manifest says which {LIKENESS} is refused, and its graph "
            "gives none"
        )
    return [ClassAnswer(row, likeness) for row, likeness in zip(found, outputs[LIKENESS].tolist(), strict=True)]


def answer_or_reason(answer: A, bundle: Naming, of_black: Callable[[], ClassAnswer]) -> A | str:
    """The answer to a picture, or why it has none.

    of_black: gives that to a black image. Raises BundleError if it is none either: then it is not the picture, whose
    numbers may have become too large, but the model.
    """
    if answer.is_one:
        return answer
    require_answer(of_black(), bundle)
    return NO_ANSWER


def require_answer(answer: ClassAnswer, bundle: Naming) -> None:
    """Raises BundleError unless a model's answer is one."""
    if not answer.is_one:
        row = answer.probabilities
        is_number = np.isfinite(row).all() and math.isfinite(answer.likeness or 0.0)
        what = "are not from 0 to 1" if answer.several else "do not sum to one"
        fault = f"probabilities {what}" if is_number else "answers are no numbers"
        raise BundleError(
            f"the model in {bundle.folder} is damaged: its {fault}; copy it again, whole, or train it again"
        )


def precision_here(wanted: PrecisionName) -> PrecisionName:
    """The precision a model was measured in where this machine has it, else fp32."""
    return wanted if wanted in available_precisions() else "fp32"
