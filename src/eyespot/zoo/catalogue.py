"""Every network by name, with what is known of it before it is built. Nothing here needs torch.

A plain name is the form for which weights were published; a paper's own form, where it differs, ends in `_paper`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Argument = int | float | str | bool

_IMAGENET = (3, 224, 224)
_EFFICIENTNET_LITE = "Tan, Le: EfficientNet, arXiv:1905.11946; Lite form by R. Liu"


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
        paper=_EFFICIENTNET_LITE,
        input_chw=_IMAGENET,
        parameters=4_652_008,
        multiply_adds=385_187_552,
    ),
    "efficientnet_lite1": Definition(
        function="efficientnet_lite:efficientnet_lite",
        arguments=MappingProxyType({"variant": 1}),
        year=2020,
        paper=_EFFICIENTNET_LITE,
        input_chw=(3, 240, 240),
        parameters=5_416_680,
        multiply_adds=600_185_232,
    ),
    "efficientnet_lite2": Definition(
        function="efficientnet_lite:efficientnet_lite",
        arguments=MappingProxyType({"variant": 2}),
        year=2020,
        paper=_EFFICIENTNET_LITE,
        input_chw=(3, 260, 260),
        parameters=6_092_072,
        multiply_adds=859_736_272,
    ),
    "lenet5": Definition(
        function="lenet:lenet5",
        year=1998,
        paper="LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition",
        input_chw=(1, 32, 32),
        parameters=61_706,
        multiply_adds=416_520,
    ),
}
