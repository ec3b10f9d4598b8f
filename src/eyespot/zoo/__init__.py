"""The networks, by name. Nothing is imported before a network is built."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from eyespot.errors import NetworkError
from eyespot.words import nearest
from eyespot.zoo.catalogue import CAFFE, NETWORKS, TIMM, Argument, Definition, is_description

if TYPE_CHECKING:
    from torch import nn


def names() -> tuple[str, ...]:
    """The name of every network that `create` can build, sorted."""
    return tuple(sorted(NETWORKS))


def definition(name: str) -> Definition:
    """What is known of the network of that name without building it.

    name: one of `names()`, a file that describes a network, or what a run calls such a network.
    Raises NetworkError for an unknown name, or a file that cannot be read.
    """
    if is_description(name) or name.startswith(CAFFE):
        described: Definition = importlib.import_module("eyespot.zoo.described").definition(name)
        return described
    if name not in NETWORKS:
        raise NetworkError(f"There is no network {name!r}: {hint(name)}")
    return NETWORKS[name]


def hint(name: str) -> str:
    """The network that an unknown name may have meant; else where all are listed."""
    if _is_of_timm(name):
        return f"timm has one, which is {TIMM + name!r} here."
    return nearest(name, NETWORKS, otherwise=f"`eyespot networks` lists all; those of timm are called {TIMM}NAME.")


def _is_of_timm(name: str) -> bool:
    """Whether timm, where it is installed, has a network of that name."""
    if importlib.util.find_spec("timm") is None:
        return False
    try:
        import timm
    except RuntimeError:  # torchvision is made for another build of torch
        return False
    return bool(timm.is_model(name.partition(".")[0]))


def input_chw(name: str) -> tuple[int, int, int]:
    """Channels, height and width of the images that the network of that name is made for, pixels.

    name: one of `names()`, or `timm:NAME`. Raises NetworkError for an unknown name, MissingExtra without timm.
    """
    if name.startswith(TIMM):
        channels, height, width = imported("timm_records:input_chw")(name)
        return channels, height, width
    return definition(name).input_chw


def has_heads(name: str) -> bool:
    """Whether the network of that name, in the catalogue or of timm, has auxiliary heads."""
    return not name.startswith(TIMM) and bool(definition(name).heads)


def takes_channels(name: str) -> bool:
    """Whether the network of that name can be built for other than its own number of channels."""
    if name.startswith(TIMM):
        return False
    found = definition(name)
    return "channels" in inspect.signature(imported(found.function)).parameters and "channels" not in found.arguments


def create(name: str, **arguments: Argument) -> nn.Sequential:
    """The network of that name, with random weights, its shapes checked.

    name: as for `definition`, or `timm:NAME`.
    arguments: those of the network's function that its name leaves open, such as `classes`.
    Raises NetworkError for an unknown name or argument, and where the shapes do not fit; MissingExtra without timm.
    """
    if name.startswith(TIMM):
        if arguments.keys() - {"classes"}:
            raise NetworkError(f"Network {name!r} cannot be built: of timm's networks the classes alone can be chosen.")
        made: nn.Sequential = imported("timm_networks:create")(name, **arguments)
        return made
    found = definition(name)
    net: nn.Sequential = _call(name, imported(found.function), arguments, found)
    return net


def heads(name: str, **arguments: Argument) -> dict[str, nn.Module]:
    """The auxiliary heads of that network by the stage each stands on, for `blocks.WithHeads`; none for most networks.

    name, arguments: as for `create`.
    """
    if not has_heads(name):
        return {}
    found = definition(name)
    made: dict[str, nn.Module] = _call(name, imported(found.heads), arguments, found)
    return made


def imported(function: str) -> Callable[..., Any]:
    """The function that a definition names as module:function, both inside this package."""
    module, function_name = function.split(":")
    called: Callable[..., Any] = getattr(importlib.import_module(f"{__name__}.{module}"), function_name)
    return called


def _call(name: str, function: Callable[..., Any], arguments: dict[str, Argument], found: Definition) -> Any:
    takes = [argument for argument in inspect.signature(function).parameters if argument not in found.arguments]
    for argument in arguments:
        if argument not in takes:
            raise NetworkError(
                f"Network {name!r} cannot be built: it has no argument {argument!r}; it takes {', '.join(takes)}."
            )
    return function(**found.arguments, **arguments)
