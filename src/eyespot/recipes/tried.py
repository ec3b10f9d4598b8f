"""A regime that was tried: compared with the best so far on the validation pictures, then kept or discarded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from eyespot.evaluate.intervals import wilson
from eyespot.features.tap import Tap
from eyespot.recipes.answers import Answers, on_val
from eyespot.recipes.compared import Comparison, compared
from eyespot.recipes.job import Job
from eyespot.recipes.regime import Fitted
from eyespot.recipes.tuned import Tuning, tune, with_note
from eyespot.records import Metric, Rung
from eyespot.training.problems import log_softmax
from eyespot.words import counted

Row = dict[str, float | int | bool]


@dataclass
class Climbed:
    """The best model so far, and how it came to be."""

    best: Fitted
    answers: Answers | None
    """The best model's to the validation pictures; None where there are none."""
    rungs: list[Rung]
    start: Row
    """The frozen model as epoch 0 of every training that begins with it."""

    @classmethod
    def of(cls, frozen: Fitted, answers: Answers | None, job: Job, seconds: float) -> Climbed:
        return cls(frozen, answers, [_rung_of_frozen(answers, job, seconds)], _start_row(answers))


def begin(frozen: Fitted, job: Job, *, seconds: float, tap: Tap | None) -> Climbed:
    """The frozen model, measured on the validation pictures: where every other regime starts from.

    seconds: what it took. tap: activations that are kept on the way.
    """
    found = on_val(frozen.prepared, frozen.trunk, frozen.head, store=job.store, tap=tap)
    measured = replace(frozen, views_computed=frozen.views_computed + found.computed)
    return Climbed.of(measured, found.answers, job, seconds)


def asked_for(
    frozen: Fitted,
    make: Callable[[], Tuning],
    job: Job,
    *,
    seconds: float,
    tap: Tap | None,
    refit: Callable[[Fitted], Fitted],
) -> Fitted:
    """The model of the one regime that was asked for, or the frozen one where training deeper is no gain.

    frozen: fitted on the train part alone. refit: gives of that the frozen model as it is where nothing else is tried.
    New layers that were asked for are kept whatever they are worth: nothing else has them, and the head is no answer.
    """
    try:
        climbed = begin(frozen, job, seconds=seconds, tap=tap)
        frozen = climbed.best
        if climbed.answers is None and job.options.replace_tail is None:
            why = "there are no validation pictures to show that training deeper is a gain"
            return _head(refit(frozen), why, climbed)
        tuning = make()
    except KeyboardInterrupt:
        if job.world.size > 1:  # processes that do not stop alike would wait for each other
            raise
        return with_note(frozen, "stopped by you before the tail was trained: all is frozen")
    began = began_at(tuning.key, job)
    tuned = tune(frozen, tuning, job)
    if tuned.regime == "frozen" or climbed.answers is None:
        return tuned
    comparison = weigh(climbed, tuned, tuning, job, began=began, was_asked_for=True)
    if climbed.best is tuned:
        tuned = replace(with_start(tuned, climbed), ladder=tuple(climbed.rungs))
        return with_note(tuned, _worse_layers(comparison)) if comparison.is_worse else tuned
    worse = "worse" if comparison.is_worse else "no better"
    pictures = counted(comparison.count, "validation picture")
    kept = _head(refit(frozen), f"training deeper made it {worse}", climbed)
    said = f"{kept.instead}; on {pictures} it had {comparison.in_words('frozen')}"
    notes = tuned.notes[len(frozen.notes) :]
    return replace(
        kept,
        notes=[*kept.notes, said, *notes],
        table=tuple(row | {"kept": row["epoch"] == 0} for row in with_start(tuned, climbed).table),
    )


def _worse_layers(comparison: Comparison) -> str:
    return (
        f"the new layers are worse than the head alone, on the validation pictures: {comparison.in_words('frozen')}; "
        "they were asked for and are kept, and without --replace-tail it is the head that would be"
    )


def weigh(
    climbed: Climbed, tuned: Fitted, tuning: Tuning, job: Job, *, began: float, was_asked_for: bool = False
) -> Comparison:
    """How the tuned model compares with the best so far, whose place it takes where it is to be kept.

    was_asked_for: it is kept, too, where enough validation pictures cannot tell the two apart, and where it has layers
        that were asked for.
    """
    answers = tuned.temperature.answers
    assert answers is not None
    assert climbed.answers is not None
    comparison = compared(climbed.answers, answers)
    is_wanted = was_asked_for and (job.options.replace_tail is not None or comparison.is_the_same)
    suffices = comparison.is_better or is_wanted
    is_kept = job.clock.decide(f"{tuning.key}: kept", lambda: suffices)
    why = comparison.in_words(climbed.best.regime)
    if is_kept and not comparison.is_better:
        why = f"it was asked for; {why}"
    climbed.rungs.append(
        Rung(
            regime=tuning.regime,
            trained=tuning.what,
            seconds=job.clock.measure(f"{tuning.key}: seconds", lambda: round(job.clock.spent - began, 1)),
            validation=_metric(answers),
            verdict=f"{'kept' if is_kept else 'discarded'}: {why}",
            kept=is_kept,
        )
    )
    if is_kept:
        climbed.best, climbed.answers = tuned, answers
    return comparison


def began_at(key: str, job: Job) -> float:
    """Seconds on the run's clock when the training of that key began, in the first life of the run."""
    return job.clock.measure(f"{key}: began", lambda: round(job.clock.spent, 1))


def only_frozen(frozen: Fitted, job: Job, *, seconds: float, reason: str) -> Fitted:
    """The frozen model as the only rung; reason: why no other one is tried."""
    return replace(with_note(frozen, reason), ladder=(_rung_of_frozen(frozen.out_of_fold, job, seconds),))


def with_start(tuned: Fitted, climbed: Climbed) -> Fitted:
    """With the frozen model as the first row of its table."""
    return replace(tuned, table=(climbed.start, *tuned.table))


def _rung_of_frozen(answers: Answers | None, job: Job, seconds: float) -> Rung:
    return Rung(
        regime="frozen",
        trained="the head alone",
        seconds=job.clock.measure("frozen: seconds", lambda: round(seconds, 1)),
        validation=_metric(answers) if answers else None,
        verdict="kept: the first",
        kept=True,
    )


def _start_row(answers: Answers | None) -> Row:
    row: Row = {"epoch": 0, "kept": False}
    if answers is None:
        return row
    losses = -log_softmax(answers.middle)[np.arange(len(answers.labels)), answers.labels]
    return row | {"validation_loss": float(losses.mean()), "validation_accuracy": float(answers.accuracies.mean())}


def _metric(answers: Answers) -> Metric:
    right = answers.middle.argmax(1) == answers.labels
    return wilson(int(right.sum()), len(right))


def _head(frozen: Fitted, why: str, climbed: Climbed) -> Fitted:
    return replace(frozen, instead=f"{why}: kept the head", ladder=tuple(climbed.rungs))
