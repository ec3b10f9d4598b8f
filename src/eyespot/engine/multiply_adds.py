"""The arithmetic that a graph does for one image, counted in the graph."""

from __future__ import annotations

from math import prod

import onnx
from onnx import shape_inference

from eyespot.errors import BundleError


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
        shapes[value.name] = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    try:
        return sum(_of_node(node, shapes) for node in inferred.node)
    except KeyError as error:
        raise BundleError(f"the model's arithmetic cannot be counted: the size of {error} is not known") from error


def _of_node(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> int:
    if node.op_type == "Conv":
        return prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])
    if node.op_type in ("Gemm", "MatMul"):
        transposed = any(each.name == "transA" and each.i for each in node.attribute)
        return prod(shapes[node.output[0]]) * shapes[node.input[0]][-2 if transposed else -1]
    return 0
