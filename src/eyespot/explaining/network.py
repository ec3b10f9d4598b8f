"""A bundle's network, asked for what its answers rest on: its probabilities, its features, its last feature map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eyespot.bundle.files import Naming
from eyespot.bundle.run import NO_ANSWER, ClassAnswer, Classifier, answer_or_reason
from eyespot.engine.gate import FEATURES, LIKENESS, PROBABILITIES
from eyespot.engine.last_map import MAPS, LinearHead, linear_head, with_last_map
from eyespot.errors import BundleError, UnreadablePicture

T = TypeVar("T")


@dataclass(frozen=True)
class Grounded(ClassAnswer):
    """What the network says of one image, and what that rests on."""

    features: NDArray[np.float32]
    """(D,)."""
    maps: NDArray[np.float32] | None
    """The last feature map (C, h, w); None if the features are not its mean, or the head is not linear."""


class Network:
    """Gives the same probabilities as `predict`, in the same precision."""

    def __init__(self, bundle: Naming, *, cache_folder: Path | None) -> None:
        """cache_folder: where compiled graphs are kept for the next process, or None."""
        self.bundle = bundle
        head = linear_head(bundle.graph)
        mapped = with_last_map(bundle.graph) if head is not None else None
        self.head: LinearHead | None = head if mapped is not None else None
        """Of a network that has a last feature map; else None."""
        self._classifier = Classifier(replace(bundle, graph=mapped or bundle.graph), cache_folder=cache_folder)

    def answer(self, image: NDArray[np.uint8]) -> Grounded:
        """What it says of one image (H, W, C)."""
        return next(self.answers([image], many=False))

    def answers(self, images: Iterable[NDArray[np.uint8]], *, many: bool) -> Iterator[Grounded]:
        """What it says of each image (H, W, C), in order; they are taken as the engine becomes free.

        many: more than a few are to come, so that working in batches pays.
        Raises UnreadablePicture if its answer to one is none.
        """
        for _, answer in self.stream(((None, image) for image in images), many=many):
            if isinstance(answer, str) or not np.isfinite(answer.features).all():
                raise UnreadablePicture(NO_ANSWER)
            yield answer

    def stream(
        self, images: Iterable[tuple[T, NDArray[np.uint8]]], *, many: bool
    ) -> Iterator[tuple[T, Grounded | str]]:
        """What it says of each image (H, W, C), or why it has no answer, with its tag, in order; see `answers`."""
        for tag, outputs in self._classifier.outputs(images, many=many):
            if not outputs.keys() >= {PROBABILITIES, FEATURES} or len(outputs[PROBABILITIES]) != len(self.classes):
                raise BundleError(f"the model in {self.bundle.folder} gives no features, so it cannot be explained")
            likeness = float(outputs[LIKENESS]) if LIKENESS in outputs else None
            several = self.bundle.manifest.task == "multilabel"
            said = Grounded(outputs[PROBABILITIES], likeness, outputs[FEATURES], outputs.get(MAPS), several=several)
            yield tag, answer_or_reason(said, self.bundle, self._classifier.of_black)

    def places_hw(self, *, many: bool) -> tuple[int, int] | None:
        """Height and width of the last feature map, where the scores are a sum over its places; else None."""
        if self.head is None:
            return None
        _, height, width = self._classifier.engine(None if many else 1).row_shapes[MAPS]
        return height, width

    @property
    def classes(self) -> tuple[str, ...]:
        return self.bundle.manifest.classes
