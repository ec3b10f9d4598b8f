"""The ladder: what is tried, what is kept, what is on disk meanwhile, and that a clock decides it but once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import eyespot
from eyespot.bundle.files import read_bundle
from eyespot.errors import MachineError, OptionError
from eyespot.recipes import ladder, running
from eyespot.recipes import train as module
from eyespot.recipes.clock import Clock
from eyespot.recipes.partial import Cost
from eyespot.recipes.plans import FULL
from eyespot.training.head import Head

LATE = {"freeze": "stage7", "time": 3000.0}
"""Only the head's own stage trains: seconds, where there are minutes."""
TRAINED = "partial stage7: trained"
STOPPED = "stopped by you on the ladder: the best model so far is kept"


class Killed(BaseException):
    """Stands for a kill: nobody catches it."""


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


@pytest.fixture
def left(monkeypatch):
    """The seconds on the clock, as a test sets them: `left.seconds`."""
    state = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(Clock, "remaining", property(lambda clock: np.inf if clock.replays else state.seconds))
    return state


def weaken(patch: pytest.MonkeyPatch) -> None:
    """The frozen regime's head knows nothing, so that whatever trains further is better."""
    whole = module.fit_frozen

    def fit(*given: Any, **options: Any) -> Any:
        fitted = whole(*given, **options)
        [(weight, bias)] = fitted.head.layers
        return replace(fitted, head=Head(((weight * 0, bias * 0),), fitted.head.output))

    patch.setattr(module, "fit_frozen", fit)


@pytest.fixture
def weak(monkeypatch) -> None:
    weaken(monkeypatch)


@pytest.fixture(scope="module")
def better(ladder_photos, warm_cache, tmp_path_factory):
    """A run whose partial regime was better and kept. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        weaken(patch)
        return eyespot.train(ladder_photos, out=tmp_path_factory.mktemp("better"), **LATE)


def at(step: str, done: int, act: Callable[[], None] | BaseException) -> Callable[[str, int, int], None]:
    """A progress that does something, or raises it, when the run has come so far."""

    def tell(now: str, so_far: int, total: int) -> None:
        if (now, so_far) == (step, done):
            if isinstance(act, BaseException):
                raise act
            act()

    return tell


def once(step: str, done: int, error: BaseException) -> Callable[[str, int, int], None]:
    """The same, the first time only."""
    raised: list[int] = []

    def act() -> None:
        if not raised:
            raised.append(1)
            raise error

    return at(step, done, act)


def args(run: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(run) / "args.json").read_text("utf-8"))
    return found


def verdicts(result: Any) -> list[tuple[str, str]]:
    return [(rung.regime, rung.verdict.partition(":")[0]) for rung in result.ladder]


def graph(run: str | Path) -> bytes:
    return read_bundle(run).graph


# --- what is tried and what is kept


def test_it_begins_frozen_and_keeps_what_is_better_on_the_validation_pictures(better):
    assert verdicts(better) == [("frozen", "kept"), ("partial", "kept")]
    assert better.regime == read_bundle(better.run).manifest.regime == "partial"
    first, second = better.ladder
    assert (first.trained, first.verdict) == ("the head alone", "kept: the first")
    assert second.trained.startswith("everything behind stage7")
    assert first.validation.n == second.validation.n == 30
    assert second.validation == better.validation
    assert second.validation.accuracy > first.validation.accuracy + 0.3
    assert "more right and 0 more wrong than frozen: +" in second.verdict
    assert all(rung.seconds > 0 and rung.kept for rung in better.ladder)
    assert second.verdict in Path(better.report).read_text("utf-8").replace("&#43;", "+")


def test_what_was_decided_stands_in_args(better):
    found = args(better.run)
    decisions = {name: value for name, value in found["decisions"].items() if "seconds" not in name}
    assert decisions.pop("partial stage7: began") > 0
    assert decisions == {
        "partial stage7: epochs": 4,
        TRAINED: {"steps": 8, "ended": "whole"},
        "partial stage7: kept": True,
    }
    assert found["time"] == 3000


def test_what_loses_is_discarded_and_what_became_of_it_is_said(ladder_photos, tmp_path):
    result = eyespot.train(ladder_photos, out=tmp_path / "ladder", lr=10, average=0, **LATE)
    plain = eyespot.train(ladder_photos, out=tmp_path / "plain", regime="frozen")
    assert verdicts(result) == [("frozen", "kept"), ("partial", "discarded")]
    assert result.ladder[1].validation.accuracy < result.ladder[0].validation.accuracy
    assert not result.ladder[1].kept
    assert result.regime == read_bundle(result.run).manifest.regime == "frozen"
    assert graph(result.run) == graph(plain.run)
    assert result.validation == plain.validation


@pytest.mark.parametrize(
    ("validation", "train", "said"),
    [
        (9, 20, "27 validation pictures cannot tell a better model from a luckier one, 30 are needed"),
        (10, 10, "with 30 pictures of 3 classes to train on, a network that trains further learns them by heart; 20"),
    ],
)
def test_with_few_pictures_it_ends_at_frozen_with_the_reason(draw, tmp_path, validation, train, said):
    for part, each, first in (("train", train, 0), ("val", validation, 100), ("test", 10, 200)):
        draw(tmp_path / "photos" / part, each, first=first)
    result = eyespot.train(tmp_path / "photos", out=tmp_path / "ladder", time="50m")
    plain = eyespot.train(tmp_path / "photos", out=tmp_path / "plain")
    assert verdicts(result) == [("frozen", "kept")]
    assert any(note.startswith(f"the ladder ends at frozen: {said}") for note in result.notes)
    assert graph(result.run) == graph(plain.run)


def test_hardly_any_pictures_are_all_trained_on_as_without_a_time(draw, tmp_path):
    draw(tmp_path / "photos", 6)
    result = eyespot.train(tmp_path / "photos", out=tmp_path / "ladder", time="50m")
    plain = eyespot.train(tmp_path / "photos", out=tmp_path / "plain")
    assert result.out_of_fold == plain.out_of_fold == result.ladder[0].validation
    assert graph(result.run) == graph(plain.run)


def test_everything_can_be_trained_on_the_ladder(ladder_photos, tmp_path, weak, monkeypatch):
    monkeypatch.setattr(ladder, "FULL", replace(FULL, epochs=1, batch=16))
    monkeypatch.setattr(ladder, "full_step_seconds", lambda *given: 0.1)
    result = eyespot.train(ladder_photos, out=tmp_path, regime="full", time=3000)
    assert [regime for regime, _ in verdicts(result)] == ["frozen", "full"]
    assert result.ladder[1].trained.startswith("everything, beginning from published weights")
    assert args(result.run)["decisions"]["full: trained"]["steps"] == 4


# --- what the time allows


def cost(seconds: dict[str, float]) -> Callable[..., Cost]:
    """What a step behind each stage takes."""
    return lambda frozen, cut, job: Cost(seconds[cut.stage], 0.0)


def test_the_deepest_cut_that_the_time_allows_is_tried_and_what_it_does_not_allow_is_named(
    ladder_photos, tmp_path, left, monkeypatch
):
    monkeypatch.setattr(ladder, "partial_cost", cost({"stage5": 1e4, "stage6": 1e3, "stage7": 0.1}))
    monkeypatch.setattr(ladder, "full_step_seconds", lambda *given: 1e5)
    result = eyespot.train(ladder_photos, out=tmp_path, time=3000)
    assert [rung.regime for rung in result.ladder] == ["frozen", "partial", "full"]
    assert result.ladder[1].trained.startswith("everything behind stage7")
    full = result.ladder[2]
    assert full.verdict == "not begun: the time that was left allows no 2 epochs"
    assert (full.kept, full.seconds, full.validation) == (False, 0, None)
    decided = args(result.run)["decisions"]
    assert [decided[f"{key}: epochs"] for key in ("partial stage5", "partial stage6", "partial stage7", "full")] == [
        0,
        0,
        4,
        0,
    ]


def test_as_many_epochs_are_planned_as_fit(ladder_photos, tmp_path, left, monkeypatch):
    # 60 pictures are trained on and 30 validated, which is as much work as 70 that are trained on
    monkeypatch.setattr(ladder, "partial_cost", cost({"stage7": 1000 * 0.85 / 3.5 / (70 / 32)}))
    monkeypatch.setattr(ladder.Finishing, "reserve", 0.0)
    result = eyespot.train(ladder_photos, out=tmp_path, **LATE)
    assert args(result.run)["decisions"]["partial stage7: epochs"] == 3


def test_where_no_time_is_left_to_measure_nothing_further_is_begun(ladder_photos, tmp_path, left):
    left.seconds = 11.0
    result = eyespot.train(ladder_photos, out=tmp_path, time=3000)
    assert verdicts(result) == [("frozen", "kept"), ("partial", "not begun"), ("full", "not begun")]
    assert result.ladder[1].verdict == "not begun: the time that was left allows no 3 epochs"


def test_a_training_ends_when_its_time_is_up_and_a_replay_ends_it_there(ladder_photos, tmp_path, weak, left):
    def up() -> None:
        left.seconds = 0.0

    result = eyespot.train(ladder_photos, out=tmp_path, progress=at("training", 5, up), **LATE)
    assert args(result.run)["decisions"][TRAINED] == {"steps": 5, "ended": "by the clock"}
    note = "training was stopped by the clock after 5 of 8 steps; the weights it had then are kept"
    assert note in result.notes
    left.seconds = -1.0
    again = eyespot.train(replay=result.run, out=tmp_path / "again")
    assert graph(again.run) == graph(result.run)
    assert note in again.notes
    for name in ("results.csv", "predictions.csv"):
        assert Path(again.run, name).read_bytes() == Path(result.run, name).read_bytes()


def test_seconds_are_left_for_what_comes_behind_the_training(ladder_photos, tmp_path, left, monkeypatch):
    monkeypatch.setattr(ladder.Finishing, "reserve", 20.0)

    def nearly_up() -> None:
        left.seconds = 19.0

    result = eyespot.train(ladder_photos, out=tmp_path, progress=at("training", 5, nearly_up), **LATE)
    assert args(result.run)["decisions"][TRAINED] == {"steps": 5, "ended": "by the clock"}


def test_a_time_that_is_too_short_for_any_model_is_one_sentence_and_leaves_nothing(ladder_photos, tmp_path, left):
    left.seconds = -0.5
    with pytest.raises(
        OptionError, match=r"^the option time is too short: after 1 s there would be no model"
    ) as caught:
        eyespot.train(ladder_photos, out=tmp_path / "runs", time=1)
    assert "what was computed is kept, so run this again, or give at least" in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_time_that_will_be_too_short_is_said_as_soon_as_it_is_known(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(ladder, "time", SimpleNamespace(perf_counter=lambda: now.seconds))
    monkeypatch.setattr("eyespot.recipes.clock.time", SimpleNamespace(perf_counter=lambda: now.seconds))
    job: Any = SimpleNamespace(
        clock=Clock(60),
        world=SimpleNamespace(size=1),
        options=SimpleNamespace(time=60.0),
        progress=lambda *told: None,
    )
    tell = ladder.within(job)
    tell("computing features", 1000, 3000)  # the first thousand was stored
    now.seconds = 6.0
    tell("computing features", 1099, 3000)  # too early to say
    now.seconds = 6.2
    with pytest.raises(OptionError) as caught:
        tell("computing features", 1100, 3000)
    assert str(caught.value) == (
        "the option time is too short: after 60 s there would be no model, since computing features takes 124 s; what "
        "was computed is kept, so run this again, or give at least 129 s"
    )


def test_what_there_is_no_room_for_is_not_begun(ladder_photos, tmp_path, monkeypatch):
    def no_room(*given: Any, **options: Any) -> None:
        raise MachineError("there is no room for the views")

    monkeypatch.setattr(ladder, "partial_tuning", no_room)
    result = eyespot.train(ladder_photos, out=tmp_path, **LATE)
    assert verdicts(result) == [("frozen", "kept"), ("partial", "not begun")]
    assert result.ladder[1].verdict == "not begun: there is no room for the views"


def test_a_cut_that_is_not_there_is_named_before_anything_is_written(ladder_photos, tmp_path):
    with pytest.raises(OptionError, match="the option freeze cannot be 'stage99'"):
        eyespot.train(ladder_photos, out=tmp_path / "runs", freeze="stage99", time=3000)
    assert not (tmp_path / "runs").exists()


# --- stopped and killed on the way


@pytest.mark.parametrize(
    ("step", "done"), [("measuring on val", 0), ("checking the written model", 0), ("training", 0), ("training", 1)]
)
def test_ctrl_c_before_a_further_regime_learned_anything_keeps_the_frozen_model(ladder_photos, tmp_path, step, done):
    result = eyespot.train(ladder_photos, out=tmp_path, progress=once(step, done, KeyboardInterrupt()), **LATE)
    assert result.regime == "frozen"
    assert [rung.regime for rung in result.ladder] == ["frozen"]
    assert STOPPED in result.notes
    assert result.validation.n == 30
    assert Path(result.report).is_file()


def test_ctrl_c_in_a_training_judges_what_it_has_learned_and_ends_the_ladder(
    ladder_photos, tmp_path, weak, monkeypatch
):
    monkeypatch.setattr(ladder, "partial_cost", cost({"stage5": 1e9, "stage6": 1e9, "stage7": 0.1}))
    result = eyespot.train(ladder_photos, out=tmp_path, progress=at("training", 5, KeyboardInterrupt()), time=3000)
    assert verdicts(result) == [("frozen", "kept"), ("partial", "kept")]
    assert result.regime == "partial"
    assert STOPPED in result.notes
    assert "training was stopped by you after 5 of 8 steps; the weights it had then are kept" in result.notes
    again = eyespot.train(replay=result.run, out=tmp_path / "again")
    assert graph(again.run) == graph(result.run)
    assert verdicts(again) == verdicts(result)


def killed(data: Path, out: Path, progress: Callable[[str, int, int], None], **options: Any) -> Path:
    """The folder of a run that was killed."""
    with pytest.raises(Killed):
        eyespot.train(data, out=out, name="killed", progress=progress, **options)
    return out / "train" / "killed"


def test_killed_after_the_first_regime_the_model_is_there_and_the_run_goes_on(
    better, ladder_photos, tmp_path, weak, monkeypatch
):
    run = killed(ladder_photos, tmp_path, at("training", 0, Killed()), **LATE)
    assert read_bundle(run).manifest.regime == "frozen"
    picture = ladder_photos / "test" / "circle" / "200.png"
    assert len(eyespot.predict(run, picture)[0].predictions) == 3
    result = eyespot.train(resume=run)
    assert verdicts(result) == verdicts(better)
    assert graph(run) == graph(better.run)


def test_a_run_that_goes_on_has_the_time_that_was_left_and_counts_all_of_it(ladder_photos, tmp_path, weak, monkeypatch):
    monkeypatch.setattr(running, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(ladder.Finishing, "reserve", 0.0)
    run = killed(ladder_photos, tmp_path, at("training", 3, Killed()), **LATE)
    found = args(run)
    assert 0 < found["spent_seconds"] < 1000
    (run / "args.json").write_text(json.dumps(found | {"spent_seconds": 2999.9}), "utf-8")
    result = eyespot.train(resume=run)
    assert args(run)["decisions"][TRAINED] == {"steps": 1, "ended": "by the clock"}
    assert verdicts(result) == [("frozen", "kept"), ("partial", "discarded")] or result.regime == "partial"
    assert result.seconds > 2999.9
    assert result.ladder[1].seconds > 2000


def test_a_run_that_goes_on_never_puts_a_worse_model_in_place_of_a_better_one(better, ladder_photos, tmp_path, weak):
    run = killed(ladder_photos, tmp_path, at("measuring on test", 0, Killed()), **LATE)
    assert graph(run) == graph(better.run)
    with pytest.raises(Killed):
        eyespot.train(resume=run, progress=at("computing what lies below the cut", 60, Killed()))
    assert graph(run) == graph(better.run)
    result = eyespot.train(resume=run)
    assert graph(run) == graph(better.run)
    assert [rung.seconds for rung in result.ladder] == [
        args(run)["decisions"][f"{key}: seconds"] for key in ("frozen", "partial stage7")
    ]


# --- done again


def test_a_replay_takes_no_time_and_gives_the_same_bits(better, tmp_path, weak, left):
    left.seconds = -1.0
    result = eyespot.train(replay=better.run, out=tmp_path)
    assert graph(result.run) == graph(better.run)
    assert verdicts(result) == verdicts(better)
    mine, its = args(result.run)["decisions"], args(better.run)["decisions"]
    assert mine.keys() == its.keys()
    assert {name: mine[name] for name in mine if "seconds" not in name and "began" not in name} == {
        name: its[name] for name in its if "seconds" not in name and "began" not in name
    }


def test_a_replay_keeps_what_its_run_kept_even_where_it_would_judge_otherwise(better, tmp_path):
    result = eyespot.train(replay=better.run, out=tmp_path)  # here the frozen head is a good one
    assert verdicts(result) == verdicts(better)
    assert result.regime == "partial"


def test_a_run_that_decided_too_little_cannot_be_replayed(better, tmp_path):
    run = tmp_path / "runs" / "run"
    shutil.copytree(better.run, run)
    found = args(run)
    del found["decisions"]["partial stage7: kept"]
    (run / "args.json").write_text(json.dumps(found), "utf-8")
    with pytest.raises(OptionError, match="cannot be replayed: its args.json does not say what it decided on 'partial"):
        eyespot.train(replay=run, out=tmp_path)
