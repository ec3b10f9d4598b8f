"""From layers that name the blobs they take and give to a graph: which layer follows which, and what is the answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from eyespot.caffe.description import MOST_SIZE, Description, Layer
from eyespot.errors import NetworkError
from eyespot.names import brief
from eyespot.words import nearest, some

INPUT_TYPES = frozenset({"Input", "Data", "ImageData", "MemoryData", "DummyData", "HDF5Data", "WindowData", "Python"})
"""Of layers that take nothing and give pictures, and labels after them."""
_MEASURES = frozenset({"Accuracy", "HDF5Output", "Silence"})
"""Types of layers that are no part of the network's answer, as are all whose names end in Loss."""


@dataclass(eq=False)
class Node:
    """A layer in the graph, or one of several blobs that a layer of data gives."""

    order: int
    """Its place in the file: all that it takes has a smaller one."""
    layer: Layer
    takes: tuple[Node, ...] = ()
    """None for pictures and labels."""
    shape: tuple[int, ...] | None = None
    """Of pictures and labels, as the file gives it, with the batch; None where it does not say."""
    is_taken: bool = False


@dataclass(frozen=True)
class Graph:
    """The layers between the pictures and the answer, in the order of the file."""

    image: Node
    nodes: tuple[Node, ...]
    answer: Node


def graph_of(description: Description) -> Graph:
    """The graph of the layers that lead to the network's answer.

    The answer is what the loss with the most weight measures; in a network without a loss, what nobody takes. A Softmax
    at its end is left out: a chain gives logits. Layers beside the way to it, such as auxiliary heads, are left out.
    Raises NetworkError for a blob that no layer before gives or two give, and where there is not one image and one
    answer.
    """
    read = _Reader(description)
    answer = read.answer()
    while answer.layer.type == "Softmax":
        answer = answer.takes[0]
    nodes = _before(answer)
    images = [node for node in nodes if not node.takes]
    if len(images) != 1:
        names = some([node.layer.name for node in images])
        raise NetworkError(f"{description.file} takes {len(images)} inputs, {names}: a chain takes one image.")
    return Graph(images[0], tuple(node for node in nodes if node.takes), answer)


def input_chw(graph: Graph, file: str) -> tuple[int, int, int]:
    """Channels, height and width of the images, pixels. Raises NetworkError where the file does not say them."""
    shape = graph.image.shape
    if shape is None:
        raise NetworkError(
            f"{file} does not say how large its images are: write, in place of its layer of data, "
            'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 224 dim: 224 } } '
            "} with their channels, height and width."
        )
    if len(shape) != 4 or not all(1 <= size <= MOST_SIZE for size in shape[1:]):
        said = " x ".join(map(str, shape)) or "no numbers"
        raise NetworkError(
            f"{file} takes an input of {said}: expected four numbers, of images, channels, height and width, "
            f"each from 1 to {MOST_SIZE:,}."
        )
    return (shape[1], shape[2], shape[3])


class _Reader:
    """Goes through the layers in the order of the file, as Caffe does, and remembers who gave each blob last."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self.blobs: dict[str, Node] = {}
        self.nodes: list[Node] = []
        self.losses: list[tuple[float, Node]] = []
        for layer in description.layers:
            self._read(layer)

    def answer(self) -> Node:
        """The node whose output is the network's."""
        most = max((weight for weight, _ in self.losses), default=0.0)
        found = {id(node): node for weight, node in self.losses if weight == most}
        ends = list(found.values()) or [node for node in self.nodes if node.takes and not node.is_taken]
        if len(ends) == 1:
            return ends[0]
        if not ends:
            raise NetworkError(f"{self.description.file} has no layer that computes an answer.")
        names = some([f"{brief(repr(node.layer.name))} (line {node.layer.line})" for node in ends])
        raise NetworkError(
            f"{self.description.file} has {len(ends)} answers, {names}: a chain has one, so take the others out."
        )

    def _read(self, layer: Layer) -> None:
        takes = tuple(self._giver(layer, name) for name in layer.bottoms)
        if layer.type in _MEASURES or layer.type.endswith("Loss"):
            self._measure(layer, takes)
        elif not takes:
            self._read_input(layer)
        elif layer.type == "Split":
            self.blobs |= dict.fromkeys(layer.tops, takes[0])
        else:
            if len(layer.tops) != 1:
                raise layer.error(
                    f"of type {layer.type} gives {len(layer.tops)} blobs: in a chain, each layer gives one."
                )
            self._give(layer, layer.tops[0], self._node(layer, takes))

    def _read_input(self, layer: Layer) -> None:
        if layer.type not in INPUT_TYPES and not layer.type.endswith("Data"):
            raise layer.error(f"of type {layer.type} takes nothing: give its bottom.")
        shapes = list(_input_shapes(layer))
        for number, top in enumerate(layer.tops):
            shape = shapes[min(number, len(shapes) - 1)] if shapes else None
            self._give(layer, top, self._node(layer, shape=shape))

    def _measure(self, layer: Layer, takes: Sequence[Node]) -> None:
        if takes and layer.type.endswith("Loss"):
            weights = list(layer.settings.loss_weight)
            self.losses.append((weights[0] if weights else 1.0, takes[0]))
        for top in layer.tops:
            self.blobs.setdefault(top, self._node(layer))  # numbers that nothing in a chain can take

    def _node(self, layer: Layer, takes: tuple[Node, ...] = (), shape: tuple[int, ...] | None = None) -> Node:
        node = Node(len(self.nodes), layer, takes, shape)
        self.nodes.append(node)
        for each in takes:
            each.is_taken = True
        return node

    def _give(self, layer: Layer, top: str, node: Node) -> None:
        if top in self.blobs and top not in layer.bottoms:
            raise layer.error(f"gives {brief(repr(top))}, which an earlier layer gives: give its top another name.")
        self.blobs[top] = node

    def _giver(self, layer: Layer, name: str) -> Node:
        if name in self.blobs:
            return self.blobs[name]
        later = next((each for each in self.description.layers if name in each.tops), None)
        if later is not None:
            raise layer.error(
                f"takes {brief(repr(name))}, which {brief(repr(later.name))} gives only in line {later.line}: layers "
                "stand in the order in which they run, without circles."
            )
        hint = nearest(name, self.blobs, otherwise=f"before it there are {some(list(self.blobs)) or 'none'}.")
        raise layer.error(f"takes {brief(repr(name))}, which no layer gives: {hint}")


def _before(answer: Node) -> list[Node]:
    """A node and all that it depends on, in the order of the file."""
    found: dict[int, Node] = {}
    waiting = [answer]
    while waiting:
        node = waiting.pop()
        if node.order not in found:
            found[node.order] = node
            waiting += node.takes
    return [found[order] for order in sorted(found)]


def _input_shapes(layer: Layer) -> Iterator[tuple[int, ...]]:
    """The shapes of what a layer of data gives, as far as the file says: of the pictures first."""
    settings = layer.settings
    if layer.type == "Input":
        yield from (tuple(shape.dim) for shape in settings.input_param.shape)
    elif layer.type == "DummyData":
        dummy = settings.dummy_data_param
        yield from (tuple(shape.dim) for shape in dummy.shape)
        yield from zip(dummy.num, dummy.channels, dummy.height, dummy.width, strict=False)
    elif layer.type == "MemoryData":
        memory = settings.memory_data_param
        yield (1, memory.channels, memory.height, memory.width)
    else:
        transform = settings.transform_param
        height, width = transform.crop_h or transform.crop_size, transform.crop_w or transform.crop_size
        if height and width:
            yield (1, 1 if transform.force_gray else 3, height, width)


def dominators(nodes: Iterable[Node]) -> Mapping[Node, Node]:
    """Of each node that takes something the last one before it through which every way to it leads.

    nodes: in the order of the file, so that one pass is enough (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance
    Algorithm", 2001).
    """
    last: dict[Node, Node] = {}
    for node in nodes:
        common = node.takes[0]
        for other in node.takes[1:]:
            while common is not other:
                if common.order > other.order:
                    common = last[common]
                else:
                    other = last[other]
        last[node] = common
    return last
