"""A chain taken apart without running it: what each layer takes, gives, holds, costs and sees."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from eyespot.arithmetic.one_layer import State, counted_by_torch, fields_after, layer_of, row
from eyespot.arithmetic.shapes import dotted, output_shape
from eyespot.arithmetic.sliding import Field, union
from eyespot.arithmetic.table import INPUT, Chain, Concatenation, Node, Opened, Sum
from eyespot.blocks import Branches, Residual, is_chain, named_stages
from eyespot.caffe_blocks import Elementwise


def trace(net: nn.Module, input_chw: tuple[int, int, int]) -> Chain:
    """The layers of `net` for an image of shape `input_chw`, after one for the image itself.

    net: a chain, with weights or on the meta device; nothing is run and nothing is changed.
    input_chw: channels, height and width, pixels.
    Raises NetworkError where a stage cannot take what the one before it gives.
    """
    output_shape(net, input_chw)  # complains with the names of the stages
    start = State(input_chw, (Field(), Field()), input_chw[1:])
    image = row(INPUT, "image", start, start)
    with torch.no_grad():  # what is not known here runs on tensors without data
        node, _ = _trace(net, start, at="")
    parts = node.parts if isinstance(node, Chain) else (node,)
    return Chain("", (image, *parts))


def _trace(module: nn.Module, state: State, *, at: str) -> tuple[Node, State]:
    if is_chain(module):
        parts = []
        for name, stage in named_stages(module):
            part, state = _trace(stage, state, at=dotted(at, name))
            parts.append(part)
        return Chain(at, tuple(parts)), state
    if isinstance(module, Residual):
        return _trace_sum(module, state, at=at)
    if isinstance(module, Branches):
        return _trace_concatenation(module, state, at=at)
    if isinstance(module, Elementwise):
        return _trace_elementwise(module, state, at=at)
    return _trace_layer(module, state, at=at)


def _trace_sum(residual: Residual, state: State, *, at: str) -> tuple[Node, State]:
    body, behind = _trace(residual.body, state, at=dotted(at, "body"))
    shortcut, short = None, state
    if residual.shortcut is not None:
        shortcut, short = _trace(residual.shortcut, state, at=dotted(at, "shortcut"))
    after = State(behind.shape, _union(behind, short), behind.places)
    formula = "shortcut + body" if residual.scale == 1 else f"shortcut + {residual.scale:g} * body"
    return Sum(at, body, shortcut, row(at, "sum", after, after, formula=formula)), after


def _trace_concatenation(branches: Branches, state: State, *, at: str) -> tuple[Node, State]:
    traced = [_trace(branch, state, at=dotted(at, name)) for name, branch in named_stages(branches)]
    behind = [after for _, after in traced]
    channels = [after.shape[0] for after in behind]
    after = State((sum(channels), *behind[0].shape[1:]), _union(*behind), behind[0].places)
    formula = f"{' + '.join(map(str, channels))} = {sum(channels)}"
    layer = row(at, "concatenation", after, after, formula=formula)
    return Concatenation(at, tuple(node for node, _ in traced), layer), after


def _trace_elementwise(module: Elementwise, state: State, *, at: str) -> tuple[Node, State]:
    named = list(named_stages(module))
    traced = [_trace(branch, state, at=dotted(at, name)) for name, branch in named]
    behind = [after for _, after in traced]
    after = State(behind[0].shape, _union(*behind), behind[0].places)
    factors = module.coefficients or (1,) * len(named)
    terms = [name if factor == 1 else f"{factor:g} * {name}" for (name, _), factor in zip(named, factors, strict=True)]
    formula = {"sum": " + ", "product": " * "}.get(module.operation, ", ").join(terms)
    layer = row(at, f"elementwise {module.operation}", after, after, formula=formula)
    return Concatenation(at, tuple(node for node, _ in traced), layer), after


def _union(*states: State) -> tuple[Field, Field] | None:
    known = [state.fields for state in states if state.fields is not None]
    if len(known) < len(states):
        return None
    return union([height for height, _ in known]), union([width for _, width in known])


def _trace_layer(module: nn.Module, state: State, *, at: str) -> tuple[Node, State]:
    shape = output_shape(module, state.shape)
    places = shape[1:] if len(shape) == 3 else state.places
    if isinstance(module, nn.Linear):
        places = (1, 1)
    after = State(shape, fields_after(module, state, shape), places)
    if any(True for _ in module.children()):
        return _opened(module, state, after, at=at), after
    return layer_of(module, state, after, at=at), after


def _opened(module: nn.Module, before: State, after: State, *, at: str) -> Opened:
    """The layers inside a module of someone else's, in the order in which they run on tensors without data; at the end
    the module itself, with what none of them accounts for. How they are connected is not known.
    """
    copied = copy.deepcopy(module).to("meta").eval()
    ran: list[tuple[str, nn.Module, Tensor, Tensor]] = []

    def note(name: str, layer: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        if given and isinstance(given[0], Tensor) and isinstance(made, Tensor):
            ran.append((name, layer, given[0], made))

    leaves = [(name, leaf) for name, leaf in copied.named_modules() if not any(True for _ in leaf.children())]
    hooks = [
        leaf.register_forward_hook(lambda layer, given, made, name=name: note(name, layer, given, made))
        for name, leaf in leaves
    ]
    multiply_adds = counted_by_torch(copied, before.shape)
    for hook in hooks:
        hook.remove()
    layers = [layer_of(layer, _unseen(given), _unseen(made), at=dotted(at, name)) for name, layer, given, made in ran]
    own = sum(parameter.numel() for parameter in module.parameters()) - sum(layer.parameters for layer in layers)
    rest = multiply_adds - sum(layer.multiply_adds for layer in layers)
    closing = row(at, type(module).__name__, before, after, hands_on=True, parameters=own, multiply_adds=rest)
    return Opened(at, tuple(layers), closing)


def _unseen(tensor: Tensor) -> State:
    return State(tuple(tensor.shape[1:]), None, None)
