"""Activations inside a trunk, kept on the way to its features: whoever trains what lies after them finds them there.

The trunk with a second output costs no more than without it, and both outputs have been measured to have the bits that
they have alone. Since an engine promises nothing of the kind, that is looked at before anything is kept.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eyespot.data.store import Store
from eyespot.engine.gate import FEATURE_MAP, FEATURES
from eyespot.engine.run import Engine
from eyespot.features.stored import Result, Stored
from eyespot.features.trunk import Trunk


@dataclass(frozen=True)
class Tap:
    """Where a trunk is tapped, and where it goes."""

    trunk: Trunk
    through: Trunk
    """The same trunk, with the activations as a second output."""
    below: Trunk
    """As much of it as comes before them; they are kept as its features."""
    store: Store

    def has_room(self, views: int) -> bool:
        """Whether the store can keep the activations of this many views without losing much else."""
        row = self.through.engine.row_shapes[FEATURE_MAP]
        return self._stored.has_room(views * math.prod(row) * np.dtype(self.below.dtype).itemsize)

    @property
    def engine(self) -> Engine:
        return self.through.engine

    @cached_property
    def is_exact(self) -> bool:
        """True where both outputs have the same bits as the trunk and as what lies below, each by itself."""
        shape = (self.engine.batch, *self.trunk.preprocess.crop_hw, self.trunk.preprocess.channels)
        images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        both = self.engine.run(images)
        alone = {FEATURES: self.trunk, FEATURE_MAP: self.below}
        return all(np.array_equal(both[name], each.engine.run(images)[FEATURES]) for name, each in alone.items())

    @cached_property
    def _stored(self) -> Stored:
        """Under the keys of what lies below. A store that fails is reported by whoever keeps the features in it."""
        return Stored(self.store, self.below.recipe)

    def keeping(self, results: Iterable[Result]) -> Generator[Result, None, None]:
        """The same results, with their activations kept."""
        return self._stored.keeping(results, FEATURE_MAP)
