"""The bytes of an ONNX file as the fields of its messages; what is not written as eyespot writes it is refused.

The file is read here, without the onnx package: that package takes longer to import than a picture takes to classify,
and a reader that knows only what eyespot writes refuses everything else. The file is Protocol Buffers
(protobuf.dev/programming-guides/encoding): a message is a row of fields, each a tag (field number, wire type) and a
value. The tables below are those of onnx.proto with the fields that a graph for inference needs. An unknown field, a
single field given twice, or an odd encoding is refused, so that no other reader can understand the file differently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from eyespot.errors import BundleError

MOST_VALUES = 1_000_000

Values = dict[str, list[Any]]
"""What a message holds, by the fields' names."""

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


def read_model(data: bytes) -> Values:
    """The fields of an ONNX model. Raises BundleError for anything odd, and beyond `MOST_VALUES`."""
    return _Reader(data).read(0, len(data), _MODEL)


def graph_bytes(data: bytes) -> memoryview:
    """The part of a checked ONNX model that is its graph, weights and all, as it stands in the file."""
    reader, position = _Reader(data), 0
    while True:
        tag, position = reader.number(position, len(data))
        size, start = reader.number(position, len(data))
        if tag >> 3 == _GRAPH_FIELD:
            return reader.view[start : start + size]
        position = start + size if tag & 7 == _BYTES else start


def refuse(reason: str) -> NoReturn:
    raise BundleError(f"The model's graph cannot be used: {reason}.")


class _Reader:
    """Reads messages, up to `MOST_VALUES` values in all: a small file must not become a large heap of objects."""

    def __init__(self, data: bytes) -> None:
        self.data, self.view = data, memoryview(data)
        self.values = 0

    def read(self, position: int, end: int, message: _Message) -> Values:
        """The values of every field of the message that lies from `position` to `end`, by the field's name."""
        values: Values = {}
        while position < end:
            tag, position = self.number(position, end)
            field = message.get(tag >> 3)
            if field is None:
                refuse("it holds a field that eyespot does not know; it may be of a newer version, or not ONNX")
            if field.refused:
                refuse(f"it holds {field.refused}")
            if field.name in values and not field.many:
                refuse(f"it gives {field.name!r} twice")
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
            refuse(f"its field {field.name!r} is not encoded as ONNX does")
        size, position = self.number(position, end)
        past = self._past(position, size, end)
        if field.wire == _VARINT:
            return self._packed(position, past), past
        if field.wire == _FOUR_BYTES and size % 4:
            refuse(f"its field {field.name!r} is cut short")
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
            refuse(f"it has more than {MOST_VALUES} parts")

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
        refuse("it holds a number that is not encoded as ONNX does")

    @staticmethod
    def _past(position: int, size: int, end: int) -> int:
        """Where the next `size` bytes end."""
        if size > end - position:
            refuse("it ends too early; the file is damaged, or not ONNX")
        return position + size
