"""The weights that a graph holds, by name, read without running it and without torch."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

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


def _tensors(graph: bytes) -> dict[str, np.ndarray]:
    model = onnx.load_from_string(graph)
    return {tensor.name: np.asarray(numpy_helper.to_array(tensor)) for tensor in model.graph.initializer}
