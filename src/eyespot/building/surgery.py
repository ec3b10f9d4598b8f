"""A network that was trained just now, as a frozen trunk and a head: from here on it is like any other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.engine.compiled import compiled_folder
from eyespot.features.embed import embed
from eyespot.features.trunk import Trunk
from eyespot.heads.head import Head, Layer, Output
from eyespot.records import Network, PrecisionName, Preprocess

if TYPE_CHECKING:
    from torch import nn

TIMED_PICTURES = 64
OWN = "own"
"""Begins the names of the layers of a solved head: own1, own2."""


def as_trunk(
    net: nn.Sequential,
    network: Network,
    preprocess: Preprocess,
    *,
    precision: PrecisionName,
    cache_folder: Path,
    output: Output = "softmax",
) -> tuple[Trunk, Head]:
    """Everything before the last layer as a trunk, and that layer as a head.

    Where the last layer is not fully connected, as in Network in Network, the trunk gives the scores and the head
    hands them on.
    """
    before, layers = head_layers(net.to("cpu"))
    trunk = graph_trunk(before, network, preprocess, precision=precision, cache_folder=cache_folder)
    return trunk, Head(layers, output)


def graph_trunk(
    net: nn.Sequential,
    network: Network,
    preprocess: Preprocess,
    *,
    precision: PrecisionName,
    cache_folder: Path,
    feature_map: str | None = None,
) -> Trunk:
    """A network, or the part of one that begins with the images, in the engine.

    feature_map: the name of a stage whose output becomes a second one.
    """
    from eyespot.engine.from_torch import to_onnx

    return Trunk(
        to_onnx(net, preprocess, feature_map=feature_map),
        network=network,
        preprocess=preprocess,
        precision=precision,
        folder=compiled_folder(cache_folder),
    )


def seconds_per_view(trunk: Trunk, hashed: Sequence[Hashed]) -> float:
    """What it takes here and now to ask the trunk for a picture, by a few of these, the engine being compiled."""
    _ = trunk.engine
    began = time.perf_counter()
    found = embed(trunk, hashed[:TIMED_PICTURES], store=None)
    return (time.perf_counter() - began) / max(found.computed, 1)


def with_head(net: nn.Sequential, head: Head) -> nn.Sequential:
    """The network with the layers of a solved head in place of its last."""
    import torch
    from torch import nn

    from eyespot.blocks import chain, join, split

    layers: dict[str, nn.Module] = {}
    for number, (weight, bias) in enumerate(head.layers, start=1):
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data, layer.bias.data = (torch.tensor(array, dtype=torch.float32) for array in (weight, bias))
        layers |= {f"{OWN}{number}": layer, f"{OWN}{number}_act": nn.ReLU()}
    layers.popitem()  # nothing comes after the last
    before, _ = split(net, after=features_stage(net))
    stage = next(reversed(dict(before.named_children())))
    return join(before, chain(**{stage: chain(**layers)}))


def _arrays(layer: nn.Linear) -> Layer:
    """Weights and bias; a layer without one adds 0."""
    weight = layer.weight.detach().numpy().copy()
    return weight, np.zeros(len(weight), weight.dtype) if layer.bias is None else layer.bias.detach().numpy().copy()


def head_layers(net: nn.Sequential) -> tuple[nn.Sequential, tuple[Layer, ...]]:
    """What comes before the last fully connected layer, or before all layers of a solved head, and those layers."""
    from torch import nn

    from eyespot.blocks import split

    leaves = _leaves(net)
    own = [name for name in leaves if name.rpartition(".")[2].startswith(OWN)]
    first = leaves.index(own[0]) if own else len(leaves) - 1
    found = [net.get_submodule(name) for name in leaves[first:]]
    if ends_fully_connected(net):
        layers = [layer for layer in found if isinstance(layer, nn.Linear)]
        return split(net, after=leaves[first - 1])[0], tuple(map(_arrays, layers))
    outputs = _outputs(net)
    return net, ((np.eye(outputs, dtype=np.float32), np.zeros(outputs, np.float32)),)


def features_stage(net: nn.Sequential) -> str:
    """The name of the stage whose output the last layer takes."""
    return _leaves(net)[-2]


def ends_fully_connected(net: nn.Sequential) -> bool:
    """False for a network whose scores come from its maps, as in Network in Network."""
    from torch import nn

    return isinstance(net.get_submodule(_leaves(net)[-1]), nn.Linear)


def _outputs(net: nn.Sequential) -> int:
    """Channels of the last layer that has weights: the scores of a network that ends in convolution and pooling."""
    return int(list(net.parameters())[-1].shape[0])


def _leaves(net: nn.Sequential) -> list[str]:
    from eyespot import blocks

    return [name for name in blocks.stage_names(net) if not blocks.is_chain(net.get_submodule(name))]
