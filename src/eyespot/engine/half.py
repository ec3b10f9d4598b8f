"""A graph whose large weights are kept as 16-bit floats: half the size; it still counts in 32 bits."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LEAST_NUMBERS = 1024
"""Smaller tensors stay as they are: biases and scales, which cost nothing."""


def with_half_weights(graph: bytes) -> bytes:
    """The graph with its large float32 constants as float16, each cast back to float32 before it is used.

    One that holds a number too large for 16 bits, or none of two dimensions, stays as it is.
    """
    model = onnx.load_from_string(graph)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.ndim < 2 or values.size < LEAST_NUMBERS or not np.abs(values).max() <= np.finfo(np.float16).max:
            continue
        name, half = tensor.name, f"{tensor.name}.half"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
