"""Shapes, followed through a chain without running it.

The modules that networks are mostly made of have their arithmetic here and in `sliding`. Any other runs on PyTorch's
meta tensors, which have a shape and no data; they are the second choice because the first one takes a second to load.
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from eyespot.arithmetic.sliding import padding_of, windows_of
from eyespot.blocks import Branches, Pick, Residual, SamePadding, ScaledTanh, is_chain, named_stages
from eyespot.caffe_blocks import ChannelScale, Elementwise, SpatialResponseNorm
from eyespot.errors import NetworkError

Shape = tuple[int, ...]
"""Of one image, without the batch: (C, H, W), or (D,) after a flattening."""

_BATCH = 2  # BatchNorm in training refuses a batch of one


def output_shape(net: nn.Module, input_chw: Shape) -> Shape:
    """The shape that `net` makes of one image of shape `input_chw`, without the batch.

    input_chw: channels, height and width, pixels.
    Raises NetworkError, naming the stage and both shapes, where a stage cannot take what the one before it gives.
    """
    with torch.no_grad():
        return _fold(net, input_chw, at="")


def check_shapes(net: nn.Sequential, input_chw: Shape) -> nn.Sequential:
    """`net` itself, once every stage is known to fit the one before it: the last step of building a network.

    Raises NetworkError as `output_shape` does.
    """
    output_shape(net, input_chw)
    return net


def dotted(at: str, name: str) -> str:
    """The name of a part inside the stage `at`; "" is the network itself."""
    return f"{at}.{name}" if at else name


def _fold(module: nn.Module, shape: Shape, *, at: str) -> Shape:
    if is_chain(module):
        for name, stage in named_stages(module):
            shape = _fold(stage, shape, at=dotted(at, name))
        return shape
    if isinstance(module, Residual):
        return _sum(module, shape, at=at)
    if isinstance(module, Branches):
        return _concatenation(module, shape, at=at)
    if isinstance(module, Elementwise):
        return _elementwise(module, shape, at=at)
    return _leaf(module, shape, at=at)


def _sum(residual: Residual, shape: Shape, *, at: str) -> Shape:
    body = _fold(residual.body, shape, at=dotted(at, "body"))
    shortcut = shape if residual.shortcut is None else _fold(residual.shortcut, shape, at=dotted(at, "shortcut"))
    if body != shortcut:  # PyTorch would stretch a size of 1 without a word
        raise NetworkError(f"Stage {at!r} cannot add its body, {body}, to its shortcut, {shortcut}.")
    return body


def _concatenation(branches: Branches, shape: Shape, *, at: str) -> Shape:
    shapes = {name: _fold(branch, shape, at=dotted(at, name)) for name, branch in named_stages(branches)}
    first_name, first = next(iter(shapes.items()))
    for name, other in shapes.items():
        if other[1:] != first[1:]:
            raise NetworkError(
                f"Stage {at!r} cannot concatenate branch {first_name!r}, {first}, and branch {name!r}, {other}."
            )
    return (sum(other[0] for other in shapes.values()), *first[1:])


def _elementwise(module: Elementwise, shape: Shape, *, at: str) -> Shape:
    shapes = {name: _fold(branch, shape, at=dotted(at, name)) for name, branch in named_stages(module)}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{name!r} {other}" for name, other in shapes.items())
        raise NetworkError(f"Stage {at!r} cannot take the {module.operation} of branches of other shapes: {told}.")
    return next(iter(shapes.values()))


def _leaf(module: nn.Module, shape: Shape, *, at: str) -> Shape:
    expected = _expected(module)
    position = -1 if isinstance(module, nn.Linear) else 0
    if expected is not None and shape[position] != expected:
        what = "features" if isinstance(module, nn.Linear) else "channels"
        raise NetworkError(f"Stage {at!r} expects {expected} {what} but is given {shape}.")
    known = _known(module, shape)
    if known is None:
        return _on_meta(module, shape, at=at)
    if min(known) < 1:
        raise NetworkError(f"Stage {at!r} ({module}) cannot take {shape}: the result would be {known}.")
    return known


_KEEPS_SHAPE = (
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.LocalResponseNorm, SpatialResponseNorm, ChannelScale, nn.Dropout, nn.Identity),
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.Sigmoid, nn.Tanh, ScaledTanh, nn.Softmax),
)


def _known(module: nn.Module, shape: Shape) -> Shape | None:
    """The shape after a module whose arithmetic is written here, else None."""
    if type(module) in _KEEPS_SHAPE:
        return shape
    if type(module) is nn.Linear:
        return (*shape[:-1], module.out_features)
    if type(module) is nn.Flatten and (module.start_dim, module.end_dim) == (1, -1):
        return (prod(shape),)
    if len(shape) != 3:
        return None
    if type(module) is Pick:
        return (len(module.channels), *shape[1:])
    if type(module) is nn.ZeroPad3d:
        *_, front, back = module.padding
        return (shape[0] + front + back, *_padded(module, shape))
    if type(module) is SamePadding:
        return (shape[0], *_padded(module, shape))
    if type(module) is nn.Conv2d:
        return (module.out_channels, *_slid(module, shape))
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return (shape[0], *_slid(module, shape))
    if type(module) in (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d) and isinstance(module.output_size, int):
        return (shape[0], module.output_size, module.output_size)
    return None


def _padded(module: nn.Module, shape: Shape) -> Shape:
    sides = padding_of(module, (shape[1], shape[2]))
    assert sides is not None
    return tuple(size + sum(zeros) for size, zeros in zip(shape[1:], sides, strict=True))


def _slid(module: nn.Module, shape: Shape) -> Shape:
    windows = windows_of(module)
    assert windows is not None
    return tuple(window.places(size) for size, window in zip(shape[1:], windows, strict=True))


def _on_meta(module: nn.Module, shape: Shape, *, at: str) -> Shape:
    state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    on_meta = {name: torch.empty_like(tensor, device="meta") for name, tensor in state.items()}
    try:
        output: Tensor = torch.func.functional_call(module, on_meta, (torch.empty(_BATCH, *shape, device="meta"),))
    except (RuntimeError, ValueError, IndexError) as error:
        reason = str(error).splitlines()[0]
        raise NetworkError(f"Stage {at!r} ({module}) cannot take {shape}: {reason}") from error
    return tuple(output.shape[1:])


def _expected(module: nn.Module) -> int | None:
    if isinstance(module, nn.Conv2d):
        return module.in_channels
    if isinstance(module, nn.BatchNorm2d):
        return module.num_features
    return module.in_features if isinstance(module, nn.Linear) else None
