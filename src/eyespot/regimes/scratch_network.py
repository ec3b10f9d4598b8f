"""The network that learns from scratch, and how pictures come to it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from eyespot.building.surgery import ends_fully_connected
from eyespot.errors import OptionError
from eyespot.records import Network, Preprocess
from eyespot.runs.options import TrainOptions

if TYPE_CHECKING:
    from torch import nn


def network_for(name: str, classes: int, options: TrainOptions, *, gray: bool) -> tuple[Network, Preprocess]:
    """The network with its arguments, and how pictures come to it: values -1 to 1, at the size that it is made for
    unless another was asked for."""
    from eyespot import zoo

    definition = zoo.definition(name)
    channels, height, width = definition.input_chw
    takes = inspect.signature(zoo.imported(definition.function)).parameters
    arguments: dict[str, int | float | str | bool] = {"classes": 1 if options.output == "sigmoid" else classes}
    if "channels" in takes and "channels" not in definition.arguments:
        channels = 1 if gray else 3
        arguments["channels"] = channels
    if options.imgsz is not None:
        height = width = options.imgsz
    return Network(name=name, arguments=arguments), Preprocess(
        short_side=max(height, width),
        crop_hw=(height, width),
        filter="bilinear",
        color="gray" if channels == 1 else "rgb",
        mean=(127.5,) * channels,
        scale=(127.5,) * channels,
        exact=max(height, width) <= 64,  # of photos only the crop is resized, which is several times faster
    )


def require_fit(network: Network, options: TrainOptions) -> None:
    """Raises OptionError, before any picture is decoded, for an option that the network's last layers rule out."""
    option = "output sigmoid" if options.output == "sigmoid" else "dropout" if options.dropout is not None else ""
    if not option and options.imgsz is None:
        return
    import torch

    from eyespot import zoo
    from eyespot.building.sizes import require_size

    with torch.device("meta"):
        net = zoo.create(network.name, **network.arguments)
    if options.imgsz is not None:
        require_size(net, network.name, options.imgsz)
    if option and not ends_fully_connected(net):
        raise OptionError(
            f"the option {option} is for networks that end in a fully connected layer, and {network.name} ends in the "
            "mean of its maps: leave the option out"
        )


def has_norms(net: nn.Module) -> bool:
    from torch.nn.modules.batchnorm import _BatchNorm

    return any(isinstance(module, _BatchNorm) for module in net.modules())
