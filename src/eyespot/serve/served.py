"""A bundle as it is served: its graph ready for many threads at once, its names ready to be sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from eyespot.bundle.answering import Answering
from eyespot.bundle.files import Bundle
from eyespot.errors import BundleError
from eyespot.records import PartMetrics, Preprocess

FINGERPRINT_DIGITS = 12
DRAWN_SIDE = 64
"""Grey pictures up to this side, pixels, are such as a person can draw."""
CERTAIN = 1e-3
"""How far the probabilities of one image may be from a sum of one."""


class Explain(Protocol):
    """Says why a bundle answers as it does. Called from one thread at a time; may take long."""

    @property
    def has_similar(self) -> bool:
        """True where it knows training pictures."""

    def heat_map(self, data: bytes, class_: str | None) -> dict[str, Any]:
        """The entry `heat_map` of the picture's answer."""

    def similar(self, data: bytes, n: int) -> list[dict[str, Any]]:
        """The entry `similar`: that many training pictures, the nearest first."""


@dataclass(frozen=True, eq=False)
class Served:
    """One bundle at work. A request keeps the one it began with, whatever is served when it ends."""

    bundle: Bundle
    answering: Answering
    fingerprint: str
    classes_json: tuple[str, ...]
    """Each class's name, as JSON."""
    explain: Explain | None

    @classmethod
    def of(cls, bundle: Bundle, answering: Answering, explain: Explain | None = None) -> Served:
        """The bundle, once it has answered. Raises BundleError where its answer is none."""
        require_answers(bundle, answering)
        return cls(
            bundle=bundle,
            answering=answering,
            fingerprint=bundle.manifest.graph_sha256[:FINGERPRINT_DIGITS],
            classes_json=tuple(json.dumps(name) for name in bundle.manifest.classes),
            explain=explain,
        )

    @property
    def classes(self) -> tuple[str, ...]:
        return self.bundle.manifest.classes

    @property
    def preprocess(self) -> Preprocess:
        return self.bundle.manifest.preprocess

    def described(self) -> dict[str, Any]:
        """What `GET /model` says of the bundle alone."""
        manifest = self.bundle.manifest
        side = max(manifest.preprocess.crop_hw)
        return {
            "classes": manifest.classes,
            "network": manifest.network.name,
            "regime": manifest.regime,
            "side": side,
            "color": manifest.preprocess.color,
            "draws": manifest.preprocess.color == "gray" and side <= DRAWN_SIDE,
            "validation": _metric(manifest.validation),
            "test": _metric(manifest.test),
            "heat_map": self.explain is not None,
            "similar": self.explain is not None and self.explain.has_similar,
            "fingerprint": self.fingerprint,
        }


def require_answers(bundle: Bundle, answering: Answering) -> None:
    """Raises BundleError where the graph's answer to a black image is no distribution over the classes."""
    preprocess = bundle.manifest.preprocess
    [answer] = answering.answer(np.zeros((1, *preprocess.crop_hw, preprocess.channels), np.uint8), alone=True)
    if not (np.isfinite(answer).all() and abs(float(answer.sum()) - 1) < CERTAIN):
        raise BundleError(f"the model in {bundle.folder} is damaged: its probabilities do not sum to one")


def _metric(part: PartMetrics | None) -> dict[str, Any] | None:
    return None if part is None else part.overall.model_dump()
