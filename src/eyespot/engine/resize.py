"""The resize and the crop of `data.pictures` as a part of the graph, so that a model takes pictures of any size.

Pillow resizes with two products of matrices, first along the rows, then along the columns, and rounds to 8 bits behind
each. So does this: the matrices are computed in the graph from the picture's size, in whole numbers as far as weights
go, since an engine's own resize is none of Pillow's (OpenVINO leaves out the antialiasing without a word).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from eyespot.engine.gate import INPUT
from eyespot.records import Preprocess

PICTURE = "picture"
"""The input of a graph that resizes: uint8 (H, W, C), a decoded picture, upright, of any size."""
STEPS = 2**22
"""In how many steps Pillow counts a weight of 1."""
_PREFIX = "resize"


def with_resize(graph: bytes, preprocess: Preprocess) -> bytes:
    """The graph with one input `picture`, uint8 (H, W, C) of any size, in place of `images`; all outputs have N = 1.

    graph: ONNX with the input `images`, uint8 (N, height, width, C).
    preprocess: the size, the crop and the filter.
    """
    model = onnx.load_from_string(graph)
    before = _resize(preprocess, model)
    merged = compose.merge_models(before, model, io_map=[(f"{_PREFIX}.{INPUT}", INPUT)])
    merged.producer_name = model.producer_name
    onnx.checker.check_model(merged)
    return bytes(merged.SerializeToString(deterministic=True))


def _resize(preprocess: Preprocess, model: onnx.ModelProto) -> onnx.ModelProto:
    """A model of its own from `picture` to the image (1, height, width, C), uint8."""
    make = _Graph()
    crop_height, crop_width = preprocess.crop_hw
    size = make.node("Shape", PICTURE)
    height, width = (make.node("Gather", size, make.whole(place)) for place in (0, 1))
    rows = make.weights(height, width, preprocess, crop_height)  # (crop_height, H)
    columns = make.weights(width, height, preprocess, crop_width)  # (crop_width, W)
    columns = make.node("Transpose", columns, perm=[1, 0])  # (W, crop_width)
    x = make.node("Cast", PICTURE, to=TensorProto.FLOAT)
    x = make.node("Transpose", x, perm=[2, 0, 1])  # (C, H, W)
    first = make.rounded(make.node("MatMul", x, columns))  # (C, H, crop_width)
    x = make.rounded(make.node("MatMul", rows, first))  # (C, crop_height, crop_width)
    x = make.node("Transpose", x, perm=[1, 2, 0])  # (crop_height, crop_width, C)
    x = make.node("Unsqueeze", x, make.wholes([0]))
    make.node("Cast", x, to=TensorProto.UINT8, output=f"{_PREFIX}.{INPUT}")
    channels = preprocess.channels
    graph = helper.make_graph(
        make.nodes,
        "resize",
        [helper.make_tensor_value_info(PICTURE, TensorProto.UINT8, ["H", "W", channels])],
        [
            helper.make_tensor_value_info(
                f"{_PREFIX}.{INPUT}", TensorProto.UINT8, [1, crop_height, crop_width, channels]
            )
        ],
        make.constants,
    )
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


class _Graph:
    """Operators and constants as they are written down."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"{_PREFIX}.{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def _constant(self, array: Any) -> str:
        name = f"{_PREFIX}.constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def whole(self, value: int) -> str:
        return self._constant(np.array(value, np.int64))

    def wholes(self, values: list[int]) -> str:
        return self._constant(np.array(values, np.int64))

    def real(self, value: float) -> str:
        return self._constant(np.array(value, np.float32))

    def rounded(self, x: str) -> str:
        """To whole levels, half up, as Pillow does behind each of its two passes."""
        x = self.node("Floor", self.node("Add", x, self.real(0.5)))
        return self.node("Clip", x, self.real(0), self.real(255))

    def weights(self, side: str, other: str, preprocess: Preprocess, crop: int) -> str:
        """What each of the picture's pixels along a side gives to each of the crop's, (crop, side).

        With `resized` the side's length after resizing, pixel i of the crop has its centre at
        (offset + i + 1/2) * side / resized in the picture. Times 2 * resized all of that is whole numbers.
        """
        short = self.whole(preprocess.short_side)
        resized = self.node("Max", short, self.node("Div", self.node("Mul", short, side), other))
        over = self.node("Sub", resized, self.whole(crop))
        half = self.node("Div", self.node("Cast", over, to=TensorProto.FLOAT), self.real(2))
        offset = self.node("Cast", self.node("Round", half), to=TensorProto.INT64)
        places = self._constant(np.arange(crop, dtype=np.int64)[:, None])  # (crop, 1)
        centres = self._odd(self.node("Add", places, offset))
        pixels = self._odd(self.node("Range", self.whole(0), side, self.whole(1)))  # (side,)
        away = self.node("Sub", self.node("Mul", pixels, resized), self.node("Mul", centres, side))  # (crop, side)
        unit = self.node("Mul", self.whole(2), self.node("Max", side, resized))  # the filter is as wide as a pixel
        far = self.node("Abs", self.node("Cast", away, to=TensorProto.FLOAT))
        t = self.node("Div", far, self.node("Cast", unit, to=TensorProto.FLOAT))
        weights = self._triangle(t) if preprocess.filter == "bilinear" else self._cubic(t)
        weights = self.node("Div", weights, self.node("ReduceSum", weights, self.wholes([1]), keepdims=1))
        steps = self.node("Floor", self.node("Add", self.node("Mul", weights, self.real(STEPS)), self.real(0.5)))
        return self.node("Div", steps, self.real(STEPS))

    def _odd(self, x: str) -> str:
        """2 x + 1: the centre of pixel x, in halves of pixels."""
        return self.node("Add", self.node("Mul", x, self.whole(2)), self.whole(1))

    def _triangle(self, t: str) -> str:
        """1 - t up to 1, then 0."""
        return self.node("Clip", self.node("Sub", self.real(1), t), self.real(0), self.real(1))

    def _cubic(self, t: str) -> str:
        """Catmull-Rom's polynomials, one up to 1 and one from there to 2, both 0 at the ends of the second."""
        near = self.node("Clip", t, self.real(0), self.real(1))
        far = self.node("Clip", t, self.real(1), self.real(2))
        return self.node("Add", self._polynomial(near, 1.5, -2.5, 0, 1), self._polynomial(far, -0.5, 2.5, -4, 2))

    def _polynomial(self, x: str, *coefficients: float) -> str:
        """By Horner, the highest power first."""
        result = self.real(coefficients[0])
        for coefficient in coefficients[1:]:
            result = self.node("Add", self.node("Mul", result, x), self.real(coefficient))
        return result
