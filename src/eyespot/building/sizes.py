"""Which networks take images of another size than they were made for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from eyespot import zoo
from eyespot.errors import NetworkError, OptionError

if TYPE_CHECKING:
    from torch import nn


def takes_any_size(net: nn.Module) -> bool:
    """True where maps of any size become features of one, by the mean over all places."""
    from torch import nn

    pools = [module for module in net.modules() if isinstance(module, nn.AdaptiveAvgPool2d)]
    return any(pool.output_size in (1, (1, 1)) for pool in pools)


def require_size(net: nn.Sequential, name: str, size: int) -> None:
    """Raises OptionError unless the network, and its auxiliary heads if it has some, take images of this size.

    name: in the catalogue. size: pixels a side.
    """
    import torch

    from eyespot.blocks import WithHeads

    channels, height, width = zoo.input_chw(name)
    if (height, width) == (size, size):
        return
    if not takes_any_size(net):
        raise OptionError(
            f"the option imgsz cannot be {size} for {name}: its fully connected layers fit only one size, so leave "
            "the option out, or choose another model"
        )
    try:
        with torch.device("meta"), torch.inference_mode():
            whole = copy.deepcopy(net).to("meta")
            WithHeads(whole, zoo.heads(name)).eval()(torch.zeros(1, channels, size, size))
    except (RuntimeError, NetworkError):
        raise OptionError(
            f"the option imgsz cannot be {size} for {name}, which is made for {height}: nothing is left of such images "
            "after some layer, so give another size, or leave the option out"
        ) from None
