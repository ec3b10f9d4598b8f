"""EfficientNet-Lite, from images to logits.

Mingxing Tan, Quoc V. Le: "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
arXiv:1905.11946, table 1, in the Lite form of Renjie Liu: "Higher accuracy on vision models with EfficientNet-Lite",
TensorFlow blog, March 2020; code: github.com/tensorflow/tpu, models/official/efficientnet/lite.

Lite differs from the paper: no squeeze-and-excitation, ReLU6 for swish, and a stem, a head and a number of blocks in
the first and last stage that do not grow with the network. Convolutions with a stride pad as TensorFlow does. Dropout
and stochastic depth, which only act in training from scratch, are left out.
"""

from __future__ import annotations

import math
from string import ascii_lowercase
from typing import NamedTuple

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import Residual, SamePadding, chain, conv
from eyespot.errors import NetworkError


class _Stage(NamedTuple):
    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


class _Scaling(NamedTuple):
    width: float
    depth: float
    size: int


_STAGES = (  # arXiv:1905.11946, table 1, stages 2 to 8
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM_CHANNELS, _HEAD_CHANNELS = 32, 1280

_VARIANTS = (  # efficientnet_lite_builder.py, efficientnet_lite_params: the size is that of the image, pixels
    _Scaling(1.0, 1.0, 224),
    _Scaling(1.0, 1.1, 240),
    _Scaling(1.1, 1.2, 260),
    _Scaling(1.2, 1.4, 280),
    _Scaling(1.4, 1.8, 300),
)


def efficientnet_lite(variant: int = 0, *, classes: int = 1000) -> nn.Sequential:
    """A chain from images (N, 3, H, W) to logits (N, classes); its features, after `head.flat`, are (N, 1280).

    variant: 0 to 4, the larger the wider, deeper and slower; 0 is meant for 224x224 pixels, 4 for 300x300.
    classes: at least 1.
    Raises NetworkError for another variant.
    """
    if variant not in range(len(_VARIANTS)):
        raise NetworkError(f"There is no EfficientNet-Lite{variant}: the variants are 0 to {len(_VARIANTS) - 1}.")
    scaling = _VARIANTS[variant]
    channels = _STEM_CHANNELS
    stages: dict[str, nn.Module] = {}
    for number, stage in enumerate(_scaled(scaling), start=1):
        stages[f"stage{number}"] = _stage(stage, channels)
        channels = stage.channels
    net = chain(
        stem=_unit(3, _STEM_CHANNELS, 3, stride=2),
        **stages,
        head=chain(
            **dict(_unit(channels, _HEAD_CHANNELS, 1).named_children()),
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            fc=nn.Linear(_HEAD_CHANNELS, classes),
        ),
    )
    return check_shapes(net, (3, scaling.size, scaling.size))


def efficientnet_lite0(*, classes: int = 1000) -> nn.Sequential:
    """EfficientNet-Lite0: a chain from images (N, 3, 224, 224) to logits (N, classes)."""
    return efficientnet_lite(0, classes=classes)


def published_names(net: nn.Sequential) -> dict[str, str]:
    """The publisher's name of every tensor of `net`, mapped to ours.

    The publisher is the package efficientnet_lite_pytorch, whose names come from the TensorFlow checkpoint: blocks
    are numbered through all stages; a block's BatchNorms are `_bn0` (expand), `_bn1` (depth) and `_bn2` (project).
    """
    modules = {"_conv_stem": "stem.conv", "_bn0": "stem.norm", "_conv_head": "head.conv", "_bn1": "head.norm"}
    modules |= {"_fc": "head.fc"}
    stages = [(name, stage) for name, stage in net.named_children() if name.startswith("stage")]
    blocks = [(f"{name}.{letter}", block) for name, stage in stages for letter, block in stage.named_children()]
    for number, (name, block) in enumerate(blocks):
        inside = f"{name}.body" if isinstance(block, Residual) else name
        for ours, conv_name, norm_name in _PUBLISHED_BLOCK:
            modules[f"_blocks.{number}.{conv_name}"] = f"{inside}.{ours}.conv"
            modules[f"_blocks.{number}.{norm_name}"] = f"{inside}.{ours}.norm"
    theirs = {ours: name for name, ours in modules.items()}
    pairs = (key.rpartition(".") for key in net.state_dict())
    return {f"{theirs[module]}.{tensor}": f"{module}.{tensor}" for module, _, tensor in pairs}


_PUBLISHED_BLOCK = (
    ("expand", "_expand_conv", "_bn0"),
    ("depth", "_depthwise_conv", "_bn1"),
    ("project", "_project_conv", "_bn2"),
)


def _scaled(scaling: _Scaling) -> list[_Stage]:
    fixed = (0, len(_STAGES) - 1)
    return [
        stage._replace(
            blocks=stage.blocks if index in fixed else math.ceil(stage.blocks * scaling.depth),
            channels=_round_to_eight(stage.channels * scaling.width),
        )
        for index, stage in enumerate(_STAGES)
    ]


def _round_to_eight(channels: float) -> int:
    """The multiple of 8 nearest to `channels`, or the next one up where that is less than 90 % of it."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


def _stage(stage: _Stage, in_channels: int) -> nn.Sequential:
    blocks: dict[str, nn.Module] = {"a": _block(stage, in_channels, stage.stride)}
    for letter in ascii_lowercase[1 : stage.blocks]:
        blocks[letter] = _block(stage, stage.channels, 1)
    return chain(**blocks)


def _block(stage: _Stage, in_channels: int, stride: int) -> nn.Module:
    """MBConv: a wide depthwise convolution between two pointwise ones; a sum where the shape does not change."""
    wide = in_channels * stage.expansion
    parts: dict[str, nn.Module] = {}
    if stage.expansion > 1:
        parts["expand"] = _unit(in_channels, wide, 1)
    parts["depth"] = _unit(wide, wide, stage.kernel, stride=stride, groups=wide)
    parts["project"] = chain(conv=conv(wide, stage.channels, 1), norm=_norm(stage.channels))
    body = chain(**parts)
    return Residual(body) if stride == 1 and in_channels == stage.channels else body


def _unit(in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    padded: dict[str, nn.Module] = {} if stride == 1 else {"pad": SamePadding(kernel, stride)}
    padding = None if stride == 1 else 0
    return chain(
        **padded,
        conv=conv(in_channels, out_channels, kernel, stride=stride, padding=padding, groups=groups),
        norm=_norm(out_channels),
        act=nn.ReLU6(),
    )


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)  # TensorFlow's momentum 0.99 is PyTorch's 0.01
