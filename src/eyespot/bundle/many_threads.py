"""A graph asked by many threads at once: a lone image gets all cores, several get one core each. No torch."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np

from eyespot import machine
from eyespot.bundle.run import ClassAnswer, Classifier
from eyespot.engine.run import Engine

BATCHES = (16, 8, 4, 2)
"""Sizes of a batch where batches pay, the largest first."""
SHORT_SECONDS = 0.002
"""A run that takes less is to a good part overhead, which a batch shares among its images. A longer one gains nothing:
with one core for each batch, EfficientNet-Lite0 takes 15.0, 14.7, 15.7, 16.1 and 16.6 ms an image in batches of
1, 2, 4, 8 and 16."""
TRIED = 10
"""Runs: one that something else held up is not taken for a long one."""


class Compiled(Protocol):
    """What has a graph, and compiles it when it is first asked for."""

    def engine(self, batch: int, *, streams: int | None = None) -> Engine: ...


class ManyThreads:
    """A model's graph, compiled for lone images and for images beside others. Safe to use from any thread."""

    def __init__(self, model: Compiled) -> None:
        """Compiles what will be needed; with a cache folder that takes a moment only the first time."""
        cores = machine.cores()
        self._alone = model.engine(1)
        self._beside: dict[int, Engine] = {1: model.engine(1, streams=cores)}
        if _is_short(self._beside[1]):
            self._beside |= {size: model.engine(size, streams=cores) for size in BATCHES}
        self.most = max(self._beside)
        """Images that are worth answering together."""

    def outputs(self, images: np.ndarray, *, alone: bool) -> dict[str, np.ndarray]:
        """The graph's outputs by name, N rows each, for images (N, H, W, C), N from 1 to `most`.

        alone: nothing else is being answered, so that all cores may work on one image.
        """
        if alone and len(images) == 1:
            return self._alone.run(images)
        parts, start = [], 0
        for size in sorted(self._beside, reverse=True):
            while len(images) - start >= size:
                parts.append(self._beside[size].run(images[start : start + size]))
                start += size
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class Answering(ManyThreads):
    """The same of a model that names classes."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__(classifier)
        self._classifier = classifier

    def answers(self, images: np.ndarray, *, alone: bool) -> list[ClassAnswer]:
        """The answer to each of N images (N, H, W, C); see `outputs`. It may be none: see `ClassAnswer.is_one`."""
        return self._classifier.answers(self.outputs(images, alone=alone))


def _is_short(engine: Engine) -> bool:
    """True if a run takes less than `SHORT_SECONDS`."""
    image = np.zeros((1, *engine.image_hwc), np.uint8)
    for _ in range(TRIED):
        start = time.perf_counter()
        engine.run(image)
        if time.perf_counter() - start < SHORT_SECONDS:
            return True
    return False
