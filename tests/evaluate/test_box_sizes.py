"""Average precision by size against pycocotools with the same ranges of area."""

from __future__ import annotations

import numpy as np
import pytest
from evaluate.coco_twin import coco_average_precision, random_pictures

from eyespot.evaluate.box_matches import Found, Truth
from eyespot.evaluate.box_sizes import by_size, thirds
from eyespot.evaluate.boxes import areas


@pytest.mark.parametrize("seed", range(8))
def test_it_equals_pycocotools(seed):
    truths, founds = random_pictures(seed, pictures=12, classes=3)
    ranges = [(low, min(high, 1e10)) for low, high in thirds(truths)]
    theirs = coco_average_precision(truths, founds, classes=3, areas=ranges)  # (3, C, T)
    for ours, each in zip(by_size(truths, founds, classes=3), theirs, strict=True):
        for mine, there in zip(ours.measured.per_class, each, strict=True):
            assert (mine.by_threshold is None) == np.isnan(there).all()
            assert mine.by_threshold is None or mine.by_threshold == pytest.approx(there.tolist(), abs=1e-9)


def test_each_third_holds_a_third():
    truths, founds = random_pictures(0, pictures=60, classes=1, ignore=0, crowd=0)
    found = by_size(truths, founds, classes=1)
    n = sum(len(each.labels) for each in truths)
    assert [each.truths for each in found] == pytest.approx([n / 3] * 3, abs=2)
    assert [each.from_area for each in found[1:]] == [each.to_area for each in found[:2]]
    assert (found[0].from_area, found[2].to_area) == (0, None)
    sizes = np.concatenate([areas(each.xyxy) for each in truths])
    assert found[0].to_area == pytest.approx(np.quantile(sizes, 1 / 3), rel=0.05)


def test_no_box_is_in_two_thirds_though_many_are_of_one_size():
    truths = [Truth(np.array([[0, 0, side, side] for side in (3, 4, 4, 5, 6, 6, 7, 8, 8)]), [0] * 9)]
    found = by_size(truths, [Found(np.zeros((0, 4)), [], [])], classes=1)
    assert [each.truths for each in found] == [3, 3, 3]
    assert [each.from_area for each in found] == [0, 20.5, 42.5]


def test_ignored_boxes_do_not_shift_the_thirds():
    truths = [Truth(np.array([[0, 0, side, side] for side in (1, 2, 3, 4, 90, 99)]), [0] * 6, [False] * 4 + [True] * 2)]
    assert thirds(truths) == thirds([Truth(np.asarray(truths[0].xyxy)[:4], [0] * 4)])


@pytest.mark.parametrize("sides", [[], [5], [5, 9], [5, 5, 5], [5, 5, 5, 9]])
def test_boxes_without_three_sizes_have_no_thirds(sides):
    truths = [Truth(np.array([[0, 0, side, side] for side in sides]).reshape(-1, 4), [0] * len(sides))]
    assert thirds(truths) == ()
    assert by_size(truths, [Found(np.zeros((0, 4)), [], [])], classes=1) == ()
