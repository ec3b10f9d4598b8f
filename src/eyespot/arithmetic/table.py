"""A network as a tree of layers, and what is folded over it: the rows of a table, stages, depth, totals.

The tree has the network's own form: chains, sums and concatenations, with layers as its leaves. Nothing here needs
torch; `trace` makes the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from eyespot.records import Record

INPUT = "input"
"""Name of the row of the image itself."""
BYTES = 4
"""Of one value in fp32."""


class Layer(Record):
    """One layer on one image: a row of the table. Heights come before widths, shapes are (C, H, W) or (D,)."""

    name: str
    """Dotted, as in the chain; `input` for the image itself."""
    kind: str
    kernel: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    padding: tuple[int, int, int, int] | None = None
    """Zeros above, below, left and right, pixels."""
    dilation: tuple[int, int] | None = None
    groups: int | None = None
    input: tuple[int, ...]
    output: tuple[int, ...]
    formula: str = ""
    """How the output's size comes from the input's, filled in; height and width apart where they differ."""
    weight: tuple[int, ...] | None = None
    """Shape of the weight tensor."""
    bias: tuple[int, ...] | None = None
    activations: int
    """Values in the output."""
    activation_bytes: int
    """Memory that the output takes in fp32; 0 where it is the input's."""
    parameters: int = 0
    """Weights and biases."""
    multiply_adds: int = 0
    fully_connected: int | None = None
    """Of a convolution: weights, and multiply-adds, of a fully connected layer with the same input and output."""
    field: tuple[int, int] | None = None
    """Receptive field: pixels of the image that one value depends on; None after a layer that is not known."""
    jump: tuple[float, float] | None = None
    """Pixels of the image between the fields of neighbouring values; 0 where there is one place only."""
    centre: tuple[float, float] | None = None
    """The middle of the first value's field; the image's first pixel is 0."""


@dataclass(frozen=True)
class Chain:
    """Parts that run one after the other."""

    name: str
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Sum:
    """A body and a shortcut side by side, added; without a shortcut, the input itself is added."""

    name: str
    body: Node
    shortcut: Node | None
    layer: Layer


@dataclass(frozen=True)
class Concatenation:
    """Branches side by side, one after the other along the channels; or their sum, product or maximum."""

    name: str
    branches: tuple[Node, ...]
    layer: Layer


@dataclass(frozen=True)
class Opened:
    """A module of someone else's: its layers in the order in which they run. How they are connected is not known."""

    name: str
    layers: tuple[Layer, ...]
    layer: Layer
    """The whole, with the parameters and multiply-adds that none of its layers accounts for."""


Node = Layer | Chain | Sum | Concatenation | Opened


class Total(Record):
    """A whole network in numbers, for one image."""

    layers: int
    """Rows of the table, without the image's."""
    depth: int | None
    """Convolutions and fully connected layers on the longest way through, as papers count; None where not known."""
    parameters: int
    """Weights and biases."""
    parameter_bytes: int
    """Memory that they take in fp32."""
    multiply_adds: int
    activations: int
    """Values in all outputs together, with the image's own."""
    activation_bytes: int
    """Memory that all outputs take in fp32, as in training; predicting needs them only one after the other."""
    field: tuple[int, int] | None
    """Receptive field of the network's output."""


def flat(node: Node) -> Iterator[Layer]:
    """Every layer in the order in which it runs; a sum or a concatenation after what it takes together."""
    if isinstance(node, Layer):
        yield node
    elif isinstance(node, Chain):
        for part in node.parts:
            yield from flat(part)
    elif isinstance(node, Sum):
        yield from flat(node.body)
        if node.shortcut is not None:
            yield from flat(node.shortcut)
        yield node.layer
    elif isinstance(node, Concatenation):
        for branch in node.branches:
            yield from flat(branch)
        yield node.layer
    else:
        yield from (*node.layers, node.layer)


def depth(node: Node) -> int | None:
    """Convolutions and fully connected layers on the longest way through, as papers count: 16 in VGG-16.

    None where it is not known how layers are connected.
    """
    if isinstance(node, Layer):
        return int(node.multiply_adds > 0)
    if isinstance(node, Opened):
        return None
    if isinstance(node, Chain):
        known = [depth(part) for part in node.parts]
    elif isinstance(node, Sum):
        known = [depth(node.body), 0 if node.shortcut is None else depth(node.shortcut)]
    else:
        known = [depth(branch) for branch in node.branches]
    numbers = [number for number in known if number is not None]
    if len(numbers) < len(known):
        return None
    return sum(numbers) if isinstance(node, Chain) else max(numbers)


def total(network: Chain) -> Total:
    """The sums over all layers of a network."""
    layers = list(flat(network))
    parameters = sum(layer.parameters for layer in layers)
    return Total(
        layers=len(layers) - 1,
        depth=depth(network),
        parameters=parameters,
        parameter_bytes=parameters * BYTES,
        multiply_adds=sum(layer.multiply_adds for layer in layers),
        activations=sum(layer.activations for layer in layers),
        activation_bytes=sum(layer.activation_bytes for layer in layers),
        field=layers[-1].field,
    )


def stages(layers: Sequence[Layer]) -> list[Layer]:
    """One row for each stage, from its first layer's input to its last one's output.

    Activations, memory, parameters and multiply-adds are sums; field, jump and centre are those of the output.
    """
    return [_folded(name, list(group)) for name, group in groupby(layers, key=lambda layer: layer.name.split(".")[0])]


def _folded(name: str, layers: list[Layer]) -> Layer:
    first, last = layers[0], layers[-1]
    if len(layers) == 1:
        return first
    counted = ("activations", "activation_bytes", "parameters", "multiply_adds")
    return Layer(
        name=name,
        kind=f"{len(layers)} layers",
        input=first.input,
        output=last.output,
        field=last.field,
        jump=last.jump,
        centre=last.centre,
        **{key: sum(getattr(layer, key) for layer in layers) for key in counted},
    )
