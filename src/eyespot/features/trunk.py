"""A frozen trunk on this machine: its graph, how pictures come to it, and the engine, compiled when first needed.

Its recipe gives each of its features a key: everything that decides its numbers, and nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from eyespot.data.pictures import decoder_version
from eyespot.data.store_values import key_of
from eyespot.engine.run import Engine, engine_version, usual_batch
from eyespot.engine.signature import only_signature, with_signature
from eyespot.features.views import AnyView, Drawn
from eyespot.records import Network, PrecisionName, Preprocess


@dataclass(frozen=True)
class Recipe:
    """What, beside the picture itself, decides its features; by default with this process's engine and decoder."""

    preprocess: Preprocess
    trunk: str
    """Fingerprint of the converted graph."""
    precision: PrecisionName
    engine: str = field(default_factory=engine_version)
    decoder: str = field(default_factory=decoder_version)
    dtype: str = "float32"
    """Of the features as they are kept, by numpy's name."""

    @cached_property
    def _shared(self) -> str:
        """What the keys of all pictures begin with."""
        return key_of(
            kind="features",
            preprocess=self.preprocess,
            trunk=self.trunk,
            precision=self.precision,
            engine=self.engine,
            decoder=self.decoder,
            dtype=self.dtype,
            batch=usual_batch(self.preprocess.crop_hw, self.precision),  # decides the kernels, and how they round
        )

    def key(self, content: str, view: AnyView) -> str:
        """The key under which the features of one view of one picture are stored.

        content: the picture's content hash.
        """
        return f"{self._shared}-{content}-{view.key if isinstance(view, Drawn) else view}"


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
    batch: int | None = None
    """Images that the engine takes at a time; None for the usual number."""
    signer: Trunk | None = None
    """Has the signature of an image as its features: it is computed, and kept, along with this trunk's own; None for
    none."""

    def __post_init__(self) -> None:
        if self.signer:  # else what this trunk computes would be kept as what the signer does
            assert self.signer.precision == self.precision
            assert self.signer.preprocess == self.preprocess

    def signed(self) -> Trunk:
        """The same with a signer."""
        graph = only_signature(self.graph, image_side=self._image_side)
        return replace(self, signer=replace(self, graph=graph, dtype=np.float16))

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the graph: of every weight, operator and normalisation in it."""
        return hashlib.blake2b(self.graph, digest_size=20).hexdigest()

    @property
    def whole_graph(self) -> bytes:
        """What the engine runs: the signature is computed along where there is a signer."""
        return with_signature(self.graph, image_side=self._image_side) if self.signer else self.graph

    @cached_property
    def engine(self) -> Engine:
        return Engine(
            self.whole_graph,
            image_hwc=(*self.preprocess.crop_hw, self.preprocess.channels),
            precision=self.precision,
            batch=self.batch,
            cache_folder=self.folder,
        )

    @cached_property
    def recipe(self) -> Recipe:
        """What decides its features."""
        return Recipe(self.preprocess, trunk=self.fingerprint, precision=self.precision, dtype=self.dtype.__name__)

    @property
    def _image_side(self) -> int:
        return min(self.preprocess.crop_hw)
