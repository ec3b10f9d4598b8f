"""A checked XML of OpenVINO as operators and constants whose sizes can be followed, in ONNX's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from typing import Any
from xml.etree import ElementTree

from eyespot.engine.onnx_file import refuse
from eyespot.engine.sized import Operator, Tensor

_ITEM_BYTES = {
    **dict.fromkeys(("f32", "i32", "u32"), 4),
    **dict.fromkeys(("f64", "i64", "u64"), 8),
    **dict.fromkeys(("f16", "bf16", "i16", "u16"), 2),
    **dict.fromkeys(("u8", "i8", "boolean"), 1),
}
_COMPUTED_BYTES = _ITEM_BYTES | {"f16": 4, "bf16": 4}
_KINDS = {"f32": "<f4", "f64": "<f8", "i64": "<i8", "i32": "<i4", "u8": "u1", "i8": "i1", "boolean": "?"}
"""For numpy, of those whose numbers are looked at."""
# fmt: off
_SAME_AS = {
    "Convert": "Cast", "Convolution": "Conv", "GroupConvolution": "Conv", "BatchNormInference": "BatchNormalization",
    "ReLU": "Relu", "PReLU": "PRelu", "Clamp": "Relu", "HSwish": "HardSwish", "SoftMax": "Softmax", "AvgPool":
    "AveragePool", "Subtract": "Sub", "Multiply": "Mul", "Divide": "Div", "Maximum": "Max", "Minimum": "Min",
    "Select": "Where", "Split": "ir.Split", "Pad": "ir.Pad", "Slice": "ir.Slice", "Gather": "ir.Gather",
    "ShapeOf": "Shape", "SoftPlus": "Softplus", "Gelu": "Erf",
}
# fmt: on
"""OpenVINO's operators that mean one of ONNX's; of the others, those of one name mean the same."""
_OTHER_NAMES = {
    "kernel": "kernel_shape",
    "keep_dims": "keepdims",
    "transpose_a": "transA",
    "transpose_b": "transB",
}
_PADDINGS = {"explicit": "NOTSET", "notset": "NOTSET", "valid": "VALID", "same_upper": "SAME_UPPER"}
_PADDINGS |= {"same_lower": "SAME_LOWER"}
_OTHER_MEANING = {("BatchNormInference", "opset1"), ("Interpolate", "opset1")}
"""Operators of sets whose inputs have another order."""
_WHOLE = re.compile(r"-?[0-9]{1,18}( *, *-?[0-9]{1,18})*")
_LISTS = {"kernel_shape", "strides", "dilations", "pads_begin", "pads_end", "axes"}


class IrGraph:
    """Its operators in order, its constants, and what goes in and comes out, by name."""

    def __init__(self, root: ElementTree.Element, weights: bytes) -> None:
        """Raises BundleError where layers are not in order, or a constant has other bytes than its shape's."""
        self.operators: list[Operator] = []
        self.constants: dict[str, Tensor] = {}
        self.inputs: dict[str, tuple[tuple[int | None, ...], int]] = {}
        """Shape, None for a length that is left open, and bytes of a number."""
        self.outputs: list[str] = []
        sources = _sources(root)
        known: set[str] = set()
        for layer in root.iterfind("layers/layer"):
            number, kind = layer.get("id", ""), layer.get("type", "")
            inputs = [sources.pop((number, port.get("id", "")), "") for port in layer.iterfind("input/port")]
            outputs = [f"{number}:{port.get('id')}" for port in layer.iterfind("output/port")]
            if not known.issuperset(inputs) or len(set(outputs)) < max(len(outputs), kind != "Result"):
                refuse(f"its operator {kind!r} takes what is not computed before it, or gives nothing")
            known |= set(outputs)
            self._add(kind, layer, inputs, outputs, weights)
        if sources:
            refuse("two of its edges lead to one place, or one leads nowhere")

    def _add(
        self, kind: str, layer: ElementTree.Element, inputs: list[str], outputs: list[str], weights: bytes
    ) -> None:
        data = layer.find("data")
        given: Mapping[str, str] = data.attrib if data is not None else {}
        if kind == "Result":
            self.outputs += inputs
        elif kind == "Parameter":
            self.inputs[outputs[0]] = (_open_shape(given.get("shape", "")), _item(given))
        elif kind == "Const":
            self.constants[outputs[0]] = _constant(given, weights)
        else:
            self.operators.append(_operator(kind, layer.get("version", ""), given, inputs, outputs))


def _sources(root: ElementTree.Element) -> dict[tuple[str, str], str]:
    """Where what goes into each port comes from."""
    sources: dict[tuple[str, str], str] = {}
    for edge in root.iterfind("edges/edge"):
        to = edge.get("to-layer", ""), edge.get("to-port", "")
        if to in sources:
            refuse("two of its edges lead to one place")
        sources[to] = f"{edge.get('from-layer')}:{edge.get('from-port')}"
    return sources


def _operator(kind: str, version: str, given: Mapping[str, str], inputs: list[str], outputs: list[str]) -> Operator:
    said = {_OTHER_NAMES.get(name, name): _value(name, text) for name, text in given.items()}
    is_other = (kind, version) in _OTHER_MEANING or said.get("allow_axis_skip")
    if is_other or said.get("auto_broadcast", "numpy") not in ("numpy", "none"):
        refuse(f"its operator {kind!r} is of a kind that eyespot does not write")
    for name in _LISTS & said.keys():
        said[name] = said[name] if isinstance(said[name], list) else [said[name]]
    if kind in ("Convolution", "GroupConvolution", "MaxPool", "AvgPool"):
        said["pads"] = said.pop("pads_begin", []) + said.pop("pads_end", [])
        said["auto_pad"] = _PADDINGS.get(given.get("auto_pad", "explicit").lower(), "NOTSET")
        said["ceil_mode"] = given.get("rounding_type", "floor") != "floor"
    said["allowzero"] = not said.pop("special_zero", 0)
    said["grouped"], said["version"] = kind == "GroupConvolution", version
    wanted = given.get("destination_type") or given.get("output_type")
    if kind == "Convert":
        said["to"] = _KINDS.get(wanted or "")
    item = _COMPUTED_BYTES.get(wanted or "", 0) if kind in ("Convert", "ShapeOf", "Range") else 0
    if kind in ("NotEqual", "Less", "LogicalAnd", "LogicalNot"):
        item = 1
    return Operator(_SAME_AS.get(kind, kind), inputs, outputs, said, item=item)


def _value(name: str, text: str) -> Any:
    """As ONNX would have it: whole numbers, lists of them, or the text."""
    if text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    if not _WHOLE.fullmatch(text):
        return [] if not text and name != "mode" else text
    numbers = [int(each) for each in text.split(",")]
    return numbers if len(numbers) > 1 or name.endswith("_mask") else numbers[0]


def _item(given: Mapping[str, str]) -> int:
    kind = given.get("element_type", "")
    if kind not in _ITEM_BYTES:
        refuse(f"it holds numbers of the type {kind[:40]!r}, which eyespot does not write")
    return _ITEM_BYTES[kind]


def _open_shape(text: str) -> tuple[int | None, ...]:
    lengths = [each.strip() for each in text.split(",")] if text else []
    if not all(each in ("?", "-1") or re.fullmatch("[0-9]{1,12}", each) for each in lengths):
        refuse(f"what goes into it has the shape {text[:40]!r}, which eyespot does not write")
    return tuple(None if each in ("?", "-1") else int(each) for each in lengths)


def _constant(given: Mapping[str, str], weights: bytes) -> Tensor:
    item, offset, size = _item(given), int(given.get("offset", "")), int(given.get("size", ""))
    shape = _open_shape(given.get("shape", ""))
    lengths = tuple(each for each in shape if each is not None)
    if len(lengths) < len(shape) or len(shape) > 8 or prod(lengths) * item != size:
        refuse(f"one of its constants has {size} bytes, which does not fit its type and shape")
    kind = _KINDS.get(given.get("element_type", ""))
    raw = None if kind is None else (memoryview(weights)[offset : offset + size], kind)
    return Tensor(lengths, item, constant=True, raw=raw)
