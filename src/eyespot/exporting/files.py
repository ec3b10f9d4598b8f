"""A bundle as one ONNX file, or as OpenVINO's two, that take a decoded picture of any size."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Literal

import onnx

from eyespot.bundle.exported import FILE_KEY, WEIGHTS, WEIGHTS_KEY, metadata
from eyespot.bundle.files import AnyBundle, DetectorBundle, Naming, sha256
from eyespot.engine.last_map import with_last_map
from eyespot.engine.resize import with_resize
from eyespot.engine.run import openvino_core, save_openvino
from eyespot.engine.suppress import Suppression, with_suppression
from eyespot.vouched import NO_HASH_YET, with_hash

Format = Literal["onnx", "openvino", "web"]
PRODUCER = "eyespot"
_SECTION = "eyespot"
"""Of the XML's own remarks, `rt_info`."""


def onnx_file(bundle: AnyBundle) -> bytes:
    """The bundle's model as an ONNX file, from `picture`, uint8 (H, W, C). Its metadata hold the manifest.

    One that names classes gives `probabilities`, `features` and, where the features are the mean of the last feature
    map, that as `maps`. A detector gives `boxes`, `scores` and `labels`, suppressed, and those of all places.
    """
    graph = whole_detector(bundle) if isinstance(bundle, DetectorBundle) else whole_classifier(bundle)
    model = onnx.load_from_string(graph)
    model.producer_name = PRODUCER
    onnx.helper.set_model_props(model, metadata(bundle.manifest) | {FILE_KEY: NO_HASH_YET})
    return with_hash(model.SerializeToString(deterministic=True))


def openvino_files(bundle: AnyBundle) -> tuple[bytes, bytes]:
    """The same as OpenVINO's XML and its weights, in fp32."""
    return in_openvino_format(openvino_core().read_model(onnx_file(bundle)), bundle)


def whole_classifier(bundle: Naming) -> bytes:
    """The graph of `onnx_file`, without metadata."""
    return with_resize(with_last_map(bundle.graph) or bundle.graph, bundle.manifest.preprocess)


def whole_detector(bundle: DetectorBundle, *, threshold: float | None = None) -> bytes:
    """The same of a detector. threshold: least score of a box; None for the model's own."""
    manifest = bundle.manifest
    whole = with_resize(bundle.graph, manifest.preprocess)
    least = manifest.threshold if threshold is None else threshold
    suppression = Suppression(threshold=least, iou=manifest.iou, most=manifest.most)
    return with_suppression(whole, manifest.preprocess.crop_hw, suppression)


def in_openvino_format(model: Any, bundle: AnyBundle) -> tuple[bytes, bytes]:
    """An OpenVINO model as XML, with the bundle's manifest, the weights' hash and its own in it, and those weights."""
    for name, text in metadata(bundle.manifest).items():
        model.set_rt_info(text, [_SECTION, name])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        save_openvino(model, path)
        weights = path.with_suffix(WEIGHTS).read_bytes()
        model.set_rt_info(sha256(weights), [_SECTION, WEIGHTS_KEY])
        model.set_rt_info(NO_HASH_YET, [_SECTION, FILE_KEY])
        save_openvino(model, path)
        return with_hash(path.read_bytes()), weights
