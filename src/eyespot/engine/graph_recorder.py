"""PyTorch's functions, written down as the operators of an ONNX graph while they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from eyespot.engine.gate import INPUT

Rules = Mapping[Any, Callable[..., str]]
"""By the function: each takes the recorder, then the function's own arguments, and returns the name of the output."""


class NoRule(Exception):
    """The network calls a function, or calls it in a way, that has no rule."""


def only(condition: bool) -> None:
    """Raises NoRule unless an argument is one that a rule has words for."""
    if not condition:
        raise NoRule("an argument that has no rule")


class Recorder(TorchFunctionMode):
    """While active, writes every PyTorch function that takes a known tensor to an ONNX graph."""

    def __init__(self, module: nn.Module, rules: Rules) -> None:
        super().__init__()
        self.rules = rules
        state = [*module.named_parameters(), *module.named_buffers()]
        self.weights = {id(tensor): (name, tensor) for name, tensor in state}
        self.names: dict[int, str] = {}
        self.kept: list[Tensor] = []  # an id belongs to one tensor only while that lives
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.called: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            rule = self.rules.get(func)
            if rule is None:
                raise NoRule(getattr(func, "__name__", str(func)))
            self.name(result, rule(self, *args, **(kwargs or {})))
        return result

    def name(self, tensor: Tensor, name: str) -> None:
        self.names[id(tensor)] = name
        self.kept.append(tensor)

    def node(self, operator: str, *inputs: Tensor | str, **attributes: Any) -> str:
        """Adds an operator; returns the name of its output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self.value(x) for x in inputs], [name], name=name, **attributes))
        return name

    def value(self, x: Tensor | str) -> str:
        if isinstance(x, str) or id(x) in self.names:
            return x if isinstance(x, str) else self.names[id(x)]
        if id(x) not in self.weights:
            raise NoRule("a tensor that is neither computed nor a weight")
        name, tensor = self.weights[id(x)]
        return self.constant(tensor.detach(), name)

    def call(self, tensor: Tensor, output: str) -> None:
        """Gives a computed tensor the name of an output; a copy of it, where it is one already or the input."""
        old = self.value(tensor)
        if old in (INPUT, *self.called):
            self.nodes.append(helper.make_node("Identity", [old], [output], name=output))
            return
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [output if name == old else name for name in names]
        self.name(tensor, output)
        self.called.append(output)

    def constant(self, array: Any, name: str = "") -> str:
        name = name or f"constant_{len(self.initializers)}"
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name
