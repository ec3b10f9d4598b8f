"""Which networks take images of another size than they were made for."""

from __future__ import annotations

from torch import nn

from eyespot.errors import OptionError


def takes_any_size(net: nn.Module) -> bool:
    """True where maps of any size become features of one: by a mean over places, as many as there are."""
    return any(isinstance(module, nn.AdaptiveAvgPool2d) for module in net.modules())


def require_any_size(net: nn.Module, name: str, size: int) -> None:
    """Raises OptionError for a network whose layers fit images of one size alone."""
    if not takes_any_size(net):
        raise OptionError(
            f"the option size cannot be {size} for {name}: its fully connected layers fit one size alone, so leave the "
            "option out, or choose another model"
        )
