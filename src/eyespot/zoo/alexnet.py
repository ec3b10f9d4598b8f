"""AlexNet, from images to logits.

`alexnet_paper`: Alex Krizhevsky, Ilya Sutskever, Geoffrey E. Hinton: "ImageNet Classification with Deep Convolutional
Neural Networks", NeurIPS 2012, section 3 and figure 2. Its two groups are the two graphics cards it was trained on. The
paper says 224 pixels, but its layers need 227. Normalisation runs over the maps of both cards, as in Caffe's
bvlc_alexnet.

`alexnet`: Alex Krizhevsky: "One weird trick for parallelizing convolutional neural networks", 2014, arXiv:1404.5997, as
torchvision has it and has published weights for: no groups, no normalisation, fewer maps.
"""

from __future__ import annotations

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import chain, conv

_SIZE, _PAPER_SIZE = 224, 227


def alexnet(*, classes: int = 1000) -> nn.Sequential:
    """A chain from images (N, 3, H, W) to logits (N, classes), made for 224x224 pixels; torchvision's form."""
    net = chain(
        stage1=chain(conv=conv(3, 64, 11, stride=4, padding=2, bias=True), act=nn.ReLU(), pool=_pool()),
        stage2=chain(conv=conv(64, 192, 5, bias=True), act=nn.ReLU(), pool=_pool()),
        stage3=chain(conv=conv(192, 384, 3, bias=True), act=nn.ReLU()),
        stage4=chain(conv=conv(384, 256, 3, bias=True), act=nn.ReLU()),
        stage5=chain(conv=conv(256, 256, 3, bias=True), act=nn.ReLU(), pool=_pool()),
        head=chain(
            pool=nn.AdaptiveAvgPool2d(6),  # (N, 256, 6, 6)
            flat=nn.Flatten(),  # (N, 9216)
            drop1=nn.Dropout(0.5),
            fc1=nn.Linear(256 * 6 * 6, 4096),
            act1=nn.ReLU(),
            drop2=nn.Dropout(0.5),
            fc2=nn.Linear(4096, 4096),
            act2=nn.ReLU(),
            fc=nn.Linear(4096, classes),
        ),
    )
    return check_shapes(net, (3, _SIZE, _SIZE))


def alexnet_paper(*, classes: int = 1000) -> nn.Sequential:
    """A chain from images (N, 3, 227, 227) to logits (N, classes); the form of 2012."""
    net = chain(
        stage1=chain(conv=conv(3, 96, 11, stride=4, padding=0, bias=True), act=nn.ReLU(), norm=_norm(), pool=_pool()),
        stage2=chain(conv=conv(96, 256, 5, groups=2, bias=True), act=nn.ReLU(), norm=_norm(), pool=_pool()),
        stage3=chain(conv=conv(256, 384, 3, bias=True), act=nn.ReLU()),
        stage4=chain(conv=conv(384, 384, 3, groups=2, bias=True), act=nn.ReLU()),
        stage5=chain(conv=conv(384, 256, 3, groups=2, bias=True), act=nn.ReLU(), pool=_pool()),
        head=chain(
            flat=nn.Flatten(),  # (N, 9216)
            fc1=nn.Linear(256 * 6 * 6, 4096),
            act1=nn.ReLU(),
            drop1=nn.Dropout(0.5),
            fc2=nn.Linear(4096, 4096),
            act2=nn.ReLU(),
            drop2=nn.Dropout(0.5),
            fc=nn.Linear(4096, classes),
        ),
    )
    return check_shapes(net, (3, _PAPER_SIZE, _PAPER_SIZE))


def torchvision_names(net: nn.Sequential) -> dict[str, str]:
    """torchvision's name of every tensor of an `alexnet`, mapped to ours: it numbers the layers of two long chains."""
    convs = dict(zip((0, 3, 6, 8, 10), range(1, 6), strict=True))
    modules = {f"features.{number}": f"stage{stage}.conv" for number, stage in convs.items()}
    modules |= {"classifier.1": "head.fc1", "classifier.4": "head.fc2", "classifier.6": "head.fc"}
    return {
        f"{theirs}.{tensor}": f"{ours}.{tensor}" for theirs, ours in modules.items() for tensor in ("weight", "bias")
    }


def _pool() -> nn.MaxPool2d:
    """Overlapping pooling, section 3.4: windows of 3 pixels, 2 apart."""
    return nn.MaxPool2d(3, 2)


def _norm() -> nn.LocalResponseNorm:
    """Section 3.3: k = 2, n = 5, alpha = 10^-4, beta = 0.75. PyTorch divides its alpha by n, the paper does not."""
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2)
