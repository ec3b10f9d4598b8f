"""A bundle as it is served: its graph ready for many threads at once, its names ready to be sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from eyespot.bundle.files import Bundle
from eyespot.bundle.manifest import Manifest
from eyespot.bundle.many_threads import Answering
from eyespot.bundle.run import require_distribution
from eyespot.evaluate.verdict import accuracy_sentence, most_trusted_first, overall
from eyespot.recipes.explain import Explainer
from eyespot.records import PartMetrics, Preprocess

FINGERPRINT_DIGITS = 12
DRAWN_SIDE = 64
"""Gray pictures up to this side, pixels, are such as a person can draw."""
SAMPLE = "digits"
"""The embedded digits fill their pictures, and so must drawings; those of MNIST have a margin."""


@dataclass(frozen=True, eq=False)
class Served:
    """One bundle at work. A request keeps the one it began with, whatever is served when it ends."""

    bundle: Bundle
    answering: Answering
    fingerprint: str
    classes_json: tuple[str, ...]
    """Each class's name, as JSON."""
    explain: Explainer | None

    @classmethod
    def of(cls, bundle: Bundle, answering: Answering, explain: Explainer | None = None) -> Served:
        """The bundle, once it has answered.

        Raises BundleError unless its answer to a black image is a distribution over the classes.
        """
        preprocess = bundle.manifest.preprocess
        black = np.zeros((1, *preprocess.crop_hw, preprocess.channels), np.uint8)
        require_distribution(answering.answer(black, alone=True)[0], bundle)
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
        """What `GET /model` says of the bundle."""
        manifest = self.bundle.manifest
        side = max(manifest.preprocess.crop_hw)
        return {
            "classes": manifest.classes,
            "network": manifest.network.name,
            "regime": manifest.regime,
            "side": side,
            "color": manifest.preprocess.color,
            "draws": manifest.preprocess.color == "gray" and side <= DRAWN_SIDE,
            "framing": "filling" if manifest.data.name == SAMPLE else "mnist",
            "validation": _metric(manifest.validation),
            "test": _metric(manifest.test),
            "small_test": _metric(manifest.small_test),
            "out_of_fold": manifest.out_of_fold and manifest.out_of_fold.model_dump(),
            "measured": _measured(manifest),
            "heat_map": self.explain is not None,
            "similar": self.explain is not None and self.explain.similar,
            "fingerprint": self.fingerprint,
        }


def _measured(manifest: Manifest) -> dict[str, Any] | None:
    """The accuracy that the report begins with, and its sentence."""
    for measured, found in most_trusted_first(manifest):
        metric = overall(found)
        return {"part": measured, **metric.model_dump(), "sentence": accuracy_sentence(metric, measured)}
    return None


def _metric(part: PartMetrics | None) -> dict[str, Any] | None:
    return None if part is None else part.overall.model_dump()
