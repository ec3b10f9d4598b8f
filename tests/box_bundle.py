"""A detector whose answers a test can work out itself: in each square of the image, how strong each colour is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from eyespot.bundle.detector_manifest import DetectorManifest
from eyespot.bundle.files import sha256, write_detector
from eyespot.bundle.manifest import DataSummary, KnownPictures
from eyespot.evaluate.box_records import DetectionScores, Estimate
from eyespot.records import Network, Preprocess

CLASSES = ("red", "green", "blue")
HEIGHT, WIDTH, STRIDE = 64, 96, 32
DOWN, ACROSS = HEIGHT // STRIDE, WIDTH // STRIDE
THRESHOLD, IOU, MOST = 0.5, 0.6, 4
MARGIN = 4.0
"""Pixels of the image by which each box is larger than its square on every side."""


def write_box_bundle(
    folder: Path, *, name: str = "squares", weight: float = 1.0, threshold: float = THRESHOLD, measured: bool = False
) -> Path:
    """The folder, with a bundle in it.

    weight: of all scores; not a number makes a bundle that cannot answer.
    measured: whether it says how good it is.
    """
    graph = _graph(weight)
    channels = (0.0,) * 3
    manifest = DetectorManifest(
        name=name,
        created="2026-01-01T00:00:00+00:00",
        network=Network(name="squares"),
        strides=(STRIDE,),
        classes=CLASSES,
        preprocess=Preprocess(
            short_side=WIDTH,
            crop_hw=(HEIGHT, WIDTH),
            filter="bilinear",
            color="rgb",
            mean=channels,
            scale=(1.0,) * 3,
            fit="letterbox",
        ),
        precision="fp32",
        threshold=threshold,
        iou=IOU,
        most=MOST,
        validation=None,
        test=scores_of_nothing() if measured else None,
        data=DataSummary(name=name, fingerprint="0", trained_on=1, used=1, set_aside=0),
        seed=0,
        graph_sha256=sha256(graph),
        versions={},
        pictures=KnownPictures.of([]),
    )
    write_detector(folder, manifest, graph)
    return folder


def scores_of_nothing() -> DetectionScores:
    """Figures that somebody may have measured."""
    return DetectionScores(
        map50=Estimate(value=0.83, low=0.787, high=0.87),
        map50_95=Estimate(value=0.47, low=0.44, high=0.5),
        map75=0.5,
        pictures=72,
        boxes=967,
        threshold=THRESHOLD,
        precision=0.741,
        recall=0.822,
        f1=0.78,
        per_class=(),
        by_size=(),
        cells=(),
    )


def squares(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The boxes (6, 4) in pixels of the image and scores (6, 3) that such a detector finds in an image (64, 96, 3)."""
    boxes, scores = [], []
    for top in range(0, HEIGHT, STRIDE):
        for left in range(0, WIDTH, STRIDE):
            boxes.append([left - MARGIN, top - MARGIN, left + STRIDE + MARGIN, top + STRIDE + MARGIN])
            scores.append(image[top : top + STRIDE, left : left + STRIDE].mean(axis=(0, 1)) / 255)
    return np.array(boxes), np.array(scores)


def _graph(weight: float) -> bytes:
    boxes, _ = squares(np.zeros((HEIGHT, WIDTH, 3)))
    nodes = [
        helper.make_node("Cast", ["images"], ["values"], name="values", to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["values", "grid"], ["squares"], name="squares"),
        helper.make_node("ReduceMean", ["squares", "inside"], ["means"], name="means", keepdims=0),
        helper.make_node("Reshape", ["means", "rows"], ["colors"], name="colors"),
        helper.make_node("Mul", ["colors", "weight"], ["scores"], name="scores"),
        helper.make_node("ReduceMean", ["colors", "last"], ["gray"], name="gray", keepdims=1),
        helper.make_node("Mul", ["gray", "nothing"], ["still"], name="still"),
        helper.make_node("Add", ["still", "places"], ["boxes"], name="boxes"),
    ]
    numbers = {
        "grid": np.array([-1, DOWN, STRIDE, ACROSS, STRIDE, 3], np.int64),
        "inside": np.array([2, 4], np.int64),
        "rows": np.array([-1, DOWN * ACROSS, 3], np.int64),
        "weight": np.array(weight / 255, np.float32),
        "last": np.array([2], np.int64),
        "nothing": np.array(0, np.float32),
        "places": boxes[None].astype(np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", HEIGHT, WIDTH, 3])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", DOWN * ACROSS, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", DOWN * ACROSS, 3]),
        ],
        [onnx.numpy_helper.from_array(values, name) for name, values in numbers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())
