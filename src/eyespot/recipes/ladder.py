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
from typing import Literal

import numpy as np

from eyespot.evaluate.intervals import wilson
from eyespot.recipes.backbone import Backbone
from eyespot.recipes.full import KEY, full_step_seconds, full_tuning
from eyespot.recipes.job import Job
from eyespot.recipes.partial import Cost, Cut, cut_at, cuts, partial_cost, partial_tuning, views_of
from eyespot.recipes.plans import FULL, Defaults
from eyespot.recipes.regime import Fitted, OutOfFold
from eyespot.recipes.trained import on_val, with_head
from eyespot.recipes.tuned import Tuning, tune, with_note
from eyespot.records import Metric, Rung
from eyespot.words import counted

FEWEST_VALIDATION = 30
"""Validation pictures below which a deeper regime cannot be told from a luckier one."""
FEWEST_PER_CLASS = 20
"""Pictures to train on per class, on average, below which training more than the head only learns them by heart."""
PLANNED = 0.92
"""Share of the time left that a training is planned for: steps do not take the same time all along."""
MOST_EPOCHS = 2
"""Times a regime's own number of epochs, at most, where there is time for them."""
FEWEST_EPOCHS = {"partial": 2, "full": 2}
"""Fewer are no useful part of a regime."""
MEASURING_SECONDS = 10
"""What it may take to find out what a regime would take, with room to spare."""
VALIDATED = 1 / 3
"""What a validation picture takes, in terms of one that is trained on: the way there, and not back."""


@dataclass(frozen=True)
class Finishing:
    """What comes behind the last training, as measured when the frozen model was written."""

    seconds: float

    @property
    def reserve(self) -> float:
        """Seconds to be left on the clock: measured ones may take longer the second time."""
        return 1.5 * self.seconds + 1.0


@dataclass
class Climbed:
    """The best model so far, and how it came to be."""

    best: Fitted
    answers: OutOfFold | None
    """The best model's to the validation pictures."""
    rungs: list[Rung]


def climb(frozen: Fitted, backbone: Backbone, job: Job, *, keep: Callable[[Fitted], None], began: float) -> Fitted:
    """The best model that the time allows, with the rungs that were tried.

    frozen: fitted on the train part alone. Ctrl-C gives the best model so far.
    keep: writes a model to disk; called with the frozen one and with each that is better.
    began: what `time.perf_counter` said when the frozen regime began.
    """
    frozen_seconds = time.perf_counter() - began
    before = time.perf_counter()
    keep(frozen)
    answers = on_val(frozen.prepared, frozen.trunk, frozen.head, store=job.store).answers
    finishing = Finishing(2 * (time.perf_counter() - before))  # the test pictures are asked, too, and a report written
    climbed = Climbed(frozen, answers, [_first(frozen, answers, frozen_seconds)])
    reason = _too_little(frozen, answers)
    if reason:
        climbed.best = with_note(frozen, reason)
    else:
        try:
            _climb_on(climbed, frozen, backbone, job, keep, finishing)
        except KeyboardInterrupt:
            climbed.best = with_note(climbed.best, "stopped by you on the ladder: the best model so far is kept")
    return replace(climbed.best, ladder=tuple(climbed.rungs))


def _climb_on(
    climbed: Climbed,
    frozen: Fitted,
    backbone: Backbone,
    job: Job,
    keep: Callable[[Fitted], None],
    finishing: Finishing,
) -> None:
    wanted = job.options.regime
    if wanted in ("auto", "partial"):
        cut = _affordable_cut(frozen, backbone, job, finishing)
        if cut is None:
            climbed.rungs.append(_not_begun("partial", "everything behind a cut"))
        else:
            defaults = _with_epochs(cut.defaults, job, cut.key)
            _try(climbed, lambda: partial_tuning(frozen, cut, job, defaults=defaults), frozen, job, keep, finishing)
    if wanted in ("auto", "full") and job.options.freeze is None:
        epochs = job.clock.decide(f"{KEY}: epochs", lambda: _epochs_of_full(frozen, backbone, job, finishing))
        if not epochs:
            climbed.rungs.append(_not_begun("full", "everything"))
        else:
            defaults = replace(FULL, epochs=epochs)
            _try(climbed, lambda: full_tuning(frozen, backbone, job, defaults=defaults), frozen, job, keep, finishing)


def _try(
    climbed: Climbed,
    prepare: Callable[[], Tuning],
    frozen: Fitted,
    job: Job,
    keep: Callable[[Fitted], None],
    finishing: Finishing,
) -> None:
    """One rung: trained, compared with the best so far, and kept where it is better."""
    began = time.perf_counter()
    tuning = prepare()
    tuned = tune(frozen, tuning, job, reserve=finishing.reserve)
    if tuned.regime == "frozen":  # stopped before anything was learned
        raise KeyboardInterrupt
    assert tuned.calibrated_on is not None
    assert climbed.answers is not None
    verdict, is_better = compared(climbed.answers, tuned.calibrated_on, climbed.best.regime)
    is_better = job.clock.decide(f"{tuning.key}: kept", lambda: is_better)
    seconds = time.perf_counter() - began
    climbed.rungs.append(
        Rung(
            regime=tuned.regime,
            trained=tuning.what,
            seconds=round(seconds, 1),
            validation=_metric(tuned.calibrated_on),
            verdict=verdict,
            kept=is_better,
        )
    )
    if is_better:
        climbed.best, climbed.answers = tuned, tuned.calibrated_on
        keep(tuned)


def compared(before: OutOfFold, after: OutOfFold, name: str) -> tuple[str, bool]:
    """Whether `after` is better on the same pictures by more than the standard error of the difference; in words, too.

    name: the regime that gave `before`.
    """
    known = dict(zip((each.content for each in before.pictures), before.middle.argmax(1) == before.labels, strict=True))
    rows = [row for row, each in enumerate(after.pictures) if each.content in known]
    now = (after.middle.argmax(1) == after.labels)[rows]
    then = np.array([known[after.pictures[row].content] for row in rows])
    won, lost = int((now & ~then).sum()), int((then & ~now).sum())
    difference = (won - lost) / len(rows)
    error = math.sqrt(max(won + lost - (won - lost) ** 2 / len(rows), 0)) / len(rows)
    is_better = difference > error
    said = f"{won} more right and {lost} more wrong than {name}: {100 * difference:+.1f} points, standard error"
    return f"{'kept' if is_better else 'discarded'}: {said} {100 * error:.1f}", is_better


def _affordable_cut(frozen: Fitted, backbone: Backbone, job: Job, finishing: Finishing) -> Cut | None:
    """The deepest cut behind which enough epochs fit, and the number of them in the decisions; None where none does."""
    if job.options.freeze is not None:
        stages = [job.options.freeze]
    else:
        stages = cuts(with_head(backbone.built(job.cache_folder), frozen.head), frozen)
    for stage in stages:
        cut = cut_at(frozen, backbone, job, stage)

        def fitting(cut: Cut = cut) -> int:
            if job.clock.remaining < finishing.reserve + MEASURING_SECONDS:
                return 0
            cost = partial_cost(frozen, cut, job)
            return _epochs(job, finishing, cost, frozen, cut.defaults, "partial", views_of(frozen, job))

        if job.clock.decide(f"{cut.key}: epochs", fitting):
            return cut
    return None


def _epochs_of_full(frozen: Fitted, backbone: Backbone, job: Job, finishing: Finishing) -> int:
    if job.clock.remaining < finishing.reserve + MEASURING_SECONDS:
        return 0
    return _epochs(job, finishing, Cost(full_step_seconds(frozen, backbone, job), 0.0), frozen, FULL, "full", 0)


def _epochs(
    job: Job, finishing: Finishing, cost: Cost, frozen: Fitted, defaults: Defaults, regime: str, views: int
) -> int:
    """How many epochs fit, at most a multiple of the regime's own; 0 where fewer than a useful part of it."""
    train, val = len(frozen.prepared.part("train")), len(frozen.prepared.part("val"))
    batch = int(defaults.of(job.options)["batch"])
    epoch = cost.step_seconds * (train + VALIDATED * val) / batch
    left = PLANNED * (job.clock.remaining - finishing.reserve) - cost.view_seconds * (views * train + val)
    epochs = math.floor(min(left / epoch, MOST_EPOCHS * defaults.epochs))
    return epochs if epochs >= FEWEST_EPOCHS[regime] else 0


def _with_epochs(defaults: Defaults, job: Job, key: str) -> Defaults:
    return replace(defaults, epochs=int(job.clock.known(f"{key}: epochs")))


def _first(frozen: Fitted, answers: OutOfFold | None, seconds: float) -> Rung:
    return Rung(
        regime="frozen",
        trained="the head alone",
        seconds=round(seconds, 1),
        validation=_metric(answers) if answers else None,
        verdict="kept: the first",
        kept=True,
    )


def _not_begun(regime: Literal["partial", "full"], trained: str) -> Rung:
    return Rung(
        regime=regime,
        trained=trained,
        seconds=0.0,
        validation=None,
        verdict=f"not begun: the time that was left allows no {FEWEST_EPOCHS[regime]} epochs",
        kept=False,
    )


def _metric(answers: OutOfFold) -> Metric:
    right = answers.middle.argmax(1) == answers.labels
    return wilson(int(right.sum()), len(right))


def _too_little(frozen: Fitted, answers: OutOfFold | None) -> str:
    """Why nothing but the frozen regime is tried, as a note; empty where more can be."""
    validation = len(answers.labels) if answers else 0
    if validation < FEWEST_VALIDATION:
        return (
            f"the ladder ends at frozen: {counted(validation, 'validation picture')} cannot tell a better model from a "
            f"luckier one, {FEWEST_VALIDATION} are needed"
        )
    per_class = frozen.trained_on / len(frozen.prepared.data_set.classes)
    if per_class < FEWEST_PER_CLASS:
        return (
            f"the ladder ends at frozen: with {per_class:.0f} pictures per class to train on, a network that trains "
            f"further learns them by heart; {FEWEST_PER_CLASS} are needed"
        )
    return ""
