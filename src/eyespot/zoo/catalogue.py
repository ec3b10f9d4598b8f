"""Every network by name, with what is known of it before it is built. Nothing here needs torch.

A plain name is the form for which weights were published; a paper's own form, where it differs, ends in `_paper`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Argument = int | float | str | bool

_IMAGENET = (3, 224, 224)
_IMAGENET_LARGE = (3, 299, 299)

_GOOGLENET = "Szegedy and others: Going Deeper with Convolutions, arXiv:1409.4842"
_BATCH_NORM = "Ioffe, Szegedy: Batch Normalization, arXiv:1502.03167"
_INCEPTION_RESNET = "Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet, arXiv:1602.07261"


@dataclass(frozen=True)
class Definition:
    """One network in one form. The counts are those of the network with its default number of classes, without
    auxiliary heads; tests hold them against the network itself."""

    function: str
    """module:function in eyespot.zoo that builds it."""
    year: int
    paper: str
    """Authors and title in short, with the arXiv number where there is one."""
    input_chw: tuple[int, int, int]
    """Channels, height and width of the images it is made for, pixels."""
    parameters: int
    """Trainable weights and biases."""
    multiply_adds: int
    """Of its convolutions and fully connected layers, for one image of `input_chw`."""
    arguments: Mapping[str, Argument] = field(default_factory=lambda: MappingProxyType({}))
    """Given to the function: what makes this form."""
    heads: str = ""
    """module:function that builds its auxiliary heads: {stage: head}; empty where the paper has none."""


NETWORKS: Mapping[str, Definition] = {
    "efficientnet_lite0": Definition(
        function="efficientnet_lite:efficientnet_lite0",
        year=2020,
        paper="Tan, Le: EfficientNet, arXiv:1905.11946; Lite form by R. Liu",
        input_chw=_IMAGENET,
        parameters=4_652_008,
        multiply_adds=385_187_552,
    ),
    "lenet5": Definition(
        function="lenet:lenet5",
        year=1998,
        paper="LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition",
        input_chw=(1, 32, 32),
        parameters=61_706,
        multiply_adds=416_520,
    ),
    "googlenet": Definition(
        function="googlenet:googlenet",
        year=2014,
        paper=_GOOGLENET,
        input_chw=_IMAGENET,
        parameters=6_624_904,
        multiply_adds=1_498_376_192,
        heads="googlenet:googlenet_heads",
    ),
    "googlenet_paper": Definition(
        function="googlenet:googlenet",
        year=2014,
        paper=_GOOGLENET,
        input_chw=_IMAGENET,
        parameters=6_998_552,
        multiply_adds=1_582_671_872,
        arguments=MappingProxyType({"form": "paper"}),
        heads="googlenet:googlenet_heads",
    ),
    "inception_v2": Definition(
        function="inception_v2:inception_v2",
        year=2015,
        paper=_BATCH_NORM,
        input_chw=_IMAGENET,
        parameters=11_285_224,
        multiply_adds=2_032_600_064,
    ),
    "inception_v2_paper": Definition(
        function="inception_v2:inception_v2",
        year=2015,
        paper=_BATCH_NORM,
        input_chw=_IMAGENET,
        parameters=11_278_528,
        multiply_adds=1_948_605_440,
        arguments=MappingProxyType({"separable_stem": True}),
    ),
    "inception_v3": Definition(
        function="inception_v3:inception_v3",
        year=2015,
        paper="Szegedy and others: Rethinking the Inception Architecture for Computer Vision, arXiv:1512.00567",
        input_chw=_IMAGENET_LARGE,
        parameters=23_834_568,
        multiply_adds=5_713_216_096,
        heads="inception_v3:inception_v3_heads",
    ),
    "inception_v4": Definition(
        function="inception_v4:inception_v4",
        year=2016,
        paper=_INCEPTION_RESNET,
        input_chw=_IMAGENET_LARGE,
        parameters=42_679_816,
        multiply_adds=12_253_974_624,
    ),
    "inception_resnet_v2": Definition(
        function="inception_resnet:inception_resnet_v2",
        year=2016,
        paper=_INCEPTION_RESNET,
        input_chw=_IMAGENET_LARGE,
        parameters=55_843_464,
        multiply_adds=13_155_794_016,
    ),
}
