"""The ladder: frozen, then what trains more of the network, as far as the clock allows and the pictures bear out.

Every rung begins with the published weights and the frozen rung's head. It is begun only if the time that is left, by
what a few steps took just now, allows enough of it; and it is kept only if it beats the best so far on the validation
pictures by more than chance explains. After each rung that is kept a whole model is on disk.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from eyespot.errors import MachineError
from eyespot.evaluate.paired import FEWEST_COMPARED
from eyespot.progress import announce
from eyespot.records import Rung
from eyespot.regimes.candidate import Candidate
from eyespot.regimes.fitted import Fitted
from eyespot.regimes.larger import Larger, try_larger
from eyespot.regimes.learned import Attempt, tune, with_note
from eyespot.regimes.plans import Defaults
from eyespot.regimes.weighing import Climbed, FirstRung, begin, weigh, with_start
from eyespot.runs.clock import Decisions
from eyespot.runs.job import Job
from eyespot.words import counted, duration

FEWEST_PER_CLASS = 20
"""Pictures to train on per class, on average, below which training more than the head only learns them by heart."""
PLANNED = 0.99
"""Share of the time left that a training is planned for. Where its steps take longer the clock ends it in time, and the
last steps of a cycle change little."""
MEASURING_SECONDS = 10
"""What it may take to find out what a regime would take, with room to spare."""
CHEAP = 0.4
"""Share of the time left that a training may take, and the next one still has most of it."""
TRAINS_MORE = 2
"""Times what is after a cut an epoch of the full network takes, at least."""
WRITTEN = 2
"""Times a model may be written after a training: when it is kept, and with its report."""
VALIDATED = 1 / 3
"""What a validation picture takes, in terms of one that is trained on: the way there, and not back."""
UNUSED = 0.1
"""Share of a given time that is worth a word where it is not used."""
STOPPED = "stopped by you before an epoch was over"
WON = "2 to 6"
"""Points of accuracy that partial training won with 100 photos of each of ten kinds of clothing (few_pictures.py)."""

Keep: TypeAlias = Callable[[Fitted], None]
"""Writes a model to disk."""


@dataclass(frozen=True)
class _Cost:
    """Seconds that a training takes."""

    epoch: float
    before: float
    """For what comes before the first."""


class Ladder:
    """The frozen regime and the candidates for what comes above it, within the time of one run."""

    def __init__(
        self,
        first: FirstRung,
        candidates: Sequence[Candidate],
        job: Job,
        *,
        keep: Keep,
        larger: Iterable[Larger] = (),
        tune: Callable[..., Fitted] = tune,
    ) -> None:
        """first: the frozen regime, fitted only on the train part.
        keep: called with the frozen model and with each that is better.
        larger: networks for a head alone, of which one is tried where time is left. tune: what trains, as
            `learned.tune` does.
        """
        self._first, self._candidates, self._job = first, candidates, job
        self._keep, self._larger, self._tune = keep, larger, tune
        self._frozen, self._climbed = first.frozen, Climbed.of(first, None, job)
        self._costs: dict[str, _Cost] = {}
        self.was_stopped = False
        """True where Ctrl-C ended it."""
        self._reserve = 0.0
        """Seconds to be left on the clock when a training ends."""

    def climb(self, *, announced: bool = True) -> Fitted:
        """The best model that the time allows, with the rungs that were tried. Ctrl-C gives the best so far.

        announced: whether the first model is, and how long it will be bettered.
        """
        try:
            self._climbed = begin(self._first, self._job)
            self._frozen = self._climbed.best
            self._reserve = self._first_model()
            if announced:
                self._announce()
            self._climb_on()
            if try_larger(self._climbed, self._larger, self._job, reserve=self._reserve):
                self._keep(self._climbed.best)
            self._say_what_is_left()
        except KeyboardInterrupt:
            if self._job.world.size > 1:  # processes that do not stop alike would wait for each other
                raise
            self.was_stopped = True
            self._note("stopped by you on the ladder: the best model so far is kept")
        return replace(self._climbed.best, ladder=tuple(self._climbed.rungs))

    def _first_model(self) -> float:
        """Seconds to be left on the clock for what comes after the last training: the validation and test pictures are
        asked, and the model is written. Measured by doing that with the frozen model, which is on disk then."""
        decisions = Decisions(self._job.clock, "finishing")
        before = time.perf_counter()
        if not (decisions.has_seconds and self._job.folder.has_model):  # a run that goes on may have a better one
            self._keep(self._climbed.best)
        written = time.perf_counter() - before
        seconds = decisions.seconds(lambda: WRITTEN * written + self._first.seconds_to_measure(), digits=2)
        return 1.5 * seconds + 1.0  # measured ones may take longer the second time

    def _announce(self) -> None:
        answers, clock = self._climbed.answers, self._job.clock
        if answers is None or clock.remaining == math.inf:
            return
        accuracy = answers.metric(self._frozen.prepared.series)
        announce(
            self._job.progress,
            f"The head alone: accuracy {accuracy} on validation pictures; the model is in {self._job.folder.path}. "
            f"Up to {duration(clock.remaining)} may go into training more of the network, which won {WON} points on "
            "photos of clothing; Ctrl-C ends it and keeps the best so far.",
        )

    def _say_what_is_left(self) -> None:
        """Where a time that was given is not used up."""
        clock, given = self._job.clock, self._job.options.time
        if given is None or len(self._climbed.rungs) == 1:
            return
        left = Decisions(clock, "finishing").left(lambda: clock.remaining)
        if left > UNUSED * given:
            was_trained = any(rung.validation for rung in self._climbed.rungs[1:])
            heart = "more epochs would learn these pictures by heart, and " if was_trained else ""
            self._note(f"{duration(left)} of the time are left: {heart}nothing that trains more fits into it")

    def _climb_on(self) -> None:
        frozen, answers = self._frozen, self._climbed.answers
        prepared = frozen.prepared
        answered = answers.different(prepared.series) if answers else 0
        reason = too_little(prepared.different("train"), answered, classes=len(prepared.data_set.classes))
        if reason:
            self._note(reason)
            return
        for candidate, later in zip(self._candidates, [*self._candidates[1:], None], strict=True):
            if later is not None and self._gives_way(candidate, later):
                self._not_begun(candidate, candidate.what, f"{later.regime} training is worth all of the time")
                continue
            affordable = self._affordable(candidate, later)
            if affordable is None:
                why = f"the time that was left allows no {candidate.fewest} epochs"
                self._not_begun(candidate, candidate.what, why)
            else:
                self._try(candidate, *affordable)

    def _gives_way(self, candidate: Candidate, later: Candidate) -> bool:
        """Whether the time suffices for enough epochs of the later one, but not for both with their own.

        A cheap one gives no way: which is better, the validation pictures say.
        """
        first, second = (next(iter(each.attempts())) for each in (candidate, later))

        def judge() -> bool:
            if self._job.clock.is_up(reserve=self._reserve + MEASURING_SECONDS):
                return False
            if self._seconds(first) <= CHEAP * self._left:
                return False
            least = later.fewest * TRAINS_MORE * self._cost(first).epoch
            if self._job.clock.is_up(reserve=self._reserve + least):  # the other one need not be measured
                return False
            both = self._seconds(first) + self._seconds(second)
            return self._seconds(second, epochs=later.fewest) <= self._left < both

        return Decisions(self._job.clock, candidate.regime).gives_way(judge)

    def _affordable(self, candidate: Candidate, later: Candidate | None) -> tuple[Attempt, Defaults] | None:
        """The first attempt that enough epochs fit for, with their number; None where there is none."""
        for attempt in candidate.attempts():
            decisions = Decisions(self._job.clock, attempt.key)
            epochs = decisions.epochs(partial(self._epochs_that_fit, attempt, candidate, later))
            if epochs:
                return attempt, replace(attempt.defaults, epochs=epochs)
        return None

    def _epochs_that_fit(self, attempt: Attempt, candidate: Candidate, later: Candidate | None) -> float:
        """As many as there is time for, up to a multiple of the regime's own; where a later one can have its own, too,
        no more than leave it these; 0 where they are fewer than a useful part of it.
        """
        if self._job.clock.is_up(reserve=self._reserve + MEASURING_SECONDS):
            return 0
        own, cost = attempt.defaults.epochs, self._cost(attempt)
        epochs = min((self._left - cost.before) / cost.epoch, candidate.most * own)
        if later and epochs > own:
            spare = self._spare(attempt, next(iter(later.attempts())))
            if spare >= 0:
                epochs = min(epochs, own + spare / cost.epoch)
            elif self._leaves_enough(attempt, later):
                epochs = own
        return 0 if epochs < candidate.fewest else math.floor(10 * epochs) / 10

    def _spare(self, attempt: Attempt, later: Attempt) -> float:
        """Seconds that are left where both have their own epochs; below 0 where the time does not suffice."""
        left = self._left - self._seconds(attempt)
        least = later.defaults.epochs * TRAINS_MORE * self._cost(attempt).epoch
        return left - least if least > left else left - self._seconds(later)  # only what may fit is measured

    def _leaves_enough(self, attempt: Attempt, later: Candidate) -> bool:
        """Whether enough epochs of the later one fit after this one's own."""
        left = self._left - self._seconds(attempt)
        least = later.fewest * TRAINS_MORE * self._cost(attempt).epoch
        return least <= left and self._seconds(next(iter(later.attempts())), epochs=later.fewest) <= left

    @property
    def _left(self) -> float:
        """Seconds that a training may take."""
        return PLANNED * (self._job.clock.remaining - self._reserve)

    def _seconds(self, attempt: Attempt, *, epochs: float | None = None) -> float:
        """What a training takes with so many epochs, or with the regime's own."""
        cost = self._cost(attempt)
        return cost.before + cost.epoch * (attempt.defaults.epochs if epochs is None else epochs)

    def _cost(self, attempt: Attempt) -> _Cost:
        """What it takes here and now; measured once."""
        if attempt.key not in self._costs:
            prepared, cost = self._frozen.prepared, attempt.cost()
            train, val = len(prepared.part("train")), len(prepared.part("val"))
            batch = int(attempt.defaults.of(self._job.options)["batch"])
            epoch = cost.step_seconds * (train + VALIDATED * val) / batch
            self._costs[attempt.key] = _Cost(epoch, cost.before_seconds)
        return self._costs[attempt.key]

    def _try(self, candidate: Candidate, attempt: Attempt, defaults: Defaults) -> None:
        decisions, climbed, job = Decisions(self._job.clock, attempt.key), self._climbed, self._job
        began = decisions.began()
        try:
            tuning = attempt.prepare(defaults)
        except MachineError as error:  # no room for its images or activations
            if job.world.size > 1:
                raise
            self._not_begun(candidate, "nothing", str(error))
            return
        tuned = self._tune(self._frozen, tuning, job, reserve=self._reserve)
        if tuned.regime == "frozen":  # before anything was learned
            self._not_begun(candidate, tuning.lesson.what, STOPPED)
            raise KeyboardInterrupt
        tuned = with_start(tuned, climbed)
        weigh(climbed, tuned, tuning, job, began=began)
        is_kept = climbed.best is tuned
        if not is_kept:
            for note in tuned.notes[len(self._frozen.notes) :]:
                self._note(f"{candidate.regime}, which was discarded: {note}")
        ended = decisions.ended
        if ended is not None and ended.ended == "by the user":
            raise KeyboardInterrupt
        if is_kept:
            self._keep(tuned)

    def _not_begun(self, candidate: Candidate, trained: str, reason: str) -> None:
        self._climbed.add(
            Rung(
                regime=candidate.regime,
                trained=trained,
                seconds=0.0,
                validation=None,
                verdict=reason if reason == STOPPED else f"not begun: {reason}",
                kept=False,
            )
        )

    def _note(self, note: str) -> None:
        self._climbed.best = with_note(self._climbed.best, note)


def too_little(train: int, validation: int, *, classes: int) -> str:
    """Why nothing but the frozen regime is tried with so many different pictures; empty where more can be."""
    if not validation:
        return "the ladder ends at frozen: there are no validation pictures to tell a better model by"
    if validation < FEWEST_COMPARED:
        return (
            f"the ladder ends at frozen: {counted(validation, 'different validation picture')} cannot tell a better "
            f"model from a luckier one, {FEWEST_COMPARED} are needed"
        )
    if train < FEWEST_PER_CLASS * classes:
        return (
            f"the ladder ends at frozen: with {counted(train, 'different picture')} of {classes} classes to train on, "
            f"a network that trains further learns them by heart; {FEWEST_PER_CLASS} of each are needed"
        )
    return ""
