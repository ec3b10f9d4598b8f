"""Network in Network, from images to logits.

Min Lin, Qiang Chen, Shuicheng Yan: "Network In Network", 2013, arXiv:1312.4400, section 3 and figure 2: each
convolution is followed by two of 1x1, a small perceptron that slides over the image, and the mean of a map over the
image is the logit of a class (global average pooling).

The paper gives no widths. They are those of the authors' own models: for CIFAR-10 github.com/mavenlin/cuda-convnet,
for ImageNet, which the paper does not have, "Network in Network ImageNet Model" of the Caffe model zoo. As in Caffe, a
last window that reaches over the edge of the image counts (`ceil_mode`).
"""

from __future__ import annotations

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import chain, conv

_SIZE, _CIFAR_SIZE = 224, 32


def nin_cifar10(*, classes: int = 10) -> nn.Sequential:
    """A chain from small images (N, 3, H, W) to logits (N, classes), made for the 32x32 pixels of CIFAR-10."""
    net = chain(
        stage1=chain(
            **_perceptron(conv(3, 192, 5, bias=True), 160, 96),  # (N, 96, 32, 32)
            pool=nn.MaxPool2d(3, 2, ceil_mode=True),  # (N, 96, 16, 16)
            drop=nn.Dropout(0.5),
        ),
        stage2=chain(
            **_perceptron(conv(96, 192, 5, bias=True), 192, 192),
            pool=nn.AvgPool2d(3, 2, ceil_mode=True),  # (N, 192, 8, 8)
            drop=nn.Dropout(0.5),
        ),
        stage3=chain(**_perceptron(conv(192, 192, 3, bias=True), 192)),
        head=_head(192, classes),
    )
    return check_shapes(net, (3, _CIFAR_SIZE, _CIFAR_SIZE))


def nin_imagenet(*, classes: int = 1000) -> nn.Sequential:
    """A chain from images (N, 3, H, W) to logits (N, classes), made for 224x224 pixels."""
    net = chain(
        stage1=chain(
            **_perceptron(conv(3, 96, 11, stride=4, padding=0, bias=True), 96, 96),  # (N, 96, 54, 54)
            pool=nn.MaxPool2d(3, 2, ceil_mode=True),  # (N, 96, 27, 27)
        ),
        stage2=chain(
            **_perceptron(conv(96, 256, 5, bias=True), 256, 256),
            pool=nn.MaxPool2d(3, 2, ceil_mode=True),  # (N, 256, 13, 13)
        ),
        stage3=chain(
            **_perceptron(conv(256, 384, 3, bias=True), 384, 384),
            pool=nn.MaxPool2d(3, 2, ceil_mode=True),  # (N, 384, 6, 6)
            drop=nn.Dropout(0.5),
        ),
        stage4=chain(**_perceptron(conv(384, 1024, 3, bias=True), 1024)),
        head=_head(1024, classes),
    )
    return check_shapes(net, (3, _SIZE, _SIZE))


def _perceptron(first: nn.Conv2d, *widths: int) -> dict[str, nn.Module]:
    """A convolution and 1x1 convolutions of these widths after it, each with its ReLU."""
    parts: dict[str, nn.Module] = {"conv1": first, "act1": nn.ReLU()}
    channels = first.out_channels
    for number, width in enumerate(widths, start=2):
        parts |= {f"conv{number}": conv(channels, width, 1, bias=True), f"act{number}": nn.ReLU()}
        channels = width
    return parts


def _head(channels: int, classes: int) -> nn.Sequential:
    """The last 1x1 convolution has a map for each class; its mean over the image is the logit."""
    return chain(
        conv=conv(channels, classes, 1, bias=True), act=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()
    )
