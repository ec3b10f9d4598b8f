"""A small residual network, made to learn small photos in little time, from images to logits.

No paper has it as it stands. Stem, widths and the order of a stage (convolution, pooling, norm, activation) are those
of `airbench94`, Keller Jordan: "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, arXiv:2404.00498. There a
stage's second convolution begins as the identity; here it stands in a sum, as in David Page's ResNet-9 ("How to Train
Your ResNet", 2018), and needs no first weights of its own. Other than there, the stem is trained and not computed from
the data, a norm trains its scale, activations are ReLU, and the head takes the mean of a map, so that smaller images,
which make early epochs cheap, give like features.
"""

from __future__ import annotations

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import Residual, chain, conv

_SIZE = 32
_STEM, _WIDTHS = 24, (64, 256, 256)


def quick_resnet(*, classes: int = 10) -> nn.Sequential:
    """A chain from small images (N, 3, H, W) to logits (N, classes), made for the 32x32 pixels of CIFAR-10.

    The stem makes 31x31 pixels of 32x32: the pooled maps then have 15, 7 and 3 pixels a side, not 16, 8 and 4, which
    saves a fifth of the work.
    """
    stem = chain(conv=conv(3, _STEM, 2, padding=0), norm=nn.BatchNorm2d(_STEM), act=nn.ReLU())  # (N, 24, 31, 31)
    stages: dict[str, nn.Module] = {}
    channels = _STEM
    for number, width in enumerate(_WIDTHS, start=1):
        stages[f"stage{number}"] = _stage(channels, width)
        channels = width
    head = chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(channels, classes))
    return check_shapes(chain(stem=stem, **stages, head=head), (3, _SIZE, _SIZE))


def _stage(in_channels: int, channels: int) -> nn.Sequential:
    """Pooled before the norm and the activation, which then have a quarter to do."""
    return chain(
        conv=conv(in_channels, channels, 3),
        pool=nn.MaxPool2d(2),  # (N, channels, H / 2, W / 2)
        norm=nn.BatchNorm2d(channels),
        act=nn.ReLU(),
        sum=Residual(chain(conv=conv(channels, channels, 3), norm=nn.BatchNorm2d(channels), act=nn.ReLU())),
    )
