"""A frozen trunk on this machine: its graph, how pictures come to it, and the engine, compiled when first needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from eyespot import machine
from eyespot.data.audit import Hashed
from eyespot.data.store import Store
from eyespot.engine.run import Engine
from eyespot.features.embed import Embedded, embed, require_room_for
from eyespot.features.keys import Recipe, recipe
from eyespot.features.tap import Tap
from eyespot.features.views import AnyView
from eyespot.records import Network, PrecisionName, Preprocess
from eyespot.training.distributed import ALONE, World


class Trunk:
    """Everything of a network before its classifier, frozen, as a graph: pictures in, features out."""

    def __init__(
        self,
        graph: bytes,
        *,
        network: Network,
        preprocess: Preprocess,
        precision: PrecisionName,
        cache_folder: Path | None,
    ) -> None:
        """graph: ONNX from `images` uint8 (N, H, W, C) to `features` float32 (N, D)."""
        self.graph, self.network, self.preprocess, self.precision = graph, network, preprocess, precision
        self._cache_folder = cache_folder

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
            cache_folder=self._cache_folder,
        )

    def in_precision(self, precision: PrecisionName) -> Trunk:
        """The same trunk with other arithmetic."""
        return Trunk(
            self.graph,
            network=self.network,
            preprocess=self.preprocess,
            precision=precision,
            cache_folder=self._cache_folder,
        )

    def embed(
        self,
        hashed: Sequence[Hashed],
        *,
        views: Sequence[AnyView],
        store: Store | None,
        dtype: type[np.floating[Any]] = np.float32,
        tap: Tap | None = None,
        world: World = ALONE,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Embedded:
        """The features of every view of every picture that can be decoded; those in the store are not computed.

        tap: activations of this trunk that are kept on the way.
        world: the processes that share the work; every one gets all features.
        """
        return embed(
            hashed,
            views=views,
            recipe=self.recipe(dtype),
            store=store,
            engine=lambda: self.engine,
            threads=machine.cores(),
            folder=self._cache_folder,
            tap=tap,
            world=world,
            progress=progress,
        )

    def recipe(self, dtype: type[np.floating[Any]] = np.float32) -> Recipe:
        """What decides its features, kept as numbers of that kind."""
        return recipe(self.preprocess, trunk=self.fingerprint, precision=self.precision, dtype=dtype.__name__)

    def require_room(self, views: int, *, dtype: type[np.floating[Any]] = np.float32) -> None:
        """Returns where `embed` would have room for so many views, of all pictures together.

        Raises MachineError where they are too many for memory and for the disk.
        """
        require_room_for(views, self.engine.row_shapes["features"], dtype, folder=self._cache_folder)
