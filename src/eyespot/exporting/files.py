"""A bundle as one ONNX file, or as OpenVINO's two, that take a decoded picture of any size."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import onnx

from eyespot.bundle.exported import CONTENT_KEY, WEIGHTS, WEIGHTS_KEY, metadata
from eyespot.bundle.files import Bundle, sha256
from eyespot.engine.last_map import with_last_map
from eyespot.engine.resize import with_resize
from eyespot.engine.run import openvino_core, save_openvino

PRODUCER = "eyespot"
_SECTION = "eyespot"
"""Of the XML's own remarks, `rt_info`."""


def onnx_file(bundle: Bundle) -> bytes:
    """The bundle's model as an ONNX file: `picture`, uint8 (H, W, C), to `probabilities`, `features` and `maps`.

    `maps`, the last feature map, is there where the features are its mean. Its metadata hold the manifest.
    """
    with_maps = with_last_map(bundle.graph)
    model = onnx.load_from_string(with_resize(with_maps or bundle.graph, bundle.manifest.preprocess))
    model.producer_name = PRODUCER
    graph = model.graph.SerializeToString(deterministic=True)
    onnx.helper.set_model_props(model, metadata(bundle.manifest) | {CONTENT_KEY: sha256(graph)})
    return bytes(model.SerializeToString(deterministic=True))


def openvino_files(bundle: Bundle) -> tuple[bytes, bytes]:
    """The same as OpenVINO's XML and its weights, in fp32."""
    return in_openvino_format(openvino_core().read_model(onnx_file(bundle)), bundle)


def in_openvino_format(model: Any, bundle: Bundle) -> tuple[bytes, bytes]:
    """An OpenVINO model as XML, with the bundle's manifest and the weights' hash in it, and those weights."""
    for name, text in metadata(bundle.manifest).items():
        model.set_rt_info(text, [_SECTION, name])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        save_openvino(model, path)
        weights = path.with_suffix(WEIGHTS).read_bytes()
        model.set_rt_info(sha256(weights), [_SECTION, WEIGHTS_KEY])
        save_openvino(model, path)
        return path.read_bytes(), weights
