"""Inception v4, from images to logits.

Christian Szegedy, Sergey Ioffe, Vincent Vanhoucke, Alex Alemi: "Inception-v4, Inception-ResNet and the Impact of
Residual Connections on Learning", 2016, arXiv:1602.07261, figures 3 to 9 with table 1.

Google's code, whose weights timm hands on, and the paper agree but for the order of some 1xn and nx1 convolutions; the
average poolings inside the blocks leave the padding out. Inception-ResNet, of the same paper, is in `inception_resnet`.
"""

from __future__ import annotations

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import Branches, chain
from eyespot.zoo.inception_parts import numbered, projected, row, tensor_names, unit, wide_and_tall, within


def inception_v4(*, classes: int = 1000) -> nn.Sequential:
    """A chain from images (N, 3, H, W) to logits (N, classes); meant for 299x299 pixels, at least 75.

    classes: at least 1.
    """
    net = chain(
        stem=_stem(),  # (N, 384, 35, 35)
        stage1=chain(**{letter: _mixed_35() for letter in "abcd"}),
        stage2=chain(a=_reduction_to_17(), **{letter: _mixed_17() for letter in "bcdefgh"}),  # (N, 1024, 17, 17)
        stage3=chain(a=_reduction_to_8(), **{letter: _mixed_8() for letter in "bcd"}),  # (N, 1536, 8, 8)
        head=chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), drop=nn.Dropout(0.2), fc=nn.Linear(1536, classes)),
    )
    return check_shapes(net, (3, 299, 299))


def timm_names(net: nn.Sequential) -> dict[str, str]:
    """timm's name of every tensor of `net`, mapped to ours: it numbers parts of the stem and blocks in one row."""
    modules = {"last_linear": "head.fc"}
    parts = (part for stage in ("stem", "stage1", "stage2", "stage3") for part in _parts(net, stage))
    for number, (ours, part) in enumerate(parts):
        if isinstance(part, Branches):
            modules |= within(f"features.{number}", ours, _unit_names(part))
        else:
            modules[f"features.{number}"] = ours
    return tensor_names(net, modules)


_MIXED_8_NAMES = {
    "branch0": "b1",
    "branch1_0": "b3.a",
    "branch1_1a": "b3.b.wide",
    "branch1_1b": "b3.b.tall",
    "branch2_0": "b33.a",
    "branch2_1": "b33.b",
    "branch2_2": "b33.c",
    "branch2_3a": "b33.d.wide",
    "branch2_3b": "b33.d.tall",
    "branch3.1": "pool.proj",
}


def _parts(net: nn.Sequential, stage: str) -> list[tuple[str, nn.Module]]:
    return [(f"{stage}.{name}", part) for name, part in net.get_submodule(stage).named_children()]


def _unit_names(branches: Branches) -> dict[str, str]:
    """timm's name of every unit of one part, mapped to ours."""
    parts = [name for name, _ in branches.named_children()]
    if sorted(parts) == ["b3", "pool"]:
        return {"conv": "b3"}
    nested = any(isinstance(module, Branches) for module in branches.modules() if module is not branches)
    return _MIXED_8_NAMES if nested else numbered(branches, first=0)


def _stem() -> nn.Sequential:
    """Figure 3."""
    return chain(
        a=unit(3, 32, 3, stride=2, padding=0),  # (N, 32, 149, 149)
        b=unit(32, 32, 3, padding=0),  # (N, 32, 147, 147)
        c=unit(32, 64, 3),
        d=Branches(pool=nn.MaxPool2d(3, 2), b3=unit(64, 96, 3, stride=2, padding=0)),  # (N, 160, 73, 73)
        e=Branches(
            b3=row(160, (64, 1), (96, 3), padding=0),
            b73=row(160, (64, 1), (64, (1, 7)), (64, (7, 1)), (96, 3), padding=0),
        ),  # (N, 192, 71, 71)
        f=Branches(b3=unit(192, 192, 3, stride=2, padding=0), pool=nn.MaxPool2d(3, 2)),  # (N, 384, 35, 35)
    )


def _mixed_35() -> Branches:
    """Figure 4."""
    return Branches(
        b1=unit(384, 96, 1),
        b3=row(384, (64, 1), (96, 3)),
        b33=row(384, (64, 1), (96, 3), (96, 3)),
        pool=projected(_mean(), 384, 96),
    )


def _reduction_to_17() -> Branches:
    """Figure 7, with k, l, m, n of table 1: 192, 224, 256, 384."""
    return Branches(
        b3=unit(384, 384, 3, stride=2, padding=0),
        b33=row(384, (192, 1), (224, 3), (256, 3), stride=2, padding=0),
        pool=nn.MaxPool2d(3, 2),
    )


def _mixed_17() -> Branches:
    """Figure 5."""
    return Branches(
        b1=unit(1024, 384, 1),
        b7=row(1024, (192, 1), (224, (1, 7)), (256, (7, 1))),
        b77=row(1024, (192, 1), (192, (7, 1)), (224, (1, 7)), (224, (7, 1)), (256, (1, 7))),
        pool=projected(_mean(), 1024, 128),
    )


def _reduction_to_8() -> Branches:
    """Figure 8."""
    return Branches(
        b3=row(1024, (192, 1), (192, 3), stride=2, padding=0),
        b73=row(1024, (256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3), stride=2, padding=0),
        pool=nn.MaxPool2d(3, 2),
    )


def _mixed_8() -> Branches:
    """Figure 6: two of the branches end in a 1x3 beside a 3x1."""
    return Branches(
        b1=unit(1536, 256, 1),
        b3=chain(a=unit(1536, 384, 1), b=wide_and_tall(384, 256)),
        b33=chain(a=unit(1536, 384, 1), b=unit(384, 448, (3, 1)), c=unit(448, 512, (1, 3)), d=wide_and_tall(512, 256)),
        pool=projected(_mean(), 1536, 256),
    )


def _mean() -> nn.AvgPool2d:
    return nn.AvgPool2d(3, 1, 1, count_include_pad=False)
