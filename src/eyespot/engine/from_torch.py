"""From a chain to an ONNX graph, once: the graph is what the engine runs, and it holds its own normalisation.

The chain runs on one image while each of PyTorch's functions that it calls is written down as an operator. That takes
a fraction of a second, where PyTorch's exporter takes ten; a network with a function that has no rule goes to the
exporter. The same chain and weights give the same bytes, without times, file paths or stack traces.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from eyespot.engine.gate import FEATURE_MAP, FEATURES, INPUT
from eyespot.engine.graph_recorder import NoRule, Recorder
from eyespot.engine.graph_rules import RULES
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
    outputs = [output] if feature_map is None else [output, FEATURE_MAP]
    return _converted(_Graph(copy.deepcopy(net), preprocess, feature_map), preprocess, outputs)


def module_to_onnx(module: nn.Module, preprocess: Preprocess, *, outputs: Sequence[str]) -> bytes:
    """The same of a module that gives several tensors, one for each of the `outputs`, by their names."""
    return _converted(_Graph(copy.deepcopy(module), preprocess, None), preprocess, list(outputs))


def _converted(module: nn.Module, preprocess: Preprocess, outputs: list[str]) -> bytes:
    module = module.eval().cpu()
    images = torch.zeros(2, *preprocess.crop_hw, preprocess.channels, dtype=torch.uint8)  # one would be a constant
    try:
        model = _recorded(module, images, outputs)
    except NoRule:
        model = _exported(module, images, outputs)
    return bytes(model.SerializeToString(deterministic=True))


class _Graph(nn.Module):
    """Preprocessing, then the network, as one module."""

    def __init__(self, net: nn.Module, preprocess: Preprocess, feature_map: str | None) -> None:
        super().__init__()
        self.net, self.feature_map = net, feature_map
        self.mean = nn.Buffer(torch.tensor(preprocess.mean))
        self.scale = nn.Buffer(torch.tensor(preprocess.scale))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        x = (images.float() - self.mean) / self.scale  # (N, H, W, C)
        x = x.permute(0, 3, 1, 2)  # (N, C, H, W)
        if self.feature_map is None:
            found = self.net(x)
            return found if isinstance(found, tuple) else (found,)
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


def _recorded(module: nn.Module, images: Tensor, outputs: list[str]) -> Any:
    recorder = Recorder(module, RULES)
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
