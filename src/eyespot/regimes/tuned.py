"""What the partial and the full regime share: a network that begins with published weights and a solved head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from eyespot.regimes.answers import on_val
from eyespot.regimes.fitted import Fitted, despite_ctrl_c
from eyespot.regimes.learned import Lesson, learned
from eyespot.regimes.plans import Defaults, plan_for
from eyespot.regimes.run_training import Cost, run_training
from eyespot.runs.job import Job

if TYPE_CHECKING:
    from torch import nn

    from eyespot.blocks import WithHeads
    from eyespot.training.loop import Training
    from eyespot.training.plan import Examples


@dataclass(frozen=True)
class Tuning:
    """A training that is about to begin, with all that it reads in memory."""

    key: str
    """Names it among the trainings of the run: "partial stage5", "full"."""
    lesson: Lesson
    make: Callable[[], Training]
    whole: Callable[[nn.Sequential], nn.Sequential]
    """From the part that trained to the whole network."""


@dataclass(frozen=True)
class Attempt:
    """A training that may be tried."""

    key: str
    """As the tuning's."""
    defaults: Defaults
    cost: Callable[[], Cost]
    """Measures what it would take."""
    prepare: Callable[[Defaults], Tuning]


def training_of(
    net: nn.Sequential | WithHeads,
    examples: Examples,
    validation: Examples | None,
    frozen: Fitted,
    *,
    defaults: Defaults,
    job: Job,
) -> Training:
    """The training of a network that begins with published weights, on what the frozen model was fitted on."""
    from eyespot.training.loop import Training

    plan = plan_for(
        job.options,
        defaults,
        examples.labels.numpy(),
        classes=len(frozen.prepared.data_set.classes),
        output=frozen.head.output,
        keeps_best=True,
    )
    return Training(net, examples, validation, plan, seed=job.options.seed, device=job.device, world=job.world)


def tune(frozen: Fitted, tuning: Tuning, job: Job, *, reserve: float = 0.0) -> Fitted:
    """The model after this training. Ctrl-C before its first epoch is over gives the frozen one back.

    frozen: fitted on the train part alone. It is for `tried` to say whether this one is better.
    reserve: seconds that must be left on the clock when training ends.
    """
    lesson = tuning.lesson
    try:
        training = tuning.make()
        ended = run_training(training, job, key=tuning.key, reserve=reserve)
    except KeyboardInterrupt:
        if job.world.size > 1:  # processes that do not stop alike would wait for each other
            raise
        return with_note(frozen, f"stopped by you before one epoch of training {lesson.what} was over: all is frozen")
    found = learned(lesson, training, ended, job, net=lambda: tuning.whole(training.averaged))
    asked, _ = despite_ctrl_c(lambda: on_val(lesson.prepared, found.trunk, found.head))
    model = found.model(
        asked,
        source="answers to the validation pictures" if asked.answers else "nothing: there are none",
        epochs=f", {_kept(training)}{_averaged(training)}",
        column=lambda epoch: {"kept": epoch.number == training.kept},
    )
    return replace(
        model,
        small_test=frozen.small_test,
        l2=frozen.l2,
        views_computed=frozen.views_computed + model.views_computed,
        notes=[*frozen.notes, *model.notes],
    )


def with_note(fitted: Fitted, note: str) -> Fitted:
    return replace(fitted, notes=[*fitted.notes, note])


def _kept(training: Training) -> str:
    if training.kept is None:
        return "the weights when it was stopped are kept"
    if training.kept == len(training.epochs):
        return "the last is kept"
    return f"number {training.kept} had the lowest validation loss and is kept"


def _averaged(training: Training) -> str:
    return ", with weights averaged over the steps" if training.plan.average else ""
