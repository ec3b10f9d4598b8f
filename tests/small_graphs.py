"""Graphs of a few operators, in ONNX and in OpenVINO's format, and how large the gate takes their tensors to be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import onnx
import openvino as ov
from onnx import TensorProto, helper, numpy_helper

from eyespot.engine.folding import Folded
from eyespot.engine.onnx_file import read_model
from eyespot.engine.onnx_operators import constants_of, operators_of
from eyespot.engine.sized import Tensor

FLOAT, WHOLE = np.float32, np.int64


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, WHOLE)


def real(*numbers: float) -> np.ndarray:
    return np.array(numbers, FLOAT)


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, FLOAT)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    given: dict[str, Sequence[int | str]],
    constants: dict[str, np.ndarray],
    opset: int = 18,
) -> onnx.ModelProto:
    """A graph of these nodes, whose last one's results come out."""
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in given.items()]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in nodes[-1].output]
    held = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, "g", ports, outputs, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def folded(model: onnx.ModelProto, shapes: dict[str, Sequence[int]], *, fixed: bool = False) -> dict[str, Tensor]:
    graph = read_model(model.SerializeToString())["graph"][0]
    operators = operators_of(graph)
    return Folded(operators, constants_of(graph), operators[-1].outputs).tensors(
        {name: Tensor(tuple(shape), 4, fixed=fixed) for name, shape in shapes.items()}
    )


def ir_of(model: ov.Model, folder: Path) -> tuple[ElementTree.Element, bytes]:
    ov.save_model(model, folder / "model.xml", compress_to_fp16=False)
    return ElementTree.fromstring((folder / "model.xml").read_bytes()), (folder / "model.bin").read_bytes()
