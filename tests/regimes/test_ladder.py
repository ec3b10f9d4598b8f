"""The ladder: what is tried, what is kept, what is on disk meanwhile, and that a clock decides it but once.

In the first half trainings only say what they would come to; in the second half pictures are learned.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import eyespot
from eyespot.building.backbone import DEFAULT
from eyespot.bundle.files import read_bundle
from eyespot.data.copies import Hashed
from eyespot.data.data_set import Picture
from eyespot.data.groups import Series
from eyespot.errors import MachineError, OptionError
from eyespot.heads.head import Head
from eyespot.progress import silent
from eyespot.regimes import featured as module
from eyespot.regimes import ladder
from eyespot.regimes import run_training as running
from eyespot.regimes import weighing as tried
from eyespot.regimes.answers import Answers, Asked
from eyespot.regimes.candidate import Candidate
from eyespot.regimes.cuts import decide_cuts
from eyespot.regimes.fitted import Fitted, Temperature
from eyespot.regimes.fitting import candidates
from eyespot.regimes.ladder import Ladder
from eyespot.regimes.learned import Attempt
from eyespot.regimes.plans import FULL, MOST_FOR_FEW, PARTIAL, Defaults, for_so_many
from eyespot.regimes.run_training import Cost
from eyespot.regimes.weighing import FirstRung
from eyespot.runs.clock import Clock, Decisions, Ended
from eyespot.runs.folder import RunFolder
from eyespot.runs.job import Job
from eyespot.runs.options import train_options

TRAINED, VALIDATED = 60, 30
WORK = TRAINED + VALIDATED / 3
"""Of an epoch, in pictures: to measure one is a third of the work of training on it."""
STAGES = ("stage5", "stage6", "stage7")
STOPPED = "stopped by you on the ladder: the best model so far is kept"


@pytest.fixture
def left(monkeypatch):
    """The seconds on every clock, as a test sets them: `left.seconds`."""
    state = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(Clock, "remaining", property(lambda clock: math.inf if clock.replays else state.seconds))
    return state


# --- trainings that say what they would come to


def job(clock: Clock, **options: Any) -> Job:
    chosen = train_options(time=1000, **options)
    return Job(chosen, RunFolder(chosen), None, Path(), "fp32", silent, clock)


def frozen(**known: Any) -> Fitted:
    """A frozen model of three classes that says nothing but how many pictures there were."""
    prepared = SimpleNamespace(
        data_set=SimpleNamespace(classes=("a", "b", "c")),
        different=lambda part: TRAINED,
        series=Series(),
        part=lambda *parts: [None] * sum({"train": TRAINED, "val": VALIDATED, "test": 0}[part] for part in parts),
    )
    nothing: dict[str, Any] = dict.fromkeys(Fitted.__dataclass_fields__)
    known |= {"regime": "frozen", "prepared": prepared, "trained_on": TRAINED, "views_computed": 0}
    return Fitted(**(nothing | {"notes": [], "table": ()} | known))


@dataclass
class Fake:
    """A ladder whose rungs have validation pictures right as told, at a price as told."""

    right: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("frozen", *STAGES, "full"), 20))
    """Of VALIDATED."""
    step_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys((*STAGES, "full"), 0.1))
    happens: dict[str, Any] = field(default_factory=dict)
    """Instead of a whole training: an error that preparing raises, or how training ended."""
    notes: dict[str, list[str]] = field(default_factory=dict)
    trained: dict[str, int] = field(default_factory=dict)
    """Epochs, by stage, of what was trained."""
    kept: list[str] = field(default_factory=list)
    """The regimes whose models were written."""
    reserve: float = 0.0

    def climb(self, clock: Clock) -> Fitted:
        self.trained, self.kept = {}, []
        behind = [self.attempt(stage, f"partial {stage}", PARTIAL) for stage in STAGES]
        everything = self.attempt("full", "full", for_so_many(FULL, TRAINED, most=MOST_FOR_FEW["full"]))
        possible = [
            Candidate("partial", "everything behind a cut", lambda: behind, fewest=2, most=2),
            Candidate("full", "everything", lambda: [everything], fewest=3, most=4),
        ]
        first = FakeFirst(frozen(), 2.0, answers=self.answers("frozen"))
        return Ladder(first, possible, job(clock), keep=self.keep, tune=self.tune).climb()

    def attempt(self, stage: str, key: str, defaults: Defaults) -> Attempt:
        return Attempt(
            key,
            defaults,
            cost=lambda: Cost(self.step_seconds[stage], 0.0),
            prepare=lambda defaults: self.tuning(stage, key, defaults.epochs),
        )

    def keep(self, fitted: Fitted) -> None:
        self.kept.append(fitted.regime)

    def answers(self, what: str) -> Answers:
        pictures = [Hashed(Picture(f"{row}.png", label="a"), content=f"{row:08x}") for row in range(VALIDATED)]
        logits = np.array([[1.0, 0.0] if row < self.right[what] else [0.0, 1.0] for row in range(VALIDATED)])
        return Answers(pictures, np.zeros(VALIDATED, np.int64), logits[None])

    def tuning(self, what: str, key: str, epochs: int) -> Any:
        if isinstance(self.happens.get(what), Exception):
            raise self.happens[what]
        self.trained[what] = epochs
        lesson = SimpleNamespace(regime=key.split()[0], what=f"what lies behind {what}")
        return SimpleNamespace(key=key, lesson=lesson, stage=what)

    def tune(self, frozen: Fitted, tuning: Any, job: Job, *, reserve: float) -> Fitted:
        self.reserve = reserve
        ended = self.happens.get(tuning.stage, "whole")
        if ended == "before it began":
            return frozen
        Decisions(job.clock, tuning.key).end(Ended(8, ended))
        notes = [*frozen.notes, *self.notes.get(tuning.stage, [])]
        return replace(
            frozen,
            regime=tuning.lesson.regime,
            temperature=Temperature(1.0, "", self.answers(tuning.stage)),
            notes=notes,
        )


@dataclass(frozen=True)
class FakeFirst(FirstRung):
    """A frozen model that takes 6 seconds to be measured: half as much more and another second are left to that, 10."""

    answers: Answers | None = None

    def ask(self, job: Job) -> Asked:
        return Asked(self.frozen.prepared, self.answers, 0, [])

    def seconds_to_measure(self) -> float:
        return 6.0


@pytest.fixture
def fake(left) -> Fake:
    return Fake()


def verdicts(result: Any) -> list[tuple[str, str]]:
    return [(rung.regime, rung.verdict.partition(":")[0]) for rung in result.ladder]


def test_what_is_better_by_more_than_chance_explains_is_kept_and_on_disk_at_once(fake):
    fake.right |= {"stage5": 26, "full": 30}
    result = fake.climb(Clock(1000))
    assert verdicts(result) == [("frozen", "kept"), ("partial", "kept"), ("full", "kept")]
    assert fake.kept == ["frozen", "partial", "full"]
    assert result.regime == "full"
    assert result.ladder[0].verdict == "kept: the first"
    assert result.ladder[1].verdict == (
        "kept: 6 right that frozen had wrong and 0 wrong that it had right: "
        "+20.0 points (95 % interval +2.7 to +34.8), p 0.0078"
    )
    assert " right that partial had wrong and 0 wrong that it had right: +13.3 points" in result.ladder[2].verdict
    assert [(rung.validation.accuracy * 30, rung.validation.n) for rung in result.ladder] == [
        (20, 30),
        (26, 30),
        (30, 30),
    ]
    assert [rung.trained for rung in result.ladder[1:]] == ["what lies behind stage5", "what lies behind full"]


def test_what_comes_behind_training_is_measured_on_pictures_that_are_not_stored(fake, monkeypatch):
    monkeypatch.setattr(tried, "seconds_per_view", lambda trunk, hashed: 0.01)
    monkeypatch.setattr(tried, "pictures_for_means", lambda prepared: [None] * 50)
    assert FirstRung(frozen(), 2.0).seconds_to_measure() == pytest.approx(0.01 * (VALIDATED + 50))
    clock = Clock(1000)
    fake.climb(clock)
    assert clock.known("finishing: seconds") == pytest.approx(6.0, abs=0.05)


@pytest.mark.parametrize("right", [23, 20, 12])
def test_what_is_no_better_is_discarded_and_the_best_stays(fake, right):
    fake.right |= {"stage5": right, "full": right}
    fake.notes["full"] = ["near step 3 the loss was no finite number"]
    result = fake.climb(Clock(1000))
    assert verdicts(result) == [("frozen", "kept"), ("partial", "discarded"), ("full", "discarded")]
    assert (result.regime, fake.kept) == ("frozen", ["frozen"])
    assert result.ladder[2].validation.n == 30
    assert result.notes == [
        "full, which was discarded: near step 3 the loss was no finite number",
        "17 min of the time are left: more epochs would learn these pictures by heart, and nothing that trains more "
        "fits into it",
    ]


def test_each_is_compared_with_the_best_so_far(fake):
    fake.right |= {"stage5": 28, "full": 26}
    result = fake.climb(Clock(1000))
    assert verdicts(result) == [("frozen", "kept"), ("partial", "kept"), ("full", "discarded")]
    assert " 0 right that partial had wrong and 2 wrong that it had right: -6.7 points" in result.ladder[2].verdict
    assert result.regime == "partial"


def test_of_two_that_beat_the_head_alone_the_one_that_is_ahead_is_kept(fake):
    fake.right |= {"stage5": 27, "full": 28}
    result = fake.climb(Clock(1000))
    assert verdicts(result) == [("frozen", "kept"), ("partial", "kept"), ("full", "kept")]
    assert result.ladder[2].verdict.startswith(
        "kept: it leads, and beats the head alone; 1 right that partial had wrong and 0 wrong that it had right: "
    )
    assert (result.regime, fake.kept) == ("full", ["frozen", "partial", "full"])


def test_one_that_is_no_better_than_the_head_alone_does_not_take_its_place_by_leading(fake):
    fake.right |= {"stage5": 21, "full": 22}
    assert fake.climb(Clock(1000)).regime == "frozen"


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({}, [[f"partial {stage}" for stage in STAGES], ["full"]]),
        ({"regime": "partial"}, [[f"partial {stage}" for stage in STAGES]]),
        ({"regime": "full"}, [["full"]]),
        ({"freeze": "stage6"}, [["partial stage6"]]),
    ],
    ids=str,
)
def test_what_was_asked_for_is_all_that_is_tried(shared_cache, options, keys):
    head = Head(((np.zeros((3, 1280)), np.zeros(3)),), "softmax")
    model = frozen(head=head, trunk=SimpleNamespace(network=None))
    its = replace(job(Clock(1000), **options), cache_folder=shared_cache)
    found = candidates(model, DEFAULT, lambda: decide_cuts(DEFAULT, its.options.freeze), its)
    assert [[attempt.key for attempt in candidate.attempts()] for candidate in found] == keys


def test_the_deepest_cut_that_the_time_allows_is_tried_and_what_it_does_not_allow_is_named(fake):
    fake.step_seconds |= {"stage5": 1e4, "stage6": 1e3, "full": 1e5}
    clock = Clock(1000)
    result = fake.climb(clock)
    assert list(fake.trained) == ["stage7"]
    assert verdicts(result) == [("frozen", "kept"), ("partial", "discarded"), ("full", "not begun")]
    full = result.ladder[2]
    assert full.verdict == "not begun: the time that was left allows no 3 epochs"
    assert (full.trained, full.kept, full.seconds, full.validation) == ("everything", False, 0, None)
    decided = [clock.known(f"{key}: epochs") for key in ("partial stage5", "partial stage6", "partial stage7", "full")]
    assert decided == [0, 0, fake.trained["stage7"], 0]


@pytest.mark.parametrize("epochs", [2.5, 3, 5.2])
def test_as_many_epochs_are_planned_as_fit(fake, left, epochs):
    steps = (epochs + 0.05) * WORK / PARTIAL.batch
    fake.step_seconds["full"] = 1e5
    fake.step_seconds["stage5"] = ladder.PLANNED * (left.seconds - 10.0) / steps
    fake.climb(Clock(1000))
    assert fake.trained["stage5"] == epochs


def test_much_time_is_not_used_up(fake, left):
    left.seconds = 1e9
    fake.climb(Clock(1e9))
    assert fake.trained == {
        "stage5": 2 * PARTIAL.epochs,
        "full": 4 * MOST_FOR_FEW["full"],
    }


def test_the_partial_regime_takes_more_epochs_only_from_what_the_full_one_does_not_need(fake, left):
    own, steps = PARTIAL.epochs, WORK / PARTIAL.batch
    fake.step_seconds["full"] = fake.step_seconds["stage5"] * 2
    full = for_so_many(FULL, TRAINED, most=MOST_FOR_FEW["full"])
    needed = full.epochs * 2 * 0.1 * WORK / full.batch
    left.seconds = 10.0 + ((own + 1.5) * 0.1 * steps + needed) / ladder.PLANNED
    fake.climb(Clock(1000))
    assert fake.trained["stage5"] == pytest.approx(own + 1.5, abs=0.11)


@pytest.mark.parametrize(("share", "tried"), [(0.3, ["stage5", "full"]), (0.5, ["full"])])
def test_a_cheap_regime_is_tried_before_one_that_could_use_all_of_the_time(fake, left, share, tried):
    """The full one has room for more than 3 epochs, and for fewer than its own."""
    seconds = 1000.0
    left.seconds = 10.0 + seconds / ladder.PLANNED
    fake.step_seconds["stage5"] = share * seconds / (PARTIAL.epochs * WORK / PARTIAL.batch)
    fake.step_seconds["full"] = seconds / (8 * WORK / FULL.batch)
    fake.climb(Clock(1000))
    assert list(fake.trained) == tried
    if "stage5" in fake.trained:
        assert fake.trained["stage5"] == PARTIAL.epochs
        assert fake.trained["full"] >= 3


def test_the_partial_regime_takes_what_is_of_no_use_to_the_full_one(fake, left):
    left.seconds = 1e5
    fake.step_seconds["full"] = 1e5
    fake.climb(Clock(1e5))
    assert fake.trained == {"stage5": 2 * PARTIAL.epochs}


def test_seconds_for_measuring_and_writing_are_left_to_every_training(fake, left):
    fake.climb(Clock(1000))
    assert fake.reserve == pytest.approx(10.0, abs=0.1)
    left.seconds = 10.0 + ladder.MEASURING_SECONDS - 0.1
    result = fake.climb(Clock(1000))
    assert verdicts(result) == [("frozen", "kept"), ("partial", "not begun"), ("full", "not begun")]
    assert fake.trained == {}


def test_what_there_is_no_room_for_is_not_begun(fake):
    fake.happens["stage5"] = MachineError("there is no room for the views")
    result = fake.climb(Clock(1000))
    assert verdicts(result) == [("frozen", "kept"), ("partial", "not begun"), ("full", "discarded")]
    assert result.ladder[1].verdict == "not begun: there is no room for the views"


def test_ctrl_c_before_anything_was_learned_ends_the_ladder(fake):
    fake.right |= {"stage5": 26}
    fake.happens["full"] = "before it began"
    result = fake.climb(Clock(1000))
    assert verdicts(result) == [
        ("frozen", "kept"),
        ("partial", "kept"),
        ("full", "stopped by you before an epoch was over"),
    ]
    assert (result.regime, result.notes) == ("partial", [STOPPED])


@pytest.mark.parametrize(("right", "verdict"), [(26, "kept"), (14, "discarded")])
def test_ctrl_c_in_a_training_judges_what_it_has_learned_and_ends_the_ladder(fake, right, verdict):
    fake.right |= {"stage5": right}
    fake.happens["stage5"] = "by the user"
    clock = Clock(1000)
    result = fake.climb(clock)
    assert verdicts(result) == [("frozen", "kept"), ("partial", verdict)]
    assert result.notes == [STOPPED]
    again = fake.climb(Clock(1000, decisions=clock.decisions, replays="run"))
    assert (verdicts(again), again.notes) == (verdicts(result), [STOPPED])


def test_ctrl_c_while_the_first_model_is_written_leaves_the_frozen_one(fake, monkeypatch):
    def stop(self: Fake, fitted: Fitted) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Fake, "keep", stop)
    result = fake.climb(Clock(1000))
    assert (result.regime, verdicts(result), result.notes) == ("frozen", [("frozen", "kept")], [STOPPED])


def test_a_replay_tries_and_keeps_the_same_whatever_the_clock_and_the_pictures_say_now(fake, left):
    fake.right |= {"stage6": 26}
    fake.step_seconds |= {"stage5": 1e4, "full": 1e4}
    clock = Clock(1000)
    first = fake.climb(clock)
    trained = fake.trained
    left.seconds = 0.0
    fake.right |= {"stage6": 20}
    fake.step_seconds |= {"stage5": 0.0, "stage6": 1e9}
    replay = Clock(1000, decisions=clock.decisions, replays="run")
    again = fake.climb(replay)
    assert verdicts(again) == verdicts(first) == [("frozen", "kept"), ("partial", "kept"), ("full", "not begun")]
    assert (fake.trained, again.regime) == (trained, "partial")
    assert replay.decisions.keys() == clock.decisions.keys()


def test_a_run_that_goes_on_says_what_its_rungs_had_taken_before(fake, monkeypatch):
    clock = Clock(1000)
    first = fake.climb(clock)
    again = fake.climb(Clock(1000, spent=500, decisions=clock.decisions))
    assert [rung.seconds for rung in again.ladder] == [rung.seconds for rung in first.ladder]


def test_a_rung_that_a_kill_interrupted_has_taken_all_the_time_since_it_began(fake):
    decided = {"partial stage5: epochs": 4, "partial stage5: began": 100.0}
    result = fake.climb(Clock(1000, spent=400, decisions=decided))
    assert result.ladder[1].seconds == pytest.approx(300, abs=5)


@pytest.mark.parametrize("has_model", [True, False])
def test_a_run_that_goes_on_never_puts_the_first_model_in_place_of_a_better_one(fake, monkeypatch, has_model):
    fake.right |= {"stage5": 26}
    clock = Clock(1000)
    fake.climb(clock)
    monkeypatch.setattr(RunFolder, "has_model", has_model)
    fake.climb(Clock(1000, decisions=clock.decisions))
    assert fake.kept == (["partial"] if has_model else ["frozen", "partial"])


@pytest.mark.parametrize(
    ("train", "validation", "said"),
    [
        (600, 29, "29 different validation pictures cannot tell a better model from a luckier one, 30 are needed"),
        (
            59,
            300,
            "with 59 different pictures of 3 classes to train on, a network that trains further learns them by heart",
        ),
        (60, 30, ""),
    ],
)
def test_too_few_pictures_are_a_reason_to_stay_frozen(train, validation, said):
    found = ladder.too_little(train, validation, classes=3)
    assert found.startswith(f"the ladder ends at frozen: {said}") if said else found == ""


# --- trainings of pictures

LATE = {"freeze": "stage7", "time": 3000.0}
"""Only the head's own stage trains: seconds, where there are minutes."""
PARTIAL_ENDED = "partial stage7: trained"
EPOCHS = 5
"""Of the partial regime where pictures are learned, instead of 40: the ladder plans twice as many."""


class Killed(BaseException):
    """Stands for a kill: nobody catches it."""


@pytest.fixture
def _shared(shared_cache, monkeypatch) -> None:
    """The cache that tests share, and few epochs."""
    shorten(monkeypatch)


def shorten(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(MOST_FOR_FEW, "partial", EPOCHS)


def weaken(patch: pytest.MonkeyPatch) -> None:
    """The frozen regime's head knows nothing, so that whatever trains further is better."""
    whole = module.fit_frozen

    def fit(*given: Any, **options: Any) -> Any:
        fitted = whole(*given, **options)
        [(weight, bias)] = fitted.head.layers
        return replace(fitted, head=Head(((weight * 0, bias * 0),), fitted.head.output))

    patch.setattr(module, "fit_frozen", fit)


@pytest.fixture
def weak(monkeypatch, _shared) -> None:
    weaken(monkeypatch)


@pytest.fixture(scope="module")
def better(ladder_photos, warm_cache, tmp_path_factory):
    """A run whose partial regime was better and kept. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        shorten(patch)
        weaken(patch)
        return eyespot.train(ladder_photos, out=tmp_path_factory.mktemp("better"), **LATE)


def at(step: str, done: int, act: Callable[[], None] | BaseException) -> Callable[[str, int, int], None]:
    """A progress that does something, or raises it, when the run first comes so far."""
    came: list[str] = []

    def tell(now: str, so_far: int, total: int) -> None:
        if (now, so_far) != (step, done) or came:
            return
        came.append(now)
        if isinstance(act, BaseException):
            raise act
        act()

    return tell


def args(run: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(run) / "args.json").read_text("utf-8"))
    return found


def decided(run: str | Path) -> dict[str, Any]:
    """What was decided, without what was measured."""
    measured = ("seconds", "began", "left")
    return {name: value for name, value in args(run)["decisions"].items() if not name.endswith(measured)}


def graph(run: str | Path) -> bytes:
    return read_bundle(run).graph


def test_the_ladder_stands_in_every_file(better):
    assert verdicts(better) == [("frozen", "kept"), ("partial", "kept")]
    assert better.regime == read_bundle(better.run).manifest.regime == "partial"
    assert better.ladder[1].validation == better.validation
    assert better.ladder[1].trained.startswith("everything after stage7")
    assert all(rung.seconds > 0 for rung in better.ladder)
    assert better.ladder[1].verdict in Path(better.report).read_text("utf-8").replace("&#43;", "+")
    assert len(json.loads(Path(better.run, "result.json").read_text("utf-8"))["ladder"]) == 2
    found = decided(better.run)
    fits = found.pop("frozen: fits")  # its rest says what was stored before
    assert (fits["pictures"], fits["mirror"], fits["stopped"]) == (60, True, False)
    assert found == {
        "partial stage7: epochs": 2 * EPOCHS,
        PARTIAL_ENDED: {"steps": 4 * EPOCHS, "ended": "whole"},
        "partial stage7: kept": True,
    }


@pytest.mark.usefixtures("_shared")
def test_where_the_tail_loses_the_frozen_model_is_what_it_is_without_a_time(ladder_photos, tmp_path):
    result = eyespot.train(ladder_photos, out=tmp_path / "ladder", lr=10, average=0, group="off", **LATE)
    plain = eyespot.train(ladder_photos, out=tmp_path / "plain", regime="frozen", group="off")
    assert verdicts(result) == [("frozen", "kept"), ("partial", "discarded")]
    assert result.ladder[1].validation.accuracy < result.ladder[0].validation.accuracy
    assert result.regime == read_bundle(result.run).manifest.regime == "frozen"
    assert graph(result.run) == graph(plain.run)
    assert result.validation == plain.validation
    assert result.regime_reason == "the best on the validation pictures within 3000 s"


@pytest.mark.usefixtures("_shared")
def test_with_few_pictures_the_model_is_what_it_is_without_a_time(draw, tmp_path):
    draw(tmp_path / "photos", 6)
    result = eyespot.train(tmp_path / "photos", out=tmp_path / "ladder", time="50m", group="off")
    plain = eyespot.train(tmp_path / "photos", out=tmp_path / "plain", group="off")
    assert verdicts(result) == [("frozen", "kept")]
    few = "the ladder ends at frozen: 3 different validation pictures cannot"
    assert any(note.startswith(few) for note in result.notes)
    assert result.out_of_fold == plain.out_of_fold == result.ladder[0].validation
    assert graph(result.run) == graph(plain.run)


def test_a_training_ends_when_its_time_is_up_and_a_replay_ends_it_there(ladder_photos, tmp_path, weak, left):
    def up() -> None:
        left.seconds = 0.0

    result = eyespot.train(ladder_photos, out=tmp_path, progress=at("training", 5, up), **LATE)
    assert decided(result.run)[PARTIAL_ENDED] == {"steps": 5, "ended": "by the clock"}
    note = f"training was stopped by the clock after 5 of {4 * EPOCHS} steps; it is judged by the weights it had then"
    assert note in result.notes
    again = eyespot.train(replay=result.run, out=tmp_path / "again")
    assert graph(again.run) == graph(result.run)
    assert note in again.notes
    for name in ("results.csv", "predictions.csv"):
        assert Path(again.run, name).read_bytes() == Path(result.run, name).read_bytes()


@pytest.mark.usefixtures("_shared")
def test_a_replay_keeps_what_its_run_kept_even_where_it_would_judge_otherwise(better, tmp_path):
    result = eyespot.train(replay=better.run, out=tmp_path)  # here the frozen head is a good one
    assert verdicts(result) == verdicts(better)
    assert result.regime == "partial"
    assert decided(result.run) == decided(better.run)


@pytest.mark.usefixtures("_shared")
def test_a_run_that_decided_too_little_cannot_be_replayed(better, tmp_path):
    run = tmp_path / "runs" / "run"
    shutil.copytree(better.run, run)
    found = args(run)
    del found["decisions"]["frozen: fits"]
    (run / "args.json").write_text(json.dumps(found), "utf-8")
    with pytest.raises(OptionError, match=r"cannot be replayed: .* what it decided on 'frozen: fits'"):
        eyespot.train(replay=run, out=tmp_path)


@pytest.mark.usefixtures("_shared")
def test_a_cut_that_is_not_there_is_named_before_anything_is_written(ladder_photos, tmp_path):
    with pytest.raises(OptionError, match="the option freeze cannot be 'stage99'"):
        eyespot.train(ladder_photos, out=tmp_path / "runs", freeze="stage99", time=3000)
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("_shared")
@pytest.mark.parametrize(("step", "done"), [("measuring on val", 30), ("checking the written model", 0)])
def test_ctrl_c_while_the_first_model_is_measured_or_written_ends_the_ladder(ladder_photos, tmp_path, step, done):
    stop = at(step, done, KeyboardInterrupt())
    result = eyespot.train(ladder_photos, out=tmp_path, progress=stop, **LATE)
    assert (result.regime, verdicts(result)) == ("frozen", [("frozen", "kept")])
    assert STOPPED in result.notes
    assert result.validation.n == 30


def test_killed_after_the_first_regime_the_model_is_there_and_the_run_goes_on_in_what_is_left_of_its_time(
    better, ladder_photos, tmp_path, weak, monkeypatch
):
    monkeypatch.setattr(running, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(running, "CHECKPOINT_SHARE", 1e9)
    with pytest.raises(Killed):
        eyespot.train(ladder_photos, out=tmp_path, name="killed", progress=at("training", 3, Killed()), **LATE)
    run = tmp_path / "train" / "killed"
    assert read_bundle(run).manifest.regime == "frozen"
    picture = ladder_photos / "test" / "circle" / "200.png"
    assert len(eyespot.predict(run, picture)[0].predictions) == 3
    assert 0 < args(run)["spent_seconds"] < 3000
    shutil.copytree(run, tmp_path / "train" / "late")
    result = eyespot.train(resume=run)
    assert verdicts(result) == verdicts(better)
    assert graph(run) == graph(better.run)
    late = tmp_path / "train" / "late"
    (late / "args.json").write_text(json.dumps(args(late) | {"spent_seconds": 2999.9}), "utf-8")
    eyespot.train(resume=late)
    assert decided(late)[PARTIAL_ENDED] == {"steps": 3, "ended": "by the clock"}
