"""The key of a stored feature: everything that decides its numbers, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from eyespot.data.pictures import decoder_version
from eyespot.data.store_values import key_of
from eyespot.engine.run import engine_version
from eyespot.features.views import AnyView, Drawn
from eyespot.records import PrecisionName, Preprocess


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
        )

    def key(self, content: str, view: AnyView) -> str:
        """The key under which the features of one view of one picture are stored.

        content: the picture's content hash.
        """
        return f"{self._shared}-{content}-{view.key if isinstance(view, Drawn) else view}"
