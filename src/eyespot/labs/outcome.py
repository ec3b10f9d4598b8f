"""What an experiment came to, as a record: its verdict, its numbers, and what has to be known of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eyespot.labs.catalogue import Found
from eyespot.labs.definition import FOLDS, Both, Lab, OfTests, Share, Verdict
from eyespot.labs.figures import Gains, Interval, Row, cells_of
from eyespot.labs.folder import PLOT, REPORT, TABLE
from eyespot.labs.options import LabOptions
from eyespot.labs.phrases import PHRASES, language_of
from eyespot.labs.pictures import Pictures
from eyespot.labs.result import CellResult, LabResult, Measured
from eyespot.labs.trials import SECONDS, Trials
from eyespot.names import printable

FEW_TESTS = 100
"""Test pictures below which it is said what cannot be seen."""


@dataclass(frozen=True)
class Outcome:
    """An experiment that is over."""

    found: Found
    data: str
    """As given."""
    pictures: Pictures
    asked: LabOptions
    trials: Trials
    folder: Path
    seconds: float

    @property
    def gains(self) -> Gains:
        """The rows, ready to be asked."""
        lab = self.found.lab
        bounded = [name for name, title in lab.measures.items() if isinstance(title, Share)]
        tests = {name: self.trials.tests for name, title in lab.measures.items() if isinstance(title, OfTests)}
        return Gains(self.trials.rows, share=self.trials.share, exact=lab.exact, bounded=bounded, tests=tests)

    @property
    def verdict(self) -> Verdict:
        has, needs = self.pictures.per_class * (FOLDS - 1) // FOLDS, self.found.lab.needs
        if has < needs:
            return Verdict("cannot be told", PHRASES["too_few"].filled(has=has, needs=needs))
        if not self.trials.seeds:
            return Verdict("cannot be told", PHRASES["no_round"])
        return self.found.verdict(self.gains)

    def result(self) -> LabResult:
        """The record, in the language that was asked for."""
        lab, language, verdict, gains = self.found.lab, language_of(self.asked.lang), self.verdict, self.gains
        return LabResult(
            lab=self.found.name,
            language=language,
            question=lab.question.to(language),
            claim=lab.claim.to(language),
            rule=lab.rule.to(language),
            data=printable(self.data),
            pictures=len(self.pictures.y),
            classes=len(self.pictures.classes),
            test_pictures=self.trials.tests,
            seeds=self.trials.seeds,
            cells=tuple(cell_result(lab, gains, cell) for cell in cells_of(lab)) if self.trials.seeds else (),
            answer=verdict.answer,
            verdict=verdict.said.to(language),
            guesses=tuple(each.to(language) for each in lab.guesses),
            guess=self.asked.guess,
            right_guess=verdict.guess or None,
            ended=self.trials.ended,
            set_aside=self.pictures.set_aside,
            notes=tuple(each.to(language) for each in self._notes()),
            folder=str(self.folder),
            table=str(self.folder / TABLE),
            plot=str(self.folder / PLOT),
            report=str(self.folder / REPORT),
            code=str(self.found.path),
            seconds=self.seconds,
        )

    def _notes(self) -> Iterator[Both]:
        """Sentences worth reading, the most important first."""
        trials, pictures = self.trials, self.pictures
        if trials.ended:
            why = PHRASES["time_over" if trials.ended == "time" else "stopped"]
            yield why.filled(done=len(trials.seeds), asked=self.asked.seeds)
        if trials.tests * FOLDS < FEW_TESTS and any(
            isinstance(each, OfTests) for each in self.found.lab.measures.values()
        ):
            tested = trials.tests * min(len(trials.seeds) or 1, FOLDS)
            least = f"{1.96 * math.sqrt(0.5 / tested):.2f}"  # of two shares about one half, by chance alone
            yield PHRASES["few_tests"].filled(tests=tested, least=least)
        if pictures.set_aside:
            first = pictures.set_aside[0]
            words = f"{first.picture} {first.reason}"
            yield PHRASES["set_aside"].filled(count=len(pictures.set_aside), first=words)
        yield from pictures.notes


def cell_result(lab: Lab, gains: Gains, cell: Row) -> CellResult:
    """A setting and its measures as a record."""

    def measured(each: Interval) -> Measured:
        mean, low, high = (end if math.isfinite(end) else None for end in (each.mean, each.low, each.high))
        return Measured(mean=mean, low=low, high=high)

    return CellResult(
        setting=dict(cell),
        measures={name: measured(gains(name, **cell)) for name in lab.measures},
        seconds=round(sum(gains.values(SECONDS, cell)) / gains.seeds, 3),
    )
