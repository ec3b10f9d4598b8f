"""Weights in 16 bits: half the size, nearly the same answers."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from eyespot.engine.half import with_half_weights

WEIGHT = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
BIAS = np.linspace(-1, 1, 64, dtype=np.float32)


def graph(weight: np.ndarray = WEIGHT) -> bytes:
    """x @ weight + bias."""
    nodes = [helper.make_node("MatMul", ["x", "weight"], ["y"]), helper.make_node("Add", ["y", "bias"], ["z"])]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 64]) for name in ("x", "z")]
    constants = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(BIAS, "bias")]
    body = helper.make_graph(nodes, "dense", ports[:1], ports[1:], constants)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()


def answer(model: bytes, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


def test_it_counts_with_the_rounded_weights_in_32_bits():
    x = np.random.default_rng(1).normal(size=(3, 64)).astype(np.float32)
    rounded = WEIGHT.astype(np.float16).astype(np.float32)
    assert np.allclose(answer(with_half_weights(graph()), x), x @ rounded + BIAS, atol=1e-4)


def test_large_weights_take_half_the_room_and_small_ones_stay():
    halved = onnx.load_from_string(with_half_weights(graph()))
    kinds = {each.name: each.data_type for each in halved.graph.initializer}
    assert kinds == {"weight.half": TensorProto.FLOAT16, "bias": TensorProto.FLOAT}
    assert len(with_half_weights(graph())) < len(graph()) / 1.8


@pytest.mark.parametrize("largest", [1e5, np.inf, np.nan])
def test_weights_that_16_bits_cannot_hold_stay(largest):
    weight = WEIGHT.copy()
    weight[0, 0] = largest
    assert [each.name for each in onnx.load_from_string(with_half_weights(graph(weight))).graph.initializer] == [
        "weight",
        "bias",
    ]
