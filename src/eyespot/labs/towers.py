"""The small networks that experiments share, built of the blocks that the catalogue's are built of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from eyespot.arithmetic.shapes import Shape, output_shape
from eyespot.blocks import Residual, chain, conv, join
from eyespot.labs.definition import Both

POOL = partial(nn.MaxPool2d, 2)
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


class OwnWeights(nn.Module):
    """The connections of a convolution, each with a weight of its own at every place: nothing is shared.

    chw: what it takes, (C, H, W).
    """

    def __init__(self, conv: nn.Conv2d, chw: Shape) -> None:
        super().__init__()
        self.looks = nn.Unfold(conv.kernel_size, padding=conv.padding, stride=conv.stride)  # type: ignore[arg-type]
        made, self.height, self.width = output_shape(conv, chw)
        places, seen = self.height * self.width, conv.weight[0].numel()
        bound = seen**-0.5  # that of torch's convolutions
        self.weight = nn.Parameter(torch.empty(places, seen, made).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(made, places).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = torch.einsum("nsp,psm->nmp", self.looks(x), self.weight) + self.bias  # (N, made, places)
        return made.reshape(len(x), -1, self.height, self.width)  # (N, made, height, width)


def convolutional(
    chw: Shape,
    classes: int,
    *,
    shrink: Callable[[], nn.Module] = POOL,
    end: Callable[[], nn.Module] = nn.Identity,
    edges: Literal["zeros", "circular"] = "zeros",
) -> nn.Sequential:
    """Two convolutions and a linear layer: from images (N, *chw) to logits (N, classes).

    shrink: after each convolution. end: before the linear layer.
    edges: what convolutions see beyond the image: nothing, or its other side.
    """
    stages, before = {}, chw[0]
    for number, width in enumerate((16, 32), 1):
        layer = nn.Conv2d(before, width, 3, padding=1, padding_mode=edges)
        stages[f"stage{number}"] = chain(conv=layer, act=nn.ReLU(), shrink=shrink())
        before = width
    body = chain(**stages, end=end(), flat=nn.Flatten())
    (values,) = output_shape(body, chw)
    return join(body, chain(fc=nn.Linear(values, classes)))


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
