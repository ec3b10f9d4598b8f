"""ONNX graphs as they are written down, an operator at a time, and the arithmetic of whole numbers in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper


class GraphWriter:
    """Operators and constants as they are written down; every name begins with a prefix of its own."""

    def __init__(self, prefix: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._prefix = prefix

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """The name of what the operator gives."""
        name = output or f"{self._prefix}.{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def both(self, operator: str, *inputs: str, **attributes: Any) -> tuple[str, str]:
        """The names of the two things that the operator gives."""
        name = f"{self._prefix}.{operator}_{len(self.nodes)}"
        outputs = f"{name}.0", f"{name}.1"
        self.nodes.append(helper.make_node(operator, list(inputs), outputs, name=name, **attributes))
        return outputs

    def whole(self, value: int | list[int]) -> str:
        return self.constant(np.array(value, np.int64))

    def real(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def constant(self, array: np.ndarray) -> str:
        name = f"{self._prefix}.constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def rest(self, x: str, divisor: str) -> str:
        """What is left of a division of whole numbers."""
        return self.node("Sub", x, self.node("Mul", self.node("Div", x, divisor), divisor))

    def halved(self, x: str) -> str:
        return self.node("Div", x, self.whole(2))

    def twice(self, x: str) -> str:
        return self.node("Mul", x, self.whole(2))
