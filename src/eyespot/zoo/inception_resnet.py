"""Inception-ResNet-v2, from images to logits.

Christian Szegedy, Sergey Ioffe, Vincent Vanhoucke, Alex Alemi: "Inception-v4, Inception-ResNet and the Impact of
Residual Connections on Learning", 2016, arXiv:1602.07261, figures 15 to 19 with table 1, and section 3.3.

This is the network of Google's code and of timm, for which weights are published. It differs from the paper: its stem
is that of Inception v3 with one more block; its stages are 320, 1088 and 2080 channels wide (384, 1152 and 2144 by the
figures, which print 1154 and 2048 for the last two) and have 10, 20 and 10 blocks (5, 10 and 5); the last block adds
its body in full and has no ReLU; and a 1x1 convolution stands before the mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import Branches, Residual, chain, conv
from eyespot.zoo.inception_parts import numbered, projected, row, stem, tensor_names, unit, within

_SCALES = (0.17, 0.1, 0.2)
"""Of the bodies of each stage, so that training stays stable (section 3.3 of the paper: 0.1 to 0.3)."""


def inception_resnet_v2(*, classes: int = 1000) -> nn.Sequential:
    """A chain from images (N, 3, H, W) to logits (N, classes); meant for 299x299 pixels, at least 75.

    classes: at least 1.
    """
    net = chain(
        stem=stem(),  # (N, 192, 35, 35)
        stage1=chain(a=_widening(), **{letter: _block(_mixed_35(), 128, 320, _SCALES[0]) for letter in _letters(10)}),
        stage2=chain(
            a=_reduction_to_17(),  # (N, 1088, 17, 17)
            **{letter: _block(_mixed_17(), 384, 1088, _SCALES[1]) for letter in _letters(20)},
        ),
        stage3=chain(
            a=_reduction_to_8(),  # (N, 2080, 8, 8)
            **{letter: _block(_mixed_8(), 448, 2080, _SCALES[2]) for letter in _letters(9)},
            k=chain(sum=_sum(_mixed_8(), 448, 2080, 1.0)),
        ),
        head=chain(
            **dict(unit(2080, 1536, 1).named_children()),
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            drop=nn.Dropout(0.2),
            fc=nn.Linear(1536, classes),
        ),
    )
    return check_shapes(net, (3, 299, 299))


def timm_names(net: nn.Sequential) -> dict[str, str]:
    """timm's name of every tensor of `net`, mapped to ours."""
    modules = _STEM_NAMES | {"conv2d_7b": "head", "classif": "head.fc"}
    for theirs, ours in _blocks(net):
        block = net.get_submodule(ours)
        if isinstance(block, Branches):
            modules |= within(theirs, ours, numbered(block, first=0))
        else:
            mix = net.get_submodule(f"{ours}.sum.body.mix")
            assert isinstance(mix, Branches)
            modules |= within(theirs, f"{ours}.sum.body.mix", numbered(mix, first=0))
            modules[f"{theirs}.conv2d"] = f"{ours}.sum.body.conv"
    return tensor_names(net, modules)


_STEM_NAMES = {
    "conv2d_1a": "stem.a",
    "conv2d_2a": "stem.b",
    "conv2d_2b": "stem.c",
    "conv2d_3b": "stem.d",
    "conv2d_4a": "stem.e",
}
_FIRST_NAMES = {"stage1": "mixed_5b", "stage2": "mixed_6a", "stage3": "mixed_7a"}
_REPEAT_NAMES = {"stage1": "repeat", "stage2": "repeat_1", "stage3": "repeat_2"}


def _blocks(net: nn.Sequential) -> Iterator[tuple[str, str]]:
    """timm's name of every block, and ours: its last one stands apart."""
    for stage, first in _FIRST_NAMES.items():
        yield first, f"{stage}.a"
        letters = [letter for letter, _ in net.get_submodule(stage).named_children()]
        for number, letter in enumerate(letters[1:]):
            last = (stage, letter) == ("stage3", "k")
            yield "block8" if last else f"{_REPEAT_NAMES[stage]}.{number}", f"{stage}.{letter}"


def _letters(blocks: int) -> str:
    return ascii_lowercase[1 : blocks + 1]


def _block(mix: Branches, mixed: int, channels: int, scale: float) -> nn.Sequential:
    return chain(sum=_sum(mix, mixed, channels, scale), act=nn.ReLU())


def _sum(mix: Branches, mixed: int, channels: int, scale: float) -> Residual:
    """Branches whose channels, `mixed`, a 1x1 convolution brings back to those of the shortcut."""
    return Residual(chain(mix=mix, conv=conv(mixed, channels, 1, bias=True)), scale=scale)


def _widening() -> Branches:
    return Branches(
        b1=unit(192, 96, 1),
        b5=row(192, (48, 1), (64, 5)),
        b33=row(192, (64, 1), (96, 3), (96, 3)),
        pool=projected(nn.AvgPool2d(3, 1, 1, count_include_pad=False), 192, 64),
    )


def _mixed_35() -> Branches:
    """Figure 16."""
    return Branches(
        b1=unit(320, 32, 1),
        b3=row(320, (32, 1), (32, 3)),
        b33=row(320, (32, 1), (48, 3), (64, 3)),
    )


def _reduction_to_17() -> Branches:
    """Figure 7, with k, l, m, n of table 1: 256, 256, 384, 384."""
    return Branches(
        b3=unit(320, 384, 3, stride=2, padding=0),
        b33=row(320, (256, 1), (256, 3), (384, 3), stride=2, padding=0),
        pool=nn.MaxPool2d(3, 2),
    )


def _mixed_17() -> Branches:
    """Figure 17."""
    return Branches(b1=unit(1088, 192, 1), b7=row(1088, (128, 1), (160, (1, 7)), (192, (7, 1))))


def _reduction_to_8() -> Branches:
    """Figure 18."""
    return Branches(
        b3=row(1088, (256, 1), (384, 3), stride=2, padding=0),
        b3_narrow=row(1088, (256, 1), (288, 3), stride=2, padding=0),
        b33=row(1088, (256, 1), (288, 3), (320, 3), stride=2, padding=0),
        pool=nn.MaxPool2d(3, 2),
    )


def _mixed_8() -> Branches:
    """Figure 19."""
    return Branches(b1=unit(2080, 192, 1), b3=row(2080, (192, 1), (224, (1, 3)), (256, (3, 1))))
