"""The ladder: frozen, then what trains more of the network, as far as the clock allows and the pictures bear out.

Every rung begins with the published weights and the frozen rung's head. It is begun only if the time that is left, by
what a few steps took just now, allows enough of it; and it is kept only if it beats the best so far on the validation
pictures by more than the standard error of that difference. After each rung that is kept a whole model is on disk.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from eyespot.errors import MachineError
from eyespot.features.tap import Tap
from eyespot.recipes.backbone import Backbone
from eyespot.recipes.compared import FEWEST_VALIDATION
from eyespot.recipes.full import KEY, full_cost, full_defaults, full_tuning
from eyespot.recipes.job import Job
from eyespot.recipes.partial import Cut, cut_at, cuts, partial_cost, partial_tuning
from eyespot.recipes.plans import Defaults
from eyespot.recipes.regime import Fitted
from eyespot.recipes.running import Cost
from eyespot.recipes.trained import seconds_per_view, with_head
from eyespot.recipes.tried import Climbed, began_at, begin, weigh, with_start
from eyespot.recipes.tuned import Tuning, tune, with_note
from eyespot.records import Rung
from eyespot.words import counted

FEWEST_PER_CLASS = 20
"""Pictures to train on per class, on average, below which training more than the head only learns them by heart."""
PLANNED = 0.99
"""Share of the time left that a training is planned for. Where its steps take longer the clock ends it in time, and the
last steps of a cycle change little."""
MOST_EPOCHS = 2
"""Times a regime's own number of epochs, at most, where there is time for them."""
FEWEST_EPOCHS = {"partial": 2, "full": 2}
"""Fewer are no useful part of a regime."""
MEASURING_SECONDS = 10
"""What it may take to find out what a regime would take, with room to spare."""
WRITTEN = 2
"""Times a model may be written after a training: when it is kept, and with its report."""
VALIDATED = 1 / 3
"""What a validation picture takes, in terms of one that is trained on: the way there, and not back."""


Keep: TypeAlias = Callable[[Fitted], None]


@dataclass(frozen=True)
class Finishing:
    """What comes behind the last training: the validation and test pictures are asked, and the model is written."""

    seconds: float

    @property
    def reserve(self) -> float:
        """Seconds to be left on the clock: measured ones may take longer the second time."""
        return 1.5 * self.seconds + 1.0


@dataclass(frozen=True)
class _Rung:
    """A regime that is about to be tried."""

    regime: Literal["partial", "full"]
    key: str
    prepare: Callable[[], Tuning]


def climb(
    frozen: Fitted, backbone: Backbone, job: Job, *, keep: Keep, seconds: float, tap: Tap | None = None
) -> Fitted:
    """The best model that the time allows, with the rungs that were tried.

    frozen: fitted on the train part alone. Ctrl-C gives the best model so far.
    keep: writes a model to disk; called with the frozen one and with each that is better.
    seconds: what the frozen regime took. tap: activations that are kept where the frozen model is asked.
    Raises OptionError for a cut that is not there, before anything is written.
    """
    if job.options.freeze is not None:
        cut_at(frozen, backbone, job, None)
    climbed = Climbed.of(frozen, None, job, seconds)
    try:
        climbed = begin(frozen, job, seconds=seconds, tap=tap)
        finishing = _first_model(climbed, job, keep)
        _climb_on(climbed, climbed.best, backbone, job, keep, finishing)
    except KeyboardInterrupt:
        if job.world.size > 1:  # processes that do not stop alike would wait for each other
            raise
        climbed.best = with_note(climbed.best, "stopped by you on the ladder: the best model so far is kept")
    return replace(climbed.best, ladder=tuple(climbed.rungs))


def too_little(train: int, validation: int, *, classes: int) -> str:
    """Why nothing but the frozen regime is tried with so many pictures, as a note; empty where more can be."""
    if validation < FEWEST_VALIDATION:
        return (
            f"the ladder ends at frozen: {counted(validation, 'validation picture')} cannot tell a better model from a "
            f"luckier one, {FEWEST_VALIDATION} are needed"
        )
    if train < FEWEST_PER_CLASS * classes:
        return (
            f"the ladder ends at frozen: with {counted(train, 'picture')} of {classes} classes to train on, a network "
            f"that trains further learns them by heart; {FEWEST_PER_CLASS} of each are needed"
        )
    return ""


def _first_model(climbed: Climbed, job: Job, keep: Keep) -> Finishing:
    """The frozen model is on disk, and what comes behind the last training is measured by that."""
    what, frozen = "finishing: seconds", climbed.best
    before = time.perf_counter()
    if job.clock.known(what) is None or not job.folder.has_model:  # a run that goes on may have a better one already
        keep(frozen)
    written = time.perf_counter() - before

    def measured() -> float:
        asked = frozen.prepared.part("val", "test")
        return round(WRITTEN * written + seconds_per_view(frozen.trunk, asked) * len(asked), 2)

    return Finishing(job.clock.measure(what, measured))


def _climb_on(climbed: Climbed, frozen: Fitted, backbone: Backbone, job: Job, keep: Keep, finishing: Finishing) -> None:
    answered = len(climbed.answers.labels) if climbed.answers else 0
    reason = too_little(frozen.trained_on, answered, classes=len(frozen.prepared.data_set.classes))
    if reason:
        climbed.best = with_note(frozen, reason)
        return
    wanted = job.options.regime
    if wanted in ("auto", "partial"):
        cut = _affordable_cut(frozen, backbone, job, finishing)
        if cut is None:
            climbed.rungs.append(_not_begun("partial", "everything behind a cut", _too_little_time("partial")))
        else:
            defaults = _with_epochs(cut.defaults, job, cut.key)
            rung = _Rung("partial", cut.key, lambda: partial_tuning(frozen, cut, job, defaults=defaults))
            _try(climbed, rung, frozen, job, keep, finishing)
    if wanted in ("auto", "full") and job.options.freeze is None:
        epochs = job.clock.decide(f"{KEY}: epochs", lambda: _epochs_of_full(frozen, backbone, job, finishing))
        if not epochs:
            climbed.rungs.append(_not_begun("full", "everything", _too_little_time("full")))
        else:
            defaults = replace(full_defaults(frozen), epochs=epochs)
            rung = _Rung("full", KEY, lambda: full_tuning(frozen, backbone, job, defaults=defaults))
            _try(climbed, rung, frozen, job, keep, finishing)


def _try(climbed: Climbed, rung: _Rung, frozen: Fitted, job: Job, keep: Keep, finishing: Finishing) -> None:
    """One rung: trained, compared with the best so far, and kept where it is better."""
    began = began_at(rung.key, job)
    try:
        tuning = rung.prepare()
    except MachineError as error:  # no room for its images or activations
        if job.world.size > 1:
            raise
        climbed.rungs.append(_not_begun(rung.regime, "nothing", str(error)))
        return
    tuned = tune(frozen, tuning, job, reserve=finishing.reserve)
    if tuned.regime == "frozen":  # stopped before anything was learned
        raise KeyboardInterrupt
    tuned = with_start(tuned, climbed)
    weigh(climbed, tuned, tuning, job, began=began)
    is_kept = climbed.best is tuned
    if not is_kept:
        for note in tuned.notes[len(frozen.notes) :]:
            climbed.best = with_note(climbed.best, f"{rung.regime}, which was discarded: {note}")
    if job.clock.known(f"{rung.key}: trained")["ended"] == "by the user":
        raise KeyboardInterrupt
    if is_kept:
        keep(tuned)


def _affordable_cut(frozen: Fitted, backbone: Backbone, job: Job, finishing: Finishing) -> Cut | None:
    """The deepest cut behind which enough epochs fit, and the number of them in the decisions; None where none does."""
    if job.options.freeze is not None:
        stages = [job.options.freeze]
    else:
        stages = cuts(with_head(backbone.built(job.cache_folder), frozen.head), frozen.trunk.preprocess)
    for stage in stages:
        cut = cut_at(frozen, backbone, job, stage)

        def fitting(cut: Cut = cut) -> int:
            if job.clock.is_up(reserve=finishing.reserve + MEASURING_SECONDS):
                return 0
            cost = partial_cost(frozen, cut, job)
            return _epochs(job, finishing, cost, frozen, cut.defaults, "partial")

        if job.clock.decide(f"{cut.key}: epochs", fitting):
            return cut
    return None


def _epochs_of_full(frozen: Fitted, backbone: Backbone, job: Job, finishing: Finishing) -> int:
    if job.clock.is_up(reserve=finishing.reserve + MEASURING_SECONDS):
        return 0
    return _epochs(job, finishing, full_cost(frozen, backbone, job), frozen, full_defaults(frozen), "full")


def _epochs(job: Job, finishing: Finishing, cost: Cost, frozen: Fitted, defaults: Defaults, regime: str) -> int:
    """How many epochs fit, at most a multiple of the regime's own; 0 where fewer than a useful part of it."""
    train, val = len(frozen.prepared.part("train")), len(frozen.prepared.part("val"))
    batch = int(defaults.of(job.options)["batch"])
    epoch = cost.step_seconds * (train + VALIDATED * val) / batch
    left = PLANNED * (job.clock.remaining - finishing.reserve) - cost.before_seconds
    epochs = math.floor(min(left / epoch, MOST_EPOCHS * defaults.epochs))
    return epochs if epochs >= FEWEST_EPOCHS[regime] else 0


def _with_epochs(defaults: Defaults, job: Job, key: str) -> Defaults:
    return replace(defaults, epochs=int(job.clock.known(f"{key}: epochs")))


def _not_begun(regime: Literal["partial", "full"], trained: str, reason: str) -> Rung:
    return Rung(
        regime=regime, trained=trained, seconds=0.0, validation=None, verdict=f"not begun: {reason}", kept=False
    )


def _too_little_time(regime: str) -> str:
    return f"the time that was left allows no {FEWEST_EPOCHS[regime]} epochs"
