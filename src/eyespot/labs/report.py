"""What an experiment came to, written down: the plot, and a page that tells all of it."""

from __future__ import annotations

import shlex

from markupsafe import Markup

from eyespot import machine
from eyespot.files import write_chosen
from eyespot.labs.definition import Lab, Language
from eyespot.labs.figures import Gains, cells_of
from eyespot.labs.folder import PLOT, REPORT
from eyespot.labs.kept import write_result
from eyespot.labs.options import LabOptions
from eyespot.labs.outcome import Outcome
from eyespot.labs.phrases import agrees, answer_words, name_of, said
from eyespot.labs.plot import PlotRow, plot_svg
from eyespot.labs.result import LabResult
from eyespot.labs.shown import table_of
from eyespot.reporting.page import rendered
from eyespot.version import VERSION


def written(outcome: Outcome) -> LabResult:
    """The outcome as a record, which is in the folder, too, with its plot and its report."""
    gains, result = outcome.gains, outcome.result()
    if result.seeds:
        plot = _plot(outcome.found.lab, gains, result.language, by_itself=True)
        write_chosen(outcome.folder / PLOT, plot.encode())
    write_chosen(outcome.folder / REPORT, _page(outcome, gains, result).encode())
    write_result(outcome.folder, result)
    return result


def _plot(lab: Lab, gains: Gains, language: Language, *, by_itself: bool) -> str:
    measure = next(iter(lab.measures))
    arms = list(lab.grid.get("arm", ()))
    rows = []
    for cell in cells_of(lab):
        others = [
            f"{name_of(lab, axis, language)}: {name_of(lab, cell[axis], language)}" for axis in cell if axis != "arm"
        ]
        heading, label = (", ".join(others), name_of(lab, cell["arm"], language)) if arms else ("", ", ".join(others))
        color = arms.index(cell["arm"]) if arms else 0
        rows.append(PlotRow(heading, label, color, gains.values(measure, cell), gains(measure, **cell)))
    return plot_svg(rows, title=lab.measures[measure].to(language), language=language, by_itself=by_itself)


def _page(outcome: Outcome, gains: Gains, result: LabResult) -> str:
    found, pictures, lab, language = outcome.found, outcome.pictures, outcome.found.lab, result.language
    side = pictures.x.shape[-1]
    used = said("pictures_of", language, count=result.pictures, classes=result.classes, side=side)
    return rendered(
        "labs/report.html.jinja",
        result=result,
        t=lambda key, **values: said(key, language, **values),
        colon="：" if language == "zh" else ":",
        answer=answer_words(result.question, result.answer, language) or said("verdict", language),
        plot=Markup(_plot(lab, gains, language, by_itself=False)) if result.seeds else "",
        table=table_of(lab, result),
        axes=len(lab.grid),
        exact=lab.exact,
        source=found.source,
        how=(
            (said("pictures", language), f"{pictures.name}: {used}"),
            (said("seeds", language), ", ".join(map(str, result.seeds)) or "–"),
            (said("machine", language), f"{machine.describe()}; eyespot {VERSION}"),
        ),
        again=_command(outcome),
        agrees=agrees(result.guess, result.right_guess),
    )


def _command(outcome: Outcome) -> str:
    """That does it again."""
    asked = outcome.asked
    given = {"seeds": asked.seeds, "seed": asked.seed, "model": asked.model, "lang": asked.lang}
    default = LabOptions()
    options = [f"--{name}={value}" for name, value in given.items() if value != getattr(default, name)]
    return shlex.join(["eyespot", "lab", outcome.found.name, outcome.data, *options])
