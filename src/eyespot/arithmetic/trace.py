"""A chain taken apart without running it: what each layer takes, gives, holds, costs and sees."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from eyespot.arithmetic.receptive import Field, union
from eyespot.arithmetic.shapes import Shape, dotted, output_shape
from eyespot.arithmetic.sliding import (
    Windows,
    adaptive_of,
    adaptive_window,
    padding_of,
    widest_adaptive_window,
    windows_of,
)
from eyespot.arithmetic.table import BYTES, INPUT, Chain, Concatenation, Layer, Node, Opened, Sum
from eyespot.arithmetic.window import Window
from eyespot.blocks import Branches, Pick, Residual, ScaledTanh, is_chain, named_stages

_HANDS_ON = (nn.Flatten, nn.Identity, nn.Dropout, nn.Dropout2d)
"""In evaluation these give the memory they are given."""
_POINTWISE = {f"torch.nn.modules.{file}" for file in ("activation", "batchnorm", "dropout")}
"""Where PyTorch keeps the modules that look at one place at a time and multiply no matrices."""
_ALSO_POINTWISE = (nn.Identity, nn.LocalResponseNorm, Pick, ScaledTanh)


def trace(net: nn.Module, input_chw: tuple[int, int, int]) -> Chain:
    """The layers of `net` for an image of shape `input_chw`, behind one for the image itself.

    net: a chain, with weights or on the meta device; nothing is run and nothing is changed.
    input_chw: channels, height and width, pixels.
    Raises NetworkError where a stage cannot take what the one before it gives.
    """
    output_shape(net, input_chw)  # complains with the names of the stages
    start = _State(input_chw, (Field(), Field()), input_chw[1:])
    image = _row(INPUT, "image", start, start)
    with torch.no_grad():  # what is not known here runs on tensors without data
        node, _ = _trace(net, start, at="")
    parts = node.parts if isinstance(node, Chain) else (node,)
    return Chain("", (image, *parts))


@dataclass(frozen=True)
class _State:
    """What stands between two layers."""

    shape: Shape
    fields: tuple[Field, Field] | None
    places: tuple[int, ...] | None
    """Height and width of the map, also behind a flattening, where they stand in the vector."""


def _trace(module: nn.Module, state: _State, *, at: str) -> tuple[Node, _State]:
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
    return _trace_layer(module, state, at=at)


def _trace_sum(residual: Residual, state: _State, *, at: str) -> tuple[Node, _State]:
    body, behind = _trace(residual.body, state, at=dotted(at, "body"))
    shortcut, short = None, state
    if residual.shortcut is not None:
        shortcut, short = _trace(residual.shortcut, state, at=dotted(at, "shortcut"))
    after = _State(behind.shape, _union(behind, short), behind.places)
    formula = "shortcut + body" if residual.scale == 1 else f"shortcut + {residual.scale:g} * body"
    return Sum(at, body, shortcut, _row(at, "sum", after, after, formula=formula)), after


def _trace_concatenation(branches: Branches, state: _State, *, at: str) -> tuple[Node, _State]:
    traced = [_trace(branch, state, at=dotted(at, name)) for name, branch in named_stages(branches)]
    behind = [after for _, after in traced]
    channels = [after.shape[0] for after in behind]
    after = _State((sum(channels), *behind[0].shape[1:]), _union(*behind), behind[0].places)
    formula = f"{' + '.join(map(str, channels))} = {sum(channels)}"
    layer = _row(at, "concatenation", after, after, formula=formula)
    return Concatenation(at, tuple(node for node, _ in traced), layer), after


def _union(*states: _State) -> tuple[Field, Field] | None:
    known = [state.fields for state in states if state.fields is not None]
    if len(known) < len(states):
        return None
    return union([height for height, _ in known]), union([width for _, width in known])


def _trace_layer(module: nn.Module, state: _State, *, at: str) -> tuple[Node, _State]:
    shape = output_shape(module, state.shape)
    places = shape[1:] if len(shape) == 3 else state.places
    if isinstance(module, nn.Linear):
        places = (1, 1)
    after = _State(shape, _fields(module, state, shape), places)
    if any(True for _ in module.children()):
        return _opened(module, state, after, at=at), after
    return _layer(module, state, after, at=at), after


def _opened(module: nn.Module, before: _State, after: _State, *, at: str) -> Opened:
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
    multiply_adds = _counted(copied, before.shape)
    for hook in hooks:
        hook.remove()
    layers = [_layer(layer, _unseen(given), _unseen(made), at=dotted(at, name)) for name, layer, given, made in ran]
    own = sum(parameter.numel() for parameter in module.parameters()) - sum(layer.parameters for layer in layers)
    rest = multiply_adds - sum(layer.multiply_adds for layer in layers)
    closing = _row(at, type(module).__name__, before, after, hands_on=True, parameters=own, multiply_adds=rest)
    return Opened(at, tuple(layers), closing)


def _unseen(tensor: Tensor) -> _State:
    return _State(tuple(tensor.shape[1:]), None, None)


def _layer(module: nn.Module, before: _State, after: _State, *, at: str) -> Layer:
    windows = _drawn_windows(module, before.shape, after.shape)
    weight, bias = (getattr(module, name, None) for name in ("weight", "bias"))
    is_convolution = isinstance(module, nn.Conv2d)
    return _row(
        at,
        _kind(module),
        before,
        after,
        windows=windows,
        formula=_formula(module, before.shape, after.shape, windows),
        groups=module.groups if isinstance(module, nn.Conv2d) else None,
        weight=tuple(weight.shape) if isinstance(weight, Tensor) else None,
        bias=tuple(bias.shape) if isinstance(bias, Tensor) else None,
        hands_on=isinstance(module, _HANDS_ON),
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        multiply_adds=_multiply_adds(module, before.shape, after.shape),
        fully_connected=prod(before.shape) * prod(after.shape) if is_convolution else None,
    )


def _row(
    name: str,
    kind: str,
    before: _State,
    after: _State,
    *,
    windows: Windows | None = None,
    formula: str = "",
    groups: int | None = None,
    weight: Shape | None = None,
    bias: Shape | None = None,
    hands_on: bool = False,
    parameters: int = 0,
    multiply_adds: int = 0,
    fully_connected: int | None = None,
) -> Layer:
    values = prod(after.shape)
    fields = after.fields
    return Layer(
        name=name,
        kind=kind,
        kernel=(windows[0].kernel, windows[1].kernel) if windows else None,
        stride=(windows[0].stride, windows[1].stride) if windows else None,
        padding=(windows[0].before, windows[0].behind, windows[1].before, windows[1].behind) if windows else None,
        dilation=(windows[0].dilation, windows[1].dilation) if windows else None,
        groups=groups,
        input=before.shape,
        output=after.shape,
        formula=formula,
        weight=weight,
        bias=bias,
        activations=values,
        activation_bytes=0 if hands_on else values * BYTES,
        parameters=parameters,
        multiply_adds=multiply_adds,
        fully_connected=fully_connected,
        field=(fields[0].size, fields[1].size) if fields else None,
        jump=(fields[0].jump, fields[1].jump) if fields else None,
        centre=(fields[0].centre, fields[1].centre) if fields else None,
    )


_KINDS: tuple[tuple[type[nn.Module], str], ...] = (
    (nn.Linear, "fully connected"),
    (nn.MaxPool2d, "max pool"),
    (nn.AvgPool2d, "average pool"),
    (nn.AdaptiveAvgPool2d, "average pool"),
    (nn.AdaptiveMaxPool2d, "max pool"),
    (nn.BatchNorm2d, "batch norm"),
    (nn.LocalResponseNorm, "local norm"),
    (nn.Flatten, "flatten"),
    (nn.Dropout, "dropout"),
    (nn.Dropout2d, "dropout"),
    (Pick, "pick channels"),
    (ScaledTanh, "tanh"),
    (nn.Tanh, "tanh"),
    (nn.Softmax, "softmax"),
)


def _kind(module: nn.Module) -> str:
    """What a layer is, in a word or two; the name of its class where there is no word for it."""
    if isinstance(module, nn.Conv2d):
        return "depthwise conv" if module.groups == module.in_channels > 1 else "conv"
    if padding_of(module, (1, 1)) is not None:
        return "padding"
    return next((word for kind, word in _KINDS if isinstance(module, kind)), type(module).__name__)


def _drawn_windows(module: nn.Module, before: Shape, after: Shape) -> Windows | None:
    """The windows of a layer whose kernel, stride and padding are numbers that can be told."""
    if len(before) != 3 or len(after) != 3:
        return None
    places = adaptive_of(module, (before[1], before[2]))
    if places is None:
        return _sliding(module, before, after)
    height, width = (adaptive_window(before[d + 1], places[d]) for d in (0, 1))
    return (height, width) if height and width else None


def _sliding(module: nn.Module, before: Shape, after: Shape) -> Windows | None:
    """The windows of a convolution or pooling; None where it does not do what PyTorch's own does."""
    windows = windows_of(module)
    if windows is None or any(windows[d].places(before[d + 1]) != after[d + 1] for d in (0, 1)):
        return None
    return windows


def _formula(module: nn.Module, before: Shape, after: Shape, windows: Windows | None) -> str:
    if isinstance(module, nn.Flatten):
        return f"{'*'.join(map(str, (*before[1:], before[0])))} = {prod(after)}"
    if len(before) != 3 or len(after) != 3:
        return ""
    sides = padding_of(module, (before[1], before[2]))
    if sides is not None:
        return _apart(*(f"{size} + {a} + {b} = {size + a + b}" for size, (a, b) in zip(before[1:], sides, strict=True)))
    if adaptive_of(module, (before[1], before[2])):
        return _apart(*(f"{wanted} from any size" for wanted in after[1:]))
    if windows is not None:
        return _apart(*(window.formula(size) for window, size in zip(windows, before[1:], strict=True)))
    return ""


def _apart(height: str, width: str) -> str:
    return height if height == width else f"H: {height}; W: {width}"


def _multiply_adds(module: nn.Module, before: Shape, after: Shape) -> int:
    if type(module) is nn.Conv2d:
        return prod(after[1:]) * module.weight.numel()
    if type(module) is nn.Linear:
        return prod(after[:-1]) * module.weight.numel()
    if not list(module.parameters()) or _is_pointwise(module):
        return 0
    return _counted(module, before)


def _counted(module: nn.Module, shape: Shape) -> int:
    """What PyTorch's own counter sees of a module that is not known here, on tensors without data."""
    from torch.utils.flop_counter import FlopCounterMode

    on_meta = module if _is_on_meta(module) else copy.deepcopy(module).to("meta").eval()
    with FlopCounterMode(display=False) as counter:
        on_meta(torch.empty(1, *shape, device="meta"))
    return int(counter.get_total_flops()) // 2


def _is_on_meta(module: nn.Module) -> bool:
    return not module.training and all(parameter.is_meta for parameter in module.parameters())


def _is_pointwise(module: nn.Module) -> bool:
    return type(module).__module__ in _POINTWISE or isinstance(module, _ALSO_POINTWISE)


def _fields(module: nn.Module, before: _State, after: Shape) -> tuple[Field, Field] | None:
    """The receptive fields behind a layer; None where it is not known how it looks around."""
    if before.fields is None or before.places is None:
        return None
    height, width = before.fields
    if isinstance(module, nn.Linear) and len(before.shape) == 1:
        return height.through_all(before.places[0]), width.through_all(before.places[1])
    if isinstance(module, nn.Flatten) or _is_pointwise(module):
        return height, width
    if len(before.shape) != 3:
        return None
    size_hw = (before.shape[1], before.shape[2])
    sides, places, windows = padding_of(module, size_hw), adaptive_of(module, size_hw), None
    if len(after) == 3:
        windows = _sliding(module, before.shape, after)
    if sides is not None:
        windows = (Window(1, before=sides[0][0]), Window(1, before=sides[1][0]))
    if places is not None:
        return _adapted(height, size_hw[0], places[0]), _adapted(width, size_hw[1], places[1])
    return (height.through(windows[0]), width.through(windows[1])) if windows is not None else None


def _adapted(field: Field, size: int, places: int) -> Field:
    widest = widest_adaptive_window(size, places)
    if places == 1:
        return field.through_all(size)
    return Field(int(field.size + (widest - 1) * field.jump), field.jump * size / places, field.first)
