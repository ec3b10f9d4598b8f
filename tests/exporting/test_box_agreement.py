"""What counts as the same boxes, and what as rounding."""

from __future__ import annotations

import numpy as np
import pytest

from eyespot.bundle.boxes import Cut
from eyespot.evaluate.box_matches import Found
from eyespot.exporting.box_agreement import Expected, compare_found

CUT = Cut(threshold=0.5, iou=0.6, most=3)
LEFT, RIGHT = (0.0, 0.0, 40.0, 40.0), (100.0, 0.0, 140.0, 40.0)
HALF_OVER = (0.0, 10.0, 40.0, 50.0)
"""It overlaps LEFT by exactly 0.6."""


def found(*rows: tuple[tuple[float, ...], float, int]) -> Found:
    boxes, scores, labels = zip(*rows, strict=True) if rows else ((), (), ())
    return Found(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.array(labels, np.int64))


def verdict(ours: Found, theirs: Found | str, cut: Cut = CUT) -> str:
    expected = Expected(ours, (200, 200))
    verdicts = {compare_found(theirs, expected, cut).verdict}
    if not isinstance(theirs, str):
        verdicts.add(compare_found(ours, Expected(theirs, (200, 200)), cut).verdict)
    [same] = verdicts  # whichever is compared with the other
    return same


def test_rounding_makes_no_difference_nor_does_the_order_of_equals():
    ours = found((LEFT, 0.8, 0), (RIGHT, 0.8, 1))
    moved = found((tuple(side + 0.1 for side in RIGHT), 0.8004, 1), (LEFT, 0.8, 0))
    assert verdict(ours, moved) == "same"
    compared = compare_found(moved, Expected(ours, (200, 200)), CUT)
    assert compared.difference == pytest.approx(0.0004, abs=1e-6)
    assert compared.shift == pytest.approx(0.1 / 200, abs=1e-6)
    assert verdict(found(), found()) == "same"


@pytest.mark.parametrize(
    "theirs",
    [
        found((LEFT, 0.8, 1)),
        found((LEFT, 0.81, 0)),
        found((RIGHT, 0.8, 0)),
        found((LEFT, 0.8, 0), (RIGHT, 0.7, 0)),
        found(),
        "it has no answer",
    ],
)
def test_another_class_score_place_or_number_is_a_difference(theirs):
    assert verdict(found((LEFT, 0.8, 0)), theirs) == "different"


def test_a_box_at_the_threshold_may_come_and_go():
    assert verdict(found((LEFT, 0.8, 0)), found((LEFT, 0.8, 0), (RIGHT, 0.5004, 1))) == "close"
    assert verdict(found((LEFT, 0.8, 0)), found((LEFT, 0.8, 0), (RIGHT, 0.502, 1))) == "different"


def test_a_box_that_overlaps_by_just_as_much_as_is_allowed_may_come_and_go():
    assert verdict(found((LEFT, 0.8, 0)), found((LEFT, 0.8, 0), (HALF_OVER, 0.7, 0))) == "close"
    assert verdict(found((LEFT, 0.8, 0)), found((LEFT, 0.8, 0), (HALF_OVER, 0.7, 1))) == "different"


def test_a_box_that_only_such_a_box_took_away_may_come_and_go():
    lower = (0.0, 18.0, 40.0, 58.0)  # by more over HALF_OVER, by less over LEFT
    assert verdict(found((LEFT, 0.8, 0), (lower, 0.6, 0)), found((LEFT, 0.8, 0), (HALF_OVER, 0.7, 0))) == "close"


def test_the_last_of_as_many_as_are_answered_may_be_another_of_its_score():
    sure = [(LEFT, 0.9, 0), (LEFT, 0.8, 1)]
    assert verdict(found(*sure, (RIGHT, 0.7, 0)), found(*sure, (RIGHT, 0.7, 1))) == "close"
    assert verdict(found(*sure, (RIGHT, 0.7, 0)), found(*sure, (RIGHT, 0.7, 1)), Cut(0.5, 0.6, 10)) == "different"
