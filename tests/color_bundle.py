"""A bundle whose answers a test can work out itself: the class of a picture is its strongest colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from eyespot.bundle.files import sha256, write_bundle
from eyespot.bundle.manifest import DataSummary, KnownPictures, Manifest
from eyespot.engine.attach import attach_head
from eyespot.evaluate.promises import Promise, Unknown
from eyespot.records import Network, Precision, Preprocess

CLASSES = ("red", "green", "blue")
SIDE = 32
SHARPNESS = 8.0
LEAST = {0.1: 0.9, 0.05: 0.8, 0.02: 0.58}
"""The likeness below which a picture is refused, by the share of known ones that may be; nothing is known of 0.01."""
LEAST_IN_SET = {0.8: 0.6, 0.9: 0.3, 0.95: 0.1}


def write_color_bundle(
    folder: Path,
    *,
    name: str = "colors",
    sharpness: float = SHARPNESS,
    gray: bool = False,
    weight: float = 1.0,
    refuses: bool = False,
) -> Path:
    """The folder, with a bundle in it.

    sharpness: how sure the answers are; two bundles with different ones answer differently.
    weight: of the red channel; not a number makes a bundle that cannot answer.
    refuses: what is less like a pure color than LEAST is none of them: grey is like each by 1 / sqrt(3).
    """
    channels = 1 if gray else 3
    scale = np.eye(3, channels) * sharpness / 255 * np.array([[weight if np.isfinite(weight) else 1], [1], [1]])
    graph = attach_head(_mean_color(channels), [(scale, np.zeros(3))], means=np.eye(3) if refuses else None)
    if not np.isfinite(weight):
        graph = _spoiled(graph, weight)
    preprocess = Preprocess(
        short_side=SIDE,
        crop_hw=(SIDE, SIDE),
        filter="bilinear",
        color="gray" if gray else "rgb",
        mean=(0.0,) * channels,
        scale=(1.0,) * channels,
    )
    manifest = Manifest(
        name=name,
        created="2026-01-01T00:00:00+00:00",
        network=Network(name="colors"),
        regime="scratch",
        classes=CLASSES,
        preprocess=preprocess,
        precision=Precision(name="fp32", agreement=None, largest_difference=None, n=0),
        temperature=1.0,
        calibration=None,
        validation=None,
        test=None,
        out_of_fold=None,
        data=DataSummary(name=name, fingerprint="0", trained_on=1, used=1, set_aside=0),
        seed=0,
        graph_sha256=sha256(graph),
        versions={},
        pictures=KnownPictures.of([]),
        unknown=Unknown(refusing=_kept(LEAST), fitted_on="colors", n=60) if refuses else None,
        sets=_kept(LEAST_IN_SET) if refuses else (),
    )
    write_bundle(folder, manifest, graph)
    return folder


def _kept(least: dict[float, float]) -> tuple[Promise, ...]:
    return tuple(Promise(share=share, least=score) for share, score in least.items())


def color_probabilities(image: np.ndarray, *, sharpness: float = SHARPNESS) -> np.ndarray:
    """What such a bundle answers to an image (H, W, 3), by numpy: (3,)."""
    logits = image.astype(np.float64).mean(axis=(0, 1)) / 255 * sharpness
    return np.exp(logits) / np.exp(logits).sum()


def _spoiled(graph: bytes, weight: float) -> bytes:
    """The graph with that in place of the head's first weight, which `attach_head` refuses."""
    model = onnx.load_from_string(graph)
    [tensor] = (each for each in model.graph.initializer if each.name == "classifier.fc1.weight")
    values = numpy_helper.to_array(tensor).copy()
    values.flat[0] = weight
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return bytes(model.SerializeToString())


def _mean_color(channels: int) -> bytes:
    """A trunk whose features are the mean of each channel."""
    nodes = [
        helper.make_node("Cast", ["images"], ["values"], name="values", to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["values", "places"], ["features"], name="features", keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "colors",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", SIDE, SIDE, channels])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", channels])],
        [helper.make_tensor("places", TensorProto.INT64, [2], np.array([1, 2], np.int64).tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())
