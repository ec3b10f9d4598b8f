"""The weights that a graph holds, by name, and the arithmetic it does, read without running it and without torch."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx
from onnx import numpy_helper, shape_inference

from eyespot.errors import BundleError

_TRUNK, _CLASSIFIER = "net.", "classifier.fc"


def trunk_weights(graph: bytes) -> dict[str, np.ndarray]:
    """The tensors of a graph's network by the names they have in its chain, without those of its head."""
    return {name.removeprefix(_TRUNK): tensor for name, tensor in _tensors(graph).items() if name.startswith(_TRUNK)}


def head_weights(graph: bytes) -> dict[str, np.ndarray]:
    """The tensors of a graph's head: `classifier.fc1.weight` (out, in), `classifier.fc1.bias` (out,), ..."""
    return {name: tensor for name, tensor in _tensors(graph).items() if name.startswith(_CLASSIFIER)}


def dense_layers(graph: bytes) -> list[tuple[int, int]]:
    """(inputs, outputs) of each dense layer of a graph's head, in order. Raises BundleError where it has none."""
    model = onnx.load_from_string(graph)
    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    weights = [name for node in model.graph.node for name in node.input[1:2] if name.startswith(_CLASSIFIER)]
    if not weights:
        raise BundleError("the graph has no head: it was not written by `eyespot train`")
    return [(shapes[name][1], shapes[name][0]) for name in weights]


def first_kernels(graph: bytes) -> tuple[str, np.ndarray]:
    """The name of a graph's first convolution and its kernels (out, in, H, W). Raises BundleError where it has none."""
    model = onnx.load_from_string(graph)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[1] in tensors:
            name = node.input[1]
            stage = name.removeprefix(_TRUNK).removesuffix(".weight")
            kernels = np.asarray(numpy_helper.to_array(tensors[name]), np.float32)
            if not np.isfinite(kernels).all():
                raise BundleError("the model is damaged: some of its kernels are no numbers; copy it again, whole")
            return stage, kernels
    raise BundleError("the graph has no convolution whose kernels could be shown")


def multiply_adds(graph: bytes) -> int:
    """Multiply-adds of one image's convolutions and dense layers; all else is less than a hundredth of them.

    Raises BundleError where the sizes of the graph's tensors do not follow from its input.
    """
    model = onnx.load_from_string(graph)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    inferred = shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in inferred.initializer}
    for value in (*inferred.input, *inferred.output, *inferred.value_info):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(each.HasField("dim_value") for each in tensor.shape.dim):
            shapes[value.name] = tuple(each.dim_value for each in tensor.shape.dim)
    try:
        return sum(_of_node(node, shapes) for node in inferred.node)
    except KeyError as error:
        raise BundleError(f"the model's arithmetic cannot be counted: the size of {error} is not known") from error


def _tensors(graph: bytes) -> dict[str, np.ndarray]:
    model = onnx.load_from_string(graph)
    return {tensor.name: np.asarray(numpy_helper.to_array(tensor)) for tensor in model.graph.initializer}


def _of_node(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> int:
    if node.op_type == "Conv":
        return prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])
    if node.op_type in ("Gemm", "MatMul"):
        transposed = any(each.name == "transA" and each.i for each in node.attribute)
        return prod(shapes[node.output[0]]) * shapes[node.input[0]][-2 if transposed else -1]
    return 0
