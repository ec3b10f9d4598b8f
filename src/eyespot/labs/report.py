"""What an experiment came to, written down: the verdict, the plot, and a page that tells all of it."""

from __future__ import annotations

import math
import shlex
import time
from pathlib import Path

from markupsafe import Markup

from eyespot import machine
from eyespot.files import write_chosen
from eyespot.labs.catalogue import Found
from eyespot.labs.definition import Both, Lab, Language, Share, Verdict
from eyespot.labs.figures import Gains, Interval, Row, cells_of
from eyespot.labs.folder import PLOT, REPORT, TABLE
from eyespot.labs.options import LabOptions
from eyespot.labs.phrases import ANSWERS, PHRASES, language_of, name_of, said
from eyespot.labs.pictures import Pictures
from eyespot.labs.plot import PlotRow, plot_svg
from eyespot.labs.result import CellResult, LabResult, Measured
from eyespot.labs.trials import Trials
from eyespot.names import printable
from eyespot.reporting.page import rendered
from eyespot.version import VERSION

FEW_TESTS = 100
"""Test pictures below which the report says what cannot be seen."""


def written(
    found: Found,
    pictures: Pictures,
    trials: Trials,
    folder: Path,
    *,
    asked: LabOptions,
    data: str,
    started: float,
) -> LabResult:
    """The outcome, with its plot and its report in the folder."""
    lab, language = found.lab, language_of(asked.lang)
    gains = gains_of(lab, trials)
    verdict = found.verdict(gains) if trials.seeds else Verdict("cannot be told", PHRASES["no_round"])
    result = LabResult(
        lab=found.name,
        language=language,
        question=lab.question.to(language),
        claim=lab.claim.to(language),
        rule=lab.rule.to(language),
        data=printable(data),
        pictures=len(pictures.y),
        classes=len(pictures.classes),
        test_pictures=trials.tests,
        seeds=trials.seeds,
        cells=tuple(_cell(lab, gains, cell) for cell in cells_of(lab)) if trials.seeds else (),
        answer=verdict.answer,
        verdict=verdict.said.to(language),
        guesses=tuple(each.to(language) for each in lab.guesses),
        guess=asked.guess,
        right_guess=verdict.guess or None,
        ended=trials.ended,
        set_aside=pictures.set_aside,
        notes=tuple(each.to(language) for each in _notes(pictures, trials, lab, asked)),
        folder=str(folder),
        table=str(folder / TABLE),
        plot=str(folder / PLOT),
        report=str(folder / REPORT),
        code=str(found.path),
        seconds=round(time.monotonic() - started, 1),
    )
    if trials.seeds:
        write_chosen(folder / PLOT, _plot(lab, gains, language, by_itself=True).encode())
    write_chosen(folder / REPORT, _page(found, pictures, gains, result).encode())
    return result


def gains_of(lab: Lab, trials: Trials) -> Gains:
    """The rows of a lab, ready to be asked."""
    bounded = [name for name, title in lab.measures.items() if isinstance(title, Share)]
    return Gains(trials.rows, share=trials.share, exact=lab.exact, bounded=bounded)


def _cell(lab: Lab, gains: Gains, cell: Row) -> CellResult:
    def measured(each: Interval) -> Measured:
        low, high = (end if math.isfinite(end) else None for end in (each.low, each.high))
        return Measured(mean=each.mean, low=low, high=high)

    return CellResult(
        setting=dict(cell),
        measures={name: measured(gains(name, **cell)) for name in lab.measures},
    )


def _notes(pictures: Pictures, trials: Trials, lab: Lab, asked: LabOptions) -> list[Both]:
    """Sentences worth reading, the most important first."""
    notes, counts = [], {"done": len(trials.seeds), "asked": asked.seeds}
    if trials.ended:
        notes.append(PHRASES["time_over" if trials.ended == "time" else "stopped"].filled(**counts))
    if trials.tests < FEW_TESTS and not lab.exact:
        least = f"{1.96 * math.sqrt(0.5 / trials.tests):.2f}"  # two shares of one half, by chance alone
        notes.append(PHRASES["few_tests"].filled(tests=trials.tests, least=least))
    if pictures.set_aside:
        first = pictures.set_aside[0]
        words = f"{first.picture} {first.reason}"
        notes.append(PHRASES["set_aside"].filled(count=len(pictures.set_aside), first=words))
    return [*notes, *pictures.notes]


def _plot(lab: Lab, gains: Gains, language: Language, *, by_itself: bool) -> str:
    measure = next(iter(lab.measures))
    arms = list(lab.grid.get("arm", ()))
    rows = []
    for cell in cells_of(lab):
        others = [
            f"{name_of(lab, axis, language)} {name_of(lab, cell[axis], language)}" for axis in cell if axis != "arm"
        ]
        heading, label = (", ".join(others), name_of(lab, cell["arm"], language)) if arms else ("", ", ".join(others))
        color = arms.index(cell["arm"]) if arms else 0
        rows.append(PlotRow(heading, label, color, gains.values(measure, cell), gains(measure, **cell)))
    return plot_svg(rows, title=lab.measures[measure].to(language), language=language, by_itself=by_itself)


def _page(found: Found, pictures: Pictures, gains: Gains, result: LabResult) -> str:
    lab, language = found.lab, result.language
    header = [
        *(name_of(lab, axis, language) for axis in lab.grid),
        *(each.to(language) for each in lab.measures.values()),
    ]
    table = [
        (
            [name_of(lab, value, language) for value in cell.values()],
            [gains(name, **cell).to(language) for name in lab.measures],
        )
        for cell in (cells_of(lab) if result.seeds else ())
    ]
    side = pictures.x.shape[-1]
    used = said("pictures_of", language, count=result.pictures, classes=result.classes, side=side)
    return rendered(
        "labs/report.html.jinja",
        result=result,
        t=lambda key, **values: said(key, language, **values),
        answer=ANSWERS[result.answer].to(language),
        plot=Markup(_plot(lab, gains, language, by_itself=False)) if result.seeds else "",
        header=header,
        table=table,
        exact=lab.exact,
        source=found.source,
        how=(
            (said("pictures", language), f"{pictures.name}: {used}"),
            (said("seeds", language), ", ".join(map(str, result.seeds)) or "–"),
            (said("machine", language), f"{machine.describe()}; eyespot {VERSION}"),
        ),
        again=shlex.join(["eyespot", "lab", result.lab, result.data]),
    )
