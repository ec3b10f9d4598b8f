"""What an operator cannot do, or not tell before it runs, is refused; the numbers that make up sizes are followed."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx.reference
import pytest
from onnx import NodeProto, helper, numpy_helper
from small_graphs import FLOAT, WHOLE, folded, model_of, real, whole, zeros

from eyespot.errors import BundleError

X = (2, 4, 9, 7)
NONE = np.zeros(0, FLOAT)
MISFITS: dict[str, tuple[str, list[np.ndarray], dict[str, Any], str]] = {
    "no weights": ("Conv", [], {}, "'Conv' lacks an input"),
    "more sides joined": ("Concat", [zeros(2, 3, 9)], {"axis": 1}, r"'Concat' joins .*\(2, 4, 9, 7\), \(2, 3, 9\)"),
    "longer sides joined": ("Concat", [zeros(2, 3, 9, 8)], {"axis": 1}, r"'Concat' joins what does not fit: .*9, 8\)"),
    "too few sides padded": ("Pad", [whole(0, 1, 2, 0, 0, 1)], {}, "'Pad' pads other sides than there are"),
    "a long side left out": ("Squeeze", [whole(1)], {}, "'Squeeze' leaves out a side that is longer than 1"),
    "a side twice": ("Transpose", [], {"perm": [0, 1, 1, 3]}, r"puts its sides in the order \[0, 1, 1, 3\]"),
    "factors for none": ("LayerNormalization", [], {}, "'LayerNormalization' lacks an input"),
    "no such side": ("Concat", [zeros(*X)], {"axis": 4}, "'Concat' is not complete, or does not fit"),
    "another number of numbers": ("Reshape", [whole(8, 64)], {}, r"'Reshape' makes \(8, 64\) of it"),
    "two sides left open": ("Reshape", [whole(-1, -1)], {}, r"'Reshape' makes \(504, -1\) of it"),
    "a stride for one side": ("Conv", [zeros(6, 4, 3, 3)], {"strides": [1]}, "'Conv' has a window of other sides"),
    "a stride of none": (
        *("MaxPool", [], {"kernel_shape": [2, 2], "strides": [0, 1]}),
        "'MaxPool' has a window without a size, or odd padding",
    ),
    "negative padding": ("Conv", [zeros(6, 4, 3, 3)], {"pads": [-1, 0, 0, 0]}, "without a size, or odd padding"),
    "a large window": ("MaxPool", [], {"kernel_shape": [2, 8]}, "'MaxPool' has a window that is larger than the map"),
}


def _one(kind: str, others: list[np.ndarray], outputs: int = 1, **said: Any) -> onnx.ModelProto:
    constants = {f"c{number}": values for number, values in enumerate(others)}
    names = ["x", *(name if values.size else "" for name, values in constants.items())]
    node = helper.make_node(kind, names, [f"y{number}" for number in range(outputs)], **said)
    return model_of([node], {"x": X}, constants)


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_refused_in_words_and_onnx_cannot_run_it(name):
    kind, others, said, words = MISFITS[name]
    model = _one(kind, others, **said)
    with pytest.raises(BundleError, match=words):
        folded(model, {"x": X})
    with pytest.raises((ArithmeticError, LookupError, RuntimeError, RuntimeWarning, TypeError, ValueError)):
        onnx.reference.ReferenceEvaluator(model).run(None, {"x": zeros(*X)})


@pytest.mark.parametrize(
    ("factors", "axis", "words"),
    [
        ([zeros(5, 1, 1, 9, 7)], 2, r"for other sides than \(9, 7\)"),
        ([zeros(7), zeros(3, 2, 4, 9, 7)], -1, r"for other sides than \(7,\)"),
        ([zeros(1)], -1, r"for other sides than \(7,\)"),
        ([zeros(7)], 4, "'LayerNormalization' is not complete"),
    ],
)
def test_factors_of_a_norm_that_would_make_more_of_it_are_refused(factors, axis, words):
    """ONNX's own reference repeats the tensor for them."""
    with pytest.raises(BundleError, match=words):
        folded(_one("LayerNormalization", factors, axis=axis), {"x": X})


def test_parts_that_are_not_the_whole_and_rows_of_a_map_are_refused():
    with pytest.raises(BundleError, match=r"'Split' splits into \[1, 2\]: it is given \(2, 4, 9, 7\)"):
        folded(_one("Split", [whole(1, 2)], outputs=2, axis=1), {"x": X})
    with pytest.raises(BundleError, match="'Gemm' is not complete, or does not fit"):
        folded(_one("Gemm", [zeros(7, 5)]), {"x": X})
    with pytest.raises(BundleError, match=r"'Gemm' multiplies what does not fit: it is given \(3, 6\), \(7, 5\)"):
        folded(_one("Gemm", [zeros(7, 5)]), {"x": (3, 6)})


@pytest.mark.parametrize("size", [0, 4_097])
def test_a_neighbourhood_of_no_or_of_many_channels_is_refused(size):
    with pytest.raises(BundleError, match="'LRN' looks at none, or at more than 4096 channels"):
        folded(_one("LRN", [], size=size), {"x": X})


def test_sides_beyond_32_bits_are_refused():
    """An engine that counts in 32 bits would take 2**32 + 504 for 504."""
    with pytest.raises(BundleError, match=r"'Reshape' has sides of \[4294967800\]"):
        folded(_one("Reshape", [whole(2**32 + 504)]), {"x": X})
    most = 2**31 - 1
    with pytest.raises(BundleError, match="'Pad' gives what nothing can hold"):
        folded(_one("Pad", [whole(0, 0, 0, 0, most, most, most, most)]), {"x": X})


def test_a_result_that_an_operator_does_not_have_is_refused():
    with pytest.raises(BundleError, match="its operator 'Relu' gives no 2 results"):
        folded(_one("Relu", [], outputs=2), {"x": X})


def test_a_resizing_that_leaves_nothing_or_keeps_proportions_is_refused():
    with pytest.raises(BundleError, match=r"'Resize' resizes by \[1.0, 1.0, 0.0, 1.0\]"):
        folded(_one("Resize", [NONE, real(1, 1, 0, 1)]), {"x": X})
    kept = {"axes": [2, 3], "keep_aspect_ratio_policy": "not_larger"}
    with pytest.raises(BundleError, match="how much its operator 'Resize' gives cannot be told"):
        folded(_one("Resize", [NONE, NONE, whole(18, 14)], **kept), {"x": X})


node = helper.make_node
FLOATS = helper.np_dtype_to_tensor_dtype(np.dtype(FLOAT))
INFINITE = numpy_helper.from_array(real(np.inf)[0])
UNTOLD: dict[str, tuple[str, list[NodeProto]]] = {
    "a shape": ("Reshape", [node("Reshape", ["x", "twice"], ["y"])]),
    "a part of a shape": (
        "Reshape",
        [node("Concat", ["minus", "twice"], ["wanted"], axis=0), node("Reshape", ["x", "wanted"], ["y"])],
    ),
    "a side that is chosen": (
        "Reshape",
        [node("Gather", ["lengths", "zeros"], ["wanted"]), node("Reshape", ["x", "wanted"], ["y"])],
    ),
    "padding": ("Pad", [node("Pad", ["x", "eight"], ["y"])]),
    "scales": (
        "Resize",
        [node("Cast", ["lengths"], ["scales"], to=FLOATS), node("Resize", ["x", "", "scales"], ["y"])],
    ),
    "a count without an end": (
        "Range",
        [
            node("Constant", [], ["end"], value=INFINITE),
            node("Constant", [], ["zero"], value_float=0.0),
            node("Constant", [], ["one"], value_float=1.0),
            node("Range", ["zero", "end", "one"], ["y"]),
        ],
    ),
    "a sum beyond 32 bits": (
        "Reshape",
        [
            node("Constant", [], ["most"], value_ints=[2**40]),
            node("Sub", ["most", "most"], ["none"]),
            node("Reshape", ["x", "none"], ["y"]),
        ],
    ),
    "sides of 1": ("Squeeze", [node("Squeeze", ["x"], ["y"])]),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_a_shape_that_cannot_be_told_before_it_runs_is_refused(name):
    kind, nodes = UNTOLD[name]
    before = [
        node("Shape", ["x"], ["lengths"]),
        node("Mul", ["lengths", "two"], ["twice"]),
        node("Sub", ["lengths", "lengths"], ["zeros"]),
        node("Concat", ["lengths", "lengths"], ["eight"], axis=0),
    ]
    model = model_of([*before, *nodes], {"x": ["N", 4, 9, 7]}, {"two": whole(2), "minus": whole(-1)})
    with pytest.raises(BundleError, match=f"how much its operator '{kind}' gives cannot be told before it runs"):
        folded(model, {"x": X})


FOLLOWED: dict[str, list[NodeProto]] = {
    "cut out of its shape": [node("Slice", ["lengths", "one", "three"], ["part"])],
    "cut out of its shape in steps": [node("Slice", ["lengths", "one", "many", "zero", "two"], ["part"])],
    "cut out of its shape backwards": [node("Slice", ["lengths", "three", "none", "zero", "back"], ["part"])],
    "a half of its shape": [node("Split", ["lengths"], ["part", "rest"], num_outputs=2)],
    "whole numbers of a constant": [
        node("Constant", [], ["all"], value_ints=[9, 56]),
        node("Slice", ["all", "zero", "one"], ["part"]),
    ],
    "one of a constant": [node("Constant", [], ["all"], value_int=9), node("Unsqueeze", ["all", "zero"], ["part"])],
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_shape_made_of_known_numbers_is_the_one_that_comes_out(name):
    nodes = [
        node("Shape", ["x"], ["lengths"]),
        *FOLLOWED[name],
        node("Concat", ["part", "back"], ["wanted"], axis=0),
        node("Reshape", ["x", "wanted"], ["y"]),
    ]
    constants = {"zero": whole(0), "one": whole(1), "two": whole(2), "three": whole(3), "many": whole(100)}
    constants |= {"back": whole(-1), "none": whole(-100)}
    model = model_of(nodes, {"x": ["N", 4, 9, 7]}, constants)
    [expected] = onnx.reference.ReferenceEvaluator(model).run(None, {"x": zeros(*X)})
    assert folded(model, {"x": X})["y"].shape == expected.shape


@pytest.mark.parametrize("cut", ["Slice", "Split"])
def test_numbers_cut_out_of_a_table_are_not_followed(cut):
    first = node("Slice", ["table", "zero", "one"], ["row"])
    first = first if cut == "Slice" else node("Split", ["table"], ["row", "other"], num_outputs=2)
    nodes = [first, node("Squeeze", ["row", "zero"], ["wanted"]), node("Reshape", ["x", "wanted"], ["y"])]
    constants = {"table": np.array([[8, 63], [63, 8]], WHOLE), "zero": whole(0), "one": whole(1)}
    with pytest.raises(BundleError, match="how much its operator 'Reshape' gives cannot be told"):
        folded(model_of(nodes, {"x": X}, constants), {"x": X})


@pytest.mark.parametrize("how", [{"value_float": 9.0}, {"value_floats": [9.0]}])
def test_a_row_counted_to_a_fraction_is_as_long_as_the_one_that_comes_out(how):
    nodes = [
        node("Constant", [], ["nine"], **how),
        node("Div", ["nine", "two"], ["half"]),
        node("Squeeze", ["half"], ["limit"]),
        node("Range", ["zero", "limit", "one"], ["y"]),
    ]
    constants = {name: np.array(value, FLOAT) for name, value in (("zero", 0), ("one", 1), ("two", 2))}
    model = model_of(nodes, {"x": X}, constants)
    [expected] = onnx.reference.ReferenceEvaluator(model).run(None, {"x": zeros(*X)})
    assert folded(model, {"x": X})["y"].shape == expected.shape == (5,)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, "one of its constants does not say what it is"),
        ({"value_int": 1, "value_float": 1.0}, "one of its constants does not say what it is"),
        ({"value_string": b"a"}, "one of its constants is given as 'value_string', which no model needs"),
        ({"value_strings": [b"a"]}, "one of its constants is given as 'value_strings', which no model needs"),
        ({"value": 5}, "one of its constants is given as 'value', which no model needs"),
    ],
)
def test_a_constant_that_is_not_given_as_numbers_is_refused(how, words):
    with pytest.raises(BundleError, match=words):
        folded(model_of([node("Constant", [], ["y"], **how)], {"x": X}, {}), {"x": X})
