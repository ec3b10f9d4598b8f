"""The rules of the conversion: for each of PyTorch's functions that a network calls, the operators that say the same.

Each rule has the arguments of its function in PyTorch, after the recorder; it returns the name of the output. What a
rule cannot say raises `NoRule`, and PyTorch's exporter converts the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from onnx import TensorProto
from torch import Tensor
from torch.nn import functional

from eyespot.engine.activation_rules import ACTIVATIONS
from eyespot.engine.graph_recorder import Recorder, Rules, only


def _pair(size: Any) -> list[int]:
    return [size, size] if isinstance(size, int) else list(size)


def _conv(to: Recorder, x: Tensor, weight: Tensor, bias: Any, *sliding: Any) -> str:
    stride, padding, dilation, groups = sliding
    only(not isinstance(padding, str))
    inputs = [x, weight] if bias is None else [x, weight, bias]
    pads = _pair(padding) * 2
    return to.node("Conv", *inputs, strides=_pair(stride), pads=pads, dilations=_pair(dilation), group=groups)


def _norm(to: Recorder, x: Tensor, mean: Any, var: Any, *, eps: float, **rest: Any) -> str:
    only(not rest["training"])
    weight, bias = rest["weight"], rest["bias"]
    if weight is None:  # as of a BatchNorm without weights
        weight, bias = (to.constant(fill(len(mean), np.float32)) for fill in (np.ones, np.zeros))
    return to.node("BatchNormalization", x, weight, bias, mean, var, epsilon=eps)


def _response_norm(to: Recorder, x: Tensor, size: int, alpha: float, beta: float, k: float) -> str:
    only(size % 2 == 1)  # of an even number of channels, ONNX takes the odd one from the other side
    return to.node("LRN", x, size=size, alpha=float(alpha), beta=float(beta), bias=float(k))


def _pad(to: Recorder, x: Tensor, pad: Any, *, mode: str, value: float | None) -> str:
    only(mode == "constant" and not value and len(pad) % 2 == 0)
    before, behind = list(pad[::2])[::-1], list(pad[1::2])[::-1]  # PyTorch begins with the last dimension
    untouched = [0] * (x.dim() - len(before))
    return to.node("Pad", x, to.constant(np.array(untouched + before + untouched + behind, np.int64)))


@dataclass(frozen=True)
class _Window:
    """The window of a pooling, each size a number or one for height and one for width."""

    kernel: Any
    stride: Any
    padding: Any
    dilation: Any = 1
    ceil_mode: bool = False
    """A last window may hang over the edge."""

    @property
    def sizes(self) -> dict[str, list[int]]:
        return {"kernel_shape": _pair(self.kernel), "strides": _pair(self.stride)}

    def pads(self, x: Tensor) -> list[int]:
        """Pixels of padding around the input: top, left, bottom, right.

        Where a last window may hang over the edge, the padding goes as far as that reaches. ONNX has an attribute for
        such windows, too, but that keeps one which begins after the image, where PyTorch drops it.
        """
        before = _pair(self.padding)
        behind = list(before)
        for d, size in enumerate(x.shape[2:] if self.ceil_mode else ()):
            step, reach = _pair(self.stride)[d], _pair(self.dilation)[d] * (_pair(self.kernel)[d] - 1) + 1
            last = -(-(size + 2 * before[d] - reach) // step) * step
            if last >= size + before[d]:
                last -= step
            behind[d] = max(0, last + reach - size - before[d])
        return before + behind


def _max_pool(to: Recorder, x: Tensor, kernel: Any, *, return_indices: bool, **how: Any) -> str:
    only(not return_indices)
    window = _Window(kernel, **how)
    return to.node("MaxPool", x, pads=window.pads(x), **window.sizes, dilations=_pair(window.dilation))


def _average_pool(to: Recorder, x: Tensor, kernel: Any, stride: Any, padding: Any, *rest: Any) -> str:
    ceil_mode, padded, divisor = rest or (False, True, None)
    counted = padded and any(_pair(padding))
    only(divisor is None)
    window = _Window(kernel, stride, padding, ceil_mode=ceil_mode)
    if ceil_mode and counted:  # the zeros count, but not what hangs over them: engines differ unless both are apart
        above, left, below, right = window.pads(x)
        zeros = np.array([0, 0, above, left] * 2, np.int64)
        over = [0, 0, max(0, below - above), max(0, right - left)]
        return to.node("AveragePool", to.node("Pad", x, to.constant(zeros)), pads=over, **window.sizes)
    return to.node("AveragePool", x, pads=window.pads(x), **window.sizes, count_include_pad=int(counted))


def _adaptive_mean(to: Recorder, x: Tensor, output_size: Any) -> str:
    places, size = _pair(output_size), list(x.shape[2:])
    if places == [1, 1]:
        return to.node("GlobalAveragePool", x)
    only(None not in places and all(s % p == 0 for s, p in zip(size, places, strict=True)))
    window = [s // p for s, p in zip(size, places, strict=True)]
    return to.node("AveragePool", x, kernel_shape=window, strides=window)


def _adaptive_maximum(to: Recorder, x: Tensor, output_size: Any, return_indices: bool = False) -> str:
    only(_pair(output_size) == [1, 1] and not return_indices)
    return to.node("GlobalMaxPool", x)


def _item(to: Recorder, x: Tensor, index: Any) -> str:
    only(isinstance(index, tuple))
    if all(isinstance(each, slice) for each in index):
        return _slice(to, x, index)
    only(len(index) == 2 and index[0] == slice(None) and isinstance(index[1], list))
    return to.node("Gather", x, to.constant(np.array(index[1], np.int64)), axis=1)


def _slice(to: Recorder, x: Tensor, index: tuple[slice, ...]) -> str:
    cut = [(axis, each) for axis, each in enumerate(index) if each != slice(None)]
    only(bool(cut) and all(axis > 0 for axis, _ in cut))  # the number of images is not known
    ranges = [(*each.indices(x.shape[axis]), axis) for axis, each in cut]
    starts, ends, steps, axes = (np.array(each, np.int64) for each in zip(*ranges, strict=True))
    return to.node("Slice", x, *map(to.constant, (starts, ends, axes, steps)))


def _flatten(to: Recorder, x: Tensor, start: int, end: int) -> str:
    only(start == 1)
    if end in (-1, x.dim() - 1):
        return to.node("Flatten", x, axis=1)
    return to.node("Reshape", x, to.constant(np.array([0, -1, *x.shape[end + 1 :]], np.int64)))


def _linear(to: Recorder, x: Tensor, weight: Tensor, bias: Tensor | None) -> str:
    if x.dim() == 2:
        return to.node("Gemm", x, weight, *([] if bias is None else [bias]), transB=1)
    product = to.node("MatMul", x, to.node("Transpose", weight, perm=[1, 0]))
    return product if bias is None else to.node("Add", product, bias)


def _twice(to: Recorder, x: Tensor, *, scale_factor: Any, mode: str, **rest: Any) -> str:
    factor = int(scale_factor)
    only(mode == "nearest" and factor == scale_factor and not any(rest.values()))
    scales = to.constant(np.array([1, 1, factor, factor], np.float32))
    how = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    return to.node("Resize", x, "", scales, **how)


def _dropout(to: Recorder, x: Tensor, *, training: bool, **rest: Any) -> str:
    only(not training)
    return to.value(x)


def _layer_norm(to: Recorder, x: Tensor, shape: Any, *, weight: Any, bias: Any, eps: float) -> str:
    only(weight is not None and bias is not None)
    return to.node("LayerNormalization", x, weight, bias, axis=-len(shape), epsilon=eps)


def _mean(to: Recorder, x: Tensor, dim: Any, keepdim: bool = False) -> str:
    places = [dim] if isinstance(dim, int) else list(dim)
    return to.node("ReduceMean", x, to.constant(np.array(places, np.int64)), keepdims=int(keepdim))


def _length(to: Recorder, x: Tensor, *, p: Any, dim: Any, keepdim: bool, **_: Any) -> str:
    """The root of the sum of squares, which is that of their mean times how many they are."""
    places = [each % x.dim() for each in ([dim] if isinstance(dim, int) else dim)]
    only(p == 2 and 0 not in places)
    squares = to.node(
        "ReduceMean", to.node("Mul", x, x), to.constant(np.array(places, np.int64)), keepdims=int(keepdim)
    )
    count = np.float32(np.prod([x.shape[place] for place in places]))
    return to.node("Sqrt", to.node("Mul", squares, to.constant(count)))


def _shaped_weight(to: Recorder, x: Tensor, *shape: Any) -> str:
    only(id(x) in to.weights)
    wanted = shape if isinstance(shape[0], int) else shape[0]
    return to.node("Reshape", x, to.constant(np.array(wanted, np.int64)))


def _add_product(to: Recorder, x: Tensor, one: Tensor, other: Tensor) -> str:
    return to.node("Add", x, to.node("Mul", one, other))


def _binary(operator: str) -> Callable[..., str]:
    def rule(to: Recorder, x: Any, y: Any) -> str:
        sides = [to.constant(np.float32(side)) if isinstance(side, int | float) else side for side in (x, y)]
        return to.node(operator, *sides)

    return rule


RULES: Rules = {
    **ACTIVATIONS,
    torch.conv2d: _conv,
    functional.batch_norm: _norm,
    functional.local_response_norm: _response_norm,
    functional.pad: _pad,
    functional.max_pool2d: _max_pool,
    functional.avg_pool2d: _average_pool,
    functional.adaptive_avg_pool2d: _adaptive_mean,
    functional.adaptive_max_pool2d: _adaptive_maximum,
    functional.linear: _linear,
    functional.interpolate: _twice,
    functional.dropout: _dropout,
    functional.layer_norm: _layer_norm,
    Tensor.flatten: _flatten,
    Tensor.mean: _mean,
    Tensor.norm: _length,
    Tensor.view: _shaped_weight,
    Tensor.reshape: _shaped_weight,
    torch.addcmul: _add_product,
    Tensor.__getitem__: _item,
    torch.cat: lambda to, tensors, dim: to.node("Concat", *tensors, axis=dim),
    Tensor.float: lambda to, x: to.node("Cast", x, to=TensorProto.FLOAT),
    Tensor.permute: lambda to, x, *order: to.node("Transpose", x, perm=list(order)),
    Tensor.add: _binary("Add"),
    Tensor.add_: _binary("Add"),  # of a tensor that nothing else takes afterwards
    Tensor.sub: _binary("Sub"),
    Tensor.mul: _binary("Mul"),
    Tensor.div: _binary("Div"),
    torch.maximum: _binary("Max"),
    torch.pow: _binary("Pow"),
}
