"""The networks, by name. Nothing is imported before a network is built."""

from __future__ import annotations

import difflib
import importlib
import inspect
from typing import TYPE_CHECKING

from eyespot.errors import NetworkError

if TYPE_CHECKING:
    from torch import nn

_NETWORKS = {
    "efficientnet_lite0": "eyespot.zoo.efficientnet_lite:efficientnet_lite0",
    "lenet5": "eyespot.zoo.lenet:lenet5",
}


def names() -> tuple[str, ...]:
    """The name of every network that `create` can build, sorted."""
    return tuple(sorted(_NETWORKS))


def create(name: str, **arguments: int | float | str | bool) -> nn.Sequential:
    """The network of that name, with random weights, its shapes checked.

    name: one of `names()`.
    arguments: those of the network's function, such as `classes`.
    Raises NetworkError for an unknown name or argument, and where the shapes do not fit.
    """
    if name not in _NETWORKS:
        close = difflib.get_close_matches(name, _NETWORKS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names())}."
        raise NetworkError(f"There is no network {name!r}: {hint}")
    module, function_name = _NETWORKS[name].split(":")
    function = getattr(importlib.import_module(module), function_name)
    try:
        inspect.signature(function).bind(**arguments)
    except TypeError as error:
        takes = ", ".join(inspect.signature(function).parameters)
        raise NetworkError(f"Network {name!r} cannot be built: {error}; it takes {takes}.") from error
    net: nn.Sequential = function(**arguments)
    return net
