"""How fast this machine multiplies matrices: what no network that is computed sum by sum can exceed."""

from __future__ import annotations

import time

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from eyespot.engine.gate import INPUT
from eyespot.engine.run import Engine
from eyespot.records import PrecisionName

SIDE = 2048
PRODUCTS = 8
"""In a row, so that converting the first and the last matrix between number formats does not count."""
LEAST_SECONDS = 2.0


def peak_gflops(precision: PrecisionName, *, seconds: float = LEAST_SECONDS, side: int = SIDE) -> float:
    """1e9 operations per second of the fastest of many square matrix products; a multiply-add counts as two.

    seconds: how long products are tried, at least.
    """
    engine = Engine(_products(side), image_hwc=(1, side, side), precision=precision, batch=1)  # all cores on one
    matrix = np.random.default_rng(0).integers(0, 2, (1, 1, side, side), dtype=np.uint8)
    engine.run(matrix)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        engine.run(matrix)
        best = min(best, time.perf_counter() - began)
    return PRODUCTS * 2 * side**3 / best / 1e9


def _products(side: int) -> bytes:
    """A graph that multiplies a matrix with a constant one, several times in a row."""
    factor = np.random.default_rng(1).normal(0, side**-0.5, (side, side)).astype(np.float32)  # keeps the size of values
    names = ["matrix", *(f"product{number}" for number in range(1, PRODUCTS)), "features"]
    nodes = [helper.make_node("Cast", [INPUT], ["matrix"], to=TensorProto.FLOAT)]
    nodes += [helper.make_node("MatMul", [names[n], "factor"], [names[n + 1]]) for n in range(PRODUCTS)]
    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["N", 1, side, side])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 1, side, side])],
        [numpy_helper.from_array(factor, "factor")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())
