"""VGG, from images to logits.

Karen Simonyan, Andrew Zisserman: "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
arXiv:1409.1556, table 1, configurations A, B, D and E. The forms with BatchNorm came later; torchvision has published
weights for both.
"""

from __future__ import annotations

from string import ascii_lowercase

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import chain, conv, is_chain
from eyespot.errors import NetworkError

_CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Table 1: how many 3x3 convolutions in each stage, by depth."""
_CHANNELS = (64, 128, 256, 512, 512)
_SIZE = 224


def vgg(depth: int = 16, *, classes: int = 1000, batch_norm: bool = False) -> nn.Sequential:
    """A chain from images (N, 3, H, W) to logits (N, classes), made for 224x224 pixels.

    depth: 11, 13, 16 or 19 layers with weights.
    batch_norm: with a BatchNorm after each convolution.
    Raises NetworkError for another depth.
    """
    if depth not in _CONVOLUTIONS:
        raise NetworkError(f"There is no VGG-{depth}: the depths are {', '.join(map(str, _CONVOLUTIONS))}.")
    stages: dict[str, nn.Module] = {}
    channels = 3
    for number, (length, width) in enumerate(zip(_CONVOLUTIONS[depth], _CHANNELS, strict=True), start=1):
        stages[f"stage{number}"] = _stage(length, channels, width, batch_norm=batch_norm)
        channels = width
    head = chain(
        pool=nn.AdaptiveAvgPool2d(7),  # (N, 512, 7, 7), which it is already for 224x224 pixels
        flat=nn.Flatten(),  # (N, 25088)
        fc1=nn.Linear(channels * 7 * 7, 4096),
        act1=nn.ReLU(),
        drop1=nn.Dropout(0.5),
        fc2=nn.Linear(4096, 4096),
        act2=nn.ReLU(),
        drop2=nn.Dropout(0.5),
        fc=nn.Linear(4096, classes),
    )
    return check_shapes(chain(**stages, head=head), (3, _SIZE, _SIZE))


def torchvision_names(net: nn.Sequential) -> dict[str, str]:
    """torchvision's name of every tensor of a `vgg`, mapped to ours: it numbers the layers of two long chains."""
    theirs = {"head.fc1": "classifier.0", "head.fc2": "classifier.3", "head.fc": "classifier.6"}
    layers = [name for name, layer in net.named_modules() if name.startswith("stage") and not is_chain(layer)]
    theirs |= {ours: f"features.{number}" for number, ours in enumerate(layers)}
    pairs = (key.rpartition(".") for key in net.state_dict())
    return {f"{theirs[module]}.{tensor}": f"{module}.{tensor}" for module, _, tensor in pairs}


def _stage(length: int, in_channels: int, out_channels: int, *, batch_norm: bool) -> nn.Sequential:
    """`length` 3x3 convolutions, then half the height and width."""
    parts: dict[str, nn.Module] = {}
    for letter in ascii_lowercase[:length]:
        norm = {"norm": nn.BatchNorm2d(out_channels)} if batch_norm else {}
        parts[letter] = chain(conv=conv(in_channels, out_channels, 3, bias=True), **norm, act=nn.ReLU())
        in_channels = out_channels
    return chain(**parts, pool=nn.MaxPool2d(2, 2))
