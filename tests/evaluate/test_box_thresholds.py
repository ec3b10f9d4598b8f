"""Thresholds against matching anew what is left above them."""

from __future__ import annotations

import numpy as np
import pytest
from evaluate.coco_twin import random_pictures

from eyespot.evaluate.box_matches import Found, Truth, matches
from eyespot.evaluate.box_thresholds import Counts, at_threshold, best_threshold, threshold_curve

BOXES = np.array([[0.0, 0, 10, 10], [20, 20, 30, 30], [40, 40, 50, 50]])
NOTHING = Found(np.zeros((0, 4)), [], [])


def counted(truths, founds, *, classes, threshold):
    """Of all boxes with at least that score, matched without the others: true ones, found ones, right ones."""
    left = [Found(*(each[found.scores >= threshold] for each in found)) for found in founds]
    found = matches(truths, left, classes=classes, thresholds=[0.5])
    return Counts(int(found.counted.sum()), int((~found.ignored[0]).sum()), int(found.right[0].sum()))


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_are_those_of_what_is_left_above_the_threshold(seed):
    truths, founds = random_pictures(seed, pictures=10, classes=3)
    found = matches(truths, founds, classes=3)
    curve = threshold_curve(found)
    assert list(curve.thresholds) == sorted({s for each in founds for s in each.scores.tolist()}, reverse=True)
    for threshold, precision, recall, f1 in zip(*vars(curve).values(), strict=True):
        there = counted(truths, founds, classes=3, threshold=threshold)
        assert at_threshold(found, threshold).overall == there
        assert (precision, recall, f1) == pytest.approx((there.precision, there.recall, there.f1), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_no_threshold_has_a_better_f1(seed):
    truths, founds = random_pictures(seed, pictures=10, classes=3)
    found = matches(truths, founds, classes=3)
    best = at_threshold(found, best_threshold(found))
    assert best.overall.f1 == pytest.approx(max(threshold_curve(found).f1), abs=1e-12)


def test_classes_add_up_to_all():
    truths, founds = random_pictures(2, pictures=10, classes=3)
    there = at_threshold(matches(truths, founds, classes=3), 0.4)
    for field in ("truths", "found", "right"):
        assert sum(getattr(each, field) for each in there.per_class) == getattr(there.overall, field)


def test_figures_worked_by_hand():
    # Surest first: right, wrong, right; one of three true boxes is missed.
    founds = [Found(np.concatenate([BOXES[:2], BOXES[:1] + 100]), [0.9, 0.5, 0.7], [0, 1, 0])]
    found = matches([Truth(BOXES, [0, 1, 1])], founds, classes=3)
    curve = threshold_curve(found)
    assert curve.thresholds == (0.9, 0.7, 0.5)
    assert curve.precision == pytest.approx((1, 1 / 2, 2 / 3))
    assert curve.recall == pytest.approx((1 / 3, 1 / 3, 2 / 3))
    assert curve.f1 == pytest.approx((2 / 4, 2 / 5, 4 / 6))
    assert best_threshold(found) == 0.25  # halfway from 0.5 to 0
    at_most = at_threshold(found, 0.6)
    assert at_most.per_class == (Counts(truths=1, found=2, right=1), Counts(2, 0, 0), Counts(0, 0, 0))
    assert (at_most.per_class[1].precision, at_most.per_class[1].recall) == (None, 0)
    assert (at_most.per_class[2].recall, at_most.per_class[2].f1) == (None, None)


def test_the_threshold_lies_halfway_to_the_next_score():
    founds = [Found(np.concatenate([BOXES[:1], BOXES[:1] + 100]), [0.9, 0.5], [0, 0])]
    assert best_threshold(matches([Truth(BOXES[:1], [0])], founds, classes=1)) == pytest.approx(0.7)


def test_scores_next_to_each_other_are_still_told_apart():
    below = 0.5
    score = np.nextafter(below, 1)  # the middle of both rounds to the lower one
    founds = [Found(np.concatenate([BOXES[:1], BOXES[:1] + 100]), [score, below], [0, 0])]
    assert best_threshold(matches([Truth(BOXES[:1], [0])], founds, classes=1)) == score


def test_nothing_right_has_no_threshold():
    truths = [Truth(BOXES, [0, 0, 0])]
    for founds in ([NOTHING], [Found(BOXES + 100, [0.9, 0.8, 0.7], [0, 0, 0])]):
        assert best_threshold(matches(truths, founds, classes=1)) is None
    assert threshold_curve(matches(truths, [NOTHING], classes=1)).thresholds == ()


def test_nothing_to_find_has_no_curve():
    truths = [Truth(np.zeros((0, 4)), [])]
    assert threshold_curve(matches(truths, [Found(BOXES, [0.9, 0.8, 0.7], [0, 0, 0])], classes=1)) is None


def test_ignored_boxes_count_in_no_figure():
    truths = [Truth(BOXES, [0, 0, 0], ignored=[False, True, False], crowd=[False, False, True])]
    found = matches(truths, [Found(BOXES, [0.9, 0.8, 0.7], [0, 0, 0])], classes=1)
    assert at_threshold(found, 0).overall == Counts(truths=1, found=1, right=1)
