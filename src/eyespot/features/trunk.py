"""A frozen trunk on this machine: its graph, how pictures come to it, and the engine, compiled when first needed."""

from __future__ import annotations

import hashlib
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from eyespot.engine.run import Engine
from eyespot.features.keys import Recipe
from eyespot.records import Network, PrecisionName, Preprocess


@dataclass(frozen=True, eq=False)
class Trunk:
    """Everything of a network before its classifier, frozen, as a graph: pictures in, features out."""

    graph: bytes
    """ONNX from `images` uint8 (N, H, W, C) to `features` float32 (N, D)."""
    _: KW_ONLY
    network: Network
    preprocess: Preprocess
    precision: PrecisionName
    folder: Path | None
    """For the compiled graph, and for features that take too much memory; None for neither."""
    dtype: type[np.floating[Any]] = np.float32
    """Of the features as they are kept."""

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the graph: of every weight, operator and normalisation in it."""
        return hashlib.blake2b(self.graph, digest_size=20).hexdigest()

    @cached_property
    def engine(self) -> Engine:
        return Engine(
            self.graph,
            image_hwc=(*self.preprocess.crop_hw, self.preprocess.channels),
            precision=self.precision,
            cache_folder=self.folder,
        )

    @cached_property
    def recipe(self) -> Recipe:
        """What decides its features."""
        return Recipe(self.preprocess, trunk=self.fingerprint, precision=self.precision, dtype=self.dtype.__name__)
