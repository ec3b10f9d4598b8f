"""Whether a bundle's manifest speaks of the images and answers that its graph has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.bundle.manifest import Manifest
from eyespot.engine.gate import BOXES, FLOAT, INPUT, LIKENESS, PROBABILITIES, SCORES, UINT8, Port, Ports
from eyespot.errors import BundleError

if TYPE_CHECKING:
    from eyespot.bundle.detector_manifest import DetectorManifest
    from eyespot.bundle.multilabel_manifest import MultilabelManifest

    AnyManifest = Manifest | DetectorManifest | MultilabelManifest


def require_images(folder: Path, manifest: AnyManifest, ports: Ports) -> None:
    """Raises BundleError if the manifest speaks of other images than the graph."""
    preprocess = manifest.preprocess
    images = Port(UINT8, (None, *preprocess.crop_hw, preprocess.channels))
    if ports.inputs != {INPUT: images}:
        raise BundleError(
            f"the model in {folder} is damaged: its manifest has images of shape {_shape(images)}, its graph takes "
            f"{_named(ports.inputs)}: copy the bundle again, whole"
        )


def require_answers(folder: Path, manifest: Manifest | MultilabelManifest, ports: Ports) -> None:
    """Raises BundleError if the manifest speaks of other classes than the graph, or of a likeness that it has not."""
    if ports.outputs.get(PROBABILITIES) != Port(FLOAT, (None, len(manifest.classes))):
        raise BundleError(
            f"the model in {folder} is damaged: its manifest names {len(manifest.classes)} classes, its graph gives "
            f"{_named(ports.outputs)}: copy the bundle again, whole"
        )
    if manifest.unknown is not None and ports.outputs.get(LIKENESS) != Port(FLOAT, (None,)):
        raise BundleError(
            f"the model in {folder} is damaged: its manifest says which likeness is refused, its graph gives "
            f"{_named(ports.outputs)}: copy the bundle again, whole"
        )


def require_boxes(folder: Path, manifest: DetectorManifest, ports: Ports) -> None:
    """Raises BundleError if the graph gives no boxes and scores of the manifest's classes at its places."""
    height, width = manifest.preprocess.crop_hw
    places = sum((height // stride) * (width // stride) for stride in manifest.strides)
    wanted = {BOXES: Port(FLOAT, (None, places, 4)), SCORES: Port(FLOAT, (None, places, len(manifest.classes)))}
    if {name: ports.outputs.get(name) for name in wanted} != wanted:
        raise BundleError(
            f"the model in {folder} is damaged: its manifest names {len(manifest.classes)} classes and {places} places "
            f"where boxes are looked for, its graph gives {_named(ports.outputs)}: copy the bundle again, whole"
        )


def _named(ports: dict[str, Port]) -> str:
    names = [f"{name[:40]!r} of shape {_shape(port)}" for name, port in ports.items()]
    return ", ".join(names[:3]) or "nothing"


def _shape(port: Port) -> str:
    return f"({', '.join('N' if length is None else str(length) for length in port.shape[:8])})"
