"""New layers after a cut, with random weights: what takes the place of a pretrained network's own tail."""

from __future__ import annotations

import torch
from torch import nn

from eyespot.arithmetic.shapes import Shape, check_shapes, output_shape
from eyespot.blocks import chain, conv
from eyespot.errors import OptionError
from eyespot.heads.head import Output
from eyespot.training.tail_words import AveragePool, Conv, FullyConnected, Layer, OnMaps, Pool

MOST_WEIGHTS = 100_000_000
"""Of all new layers: 1.6 GB with their gradients and the two moments of Adam."""
LAST_DEVIATION = 0.01
"""Of the last layer's weights, as in AlexNet (Krizhevsky and others 2012, section 5): at first, all classes are about
as likely."""


def new_tail(
    layers: tuple[Layer, ...], *, shape: tuple[int, ...], classes: int, output: Output, seed: int
) -> nn.Sequential:
    """A chain from the activations at the cut, (N, *shape), to logits (N, classes), or (N, 1) for a sigmoid.

    Its stages are `new1`, `new2`, ..., a new one at each conv, and `new_head`: no stage of a pretrained network has
    such a name, so that the two can be joined wherever the cut is. `new_head` begins with the mean of each map, so a
    dropout after the last conv or pool comes after that; it ends with a fully connected layer to the classes. All
    are in training, since their BatchNorms have seen nothing yet.

    layers: as `parse_tail` gives them.
    shape: of one picture's activations: channels, height and width, or the number of features.
    seed: of the weights: normal, with He's deviation (arXiv:1502.01852, section 2.2), and biases of zero.
    Raises OptionError where a window is larger than the map that it would slide over, where there is no map, and for
    more weights than `MOST_WEIGHTS`.
    """
    with torch.device("meta"):  # weights are counted before they take any memory
        net = _chain(layers, shape, outputs=1 if output == "sigmoid" else classes)
    weights = sum(parameter.numel() for parameter in net.parameters())
    if weights > MOST_WEIGHTS:
        raise OptionError(
            f"the option replace_tail makes layers of {weights:,} weights, at most {MOST_WEIGHTS:,} are possible: give "
            "them fewer channels or units"
        )
    net.to_empty(device="cpu")
    _set_weights(net, torch.Generator().manual_seed(seed))
    return net


def _chain(layers: tuple[Layer, ...], shape: Shape, *, outputs: int) -> nn.Sequential:
    on_maps = max((place for place, layer in enumerate(layers, start=1) if isinstance(layer, OnMaps)), default=0)
    stages: list[dict[str, nn.Module]] = []
    at_cut = shape
    for layer in layers[:on_maps]:
        parts = _parts(layer, shape)
        if not stages or isinstance(layer, Conv) or parts.keys() & stages[-1].keys():
            stages.append({})
        stages[-1] |= parts
        shape = output_shape(chain(**parts), shape)
    named = {f"new{number}": chain(**parts) for number, parts in enumerate(stages, start=1)}
    return check_shapes(chain(**named, new_head=_head(layers[on_maps:], shape, outputs=outputs)), at_cut)


def _parts(layer: Layer, shape: Shape) -> dict[str, nn.Module]:
    """A layer in front of the last map."""
    if isinstance(layer, OnMaps):
        _require_map(layer, shape)
    if isinstance(layer, Conv):
        made = conv(shape[0], layer.channels, layer.kernel_hw, stride=layer.stride)
        return {"conv": made, "norm": nn.BatchNorm2d(layer.channels), "act": nn.ReLU()}
    if isinstance(layer, Pool):
        return {"pool": nn.MaxPool2d(layer.kernel_hw)}
    if isinstance(layer, AveragePool):
        return {"pool": nn.AdaptiveAvgPool2d(1)}
    assert not isinstance(layer, FullyConnected)  # none stands before a map
    return {"drop": nn.Dropout(layer.share)}


def _require_map(layer: OnMaps, shape: Shape) -> None:
    if len(shape) == 1:
        raise OptionError(
            f"the option replace_tail cannot have {str(layer)!r}: after this cut there are {shape[0]} features and no "
            "maps; freeze up to an earlier stage, or begin with an fc"
        )
    if isinstance(layer, AveragePool):
        return
    if layer.kernel_hw[0] > shape[1] or layer.kernel_hw[1] > shape[2]:
        raise OptionError(
            f"the option replace_tail cannot have {str(layer)!r} where the map is {shape[1]}x{shape[2]}: make its "
            "window smaller, pool less before it, or freeze up to an earlier stage"
        )


def _head(layers: tuple[Layer, ...], shape: Shape, *, outputs: int) -> nn.Sequential:
    parts: dict[str, nn.Module] = {}
    if len(shape) == 3 and shape[1:] != (1, 1):
        parts["pool"] = nn.AdaptiveAvgPool2d(1)
    if len(shape) == 3:
        parts["flat"] = nn.Flatten()
    width, fcs, drops = shape[0], 0, 0
    for layer in layers:
        if isinstance(layer, FullyConnected):
            fcs += 1
            parts |= {f"fc{fcs}": nn.Linear(width, layer.units), f"act{fcs}": nn.ReLU()}
            width = layer.units
        else:
            assert not isinstance(layer, OnMaps)  # they are in the stages before
            drops += 1
            parts[f"drop{drops}"] = nn.Dropout(layer.share)
    return chain(**parts, fc=nn.Linear(width, outputs))


def _set_weights(net: nn.Sequential, generator: torch.Generator) -> None:
    *_, last = net.modules()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        elif isinstance(module, nn.Conv2d | nn.Linear):
            if module is last:
                nn.init.normal_(module.weight, std=LAST_DEVIATION, generator=generator)
            else:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
