"""What was decided of a training: its names and values in `args.json`, which runs of earlier versions have, too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from eyespot.runs.clock import Clock
from eyespot.runs.decisions import Decisions, Ended, Fits

OF_A_RUN = {
    "frozen: fits": {"pictures": 60, "mirror": True, "tapped": False},
    "frozen: seconds": 2.5,
    "finishing: seconds": 0.31,
    "partial stage7: epochs": 80,
    "partial stage7: began": 4.2,
    "partial stage7: trained": {"steps": 160, "ended": "by the user"},
    "partial stage7: kept": True,
    "partial stage7: seconds": 9.9,
}
"""As `args.json` says it."""


def never() -> Any:
    raise AssertionError("this was decided before")


def decide_all(clock: Clock) -> None:
    Decisions(clock, "frozen").fits(lambda: Fits(60, mirror=True))
    Decisions(clock, "frozen").seconds(lambda: 2.52)
    Decisions(clock, "finishing").seconds(lambda: 0.312, digits=2)
    partial = Decisions(clock, "partial stage7")
    partial.epochs(lambda: 80)
    partial.began()
    partial.end(Ended(160, "whole"))
    partial.correct_end(Ended(160, "by the user"))
    partial.is_kept(lambda: True)
    partial.seconds(lambda: 9.87)


def test_what_is_decided_stands_under_the_same_names_and_in_the_same_order_as_ever():
    clock = Clock(60)
    decide_all(clock)
    clock.decisions["partial stage7: began"] = 4.2
    assert json.dumps(clock.decisions) == json.dumps(OF_A_RUN)


@pytest.mark.parametrize("replays", [None, "run"])
def test_what_was_decided_before_is_what_is_decided_now(replays):
    clock = Clock(60, decisions=json.loads(json.dumps(OF_A_RUN)), replays=replays)
    partial = Decisions(clock, "partial stage7")
    assert Decisions(clock, "frozen").fits(never) == Fits(60, mirror=True)
    assert partial.epochs(never) == 80
    assert partial.is_kept(never) is True
    partial.end(Ended(8, "whole"))
    assert partial.ended == Ended(160, "by the user")
    assert partial.has_seconds
    if not replays:
        assert (partial.began(), partial.seconds(never)) == (4.2, 9.9)


def test_earlier_versions_did_not_say_whether_activations_were_kept():
    clock = Clock(60, decisions={"frozen: fits": {"pictures": 3, "mirror": False}}, replays="run")
    assert Decisions(clock, "frozen").fits(never) == Fits(3, mirror=False, tapped=False)


def test_a_training_that_has_not_ended_has_no_end():
    decisions = Decisions(Clock(60), "full")
    assert decisions.ended is None
    assert not decisions.has_seconds
