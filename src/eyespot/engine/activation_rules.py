"""The rules of the conversion for activations; see `graph_rules`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from eyespot.engine.graph_recorder import Recorder, Rules, only


def _leaky(to: Recorder, x: Tensor, negative_slope: float, inplace: bool) -> str:
    return to.node("LeakyRelu", x, alpha=float(negative_slope))


def _prelu(to: Recorder, x: Tensor, weight: Tensor) -> str:
    shape = [-1] + [1] * (x.dim() - 2)
    return to.node("PRelu", x, to.constant(weight.detach().reshape(shape)))


def _elu(to: Recorder, x: Tensor, alpha: float, inplace: bool) -> str:
    return to.node("Elu", x, alpha=float(alpha))


def _softmax(to: Recorder, x: Tensor, dim: int, **rest: Any) -> str:
    return to.node("Softmax", x, axis=dim)


def _clip(to: Recorder, x: Tensor, *, min_val: float, max_val: float, inplace: bool) -> str:
    return to.node("Clip", x, to.constant(np.float32(min_val)), to.constant(np.float32(max_val)))


def _silu(to: Recorder, x: Tensor, **_: Any) -> str:
    return to.node("Mul", x, to.node("Sigmoid", x))


def _hard_sigmoid(to: Recorder, x: Tensor, **_: Any) -> str:
    return to.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)


def _softplus(to: Recorder, x: Tensor, beta: float = 1, threshold: float = 20) -> str:
    only(beta == 1)
    return to.node("Softplus", x)


def _hard_swish(to: Recorder, x: Tensor, **_: Any) -> str:
    return to.node("Mul", x, _hard_sigmoid(to, x))


def _gelu(to: Recorder, x: Tensor, *, approximate: str = "none") -> str:
    """Hendrycks, Gimpel: Gaussian Error Linear Units, arXiv:1606.08415, section 2; both forms."""
    half, one = (to.constant(np.float32(number)) for number in (0.5, 1))
    if approximate == "tanh":
        cube = to.node("Mul", to.node("Mul", x, x), x)
        inner = to.node("Add", x, to.node("Mul", cube, to.constant(np.float32(0.044715))))
        bend = to.node("Tanh", to.node("Mul", inner, to.constant(np.float32((2 / np.pi) ** 0.5))))
    else:
        bend = to.node("Erf", to.node("Div", x, to.constant(np.float32(2**0.5))))
    return to.node("Mul", to.node("Mul", x, half), to.node("Add", bend, one))


ACTIVATIONS: Rules = {
    functional.relu: lambda to, x, inplace: to.node("Relu", x),
    functional.leaky_relu: _leaky,
    functional.hardtanh: _clip,
    functional.elu: _elu,
    functional.softmax: _softmax,
    torch.prelu: _prelu,
    functional.softplus: _softplus,
    functional.relu6: lambda to, x, inplace: _clip(to, x, min_val=0, max_val=6, inplace=inplace),
    functional.silu: _silu,
    functional.hardsigmoid: _hard_sigmoid,
    functional.hardswish: _hard_swish,
    functional.gelu: _gelu,
    torch.tanh: lambda to, x: to.node("Tanh", x),
    Tensor.sigmoid: lambda to, x: to.node("Sigmoid", x),
    torch.sigmoid: lambda to, x: to.node("Sigmoid", x),
}
