"""A layer of Caffe as a module of PyTorch that gives the same numbers: a function for each type of layer.

Each takes the layer and the shape of what comes in, (C, H, W) or (D,), and gives the module, or raises NetworkError.
What the types compute is defined by src/caffe/layers of github.com/BVLC/caffe.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from torch import nn

from eyespot.blocks import chain
from eyespot.caffe.description import MOST_SIZE, Layer
from eyespot.caffe_blocks import ChannelScale, SpatialResponseNorm
from eyespot.words import nearest

Shape = tuple[int, ...]
JOINS = ("Eltwise", "Concat")
"""Types that take several blobs; they become `Residual`, `Branches` or `Elementwise`."""
MOST_PARAMETERS = 1_000_000_000


def module_of(layer: Layer, shape: Shape) -> nn.Module:
    """The module of a layer that takes one blob of that shape. Raises NetworkError, naming the layer."""
    if layer.type not in _MAKERS:
        known = (*_MAKERS, *JOINS)
        hint = nearest(layer.type, known, otherwise=f"there are {', '.join(known)}.")
        raise layer.error(f"is of type {layer.type!r}, which is not built here: {hint}")
    if len(layer.bottoms) != 1:
        raise layer.error(f"of type {layer.type} takes {len(layer.bottoms)} blobs: expected one.")
    return _MAKERS[layer.type](layer, shape)


def _convolution(layer: Layer, shape: Shape) -> nn.Module:
    settings = layer.settings.convolution_param
    channels = _image(layer, shape)[0]
    outputs, groups = _bounded(layer, "num_output", settings.num_output), _bounded(layer, "group", settings.group)
    _require_axis(layer, settings.axis, 1)
    if channels % groups or outputs % groups:
        raise layer.error(f"cannot part {channels} channels into {outputs} with group {groups}: it must divide both.")
    kernel = _pair(layer, settings, "kernel", "kernel_size")
    _require_room(layer, outputs * (channels // groups) * prod(kernel))
    return nn.Conv2d(
        channels,
        outputs,
        kernel,
        stride=_pair(layer, settings, "stride", default=1),
        padding=_pair(layer, settings, "pad", default=0, least=0),
        dilation=_pair(layer, settings, "dilation", default=1),
        groups=groups,
        bias=settings.bias_term,
    )


def _inner_product(layer: Layer, shape: Shape) -> nn.Module:
    settings = layer.settings.inner_product_param
    _require_axis(layer, settings.axis, 1)
    outputs = _bounded(layer, "num_output", settings.num_output)
    _require_room(layer, outputs * prod(shape))
    return chain(flat=nn.Flatten(), fc=nn.Linear(prod(shape), outputs, bias=settings.bias_term))


def _pooling(layer: Layer, shape: Shape) -> nn.Module:
    settings = layer.settings.pooling_param
    size = _image(layer, shape)[1:]
    method = settings.DESCRIPTOR.fields_by_name["pool"].enum_type.values_by_number[settings.pool].name
    if method not in ("MAX", "AVE"):
        raise layer.error(f"pools by {method}, which is not built here: there are MAX and AVE.")
    if settings.global_pooling:
        return nn.AdaptiveMaxPool2d(1) if method == "MAX" else nn.AdaptiveAvgPool2d(1)
    kernel, stride = _pair(layer, settings, "kernel", "kernel_size"), _pair(layer, settings, "stride", default=1)
    padding = _pair(layer, settings, "pad", default=0, least=0)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise layer.error(f"pads {padding} pixels around a kernel of {kernel}: at most half of it is built here.")
    rounds_up = settings.round_mode == 0 and max(stride) > 1  # with stride 1 there is nothing to round
    if rounds_up and not any(padding):
        _require_inside(layer, size, kernel, stride)
    if method == "MAX":
        return nn.MaxPool2d(kernel, stride, padding, ceil_mode=rounds_up)
    return nn.AvgPool2d(kernel, stride, padding, ceil_mode=rounds_up)


def _require_inside(layer: Layer, size: Shape, kernel: Shape, stride: Shape) -> None:
    """Raises NetworkError where Caffe, which clips windows only if there is padding, has one beyond the image."""
    for pixels, window, step in zip(size, kernel, stride, strict=True):
        if -(-(pixels - window) // step) * step >= pixels:
            raise layer.error(
                f"has a last window beyond its {size[0]}x{size[1]} pixels, of which Caffe makes no number (kernel "
                f"{window}, stride {step}): make the kernel as large as the stride."
            )


def _batch_norm(layer: Layer, shape: Shape) -> nn.Module:
    """Without weights: Caffe has them in a layer Scale after it. The mean over batches is PyTorch's, not Caffe's."""
    eps = layer.settings.batch_norm_param.eps
    if len(shape) == 1:
        return nn.BatchNorm1d(shape[0], eps=eps, affine=False)
    return nn.BatchNorm2d(_image(layer, shape)[0], eps=eps, affine=False)


def _scale(layer: Layer, shape: Shape) -> nn.Module:
    settings = layer.settings.scale_param
    _require_axis(layer, settings.axis, 1)
    if settings.num_axes != 1:
        raise layer.error(f"scales {settings.num_axes} axes: only one weight a channel, num_axes 1, is built here.")
    return ChannelScale(shape[0], bias=settings.bias_term, flat=len(shape) == 1)


def _response_norm(layer: Layer, shape: Shape) -> nn.Module:
    settings = layer.settings.lrn_param
    _image(layer, shape)
    size = _bounded(layer, "local_size", settings.local_size)
    if size % 2 == 0:
        raise layer.error(f"normalizes over local_size {size}: it must be odd.")
    if settings.norm_region == 1:  # within a channel, where Caffe takes 1 for k
        return SpatialResponseNorm(size, alpha=settings.alpha, beta=settings.beta)
    return nn.LocalResponseNorm(size, alpha=settings.alpha, beta=settings.beta, k=settings.k)


def _relu(layer: Layer, shape: Shape) -> nn.Module:
    slope = layer.settings.relu_param.negative_slope if _is_new(layer, "relu_param") else 0.0
    return nn.LeakyReLU(slope) if slope else nn.ReLU()


def _prelu(layer: Layer, shape: Shape) -> nn.Module:
    return nn.PReLU(1 if layer.settings.prelu_param.channel_shared else shape[0])


def _dropout(layer: Layer, shape: Shape) -> nn.Module:
    ratio = layer.settings.dropout_param.dropout_ratio
    if not 0 <= ratio < 1:
        raise layer.error(f"drops a share of {ratio:g}: expected 0 up to 1.")
    return nn.Dropout(ratio)


def _softmax(layer: Layer, shape: Shape) -> nn.Module:
    _require_axis(layer, layer.settings.softmax_param.axis, 1)
    return nn.Softmax(dim=1)


def _flatten(layer: Layer, shape: Shape) -> nn.Module:
    if _is_new(layer, "flatten_param"):
        settings = layer.settings.flatten_param
        _require_axis(layer, settings.axis, 1)
        _require_axis(layer, settings.end_axis, -1)
    return nn.Flatten()


_MAKERS: dict[str, Callable[[Layer, Shape], nn.Module]] = {
    "Convolution": _convolution,
    "DepthwiseConvolution": _convolution,
    "InnerProduct": _inner_product,
    "Pooling": _pooling,
    "BatchNorm": _batch_norm,
    "Scale": _scale,
    "LRN": _response_norm,
    "ReLU": _relu,
    "PReLU": _prelu,
    "ELU": lambda layer, shape: nn.ELU(layer.settings.elu_param.alpha),
    "Sigmoid": lambda layer, shape: nn.Sigmoid(),
    "TanH": lambda layer, shape: nn.Tanh(),
    "Dropout": _dropout,
    "Softmax": _softmax,
    "Flatten": _flatten,
}


def _is_new(layer: Layer, parameters: str) -> bool:
    """False where the form of the layer does not know these parameters yet."""
    return parameters in layer.settings.DESCRIPTOR.fields_by_name


def _pair(
    layer: Layer, settings: Any, name: str, both: str = "", *, default: int | None = None, least: int = 1
) -> tuple[int, int]:
    """Height and width of a kernel, stride, padding or dilation: one number, two, or name_h and name_w.

    both: the field of what is said for both, where that is not `name`. default: None where it has to be said.
    """
    both = both or name
    known = settings.DESCRIPTOR.fields_by_name
    value = getattr(settings, both)
    said = list(value) if known[both].is_repeated else [value] if settings.HasField(both) else []
    sides = [side for side in (f"{name}_h", f"{name}_w") if side in known and settings.HasField(side)]
    if said and sides:
        raise layer.error(f"has {both} and {sides[0]}: keep one.")
    if len(sides) == 1 and least > 0:
        raise layer.error(f"has {sides[0]} without the other side: give {name}_h and {name}_w, or {both}.")
    if sides:
        said = [getattr(settings, f"{name}_{side}") for side in "hw"]
    if not said and default is None:
        raise layer.error(f"has no {both}: give it.")
    if len(said) > 2:
        raise layer.error(f"has {len(said)} numbers of {both}: expected one, or height and width.")
    found = [_bounded(layer, both, number, least=least) for number in said or [default]]
    return found[0], found[-1]


def _bounded(layer: Layer, name: str, number: Any, *, least: int = 1) -> int:
    if not least <= number <= MOST_SIZE:
        raise layer.error(f"has {name} {number}: expected {least} to {MOST_SIZE:,}.")
    return int(number)


def _image(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise layer.error(f"of type {layer.type} expects an image, channels x height x width, and is given {shape}.")
    return shape


def _require_axis(layer: Layer, axis: int, expected: int) -> None:
    if axis != expected:
        raise layer.error(f"of type {layer.type} has axis {axis}: only {expected} is built here.")


def _require_room(layer: Layer, weights: int) -> None:
    if weights > MOST_PARAMETERS:
        raise layer.error(f"would have {weights:,} weights: at most {MOST_PARAMETERS:,} are built.")
