"""A classifier appended to a converted trunk, without torch: dense layers, temperature, probabilities, likeness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

from eyespot.engine.gate import FEATURES, LIKENESS, PROBABILITIES
from eyespot.errors import NetworkError

Output = Literal["softmax", "sigmoid", "labels"]
_PREFIX = "classifier"
_SMALLEST_SQUARE = 1e-12
"""Added to a squared length, as `evaluate.likeness` does: features that are all zero are like nothing."""
_AXES_ARE_INPUTS = 18
"""The operator set from which on ReduceMax takes its axes as an input."""


def attach_head(
    trunk: bytes,
    layers: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    temperature: float = 1.0,
    output: Output = "softmax",
    means: ArrayLike | None = None,
) -> bytes:
    """The trunk's graph with one more output, `probabilities`, float32 (N, classes), computed from its `features`.

    With `means` it has `likeness`, too, float32 (N,): the cosine of the features to the nearest of them.

    trunk: an ONNX model with an output `features`, float32 (N, D).
    layers: (weight (out, in), bias (out,)) of each dense layer in turn, with ReLU between them.
    temperature: the logits are divided by it; above 0, 1 where nothing was calibrated.
    output: "softmax" over the last layer's outputs, "sigmoid" of its only output p, which gives [1 - p, p], or
        "labels", a sigmoid of each: then the probabilities do not sum to one.
    means: of each class, (classes, D), each of length 1.
    Raises NetworkError where the layers do not fit the features or one another, or a number is not finite.
    """
    model = onnx.load_from_string(trunk)
    dense = [(_numbers(weight), _numbers(bias)) for weight, bias in layers]
    _require_fit(_width(model), dense, output)
    if not (np.isfinite(temperature) and temperature > 0):
        raise NetworkError(f"The temperature must be above 0, not {temperature}.")
    added = _Addition(model)
    x = FEATURES
    for number, (weight, bias) in enumerate(dense, start=1):
        x = x if number == 1 else added.node("Relu", [x], f"act{number - 1}")
        x = added.dense(x, weight, bias, f"fc{number}")
    if temperature != 1:
        x = added.node("Div", [x, added.weight(np.float32(temperature), "temperature")], "tempered")
    classes = added.probabilities(x, output, len(dense[-1][1]))
    model.graph.output.append(helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["N", classes]))
    if means is not None:
        added.likeness(_fitting_means(means, _width(model)))
        model.graph.output.append(helper.make_tensor_value_info(LIKENESS, TensorProto.FLOAT, ["N"]))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def without_head(graph: bytes) -> bytes:
    """The trunk's graph of one that has a classifier: `features` is its only output, and what only others need is gone.

    Raises NetworkError for a graph without features.
    """
    model = onnx.load_from_string(graph)
    _width(model)
    needed, nodes = {FEATURES}, list[onnx.NodeProto]()
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
            nodes.insert(0, node)
    outputs = [each for each in model.graph.output if each.name == FEATURES]
    weights = [each for each in model.graph.initializer if each.name in needed]
    for kept, field in ((nodes, "node"), (outputs, "output"), (weights, "initializer")):
        model.graph.ClearField(field)
        getattr(model.graph, field).extend(kept)
    return bytes(model.SerializeToString(deterministic=True))


class _Addition:
    """Writes nodes and weights to the end of a model's graph."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self._opset = model.opset_import[0].version

    def weight(self, value: NDArray[np.float32] | np.float32, name: str) -> str:
        return self._constant(np.asarray(value, np.float32), name)

    def _constant(self, value: NDArray[np.generic], name: str) -> str:
        tensor = numpy_helper.from_array(value, f"{_PREFIX}.{name}")
        self.graph.initializer.append(tensor)
        return str(tensor.name)

    def node(self, operator: str, inputs: list[str], name: str, **attributes: int | list[int]) -> str:
        result = name if name in (PROBABILITIES, LIKENESS) else f"{_PREFIX}.{name}"
        self.graph.node.append(helper.make_node(operator, inputs, [result], name=result))
        self.graph.node[-1].attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        return result

    def dense(self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32], name: str) -> str:
        inputs = [x, self.weight(weight, f"{name}.weight"), self.weight(bias, f"{name}.bias")]
        return self.node("Gemm", inputs, name, transB=1)  # (N, out)

    def probabilities(self, logits: str, output: str, classes: int) -> int:
        """Adds the output and returns the number of its classes."""
        if output == "softmax":
            self.node("Softmax", [logits], PROBABILITIES, axis=1)  # (N, classes)
            return classes
        if output == "labels":
            self.node("Sigmoid", [logits], PROBABILITIES)  # (N, classes)
            return classes
        second = self.node("Sigmoid", [logits], "second")  # (N, 1)
        first = self.node("Sub", [self.weight(np.float32(1), "one"), second], "first")
        self.node("Concat", [first, second], PROBABILITIES, axis=1)  # (N, 2)
        return 2

    def likeness(self, means: NDArray[np.float32]) -> None:
        """Adds the output (N,)."""
        name, width = f"{LIKENESS}.{{}}".format, means.shape[1]
        squares = self.node("Mul", [FEATURES, FEATURES], name("squares"))  # (N, D)
        ones = self.weight(np.ones((width, 1), np.float32), name("ones"))
        square = self.node("MatMul", [squares, ones], name("square"))  # (N, 1)
        above = self.node("Add", [square, self.weight(np.float32(_SMALLEST_SQUARE), name("smallest"))], name("above"))
        unit = self.node("Div", [FEATURES, self.node("Sqrt", [above], name("length"))], name("unit"))  # (N, D)
        weight = self.weight(np.ascontiguousarray(means.T), name("means"))
        self._largest(self.node("MatMul", [unit, weight], name("cosines")))  # (N, classes)

    def _largest(self, cosines: str) -> None:
        if self._opset < _AXES_ARE_INPUTS:
            self.node("ReduceMax", [cosines], LIKENESS, axes=[1], keepdims=0)  # (N,)
            return
        axes = self._constant(np.array([1], np.int64), f"{LIKENESS}.axes")
        self.node("ReduceMax", [cosines, axes], LIKENESS, keepdims=0)  # (N,)


def _numbers(values: ArrayLike) -> NDArray[np.float32]:
    array = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(array).all():
        raise NetworkError("A classifier's weights must be finite numbers.")
    return array


def _fitting_means(means: ArrayLike, width: int) -> NDArray[np.float32]:
    numbers = _numbers(means)
    if numbers.ndim != 2 or numbers.shape[1] != width:
        raise NetworkError(f"The means of the classes need the shape (classes, {width}), not {numbers.shape}.")
    return numbers


def _width(model: onnx.ModelProto) -> int:
    for value in model.graph.output:
        if value.name == FEATURES:
            return int(value.type.tensor_type.shape.dim[1].dim_value)
    raise NetworkError(f"The trunk's graph has no output {FEATURES!r} to put a classifier on.")


def _require_fit(width: int, dense: list[tuple[NDArray[np.float32], NDArray[np.float32]]], output: Output) -> None:
    if not dense:
        raise NetworkError("A classifier needs at least one layer.")
    for number, (weight, bias) in enumerate(dense, start=1):
        if weight.ndim != 2 or weight.shape[1] != width or bias.shape != weight.shape[:1]:
            raise NetworkError(
                f"Layer {number} of the classifier is given {width} numbers, but has a weight {weight.shape} "
                f"(out, in) and a bias {bias.shape}."
            )
        width = weight.shape[0]
    if output == "sigmoid" and width != 1:
        raise NetworkError(f"A sigmoid classifier has one output, not {width}.")
