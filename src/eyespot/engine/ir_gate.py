"""The gate for OpenVINO's own files: XML that lists operators, and a file of the weights they point into.

What passes uses only OpenVINO's operators, holds no graph inside a graph, points nowhere but into its own weights, and
names no other file.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from eyespot.engine.affordable import require_affordable
from eyespot.engine.gate import MOST_CANDIDATES
from eyespot.engine.ir_operators import IrGraph
from eyespot.engine.onnx_file import refuse
from eyespot.names import quoted

LARGEST_XML = 8 * 2**20
"""Bytes. The largest of the zoo has 2 MB."""
IR_VERSIONS = ("10", "11")
# fmt: off
OPERATORS = frozenset(
    (
        "Parameter", "Result", "Const", "Convert",
        "Convolution", "GroupConvolution", "MatMul", "FakeQuantize", "LRN",
        "ReLU", "PReLU", "Elu", "Clamp", "Sigmoid", "HardSigmoid", "HSwish", "Swish", "Tanh", "SoftMax", "Softmax",
        "Erf", "Gelu", "MVN",
        "AvgPool", "MaxPool", "ReduceMean", "ReduceMax", "ReduceSum", "BatchNormInference",
        "Add", "Subtract", "Multiply", "Divide", "Power", "Sqrt", "Abs", "Floor", "FloorMod", "Maximum", "Minimum",
        "Round", "Negative", "Greater", "Equal", "NotEqual", "Less", "LogicalAnd", "LogicalNot", "Select", "Sign",
        "Concat", "Split", "VariadicSplit", "Pad", "Slice", "StridedSlice", "Gather", "Reshape", "Squeeze", "Unsqueeze",
        "Transpose", "ShapeOf", "Range", "Broadcast", "Identity",
        "Interpolate", "SoftPlus", "TopK", "NonMaxSuppression",
    )
)
# fmt: on
_BOUNDED = {"TopK": "1", "NonMaxSuppression": "2"}
"""Operators that give as many numbers as they are told, and the port of the input that tells it."""
_START = b'<?xml version="1.0"?>'
_PARTS = {"layers", "edges", "rt_info"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_OPERATOR_SET = re.compile("opset[0-9]{1,2}")


def check_ir(xml: bytes, weights: bytes) -> dict[str, str]:
    """What the file says of itself, by name, where it is one that is safe to hand to the engine.

    xml, weights: the two files.
    Raises BundleError, saying what was found, for anything else.
    """
    if len(xml) > LARGEST_XML:
        refuse(f"it has {len(xml)} bytes, more than {LARGEST_XML}")
    if not xml.startswith(_START) or b"\0" in xml:  # so that every reader takes it for the same letters
        refuse(f"it does not begin with {_START.decode()}")
    if b"<!" in xml or b"<?" in xml[1:]:  # a document type could define entities, which grow, or name other files
        refuse("it holds declarations, which a model has no need of")
    try:
        root = ElementTree.fromstring(xml.decode("utf-8"))
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        refuse(f"it is not XML ({quoted(error)})")
    if root.tag != "net" or root.get("version") not in IR_VERSIONS:
        refuse(f"it is not a network of version {' or '.join(IR_VERSIONS)}")
    _check_names(root)
    for layer in root.iterfind("layers/*"):
        _check_layer(layer, len(weights))
    _check_bounds(root, weights)
    graph = IrGraph(root, weights)
    require_affordable(graph.operators, graph.constants, graph.inputs, graph.outputs)
    said = root.find("rt_info/eyespot")
    return {each.tag: each.get("value", "") for each in (said if said is not None else ())}


def _check_names(root: ElementTree.Element) -> None:
    """No name of an element is written or found in two ways: OpenVINO knows no namespaces, and takes the first."""
    for element in root.iter():
        if not all(_NAME.fullmatch(name) for name in (element.tag, *element.attrib)):
            refuse(f"it holds the name {element.tag[:40]!r}, which no model needs")
        if element.tag == "body":
            refuse(f"it holds a graph inside a graph ({element.tag})")
    parts = [each.tag for each in root]
    if not set(parts) <= _PARTS or len(parts) > len(set(parts)) or "layers" not in parts:
        refuse(f"it does not consist of {', '.join(sorted(_PARTS))}, each once")


def _check_layer(layer: ElementTree.Element, weights_bytes: int) -> None:
    kind, operator_set = layer.get("type", ""), layer.get("version", "")
    if layer.tag != "layer" or kind not in OPERATORS:
        refuse(f"it uses the operator {kind[:40]!r}, which eyespot does not run")
    if not _OPERATOR_SET.fullmatch(operator_set):
        refuse(f"its operator {kind!r} is of the set {operator_set[:40]!r}, which is not OpenVINO's own")
    described = layer.findall("data")
    if len(described) > 1:
        refuse(f"it describes its operator {kind!r} twice")
    if kind != "Const":
        return
    try:
        offset, size = (int(described[0].attrib[name]) for name in ("offset", "size"))
    except (IndexError, KeyError, ValueError):
        refuse("one of its constants does not say where it lies")
    if not 0 <= offset <= offset + size <= weights_bytes:
        refuse(f"one of its constants lies beyond the {weights_bytes} bytes of its weights")


def _check_bounds(root: ElementTree.Element, weights: bytes) -> None:
    """How many numbers an operator gives is a constant, from 1 to `MOST_CANDIDATES`."""
    layers = {layer.get("id"): layer for layer in root.iterfind("layers/layer")}
    if len(layers) < len(root.findall("layers/layer")):
        refuse("two of its layers have one number")
    sources: dict[tuple[str | None, str | None], list[str | None]] = {}
    for edge in root.iterfind("edges/edge"):
        sources.setdefault((edge.get("to-layer"), edge.get("to-port")), []).append(edge.get("from-layer"))
    for number, layer in layers.items():
        kind = layer.get("type", "")
        if kind not in _BOUNDED:
            continue
        given = sources.get((number, _BOUNDED[kind]), [])
        most = _constant(layers.get(given[0]), weights) if len(given) == 1 else None
        if most is None or not 1 <= most <= MOST_CANDIDATES:
            refuse(f"its operator {kind!r} does not say that it gives at most {MOST_CANDIDATES} numbers")


def _constant(layer: ElementTree.Element | None, weights: bytes) -> int | None:
    """The whole number that a layer holds; None where it holds none."""
    data = layer.find("data") if layer is not None and layer.get("type") == "Const" else None
    if data is None or (data.get("element_type"), data.get("size")) not in (("i64", "8"), ("i32", "4")):
        return None
    offset, size = int(data.get("offset", "")), int(data.get("size", ""))
    return int.from_bytes(weights[offset : offset + size], "little", signed=True)
