"""Overlaps against pycocotools, suppression against a slow twin and ONNX Runtime; letterboxes there and back."""

from __future__ import annotations

import time

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from pycocotools import mask

from eyespot.evaluate.boxes import areas, clipped, intersection_over_first, iou, suppressed, to_image, to_picture


def random_boxes(seed, n, *, side=100.0, step=None, dtype=np.float64):
    """(n, 4); on a grid of `step` if one is given, so that equal overlaps and boxes without area occur."""
    random = np.random.default_rng(seed)
    corner, size = random.uniform(0, side, (n, 2)), random.uniform(0, side / 3, (n, 2))
    boxes = np.concatenate([corner, corner + size], axis=1)
    return (np.round(boxes / step) * step if step else boxes).astype(dtype)


def slowly_suppressed(boxes, scores, labels, *, limit, most):
    kept = []
    for each in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        rivals = [other for other in kept if labels[other] == labels[each]]
        if all(iou(boxes[other : other + 1], boxes[each : each + 1])[0, 0] <= limit for other in rivals):
            kept.append(each)
    return kept[:most]


@pytest.mark.parametrize("step", [None, 10.0])
@pytest.mark.parametrize("crowd", [False, True])
def test_overlaps_equal_pycocotools(step, crowd):
    a, b = random_boxes(0, 40, step=step), random_boxes(1, 30, step=step)
    wide_a, wide_b = (np.concatenate([each[:, :2], each[:, 2:] - each[:, :2]], axis=1) for each in (a, b))
    theirs = mask.iou(wide_a, wide_b, [crowd] * len(b))
    np.testing.assert_allclose(intersection_over_first(a, b) if crowd else iou(a, b), theirs, rtol=0, atol=1e-12)


def test_overlaps_worked_by_hand():
    box = [[0, 0, 10, 10]]
    others = [[5, 0, 15, 10], [10, 0, 20, 10], [0, 0, 10, 10], [5, 5, 5, 5], [0, 0, 100, 100]]
    np.testing.assert_allclose(iou(box, others), [[50 / 150, 0, 1, 0, 0.01]])
    np.testing.assert_allclose(intersection_over_first(box, others), [[0.5, 0, 1, 0, 1]])
    np.testing.assert_allclose(areas(others), [100, 100, 100, 0, 10_000])
    assert iou([[5, 5, 5, 5]], [[5, 5, 5, 5]]) == 0  # without area: no overlap, no division by zero


@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (0, 0)])
def test_of_no_boxes_there_are_no_overlaps(n, m):
    assert iou(random_boxes(0, n), random_boxes(0, m)).shape == (n, m)
    assert iou([], []).shape == (0, 0)


def test_what_is_no_box_is_refused():
    with pytest.raises(AssertionError, match=r"expected \(N, 4\)"):
        iou([[0, 0, 1]], [[0, 0, 1, 1]])
    with pytest.raises(AssertionError, match="no number"):
        suppressed([[0, 0, 1, 1]], [np.nan], [0], iou=0.5, most=1)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 40),
    classes=st.integers(1, 3),
    limit=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    most=st.sampled_from([0, 1, 5, 100]),
)
def test_suppression_equals_a_slow_twin(seed, n, classes, limit, most):
    boxes, random = random_boxes(seed, n, step=8.0), np.random.default_rng(seed)
    scores, labels = random.integers(0, 6, n) / 6, random.integers(0, classes, n)
    found = suppressed(boxes, scores, labels, iou=limit, most=most)
    assert found.tolist() == slowly_suppressed(boxes, scores, labels, limit=limit, most=most)


@pytest.mark.parametrize("limit", [0.3, 0.6])
def test_suppression_equals_onnx_runtime(limit):
    boxes, random = random_boxes(3, 800, side=200, step=4.0, dtype=np.float32), np.random.default_rng(3)
    scores = random.permutation(800).astype(np.float32) / 800
    theirs = suppression_in_onnx(limit).run(None, {"boxes": boxes[None], "scores": scores[None, None]})[0]
    assert suppressed(boxes, scores, np.zeros(800), iou=limit, most=300).tolist() == theirs[:, 2].tolist()


def suppression_in_onnx(limit):
    constants = [
        helper.make_tensor("most", TensorProto.INT64, [], [300]),
        helper.make_tensor("limit", TensorProto.FLOAT, [], [limit]),
    ]
    graph = helper.make_graph(
        [helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "limit"], ["kept"])],
        "suppression",
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, None, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1, None]),
        ],
        [helper.make_tensor_value_info("kept", TensorProto.INT64, [None, 3])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def test_3000_candidates_are_suppressed_quickly():
    boxes, random = random_boxes(0, 3000, side=500), np.random.default_rng(0)
    scores, labels = random.random(3000), random.integers(0, 3, 3000)
    start = time.process_time()
    assert len(suppressed(boxes, scores, labels, iou=0.6, most=300)) == 300
    assert time.process_time() - start < 0.3  # 0.02 s on a quiet core


def test_boxes_are_cut_to_the_picture():
    boxes = [[-5, -5, 5, 5], [90, 40, 200, 60], [10, 10, 20, 20], [300, 0, 400, 10]]
    cut = clipped(boxes, width=100, height=50)
    assert cut.tolist() == [[0, 0, 5, 5], [90, 40, 100, 50], [10, 10, 20, 20], [100, 0, 100, 10]]


def test_boxes_of_a_letterboxed_image_worked_by_hand():
    # A picture of 800 x 600 (width x height) becomes 400 x 300: everything is twice as large in the picture.
    sizes = {"picture_hw": (600, 800), "resized_hw": (300, 400)}
    assert to_picture([[10, 20, 30, 40]], **sizes).tolist() == [[20, 40, 60, 80]]
    assert to_image([[20, 40, 60, 80]], **sizes).tolist() == [[10, 20, 30, 40]]


@pytest.mark.parametrize(
    ("picture_hw", "resized_hw"), [((480, 640), (384, 512)), ((1, 4000), (1, 512)), ((7, 3), (512, 219))]
)
def test_boxes_go_to_the_image_and_back(picture_hw, resized_hw):
    boxes, sizes = random_boxes(0, 20), {"picture_hw": picture_hw, "resized_hw": resized_hw}
    np.testing.assert_allclose(to_picture(to_image(boxes, **sizes), **sizes), boxes, rtol=1e-12)


def test_the_float_type_of_the_boxes_stays():
    boxes = random_boxes(0, 3, dtype=np.float32)
    sizes = {"picture_hw": (480, 640), "resized_hw": (384, 512)}
    found = iou(boxes, boxes), clipped(boxes, width=9, height=9), to_picture(boxes, **sizes), to_image(boxes, **sizes)
    assert {each.dtype for each in found} == {np.dtype(np.float32)}
