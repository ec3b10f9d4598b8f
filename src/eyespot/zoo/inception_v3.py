"""Inception v3, from images to logits.

Christian Szegedy, Vincent Vanhoucke, Sergey Ioffe, Jonathon Shlens, Zbigniew Wojna: "Rethinking the Inception
Architecture for Computer Vision", 2015, arXiv:1512.00567, table 1 and figures 5, 6, 7 and 10.

This is the network of Google's code and of torchvision, for which weights are published. It differs from the paper's
table 1: the stem ends in a 1x1, a 3x3 and a pooling where the table has three 3x3, and the blocks on 35x35 keep one
branch with a 5x5. The widths of the branches, which the paper does not print, are those of the code.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import Branches, WithHeads, chain
from eyespot.zoo.inception_parts import projected, row, stem, tensor_names, unit, wide_and_tall, within

_HEAD_STAGE = "stage2.e"


def inception_v3(*, classes: int = 1000) -> nn.Sequential:
    """A chain from images (N, 3, H, W) to logits (N, classes); meant for 299x299 pixels, at least 75.

    classes: at least 1.
    """
    net = chain(
        stem=stem(),  # (N, 192, 35, 35)
        stage1=chain(a=_mixed_35(192, 32), b=_mixed_35(256, 64), c=_mixed_35(288, 64)),  # (N, 288, 35, 35)
        stage2=chain(
            a=_reduction_to_17(288),  # (N, 768, 17, 17)
            b=_mixed_17(128),
            c=_mixed_17(160),
            d=_mixed_17(160),
            e=_mixed_17(192),
        ),
        stage3=chain(a=_reduction_to_8(), b=_mixed_8(1280), c=_mixed_8(2048)),  # (N, 2048, 8, 8)
        head=chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), drop=nn.Dropout(0.5), fc=nn.Linear(2048, classes)),
    )
    return check_shapes(net, (3, 299, 299))


def inception_v3_heads(*, classes: int = 1000) -> dict[str, nn.Sequential]:
    """The auxiliary head by the stage whose output it takes, for `WithHeads`; for images of 299x299 pixels.

    In training, its loss counts 0.4 in Google's code; the paper gives no number.

    classes: that of the network.
    """
    head = chain(
        pool=nn.AvgPool2d(5, 3),  # (N, 768, 5, 5)
        a=unit(768, 128, 1),
        b=unit(128, 768, 5, padding=0),  # (N, 768, 1, 1)
        mean=nn.AdaptiveAvgPool2d(1),
        flat=nn.Flatten(),
        fc=nn.Linear(768, classes),
    )
    return {_HEAD_STAGE: check_shapes(head, (768, 17, 17))}


def torchvision_names(net: nn.Sequential) -> dict[str, str]:
    """torchvision's name of every tensor of `net`, mapped to ours."""
    modules = dict(zip(_STEM_NAMES, ("stem.a", "stem.b", "stem.c", "stem.d", "stem.e"), strict=True))
    for stage, (number, letters) in _MIXED_NAMES.items():
        blocks = net.get_submodule(stage).named_children()
        for theirs, (ours, block) in zip(letters, blocks, strict=True):
            modules |= within(f"Mixed_{number}{theirs}", f"{stage}.{ours}", _unit_names(block))
    return tensor_names(net, modules | {"fc": "head.fc"})


def torchvision_head_names(heads: Mapping[str, nn.Module]) -> dict[str, str]:
    """torchvision's name of every tensor of the auxiliary head, mapped to its name in `WithHeads`."""
    ours = tensor_names(heads[_HEAD_STAGE], {"conv0": "a", "conv1": "b", "fc": "fc"})
    return within("AuxLogits", WithHeads.place(_HEAD_STAGE), ours)


_STEM_NAMES = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3")
_MIXED_NAMES = {"stage1": (5, "bcd"), "stage2": (6, "abcde"), "stage3": (7, "abc")}
_BRANCH_NAMES = {
    "b1": "branch1x1",
    "b3": "branch3x3",
    "b5": "branch5x5",
    "b7": "branch7x7",
    "b33": "branch3x3dbl",
    "b73": "branch7x7x3",
    "b77": "branch7x7dbl",
    "pool.proj": "branch_pool",
}
_PART_NAMES = {"wide": "a", "tall": "b"} | {letter: f"_{number}" for number, letter in enumerate("abcde", start=1)}


def _unit_names(block: nn.Module) -> dict[str, str]:
    """torchvision's name of every unit of a block, mapped to ours: `branch3x3dbl_3a` is `b33.c.wide`."""
    names: dict[str, str] = {}
    for ours in (name.removesuffix(".conv") for name, _ in block.named_modules() if name.endswith(".conv")):
        branch = next(branch for branch in _BRANCH_NAMES if f"{ours}.".startswith(f"{branch}."))
        parts = ours.removeprefix(branch).split(".")[1:]
        names[_BRANCH_NAMES[branch] + "".join(_PART_NAMES[part] for part in parts)] = ours
    return names


def _mixed_35(in_channels: int, pool_channels: int) -> Branches:
    """Figure 5, with its second branch as one 5x5."""
    return Branches(
        b1=unit(in_channels, 64, 1),
        b5=row(in_channels, (48, 1), (64, 5)),
        b33=row(in_channels, (64, 1), (96, 3), (96, 3)),
        pool=projected(nn.AvgPool2d(3, 1, 1), in_channels, pool_channels),
    )


def _reduction_to_17(in_channels: int) -> Branches:
    """Figure 10."""
    return Branches(
        b3=unit(in_channels, 384, 3, stride=2, padding=0),
        b33=row(in_channels, (64, 1), (96, 3), (96, 3), stride=2, padding=0),
        pool=nn.MaxPool2d(3, 2),
    )


def _mixed_17(inner: int) -> Branches:
    """Figure 6: a 7x7 becomes a 1x7 and a 7x1."""
    return Branches(
        b1=unit(768, 192, 1),
        b7=row(768, (inner, 1), (inner, (1, 7)), (192, (7, 1))),
        b77=row(768, (inner, 1), (inner, (7, 1)), (inner, (1, 7)), (inner, (7, 1)), (192, (1, 7))),
        pool=projected(nn.AvgPool2d(3, 1, 1), 768, 192),
    )


def _reduction_to_8() -> Branches:
    return Branches(
        b3=row(768, (192, 1), (320, 3), stride=2, padding=0),
        b73=row(768, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3), stride=2, padding=0),
        pool=nn.MaxPool2d(3, 2),
    )


def _mixed_8(in_channels: int) -> Branches:
    """Figure 7: two of the branches end in a 1x3 beside a 3x1."""
    return Branches(
        b1=unit(in_channels, 320, 1),
        b3=chain(a=unit(in_channels, 384, 1), b=wide_and_tall(384, 384)),
        b33=chain(a=unit(in_channels, 448, 1), b=unit(448, 384, 3), c=wide_and_tall(384, 384)),
        pool=projected(nn.AvgPool2d(3, 1, 1), in_channels, 192),
    )
