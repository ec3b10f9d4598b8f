"""What networks of Caffe are made of beyond `blocks`: layers that PyTorch does not have."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Literal

import torch
from torch import Tensor, nn

from eyespot.blocks import named_stages

Operation = Literal["sum", "product", "maximum"]
_OPERATORS = {"sum": operator.add, "product": operator.mul, "maximum": torch.maximum}


class Elementwise(nn.Module):
    """The outputs of several named branches on the same input, taken together value by value: Caffe's Eltwise.

    operation: "sum", "product" or "maximum".
    coefficients: of a sum, one for each branch; none where all are 1. A sum of two is a `Residual` where it can be.
    """

    def __init__(self, operation: Operation, coefficients: Sequence[float] = (), **branches: nn.Module) -> None:
        super().__init__()
        self.operation, self.coefficients = operation, tuple(coefficients)
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        found: list[Tensor] = [branch(x) for _, branch in named_stages(self)]
        if self.coefficients:
            found = [each * factor for each, factor in zip(found, self.coefficients, strict=True)]
        return reduce(_OPERATORS[self.operation], found)

    def extra_repr(self) -> str:
        return f"{self.operation}, {self.coefficients}" if self.coefficients else self.operation


class ChannelScale(nn.Module):
    """x * weight + bias, with one weight and one bias for each channel: Caffe's Scale.

    channels: of images (N, channels, H, W), or of features (N, channels) where `flat`.
    bias: whether there is one.
    """

    def __init__(self, channels: int, *, bias: bool, flat: bool = False) -> None:
        super().__init__()
        shape = (channels,) if flat else (channels, 1, 1)
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        scaled = x * self.weight
        return scaled if self.bias is None else scaled + self.bias

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, bias={self.bias is not None}"


class SpatialResponseNorm(nn.Module):
    """x / (1 + alpha * mean of x^2 over a window)^beta, map by map: Caffe's LRN with `norm_region: WITHIN_CHANNEL`.

    size: of the window, pixels, odd; beyond the edge of the image there are zeros, which count.
    """

    def __init__(self, size: int, *, alpha: float, beta: float) -> None:
        super().__init__()
        self.size, self.alpha, self.beta = size, alpha, beta

    def forward(self, x: Tensor) -> Tensor:
        mean = nn.functional.avg_pool2d(x * x, self.size, 1, self.size // 2)
        return x * torch.pow(mean * self.alpha + 1, -self.beta)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha:g}, beta={self.beta:g}"
