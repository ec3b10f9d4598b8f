"""A .prototxt, read: the layers that answer, in the order of the file, each with the line where it begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from eyespot.caffe.messages import net_message, unused_fields
from eyespot.errors import NetworkError
from eyespot.files import from_home
from eyespot.names import brief
from eyespot.words import nearest

MOST_BYTES = 2_000_000
"""Of a description: those of the deepest published networks have a fifth."""
DEEPEST = 20
"""Braces inside braces; Caffe's own messages need five."""
MOST_LAYERS = 10_000
MOST_SIZE = 100_000
"""Of channels and pixels: more than any network has."""
_OF_SOLVERS = ("net", "train_net", "test_net", "base_lr", "test_iter", "lr_policy")
_OF_PROTOBUF = re.compile(r"^\d+:\d+ : (?:'.*': )?")
"""What its errors begin with: the place again, and the line's text."""
_OLD_NAMES = {
    **{"ABSVAL": "AbsVal", "BNLL": "BNLL", "HDF5_DATA": "HDF5Data", "HDF5_OUTPUT": "HDF5Output", "LRN": "LRN"},
    **{"MVN": "MVN", "RELU": "ReLU", "SOFTMAX_LOSS": "SoftmaxWithLoss", "TANH": "TanH", "ARGMAX": "ArgMax"},
}
"""Types of the old form whose new name is not the same in other letters, as INNER_PRODUCT is InnerProduct."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer as the file describes it."""

    name: str
    type: str
    bottoms: tuple[str, ...]
    """Names of the blobs that it takes."""
    tops: tuple[str, ...]
    """Names of the blobs that it gives."""
    settings: Any = field(repr=False)
    """The message, with the parameters of its type."""
    file: str
    line: int
    """Where it begins."""

    def error(self, what: str) -> NetworkError:
        """An error that says where, and `what` is wrong."""
        return NetworkError(f"{self.file}, line {self.line}: layer {brief(repr(self.name))} {what}")


@dataclass(frozen=True)
class Description:
    """A network as the file describes it, in one phase."""

    file: str
    """What errors call it."""
    layers: tuple[Layer, ...]
    """What is given from outside stands first, as layers of the type Input."""


def read_text(path: str | Path) -> str:
    """The text of a .prototxt. Raises NetworkError where it cannot be read, is no text, or is far too long for one."""
    file = from_home(path)
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NetworkError(f"The description of a network {str(path)!r} cannot be read: {reason}.") from error
    if len(data) > MOST_BYTES:
        raise NetworkError(f"{path} is no description of a network: it has over {MOST_BYTES // 1_000_000} MB.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NetworkError(
            f"{path} is no description of a network: it is no text; a .caffemodel is given as weights."
        ) from error


def parse(text: str, *, file: str) -> Description:
    """The network that a text describes, in the phase TEST, or in TRAIN where only that has an input.

    file: what errors call it.
    Raises NetworkError, with the line, where the text is not in protobuf's text format, or has a field that Caffe's
    messages have not.
    """
    net, lines = _parsed(text, file)
    if not net.layer and not net.layers:
        raise NetworkError(f"{file} describes no network: it has no layer {{ ... }}.")
    if net.layer and net.layers:
        raise NetworkError(f"{file} mixes the old form, layers {{ ... }}, with the new one, layer {{ ... }}: keep one.")
    messages = net.layer or net.layers
    if len(messages) > MOST_LAYERS:
        raise NetworkError(f"{file} describes {len(messages):,} layers: at most {MOST_LAYERS:,} are built.")
    inputs = tuple(_inputs(net, file))
    phases = [(*inputs, *_included(messages, lines, net.state, phase, file)) for phase in (1, 0)]  # TEST, TRAIN
    return Description(file, next((found for found in phases if any(not each.bottoms for each in found)), phases[0]))


def _parsed(text: str, file: str) -> tuple[Any, list[int]]:
    """The message, and the line where each of its layers begins."""
    net, lines = net_message(), []
    tokens = text_format.Tokenizer(text.splitlines())
    try:
        for name, line in _fields(tokens, net.DESCRIPTOR, file):
            if name in ("layer", "layers"):
                lines.append(line)
        text_format.Parse(text, net, allow_unknown_field=True)  # those that are left say nothing
    except text_format.ParseError as error:
        line = error.GetLine()
        said = _OF_PROTOBUF.sub("", str(error)).replace("eyespot.caffe.", "").replace(".Value", "").rstrip(".")
        raise NetworkError(f"{file}{f', line {line}' if line else ''} cannot be read: {brief(said)}.") from error
    return net, lines


def _fields(tokens: Any, message: Any, file: str, depth: int = 0) -> Iterator[tuple[str, int]]:
    """The name and line of each field of a message and, inside it, checks that all fields are known.

    message: its descriptor; None inside a field that says nothing of what the network answers.
    Raises NetworkError for a field that is not known, and ParseError where the text ends early.
    """
    if depth > DEEPEST:
        raise tokens.ParseError(f"more than {DEEPEST} braces are open")
    while not (tokens.AtEnd() or tokens.LookingAt("}") or tokens.LookingAt(">")):
        name, line = tokens.token, tokens.ParseError("").GetLine()
        tokens.ConsumeIdentifier()
        known = None if message is None else _known(message, name, f"{file}, line {line}")
        yield name, line
        has_colon = tokens.TryConsume(":")
        if tokens.LookingAt("{") or tokens.LookingAt("<"):
            end = "}" if tokens.token == "{" else ">"
            tokens.NextToken()
            for _ in _fields(tokens, known and known.message_type, file, depth + 1):
                pass
            tokens.Consume(end)
        elif has_colon:
            _skip_value(tokens)
        else:
            raise tokens.ParseError('expected ":" and a value, or "{"')
        _ = tokens.TryConsume(",") or tokens.TryConsume(";")


def _skip_value(tokens: Any) -> None:
    """Behind one value, a text in several parts, or a list of values without braces."""
    is_text = tokens.token[:1] in "'\""
    is_list = tokens.LookingAt("[")
    tokens.NextToken()
    while not tokens.AtEnd() and ((is_text and tokens.token[:1] in "'\"") or (is_list and not tokens.LookingAt("]"))):
        tokens.NextToken()
    if is_list:
        tokens.Consume("]")


def _known(message: Any, name: str, place: str) -> Any:
    """The descriptor of a field; None for one that says nothing. Raises NetworkError for any other."""
    if name in message.fields_by_name and name not in ("blobs",):
        return message.fields_by_name[name]
    if name in unused_fields(message.name):
        return None
    if name == "blobs":
        raise NetworkError(f"{place}: weights in a text are not read: give them as a .caffemodel.")
    if message.name == "Net" and name in _OF_SOLVERS:
        raise NetworkError(f"{place}: this describes a training (a solver), not a network: give the file of its net.")
    if message.name == "OldLayer" and name == "layer":
        raise NetworkError(f"{place}: this is the form of Caffe's first year: write layer {{ ... }} with a type each.")
    what = {"Net": "a network", "Layer": "a layer", "OldLayer": "a layer of the old form"}.get(message.name)
    raise NetworkError(
        f"{place}: {what or f'the parameters of {message.name}'} cannot have {brief(repr(name))}: "
        f"{nearest(name, message.fields_by_name)}"
    )


def _inputs(net: Any, file: str) -> Iterator[Layer]:
    """The blobs of `input:`, with their shapes of `input_shape` or of four `input_dim` each, as Caffe has them now."""
    shapes = [tuple(shape.dim) for shape in net.input_shape]
    shapes = shapes or [tuple(net.input_dim[at : at + 4]) for at in range(0, len(net.input_dim), 4)]
    if len(shapes) != len(net.input) or (net.input_dim and len(net.input_dim) % 4):
        raise NetworkError(
            f"{file} names {len(net.input)} inputs and has the shapes of {len(shapes)}: expected an input_shape, or "
            "four numbers input_dim, for each."
        )
    for name, shape in zip(net.input, shapes, strict=True):
        message = type(net)().layer.add(name=name, type="Input", top=[name])
        message.input_param.shape.add(dim=shape)
        yield _layer(message, file, 1)


def _included(messages: Any, lines: list[int], state: Any, phase: int, file: str) -> Iterator[Layer]:
    """The layers that Caffe takes in this phase."""
    for message, line in zip(messages, lines, strict=True):
        layer = _layer(message, file, line)
        if message.include and message.exclude:
            raise layer.error("has rules to include and to exclude it: keep one kind.")
        rules = message.include or message.exclude
        if not rules or any(_meets(rule, state, phase) for rule in rules) == bool(message.include):
            yield layer


def _meets(rule: Any, state: Any, phase: int) -> bool:
    return not (
        (rule.HasField("phase") and rule.phase != phase)
        or (rule.HasField("min_level") and state.level < rule.min_level)
        or (rule.HasField("max_level") and state.level > rule.max_level)
        or not set(rule.stage) <= set(state.stage)
        or set(rule.not_stage) & set(state.stage)
    )


def _layer(message: Any, file: str, line: int) -> Layer:
    kind = message.type
    if isinstance(kind, int):
        old = message.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[kind].name
        kind = _OLD_NAMES.get(old, old.title().replace("_", ""))
    return Layer(message.name or kind, kind, tuple(message.bottom), tuple(message.top), message, file, line)
