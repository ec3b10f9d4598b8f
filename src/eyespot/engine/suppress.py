"""The last steps of a detector as a part of its graph, so that a model of whole pictures gives a few boxes in their
pixels: what `bundle.boxes.boxes_of` does with numpy.

Candidates are sorted before they are suppressed, so that a box's place among them tells how sure it is: equal scores
stay in the order of their places, in every engine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

from eyespot.engine.gate import ALL_BOXES, ALL_SCORES, BOXES, LABELS, MOST_CANDIDATES, SCORES
from eyespot.engine.graph_writer import GraphWriter
from eyespot.engine.sides import letterboxed_sides, sides_of_picture

_PREFIX = "suppress"
_NONE, _BELOW_ALL = -1.0, -0.5
"""The score of what is no candidate, and what lies between it and all that are some."""


@dataclass(frozen=True)
class Suppression:
    """Which boxes stay."""

    threshold: float
    """Least score."""
    iou: float
    """Of two boxes of a class that overlap by more, only the surer one."""
    most: int
    """For a picture."""


def with_suppression(graph: bytes, into_hw: tuple[int, int], suppression: Suppression) -> bytes:
    """The graph with `boxes` (K, 4) in pixels of the picture, `scores` (K,) and `labels` (K,), the surest first; those
    of all places, in pixels of the image, are `all_boxes` (1, L, 4) and `all_scores` (1, L, classes) now.

    graph: ONNX from `picture`, a letterbox inside, to `boxes` (1, L, 4) and `scores` (1, L, classes).
    into_hw: height and width of the image.
    """
    model = onnx.load_from_string(graph)
    _rename(model.graph, {BOXES: ALL_BOXES, SCORES: ALL_SCORES})
    places, classes = _sizes(model.graph)
    make = GraphWriter(_PREFIX)
    candidates = _candidates(make, places, classes, suppression.threshold)
    boxes = _in_picture(make, candidates.places, into_hw)
    kept = _kept(make, boxes, candidates, classes, suppression)
    for name, values in ((BOXES, boxes), (SCORES, candidates.scores), (LABELS, candidates.labels)):
        make.node("Gather", values, kept, output=name, axis=0)
    model.graph.node.extend(make.nodes)
    model.graph.initializer.extend(make.constants)
    outputs = [
        helper.make_tensor_value_info(BOXES, TensorProto.FLOAT, ["K", 4]),
        helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, ["K"]),
        helper.make_tensor_value_info(LABELS, TensorProto.INT64, ["K"]),
    ]
    everywhere = list(model.graph.output)
    del model.graph.output[:]
    model.graph.output.extend([*outputs, *everywhere])
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


@dataclass(frozen=True)
class _Candidates:
    """The surest k pairs of a place and a class, by the names of their values, each (k,)."""

    places: str
    labels: str
    scores: str
    """`_NONE` where it lies below the threshold."""
    count: int
    """k."""


def _candidates(make: GraphWriter, places: int, classes: int, threshold: float) -> _Candidates:
    count = min(MOST_CANDIDATES, places * classes)
    flat = make.node("Reshape", ALL_SCORES, make.whole([-1]))
    sure, numbers = make.both("TopK", flat, make.whole([count]), axis=0, largest=1, sorted=1)
    too_low = make.node("Greater", make.real(threshold), sure)
    return _Candidates(
        places=make.node("Div", numbers, make.whole(classes)),
        labels=make.rest(numbers, make.whole(classes)),
        scores=make.node("Where", too_low, make.real(_NONE), sure),
        count=count,
    )


def _in_picture(make: GraphWriter, places: str, into_hw: tuple[int, int]) -> str:
    """The boxes (k, 4) at some places, in pixels of the picture and inside it."""
    boxes = make.node("Gather", make.node("Squeeze", ALL_BOXES, make.whole([0])), places, axis=0)
    sides = sides_of_picture(make)
    resized = letterboxed_sides(make, *sides, into_hw)
    picture, shown = (
        make.node("Cast", _four(make, width, height), to=TensorProto.FLOAT) for height, width in (sides, resized)
    )
    moved = make.node("Mul", boxes, make.node("Div", picture, shown))
    return make.node("Max", make.node("Min", moved, picture), make.real(0))


def _four(make: GraphWriter, width: str, height: str) -> str:
    """(4,): width, height, width, height."""
    across, down = (make.node("Reshape", side, make.whole([1])) for side in (width, height))
    return make.node("Concat", across, down, across, down, axis=0)


def _kept(make: GraphWriter, boxes: str, candidates: _Candidates, classes: int, suppression: Suppression) -> str:
    """The numbers of the candidates that stay, the surest first."""
    count, most = candidates.count, min(suppression.most, candidates.count)
    of_class = make.node("Equal", candidates.labels, make.constant(np.arange(classes, dtype=np.int64)[:, None]))
    scores = make.node("Where", of_class, candidates.scores, make.real(_NONE))  # (classes, k)
    chosen = make.node(
        "NonMaxSuppression",
        make.node("Unsqueeze", boxes, make.whole([0])),
        make.node("Unsqueeze", scores, make.whole([0])),
        make.whole([count]),
        make.constant(np.array([suppression.iou], np.float32)),
        make.constant(np.array([_BELOW_ALL], np.float32)),
    )  # (K, 3): picture, class, candidate
    numbers = make.node("Gather", chosen, make.whole(2), axis=1)
    found = make.node("Min", make.node("Shape", numbers), make.whole([most]))
    filled = make.node("Concat", numbers, make.whole([count] * most), axis=0)  # so that there are `most` at least
    first, _ = make.both("TopK", filled, make.whole([most]), axis=0, largest=0, sorted=1)
    return make.node("Slice", first, make.whole([0]), found)


def _sizes(graph: onnx.GraphProto) -> tuple[int, int]:
    """Places and classes."""
    [scores] = [each for each in graph.output if each.name == ALL_SCORES]
    _, places, classes = (each.dim_value for each in scores.type.tensor_type.shape.dim)
    return places, classes


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    for node in graph.node:
        for listed in (node.input, node.output):
            for place, name in enumerate(listed):
                listed[place] = names.get(name, name)
    for output in graph.output:
        output.name = names.get(output.name, output.name)
