"""The gate that a graph from a bundle has to pass before any engine sees it.

It reads the bytes of the ONNX file itself, without the onnx package: that package takes longer to import than a picture
takes to classify, and a reader that knows only what eyespot writes refuses everything else. The file is Protocol
Buffers (protobuf.dev/programming-guides/encoding): a message is a row of fields, each a tag (field number, wire type)
and a value. The tables below are those of onnx.proto with the fields that a graph for inference needs. An unknown
field, a single field given twice, or an odd encoding is refused, so that no other reader can understand the file
differently; and so are bytes at its beginning by which an engine would take it for a file of another kind.

What passes cannot run code, read another file, or hold loops and branches. It can still ask for much memory and time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any, NoReturn

from eyespot.errors import BundleError

INPUT, FEATURES, PROBABILITIES = "images", "features", "probabilities"
"""What goes into a graph, and what comes out of it."""
FEATURE_MAP = "feature_map"
"""A second output: the activations of one stage."""
PICTURE = "picture"
"""What goes into a graph that resizes: uint8 (H, W, C), a decoded picture, upright, of any size."""
IR_VERSIONS = range(8, 11)
OPSETS = range(17, 22)
LARGEST_BYTES = 1 << 30
MOST_VALUES = 1_000_000
UINT8, FLOAT = 2, 1
"""Types of number, as ONNX counts them: TensorProto.DataType."""

# fmt: off
OPERATORS = frozenset(
    (
        "Conv", "Gemm", "MatMul",
        "BatchNormalization", "LRN",
        "Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softmax",
        "AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax",
        "Add", "Sub", "Mul", "Div", "Sqrt",
        "Concat", "Split", "Pad", "Slice", "Gather", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose",
        "Cast", "Constant", "Identity", "Shape",
    )
)
# fmt: on
"""What a convolutional network needs to answer; none of them runs code, reads a file or holds a subgraph."""
RESIZING_OPERATORS = OPERATORS | {"Abs", "Floor", "Greater", "Max", "Range", "ReduceSum", "Round", "Where"}
"""What it needs where it resizes pictures itself, as an exported model does."""

_ONNX_RUNTIMES_OWN, _OPENVINOS_OWN = b"ORTM", b"<net"
"""What ONNX Runtime looks for in bytes 4 to 8, and OpenVINO anywhere before the first zero, ahead of reading ONNX."""
_DOMAINS = (b"", b"ai.onnx")
_ITEM_BYTES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2}  # TensorProto.DataType; no strings
_ATTRIBUTE_TYPES = (1, 2, 3, 4, 6, 7, 8)  # float, int, string, tensor, floats, ints, strings

_VARINT, _BYTES, _FOUR_BYTES = 0, 2, 5  # wire types


@dataclass(frozen=True)
class _Field:
    name: str
    wire: int = _BYTES
    many: bool = False
    message: dict[int, _Field] | None = None
    refused: str = ""
    """What a file that has this field holds, in words; such a file does not pass."""


_Message = dict[int, _Field]

_PROPERTY: _Message = {1: _Field("key"), 2: _Field("value")}
_OPSET: _Message = {1: _Field("domain"), 2: _Field("version", _VARINT)}
_DIMENSION: _Message = {1: _Field("value", _VARINT), 2: _Field("param"), 3: _Field("denotation")}
_SHAPE: _Message = {1: _Field("dim", many=True, message=_DIMENSION)}
_TENSOR_TYPE: _Message = {1: _Field("elem_type", _VARINT), 2: _Field("shape", message=_SHAPE)}
_TYPE: _Message = {1: _Field("tensor_type", message=_TENSOR_TYPE), 6: _Field("denotation")}
_VALUE: _Message = {
    1: _Field("name"),
    2: _Field("type", message=_TYPE),
    3: _Field("doc_string"),
    4: _Field("metadata_props", many=True, message=_PROPERTY),
}
_EXTERNAL = "data kept in another file"
_TENSOR: _Message = {
    1: _Field("dims", _VARINT, many=True),
    2: _Field("data_type", _VARINT),
    8: _Field("name"),
    9: _Field("raw_data"),
    12: _Field("doc_string"),
    13: _Field("external_data", refused=_EXTERNAL),
    14: _Field("data_location", refused=_EXTERNAL),
    16: _Field("metadata_props", many=True, message=_PROPERTY),
}
_SUBGRAPH = "a graph inside a graph"
_ATTRIBUTE: _Message = {
    1: _Field("name"),
    2: _Field("f", _FOUR_BYTES),
    3: _Field("i", _VARINT),
    4: _Field("s"),
    5: _Field("t", message=_TENSOR),
    6: _Field("g", refused=_SUBGRAPH),
    7: _Field("floats", _FOUR_BYTES, many=True),
    8: _Field("ints", _VARINT, many=True),
    9: _Field("strings", many=True),
    11: _Field("graphs", refused=_SUBGRAPH),
    13: _Field("doc_string"),
    20: _Field("type", _VARINT),
}
_NODE: _Message = {
    1: _Field("input", many=True),
    2: _Field("output", many=True),
    3: _Field("name"),
    4: _Field("op_type"),
    5: _Field("attribute", many=True, message=_ATTRIBUTE),
    6: _Field("doc_string"),
    7: _Field("domain"),
    9: _Field("metadata_props", many=True, message=_PROPERTY),
}
_GRAPH: _Message = {
    1: _Field("node", many=True, message=_NODE),
    2: _Field("name"),
    5: _Field("initializer", many=True, message=_TENSOR),
    10: _Field("doc_string"),
    11: _Field("input", many=True, message=_VALUE),
    12: _Field("output", many=True, message=_VALUE),
    13: _Field("value_info", many=True, message=_VALUE),
    16: _Field("metadata_props", many=True, message=_PROPERTY),
}
_GRAPH_FIELD = 7
_MODEL: _Message = {
    1: _Field("ir_version", _VARINT),
    2: _Field("producer_name"),
    3: _Field("producer_version"),
    4: _Field("domain"),
    5: _Field("model_version", _VARINT),
    6: _Field("doc_string"),
    _GRAPH_FIELD: _Field("graph", message=_GRAPH),
    8: _Field("opset_import", many=True, message=_OPSET),
    14: _Field("metadata_props", many=True, message=_PROPERTY),
    20: _Field("training_info", refused="steps of a training"),
    25: _Field("functions", refused="functions of its own"),
    26: _Field("configuration", refused="instructions for several devices"),
}

_Values = dict[str, list[Any]]


@dataclass(frozen=True)
class Port:
    """An input or output of a graph, as the graph declares it."""

    item: int
    """Its type of number, such as `UINT8`."""
    shape: tuple[int | None, ...]
    """None where a length is left open, as that of the batch is."""


@dataclass(frozen=True)
class Ports:
    """Everything that goes into a graph and comes out of it, by name."""

    inputs: dict[str, Port]
    outputs: dict[str, Port]
    properties: dict[str, str] = field(default_factory=dict)
    """What the file says of itself, its metadata."""


def check_graph(data: bytes, *, operators: frozenset[str] = OPERATORS) -> Ports:
    """What goes into an ONNX model and comes out of it, where `data` is one that is safe to hand to an engine.

    operators: those that may be in it.
    Raises BundleError, saying what was found, for what is not ONNX, for data in other files, for other operators, also
    outside ONNX's own domain, for functions and subgraphs, for versions outside `IR_VERSIONS` and `OPSETS`, for a
    tensor whose size is not its shape's, for nodes out of order, and beyond `LARGEST_BYTES` or `MOST_VALUES`.
    """
    if len(data) > LARGEST_BYTES:
        _refuse(f"it has {len(data)} bytes, more than {LARGEST_BYTES}")
    text = data[: data.index(b"\0")] if b"\0" in data else data
    if data[4:8] == _ONNX_RUNTIMES_OWN or _OPENVINOS_OWN in text:
        _refuse("it begins as a file of another kind, for which an engine could take it")
    model = _Reader(data).read(0, len(data), _MODEL)
    _check_versions(model)
    if "graph" not in model:
        _refuse("it holds no graph")
    graph: _Values = model["graph"][0]
    for node in graph.get("node", []):
        _check_node(node, operators)
    for tensor in graph.get("initializer", []):
        _check_tensor(tensor)
    _check_order(graph)
    inputs, outputs = (_ports(graph.get(name, [])) for name in ("input", "output"))
    return Ports(inputs, outputs, _properties(model.get("metadata_props", [])))


def graph_bytes(data: bytes) -> memoryview:
    """The part of a checked ONNX model that is its graph, weights and all, as it stands in the file."""
    reader, position = _Reader(data), 0
    while True:
        tag, position = reader.number(position, len(data))
        size, start = reader.number(position, len(data))
        if tag >> 3 == _GRAPH_FIELD:
            return reader.view[start : start + size]
        position = start + size if tag & 7 == _BYTES else start


def _check_versions(model: _Values) -> None:
    version = model.get("ir_version", [0])[0]
    if version not in IR_VERSIONS:
        _refuse(f"its ONNX format is version {version}, and this eyespot knows {_range(IR_VERSIONS)}")
    opsets = model.get("opset_import", [])
    if len(opsets) != 1 or opsets[0].get("domain", [b""])[0] not in _DOMAINS:
        _refuse("it needs operators that are not ONNX's own")
    opset = opsets[0].get("version", [0])[0]
    if opset not in OPSETS:
        _refuse(f"its operator set is version {opset}, and this eyespot knows {_range(OPSETS)}")


def _check_node(node: _Values, operators: frozenset[str]) -> None:
    name = bytes(node.get("op_type", [b""])[0]).decode("ascii", "backslashreplace")
    if node.get("domain", [b""])[0] not in _DOMAINS:
        _refuse(f"its operator {name[:40]!r} is not one of ONNX's own")
    if name not in operators:
        _refuse(f"it uses the operator {name[:40]!r}, which eyespot does not run")
    for attribute in node.get("attribute", []):
        if attribute.get("type", [0])[0] not in _ATTRIBUTE_TYPES:
            _refuse(f"its operator {name!r} has an attribute of an unknown type")
        for tensor in attribute.get("t", []):
            _check_tensor(tensor)


def _check_order(graph: _Values) -> None:
    """Each name is given once, and before it is taken: so there are no circles."""
    known = {b""}  # an input that is left out
    for part in ("input", "initializer"):
        known |= {bytes(each.get("name", [b""])[0]) for each in graph.get(part, [])}
    for node in graph.get("node", []):
        for name in map(bytes, node.get("input", [])):
            if name not in known:
                _refuse(f"it takes {name[:40].decode('utf-8', 'backslashreplace')!r} before it is computed")
        gives = set(map(bytes, node.get("output", [])))
        if gives & known - {b""}:
            _refuse("it computes one name twice")
        known |= gives


def _check_tensor(tensor: _Values) -> None:
    item = _ITEM_BYTES.get(tensor.get("data_type", [0])[0])
    shape, found = tensor.get("dims", []), len(tensor.get("raw_data", [b""])[0])
    if item is None or len(shape) > 8 or prod(shape) * item != found:
        _refuse(f"one of its tensors has {found} bytes, which does not fit its type and shape")


def _ports(values: list[_Values]) -> dict[str, Port]:
    ports = {}
    for value in values:
        tensor = value.get("type", [{}])[0].get("tensor_type", [{}])[0]
        lengths = tensor.get("shape", [{}])[0].get("dim", [])
        shape = tuple(each.get("value", [None])[0] for each in lengths)
        ports[_text(value, "name")] = Port(tensor.get("elem_type", [0])[0], shape)
    return ports


def _properties(values: list[_Values]) -> dict[str, str]:
    return {_text(value, "key"): _text(value, "value") for value in values}


def _text(value: _Values, name: str) -> str:
    return bytes(value.get(name, [b""])[0]).decode("utf-8", "backslashreplace")


class _Reader:
    """Reads messages, up to `MOST_VALUES` values in all: a small file must not become a large heap of objects."""

    def __init__(self, data: bytes) -> None:
        self.data, self.view = data, memoryview(data)
        self.values = 0

    def read(self, position: int, end: int, message: _Message) -> _Values:
        """The values of every field of the message that lies from `position` to `end`, by the field's name."""
        values: _Values = {}
        while position < end:
            tag, position = self.number(position, end)
            field = message.get(tag >> 3)
            if field is None:
                _refuse("it holds a field that eyespot does not know; it may be of a newer version, or not ONNX")
            if field.refused:
                _refuse(f"it holds {field.refused}")
            if field.name in values and not field.many:
                _refuse(f"it gives {field.name!r} twice")
            read, position = self._value(position, end, tag & 7, field)
            values.setdefault(field.name, []).extend(read)
        return values

    def _value(self, position: int, end: int, wire: int, field: _Field) -> tuple[list[Any], int]:
        self._count()
        if wire == _VARINT == field.wire:
            number, position = self.number(position, end)
            return [number], position
        if wire == _FOUR_BYTES == field.wire:
            return [self.view[position : self._past(position, 4, end)]], position + 4
        if wire != _BYTES or (field.wire != _BYTES and not field.many):
            _refuse(f"its field {field.name!r} is not encoded as ONNX does")
        size, position = self.number(position, end)
        past = self._past(position, size, end)
        if field.wire == _VARINT:
            return self._packed(position, past), past
        if field.wire == _FOUR_BYTES and size % 4:
            _refuse(f"its field {field.name!r} is cut short")
        return [self.read(position, past, field.message) if field.message else self.view[position:past]], past

    def _packed(self, position: int, end: int) -> list[int]:
        numbers = []
        while position < end:
            self._count()
            number, position = self.number(position, end)
            numbers.append(number)
        return numbers

    def _count(self) -> None:
        self.values += 1
        if self.values > MOST_VALUES:
            _refuse(f"it has more than {MOST_VALUES} parts")

    def number(self, position: int, end: int) -> tuple[int, int]:
        """A number below 2 to the power of 64, seven bits a byte, the lowest first, and where it ends."""
        if position < end and self.data[position] < 0x80:  # nearly always one byte
            return self.data[position], position + 1
        number = 0
        for shift in range(0, 70, 7):
            past = self._past(position, 1, end)
            byte, position = self.data[position], past
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                if number >> 64 or (shift and not byte):  # too large, or longer than it need be
                    break
                return number, position
        _refuse("it holds a number that is not encoded as ONNX does")

    @staticmethod
    def _past(position: int, size: int, end: int) -> int:
        """Where the next `size` bytes end."""
        if size > end - position:
            _refuse("it ends too early; the file is damaged, or not ONNX")
        return position + size


def _range(versions: range) -> str:
    return f"{versions.start} to {versions.stop - 1}"


def _refuse(reason: str) -> NoReturn:
    raise BundleError(f"The model's graph cannot be used: {reason}.")
