"""Confusion with nothing, and the boxes to look at, worked by hand and added up."""

from __future__ import annotations

import numpy as np
import pytest
from evaluate.coco_twin import random_pictures

from eyespot.evaluate.box_matches import Found, Truth, matches, to_be_found
from eyespot.evaluate.box_mistakes import confusion, missed_boxes, wrong_boxes
from eyespot.evaluate.box_thresholds import at_threshold

CAT, DOG = 0, 1
SMALL, MIDDLE, LARGE = [0, 0, 10, 10], [100, 0, 120, 20], [200, 0, 240, 40]
TRUTHS = [Truth(np.array([SMALL, MIDDLE, LARGE]), [CAT, DOG, DOG]), Truth(np.array([SMALL]), [CAT])]
FOUNDS = [
    Found(
        np.array([SMALL, [1, 0, 11, 10], MIDDLE, [60, 60, 70, 70], [205, 0, 265, 40], LARGE]),
        [0.9, 0.8, 0.7, 0.95, 0.6, 0.1],
        [CAT, CAT, CAT, DOG, CAT, DOG],
    ),
    Found(np.array([[6, 0, 16, 10]]), [0.65], [CAT]),
]
MATCHED = matches(TRUTHS, FOUNDS, classes=2)


def test_confusion_worked_by_hand():
    # One cat is found, one missed; both dogs are found as cats. On nothing lie the first cat's second box, the box
    # beside the other cat, and a dog.
    table = confusion(TRUTHS, FOUNDS, MATCHED, threshold=0.5)
    assert table.tolist() == [[1, 0, 1], [2, 0, 0], [2, 1, 0]]


def test_wrong_boxes_worked_by_hand():
    found = wrong_boxes(TRUTHS, FOUNDS, MATCHED, threshold=0.5)
    assert [(each.picture, each.index, each.kind, each.truth) for each in found] == [
        (0, 3, "nothing", None),
        (0, 1, "duplicate", 0),
        (0, 2, "class", 1),
        (1, 0, "place", 0),
        (0, 4, "class", 2),
    ]
    assert [each.score for each in found] == [0.95, 0.8, 0.7, 0.65, 0.6]
    assert [each.overlap for each in found] == pytest.approx([0, 9 / 11, 1, 4 / 16, 35 / 65])
    assert found[0].label == DOG


def test_missed_boxes_worked_by_hand():
    found = missed_boxes(TRUTHS, MATCHED, threshold=0.5)
    assert [(each.picture, each.index, each.label, each.area, each.score) for each in found] == [
        (0, 2, DOG, 1600, 0.1),  # found, but not sure enough
        (0, 1, DOG, 400, None),
        (1, 0, CAT, 100, None),
    ]


@pytest.mark.parametrize("threshold", [0, 0.4, 2])
@pytest.mark.parametrize("seed", range(6))
def test_confusion_adds_up(seed, threshold):
    truths, founds = random_pictures(seed, pictures=10, classes=3)
    matched = matches(truths, founds, classes=3)
    table, there = confusion(truths, founds, matched, threshold=threshold), at_threshold(matched, threshold)
    assert (table >= 0).all()
    assert table.sum(axis=1)[:3].tolist() == [each.truths for each in there.per_class]
    assert table.sum(axis=0)[:3].tolist() == [each.found for each in there.per_class]
    assert table.diagonal().tolist() == [*(each.right for each in there.per_class), 0]


@pytest.mark.parametrize("seed", range(6))
def test_every_box_that_is_not_right_is_listed(seed):
    truths, founds = random_pictures(seed, pictures=10, classes=3)
    matched = matches(truths, founds, classes=3)
    there = at_threshold(matched, 0.4).overall
    wrong, missed = (
        wrong_boxes(truths, founds, matched, threshold=0.4),
        missed_boxes(truths, matched, threshold=0.4),
    )
    assert (len(wrong), len(missed)) == (there.found - there.right, there.truths - there.right)
    assert [each.score for each in wrong] == sorted((each.score for each in wrong), reverse=True)
    assert [each.area for each in missed] == sorted((each.area for each in missed), reverse=True)
    assert all(to_be_found(truths[each.picture])[each.index] for each in missed)


def test_pictures_without_boxes_have_no_mistakes():
    truths, founds = [Truth(np.zeros((0, 4)), [])] * 2, [Found(np.zeros((0, 4)), [], [])] * 2
    matched = matches(truths, founds, classes=2)
    assert confusion(truths, founds, matched, threshold=0.5).tolist() == [[0] * 3] * 3
    assert wrong_boxes(truths, founds, matched, threshold=0.5) == ()
    assert missed_boxes(truths, matched, threshold=0.5) == ()


def test_no_pictures_have_no_mistakes():
    assert confusion([], [], matches([], [], classes=1), threshold=0.5).tolist() == [[0, 0], [0, 0]]


def test_a_box_where_there_are_no_true_ones_lies_on_nothing():
    truths, founds = [Truth([], [])], [Found([SMALL], [0.9], [CAT])]
    [found] = wrong_boxes(truths, founds, matches(truths, founds, classes=1), threshold=0.5)
    assert (found.kind, found.truth, found.overlap) == ("nothing", None, 0)
