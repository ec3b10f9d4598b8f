"""The shapes that the gate follows are those that onnx and OpenVINO find; what is counted is what a hand counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import onnx
import onnx.reference
import openvino as ov
import pytest
from onnx import TensorProto, helper, numpy_helper
from openvino import opset15 as ops
from small_graphs import FLOAT, WHOLE, folded, ir_of, model_of, real, whole, zeros

from eyespot.engine import affordable
from eyespot.engine.folding import ELEMENT, Folded
from eyespot.engine.gate import OPERATORS, RESIZING_OPERATORS, check_graph
from eyespot.engine.ir_gate import check_ir
from eyespot.engine.ir_operators import IrGraph
from eyespot.engine.onnx_file import read_model
from eyespot.engine.onnx_operators import constants_of, operators_of
from eyespot.engine.sized import Tensor
from eyespot.errors import BundleError

X = (2, 4, 9, 7)
CASES: dict[str, tuple[str, tuple[int, ...], list[np.ndarray], dict[str, Any]]] = {
    "conv": ("Conv", X, [zeros(6, 4, 3, 3)], {}),
    "conv with strides": ("Conv", X, [zeros(6, 4, 3, 2)], {"strides": [2, 3], "pads": [1, 0, 2, 1]}),
    "conv in groups": ("Conv", X, [zeros(8, 2, 3, 3), zeros(8)], {"group": 2, "dilations": [2, 2]}),
    "conv of the same size": ("Conv", X, [zeros(6, 4, 3, 3)], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "conv without padding": ("Conv", X, [zeros(6, 4, 3, 3)], {"auto_pad": "VALID"}),
    "conv of rows": ("Conv", (2, 4, 9), [zeros(6, 4, 3)], {}),
    "max pool": ("MaxPool", X, [], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 1, 0, 0]}),
    "average pool": ("AveragePool", X, [], {"kernel_shape": [3, 3], "strides": [2, 2]}),
    "average pool, the last window too": (
        "AveragePool",
        X,
        [],
        {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1},
    ),
    "max pool, the last window too": ("MaxPool", X, [], {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
    "max pool and places": ("MaxPool", X, [], {"kernel_shape": [2, 2]}),
    "mean of all": ("GlobalAveragePool", X, [], {}),
    "most of all": ("GlobalMaxPool", X, [], {}),
    "mean": ("ReduceMean", X, [whole(1, -1)], {}),
    "normalised": ("LayerNormalization", X, [zeros(9, 7), zeros(9, 7)], {"axis": 2}),
    "mean without sides": ("ReduceMean", X, [whole(2)], {"keepdims": 0}),
    "sum of all": ("ReduceSum", X, [], {}),
    "nothing summed": ("ReduceSum", X, [], {"noop_with_empty_axes": 1}),
    "largest": ("ReduceMax", X, [whole(0, 3)], {"keepdims": 0}),
    "dense": ("Gemm", (3, 5), [zeros(5, 7), zeros(7)], {}),
    "dense, turned": ("Gemm", (5, 3), [zeros(7, 5)], {"transA": 1, "transB": 1}),
    "product": ("MatMul", (2, 1, 3, 5), [zeros(4, 5, 6)], {}),
    "product with a row": ("MatMul", (3, 5), [zeros(5)], {}),
    "product of a row": ("MatMul", (5,), [zeros(2, 5, 6)], {}),
    "sum": ("Add", (3, 1, 5), [zeros(4, 1)], {}),
    "a number added": ("Sub", X, [real(1)], {}),
    "more sides than before": ("Mul", (5,), [zeros(2, 3, 1)], {}),
    "bounded": ("Clip", X, [np.array(0, FLOAT), np.array(6, FLOAT)], {}),
    "flat": ("Flatten", X, [], {"axis": 2}),
    "flat from the end": ("Flatten", X, [], {"axis": -1}),
    "new shape": ("Reshape", X, [whole(0, -1, 7)], {}),
    "new shape, all said": ("Reshape", X, [whole(8, 63)], {}),
    "without a side": ("Squeeze", (1, 3, 1), [whole(0)], {}),
    "without all such": ("Squeeze", (1, 3, 1), [], {}),
    "more sides": ("Unsqueeze", (3, 4), [whole(0, -1)], {}),
    "other order": ("Transpose", X, [], {"perm": [0, 2, 3, 1]}),
    "reversed": ("Transpose", X, [], {}),
    "padded": ("Pad", X, [whole(0, 1, 2, 3, 0, 0, 1, 4)], {}),
    "padded along one side": ("Pad", X, [whole(2, 3), np.array(0, FLOAT), whole(-2)], {}),
    "cut": ("Slice", X, [whole(1, -3), whole(100, -1), whole(2, 1)], {}),
    "cut backwards": ("Slice", X, [whole(-1), whole(-100), whole(2), whole(-2)], {}),
    "chosen": ("Gather", X, [np.zeros((2, 3), WHOLE)], {"axis": 1}),
    "one chosen": ("Gather", X, [np.array(1, WHOLE)], {"axis": -1}),
    "in two": ("Split", X, [], {"axis": 1, "num_outputs": 2}),
    "in unequal parts": ("Split", X, [whole(1, 3)], {"axis": 1}),
    "in parts, the last smaller": ("Split", X, [], {"axis": 2, "num_outputs": 2}),
    "joined": ("Concat", X, [zeros(2, 3, 9, 7)], {"axis": 1}),
    "resized": ("Resize", X, [np.zeros(0, FLOAT), real(1, 1, 2, 1.5)], {}),
    "resized to": ("Resize", X, [np.zeros(0, FLOAT), np.zeros(0, FLOAT), whole(2, 4, 5, 20)], {}),
    "the first": ("TopK", X, [whole(3)], {"axis": 2}),
    "its shape": ("Shape", X, [], {}),
    "a part of its shape": ("Shape", X, [], {"start": 1, "end": -1}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_shape_and_a_type_are_those_that_come_out(name):
    kind, shape, others, said = CASES[name]
    count = 2 if kind in ("Split", "TopK") or "and places" in name else 1
    constants = {f"c{number}": values for number, values in enumerate(others)}
    names = ["x", *(name if constants[name].size or kind != "Resize" else "" for name in constants)]
    node = helper.make_node(kind, names, [f"y{number}" for number in range(count)], **said)
    model = model_of([node], {"x": shape}, constants)
    expected = onnx.reference.ReferenceEvaluator(model).run(None, {"x": np.zeros(shape, FLOAT)})
    found = folded(model, {"x": shape}, fixed=True)
    results = [found[f"y{number}"] for number in range(count)]
    assert [(each.shape, each.item) for each in results] == [(each.shape, each.itemsize) for each in expected]


def test_every_operator_has_a_rule():
    from eyespot.engine.folding import _RULES
    from eyespot.engine.ir_gate import OPERATORS as OF_OPENVINO
    from eyespot.engine.ir_operators import _SAME_AS

    assert RESIZING_OPERATORS - _RULES.keys() == {"Constant"}
    assert {_SAME_AS.get(each, each) for each in OF_OPENVINO} - _RULES.keys() == {"Const", "Parameter", "Result"}


def test_numbers_are_followed_from_a_shape_to_a_shape():
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "two"], ["height"]),
        helper.make_node("Concat", ["first", "height"], ["wanted"], axis=0),
        helper.make_node("Reshape", ["x", "wanted"], ["y"]),
    ]
    model = model_of(nodes, {"x": ["N", 4, 9, 7]}, {"two": whole(2), "first": whole(-1)})
    assert folded(model, {"x": (2, 4, 9, 7)})["y"].shape == (2 * 4 * 7, 9)


COMPUTED = {
    "the square of a length": ["Mul", "height", "height"],
    "a length less another": ["Sub", "height", "width"],
    "a share of a length": ["Div", "height", "two"],
}


@pytest.mark.parametrize("name", COMPUTED)
def test_a_size_that_is_computed_of_the_picture_is_refused(name):
    kind, *inputs = COMPUTED[name]
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["height"]),
        helper.make_node("Gather", ["shape", "two"], ["width"]),
        helper.make_node(kind, inputs, ["limit"]),
        helper.make_node("Range", ["zero", "limit", "two"], ["y"]),
    ]
    constants = {"zero": np.array(0, WHOLE), "two": np.array(2, WHOLE)}
    with pytest.raises(BundleError, match="how much its operator 'Range' gives cannot be told before it runs"):
        folded(model_of(nodes, {"x": ["N", 4, 9, 7]}, constants), {"x": (2, 4, 9, 7)})


def _cost(nodes: Sequence[onnx.NodeProto], shape: tuple[int, ...], constants: dict[str, np.ndarray]) -> Any:
    graph = read_model(model_of(nodes, {"x": shape}, constants).SerializeToString())["graph"][0]
    operators = operators_of(graph)
    return Folded(operators, constants_of(graph), operators[-1].outputs).cost({"x": Tensor(shape, 4)})


def test_what_a_small_graph_holds_is_counted_as_by_hand():
    """x and a are held together; then a and its doubled b, while x is gone; the constant is held throughout."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Concat", ["a", "a"], ["b"], axis=1),
        helper.make_node("Gemm", ["b", "w"], ["y"]),
    ]
    cost = _cost(nodes, (1, 100), {"w": zeros(200, 10)})
    assert cost.bytes == 4 * (200 * 10 + 100 + 200)  # the weights, a and b
    assert cost.work == ELEMENT * (100 + 200 + 10) + 200 * 10
    assert cost.constant_work == 0


def test_weights_count_as_what_they_become():
    nodes = [
        helper.make_node("Cast", ["half"], ["w"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    cost = _cost(nodes, (1, 100), {"half": np.zeros((100, 50), np.float16)})
    assert cost.bytes == (2 + 4) * 100 * 50 + 4 * (100 + 50)
    assert cost.constant_work == ELEMENT * 100 * 50


def test_what_cannot_fit_together_is_refused():
    for kind, first, second in (("Add", (3, 4), (3, 5)), ("MatMul", (3, 4), (3, 4)), ("Conv", X, (6, 5, 3, 3))):
        with pytest.raises(BundleError, match=f"its operator '{kind}' .*: it is given .*{re.escape(str(second))}"):
            _cost([helper.make_node(kind, ["x", "c"], ["y"])], first, {"c": zeros(*second)})


# --- OpenVINO's own files


ITEMS = {"BOOL": 1, "U8": 1, "I32": 4, "I64": 8, "FP32": 4, "FP64": 8}
"""Bytes of a number, by OpenVINO's name of the type."""


def require_same_shapes(root: ElementTree.Element, weights: bytes) -> int:
    """Each shape and type is the one that OpenVINO wrote down; how many there are."""
    graph = IrGraph(root, weights)
    given = {name: Tensor(tuple(each or 1 for each in shape), item) for name, (shape, item) in graph.inputs.items()}
    found, count = Folded(graph.operators, graph.constants, graph.outputs).tensors(given), 0
    for layer in root.iterfind("layers/layer"):
        for port in layer.iterfind("output/port"):
            written = tuple(int(each.text or "") for each in port.iterfind("dim"))
            tensor = found[f"{layer.get('id')}:{port.get('id')}"]
            assert (tensor.shape, tensor.item) == (written, ITEMS[port.get("precision")]), layer.attrib
            count += 1
    return count


def _of(*results: Any) -> Callable[[Any], list[Any]]:
    return lambda x: [each(x) for each in results]


IR_CASES: dict[str, Callable[[Any], Any]] = {
    "split": lambda x: ops.split(x, 1, 2),
    "unequal parts": lambda x: ops.variadic_split(x, 1, [1, -1]),
    "unequal parts, all said": lambda x: ops.variadic_split(x, 3, [1, 4, 2]),
    "pad": lambda x: ops.pad(x, [0, 1, 2, 3], [0, 0, -1, 4], "constant"),
    "slice": lambda x: ops.slice(x, [1, -3], [100, -1], [1, 1], [2, 1]),
    "strided slice": lambda x: ops.strided_slice(
        x, [0, 1, 0, 2], [0, 3, 0, 5], [1, 1, 1, 2], [1, 0, 1, 0], [1, 0, 1, 0], [], [0, 1, 0, 0], []
    ),
    "strided slice with a new side": lambda x: ops.strided_slice(
        x, [0, 1], [0, 3], [1, 1], [1, 0], [1, 0], [1, 0], [], []
    ),
    "gather": lambda x: ops.gather(x, np.zeros((2, 3), np.int32), 1),
    "broadcast": lambda x: ops.broadcast(x, [3, 2, 4, 9, 7]),
    "broadcast along sides": lambda x: ops.broadcast(ops.constant(zeros(4, 9)), [2, 4, 9, 7], [1, 2], "explicit"),
    "interpolate": lambda x: ops.interpolate(x, [18, 10], "nearest", "sizes", axes=[2, 3]),
    "interpolate by scales": lambda x: ops.interpolate(x, np.array([2, 1.5], FLOAT), "nearest", "scales", axes=[2, 3]),
    "group convolution": lambda x: ops.group_convolution(
        x, ops.constant(zeros(2, 3, 2, 3, 3)), [2, 1], [1, 1], [0, 1], [1, 1], "explicit"
    ),
    "convolution": lambda x: ops.convolution(
        x, ops.constant(zeros(6, 4, 3, 3)), [2, 1], [0, 0], [0, 0], [1, 1], "same_upper"
    ),
    "max pool": lambda x: ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2], "ceil"),
    "average pool": lambda x: ops.avg_pool(x, [2, 2], [0, 0], [1, 1], [2, 2], True, "floor"),
    "matmul": lambda x: ops.matmul(x, ops.constant(zeros(4, 5, 9)), True, True),
    "top": lambda x: ops.topk(x, 3, 2, "max", "value"),
    "mean": lambda x: ops.reduce_mean(x, [1, -1], True),
    "most": lambda x: ops.reduce_max(x, [2], False),
    "normalised": lambda x: ops.mvn(x, [1, -1], True, 1e-6, "inside_sqrt"),
    "bent": lambda x: ops.gelu(ops.erf(x), "tanh"),
    "select": lambda x: ops.select(ops.greater(x, FLOAT(0)), x, ops.constant(zeros(1, 1, 9, 1))),
    "signs": lambda x: ops.sign(ops.negative(ops.swish(x))),
    "neither": lambda x: ops.select(
        ops.logical_and(ops.logical_not(ops.less(x, FLOAT(0))), ops.not_equal(x, FLOAT(1))), x, FLOAT(2)
    ),
    "transpose": lambda x: ops.transpose(x, [0, 2, 3, 1]),
    "reshape": lambda x: ops.reshape(x, [0, -1, 7], True),
    "lengths": lambda x: ops.range(0, ops.squeeze(ops.shape_of(ops.shape_of(x)), [0]), 1, "i64"),
    "quantized": lambda x: ops.fake_quantize(x, zeros(4, 1, 1), zeros(4, 1, 1), 0.0, 1.0, 255),
}


@pytest.mark.parametrize("name", IR_CASES)
def test_a_shape_and_a_type_are_those_that_openvino_writes(name, tmp_path):
    x = ops.parameter(X, np.float32)
    made = IR_CASES[name](x)
    root, weights = ir_of(ov.Model([*made.outputs()], [x]), tmp_path)
    assert require_same_shapes(root, weights) >= 1


def test_whole_networks_have_the_shapes_that_openvino_writes(split_run, detector_run, tmp_path):
    from eyespot.bundle.files import read_any_bundle

    for run in (split_run, detector_run):
        bundle = read_any_bundle(run.run)
        model = ov.Core().read_model(bundle.graph)
        model.reshape([1, *bundle.manifest.preprocess.crop_hw, 3])
        assert require_same_shapes(*ir_of(model, tmp_path)) > 300


# --- what is refused


def _resized(nodes: Sequence[onnx.NodeProto], constants: dict[str, np.ndarray]) -> bytes:
    """A graph that takes a picture of any size, with these nodes after x, which is it in floats."""
    first = helper.make_node("Cast", ["picture"], ["x"], to=TensorProto.FLOAT)
    picture = helper.make_tensor_value_info("picture", TensorProto.UINT8, ["H", "W", 3])
    outputs = [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)]
    held = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph([first, *nodes], "g", [picture], outputs, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()


def _chain(kind: str, count: int, **said: Any) -> list[onnx.NodeProto]:
    names = ["x", *(f"t{number}" for number in range(count))]
    return [
        helper.make_node(kind, [before, before] if kind != "Relu" else [before], [after], **said)
        for before, after in pairwise(names)
    ]


BOMBS: dict[str, tuple[list[onnx.NodeProto], dict[str, np.ndarray], str]] = {
    "doubled 60 times": (_chain("Concat", 60, axis=0), {}, "would hold|can hold"),
    "a column added to a row": (
        [helper.make_node("Add", ["a", "b"], ["y"])],
        {"a": zeros(1, 20_000), "b": zeros(20_000, 1)},
        r"would hold 1\.\d GB at once, more than 1\.0 GB",
    ),
    "resized": (
        [helper.make_node("Unsqueeze", ["x", "zero"], ["u"]), helper.make_node("Resize", ["u", "", "scales"], ["y"])],
        {"zero": whole(0), "scales": real(1, 30, 30, 1)},
        "would hold .* GB at once",
    ),
    "padded": (
        [helper.make_node("Pad", ["x", "pads"], ["y"])],
        {"pads": whole(0, 0, 0, 10**5, 10**5, 0)},
        "would hold",
    ),
    "counted": (
        [helper.make_node("Range", ["zero", "most", "one"], ["y"])],
        {"zero": np.array(0, WHOLE), "most": np.array(2 * 10**9, WHOLE), "one": np.array(1, WHOLE)},
        "would hold 1[45]",
    ),
    "counted beyond 32 bits": (
        [helper.make_node("Range", ["zero", "most", "one"], ["y"])],
        {"zero": np.array(0, WHOLE), "most": np.array(10**11, WHOLE), "one": np.array(1, WHOLE)},
        "counts from 0 to 100000000000",
    ),
    "counted in fractions": (
        [helper.make_node("Range", ["zero", "most", "one"], ["y"])],
        {"zero": np.array(0, FLOAT), "most": np.array(1, FLOAT), "one": np.array(1e-30, FLOAT)},
        "can hold",
    ),
    "multiplied": (
        [helper.make_node("MatMul", ["a", "b"], ["y"])],
        {"a": zeros(30_000, 1), "b": zeros(1, 30_000)},
        "would hold",
    ),
    "multiplied before any picture comes": (
        [helper.make_node("MatMul", ["a", "a"], ["y"])],
        {"a": zeros(3_000, 3_000)},
        r"what it computes before any picture comes would take 2\.7e\+10 multiply-adds, more than 1\.0e\+10",
    ),
    "a large window": (
        [
            helper.make_node("Transpose", ["x"], ["t"], perm=[2, 0, 1]),
            helper.make_node("Unsqueeze", ["t", "zero"], ["u"]),
            helper.make_node("Conv", ["u", "w"], ["y"]),
        ],
        {"zero": whole(0), "w": zeros(1, 3, 300, 300)},
        r"would take 5\.9e\+13 multiply-adds, more than 1\.0e\+12",
    ),
    "picked again and again": (
        [helper.make_node("Gather", ["x", "places"], ["y"], axis=0)],
        {"places": np.zeros(100_000, WHOLE)},
        "would hold",
    ),
    "weights of the picture": (
        [
            helper.make_node("Transpose", ["x"], ["t"], perm=[2, 0, 1]),
            helper.make_node("Unsqueeze", ["t", "zero"], ["u"]),
            helper.make_node("Conv", ["u", "u"], ["y"]),
        ],
        {"zero": whole(0)},
        "has weights that it computes from the picture",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_take_too_much_is_refused_with_numbers(name):
    nodes, constants, words = BOMBS[name]
    data = _resized(nodes, constants)
    assert len(data) < 37_000_000
    with pytest.raises(BundleError, match=words) as caught:
        check_graph(data, operators=RESIZING_OPERATORS)
    assert "\n" not in str(caught.value)


def test_a_long_chain_is_refused(monkeypatch):
    check_graph(_resized(_chain("Relu", 50), {}), operators=RESIZING_OPERATORS)
    monkeypatch.setattr(affordable, "MOST_OPERATORS", 50)
    with pytest.raises(BundleError, match="it has 51 operators, more than 50"):
        check_graph(_resized(_chain("Relu", 50), {}), operators=RESIZING_OPERATORS)


def test_the_same_bombs_are_refused_in_openvinos_format(tmp_path):
    picture = ops.parameter([-1, -1, 3], np.uint8)
    x = ops.convert(picture, np.float32)
    for made in (
        ops.add(ops.constant(zeros(1, 20_000)), ops.constant(zeros(20_000, 1))),
        ops.broadcast(ops.unsqueeze(x, [0]), [10**6, 1, 1, 3], broadcast_spec="BIDIRECTIONAL"),
        ops.pad(x, [0, 0, 0], [10**6, 10**6, 0], "constant"),
        ops.interpolate(ops.unsqueeze(x, [0]), np.array([9, 9], FLOAT), "nearest", "scales", axes=[1, 2]),
    ):
        root, weights = ir_of(ov.Model([made], [picture]), tmp_path)
        with pytest.raises(BundleError, match="would hold"):
            check_ir(b'<?xml version="1.0"?>' + ElementTree.tostring(root), weights)


def test_more_pictures_may_take_as_many_times_more_and_not_more():
    """Every number beside every other: for one image it is little, for 16 it is 256 times as much."""
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 64, 64, 3])
    nodes = [
        helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["x", "wanted"], ["row"]),
        helper.make_node("Transpose", ["row"], ["column"], perm=[1, 0]),
        helper.make_node("Mul", ["row", "column"], ["y"]),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "g", [images], outputs, [numpy_helper.from_array(whole(1, -1), "wanted")])
    data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()
    with pytest.raises(BundleError, match="for 16 pictures it would hold"):
        check_graph(data, operators=OPERATORS)
