"""The small networks that experiments share, built of the blocks that the catalogue's are built of."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from eyespot.blocks import Residual, chain, conv
from eyespot.labs.definition import Both

WIDTHS = (8, 16, 32)
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


def tower(channels: int, classes: int, *, depth: int, shortcuts: bool, widths: Sequence[int] = WIDTHS) -> nn.Sequential:
    """Convolutions from images (N, C, H, W) to logits (N, classes), in the form of arXiv:1512.03385, table 6.

    depth: 2 more than a multiple of twice as many layers as there are widths: 8, 20, 32 for three of them.
    widths: channels of each stage; all but the first begin at stride 2.
    """
    blocks = (depth - 2) // (2 * len(widths))
    scale = (blocks * len(widths)) ** -0.5 if shortcuts else 1.0
    stages, before = {}, widths[0]
    for number, width in enumerate(widths, 1):
        parts = {}
        for at in range(blocks):
            stride = 2 if at == 0 and number > 1 else 1
            parts[f"block{at + 1}"] = _block(before, width, stride, scale, shortcuts=shortcuts)
            before = width
        stages[f"stage{number}"] = chain(**parts)
    head = chain(act=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(widths[-1], classes))
    return chain(stem=conv(channels, widths[0], 3, bias=True), **stages, head=head)


def _block(before: int, width: int, stride: int, scale: float, *, shortcuts: bool) -> nn.Module:
    body = chain(
        act1=nn.ReLU(),
        conv1=conv(before, width, 3, stride=stride, bias=True),
        act2=nn.ReLU(),
        conv2=conv(width, width, 3, bias=True),
    )
    fits = before == width and stride == 1
    shortcut = None if fits else conv(before, width, 1, stride=stride)
    return Residual(body, shortcut, scale=scale) if shortcuts else body
