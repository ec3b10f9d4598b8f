"""Gradients of networks, and numbers that span many powers of ten."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn


def slopes(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """How the score of each picture's class y (N,) changes with each value of the picture x, (N, values)."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(net(x).gather(1, y[:, None]).sum(), x)[0].flatten(1)


def log10(value: Tensor) -> float:
    """-300 for 0, as for anything smaller than that."""
    return float(value.clamp_min(1e-300).log10())


def mean(measured: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each measure over several networks."""
    return {name: float(np.mean([each[name] for each in measured])) for name in measured[0]}
