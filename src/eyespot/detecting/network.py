"""The network that finds boxes: a frozen trunk's maps, a neck that exchanges what they know, and a head for all.

The trunk is a classifier's, cut at three stages (a frozen one is as good a backbone as any, if what trains on top is
large enough: Vasconcelos and others, arXiv:2204.00484). The neck goes from coarse to fine and back (FPN,
arXiv:1612.03144; PAN, arXiv:1803.01534). The head gives each place a score for each class, which stands for how well
its box will fit, and four distances (FCOS, arXiv:1904.01355; TOOD, arXiv:2108.07755).

Maps lie as (N, h, w, C): what trains is mostly products of matrices then, and neither BatchNorm nor SiLU, which cost
more than the products. Layers are scaled to unit variance on the first images instead (Mishkin and Matas,
arXiv:1511.06422).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from eyespot.blocks import conv, taps
from eyespot.detecting.places import FINE, Places

WIDTH = 96
"""Channels of the neck and the head."""
STAGES = {8: "stage3", 16: "stage5", 32: "stage7"}
"""Of EfficientNet-Lite: the last stage at each stride."""
KERNEL = 3
RARE = 0.01
"""Score that every place begins with: nearly all show nothing (arXiv:1708.02002, section 3.3)."""
FIRST_REACH = 1.5
"""Strides, about, that a box begins with to each side."""
_UNIT = 1e-3
"""Least spread that a channel is divided by."""


class Maps(nn.Module):
    """The frozen trunk: from normalised images (N, 3, H, W) to the maps that the neck takes, each (N, h, w, C).

    net: EfficientNet-Lite. strides: those of the maps. Where the finest is left out, its pixels join the next one,
    four in a place, so that what it knows of small things is not lost.
    """

    def __init__(self, net: nn.Sequential, strides: Sequence[int]) -> None:
        super().__init__()
        self.net, self.strides = net, tuple(strides)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        fine, middle, coarse = taps(self.net, [STAGES[stride] for stride in FINE], images).values()
        if self.strides == FINE:
            found = [fine, middle, coarse]
        else:
            quarters = [fine[:, :, down::2, right::2] for down in (0, 1) for right in (0, 1)]
            found = [torch.cat([*quarters, middle], 1), coarse]
        return tuple(each.permute(0, 2, 3, 1) for each in found)


class Lateral(nn.Module):
    """A map of the trunk to WIDTH channels: a 1x1 convolution of what it is normalised, by channel.

    The normalisation is folded into the weight, which is small, where the map is not.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(WIDTH, channels))
        self.bias = nn.Parameter(torch.zeros(WIDTH))
        self.mean = nn.Buffer(torch.zeros(channels))
        self.scale = nn.Buffer(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, *self.folded())

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias for the map as it is."""
        weight = self.weight * self.scale
        return weight, self.bias - weight @ self.mean


class Mixed(nn.Module):
    """A depthwise convolution that looks around, and one of 1x1 that mixes channels, on (N, h, w, C)."""

    def __init__(self, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.depth = conv(WIDTH, WIDTH, kernel, stride=stride, groups=WIDTH)
        self.point = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = self.depth(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return functional.relu(self.point(x))


class Detector(nn.Module):
    """What trains: from the trunk's maps, each (N, h, w, C), to logits (N, L, classes) and distances (N, L, 4)."""

    def __init__(self, channels: Sequence[int], classes: int) -> None:
        """channels: of each map, the finest first."""
        super().__init__()
        between = len(channels) - 1
        self.laterals = nn.ModuleList(map(Lateral, channels))
        self.finer = nn.ModuleList(Mixed(KERNEL) for _ in range(between))
        self.down = nn.ModuleList(Mixed(KERNEL, stride=2) for _ in range(between))
        self.coarser = nn.ModuleList(Mixed(KERNEL) for _ in range(between))
        self.tower = Mixed(KERNEL)
        self.scores = nn.Linear(WIDTH, classes)
        self.sides = nn.Linear(WIDTH, 4)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        x = [lateral(each) for lateral, each in zip(self.laterals, maps, strict=True)]
        for at in reversed(range(len(x) - 1)):
            x[at] = self.finer[at](functional.relu(x[at] + _twice(x[at + 1])))
        for at in range(1, len(x)):
            x[at] = self.coarser[at - 1](functional.relu(x[at] + self.down[at - 1](x[at - 1])))
        towers = [self.tower(each) for each in x]
        logits = torch.cat([self.scores(each).flatten(1, 2) for each in towers], 1)
        return logits, functional.softplus(torch.cat([self.sides(each).flatten(1, 2) for each in towers], 1))


class Finder(nn.Module):
    """All of it, to be converted: normalised images (N, 3, H, W) to boxes (N, L, 4), pixels of the image, and scores
    (N, L, classes), 0 to 1."""

    def __init__(self, maps: Maps, detector: Detector, places: Places) -> None:
        super().__init__()
        self.maps, self.detector = maps, copy.deepcopy(detector)
        laterals = (lateral.folded() for lateral in detector.laterals)  # type: ignore[operator]
        self.detector.laterals = nn.ModuleList(_linear(weight, bias) for weight, bias in laterals)
        self.middles, self.steps = nn.Buffer(places.middles), nn.Buffer(places.steps)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        logits, distances = self.detector(self.maps(images))
        reach = distances * self.steps
        before, after = reach[:, :, :2], reach[:, :, 2:]
        return torch.cat([self.middles - before, self.middles + after], -1), logits.sigmoid()


def first_weights(detector: Detector, maps: Sequence[Tensor]) -> None:
    """Draws the weights by torch's generator, normalises the maps, and scales every layer to unit variance on them.

    maps: of some images, each (N, h, w, C).
    """
    for lateral, each in zip(detector.laterals, maps, strict=True):
        assert isinstance(lateral, Lateral)
        flat = each.flatten(0, 2)
        lateral.mean.copy_(flat.mean(0))
        lateral.scale.copy_(1 / flat.std(0).clamp(min=_UNIT))
        nn.init.kaiming_normal_(lateral.weight, nonlinearity="relu")
    last = (detector.scores, detector.sides)
    for layer in detector.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for layer in last:
        nn.init.normal_(layer.weight, std=0.01)
    nn.init.constant_(detector.scores.bias, -math.log((1 - RARE) / RARE))
    nn.init.constant_(detector.sides.bias, FIRST_REACH)
    scaled = [
        layer
        for layer in detector.modules()
        if isinstance(layer, nn.Linear | nn.Conv2d | Lateral) and layer not in last
    ]
    hooks = [layer.register_forward_hook(_to_unit_variance) for layer in scaled]
    with torch.no_grad():
        detector(maps)
    for hook in hooks:
        hook.remove()


def channels_of(net: nn.Sequential, strides: Sequence[int]) -> list[int]:
    """Channels of each map of the trunk, the finest first."""
    with torch.no_grad():
        found = Maps(net, strides)(torch.zeros(1, 3, FINE[-1], FINE[-1]))
    return [each.shape[-1] for each in found]


def as_numbers(detector: Detector) -> np.ndarray:
    """All weights of a detector in a row, float32."""
    return np.concatenate([each.numpy().ravel() for each in detector.state_dict().values()])


def from_numbers(numbers: np.ndarray, channels: Sequence[int], classes: int) -> Detector | None:
    """The detector with these weights; None where there are more or fewer than it has."""
    detector = Detector(channels, classes)
    state = detector.state_dict()
    sizes = [each.numel() for each in state.values()]
    if sum(sizes) != numbers.size:
        return None
    rows = torch.split(torch.tensor(numbers), sizes)
    detector.load_state_dict({name: row.view_as(state[name]) for name, row in zip(state, rows, strict=True)})
    return detector


def _to_unit_variance(layer: nn.Module, inputs: object, output: Tensor) -> Tensor:
    spread = output.std().clamp(min=_UNIT)
    assert isinstance(layer.weight, Tensor)
    layer.weight.data /= spread
    return output / spread


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = weight.detach().clone(), bias.detach().clone()
    return layer


def _twice(x: Tensor) -> Tensor:
    """Each place four times: (N, h, w, C) to (N, 2h, 2w, C)."""
    large = functional.interpolate(x.permute(0, 3, 1, 2), scale_factor=2.0, mode="nearest")
    return large.permute(0, 2, 3, 1)
