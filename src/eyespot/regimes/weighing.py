"""A regime that was tried: compared with the best so far on the validation pictures, then kept or discarded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from eyespot.building.surgery import seconds_per_view
from eyespot.data.groups import Series
from eyespot.events import Event, Events
from eyespot.features.tap import Tap
from eyespot.heads.problems import log_softmax
from eyespot.records import Rung
from eyespot.regimes.answers import Answers, Asked, Weighed, on_val, weighed
from eyespot.regimes.fitted import Fitted
from eyespot.regimes.learned import Tuning, pictures_for_means, tune, with_note
from eyespot.runs.clock import Decisions
from eyespot.runs.job import Job
from eyespot.words import counted

Row = dict[str, float | int | bool]


@dataclass(frozen=True)
class FirstRung:
    """The frozen regime, fitted only on the train part: what every other one begins with, and is compared to."""

    frozen: Fitted
    seconds: float
    """It took."""
    tap: Tap | None = None
    """Keeps activations for the partial regime."""

    def ask(self, job: Job) -> Asked:
        """What came of asking it for the validation pictures, with their activations kept."""
        return on_val(self.frozen.prepared, self.frozen.trunk, self.frozen.head, store=job.store, tap=self.tap)

    def seconds_to_measure(self) -> float:
        """What it takes here and now to ask a network like it for all pictures that are held out, and for some more."""
        prepared = self.frozen.prepared
        held_out, others = prepared.part("val", "test"), pictures_for_means(prepared)
        return seconds_per_view(self.frozen.trunk, held_out) * (len(held_out) + len(others))


@dataclass(frozen=True)
class Verdict:
    """On a model that was compared with the best so far."""

    is_kept: bool
    why: str


@dataclass
class Climbed:
    """The best model so far, and how it came to be."""

    best: Fitted
    answers: Answers | None
    """The best model's to the validation pictures; None where there are none."""
    rungs: list[Rung]
    start: Row
    """The frozen model as epoch 0 of every training that begins with it."""
    first: Answers | None = None
    """The frozen model's to the validation pictures."""
    events: Events = field(default_factory=Events)
    """Take the rungs as they are tried."""

    @classmethod
    def of(cls, first: FirstRung, answers: Answers | None, job: Job) -> Climbed:
        rung = _rung_of_frozen(answers, job, first)
        return cls(first.frozen, answers, [rung], _start_row(answers), answers, job.events)

    def add(self, rung: Rung) -> None:
        """One more that was tried, or not begun."""
        self.rungs.append(rung)
        self.tell(rung)

    def tell(self, rung: Rung) -> None:
        self.events.tell(Event("rung", regime=rung.regime, rung=rung.model_dump(mode="json")))

    def beats_the_first(self, answers: Answers, series: Series) -> bool:
        """Whether these answers are better than the frozen model's, where that is not the best any more."""
        return (
            self.best.regime != "frozen" and self.first is not None and weighed(self.first, answers, series).is_better
        )

    def climb(
        self,
        other: Fitted,
        answers: Answers,
        trained: str,
        decisions: Decisions,
        *,
        began: float,
        verdict: Verdict,
    ) -> None:
        """Adds the rung of a model that was compared with the best so far, whose place it takes where it is kept."""
        self.add(
            Rung(
                regime=other.regime,
                trained=trained,
                seconds=decisions.seconds(lambda: decisions.clock.spent - began),
                validation=answers.metric(other.prepared.series),
                verdict=f"{'kept' if verdict.is_kept else 'discarded'}: {verdict.why}",
                kept=verdict.is_kept,
            )
        )
        if verdict.is_kept:
            self.best, self.answers = other, answers


def begin(first: FirstRung, job: Job) -> Climbed:
    """The frozen model, measured on the validation pictures: where every other regime starts from."""
    asked = first.ask(job)
    measured = replace(first.frozen, views_computed=first.frozen.views_computed + asked.computed)
    climbed = Climbed.of(replace(first, frozen=measured), asked.answers, job)
    climbed.tell(climbed.rungs[0])
    return climbed


def asked_for(first: FirstRung, make: Callable[[], Tuning], job: Job, *, refit: Callable[[Fitted], Fitted]) -> Fitted:
    """The model of the one regime that was asked for, or the frozen one where training deeper is no gain.

    refit: gives of the first rung's the frozen model as it is where nothing else is tried.
    New layers that were asked for are kept whatever they are worth: nothing else has them, and the head is no answer.
    """
    frozen = first.frozen
    try:
        climbed = begin(first, job)
        frozen = climbed.best
        if climbed.answers is None and job.options.replace_tail is None:
            why = "there are no validation pictures to show that training deeper is a gain"
            return _head(refit(frozen), why, climbed)
        tuning = make()
    except KeyboardInterrupt:
        if job.world.size > 1:  # processes that do not stop alike would wait for each other
            raise
        return with_note(frozen, "stopped by you before the tail was trained: all is frozen")
    began = Decisions(job.clock, tuning.key).began()
    tuned = tune(frozen, tuning, job)
    if tuned.regime == "frozen" or climbed.answers is None:
        return tuned
    found = weigh(climbed, tuned, tuning, job, began=began, was_asked_for=True)
    if climbed.best is not tuned:
        return _discarded(tuned, found, climbed, refit)
    tuned = replace(with_start(tuned, climbed), ladder=tuple(climbed.rungs))
    if not found.is_worse:
        return tuned
    said = (
        f"the new layers are worse than the head alone, on the validation pictures: {found.in_words('frozen')}; "
        "they were asked for and are kept, and without --replace-tail it is the head that would be"
    )
    return with_note(tuned, said)


def _discarded(tuned: Fitted, found: Weighed, climbed: Climbed, refit: Callable[[Fitted], Fitted]) -> Fitted:
    """The frozen model, with what was tried in vain in its notes and its table."""
    frozen = climbed.best
    worse = "worse" if found.is_worse else "no better"
    pictures = counted(found.comparison.count, "validation picture")
    kept = _head(refit(frozen), f"training deeper made it {worse}", climbed)
    said = f"{kept.instead}; on {pictures} it had {found.in_words('frozen')}"
    return replace(
        kept,
        notes=[*kept.notes, said, *tuned.notes[len(frozen.notes) :]],
        table=tuple(row | {"kept": row["epoch"] == 0} for row in with_start(tuned, climbed).table),
    )


def weigh(
    climbed: Climbed, tuned: Fitted, tuning: Tuning, job: Job, *, began: float, was_asked_for: bool = False
) -> Weighed:
    """How the tuned model compares with the best so far, whose place it takes where it is to be kept.

    The head alone gives way only to what is better by more than chance explains. Of two trainings that are, which cost
    the same to use, the one that is ahead is kept.

    was_asked_for: it is kept, too, where enough validation pictures cannot tell the two apart, and where it has layers
        that were asked for.
    """
    answers = tuned.temperature.answers
    assert answers is not None
    assert climbed.answers is not None
    series = tuned.prepared.series
    found = weighed(climbed.answers, answers, series)
    is_wanted = was_asked_for and (job.options.replace_tail is not None or found.comparison.is_the_same)
    leads = found.is_ahead and climbed.beats_the_first(answers, series)
    suffices = found.is_better or leads or is_wanted
    decisions = Decisions(job.clock, tuning.key)
    is_kept = decisions.is_kept(lambda: suffices)
    why = found.in_words(climbed.best.regime)
    if is_kept and not found.is_better:
        why = f"{'it leads, and beats the head alone' if leads else 'it was asked for'}; {why}"
    climbed.climb(tuned, answers, tuning.lesson.what, decisions, began=began, verdict=Verdict(is_kept, why))
    return found


def only_frozen(first: FirstRung, job: Job, *, reason: str) -> Climbed:
    """The frozen model as the only rung, judged by cross-validation; reason: why no other regime is tried."""
    climbed = Climbed.of(first, first.frozen.answers_on_train, job)
    climbed.tell(climbed.rungs[0])
    climbed.best = with_note(first.frozen, reason)
    return climbed


def with_start(tuned: Fitted, climbed: Climbed) -> Fitted:
    """With the frozen model as the first row of its table."""
    return replace(tuned, table=(climbed.start, *tuned.table))


def _rung_of_frozen(answers: Answers | None, job: Job, first: FirstRung) -> Rung:
    series = first.frozen.prepared.series
    return Rung(
        regime="frozen",
        trained="the head alone",
        seconds=Decisions(job.clock, "frozen").seconds(lambda: first.seconds),
        validation=answers.metric(series) if answers else None,
        verdict="kept: the first",
        kept=True,
    )


def _start_row(answers: Answers | None) -> Row:
    row: Row = {"epoch": 0, "kept": False}
    if answers is None:
        return row
    losses = -log_softmax(answers.middle)[np.arange(len(answers.labels)), answers.labels]
    return row | {"validation_loss": float(losses.mean()), "validation_accuracy": float(answers.accuracies.mean())}


def _head(frozen: Fitted, why: str, climbed: Climbed) -> Fitted:
    return replace(frozen, instead=f"{why}: kept the head", ladder=tuple(climbed.rungs))
