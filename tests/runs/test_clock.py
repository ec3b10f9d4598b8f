"""The clock of a run: what is left of its time, and what was decided by it, as `args.json` says it."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import Any

import pytest

import eyespot
from eyespot.errors import OptionError
from eyespot.runs import clock as module
from eyespot.runs.clock import Clock, Decisions, Ended, Fits, Journal
from eyespot.runs.folder import ARGS, RunFolder
from eyespot.runs.options import train_options


@pytest.fixture
def now(monkeypatch):
    """A clock that stands at 1000 s until a test moves it: `now.at`."""
    time = SimpleNamespace(at=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: time.at))
    return time


def never() -> Any:
    raise AssertionError("this was decided before")


def test_without_a_time_there_is_always_more(now):
    clock = Clock()
    now.at += 1e6
    assert (clock.is_set, clock.remaining) == (False, math.inf)
    assert not clock.is_up(reserve=10)


def test_the_time_runs_from_when_the_run_began(now):
    clock = Clock(60, started=990.0)
    now.at += 20
    assert (clock.is_set, clock.spent, clock.remaining) == (True, 30.0, 30.0)


def test_a_run_that_goes_on_has_spent_what_it_had_spent_before_it_was_killed(now):
    clock = Clock(60, spent=45)
    now.at += 5
    assert (clock.spent, clock.remaining) == (50.0, 10.0)


def test_the_time_is_up_where_less_is_left_than_must_be(now):
    clock = Clock(60)
    now.at += 50
    assert not clock.is_up(reserve=10)
    assert clock.is_up(reserve=10.5)
    now.at += 20
    assert clock.remaining == -10
    assert clock.is_up(reserve=0)


def test_a_decision_is_made_once_and_written_down_when_it_is_there():
    told = []
    journal = SimpleNamespace(write=lambda clock: told.append(dict(clock.decisions)))
    clock = Clock(60, journal=journal)
    assert clock.known("epochs") is None
    assert clock.decide("epochs", lambda: 3) == 3
    assert clock.decide("epochs", never) == 3
    assert clock.known("epochs") == 3
    assert told == [{"epochs": 3}]


def test_a_run_that_goes_on_keeps_to_what_was_decided_and_decides_the_rest():
    before = {"epochs": 3}
    clock = Clock(60, spent=10, decisions=before)
    assert clock.decide("epochs", never) == 3
    assert clock.decide("kept", lambda: False) is False
    assert clock.decide("kept", never) is False
    assert before == {"epochs": 3}


def test_a_replay_decides_as_its_run_did_and_never_looks_at_the_clock(now):
    clock = Clock(60, decisions={"epochs": 3}, replays="runs/train/photos")
    now.at += 1e6
    assert (clock.is_set, clock.remaining) == (True, math.inf)
    assert not clock.is_up(reserve=10)
    assert clock.decide("epochs", never) == 3


def test_a_replay_of_a_run_that_did_not_come_so_far_is_refused():
    clock = Clock(60, decisions={"epochs": 3}, replays="runs/train/photos")
    with pytest.raises(OptionError, match=r"^runs/train/photos cannot be replayed: .* 'kept'"):
        clock.decide("kept", never)


def test_what_was_measured_is_kept_for_a_run_that_goes_on_but_a_replay_measures_anew():
    clock = Clock(60)
    assert clock.measure("seconds", lambda: 2.5) == 2.5
    assert clock.measure("seconds", never) == 2.5
    replay = Clock(60, decisions=clock.decisions, replays="runs/train/photos")
    assert replay.measure("seconds", lambda: 9.0) == 9.0
    assert replay.measure("more", lambda: 1.0) == 1.0


def test_every_decision_is_on_disk_at_once_with_what_was_asked(tmp_path):
    options = train_options(out=tmp_path, name="run", seed=3)
    folder = RunFolder(options)
    journal = Journal(folder, data="photos", options=options)
    clock = Clock(60, spent=5, replays=None, journal=journal)
    clock.write_down()  # there is no folder yet
    with folder.held():
        journal.fingerprint = "f" * 32
        clock.decide("epochs", lambda: 4)
        clock.correct("epochs", 3)
        said = json.loads((tmp_path / "train" / "run" / ARGS).read_bytes())
    assert (said["command"], said["version"], said["data"]) == ("train", eyespot.__version__, "photos")
    assert (said["seed"], said["given"]) == (3, ["name", "out", "seed"])
    assert (said["fingerprint"], said["decisions"], said["replays"]) == ("f" * 32, {"epochs": 3}, None)
    assert 5 <= said["spent_seconds"] < 60
    assert said == journal.entries(clock) | {"spent_seconds": said["spent_seconds"]}


OF_A_RUN = {
    "frozen: fits": {
        **{"pictures": 60, "mirror": True, "tapped": False},
        **{"asked": None, "no_gain": False, "stopped": False},
    },
    "frozen: seconds": 2.5,
    "finishing: seconds": 0.31,
    "partial stage7: epochs": 80,
    "partial stage7: began": 4.2,
    "partial stage7: trained": {"steps": 160, "ended": "by the user"},
    "partial stage7: kept": True,
    "partial stage7: seconds": 9.9,
}
"""As `args.json` says it."""


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
