"""What is said of a run's pictures and figures."""

from __future__ import annotations

from eyespot.evaluate.trust import Gain, ListGain
from eyespot.records import Difference


def gain(n: int, value: float) -> Gain:
    return Gain(n=n, difference=Difference(value=value, low=value - 0.014, high=value + 0.013))


def test_both_gains_of_a_list_are_said_or_one_where_it_is_the_same():
    assert str(ListGain(judged=gain(370, 0.018), as_found=gain(372, 0.015))) == (
        "with your list +1.8 points (95 % interval +0.4 to +3.1) on 370 test pictures as you judged them, "
        "+1.5 points (95 % interval +0.1 to +2.8) on the 372 as they are without it"
    )
    assert str(ListGain(judged=gain(372, -0.01), as_found=gain(372, -0.01))) == (
        "with your list -1.0 points (95 % interval -2.4 to +0.3) on the 372 test pictures"
    )
