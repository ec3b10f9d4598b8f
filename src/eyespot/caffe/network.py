"""A network that Caffe describes as a chain of named stages, each layer with the name that the file gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from eyespot.arithmetic.shapes import check_shapes, output_shape
from eyespot.blocks import chain, named_stages
from eyespot.caffe.description import MOST_SIZE, Description, Layer, parse
from eyespot.caffe.graph import Graph, Node, graph_of, input_chw
from eyespot.caffe.modules import JOINS, MOST_PARAMETERS, Shape, module_of
from eyespot.caffe.series_parallel import apart, as_chain
from eyespot.errors import NetworkError
from eyespot.names import brief

_CLASSIFIERS = ("InnerProduct", "Convolution")


@dataclass(frozen=True)
class CaffeNetwork:
    """The chain, the images it is made for, and where the layers of the file stand in it."""

    net: nn.Sequential
    input_chw: tuple[int, int, int]
    layers: Mapping[str, Layer]
    """The layer of each module, by the module's dotted name; sums and concatenations have none."""
    classifier: str
    """The name in the file of the layer whose outputs are the classes; empty where a sum or concatenation is last."""


def network_of(text: str, *, file: str, classes: int | None = None) -> CaffeNetwork:
    """The network of a .prototxt with random weights, from images (N, C, H, W) to logits (N, classes).

    Of a description for training, it is the network of the phase TEST, without data, losses and auxiliary heads. A
    Softmax at the end is left out; maps of 1x1 pixels there are flattened.

    text: what the file says. file: what errors call it.
    classes: None for as many as the file says.
    Raises NetworkError, naming file, line and layer, for what Caffe or a chain of stages cannot hold.
    """
    description = parse(text, file=file)
    with torch.device("meta"):  # nothing is allocated before all sizes are known
        found = _built(description, classes)
    weights = sum(parameter.numel() for parameter in found.net.parameters())
    if weights > MOST_PARAMETERS:
        raise NetworkError(f"{file} describes {weights:,} weights: at most {MOST_PARAMETERS:,} are built.")
    return found if torch.get_default_device().type == "meta" else _built(description, classes)


def _built(description: Description, classes: int | None) -> CaffeNetwork:
    graph, file = graph_of(description), description.file
    image = input_chw(graph, file)
    classifier = _classifier(graph)
    if classes is not None:
        _set_classes(classifier, classes, file)
    _require_own_weights(graph)
    modules, shape = _modules(graph, image)
    net = as_chain(graph, modules)
    if shape[1:] == (1, 1):
        names = apart([*(name for name, _ in named_stages(net)), "flat"])
        net = chain(**dict(zip(names, (*net, nn.Flatten()), strict=True)))
    layers = {id(module): node.layer for node, module in modules.items()}
    return CaffeNetwork(
        check_shapes(net, image),
        image,
        {name: layers[id(module)] for name, module in net.named_modules() if id(module) in layers},
        classifier.layer.name if classifier else "",
    )


def _modules(graph: Graph, image: Shape) -> tuple[dict[Node, nn.Module], Shape]:
    """The module of each layer that takes one blob, and the shape of the answer."""
    shapes: dict[Node, Shape] = {graph.image: image}
    modules: dict[Node, nn.Module] = {}
    for node in graph.nodes:
        given = [shapes[each] for each in node.takes]
        if node.layer.type in JOINS:
            shapes[node] = _joined(node.layer, given)
            continue
        modules[node] = module_of(node.layer, given[0])
        try:
            shapes[node] = output_shape(modules[node], given[0])
        except NetworkError as error:
            reason = str(error).replace("Stage '' ", "").rstrip(".")
            raise node.layer.error(f"does not fit what it takes: {reason}.") from error
    return modules, shapes[graph.answer]


def _joined(layer: Layer, given: list[Shape]) -> Shape:
    """The shape of a sum or a concatenation. Raises NetworkError where the shapes do not go together."""
    is_sum = layer.type == "Eltwise"
    told_apart = {shape if is_sum else shape[1:] for shape in given}
    if not is_sum:
        settings = layer.settings.concat_param
        axis = settings.concat_dim if settings.HasField("concat_dim") else settings.axis
        if axis % (len(given[0]) + 1) != 1:
            raise layer.error(f"concatenates axis {axis}: only the channels, axis 1, are built here.")
    if len(told_apart) > 1 or len({len(shape) for shape in given}) > 1:
        takes = ", ".join(f"{name!r} {shape}" for name, shape in zip(layer.bottoms, given, strict=True))
        raise layer.error(f"cannot {'add' if is_sum else 'concatenate'} what it takes: {takes}.")
    return given[0] if is_sum else (sum(shape[0] for shape in given), *given[0][1:])


def _classifier(graph: Graph) -> Node | None:
    """The last layer with outputs of its own, where nothing after it joins others to them."""
    node = graph.answer
    while node.layer.type not in _CLASSIFIERS:
        if node.layer.type in JOINS or not node.takes:
            return None
        node = node.takes[0]
    return node


def _set_classes(node: Node | None, classes: int, file: str) -> None:
    if not 1 <= classes <= MOST_SIZE:
        raise NetworkError(f"{file} cannot be built for {classes} classes: expected 1 to {MOST_SIZE:,}.")
    if node is None:
        raise NetworkError(f"{file} does not end in an InnerProduct or a Convolution: its classes cannot be chosen.")
    settings = node.layer.settings
    (
        settings.inner_product_param if node.layer.type == "InnerProduct" else settings.convolution_param
    ).num_output = classes


def _require_own_weights(graph: Graph) -> None:
    """Raises NetworkError where two layers share weights, or a name."""
    owners: dict[str, str] = {}
    for node in graph.nodes:
        for each in node.layer.settings.param:
            name = each if isinstance(each, str) else each.name
            owner = owners.setdefault(name, node.layer.name)
            if name and owner != node.layer.name:
                raise node.layer.error(f"shares weights {brief(repr(name))} with {brief(repr(owner))}: no chain does.")
