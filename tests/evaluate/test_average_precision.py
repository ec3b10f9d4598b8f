"""Average precision against pycocotools, by hand, and its intervals against pictures that are there several times."""

from __future__ import annotations

import time

import numpy as np
import pytest
from evaluate.coco_twin import coco_average_precision, random_pictures
from hypothesis import given, settings
from hypothesis import strategies as st

from eyespot.evaluate.average_precision import average_precision, curves, drawn_anew, intervals, resampled
from eyespot.evaluate.box_matches import Found, Truth, matches

ONE = np.array([[0.0, 0.0, 10.0, 10.0]])


def ours(truths, founds, *, classes, **options):
    found = matches(truths, founds, classes=classes, **options)
    return resampled(found, np.ones((1, len(truths))))[0]  # (C, T)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    pictures=st.integers(1, 8),
    classes=st.integers(1, 4),
    ignore=st.sampled_from([0.0, 0.2, 1.0]),
    crowd=st.sampled_from([0.0, 0.3]),
    most=st.sampled_from([1, 3, 100]),
)
def test_it_equals_pycocotools(seed, pictures, classes, ignore, crowd, most):
    truths, founds = random_pictures(seed, pictures=pictures, classes=classes, ignore=ignore, crowd=crowd)
    theirs = coco_average_precision(truths, founds, classes=classes, most=most)[0]
    np.testing.assert_allclose(ours(truths, founds, classes=classes, most=most), theirs, rtol=0, atol=1e-9)


def test_the_means_equal_pycocotools():
    truths, founds = random_pictures(5, pictures=40, classes=4)
    theirs = coco_average_precision(truths, founds, classes=4)[0]
    found = average_precision(matches(truths, founds, classes=4))
    means = (found.map50, found.map75, found.map50_95)
    assert means == pytest.approx((theirs[:, 0].mean(), theirs[:, 5].mean(), theirs.mean()), abs=1e-12)
    assert found.of(2, 0.5) == pytest.approx(theirs[2, 0], abs=1e-12)
    assert found.per_class[2].ap50_95 == pytest.approx(theirs[2].mean(), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_drawing_pictures_anew_equals_pycocotools_on_pictures_that_are_there_several_times(seed):
    truths, founds = random_pictures(seed, pictures=10, classes=3)
    # No equal scores in one picture: of one that is there twice they would stand as a, b, a, b there, not a, a, b, b.
    founds = [each._replace(scores=each.scores + np.arange(len(each.scores)) / 1024) for each in founds]
    weights = np.random.default_rng(seed).multinomial(10, np.full(10, 0.1), size=5)
    found = resampled(matches(truths, founds, classes=3), weights)
    for drawn, aps in zip(weights, found, strict=True):
        several = np.repeat(np.arange(10), drawn)
        theirs = coco_average_precision([truths[i] for i in several], [founds[i] for i in several], classes=3)[0]
        np.testing.assert_allclose(aps, theirs, rtol=0, atol=1e-9)


def test_a_class_without_boxes_is_not_measured():
    found = average_precision(matches([Truth(ONE, [0])], [Found(ONE, [0.9], [0])], classes=2))
    assert [each.by_threshold is None for each in found.per_class] == [False, True]
    assert (found.map50, found.of(1, 0.5), found.per_class[1].ap50_95) == (1, None, None)


def test_nothing_to_find_is_no_figure():
    nothing = Truth(np.zeros((0, 4)), [])
    found = matches([nothing], [Found(ONE, [0.9], [0])], classes=1)
    measured = average_precision(found)
    assert (measured.map50, measured.map75, measured.map50_95) == (None, None, None)
    drawn = intervals(found, np.random.default_rng(0))
    assert (drawn.map50, drawn.map50_95, drawn.ap50) == (None, None, (None,))
    assert curves(found) == (None,)


def test_no_pictures_have_no_figure():
    assert average_precision(matches([], [], classes=2)).map50_95 is None


def test_no_box_found_is_zero():
    empty = Found(np.zeros((0, 4)), [], [])
    found = matches([Truth(ONE, [0])], [empty], classes=1)
    assert average_precision(found).map50_95 == 0
    assert curves(found)[0].precision == ()


def test_one_right_of_two_true_boxes_worked_by_hand():
    # Right, wrong: precision 1 up to recall 0.5, which 51 of the 101 recalls reach.
    truth = Truth(np.concatenate([ONE, ONE + 100]), [0, 0])
    found = matches([truth], [Found(np.concatenate([ONE, ONE + 50]), [0.9, 0.8], [0, 0])], classes=1)
    assert average_precision(found).map50 == pytest.approx(51 / 101)
    [curve] = curves(found)
    assert (curve.scores, curve.precision, curve.recall) == ((0.9, 0.8), (1, 0.5), (0.5, 0.5))


def test_an_overlap_that_was_not_measured_is_refused():
    found = average_precision(matches([Truth(ONE, [0])], [Found(ONE, [0.9], [0])], classes=1))
    with pytest.raises(AssertionError, match=r"not measured at IoU 0\.3"):
        found.of(0, 0.3)


def test_intervals_hold_the_figure_and_stay_with_the_seed():
    truths, founds = random_pictures(1, pictures=60, classes=3)
    found = matches(truths, founds, classes=3)
    drawn, again = (intervals(found, np.random.default_rng(7)) for _ in range(2))
    assert drawn == again
    measured = average_precision(found)
    assert drawn.map50.low < measured.map50 < drawn.map50.high
    assert drawn.map50_95.low < measured.map50_95 < drawn.map50_95.high
    for label, each in enumerate(drawn.ap50):
        assert each.low < measured.of(label, 0.5) < each.high


def test_a_class_in_one_picture_has_an_interval_from_where_it_was_drawn():
    truths = [Truth(ONE, [0])] * 5 + [Truth(ONE, [1])]
    founds = [Found(ONE, [0.9], [0])] * 5 + [Found(ONE, [0.9], [1])]
    drawn = intervals(matches(truths, founds, classes=2), np.random.default_rng(0), resamples=50)
    assert (drawn.ap50[1].low, drawn.ap50[1].high) == (1, 1)


def test_three_pictures_of_one_series_say_as_much_as_one():
    truths, founds = random_pictures(4, pictures=30, classes=2)
    once, series = np.arange(30), np.tile(np.arange(30), 3)
    drawn, of_one = (drawn_anew(numbers, np.random.default_rng(5), resamples=40) for numbers in (series, once))
    assert (drawn == np.tile(of_one, 3)).all()
    found = matches(truths * 3, founds * 3, classes=2)
    together, apart = (intervals(found, np.random.default_rng(5), series=each) for each in (series, None))
    assert apart.map50.high - apart.map50.low < 0.7 * (together.map50.high - together.map50.low)


def test_200_resamples_of_72_pictures_are_quick():
    truths, founds = random_pictures(3, pictures=72, classes=3, truths=28, founds=200)
    start = time.process_time()
    intervals(matches(truths, founds, classes=3), np.random.default_rng(0))
    assert time.process_time() - start < 6  # 0.3 s on a quiet core
