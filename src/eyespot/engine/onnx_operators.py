"""A checked ONNX graph as operators and constants whose sizes can be followed."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from eyespot.engine.onnx_file import Values, refuse
from eyespot.engine.sized import Operator, Tensor

ITEM_BYTES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2}
"""Of a number, by TensorProto.DataType; no strings."""
COMPUTED_BYTES = ITEM_BYTES | {10: 4, 16: 4}
"""Floats of 16 bits are computed in 32."""
_KINDS = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 9: "?", 11: "<f8"}
"""For numpy, of those whose numbers are looked at."""
_FLOAT, _INT, _STRING, _TENSOR, _FLOATS, _INTS = 1, 2, 3, 4, 6, 7  # AttributeProto.AttributeType


def operators_of(graph: Values) -> list[Operator]:
    """Every node of a graph, in order. Raises BundleError where one says something twice, or gives nothing."""
    return [_operator(node) for node in graph.get("node", [])]


def constants_of(graph: Values) -> dict[str, Tensor]:
    """The tensors that the file holds, by name."""
    held = graph.get("initializer", [])
    constants = {text(each.get("name")): _tensor(each) for each in held}
    if len(constants) < len(held):
        refuse("it holds two constants of one name")
    return constants


def text(values: list[Any] | None) -> str:
    return bytes((values or [b""])[0]).decode("utf-8", "backslashreplace")


def _operator(node: Values) -> Operator:
    kind, said = text(node.get("op_type")), {}
    for attribute in node.get("attribute", []):
        name = text(attribute.get("name"))
        if name in said:
            refuse(f"its operator {kind!r} says twice what its {name[:40]!r} is")
        said[name] = _value(attribute)
    inputs, outputs = ([text([name]) for name in node.get(part, [])] for part in ("input", "output"))
    if not any(outputs):
        refuse(f"its operator {kind!r} gives nothing")
    to = said.get("to") if kind == "Cast" else None
    operator = Operator(kind, inputs, outputs, said, item=COMPUTED_BYTES.get(to, 8) if to is not None else 0)
    if kind == "Constant":
        operator.value = _constant(said)
    elif to in _KINDS:
        said["to"] = _KINDS[to]
    else:
        said.pop("to", None)
    return operator


def _value(attribute: Values) -> Any:
    kind = attribute.get("type", [0])[0]
    if kind == _INT:
        return _signed(attribute.get("i", [0])[0])
    if kind == _INTS:
        return [_signed(each) for each in attribute.get("ints", [])]
    if kind == _FLOAT:
        return struct.unpack("<f", attribute.get("f", [bytes(4)])[0])[0]
    if kind == _FLOATS:
        joined = b"".join(bytes(each) for each in attribute.get("floats", []))
        return np.frombuffer(joined, "<f4").tolist()
    if kind == _TENSOR:
        return _tensor(attribute.get("t", [{}])[0])
    return text(attribute.get("s")) if kind == _STRING else None


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _constant(said: dict[str, Any]) -> Tensor:
    if len(said) != 1:
        refuse("one of its constants does not say what it is")
    [(name, value)] = said.items()
    if name == "value" and isinstance(value, Tensor):
        return value
    kind = {"value_int": np.int64, "value_ints": np.int64, "value_float": np.float32, "value_floats": np.float32}
    if name not in kind or not isinstance(value, int | float | list):
        refuse(f"one of its constants is given as {name[:40]!r}, which no model needs")
    array = np.array(value, kind[name])
    return Tensor(array.shape, array.itemsize, constant=True, numbers=array)


def _tensor(tensor: Values) -> Tensor:
    item = tensor.get("data_type", [0])[0]
    kind, raw = _KINDS.get(item), tensor.get("raw_data", [b""])[0]
    shape = tuple(tensor.get("dims", []))
    return Tensor(shape, ITEM_BYTES.get(item, 8), constant=True, raw=None if kind is None else (raw, kind))
