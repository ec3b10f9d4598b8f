"""ResNets and their plain twins, from images to logits.

Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun: "Deep Residual Learning for Image Recognition", 2015,
arXiv:1512.03385: table 1 for ImageNet, section 4.2 and table 6 for CIFAR-10, figure 3 for the plain twins, which have
the same layers and no shortcuts.

The published weights are torchvision's. There a bottleneck strides on its 3x3 convolution, in the paper on its first
1x1. There every shortcut that changes the shape is a convolution (option B), also in ResNet-18 and 34, which the paper
has with option A too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from string import ascii_lowercase
from typing import Literal, get_args

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import Residual, chain, conv
from eyespot.errors import NetworkError

StrideOn = Literal["1x1", "3x3"]
Shortcuts = Literal["A", "B", "none"]
"""Where a block changes the shape: A, the input, every second pixel of it, with channels of zeros after; B, a 1x1
convolution. Elsewhere both are the input itself. "none" makes the plain twin."""

_Block = Callable[[int, int, int], nn.Sequential]
"""Makes a block from the channels of its input, those its 3x3 convolutions work on, and its stride."""

_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Table 1: how many blocks in conv2_x to conv5_x, by depth."""
_BOTTLENECK_FROM = 50
_EXPANSION = 4
_CHANNELS, _SIZE = (64, 128, 256, 512), 224
_CIFAR_CHANNELS, _CIFAR_SIZE = (16, 32, 64), 32


def resnet(
    depth: int = 50, *, classes: int = 1000, stride_on: StrideOn = "3x3", shortcuts: Shortcuts = "B"
) -> nn.Sequential:
    """A chain from images (N, 3, H, W) to logits (N, classes), made for 224x224 pixels.

    depth: 18, 34, 50, 101 or 152 layers with weights; from 50 on the blocks are bottlenecks.
    stride_on: which convolution of a bottleneck strides; "1x1" in the paper, "3x3" for the published weights.
    shortcuts: as `Shortcuts` says; "none" with depth 18 or 34 is the paper's plain network.
    Raises NetworkError for another depth or word.
    """
    if depth not in _BLOCKS:
        raise NetworkError(f"There is no ResNet-{depth}: the depths are {', '.join(map(str, _BLOCKS))}.")
    _require("stride_on", stride_on, get_args(StrideOn))
    _require("shortcuts", shortcuts, get_args(Shortcuts))
    block: _Block = partial(_basic, shortcuts=shortcuts)
    expansion = 1
    if depth >= _BOTTLENECK_FROM:
        block, expansion = partial(_bottleneck, stride_on=stride_on, shortcuts=shortcuts), _EXPANSION
    stem = chain(
        conv=conv(3, 64, 7, stride=2),  # (N, 64, 112, 112)
        norm=nn.BatchNorm2d(64),
        act=nn.ReLU(),
        pool=nn.MaxPool2d(3, 2, 1),  # (N, 64, 56, 56)
    )
    stages = _stages(64, _CHANNELS, _BLOCKS[depth], block, expansion=expansion)
    net = chain(stem=stem, **stages, head=_head(_CHANNELS[-1] * expansion, classes))
    return check_shapes(net, (3, _SIZE, _SIZE))


def resnet_cifar(depth: int = 20, *, classes: int = 10, shortcuts: Shortcuts = "A") -> nn.Sequential:
    """A chain from small images (N, 3, H, W) to logits (N, classes), made for the 32x32 pixels of CIFAR-10.

    depth: 6n + 2 for n blocks in each of three stages; 20, 32, 44, 56, 110 and 1202 in the paper.
    shortcuts: as `Shortcuts` says; A in the paper, so that a network and its plain twin have the same parameters.
    Raises NetworkError for another depth or word.
    """
    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        raise NetworkError(f"There is no CIFAR ResNet of depth {depth}: it is 6n + 2, as 20, 32, 44, 56, 110 or 1202.")
    _require("shortcuts", shortcuts, get_args(Shortcuts))
    first = _CIFAR_CHANNELS[0]
    stem = chain(conv=conv(3, first, 3), norm=nn.BatchNorm2d(first), act=nn.ReLU())  # (N, 16, 32, 32)
    stages = _stages(first, _CIFAR_CHANNELS, (blocks,) * 3, partial(_basic, shortcuts=shortcuts), expansion=1)
    net = chain(stem=stem, **stages, head=_head(_CIFAR_CHANNELS[-1], classes))
    return check_shapes(net, (3, _CIFAR_SIZE, _CIFAR_SIZE))


def torchvision_names(net: nn.Sequential) -> dict[str, str]:
    """torchvision's name of every tensor of a `resnet` with shortcuts B, mapped to ours.

    Its stages are layer1 to layer4, its blocks are numbered, and its shortcut is `downsample`.
    """
    theirs = {"stem.conv": "conv1", "stem.norm": "bn1", "head.fc": "fc"}
    for number in range(1, len(_CHANNELS) + 1):
        stage = net.get_submodule(f"stage{number}")
        for index, (letters, _) in enumerate(stage.named_children()):
            ours, block = f"stage{number}.{letters}.sum", f"layer{number}.{index}"
            theirs |= {f"{ours}.body.conv{n}": f"{block}.conv{n}" for n in (1, 2, 3)}
            theirs |= {f"{ours}.body.norm{n}": f"{block}.bn{n}" for n in (1, 2, 3)}
            theirs |= {
                f"{ours}.shortcut.conv": f"{block}.downsample.0",
                f"{ours}.shortcut.norm": f"{block}.downsample.1",
            }
    pairs = (key.rpartition(".") for key in net.state_dict())
    return {f"{theirs[module]}.{tensor}": f"{module}.{tensor}" for module, _, tensor in pairs}


def _require(argument: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise NetworkError(f"A ResNet cannot have {argument}={value!r}: it is one of {', '.join(allowed)}.")


def _stages(
    channels: int, widths: tuple[int, ...], blocks: tuple[int, ...], block: _Block, *, expansion: int
) -> dict[str, nn.Module]:
    """stage1, stage2, ...: each but the first begins with a block of stride 2."""
    stages: dict[str, nn.Module] = {}
    for number, (width, length) in enumerate(zip(widths, blocks, strict=True), start=1):
        made: dict[str, nn.Module] = {}
        for index in range(length):
            made[_name(index)] = block(channels, width, 2 if number > 1 and index == 0 else 1)
            channels = width * expansion
        stages[f"stage{number}"] = chain(**made)
    return stages


def _name(index: int) -> str:
    """a, b, ... z, aa, ab, ...: ResNet-152 has 36 blocks in a stage, ResNet-1202 has 200."""
    before, last = divmod(index, len(ascii_lowercase))
    return (_name(before - 1) if before else "") + ascii_lowercase[last]


def _basic(in_channels: int, channels: int, stride: int, *, shortcuts: Shortcuts) -> nn.Sequential:
    """Two 3x3 convolutions; figure 5, left."""
    body = chain(
        conv1=conv(in_channels, channels, 3, stride=stride),
        norm1=nn.BatchNorm2d(channels),
        act1=nn.ReLU(),
        conv2=conv(channels, channels, 3),
        norm2=nn.BatchNorm2d(channels),
    )
    return _block(body, in_channels, channels, stride, shortcuts)


def _bottleneck(
    in_channels: int, channels: int, stride: int, *, stride_on: StrideOn, shortcuts: Shortcuts
) -> nn.Sequential:
    """A 3x3 convolution between two of 1x1, which make the channels fewer and four times as many; figure 5, right."""
    wide = channels * _EXPANSION
    body = chain(
        conv1=conv(in_channels, channels, 1, stride=stride if stride_on == "1x1" else 1),
        norm1=nn.BatchNorm2d(channels),
        act1=nn.ReLU(),
        conv2=conv(channels, channels, 3, stride=stride if stride_on == "3x3" else 1),
        norm2=nn.BatchNorm2d(channels),
        act2=nn.ReLU(),
        conv3=conv(channels, wide, 1),
        norm3=nn.BatchNorm2d(wide),
    )
    return _block(body, in_channels, wide, stride, shortcuts)


def _block(
    body: nn.Sequential, in_channels: int, out_channels: int, stride: int, shortcuts: Shortcuts
) -> nn.Sequential:
    if shortcuts == "none":
        return chain(body=body, act=nn.ReLU())
    same = stride == 1 and in_channels == out_channels
    change = _padded if shortcuts == "A" else _projected
    return chain(sum=Residual(body, None if same else change(in_channels, out_channels, stride)), act=nn.ReLU())


def _padded(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Option A, without parameters; the zeros stand after, as in github.com/facebookarchive/fb.resnet.torch."""
    zeros = (0, 0, 0, 0, 0, out_channels - in_channels)  # before and after: left and right, top and bottom, channels
    return chain(pool=nn.AvgPool2d(1, stride), pad=nn.ZeroPad3d(zeros))  # a window of one pixel only leaves pixels out


def _projected(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Option B."""
    return chain(conv=conv(in_channels, out_channels, 1, stride=stride), norm=nn.BatchNorm2d(out_channels))


def _head(channels: int, classes: int) -> nn.Sequential:
    return chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(channels, classes))
