"""Caffe in numpy: a description run as Caffe runs it, blob by blob in the order of the file, each window in a loop.

Nothing of the conversion to a chain is used, only the parsed layers. What each type computes is written down here from
its definition in Caffe's src/caffe/layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import ceil
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.caffe.description import Layer, parse
from eyespot.caffe.network import CaffeNetwork
from eyespot.caffe_blocks import ChannelScale

Array = np.ndarray


def lively(network: CaffeNetwork, images: Tensor, *, seed: int = 7) -> CaffeNetwork:
    """The network in eval mode, with random weights by which what each layer gives varies by about 1."""
    generator = torch.Generator().manual_seed(seed)
    hooks = []
    network.net.train()
    for layer in network.net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
        elif isinstance(layer, ChannelScale | nn.PReLU):
            for weight in layer.parameters():
                nn.init.uniform_(weight, 0.3, 0.9, generator=generator)
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            hooks.append(layer.register_forward_hook(lambda module, _, output: _rescaled(module, output, generator)))
        elif isinstance(layer, nn.Dropout):
            layer.eval()
    with torch.no_grad():
        network.net(images)
    for hook in hooks:
        hook.remove()
    network.net.eval()
    return network


def _rescaled(module: nn.Module, output: Tensor, generator: torch.Generator) -> Tensor:
    spread = output.std() + 1e-6
    module.weight.data /= spread
    if module.bias is None:
        return output / spread
    old = module.bias.clone()
    nn.init.uniform_(module.bias, -0.3, 0.3, generator=generator)
    return output / spread + (module.bias - old / spread).reshape(1, -1, *[1] * (output.dim() - 2))


def blobs_of(network: CaffeNetwork, *, factor: float = 4.0) -> dict[str, tuple[str, list[Array]]]:
    """The weights of a network as Caffe has them, by the name of the layer; statistics are kept `factor` times."""
    found: dict[str, tuple[str, list[Array]]] = {}
    for path, layer in network.layers.items():
        module = network.net.get_submodule(path)
        if isinstance(module, nn.BatchNorm2d):
            arrays = [module.running_mean.numpy() * factor, module.running_var.numpy() * factor, np.array([factor])]
        else:
            arrays = [each.detach().numpy() for each in module.parameters()]
            if isinstance(module, ChannelScale):
                arrays = [each.reshape(-1) for each in arrays]
            if layer.type == "InnerProduct" and layer.settings.inner_product_param.transpose:
                arrays[0] = arrays[0].T
        if arrays:
            found[layer.name] = (layer.type, arrays)
    return found


def run(text: str, blobs: Mapping[str, tuple[str, Sequence[Array]]], images: Array) -> dict[str, Array]:
    """What each blob holds at the end. The images are those of the first input."""
    held: dict[str, Array] = {}
    for layer in parse(text, file="twin").layers:
        if not layer.bottoms:
            held[layer.tops[0]] = images.astype(np.float64)
            continue
        given = [held[name] for name in layer.bottoms if name in held]
        if layer.type in _TYPES:
            weights = [each.astype(np.float64) for each in blobs.get(layer.name, ("", ()))[1]]
            held |= dict.fromkeys(layer.tops, _TYPES[layer.type](layer, given, weights))
    return held


def _sides(settings: Any, name: str, both: str, default: int) -> tuple[int, int]:
    if settings.HasField(f"{name}_h"):
        return getattr(settings, f"{name}_h"), getattr(settings, f"{name}_w")
    value = getattr(settings, both)
    numbers = [value] if isinstance(value, int) else list(value) or [default]
    return numbers[0], numbers[-1]


def _convolution(layer: Layer, given: list[Array], weights: list[Array]) -> Array:
    (x,), settings, kernels = given, layer.settings.convolution_param, weights[0]
    stride, pad = _sides(settings, "stride", "stride", 1), _sides(settings, "pad", "pad", 0)
    dilation = (list(settings.dilation) or [1]) * 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2))
    reach = [dilation[d] * (kernels.shape[2 + d] - 1) + 1 for d in (0, 1)]
    places = [(padded.shape[2 + d] - reach[d]) // stride[d] + 1 for d in (0, 1)]
    found = np.zeros((len(x), len(kernels), *places))
    inputs, outputs = x.shape[1] // settings.group, len(kernels) // settings.group
    for group, row, column in product(range(settings.group), *map(range, places)):
        top, left = row * stride[0], column * stride[1]
        window = padded[:, group * inputs : (group + 1) * inputs]
        window = window[:, :, top : top + reach[0] : dilation[0], left : left + reach[1] : dilation[1]]
        of_group = slice(group * outputs, (group + 1) * outputs)
        found[:, of_group, row, column] = np.einsum("nchw,ochw->no", window, kernels[of_group])
    return found + (weights[1].reshape(-1, 1, 1) if len(weights) > 1 else 0)


def _windows(size: tuple[int, int], settings: Any) -> Iterator[tuple[int, int, slice, slice, int]]:
    """Row, column, the pixels under the window, and by how many Caffe divides (its `PoolingLayer`)."""
    kernel, stride = _sides(settings, "kernel", "kernel_size", 0), _sides(settings, "stride", "stride", 1)
    pad = _sides(settings, "pad", "pad", 0)
    if settings.global_pooling:
        kernel = size
    places = []
    for d in (0, 1):
        count = ceil((size[d] + 2 * pad[d] - kernel[d]) / stride[d]) + 1
        if any(pad) and (count - 1) * stride[d] >= size[d] + pad[d]:
            count -= 1
        places.append(count)
    for row, column in product(*map(range, places)):
        start = (row * stride[0] - pad[0], column * stride[1] - pad[1])
        end = [min(start[d] + kernel[d], size[d] + pad[d]) for d in (0, 1)]
        count = (end[0] - start[0]) * (end[1] - start[1])
        yield row, column, *(slice(max(start[d], 0), min(end[d], size[d])) for d in (0, 1)), count


def _pooling(layer: Layer, given: list[Array], weights: list[Array]) -> Array:
    (x,), settings = given, layer.settings.pooling_param
    windows = list(_windows(x.shape[2:], settings))
    found = np.zeros((*x.shape[:2], windows[-1][0] + 1, windows[-1][1] + 1))
    for row, column, rows, columns, count in windows:
        window = x[:, :, rows, columns]
        found[:, :, row, column] = window.max((2, 3)) if settings.pool == 0 else window.sum((2, 3)) / count
    return found


def _lrn(layer: Layer, given: list[Array], weights: list[Array]) -> Array:
    (x,), settings = given, layer.settings.lrn_param
    size, half = settings.local_size, settings.local_size // 2
    if settings.norm_region == 0:
        padded = np.pad(x**2, ((0, 0), (half, half), (0, 0), (0, 0)))
        sums = sum(padded[:, shift : shift + x.shape[1]] for shift in range(size))
        return x * (settings.k + settings.alpha / size * sums) ** -settings.beta
    padded = np.pad(x**2, ((0, 0), (0, 0), (half, half), (half, half)))
    sums = sum(
        padded[:, :, down : down + x.shape[2], right : right + x.shape[3]]
        for down, right in product(range(size), repeat=2)
    )
    return x * (1 + settings.alpha / size**2 * sums) ** -settings.beta


def _dense(layer: Layer, given: list[Array], weights: list[Array]) -> Array:
    matrix = weights[0] if layer.settings.inner_product_param.transpose else weights[0].T
    return given[0].reshape(len(given[0]), -1) @ matrix + (weights[1] if len(weights) > 1 else 0)


def _batch_norm(layer: Layer, given: list[Array], weights: list[Array]) -> Array:
    mean, variance = (each.reshape(-1, 1, 1) / weights[2] for each in weights[:2])
    return (given[0] - mean) / np.sqrt(variance + layer.settings.batch_norm_param.eps)


def _scale(layer: Layer, given: list[Array], weights: list[Array]) -> Array:
    factor, *bias = (each.reshape(-1, *[1] * (given[0].ndim - 2)) for each in weights)
    return given[0] * factor + sum(bias)


def _eltwise(layer: Layer, given: list[Array], weights: list[Array]) -> Array:
    settings = layer.settings.eltwise_param
    if settings.operation == 1:
        return sum(factor * x for factor, x in zip(list(settings.coeff) or [1] * len(given), given, strict=True))
    return (np.prod if settings.operation == 0 else np.max)(given, axis=0)


def _relu(layer: Layer, given: list[Array], weights: list[Array]) -> Array:
    slope = layer.settings.relu_param.negative_slope
    return np.where(given[0] > 0, given[0], slope * given[0])


def _softmax(layer: Layer, given: list[Array], weights: list[Array]) -> Array:
    powers = np.exp(given[0] - given[0].max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


_TYPES = {
    "Convolution": _convolution,
    "Pooling": _pooling,
    "LRN": _lrn,
    "InnerProduct": _dense,
    "BatchNorm": _batch_norm,
    "Scale": _scale,
    "Eltwise": _eltwise,
    "Concat": lambda layer, given, weights: np.concatenate(given, 1),
    "ReLU": _relu,
    "PReLU": lambda layer, given, weights: np.where(
        given[0] > 0, given[0], given[0] * weights[0].reshape(-1, *[1] * (given[0].ndim - 2))
    ),
    "ELU": lambda layer, given, weights: np.where(given[0] > 0, given[0], np.expm1(np.minimum(given[0], 0))),
    "Sigmoid": lambda layer, given, weights: 1 / (1 + np.exp(-given[0])),
    "TanH": lambda layer, given, weights: np.tanh(given[0]),
    "Softmax": _softmax,
    "Dropout": lambda layer, given, weights: given[0],
    "Split": lambda layer, given, weights: given[0],
    "Flatten": lambda layer, given, weights: given[0].reshape(len(given[0]), -1),
}
