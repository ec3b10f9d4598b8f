"""From a chain to an ONNX graph, once: the graph is what the engine runs, and it holds its own normalisation.

The chain runs on one image while each of PyTorch's functions that it calls is written down as an operator. That takes
a fraction of a second, where PyTorch's exporter takes ten; a network with a function that has no rule here goes to the
exporter. The same chain and weights give the same bytes, without times, file paths or stack traces.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from eyespot.engine.gate import FEATURE_MAP, FEATURES, INPUT
from eyespot.errors import NetworkError
from eyespot.records import Preprocess

_OPSET, _IR_VERSION = 18, 10


def to_onnx(
    net: nn.Sequential, preprocess: Preprocess, *, output: str = FEATURES, feature_map: str | None = None
) -> bytes:
    """An ONNX model from `images`, uint8 (N, H, W, C) with any N, to `output`, float32: what `net` gives in evaluation.

    net: a chain from normalised images (N, C, H, W), such as the trunk before the classifier; it is not changed.
    preprocess: the size of the images; its normalisation, (value - mean) / scale, becomes part of the graph.
    output: the name of the output.
    feature_map: the name of a stage whose output becomes a second one, `feature_map`, such as "head.act" (N, C, h, w).
    Raises NetworkError where the network cannot be converted or has no such stage.
    """
    if feature_map is not None and not _reaches(net, feature_map.split(".")):
        raise NetworkError(f"The network has no stage {feature_map!r} whose output could be a second one.")
    module = _Graph(copy.deepcopy(net), preprocess, feature_map).eval().cpu()
    images = torch.zeros(2, *preprocess.crop_hw, preprocess.channels, dtype=torch.uint8)  # one would be a constant
    outputs = [output] if feature_map is None else [output, FEATURE_MAP]
    try:
        model = _recorded(module, images, outputs)
    except _NoRule:
        model = _exported(module, images, outputs)
    return bytes(model.SerializeToString(deterministic=True))


class _Graph(nn.Module):
    """Preprocessing, then the network, as one module."""

    def __init__(self, net: nn.Sequential, preprocess: Preprocess, feature_map: str | None) -> None:
        super().__init__()
        self.net, self.feature_map = net, feature_map
        self.mean = nn.Buffer(torch.tensor(preprocess.mean))
        self.scale = nn.Buffer(torch.tensor(preprocess.scale))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        x = (images.float() - self.mean) / self.scale  # (N, H, W, C)
        x = x.permute(0, 3, 1, 2)  # (N, C, H, W)
        if self.feature_map is None:
            return (self.net(x),)
        return _tapped(self.net, self.feature_map.split("."), x)


def _tapped(net: nn.Module, path: list[str], x: Tensor) -> tuple[Tensor, Tensor]:
    """What `net` gives, and what its stage at `path` gives."""
    tap = x
    for name, stage in net.named_children():
        if name == path[0] and len(path) > 1:
            x, tap = _tapped(stage, path[1:], x)
        else:
            x = stage(x)
            tap = x if name == path[0] else tap
    return x, tap


def _reaches(net: nn.Module, path: list[str]) -> bool:
    stage = dict(net.named_children()).get(path[0])
    return stage is not None and (len(path) == 1 or (isinstance(stage, nn.Sequential) and _reaches(stage, path[1:])))


class _NoRule(Exception):
    """The network calls a function, or calls it in a way, that has no rule below."""


class _Recorder(TorchFunctionMode):
    """While active, writes every PyTorch function that takes a known tensor to an ONNX graph."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        state = [*module.named_parameters(), *module.named_buffers()]
        self.weights = {id(tensor): (name, tensor) for name, tensor in state}
        self.names: dict[int, str] = {}
        self.kept: list[Tensor] = []  # an id belongs to one tensor only while that lives
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.called: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            rule = _RULES.get(func)
            if rule is None:
                raise _NoRule(getattr(func, "__name__", str(func)))
            self.name(result, rule(self, *args, **(kwargs or {})))
        return result

    def name(self, tensor: Tensor, name: str) -> None:
        self.names[id(tensor)] = name
        self.kept.append(tensor)

    def node(self, operator: str, *inputs: Tensor | str, **attributes: Any) -> str:
        """Adds an operator; returns the name of its output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self.value(x) for x in inputs], [name], name=name, **attributes))
        return name

    def value(self, x: Tensor | str) -> str:
        if isinstance(x, str) or id(x) in self.names:
            return x if isinstance(x, str) else self.names[id(x)]
        if id(x) not in self.weights:
            raise _NoRule("a tensor that is neither computed nor a weight")
        name, tensor = self.weights[id(x)]
        return self.constant(tensor.detach(), name)

    def call(self, tensor: Tensor, output: str) -> None:
        """Gives a computed tensor the name of an output; a copy of it, where it is one already or the input."""
        old = self.value(tensor)
        if old in (INPUT, *self.called):
            self.nodes.append(helper.make_node("Identity", [old], [output], name=output))
            return
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [output if name == old else name for name in names]
        self.name(tensor, output)
        self.called.append(output)

    def constant(self, array: Any, name: str = "") -> str:
        name = name or f"constant_{len(self.initializers)}"
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name


def _recorded(module: nn.Module, images: Tensor, outputs: list[str]) -> Any:
    recorder = _Recorder(module)
    recorder.name(images, INPUT)
    with torch.inference_mode(), recorder:
        results = module(images)
    for result, output in zip(results, outputs, strict=True):
        recorder.call(result, output)
    graph = helper.make_graph(
        recorder.nodes,
        "eyespot",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["N", *images.shape[1:]])],
        [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", *result.shape[1:]])
            for output, result in zip(outputs, results, strict=True)
        ],
        list(recorder.initializers.values()),
    )
    opset = helper.make_opsetid("", _OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="eyespot")


def _pair(size: Any) -> list[int]:
    return [size, size] if isinstance(size, int) else list(size)


def _only(condition: bool) -> None:
    if not condition:
        raise _NoRule("an argument that has no rule")


# Each rule has the arguments of its function in PyTorch, after the recorder; it returns the name of the output.


def _conv(
    to: _Recorder, x: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> str:
    _only(not isinstance(padding, str))
    inputs = [x, weight] if bias is None else [x, weight, bias]
    pads = _pair(padding) * 2
    return to.node("Conv", *inputs, strides=_pair(stride), pads=pads, dilations=_pair(dilation), group=groups)


def _norm(to: _Recorder, x: Tensor, mean: Any, var: Any, *, weight: Any, bias: Any, eps: float, **rest: Any) -> str:
    _only(not rest["training"] and weight is not None)
    return to.node("BatchNormalization", x, weight, bias, mean, var, epsilon=eps)


def _clip(to: _Recorder, x: Tensor, *, min_val: float, max_val: float, inplace: bool) -> str:
    return to.node("Clip", x, to.constant(np.float32(min_val)), to.constant(np.float32(max_val)))


def _response_norm(to: _Recorder, x: Tensor, size: int, alpha: float, beta: float, k: float) -> str:
    _only(size % 2 == 1)  # of an even number of channels, ONNX takes the odd one from the other side
    return to.node("LRN", x, size=size, alpha=float(alpha), beta=float(beta), bias=float(k))


def _pad(to: _Recorder, x: Tensor, pad: Any, *, mode: str, value: float | None) -> str:
    _only(mode == "constant" and not value and len(pad) % 2 == 0)
    before, behind = list(pad[::2])[::-1], list(pad[1::2])[::-1]  # PyTorch begins with the last dimension
    untouched = [0] * (x.dim() - len(before))
    return to.node("Pad", x, to.constant(np.array(untouched + before + untouched + behind, np.int64)))


def _max_pool(
    to: _Recorder, x: Tensor, kernel: Any, *, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, **rest: Any
) -> str:
    _only(not rest["return_indices"])
    pads = _pool_pads(x, kernel, stride, padding, dilation=dilation, ceil=ceil_mode)
    sizes = {"kernel_shape": _pair(kernel), "strides": _pair(stride), "dilations": _pair(dilation)}
    return to.node("MaxPool", x, pads=pads, **sizes)


def _average_pool(
    to: _Recorder, x: Tensor, kernel: Any, stride: Any, padding: Any, ceil: bool, padded: bool, divisor: Any
) -> str:
    counted = padded and any(_pair(padding))
    _only(divisor is None and not (ceil and counted))  # PyTorch counts the zeros, but not what hangs over them
    pads = _pool_pads(x, kernel, stride, padding, ceil=ceil)
    sizes = {"kernel_shape": _pair(kernel), "strides": _pair(stride)}
    return to.node("AveragePool", x, pads=pads, count_include_pad=int(counted), **sizes)


def _pool_pads(x: Tensor, kernel: Any, stride: Any, padding: Any, *, dilation: Any = 1, ceil: bool) -> list[int]:
    """Pixels of padding around the input of a pooling: top, left, bottom, right.

    Where a last window may hang over the edge, the padding goes as far as that reaches. ONNX has an attribute for such
    windows, too, but that keeps one which begins behind the image, where PyTorch drops it.
    """
    before = _pair(padding)
    behind = list(before)
    for d, size in enumerate(x.shape[2:] if ceil else ()):
        step, reach = _pair(stride)[d], _pair(dilation)[d] * (_pair(kernel)[d] - 1) + 1
        last = -(-(size + 2 * before[d] - reach) // step) * step
        if last >= size + before[d]:
            last -= step
        behind[d] = max(0, last + reach - size - before[d])
    return before + behind


def _adaptive_mean(to: _Recorder, x: Tensor, output_size: Any) -> str:
    places, size = _pair(output_size), list(x.shape[2:])
    if places == [1, 1]:
        return to.node("GlobalAveragePool", x)
    _only(None not in places and all(s % p == 0 for s, p in zip(size, places, strict=True)))
    window = [s // p for s, p in zip(size, places, strict=True)]
    return to.node("AveragePool", x, kernel_shape=window, strides=window)


def _pick(to: _Recorder, x: Tensor, index: Any) -> str:
    _only(isinstance(index, tuple) and len(index) == 2 and index[0] == slice(None) and isinstance(index[1], list))
    return to.node("Gather", x, to.constant(np.array(index[1], np.int64)), axis=1)


def _flatten(to: _Recorder, x: Tensor, start: int, end: int) -> str:
    _only(start == 1 and end in (-1, x.dim() - 1))
    return to.node("Flatten", x, axis=1)


def _linear(to: _Recorder, x: Tensor, weight: Tensor, bias: Tensor | None) -> str:
    _only(x.dim() == 2)
    return to.node("Gemm", x, weight, *([] if bias is None else [bias]), transB=1)


def _dropout(to: _Recorder, x: Tensor, *, training: bool, **rest: Any) -> str:
    _only(not training)
    return to.value(x)


def _binary(operator: str) -> Callable[..., str]:
    def rule(to: _Recorder, x: Any, y: Any) -> str:
        sides = [to.constant(np.float32(side)) if isinstance(side, int | float) else side for side in (x, y)]
        return to.node(operator, *sides)

    return rule


_RULES: dict[Any, Callable[..., str]] = {
    torch.conv2d: _conv,
    functional.batch_norm: _norm,
    functional.relu: lambda to, x, inplace: to.node("Relu", x),
    functional.hardtanh: _clip,
    functional.local_response_norm: _response_norm,
    functional.pad: _pad,
    functional.max_pool2d: _max_pool,
    functional.avg_pool2d: _average_pool,
    functional.adaptive_avg_pool2d: _adaptive_mean,
    functional.linear: _linear,
    functional.dropout: _dropout,
    Tensor.flatten: _flatten,
    Tensor.__getitem__: _pick,
    torch.tanh: lambda to, x: to.node("Tanh", x),
    torch.cat: lambda to, tensors, dim: to.node("Concat", *tensors, axis=dim),
    Tensor.float: lambda to, x: to.node("Cast", x, to=TensorProto.FLOAT),
    Tensor.permute: lambda to, x, *order: to.node("Transpose", x, perm=list(order)),
    Tensor.add: _binary("Add"),
    Tensor.sub: _binary("Sub"),
    Tensor.mul: _binary("Mul"),
    Tensor.div: _binary("Div"),
}


def _exported(module: nn.Module, images: Tensor, outputs: list[str]) -> Any:
    """What PyTorch's exporter makes of the module, without anything that is not needed to run it."""
    _write_global_means(module)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch's exporter about torch's own code
            warnings.simplefilter("ignore", DeprecationWarning)
            model = _export(module, images, outputs)
    except torch.onnx.OnnxExporterError as error:
        reason = str(error).strip().splitlines()[0]
        raise NetworkError(f"The network cannot be converted to ONNX: {reason}") from error
    return _bare(model)


def _export(module: nn.Module, images: Tensor, outputs: list[str]) -> Any:
    program = torch.onnx.export(
        module,
        (images,),
        dynamo=True,
        verbose=False,
        opset_version=_OPSET,
        input_names=[INPUT],
        output_names=outputs,
        dynamic_shapes={INPUT: {0: torch.export.Dim("N")}},
    )
    assert program is not None
    return program.model_proto


def _bare(model: Any) -> Any:
    for message in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        message.ClearField("metadata_props")
        message.ClearField("doc_string")
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
    model.graph.ClearField("value_info")
    return model


class _GlobalMean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)


def _write_global_means(module: nn.Module) -> None:
    """Replaces adaptive pooling to one pixel, which the exporter would write as a dozen operators."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.AdaptiveAvgPool2d) and child.output_size in (1, (1, 1)):
                setattr(parent, name, _GlobalMean())
