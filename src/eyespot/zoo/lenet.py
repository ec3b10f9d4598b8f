"""LeNet-5, from small pictures to logits.

Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner: "Gradient-Based Learning Applied to Document Recognition",
Proceedings of the IEEE 86(11), 1998, section II.B and figure 2.

`lenet5_1998` is the paper's network up to its last layer, F6. The paper's output then compares the 84 values of F6 with
a drawing of each character, 7x12 pixels, that nobody trains (radial basis functions). Here it is a linear layer, which
needs no drawings and takes any classes.

`lenet5` is its modern form, the one most courses show. Against the paper: ReLU for tanh, max pooling for trainable
subsampling, every map of C3 sees all maps of S2, and a linear layer at the end.
"""

from __future__ import annotations

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import Branches, Pick, ScaledTanh, chain, conv

_SIZE = 32
_SEEN_BY_C3 = (  # table I: the maps of S2 that each map of C3 sees
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


def lenet5(classes: int = 10, *, channels: int = 1) -> nn.Sequential:
    """A chain from images (N, channels, 32, 32) to logits (N, classes); the modern form.

    classes: at least 1; ten digits in the paper.
    channels: 1 for grey, 3 for RGB.
    """
    net = chain(
        stage1=_stage(channels, 6),  # (N, 6, 14, 14)
        stage2=_stage(6, 16),  # (N, 16, 5, 5)
        head=chain(
            flat=nn.Flatten(),  # (N, 400)
            fc1=nn.Linear(16 * 5 * 5, 120),
            act1=nn.ReLU(),
            fc2=nn.Linear(120, 84),
            act2=nn.ReLU(),
            fc=nn.Linear(84, classes),
        ),
    )
    return check_shapes(net, (channels, _SIZE, _SIZE))


def lenet5_1998(classes: int = 10) -> nn.Sequential:
    """A chain from grey images (N, 1, 32, 32) to logits (N, classes); the paper's form, but for its output.

    classes: at least 1.
    """
    net = chain(
        stage1=chain(
            c1=chain(conv=conv(1, 6, 5, padding=0, bias=True), act=ScaledTanh()),  # (N, 6, 28, 28)
            s2=_subsampling(6),  # (N, 6, 14, 14)
        ),
        stage2=chain(
            c3=chain(maps=_sparse(_SEEN_BY_C3), act=ScaledTanh()),  # (N, 16, 10, 10)
            s4=_subsampling(16),  # (N, 16, 5, 5)
        ),
        head=chain(
            c5=chain(conv=conv(16, 120, 5, padding=0, bias=True), act=ScaledTanh()),  # (N, 120, 1, 1)
            flat=nn.Flatten(),
            f6=chain(fc=nn.Linear(120, 84), act=ScaledTanh()),
            fc=nn.Linear(84, classes),
        ),
    )
    return check_shapes(net, (1, _SIZE, _SIZE))


def _stage(in_channels: int, out_channels: int) -> nn.Sequential:
    return chain(conv=conv(in_channels, out_channels, 5, padding=0, bias=True), act=nn.ReLU(), pool=nn.MaxPool2d(2, 2))


def _subsampling(channels: int) -> nn.Sequential:
    """The mean of 2x2 pixels, times a coefficient, plus a bias: one of each for a map, which a 1x1 kernel holds.

    The paper takes the sum of the four instead, so that its coefficient is a quarter of this one.
    """
    return chain(
        pool=nn.AvgPool2d(2, 2), conv=conv(channels, channels, 1, groups=channels, bias=True), act=ScaledTanh()
    )


def _sparse(seen: tuple[tuple[int, ...], ...]) -> Branches:
    """A 5x5 convolution whose maps see only some channels each: those that see equally many are groups of one.

    seen: the channels that each map sees, fewest first.
    """
    branches: dict[str, nn.Module] = {}
    for many in sorted({len(channels) for channels in seen}):
        maps = [channels for channels in seen if len(channels) == many]
        picked = Pick(*(channel for channels in maps for channel in channels))
        grouped = conv(many * len(maps), len(maps), 5, padding=0, groups=len(maps), bias=True)
        branches[f"see{many}"] = chain(pick=picked, conv=grouped)
    return Branches(**branches)
