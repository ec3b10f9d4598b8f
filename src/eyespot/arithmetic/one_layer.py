"""One layer on one image: its kind, windows, formula, cost and receptive field, without running it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from eyespot.arithmetic.shapes import Shape
from eyespot.arithmetic.sliding import (
    Field,
    Windows,
    adaptive_of,
    adaptive_window,
    padding_of,
    widest_adaptive_window,
    windows_of,
)
from eyespot.arithmetic.table import BYTES, Layer
from eyespot.arithmetic.windows import Window
from eyespot.blocks import Pick, ScaledTanh
from eyespot.caffe_blocks import ChannelScale, SpatialResponseNorm

_HANDS_ON = (nn.Flatten, nn.Identity, nn.Dropout, nn.Dropout2d)
"""In evaluation these give the memory they are given."""
_POINTWISE = {f"torch.nn.modules.{file}" for file in ("activation", "batchnorm", "dropout")}
"""Where PyTorch keeps the modules that look at one place at a time and multiply no matrices."""
_ALSO_POINTWISE = (nn.Identity, nn.LocalResponseNorm, ChannelScale, Pick, ScaledTanh)
_KINDS: tuple[tuple[type[nn.Module], str], ...] = (
    (nn.Linear, "fully connected"),
    (nn.MaxPool2d, "max pool"),
    (nn.AvgPool2d, "average pool"),
    (nn.AdaptiveAvgPool2d, "average pool"),
    (nn.AdaptiveMaxPool2d, "max pool"),
    (nn.BatchNorm2d, "batch norm"),
    (nn.BatchNorm1d, "batch norm"),
    (nn.LocalResponseNorm, "local norm"),
    (SpatialResponseNorm, "local norm"),
    (ChannelScale, "scale"),
    (nn.Flatten, "flatten"),
    (nn.Dropout, "dropout"),
    (nn.Dropout2d, "dropout"),
    (Pick, "pick channels"),
    (ScaledTanh, "tanh"),
    (nn.Tanh, "tanh"),
    (nn.Softmax, "softmax"),
)


@dataclass(frozen=True)
class State:
    """What stands between two layers."""

    shape: Shape
    fields: tuple[Field, Field] | None
    places: tuple[int, ...] | None
    """Height and width of the map, also after a flattening, where they stand in the vector."""


def layer_of(module: nn.Module, before: State, after: State, *, at: str) -> Layer:
    """The row of a module that has no others inside."""
    windows = _drawn_windows(module, before.shape, after.shape)
    weight, bias = (getattr(module, name, None) for name in ("weight", "bias"))
    is_convolution = isinstance(module, nn.Conv2d)
    return row(
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


def row(
    name: str,
    kind: str,
    before: State,
    after: State,
    *,
    windows: Windows | None = None,
    hands_on: bool = False,
    **known: Any,
) -> Layer:
    """A row of the table. hands_on: the layer gives the memory it is given. known: more fields of the row."""
    values, fields = prod(after.shape), after.fields
    if windows:
        height, width = windows
        known |= {
            "kernel": (height.kernel, width.kernel),
            "stride": (height.stride, width.stride),
            "padding": (height.before, height.behind, width.before, width.behind),
            "dilation": (height.dilation, width.dilation),
        }
    if fields:
        down, across = fields
        known["field"] = (down.size, across.size)
        known["jump"], known["centre"] = (down.jump, across.jump), (down.centre, across.centre)
    return Layer(
        name=name,
        kind=kind,
        input=before.shape,
        output=after.shape,
        activations=values,
        activation_bytes=0 if hands_on else values * BYTES,
        **known,
    )


def fields_after(module: nn.Module, before: State, after: Shape) -> tuple[Field, Field] | None:
    """The receptive fields after a layer; None where it is not known how it looks around."""
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


def counted_by_torch(module: nn.Module, shape: Shape) -> int:
    """What PyTorch's own counter sees of a module that is not known here, on tensors without data."""
    from torch.utils.flop_counter import FlopCounterMode

    is_ready = not module.training and all(parameter.is_meta for parameter in module.parameters())
    on_meta = module if is_ready else copy.deepcopy(module).to("meta").eval()
    with FlopCounterMode(display=False) as counter:
        on_meta(torch.empty(1, *shape, device="meta"))
    return int(counter.get_total_flops()) // 2


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
    return counted_by_torch(module, before)


def _is_pointwise(module: nn.Module) -> bool:
    return type(module).__module__ in _POINTWISE or isinstance(module, _ALSO_POINTWISE)


def _adapted(field: Field, size: int, places: int) -> Field:
    widest = widest_adaptive_window(size, places)
    if places == 1:
        return field.through_all(size)
    return Field(int(field.size + (widest - 1) * field.jump), field.jump * size / places, field.first)
