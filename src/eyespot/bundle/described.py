"""What a page says of a model: what it knows, what it looks at, how good it is. Both the served page and the exported
one show it."""

from __future__ import annotations

from typing import Any

from eyespot.bundle.detector_manifest import DetectorManifest
from eyespot.bundle.manifest import Manifest
from eyespot.bundle.multilabel_manifest import MultilabelManifest
from eyespot.evaluate.box_records import DetectionScores
from eyespot.evaluate.verdict import accuracy_sentence, most_trusted_first, overall, percent
from eyespot.palette import as_hex, color_of
from eyespot.records import PartMetrics
from eyespot.words import counted

FINGERPRINT_DIGITS = 12
DRAWN_SIDE = 64
"""Gray pictures up to this side, pixels, are such as a person can draw."""
SAMPLE = "digits"
"""The embedded digits fill their pictures, and so must drawings; those of MNIST have a margin."""


def fingerprint_of(manifest: Manifest | DetectorManifest | MultilabelManifest) -> str:
    """The first digits of the graph's hash."""
    return manifest.graph_sha256[:FINGERPRINT_DIGITS]


def described(manifest: Manifest | DetectorManifest) -> dict[str, Any]:
    """What `GET /model` says of a bundle, by its manifest; all of it JSON."""
    return _detector(manifest) if isinstance(manifest, DetectorManifest) else _classifier(manifest)


def _classifier(manifest: Manifest) -> dict[str, Any]:
    side = max(manifest.preprocess.crop_hw)
    return {
        "task": manifest.task,
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
        "unknown": manifest.unknown and manifest.unknown.model_dump(mode="json"),
        "sets": [each.model_dump() for each in manifest.sets],
        "fingerprint": fingerprint_of(manifest),
    }


def _detector(manifest: DetectorManifest) -> dict[str, Any]:
    height, width = manifest.preprocess.crop_hw
    return {
        "task": manifest.task,
        "classes": manifest.classes,
        "colors": [as_hex(color_of(label)) for label in range(len(manifest.classes))],
        "network": manifest.network.name,
        "width": width,
        "height": height,
        "color": manifest.preprocess.color,
        "threshold": manifest.threshold,
        "iou": manifest.iou,
        "max_boxes": manifest.most,
        "validation": manifest.validation and _figures(manifest.validation),
        "test": manifest.test and _figures(manifest.test),
        "measured": _measured_boxes(manifest),
        "fingerprint": fingerprint_of(manifest),
    }


def _measured(manifest: Manifest) -> dict[str, Any] | None:
    """The accuracy that the report begins with, and its sentence."""
    for measured, found in most_trusted_first(manifest):
        metric = overall(found)
        return {"part": measured, **metric.model_dump(), "sentence": accuracy_sentence(metric, measured)}
    return None


def _metric(part: PartMetrics | None) -> dict[str, Any] | None:
    return None if part is None else part.overall.model_dump()


def _measured_boxes(manifest: DetectorManifest) -> dict[str, Any] | None:
    """The figure that counts most, and its sentence."""
    for part, scores in (("test", manifest.test), ("validation", manifest.validation)):
        if scores is not None:
            return {"part": part, **_figures(scores), "sentence": _sentence(scores, part)}
    return None


def _figures(scores: DetectionScores) -> dict[str, Any]:
    return scores.model_dump(include={"map50", "map50_95", "precision", "recall", "pictures", "boxes"})


def _sentence(scores: DetectionScores, part: str) -> str:
    """How well boxes are found, and in which pictures."""
    unseen = "which it had never seen" if part == "test" else "which it did not train on"
    pictures = f"{counted(scores.pictures, f'{part} picture')} with {counted(scores.boxes, 'box', 'boxes')}"
    ideal = "where 1 would be every box found and none made up"
    told = f"Measured on {pictures}, {unseen}: mAP50 {scores.map50.value:.3f}, {ideal}."
    if scores.precision is None or scores.recall is None:
        return told
    return (
        f"{told} From the threshold of {scores.threshold:.2f} on it finds {percent(scores.recall)} of the boxes, and "
        f"{percent(scores.precision)} of what it finds is right."
    )
