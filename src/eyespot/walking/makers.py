"""What each kind of layer makes one number of, in 64 bits.

Where it has no way to say, as for a form of padding that is not known here, a maker gives None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import nn

from eyespot.arithmetic.sliding import adaptive_of, padding_of, windows_of
from eyespot.arithmetic.windows import Window
from eyespot.blocks import Branches, Pick, Residual, SamePadding
from eyespot.walking.parts import Floats, Part, number_of, patch_of

Kind = Literal["image", "products", "largest", "mean", "batch norm", "local norm", "function", "copy", "sum", "unknown"]


@dataclass
class Made:
    """A number, as it is made."""

    kind: Kind
    total: float
    parts: list[Part] = field(default_factory=list)
    constants: dict[str, float] = field(default_factory=dict)
    chosen: tuple[int, int] | None = None


def function(module: nn.Module, inputs: list[Floats], place: tuple[int, ...], value: float) -> Made | None:
    """Of what looks at the number at the same place alone: asked for that number by itself, it gives the same."""
    if len(inputs) != 1 or len(inputs[0].shape) < len(place):
        return None
    try:
        part = number_of(inputs[0], place)
        with torch.inference_mode():
            alone = float(module(torch.full((1,) * (len(place) + 1), part.sum)))
    except (RuntimeError, ValueError, IndexError):  # it wants more than one number
        return None
    is_the_same = abs(alone - value) <= 1e-6 * (1 + abs(value))
    return Made("function", alone, [part]) if is_the_same else None


def _convolution(module: nn.Conv2d, inputs: list[Floats], place: tuple[int, ...]) -> Made | None:
    windows = windows_of(module)
    if windows is None or module.padding_mode != "zeros":
        return None
    image, weights = inputs[0], module.weight.detach().numpy()
    seen = weights.shape[1]
    first = place[0] // (weights.shape[0] // module.groups) * seen
    parts = [
        patch_of(image, first + plane, windows, place[1:], kernel=weights[place[0], plane]) for plane in range(seen)
    ]
    return _products(parts, module.bias, place[0])


def _fully_connected(module: nn.Linear, inputs: list[Floats], place: tuple[int, ...]) -> Made | None:
    if inputs[0].ndim != 1:
        return None
    weights = module.weight.detach().numpy()[place[0]]
    parts = [
        Part(source=0, map=index, top=0, left=0, patch=((float(x),),), kernel=((float(w),),), sum=float(x) * float(w))
        for index, (x, w) in enumerate(zip(inputs[0], weights, strict=True))
    ]
    return _products(parts, module.bias, place[0])


def _products(parts: list[Part], biases: torch.Tensor | None, index: int) -> Made:
    constants = {} if biases is None else {"bias": float(biases.detach()[index])}
    return Made("products", sum(part.sum for part in parts) + constants.get("bias", 0.0), parts, constants)


def _largest(module: nn.MaxPool2d, inputs: list[Floats], place: tuple[int, ...]) -> Made | None:
    windows = windows_of(module)
    assert windows is not None
    part = patch_of(inputs[0], place[0], windows, place[1:])
    numbers = np.array([[-np.inf if each is None else each for each in row] for row in part.patch])
    row, column = np.unravel_index(numbers.argmax(), numbers.shape)
    return Made("largest", float(numbers.max()), [part], chosen=(int(row), int(column)))


def _mean(module: nn.AvgPool2d, inputs: list[Floats], place: tuple[int, ...]) -> Made | None:
    windows = windows_of(module)
    assert windows is not None
    part = patch_of(inputs[0], place[0], windows, place[1:])
    there = sum(number is not None for row in part.patch for number in row)
    count = there
    if module.count_include_pad:  # but not what lies beyond the padding
        count = 1
        for size, at, window in zip(inputs[0].shape[1:], place[1:], windows, strict=True):
            start = at * window.stride - window.before
            count *= min(start + window.kernel, size + window.behind) - start
    count = module.divisor_override or count
    return Made("mean", part.sum / count, [part], {"count": float(count)})


def _mean_of_all(module: nn.AdaptiveAvgPool2d, inputs: list[Floats], place: tuple[int, ...]) -> Made | None:
    _, height, width = inputs[0].shape
    places = adaptive_of(module, (height, width))
    assert places is not None
    (top, bottom), (left, right) = (
        (at * size // many, -(-(at + 1) * size // many))
        for at, size, many in zip(place[1:], (height, width), places, strict=True)
    )
    windows = Window(bottom - top, 1, before=-top), Window(right - left, 1, before=-left)
    part = patch_of(inputs[0], place[0], windows, (0, 0))
    count = (bottom - top) * (right - left)
    return Made("mean", part.sum / count, [part], {"count": float(count)})


def _batch_norm(module: nn.BatchNorm2d, inputs: list[Floats], place: tuple[int, ...]) -> Made | None:
    if module.running_mean is None or module.running_var is None:
        return None
    at = place[0]
    given = {"mean": module.running_mean, "variance": module.running_var, "weight": module.weight, "bias": module.bias}
    constants = {name: float(tensor.detach()[at]) for name, tensor in given.items() if tensor is not None} | {
        "eps": module.eps
    }
    x = float(inputs[0][place])
    normed = (x - constants["mean"]) / np.sqrt(constants["variance"] + module.eps)
    total = normed * constants.get("weight", 1.0) + constants.get("bias", 0.0)
    return Made("batch norm", float(total), [number_of(inputs[0], place)], constants)


def _local_norm(module: nn.LocalResponseNorm, inputs: list[Floats], place: tuple[int, ...]) -> Made | None:
    first = max(0, place[0] - module.size // 2)
    last = min(len(inputs[0]) - 1, place[0] + (module.size - 1) // 2)
    parts = [number_of(inputs[0], (each, *place[1:])) for each in range(first, last + 1)]
    squares = sum(part.sum**2 for part in parts)
    constants = {"size": module.size, "alpha": module.alpha, "beta": module.beta, "k": module.k}
    x = float(inputs[0][place])
    total = x / (module.k + module.alpha / module.size * squares) ** module.beta
    return Made("local norm", total, parts, {name: float(number) for name, number in constants.items()} | {"x": x})


def _sum(module: Residual, inputs: list[Floats], place: tuple[int, ...]) -> Made | None:
    short, body = (number_of(each, place, source=number) for number, each in enumerate(inputs))
    constants = {} if module.scale == 1 else {"scale": module.scale}
    return Made("sum", short.sum + module.scale * body.sum, [short, body], constants)


def _copy(module: nn.Module, inputs: list[Floats], place: tuple[int, ...]) -> Made | None:
    """Of what only moves numbers, or leaves them where they are."""
    source, there = 0, place
    if isinstance(module, nn.Flatten):
        there = tuple(int(each) for each in np.unravel_index(place[0], inputs[0].shape))
    elif isinstance(module, Pick):
        there = (module.channels[place[0]], *place[1:])
    elif isinstance(module, Branches):
        while there[0] >= len(inputs[source]):
            there = (there[0] - len(inputs[source]), *there[1:])
            source += 1
    part = number_of(inputs[source], there, source=source)
    return Made("copy", part.sum, [part])


def _padded(module: nn.Module, inputs: list[Floats], place: tuple[int, ...]) -> Made | None:
    sides = padding_of(module, (inputs[0].shape[1], inputs[0].shape[2]))
    assert sides is not None
    maps_before = module.padding[4] if isinstance(module, nn.ZeroPad3d) else 0
    at = place[0] - maps_before
    if not 0 <= at < len(inputs[0]):  # a map of zeros
        return Made("copy", 0.0, [Part(source=0, map=at, top=place[1], left=place[2], patch=((None,),), sum=0.0)])
    windows = Window(1, 1, before=sides[0][0]), Window(1, 1, before=sides[1][0])
    part = patch_of(inputs[0], at, windows, place[1:])
    return Made("copy", part.sum, [part])


MAKERS: tuple[tuple[tuple[type[nn.Module], ...], Callable[..., Made | None]], ...] = (
    ((nn.Conv2d,), _convolution),
    ((nn.Linear,), _fully_connected),
    ((nn.MaxPool2d,), _largest),
    ((nn.AvgPool2d,), _mean),
    ((nn.AdaptiveAvgPool2d,), _mean_of_all),
    ((nn.BatchNorm2d,), _batch_norm),
    ((nn.LocalResponseNorm,), _local_norm),
    ((Residual,), _sum),
    ((nn.Flatten, nn.Dropout, nn.Identity, Pick, Branches), _copy),
    ((SamePadding, nn.ZeroPad2d, nn.ZeroPad3d), _padded),
)
"""What each kind of layer does. A kind that is not here may still be a function of one number, as ReLU is."""
