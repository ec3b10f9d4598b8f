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
from eyespot.regimes import first_model, turns
from eyespot.regimes.first_model import that_fits
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.turns import AT_ONCE, FEWEST_ASKED, TIMED, fitting_seconds
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
    engine: Any = None
    each: float = 0.01
    stopped_at: int | None = None
    """Pictures after which Ctrl-C comes."""
    asked: list[int] = field(default_factory=list)
    tapped: list[Any] = field(default_factory=list)

    def embed(
        self, hashed: list[Hashed], *, views: tuple[str, ...], store: Any, tap: Any, world: Any, progress: Any
    ) -> Any:
        if self.stopped_at is not None and sum(self.asked) + len(hashed) > self.stopped_at:
            raise KeyboardInterrupt
        self.asked.append(len(hashed))
        self.tapped.append(tap)
        computed = 0 if self.stored else len(hashed) * len(views)
        self.now.seconds += self.each * computed
        return SimpleNamespace(computed=computed)

    def missing(self, pictures: list[Hashed], *_: Any) -> list[Hashed]:
        return [] if self.stored else pictures


@pytest.fixture
def now(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    for name in ("regimes.turns", "runs.clock"):
        monkeypatch.setattr(f"eyespot.{name}.time", SimpleNamespace(perf_counter=lambda: now.seconds))
    return now


@pytest.fixture(autouse=True)
def asks_the_trunk(monkeypatch):
    monkeypatch.setattr(turns, "embed", lambda trunk, hashed, **options: trunk.embed(hashed, **options))
    monkeypatch.setattr(turns, "missing", lambda pictures, trunk, views, job: trunk.missing(pictures))
    monkeypatch.setattr(turns, "has_room", lambda *_: True)
    monkeypatch.setattr(turns.Turns, "_stored", lambda self: sum(self._trunk.asked))


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
    found = that_fits(prepared(), FakeTrunk(now), job(clock, time=seconds, **options))  # type: ignore[arg-type]
    return found.prepared, found.job.options.mirror != "no", clock


def test_without_a_time_everything_is_taken(now):
    trunk = FakeTrunk(now)
    found = that_fits(prepared(), trunk, job(Clock()))  # type: ignore[arg-type]
    assert len(found.prepared.part("train")) == 900
    assert found.prepared.set_aside == []
    assert found.computed == 1800


def test_without_a_time_nothing_is_looked_at_that_is_stored(now):
    trunk, data = FakeTrunk(now, stored=True), prepared()
    assert that_fits(data, trunk, job(Clock())).prepared is data  # type: ignore[arg-type]
    assert trunk.asked == []


def test_a_time_that_is_enough_leaves_nothing_out(now):
    fits, mirror, clock = taken(now, 60)
    assert (len(fits.part("train")), mirror) == (900, True)
    known = {"pictures": 900, "mirror": True, "tapped": False, "asked": 50, "no_gain": False, "stopped": False}
    assert clock.known("frozen: fits") == known
    assert fits.set_aside == []


def test_a_short_time_leaves_out_mirror_images_first(now):
    fits, mirror, _ = taken(now, 18)  # 18 s for 1800 views would leave nothing for what comes behind
    assert (len(fits.part("train")), mirror) == (900, False)


def test_a_very_short_time_leaves_out_pictures_of_the_largest_classes_and_says_so(now):
    fits, mirror, _ = taken(now, 9)
    counts = Counter(each.picture.label for each in fits.part("train"))
    assert not mirror
    assert 300 < sum(counts.values()) < 900
    assert counts["a"] == 100
    assert abs(counts["b"] - counts["c"]) <= 1
    assert len(fits.set_aside) == 900 - sum(counts.values())
    assert {each.reason for each in fits.set_aside} == {"there was no time for it"}
    assert now.seconds < 9 - fitting_seconds(sum(counts.values())) + 0.01 * AT_ONCE
    assert len(fits.part("val")) == HELD_OUT


def test_stored_features_take_no_time(now):
    clock = Clock(5)
    found = that_fits(prepared(), FakeTrunk(now, stored=True), job(clock, time=5))  # type: ignore[arg-type]
    assert (len(found.prepared.part("train")), found.job.options.mirror) == (900, "auto")


def test_a_time_for_no_model_is_one_sentence(now, monkeypatch):
    monkeypatch.setattr(turns, "TIMED", 8)
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
    assert len(that_fits(few, FakeTrunk(now), job(Clock(60), time=60)).prepared.part("train")) == 3  # type: ignore[arg-type]


def test_where_two_views_cannot_be_had_the_first_pictures_are_seen_once(now):
    trunk = FakeTrunk(now)
    found = that_fits(prepared(), trunk, job(Clock(7), time=7))  # type: ignore[arg-type]
    assert found.computed == len(found.prepared.part("train")) > 200
    assert found.prepared.notes[-1] == first_model.NO_MIRROR


def test_a_replay_takes_the_same_and_looks_at_no_clock(now):
    first, mirror, clock = taken(now, 11)
    trunk, replay = FakeTrunk(now), Clock(11, decisions=clock.decisions, replays="run")
    assert replay.remaining == math.inf
    again = that_fits(prepared(), trunk, job(replay, time=11))  # type: ignore[arg-type]
    assert again.prepared.hashed == first.hashed
    assert (again.job.options.mirror != "no") == mirror
    assert trunk.asked == []


@pytest.mark.parametrize(("seconds", "is_tapped"), [(70, True), (36, False), (18, False)])
def test_activations_are_kept_on_the_way_where_the_time_is_long_enough_to_need_them(now, seconds, is_tapped):
    """900 pictures in two views take 18 s: twice as much is left for what would read the activations, or it is not."""
    trunk, clock, made = FakeTrunk(now), Clock(seconds), []
    found = that_fits(prepared(), trunk, job(clock, time=seconds), tap=lambda: made.append("") or TAP)  # type: ignore
    assert (found.tap is TAP) == bool(made) == is_tapped
    assert trunk.tapped == [None, *[TAP if is_tapped else None] * (len(trunk.tapped) - 1)]
    assert clock.known("frozen: fits")["tapped"] == is_tapped


def test_without_a_store_the_first_pictures_say_how_many_fit_and_nothing_is_computed_twice_but_them(now):
    """900 pictures in two views take 18 s, and as many as there is time for are left to the frozen regime."""
    found = {}
    for seconds in (60, 11):
        trunk, clock = FakeTrunk(now), Clock(seconds)
        its = replace(job(clock, time=seconds), store=None)
        found[seconds] = len(that_fits(prepared(), trunk, its).prepared.part("train"))  # type: ignore[arg-type]
        assert trunk.asked == [2 * TIMED]
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
    assert that_fits(prepared(), trunk, job(Clock(300), time=300), tap=lambda: TAP).tap is None  # type: ignore
    assert set(trunk.tapped) == {None}


def test_without_a_time_the_regime_decides_whether_activations_are_kept(now):
    assert that_fits(prepared(), FakeTrunk(now), job(Clock()), tap=lambda: TAP).tap is TAP  # type: ignore


def test_what_is_stored_takes_no_time(now):
    """A time never makes worse what was computed before."""
    its = job(Clock(1), time=1)
    found = that_fits(prepared(), FakeTrunk(now, stored=True), its)  # type: ignore[arg-type]
    assert len(found.prepared.part("train")) == 900
    assert found.job.options.mirror != "no"


def with_many_held_out(count: int = 600) -> Prepared:
    data = prepared()
    parts = ("val", "test")
    more = [
        Hashed(Picture(f"{part}{n}.png", label="a", part=part), content=f"{part[0]}{n:08x}")
        for part in parts
        for n in range(HELD_OUT, count)
    ]
    return replace(data, hashed=[*data.hashed, *more])


def asked(data: Prepared) -> list[str]:
    return sorted(each.content for each in data.part("val", "test"))


def test_in_a_short_time_a_part_of_the_held_out_pictures_is_asked_drawn_by_the_seed_and_it_is_said(now):
    data, found = with_many_held_out(), []
    for seed in (0, 0, 1):
        now.seconds = 0.0
        short = that_fits(data, FakeTrunk(now), job(Clock(11), time=11, seed=seed))  # type: ignore[arg-type]
        found.append(asked(short.prepared))
    assert FEWEST_ASKED < len(found[0]) < 11 * 100 * turns.ASKED + 2
    assert found[0] == found[1] != found[2]
    [note] = [note for note in short.prepared.notes if "held out" in note]
    assert note.startswith("measured on ")
    shares = [len(short.prepared.part(part)) / len(data.part(part)) for part in ("val", "test")]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)


def test_a_long_time_asks_all_that_are_held_out(now):
    data = with_many_held_out()
    found = that_fits(data, FakeTrunk(now), job(Clock(60), time=60))  # type: ignore[arg-type]
    assert asked(found.prepared) == asked(data)


def test_models_stand_on_the_way_where_they_take_little_of_the_time_to_come(now):
    """At 100, 200, 400 ... pictures; features that take longer leave room for more of them."""
    stood = {}
    for each in (0.01, 0.1):
        now.seconds, stood[each] = 0.0, []

        def stand(data: Prepared, its: Job, each: float = each) -> str:
            stood[each].append(len(data.part("train")))
            assert data.part("val", "test") == []
            now.seconds += 1
            return "a model stands"

        that_fits(prepared(), FakeTrunk(now, each=each), job(Clock()), stand=stand)  # type: ignore[arg-type]
    assert stood == {0.01: [100], 0.1: [100, 200, 400, 800]}


def test_ctrl_c_ends_the_features_and_the_model_is_of_what_is_there(now):
    clock = Clock()
    trunk = FakeTrunk(now, stopped_at=300)
    found = that_fits(with_many_held_out(), trunk, job(clock))  # type: ignore[arg-type]
    assert len(found.prepared.part("train")) == 200
    assert clock.known("frozen: fits")["stopped"]
    assert found.prepared.notes[0] == "ended by you: the model is of 200 of 900 pictures"
    assert len(asked(found.prepared)) < 320
    assert {each.reason for each in found.prepared.set_aside} == {"the run was ended before it"}


def test_ctrl_c_before_there_are_enough_pictures_for_a_model_goes_through(now):
    with pytest.raises(KeyboardInterrupt):
        that_fits(prepared(), FakeTrunk(now, stopped_at=8), job(Clock()))  # type: ignore[arg-type]


def many() -> Prepared:
    data = prepared()
    more = [
        Hashed(Picture(f"more{n}.png", label="b", part="train"), content=f"more{n:08x}")
        for n in range(2 * turns.JUDGED)
    ]
    return replace(data, hashed=[*data.hashed, *more])


@pytest.mark.parametrize("helps", [True, False])
@pytest.mark.parametrize("stored", [True, False])
def test_mirror_images_are_left_out_where_those_of_the_first_pictures_do_not_help(now, monkeypatch, helps, stored):
    """Whether they were computed before or not: a second run comes to the same."""
    judged = []
    monkeypatch.setattr(turns, "mirror_helps", lambda data, *_, **__: judged.append(len(data.part("train"))) or helps)
    found = that_fits(many(), FakeTrunk(now, stored=stored), job(Clock()))  # type: ignore[arg-type]
    assert judged == [turns.JUDGED]
    assert (found.job.options.mirror != "no") == helps
    assert (first_model.NO_GAIN in found.prepared.notes) == (not helps)
    assert found.computed == (0 if stored else 3800 if helps else 1000 + 1400)
