"""What a short time leaves out: mirror images first, then pictures, then everything."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from eyespot.data.copies import Hashed
from eyespot.data.data_set import DataSet, Picture
from eyespot.errors import OptionError
from eyespot.progress import silent
from eyespot.regimes import first_model
from eyespot.regimes.first_model import AT_ONCE, FITTING_SECONDS, that_fits
from eyespot.regimes.prepare import Prepared
from eyespot.runs.clock import Clock
from eyespot.runs.folder import RunFolder
from eyespot.runs.job import Job
from eyespot.runs.options import train_options

SIZES = {"a": 100, "b": 300, "c": 500}
HELD_OUT = 50
TAP: Any = object()


@dataclass
class FakeTrunk:
    """A trunk on a clock of its own: each view takes 0.01 s, unless it was stored."""

    now: Any
    stored: bool = False
    asked: list[int] = field(default_factory=list)
    tapped: list[Any] = field(default_factory=list)

    def embed(self, hashed: list[Hashed], *, views: tuple[str, ...], store: Any, tap: Any, world: Any) -> Any:
        self.asked.append(len(hashed))
        self.tapped.append(tap)
        computed = 0 if self.stored else len(hashed) * len(views)
        self.now.seconds += 0.01 * computed
        return SimpleNamespace(computed=computed)


@pytest.fixture
def now(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    for name in ("regimes.first_model", "runs.clock"):
        monkeypatch.setattr(f"eyespot.{name}.time", SimpleNamespace(perf_counter=lambda: now.seconds))
    return now


@pytest.fixture(autouse=True)
def asks_the_trunk(monkeypatch):
    monkeypatch.setattr(first_model, "embed", lambda trunk, hashed, **options: trunk.embed(hashed, **options))


def prepared() -> Prepared:
    hashed = [
        Hashed(Picture(f"{label}{number}.png", label=label, part="train"), content=f"{label}{number:08x}")
        for label, count in SIZES.items()
        for number in range(count)
    ]
    hashed += [Hashed(Picture(f"{n}.png", label="a", part="val"), content=f"v{n:08x}") for n in range(HELD_OUT)]
    data_set = DataSet("photos", tuple(each.picture for each in hashed), tuple(SIZES))
    return Prepared(data_set, hashed, True, False, [], [], "fingerprint")


def job(clock: Clock, **options: Any) -> Job:
    chosen = train_options(**options)
    return Job(chosen, RunFolder(chosen), SimpleNamespace(), Path(), "fp32", silent, clock)  # type: ignore[arg-type]


def taken(now: Any, seconds: float, **options: Any) -> tuple[Prepared, bool, Clock]:
    """What is trained on, and whether with mirror images."""
    clock = Clock(seconds)
    fits, its, _ = that_fits(prepared(), FakeTrunk(now), job(clock, time=seconds, **options))  # type: ignore[arg-type]
    return fits, its.options.mirror != "no", clock


def test_without_a_time_everything_is_taken_and_nothing_is_computed_here(now):
    trunk, data = FakeTrunk(now), prepared()
    assert that_fits(data, trunk, job(Clock()))[0] is data  # type: ignore[arg-type]
    assert trunk.asked == []


def test_a_time_that_is_enough_leaves_nothing_out(now):
    fits, mirror, clock = taken(now, 60)
    assert (len(fits.part("train")), mirror) == (900, True)
    assert clock.known("frozen: fits") == {"pictures": 900, "mirror": True, "tapped": False}
    assert fits.set_aside == []


def test_a_short_time_leaves_out_mirror_images_first(now):
    fits, mirror, _ = taken(now, 18)  # 18 s for 1800 views would leave nothing for what comes behind
    assert (len(fits.part("train")), mirror) == (900, False)


def test_a_very_short_time_leaves_out_pictures_of_the_largest_classes_and_says_so(now):
    fits, mirror, _ = taken(now, 11)
    counts = Counter(each.picture.label for each in fits.part("train"))
    assert not mirror
    assert 300 < sum(counts.values()) < 900
    assert counts["a"] == 100
    assert abs(counts["b"] - counts["c"]) <= 1
    assert len(fits.set_aside) == 900 - sum(counts.values())
    assert {each.reason for each in fits.set_aside} == {"there was no time for it"}
    assert now.seconds < 11 - FITTING_SECONDS + 0.01 * AT_ONCE
    assert len(fits.part("val")) == HELD_OUT


def test_stored_features_take_no_time(now):
    clock = Clock(5)
    fits, its, _ = that_fits(prepared(), FakeTrunk(now, stored=True), job(clock, time=5))  # type: ignore[arg-type]
    assert (len(fits.part("train")), its.options.mirror) == (900, "auto")


def test_a_time_for_no_model_is_one_sentence(now, monkeypatch):
    monkeypatch.setattr(first_model, "AT_ONCE", 8)
    with pytest.raises(OptionError) as caught:
        taken(now, 1)
    assert str(caught.value) == (
        "the option time is too short for a model: of 1 s there was enough for the features of 8 of 900 pictures; they "
        "are kept, so run this again, or give more time"
    )


def test_hardly_any_pictures_are_enough_where_none_is_left_out(now):
    data = prepared()
    few = replace(data, hashed=[each for each in data.hashed if each.content.endswith("00000000")])
    assert len(few.part("train")) == 3
    assert len(that_fits(few, FakeTrunk(now), job(Clock(60), time=60))[0].part("train")) == 3  # type: ignore[arg-type]


def test_a_replay_takes_the_same_and_looks_at_no_clock(now):
    first, mirror, clock = taken(now, 11)
    trunk, replay = FakeTrunk(now), Clock(11, decisions=clock.decisions, replays="run")
    assert replay.remaining == math.inf
    again, its, _ = that_fits(prepared(), trunk, job(replay, time=11))  # type: ignore[arg-type]
    assert again.hashed == first.hashed
    assert (its.options.mirror != "no") == mirror
    assert trunk.asked == []


@pytest.mark.parametrize(("seconds", "is_tapped"), [(70, True), (36, False), (18, False)])
def test_activations_are_kept_on_the_way_where_the_time_is_long_enough_to_need_them(now, seconds, is_tapped):
    """900 pictures in two views take 18 s: twice as much is left for what would read the activations, or it is not."""
    trunk, clock, made = FakeTrunk(now), Clock(seconds), []
    _, _, tap = that_fits(prepared(), trunk, job(clock, time=seconds), tap=lambda: made.append("") or TAP)  # type: ignore
    assert (tap is TAP) == bool(made) == is_tapped
    assert trunk.tapped == [None, *[TAP if is_tapped else None] * 7]
    assert clock.known("frozen: fits")["tapped"] == is_tapped


def test_without_a_store_the_first_pictures_say_how_many_fit_and_nothing_is_computed_twice_but_them(now):
    """900 pictures in two views take 18 s, and as many as there is time for are left to the frozen regime."""
    found = {}
    for seconds in (60, 11):
        trunk, clock = FakeTrunk(now), Clock(seconds)
        its = replace(job(clock, time=seconds), store=None)
        found[seconds] = len(that_fits(prepared(), trunk, its)[0].part("train"))  # type: ignore[arg-type]
        assert trunk.asked == [AT_ONCE]
        now.seconds = 0.0
    assert found[60] == 900
    assert 300 < found[11] < 900


def test_mirror_images_that_there_was_no_time_for_are_told(now):
    fits, mirror, _ = taken(now, 18)
    assert not mirror
    assert fits.notes == [first_model.NO_MIRROR]
    assert taken(now, 18 + now.seconds, mirror="no")[0].notes == []


def test_what_is_stored_is_not_tapped(now):
    trunk = FakeTrunk(now, stored=True)
    assert that_fits(prepared(), trunk, job(Clock(300), time=300), tap=lambda: TAP)[2] is None  # type: ignore
    assert set(trunk.tapped) == {None}


def test_without_a_time_the_regime_decides_whether_activations_are_kept():
    assert that_fits(prepared(), FakeTrunk(None), job(Clock()), tap=lambda: TAP)[2] is TAP  # type: ignore


def test_what_is_stored_takes_no_time(now):
    """A time never makes worse what was computed before."""
    its = job(Clock(1), time=1)
    fits, used, _ = that_fits(prepared(), FakeTrunk(now, stored=True), its)  # type: ignore[arg-type]
    assert len(fits.part("train")) == 900
    assert used.options.mirror != "no"
