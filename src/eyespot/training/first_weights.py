"""With which weights a network begins that is trained from scratch."""

from __future__ import annotations

from torch import nn

from eyespot.blocks import Residual, is_chain
from eyespot.caffe_blocks import ChannelScale

_NORMS = (nn.BatchNorm2d, nn.GroupNorm, ChannelScale)


def silence_bodies(net: nn.Module) -> None:
    """Every sum whose body ends in a norm begins as only its shortcut: that norm's scale is set to zero.

    A deep network then begins as a shallow one, which learns sooner; Goyal and others, arXiv:1706.02677, section 5.1. A
    body that ends in a ReLU stays as it is: after a zero, it would never learn.
    """
    for module in net.modules():
        if isinstance(module, Residual) and is_chain(module.body) and isinstance(module.body[-1], _NORMS):
            weight = module.body[-1].weight
            if weight is not None:  # as in a BatchNorm that has statistics alone
                nn.init.zeros_(weight)
