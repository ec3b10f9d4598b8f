"""Suppression inside a graph answers as numpy does, in ONNX Runtime and in OpenVINO."""

from __future__ import annotations

import numpy as np
import onnxruntime
import openvino
import pytest
from onnx import TensorProto, helper, numpy_helper

from eyespot.bundle.boxes import Cut, boxes_of
from eyespot.data.cropping import letterbox_size
from eyespot.data.framed import Framed
from eyespot.engine.gate import BOXES, LABELS, PICTURE, RESIZING_OPERATORS, SCORES, check_graph
from eyespot.engine.suppress import Suppression, with_suppression
from eyespot.evaluate.box_matches import Found

INTO_HW = (96, 128)
PICTURES_HW = [(96, 128), (300, 200), (1, 50), (4000, 37)]


def graph_of(boxes: np.ndarray, scores: np.ndarray, cut: Cut) -> bytes:
    """A detector that finds the same in every picture: boxes (L, 4), scores (L, classes)."""
    ports = [
        helper.make_tensor_value_info(PICTURE, TensorProto.UINT8, ["H", "W", 3]),
        helper.make_tensor_value_info(BOXES, TensorProto.FLOAT, [1, *boxes.shape]),
        helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, [1, *scores.shape]),
    ]
    constants = [numpy_helper.from_array(boxes[None], "b"), numpy_helper.from_array(scores[None], "s")]
    nodes = [helper.make_node("Identity", ["b"], [BOXES]), helper.make_node("Identity", ["s"], [SCORES])]
    graph = helper.make_graph(nodes, "graph", ports[:1], ports[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    suppression = Suppression(cut.threshold, cut.iou, cut.most)
    made = with_suppression(model.SerializeToString(), INTO_HW, suppression)
    check_graph(made, operators=RESIZING_OPERATORS)
    return made


def in_onnx_runtime(graph: bytes, picture: np.ndarray) -> Found:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return Found(*session.run([BOXES, SCORES, LABELS], {PICTURE: picture}))


def in_openvino(graph: bytes, picture: np.ndarray) -> Found:
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled([picture])
    return Found(*(results[name] for name in (BOXES, SCORES, LABELS)))


def dense(seed: int, places: int, classes: int, *, levels: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Boxes that overlap much, some of them outside of the image; scores of few `levels` are often equal."""
    random = np.random.default_rng(seed)
    corners = random.uniform(-10, 120, (places, 2)).round(1)
    boxes = np.concatenate([corners, corners + random.uniform(0, 40, (places, 2)).round(1)], axis=1)
    scores = random.uniform(0, 1, (places, classes))
    return boxes.astype(np.float32), (scores if levels is None else (scores * levels).round() / levels).astype(
        np.float32
    )


@pytest.mark.parametrize("engine", [in_onnx_runtime, in_openvino])
@pytest.mark.parametrize(
    ("places", "classes", "levels", "cut"),
    [
        (400, 3, None, Cut(0.3, 0.6, 100)),
        (1500, 3, None, Cut(0.0, 0.9, 300)),
        (1500, 3, 20, Cut(0.05, 0.5, 5000)),
        (700, 1, 4, Cut(0.5, 0.7, 50)),
        (40, 80, 10, Cut(0.1, 0.0, 1)),
        (5, 2, None, Cut(1.0, 0.5, 100)),
        (900, 2, 1, Cut(1.0, 1.0, 100)),
    ],
)
def test_dense_boxes_are_suppressed_as_numpy_does_it(engine, places, classes, levels, cut):
    for seed, (height, width) in enumerate(PICTURES_HW):
        boxes, scores = dense(seed, places, classes, levels=levels)
        picture = np.zeros((height, width, 3), np.uint8)
        shown = letterbox_size(width, height, INTO_HW)[::-1]
        wanted = boxes_of(Framed(picture, (height, width), shown), boxes, scores, cut)
        found = engine(graph_of(boxes, scores, cut), picture)
        np.testing.assert_array_equal(found.labels, wanted.labels)
        np.testing.assert_array_equal(found.scores, wanted.scores)
        np.testing.assert_allclose(found.xyxy, wanted.xyxy, rtol=1e-6)
