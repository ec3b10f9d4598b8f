"""What a heat map needs of a graph: its last feature map, as one more output, and the linear head after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from eyespot.engine.gate import FEATURES, PROBABILITIES

MAPS = "maps"
"""The output with the last feature map, float32 (N, C, h, w)."""

_ONLY_RESHAPING = frozenset({"Flatten", "Reshape", "Squeeze", "Identity"})
_SPATIAL = ({2, 3}, {-2, -1})


@dataclass(frozen=True)
class LinearHead:
    """What comes after the features where that is one dense layer: its scores are features @ weight.T + bias.

    The probabilities are the softmax of the scores, divided by the temperature.
    """

    weight: NDArray[np.float32]
    """(classes, C)."""
    bias: NDArray[np.float32]
    """(classes,)."""


def with_last_map(graph: bytes) -> bytes | None:
    """The graph with one more output, `maps`: the last feature map, of which `features` is the mean over all places.

    graph: an ONNX model with an output `features`, float32 (N, C).
    None where the features are no such mean, as in LeNet-5, AlexNet and VGG.
    """
    model = onnx.load_from_string(graph)
    averaged = _averaged(_Nodes(model.graph))
    if averaged is None:
        return None
    model.graph.node.append(helper.make_node("Identity", [averaged], [MAPS], name=MAPS))
    channels = next(each for each in model.graph.output if each.name == FEATURES).type.tensor_type.shape.dim[1]
    shape = ["N", channels.dim_value, "h", "w"]
    model.graph.output.append(helper.make_tensor_value_info(MAPS, TensorProto.FLOAT, shape))
    return bytes(model.SerializeToString(deterministic=True))


def linear_head(graph: bytes) -> LinearHead | None:
    """The head after the features; None where it is not exactly one dense layer, with softmax or sigmoid after it.

    Of a model of several labels each has its own sigmoid. A sigmoid of the score s of the second of two classes is the
    softmax of -s / 2 and s / 2, and is given as that.
    """
    nodes = _Nodes(onnx.load_from_string(graph).graph)
    second = _sigmoid(nodes)
    score = second or nodes.maker_of(PROBABILITIES, "Softmax") or nodes.maker_of(PROBABILITIES, "Sigmoid")
    if score is None:
        return None
    divided = nodes.maker_of(score.input[0], "Div")
    dense = nodes.maker_of(divided.input[0] if divided else score.input[0], "Gemm")
    if dense is None or dense.input[0] != FEATURES:
        return None
    weight, bias = (nodes.tensor(name) for name in dense.input[1:3])
    if weight is None or bias is None or not _is_plain(dense):
        return None
    if second:
        weight, bias = (np.concatenate([-half, half]) for half in (weight / 2, bias / 2))
    return LinearHead(weight, bias)


class _Nodes:
    """A graph's nodes and constant tensors, by the names of what they give."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._maker = {name: node for node in graph.node for name in node.output}
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}

    def maker(self, name: str) -> onnx.NodeProto | None:
        """The node that gives this tensor; None for the graph's input and for constants."""
        return self._maker.get(name)

    def maker_of(self, name: str, operator: str) -> onnx.NodeProto | None:
        """The same where it is this operator."""
        node = self.maker(name)
        return node if node is not None and node.op_type == operator else None

    def tensor(self, name: str) -> NDArray[np.float32] | None:
        """The constant of that name; None where it is computed."""
        constant = self.maker_of(name, "Constant")
        found = constant.attribute[0].t if constant is not None else self._tensors.get(name)
        return None if found is None else np.asarray(numpy_helper.to_array(found))


def _averaged(nodes: _Nodes) -> str | None:
    """The tensor whose mean over all places the features are."""
    node = nodes.maker(FEATURES)
    while node is not None and node.op_type in _ONLY_RESHAPING:
        node = nodes.maker(node.input[0])
    if node is None:
        return None
    is_mean = node.op_type == "GlobalAveragePool" or (node.op_type == "ReduceMean" and _axes(node, nodes) in _SPATIAL)
    return str(node.input[0]) if is_mean else None


def _axes(node: onnx.NodeProto, nodes: _Nodes) -> set[int]:
    """The axes that are averaged over; from opset 18 on they are an input."""
    if len(node.input) > 1:
        found = nodes.tensor(node.input[1])
        return set() if found is None else set(map(int, found.ravel()))
    return {int(axis) for each in node.attribute if each.name == "axes" for axis in each.ints}


def _sigmoid(nodes: _Nodes) -> onnx.NodeProto | None:
    """The sigmoid that gives the second of two probabilities, as `attach_head` writes it."""
    joined = nodes.maker_of(PROBABILITIES, "Concat")
    return nodes.maker_of(joined.input[1], "Sigmoid") if joined is not None and len(joined.input) == 2 else None


def _is_plain(dense: onnx.NodeProto) -> bool:
    """True where it is x @ weight.T + bias, as everything that eyespot writes."""
    given = {each.name: helper.get_attribute_value(each) for each in dense.attribute}
    factors: Sequence[float] = (given.pop("alpha", 1.0), given.pop("beta", 1.0))
    return given in ({"transB": 1}, {"transA": 0, "transB": 1}) and tuple(factors) == (1.0, 1.0)
