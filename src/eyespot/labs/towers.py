"""The small networks that experiments share, built of the blocks that the catalogue's are built of."""

from __future__ import annotations

from torch import nn

from eyespot.blocks import Residual, chain
from eyespot.labs.definition import Both

ARMS = {"plain": Both("plain", "无捷径"), "shortcuts": Both("shortcuts", "有捷径")}
"""Networks that differ in nothing else."""


def he(net: nn.Module) -> nn.Module:
    """The same network with He's first weights, which keep the size of activations through ReLUs: arXiv:1502.01852."""
    for module in net.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return net


def dense(inputs: int, classes: int, *, depth: int, width: int = 64, shortcuts: bool = False) -> nn.Sequential:
    """Fully connected: from images (N, C, H, W) to logits (N, classes), with `depth` layers of `width` between.

    shortcuts: around each of these layers.
    """
    scale = depth**-0.5 if shortcuts else 1.0  # or many sums would make the activations large
    layers = {f"layer{number}": _dense_layer(width, scale, shortcuts=shortcuts) for number in range(1, depth + 1)}
    stem = chain(flat=nn.Flatten(), fc=nn.Linear(inputs, width))
    return chain(stem=stem, **layers, head=chain(act=nn.ReLU(), fc=nn.Linear(width, classes)))


def _dense_layer(width: int, scale: float, *, shortcuts: bool) -> nn.Module:
    body = chain(act=nn.ReLU(), fc=nn.Linear(width, width))  # so that a sum can also fall: arXiv:1603.05027
    return Residual(body, scale=scale) if shortcuts else body
