"""Hostile graphs and files by construction, for `hostile_models.py`: what each kind of them is.

A hostile author has eyespot, too: every graph here is put into a bundle, or an export, by eyespot's own writers, so all
hashes are right. `bomb` gives graphs that ask for much and are small; `mutated` honest ones with a few things changed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Node = onnx.NodeProto
EXTREMES = (0, -1, 1, 2, 7, 255, 4_096, 65_536, 10**6, 2**31 - 1, 2**31, 2**40, 2**62, 2**63 - 1, -(2**63))


class Bomb:
    """Nodes and constants that begin at a tensor of a graph and end at one that is added, times 0, to its answer."""

    def __init__(self, model: onnx.ModelProto, chance: random.Random, start: str) -> None:
        self.graph, self.chance, self.at = model.graph, chance, start
        self._count = 0

    def node(self, kind: str, *inputs: str, outputs: int = 1, **said: Any) -> str:
        names = [f"bomb.{self._count}.{each}" for each in range(outputs)]
        self._count += 1
        self.graph.node.append(helper.make_node(kind, list(inputs), names, **said))
        self.at = names[0]
        return names[0]

    def then(self, kind: str, *more: str, **said: Any) -> str:
        return self.node(kind, self.at, *more, **said)

    def constant(self, values: Any, kind: Any = np.float32) -> str:
        name = f"bomb.constant.{len(self.graph.initializer)}"
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def whole(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def zeros(self, *shape: int) -> str:
        return self.constant(np.zeros(shape))

    def some(self, low: float, high: float) -> int:
        """A number between both, as likely in each decade."""
        return int(10 ** self.chance.uniform(np.log10(low), np.log10(high)))

    def maps(self) -> str:
        """What it begins at as maps (1, 1, h, w)."""
        self.then("Cast", to=TensorProto.FLOAT)
        return self.then("Reshape", self.whole(1, 1, -1, self.chance.choice((4, 8, 12))))


def _doubled(b: Bomb) -> None:
    b.then("Cast", to=TensorProto.FLOAT)
    for _ in range(b.some(18, 62)):
        b.then("Concat", b.at, axis=b.chance.choice((0, -1)))


def _crossed(b: Bomb) -> None:
    size = b.some(2e4, 1e6)
    b.node(b.chance.choice(("Add", "Mul", "Max", "Greater", "MatMul")), b.zeros(size, 1), b.zeros(1, size))


def _crossed_with_picture(b: Bomb) -> None:
    b.then("Cast", to=TensorProto.FLOAT)
    b.then("Reshape", b.whole(-1))
    row = b.at
    b.then("Unsqueeze", b.whole(1))
    b.then(b.chance.choice(("Add", "Mul", "Sub")), row)


def _resized(b: Bomb) -> None:
    b.maps()
    factor = b.chance.choice((9.0, 33.3, 1e3, 1e6, 1e30))
    b.then("Resize", "", b.constant([1, 1, factor, factor]), mode=b.chance.choice(("nearest", "linear")))


def _resized_to(b: Bomb) -> None:
    b.maps()
    side = b.some(1e4, 1e9)
    b.then("Resize", "", "", b.whole(1, 1, side, side), mode="nearest")


def _padded(b: Bomb) -> None:
    b.maps()
    amount = b.some(1e4, 1e12)
    b.then("Pad", b.whole(0, 0, amount, 0, 0, 0, 0, amount), mode=b.chance.choice(("constant", "edge", "reflect")))


def _multiplied_early(b: Bomb) -> None:
    """Nothing of it depends on the picture, so the compiler does it."""
    side = b.chance.choice((700, 1500, 2500))
    matrix = b.zeros(side, 1)
    b.node("MatMul", matrix, b.zeros(1, side))
    for _ in range(b.chance.choice((1, 5, 50))):
        b.then("MatMul", b.at)


def _multiplied(b: Bomb) -> None:
    """Little memory, and products without an end."""
    side = b.chance.choice((1000, 4000, 8000))
    b.then("Cast", to=TensorProto.FLOAT)
    b.then("ReduceMean", keepdims=0)
    b.node("Add", b.node("Mul", b.zeros(side, 1), b.zeros(1, side)), b.graph.node[-2].output[0])
    for _ in range(b.some(100, 2000)):
        b.then("MatMul", b.at)


def _windowed(b: Bomb) -> None:
    b.maps()
    side = b.chance.choice((100, 300, 600))
    wide = b.whole(0, 0, side, side, 0, 0, side, side)
    for _ in range(b.chance.choice((1, 3, 10))):
        b.then("Pad", wide)
    b.then("Conv", b.zeros(b.chance.choice((1, 8)), 1, side, side))


def _pooled(b: Bomb) -> None:
    b.maps()
    b.then("Pad", b.whole(0, 0, 3000, 3000, 0, 0, 3000, 3000))
    side = b.chance.choice((1000, 3000))
    b.then(b.chance.choice(("MaxPool", "AveragePool")), kernel_shape=[side, side])


def _window_of_extremes(b: Bomb) -> None:
    b.maps()
    of = [b.chance.choice(EXTREMES) for _ in range(8)]
    how = {"strides": of[:2], "dilations": of[2:4], "pads": [*of[4:6], *of[4:6]], "group": of[6]}
    chosen = {name: how[name] for name in b.chance.sample(sorted(how), b.chance.randint(1, 3))}
    if b.chance.random() < 0.5:
        b.then("Conv", b.zeros(4, 1, 3, 3), **chosen)
    else:
        chosen.pop("group", None)
        b.then("MaxPool", kernel_shape=b.chance.choice(([2, 2], of[:2])), **chosen)


def _picked(b: Bomb) -> None:
    b.then("Cast", to=TensorProto.FLOAT)
    places = b.constant(np.zeros(b.some(1e3, 1e5)), np.int64)
    for _ in range(b.chance.choice((1, 2, 4))):
        b.then("Gather", places, axis=b.chance.choice((0, -1)))


def _long(b: Bomb) -> None:
    b.then("Cast", to=TensorProto.FLOAT)
    b.then("ReduceMean", keepdims=0)
    kind = b.chance.choice(("Relu", "Identity", "Sqrt", "Add", "Concat", "Mul", "Unsqueeze", "Abs"))
    zero = b.whole(0)
    for _ in range(b.some(2_000, 60_000)):
        if kind == "Unsqueeze":
            b.then("Unsqueeze", zero)
            b.then("Squeeze", zero)
        elif kind == "Concat":
            b.then("Unsqueeze", zero)
            b.then("Concat", axis=0)
            b.then("Squeeze", zero)
        else:
            b.then(kind, *([b.at] if kind in ("Add", "Mul") else []))


def _wide(b: Bomb) -> None:
    b.then("Cast", to=TensorProto.FLOAT)
    b.then("Flatten", axis=0)
    parts = b.some(1_000, 50_000)
    start = b.at
    ways = [b.node("Relu", start) for _ in range(parts)]
    b.node(b.chance.choice(("Max", "Concat")), *ways, **({"axis": 0} if b.chance.random() < 0.5 else {}))


def _counted(b: Bomb) -> None:
    kind = b.chance.choice((np.int64, np.float32))
    step = 1 if kind is np.int64 else b.chance.choice((1e-30, 1e-3, 0.0, float("nan")))
    b.node("Range", *(b.constant(each, kind) for each in (0, b.some(1e8, 1e18), step)))


def _counted_of_picture(b: Bomb) -> None:
    b.then("Shape")
    b.then("Gather", b.constant(0, np.int64))
    for _ in range(b.chance.choice((1, 2, 6))):
        b.then("Mul", b.at)
    b.node("Range", b.constant(0, np.int64), b.at, b.constant(1, np.int64))


def _for_one_size_of_picture(b: Bomb) -> None:
    """Harmless but for pictures of one height."""
    b.then("Shape")
    height = b.then("Gather", b.constant(0, np.int64))
    b.node("Equal", height, b.constant(b.chance.randint(30, 200), np.int64))
    most = b.node("Where", b.at, b.constant(10**11, np.int64), b.constant(1, np.int64))
    b.node("Range", b.constant(0, np.int64), most, b.constant(1, np.int64))


def _sorted(b: Bomb) -> None:
    b.then("Cast", to=TensorProto.FLOAT)
    b.then("Reshape", b.whole(-1))
    b.then("TopK", b.whole(b.chance.choice((0, 1_001, 10**9, -1, 2**63 - 1))), outputs=2)


def _suppressed(b: Bomb) -> None:
    boxes, most = b.some(100, 1e5), b.chance.choice((1_000, 10**6, -1))
    constants = b.zeros(1, boxes, 4), b.zeros(1, b.chance.choice((1, 50)), boxes)
    b.node("NonMaxSuppression", *constants, b.whole(most))


def _normalised(b: Bomb) -> None:
    b.maps()
    b.then("LRN", size=b.chance.choice((10**9, 2**63 - 1, -1, 0, 100_001)))


def _axes(b: Bomb) -> None:
    b.then("Cast", to=TensorProto.FLOAT)
    odd = [b.chance.choice(EXTREMES) for _ in range(b.chance.randint(1, 4))]
    kind = b.chance.choice(("Transpose", "Flatten", "Unsqueeze", "Squeeze", "Reshape", "Softmax", "Split", "Slice"))
    if kind == "Transpose":
        b.then(kind, perm=odd)
    elif kind in ("Flatten", "Softmax"):
        b.then(kind, axis=odd[0])
    elif kind == "Split":
        b.then(kind, b.whole(*odd), outputs=len(odd))
    elif kind == "Slice":
        b.then(kind, b.whole(odd[0]), b.whole(odd[-1]), b.whole(0), b.whole(b.chance.choice(EXTREMES)))
    else:
        b.then(kind, b.whole(*odd))


def _lying(b: Bomb) -> None:
    """A constant whose shape is none of its bytes'."""
    name = b.zeros(16)
    dims = b.chance.choice(([4, 5], [2**32, 2**32], [2**62, 4], [-16], [0, 16], [1] * 60, [2**63, 2, 1]))
    del b.graph.initializer[-1].dims[:]
    b.graph.initializer[-1].dims.extend([each if each < 2**63 else -1 for each in dims])
    b.then("Cast", to=TensorProto.FLOAT)
    b.node("Add", name, b.node("ReduceMean", b.at, keepdims=0))


def _cast(b: Bomb) -> None:
    """Small numbers that become large ones."""
    size = b.some(1e6, 2e7)
    name = b.constant(np.zeros(size), np.uint8)
    b.node("Cast", name, to=TensorProto.DOUBLE)
    for _ in range(b.chance.randint(0, 12)):
        b.node("Cast", name, to=b.chance.choice((TensorProto.DOUBLE, TensorProto.INT64)))


def _twice_said(b: Bomb) -> None:
    b.maps()
    b.then("MaxPool", kernel_shape=[2, 2])
    b.graph.node[-1].attribute.append(helper.make_attribute("kernel_shape", [1, 10**6]))


def _for_many_pictures(b: Bomb) -> None:
    """Every picture beside every other: little for one, and much for sixteen."""
    b.then("Cast", to=TensorProto.FLOAT)
    b.then("Reshape", b.whole(1, -1, b.chance.choice((2_304, 12_288))))
    one = b.at
    b.then("Transpose", perm=[1, 0, 2])
    b.then("Mul", one)


BOMBS: dict[str, Callable[[Bomb], None]] = {
    name.removeprefix("_").replace("_", " "): kind
    for name, kind in list(globals().items())
    if name.startswith("_") and callable(kind) and getattr(kind, "__annotations__", {}).get("b") == "Bomb"
}


def bomb(graph: bytes, name: str, answer: str, chance: random.Random) -> bytes:
    """The graph with a bomb of that kind in it, whose result is a part of its answer.

    answer: the name of an output.
    """
    model = onnx.load_from_string(graph)
    made = Bomb(model, chance, model.graph.input[0].name)
    before = f"{answer}.before"
    for node in model.graph.node:
        for place, output in enumerate(node.output):
            node.output[place] = before if output == answer else output
        for place, given in enumerate(node.input):
            node.input[place] = before if given == answer else given
    BOMBS[name](made)
    made.then("Cast", to=TensorProto.FLOAT)
    made.then("ReduceMax", keepdims=0)
    made.then("Mul", made.constant(0.0))
    model.graph.node.append(helper.make_node("Add", [before, made.at], [answer]))
    return bytes(model.SerializeToString())


def mutated(graph: bytes, chance: random.Random) -> bytes:
    """The graph with one to five things changed: nodes, names, attributes, constants."""
    model = onnx.load_from_string(graph)
    for _ in range(chance.randint(1, 5)):
        node = chance.choice(model.graph.node)
        _MUTATIONS[chance.choice(sorted(_MUTATIONS))](model.graph, node, chance)
    return bytes(model.SerializeToString())


def _other_kind(graph: onnx.GraphProto, node: Node, chance: random.Random) -> None:
    node.op_type = chance.choice(graph.node).op_type


def _other_input(graph: onnx.GraphProto, node: Node, chance: random.Random) -> None:
    names = [*(each.name for each in graph.initializer), *(name for each in graph.node for name in each.output), ""]
    if node.input:
        node.input[chance.randrange(len(node.input))] = chance.choice(names)


def _other_attribute(graph: onnx.GraphProto, node: Node, chance: random.Random) -> None:
    for attribute in node.attribute:
        if attribute.ints and chance.random() < 0.7:
            attribute.ints[chance.randrange(len(attribute.ints))] = chance.choice(EXTREMES)
        elif attribute.type == onnx.AttributeProto.INT:
            attribute.i = chance.choice(EXTREMES)


def _other_shape(graph: onnx.GraphProto, node: Node, chance: random.Random) -> None:
    tensor = chance.choice(graph.initializer)
    if tensor.dims:
        chance.shuffle(dims := list(tensor.dims))
        tensor.dims[:] = dims if chance.random() < 0.7 else [chance.choice(EXTREMES[:-1]) for _ in dims]


def _other_numbers(graph: onnx.GraphProto, node: Node, chance: random.Random) -> None:
    """Those of a constant that says where, or how much."""
    small = [each for each in graph.initializer if each.data_type == TensorProto.INT64]
    if small:
        tensor = chance.choice(small)
        values = numpy_helper.to_array(tensor).copy().reshape(-1)
        values[chance.randrange(values.size)] = chance.choice(EXTREMES)
        tensor.raw_data = values.tobytes()


def _left_out(graph: onnx.GraphProto, node: Node, chance: random.Random) -> None:
    graph.node.remove(node)


def _again(graph: onnx.GraphProto, node: Node, chance: random.Random) -> None:
    graph.node.append(node)


def _other_port(graph: onnx.GraphProto, node: Node, chance: random.Random) -> None:
    port = chance.choice([*graph.input, *graph.output])
    dims = port.type.tensor_type.shape.dim
    if dims:
        dims[chance.randrange(len(dims))].dim_value = abs(chance.choice(EXTREMES))


_MUTATIONS = {
    each.__name__: each
    for each in (
        *(_other_kind, _other_input, _other_attribute, _other_shape, _other_numbers, _left_out, _again, _other_port),
    )
}


def mutated_xml(xml: bytes, chance: random.Random) -> bytes:
    """OpenVINO's XML with one to five of its texts changed."""
    text = xml.decode()
    head, layers, rest = _parts(text)
    for _ in range(chance.randint(1, 5)):
        pattern = chance.choice(_TEXTS)
        found = list(re.finditer(pattern, layers))
        if not found:
            continue
        match = chance.choice(found)
        layers = layers[: match.start(1)] + _another(match[1], found, chance) + layers[match.end(1) :]
    return (head + layers + rest).encode()


def _parts(text: str) -> Sequence[str]:
    """What comes before the layers and edges, those, and what comes after."""
    start, end = text.index("<layers>"), text.rindex("</edges>")
    return text[:start], text[start:end], text[end:]


_TEXTS = (
    *(r'type="(\w+)"', r'shape="([^"]*)"', r'"(\d+(?:, \d+)+)"', r'element_type="(\w+)"', r'axis="(-?\d+)"'),
    *(r'offset="(\d+)"', r' size="(\d+)"', r'from-layer="(\d+)"', r'to-port="(\d+)"', r"<dim>(-?\d+)</dim>"),
    *(r'="(true|false)"', r'version="(opset\d+)"', r"(<edge [^>]*/>)", r'mode="(\w+)"', r'destination_type="(\w+)"'),
)


def _another(before: str, found: Sequence[re.Match[str]], chance: random.Random) -> str:
    if before.startswith("<") or chance.random() < 0.5:
        return chance.choice(found)[1] if chance.random() < 0.8 else ""
    return ", ".join(str(chance.choice(EXTREMES)) for _ in before.split(","))
