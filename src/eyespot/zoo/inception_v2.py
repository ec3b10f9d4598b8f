"""BN-Inception, the first network called Inception v2, from images to logits.

Sergey Ioffe, Christian Szegedy: "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
Shift", 2015, arXiv:1502.03167, figure 5 of the appendix.

The figure contradicts itself. Its branches of 4c and 4d have 608 channels, where it prints 576, and therefore those of
4e have 1056, where it prints 1024; for 3c and 4e it prints the size before their stride. Its numbers of filters hold
here, as in the Caffe network for which weights were published. Against the paper: the first convolution is a plain one
unless `separable_stem` is given, and convolutions of stride 2 pad both sides alike, as Caffe does.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import Branches, SamePadding, chain, conv
from eyespot.zoo.inception_parts import projected, row, unit


class _Widths(NamedTuple):
    """Channels, as figure 5 heads its columns; the two 3x3 in a row have the same."""

    one: int
    three_reduce: int
    three: int
    double_reduce: int
    double: int
    pool: int


_STAGE3 = {"a": _Widths(64, 64, 64, 64, 96, 32), "b": _Widths(64, 64, 96, 64, 96, 64)}
_TO_STAGE4 = _Widths(0, 128, 160, 64, 96, 0)
_STAGE4 = {
    "a": _Widths(224, 64, 96, 96, 128, 128),
    "b": _Widths(192, 96, 128, 96, 128, 128),
    "c": _Widths(160, 128, 160, 128, 160, 128),
    "d": _Widths(96, 128, 192, 160, 192, 128),
}
_TO_STAGE5 = _Widths(0, 128, 192, 192, 256, 0)
_STAGE5 = {"a": _Widths(352, 192, 320, 160, 224, 128), "b": _Widths(352, 192, 320, 192, 224, 128)}

_DEPTH_MULTIPLIER = 8


def inception_v2(*, classes: int = 1000, separable_stem: bool = False) -> nn.Sequential:
    """A chain from images (N, 3, H, W) to logits (N, classes); meant for 224x224 pixels, at least 7.

    The stages have the paper's numbers: the module it calls "inception (4a)" is `stage4.a`.

    classes: at least 1.
    separable_stem: whether the first convolution is depthwise with 8 outputs for each colour, then pointwise.
    """
    net = chain(
        stage1=_stage1(separable_stem),  # (N, 64, 56, 56)
        stage2=chain(a=unit(64, 64, 1), b=unit(64, 192, 3), pool=nn.MaxPool2d(3, 2, ceil_mode=True)),
        stage3=chain(  # from (N, 192, 28, 28)
            a=_block(192, _STAGE3["a"], nn.AvgPool2d(3, 1, 1)),
            b=_block(256, _STAGE3["b"], nn.AvgPool2d(3, 1, 1)),
            c=_halving(320, _TO_STAGE4),
        ),
        stage4=chain(  # from (N, 576, 14, 14)
            a=_block(576, _STAGE4["a"], nn.AvgPool2d(3, 1, 1)),
            b=_block(576, _STAGE4["b"], nn.AvgPool2d(3, 1, 1)),
            c=_block(576, _STAGE4["c"], nn.AvgPool2d(3, 1, 1)),
            d=_block(608, _STAGE4["d"], nn.AvgPool2d(3, 1, 1)),
            e=_halving(608, _TO_STAGE5),
        ),
        stage5=chain(  # from (N, 1056, 7, 7)
            a=_block(1056, _STAGE5["a"], nn.AvgPool2d(3, 1, 1)),
            b=_block(1024, _STAGE5["b"], nn.MaxPool2d(3, 1, 1)),
        ),
        head=chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(1024, classes)),
    )
    return check_shapes(net, (3, 224, 224))


def _stage1(separable: bool) -> nn.Sequential:
    pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    if not separable:
        return chain(**dict(unit(3, 64, 7, stride=2, padding=3).named_children()), pool=pool)
    wide = 3 * _DEPTH_MULTIPLIER
    return chain(depth=conv(3, wide, 7, stride=2, groups=3), **dict(unit(wide, 64, 1).named_children()), pool=pool)


def _block(in_channels: int, widths: _Widths, pool: nn.Module) -> Branches:
    return Branches(
        b1=unit(in_channels, widths.one, 1),
        b3=row(in_channels, (widths.three_reduce, 1), (widths.three, 3)),
        b33=row(in_channels, (widths.double_reduce, 1), (widths.double, 3), (widths.double, 3)),
        pool=projected(pool, in_channels, widths.pool),
    )


def _halving(in_channels: int, widths: _Widths) -> Branches:
    """A block of stride 2, whose pooling hands all channels on ("pass through").

    Its input is never negative, so zeros around it do not change a maximum.
    """
    return Branches(
        b3=row(in_channels, (widths.three_reduce, 1), (widths.three, 3), stride=2),
        b33=row(in_channels, (widths.double_reduce, 1), (widths.double, 3), (widths.double, 3), stride=2),
        pool=chain(pad=SamePadding(3, 2), pool=nn.MaxPool2d(3, 2)),
    )
