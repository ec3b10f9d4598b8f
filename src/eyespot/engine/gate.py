"""The gate that a graph from a bundle has to pass before any engine sees it.

`onnx_file` reads it, and refuses whatever another reader could understand differently. Refused here are operators,
types and sizes that no graph of eyespot's has, and bytes at the file's beginning by which an engine would take it for a
file of another kind.

What passes cannot run code, read another file, or hold loops and branches. It can still ask for much memory and time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from eyespot.engine.affordable import require_affordable
from eyespot.engine.onnx_file import Values, read_model, refuse
from eyespot.engine.onnx_operators import ITEM_BYTES, constants_of, operators_of

INPUT, FEATURES, PROBABILITIES = "images", "features", "probabilities"
"""What goes into a graph, and what comes out of it."""
LIKENESS = "likeness"
"""What else comes out of one that knows when a picture shows none of its classes: (N,), to the nearest of them."""
BOXES, SCORES = "boxes", "scores"
"""What comes out of a detector: (N, L, 4) in pixels of the image, and (N, L, classes)."""
LABELS, ALL_BOXES, ALL_SCORES = "labels", "all_boxes", "all_scores"
"""What else comes out of one with suppression inside, where boxes are (K, 4) in pixels of the picture, and scores (K,):
their classes (K,), and what is known at all places, as of a detector."""
MOST_CANDIDATES = 1000
"""The surest boxes of a picture that suppression looks at."""
FEATURE_MAP = "feature_map"
"""A second output: the activations of one stage."""
SIGNATURE = "signature"
"""Another: by it near-copies of a picture are found."""
PICTURE = "picture"
"""What goes into a graph that resizes: uint8 (H, W, C), a decoded picture, upright, of any size."""
IR_VERSIONS = range(8, 11)
OPSETS = range(17, 22)
LARGEST_BYTES = 1 << 30
UINT8, FLOAT, INT64 = 2, 1, 7
"""Types of number, as ONNX counts them: TensorProto.DataType."""

# fmt: off
OPERATORS = frozenset(
    (
        "Conv", "Gemm", "MatMul",
        "BatchNormalization", "LayerNormalization", "LRN",
        "Relu", "LeakyRelu", "PRelu", "Elu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softmax",
        "Erf", "AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax",
        "Add", "Sub", "Mul", "Div", "Max", "Pow", "Sqrt",
        "Concat", "Split", "Pad", "Slice", "Gather", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose",
        "Cast", "Constant", "Identity", "Shape", "Resize", "Softplus",
    )
)
# fmt: on
"""What a convolutional network needs to answer; none of them runs code, reads a file or holds a subgraph."""
RESIZING_OPERATORS = (
    OPERATORS
    | {"Abs", "Floor", "Greater", "Min", "Range", "ReduceSum", "Round", "Where"}
    | {"Equal", "NonMaxSuppression", "TopK"}
)
"""What it needs where it resizes pictures itself and suppresses boxes, as an exported model does."""

_ONNX_RUNTIMES_OWN, _OPENVINOS_OWN = b"ORTM", b"<net"
"""What ONNX Runtime looks for in bytes 4 to 8, and OpenVINO anywhere before the first zero, ahead of reading ONNX."""
_BOUNDED = {b"TopK": 1, b"NonMaxSuppression": 2}
"""Operators that give as many numbers as they are told, and the place of the input that tells it."""
_DOMAINS = (b"", b"ai.onnx")
_ATTRIBUTE_TYPES = (1, 2, 3, 4, 6, 7, 8)  # float, int, string, tensor, floats, ints, strings


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
    tensor whose size is not its shape's, for nodes out of order, and beyond `LARGEST_BYTES` or `onnx_file.MOST_VALUES`.
    """
    if len(data) > LARGEST_BYTES:
        refuse(f"it has {len(data)} bytes, more than {LARGEST_BYTES}")
    text = data[: data.index(b"\0")] if b"\0" in data else data
    if data[4:8] == _ONNX_RUNTIMES_OWN or _OPENVINOS_OWN in text:
        refuse("it begins as a file of another kind, for which an engine could take it")
    model = read_model(data)
    _check_versions(model)
    if "graph" not in model:
        refuse("it holds no graph")
    graph: Values = model["graph"][0]
    for node in graph.get("node", []):
        _check_node(node, operators)
    for tensor in graph.get("initializer", []):
        _check_tensor(tensor)
    _check_order(graph)
    _check_bounds(graph)
    inputs, outputs = (_ports(graph.get(name, [])) for name in ("input", "output"))
    _check_cost(graph, inputs, outputs)
    return Ports(inputs, outputs, _properties(model.get("metadata_props", [])))


def _check_versions(model: Values) -> None:
    version = model.get("ir_version", [0])[0]
    if version not in IR_VERSIONS:
        refuse(f"its ONNX format is version {version}, and this eyespot knows {_range(IR_VERSIONS)}")
    opsets = model.get("opset_import", [])
    if len(opsets) != 1 or opsets[0].get("domain", [b""])[0] not in _DOMAINS:
        refuse("it needs operators that are not ONNX's own")
    opset = opsets[0].get("version", [0])[0]
    if opset not in OPSETS:
        refuse(f"its operator set is version {opset}, and this eyespot knows {_range(OPSETS)}")


def _check_node(node: Values, operators: frozenset[str]) -> None:
    name = bytes(node.get("op_type", [b""])[0]).decode("ascii", "backslashreplace")
    if node.get("domain", [b""])[0] not in _DOMAINS:
        refuse(f"its operator {name[:40]!r} is not one of ONNX's own")
    if name not in operators:
        refuse(f"it uses the operator {name[:40]!r}, which eyespot does not run")
    for attribute in node.get("attribute", []):
        if attribute.get("type", [0])[0] not in _ATTRIBUTE_TYPES:
            refuse(f"its operator {name!r} has an attribute of an unknown type")
        for tensor in attribute.get("t", []):
            _check_tensor(tensor)


def _check_order(graph: Values) -> None:
    """Each name is given once, and before it is taken: so there are no circles."""
    known = {b""}  # an input that is left out
    for part in ("input", "initializer"):
        known |= {bytes(each.get("name", [b""])[0]) for each in graph.get(part, [])}
    for node in graph.get("node", []):
        for name in map(bytes, node.get("input", [])):
            if name not in known:
                refuse(f"it takes {name[:40].decode('utf-8', 'backslashreplace')!r} before it is computed")
        gives = set(map(bytes, node.get("output", [])))
        if (gives - {b""}) & known:
            refuse("it computes one name twice")
        known |= gives


def _check_bounds(graph: Values) -> None:
    """How many numbers an operator gives is a constant, from 1 to `MOST_CANDIDATES`."""
    constants = {
        bytes(each.get("name", [b""])[0]): bytes(each.get("raw_data", [b""])[0])
        for each in graph.get("initializer", [])
        if each.get("data_type", [0])[0] == INT64
    }
    given = {bytes(each.get("name", [b""])[0]) for each in graph.get("input", [])}  # which replaces a constant
    for node in graph.get("node", []):
        kind = bytes(node.get("op_type", [b""])[0])
        if kind not in _BOUNDED:
            continue
        names = [*map(bytes, node.get("input", []))]
        name = names[_BOUNDED[kind]] if len(names) > _BOUNDED[kind] else b""
        most = int.from_bytes(constants.get(name, b""), "little", signed=True)
        if name in given or len(constants.get(name, b"")) != 8 or not 1 <= most <= MOST_CANDIDATES:
            refuse(f"its operator {kind.decode()!r} does not say that it gives at most {MOST_CANDIDATES} numbers")


def _check_cost(graph: Values, inputs: dict[str, Port], outputs: dict[str, Port]) -> None:
    given = {name: (port.shape, ITEM_BYTES.get(port.item, 8)) for name, port in inputs.items()}
    constants = {name: each for name, each in constants_of(graph).items() if name not in given}
    require_affordable(operators_of(graph), constants, given, list(outputs))


def _check_tensor(tensor: Values) -> None:
    item = ITEM_BYTES.get(tensor.get("data_type", [0])[0])
    shape, found = tensor.get("dims", []), len(tensor.get("raw_data", [b""])[0])
    if item is None or len(shape) > 8 or prod(shape) * item != found:
        refuse(f"one of its tensors has {found} bytes, which does not fit its type and shape")


def _ports(values: list[Values]) -> dict[str, Port]:
    ports = {}
    for value in values:
        tensor = value.get("type", [{}])[0].get("tensor_type", [{}])[0]
        lengths = tensor.get("shape", [{}])[0].get("dim", [])
        shape = tuple(each.get("value", [None])[0] for each in lengths)
        ports[_text(value, "name")] = Port(tensor.get("elem_type", [0])[0], shape)
    if len(ports) < len(values):
        refuse("two of its inputs or outputs have one name")
    return ports


def _properties(values: list[Values]) -> dict[str, str]:
    return {_text(value, "key"): _text(value, "value") for value in values}


def _text(value: Values, name: str) -> str:
    return bytes(value.get(name, [b""])[0]).decode("utf-8", "backslashreplace")


def _range(versions: range) -> str:
    return f"{versions.start} to {versions.stop - 1}"
