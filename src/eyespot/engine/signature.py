"""A picture's signature: what it looks like and where, in few numbers, by which near-copies are found.

It is the map after the last stage with a 16th of the image's side, pooled to 4 x 4 places; of EfficientNet-Lite0 that
is stage 5 and gives 112 x 4 x 4 numbers. It comes out of the same pass as the features. The map itself is no tensor
that an engine leaves alone: told to hand it out, OpenVINO computes all that follows with other roundings in bf16. What
the next 1 x 1 convolution makes of it is one, before its activation. Pooling and convolution can be exchanged, so its
pooled output is multiplied by the pseudo-inverse of its weights, and that is the pooled map again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from eyespot.engine.gate import FEATURES, SIGNATURE

PLACES = 4
"""On each side: enough to say where, few enough that a small shift changes little."""
SCALE = 16
"""Of the image's side to the map's."""
_PREFIX = "signature."


def with_signature(graph: bytes, *, image_side: int) -> bytes:
    """The graph with one more output, `signature`, float32 (N, C, 4, 4). The others keep every bit.

    graph: an ONNX model that has a `signed_layer`. image_side: of the images it takes, pixels.
    """
    model = onnx.load_from_string(graph)
    _add(model, SIGNATURE, image_side)
    return bytes(model.SerializeToString(deterministic=True))


def only_signature(graph: bytes, *, image_side: int) -> bytes:
    """As much of the graph as the signature needs, which is its only output, called `features`."""
    model = onnx.load_from_string(graph)
    _add(model, SIGNATURE, image_side)
    _prune(model.graph, SIGNATURE)
    model.graph.node[-1].output[0] = model.graph.output[0].name = FEATURES
    return bytes(model.SerializeToString(deterministic=True))


def _add(model: onnx.ModelProto, output: str, image_side: int) -> None:
    graph = model.graph
    layer = _Expansion.last_at_scale(graph)
    weight, bias = layer.undone()
    side = -(-image_side // SCALE)
    stride = max(1, round(side * 3 / 14))
    size = side - (PLACES - 1) * stride
    assert size >= 1, f"images of {image_side} px have no signature"
    for array, name in ((weight[:, :, None, None], "weight"), (bias, "bias")):
        graph.initializer.append(numpy_helper.from_array(array.astype(np.float32), _PREFIX + name))
    pooled = _PREFIX + "pooled"
    pool = helper.make_node("AveragePool", [layer.output], [pooled], name=pooled)
    pool.attribute.extend(
        helper.make_attribute(name, [value] * 2) for name, value in (("kernel_shape", size), ("strides", stride))
    )
    graph.node.append(pool)
    inputs = [pooled, _PREFIX + "weight", _PREFIX + "bias"]
    graph.node.append(helper.make_node("Conv", inputs, [output], name=output))
    shape: list[str | int | None] = ["N", len(bias), PLACES, PLACES]
    graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, shape))


@dataclass(frozen=True)
class _Expansion:
    """A 1 x 1 convolution to more channels, and its norm."""

    weight: NDArray[np.float64]
    """(outputs, inputs)."""
    norm: tuple[NDArray[np.float64], ...]
    """Scale, bias, mean and variance, each (outputs,)."""
    epsilon: float
    output: str
    """The tensor that comes out of the norm."""

    @classmethod
    def last_at_scale(cls, graph: onnx.GraphProto) -> _Expansion:
        """The last one before the maps get smaller than a 16th of the image's side."""
        tensors = {each.name: each for each in graph.initializer}
        followers = {name: node for node in graph.node if node.op_type == "BatchNormalization" for name in node.input}
        found, scale = None, 1
        for node in graph.node:
            if node.op_type != "Conv":
                continue
            said = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            scale *= max(said.get("strides", [1]))
            if scale > SCALE:
                break
            outputs, inputs, *size = tensors[node.input[1]].dims
            if scale == SCALE and size == [1, 1] and outputs > inputs:
                found = node
        assert found is not None, "the network has no expansion at a 16th of its images' side"
        norm = followers[found.output[0]]
        arrays = [numpy_helper.to_array(tensors[name]).astype(np.float64) for name in norm.input[1:5]]
        epsilon = next((each.f for each in norm.attribute if each.name == "epsilon"), 1e-5)
        weight = numpy_helper.to_array(tensors[found.input[1]])[:, :, 0, 0].astype(np.float64)
        return cls(weight, tuple(arrays), epsilon, norm.output[0])

    def undone(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weight (inputs, outputs) and bias (inputs,) of the convolution that gives its input of its output."""
        scale, bias, mean, variance = self.norm
        factor = scale / np.sqrt(variance + self.epsilon)
        inverse = np.asarray(np.linalg.pinv(self.weight * factor[:, None]), np.float64)  # (inputs, outputs)
        return inverse, -inverse @ (bias - mean * factor)


def _prune(graph: onnx.GraphProto, output: str) -> None:
    """Leaves out what this output does not need."""
    outputs = [each for each in graph.output if each.name == output]
    needed, kept = {output}, []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    tensors = [each for each in graph.initializer if each.name in needed]
    del graph.node[:], graph.initializer[:], graph.output[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(tensors)
    graph.output.extend(outputs)
