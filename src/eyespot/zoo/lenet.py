"""LeNet-5, from small pictures to logits.

Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner: "Gradient-Based Learning Applied to Document Recognition",
Proceedings of the IEEE 86(11), 1998, section II.B and figure 2.

This is its modern form. Against the paper: ReLU for tanh, max pooling for trainable subsampling, every map of C3 sees
all maps of S2 (the paper's table I leaves some out), and a linear layer for the radial basis functions of the output.
"""

from __future__ import annotations

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import chain, conv

_SIZE = 32


def lenet5(classes: int = 10, *, channels: int = 1) -> nn.Sequential:
    """A chain from images (N, channels, 32, 32) to logits (N, classes).

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


def _stage(in_channels: int, out_channels: int) -> nn.Sequential:
    return chain(conv=conv(in_channels, out_channels, 5, padding=0, bias=True), act=nn.ReLU(), pool=nn.MaxPool2d(2, 2))
