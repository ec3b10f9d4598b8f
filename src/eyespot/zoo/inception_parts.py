"""What the Inception networks share: convolutions with their BatchNorm, alone and in rows, and how others name them."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_lowercase

from torch import nn

from eyespot.blocks import Branches, Size2, chain, conv, is_chain


def unit(
    in_channels: int, out_channels: int, kernel: Size2, *, stride: int = 1, padding: Size2 | None = None
) -> nn.Sequential:
    """A convolution without bias, its BatchNorm and a ReLU.

    kernel, stride, padding: as for `conv`; without a padding the size is kept at stride 1.
    """
    return chain(
        conv=conv(in_channels, out_channels, kernel, stride=stride, padding=padding),
        norm=nn.BatchNorm2d(out_channels, eps=1e-3),
        act=nn.ReLU(),
    )


def row(in_channels: int, *units: tuple[int, Size2], stride: int = 1, padding: Size2 | None = None) -> nn.Sequential:
    """Units one after the other, named a, b, c; all but the last keep the size.

    units: channels and kernel of each.
    stride, padding: of the last one.
    """
    made: dict[str, nn.Module] = {}
    for letter, (channels, kernel) in zip(ascii_lowercase, units[:-1], strict=False):
        made[letter] = unit(in_channels, channels, kernel)
        in_channels = channels
    channels, kernel = units[-1]
    made[ascii_lowercase[len(made)]] = unit(in_channels, channels, kernel, stride=stride, padding=padding)
    return chain(**made)


def projected(pool: nn.Module, in_channels: int, out_channels: int) -> nn.Sequential:
    """A pooling that keeps the size, and a 1x1 unit that brings its output to fewer channels."""
    return chain(pool=pool, proj=unit(in_channels, out_channels, 1))


def wide_and_tall(in_channels: int, out_channels: int) -> Branches:
    """A 1x3 beside a 3x1, in which some branches end."""
    return Branches(wide=unit(in_channels, out_channels, (1, 3)), tall=unit(in_channels, out_channels, (3, 1)))


def stem() -> nn.Sequential:
    """From images (N, 3, 299, 299) to (N, 192, 35, 35), as Inception v3 and Inception-ResNet-v2 begin."""
    return chain(
        a=unit(3, 32, 3, stride=2, padding=0),  # (N, 32, 149, 149)
        b=unit(32, 32, 3, padding=0),  # (N, 32, 147, 147)
        c=unit(32, 64, 3),  # (N, 64, 147, 147)
        pool1=nn.MaxPool2d(3, 2),  # (N, 64, 73, 73)
        d=unit(64, 80, 1),
        e=unit(80, 192, 3, padding=0),  # (N, 192, 71, 71)
        pool2=nn.MaxPool2d(3, 2),  # (N, 192, 35, 35)
    )


def numbered(branches: Branches, *, first: int) -> dict[str, str]:
    """Their name of every unit of the branches, mapped to ours, where they number branches, and units in a branch.

    So `branch2.0` is the first unit of the second branch, counted from `first`; a branch of one unit is `branch2`.
    """
    names: dict[str, str] = {}
    for number, (name, branch) in enumerate(branches.named_children(), start=first):
        if hasattr(branch, "conv"):
            names[f"branch{number}"] = name
        elif is_chain(branch):
            parts = dict(branch.named_children())
            names |= {f"branch{number}.{index}": f"{name}.{part}" for index, part in enumerate(parts)}
    return names


def within(theirs: str, ours: str, names: Mapping[str, str]) -> dict[str, str]:
    """The same names, each inside a module: theirs and ours."""
    return {f"{theirs}.{their_name}": f"{ours}.{our_name}" for their_name, our_name in names.items()}


def tensor_names(net: nn.Module, modules: Mapping[str, str]) -> dict[str, str]:
    """Their name of every tensor of `net`, mapped to ours.

    modules: their name of every unit, whose `norm` they call `bn`, and of every other module with parameters.
    """
    theirs = {ours: name for name, ours in modules.items()}
    names: dict[str, str] = {}
    for key in net.state_dict():
        module, _, tensor = key.rpartition(".")
        if module not in theirs:
            inside, _, part = module.rpartition(".")
            theirs[module] = f"{theirs[inside]}.{'bn' if part == 'norm' else part}"
        names[f"{theirs[module]}.{tensor}"] = key
    return names
