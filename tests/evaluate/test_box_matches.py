"""COCO's rules of matching, one by one, by hand; together they are held against pycocotools with average precision."""

from __future__ import annotations

import numpy as np
import pytest

from eyespot.evaluate.box_matches import NONE, Found, Truth, matches

BOX, FAR = [0, 0, 10, 10], [100, 100, 110, 110]


def of(truth, found, **options):
    return matches([truth], [found], **{"classes": 2, "thresholds": [0.5], **options})


def test_the_surest_box_chooses_first():
    found = of(Truth([BOX], [0]), Found([BOX, [0, 0, 10, 8]], [0.6, 0.9], [0, 0]))
    assert found.indices.tolist() == [1, 0]
    assert found.truths.tolist() == [[0, NONE]]
    assert found.right.tolist() == [[True, False]]
    assert found.wrong.tolist() == [[False, True]]


def test_a_box_takes_the_true_one_that_it_overlaps_most():
    found = of(Truth([[0, 0, 10, 6], [0, 0, 10, 9]], [0, 0]), Found([BOX], [0.9], [0]))
    assert found.truths.tolist() == [[1]]


def test_of_true_boxes_that_it_overlaps_equally_it_takes_the_last():
    found = of(Truth([BOX, BOX], [0, 0]), Found([BOX, BOX, BOX], [0.9, 0.8, 0.7], [0, 0, 0]))
    assert found.truths.tolist() == [[1, 0, NONE]]


def test_what_is_taken_is_taken_at_each_threshold_by_itself():
    # The surer box overlaps by 0.6, the other one by 0.9: it finds the true box where 0.6 is not enough.
    found = of(Truth([BOX], [0]), Found([[0, 0, 10, 6], [0, 0, 10, 9]], [0.9, 0.8], [0, 0]), thresholds=[0.5, 0.75])
    assert found.truths.tolist() == [[0, NONE], [NONE, 0]]


def test_another_class_is_no_match():
    assert of(Truth([BOX], [1]), Found([BOX], [0.9], [0])).wrong.all()


def test_an_ignored_box_is_taken_last_and_counts_as_nothing():
    truth = Truth([BOX, [0, 0, 10, 9]], [0, 0], ignored=[True, False])
    found = of(truth, Found([BOX, BOX, BOX], [0.9, 0.8, 0.7], [0, 0, 0]))
    assert found.truths.tolist() == [[1, 0, NONE]]  # the second box is as good, but ignored
    assert found.ignored.tolist() == [[False, True, False]]
    assert found.right.sum() == found.wrong.sum() == found.counted.sum() == 1


def test_a_crowd_takes_any_number_of_boxes_that_lie_in_it():
    truth = Truth([[0, 0, 100, 100]], [0], crowd=[True])
    found = of(truth, Found([BOX, BOX, FAR], [0.9, 0.8, 0.7], [0, 0, 0]))
    assert found.truths.tolist() == [[0, 0, NONE]]
    assert found.ignored.tolist() == [[True, True, False]]
    assert found.counted.tolist() == [[0, 0]]


def test_of_each_class_the_surest_boxes_count():
    found = of(Truth([], []), Found([BOX] * 5, [0.1, 0.5, 0.3, 0.2, 0.4], [0, 0, 0, 1, 1]), most=2)
    assert found.indices.tolist() == [1, 4, 2, 3]
    assert found.labels.tolist() == [0, 1, 0, 1]


def test_boxes_of_all_pictures_stand_in_the_order_of_their_scores():
    found = matches(
        [Truth([], [])] * 3,
        [Found([BOX] * 2, [0.5, 0.7], [0, 0]), Found([], [], []), Found([BOX] * 2, [0.7, 0.9], [0, 1])],
        classes=2,
    )
    assert found.scores.tolist() == [0.9, 0.7, 0.7, 0.5]
    assert (found.pictures.tolist(), found.indices.tolist()) == ([2, 0, 2, 0], [1, 1, 0, 0])


def test_sizes_outside_the_range_are_ignored_unless_they_are_true_boxes_in_it():
    small, large = [0, 0, 4, 4], [0, 0, 40, 40]
    truth = Truth([BOX, large], [0, 0])
    found = of(truth, Found([BOX, large, small], [0.9, 0.8, 0.7], [0, 0, 0]), area=(50, 500))
    assert found.counted.tolist() == [[1, 0]]
    assert found.ignored.tolist() == [[False, True, True]]
    exactly = of(truth, Found([BOX], [0.9], [0]), area=(100, 100))  # both ends belong to the range
    assert exactly.counted.sum() == exactly.right.sum() == 1


def test_a_threshold_of_one_forgives_rounding():
    thirds = np.array([BOX]) / 3
    assert of(Truth(thirds, [0]), Found(thirds * (1 + 1e-13), [0.9], [0]), thresholds=[1.0]).right.all()


def test_a_mistake_of_the_caller_is_noticed():
    with pytest.raises(AssertionError, match=r"a class outside 0\.\.1"):
        of(Truth([BOX], [2]), Found([BOX], [0.9], [0]))
    with pytest.raises(AssertionError, match="a score is no number"):
        of(Truth([BOX], [0]), Found([BOX], [np.nan], [0]))
    with pytest.raises(AssertionError, match="true boxes of 1 pictures, found ones of 0"):
        matches([Truth([BOX], [0])], [], classes=1)
