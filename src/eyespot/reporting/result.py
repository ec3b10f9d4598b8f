"""What `train` returns: what was fitted and measured, and why it was this regime.

The keys of `TrainResult` are those of `--json` and of result.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from eyespot.answering.model import Model, load_classifier
from eyespot.bundle.files import FOLDER
from eyespot.bundle.manifest import Exclusion
from eyespot.card import card, link
from eyespot.evaluate.promises import Promise, Unknown
from eyespot.evaluate.trust import ListGain, MoreExpected, SeriesFound
from eyespot.names import as_typed, printable
from eyespot.records import Metric, PartMetrics, Precision, Record, Rung, SetAside
from eyespot.regimes.choice import Choice
from eyespot.regimes.fitted import Fitted
from eyespot.reporting.better import Better, better_of
from eyespot.reporting.measure import Measurements
from eyespot.reporting.regression import Before, Regression, regression_of
from eyespot.runs.folder import REPORT
from eyespot.runs.job import Job
from eyespot.words import counted

MOST_NOTES = 3
"""That a notebook shows."""


class PictureCount(Record):
    """How many pictures were used, and how many files were not."""

    used: int
    set_aside: int


class TrainResult(Record):
    """What `train` made and measured."""

    run: str
    """The run folder."""
    bundle: str
    report: str
    network: str
    regime: str
    regime_reason: str
    """Why this regime, in words."""
    classes: tuple[str, ...]
    pictures: PictureCount
    set_aside: tuple[SetAside, ...]
    exclusion: Exclusion | None
    """What came of the list of decisions; None where none was given."""
    list_gain: ListGain | None
    """What that list is worth; None without one that changes something, with fewer than 30 different test
    pictures, where a time was given, and where nothing was frozen; of a bettered model it is that of the frozen one."""
    series: SeriesFound
    """Pictures that belong together: no split tears them apart."""
    doubtful: int | None
    """Pictures whose label cross-validation speaks against; None where there was none."""
    more: MoreExpected | None
    """What twice the pictures would bring; None where they are too few to say, or so many that it takes too long."""
    validation: Metric | None
    """On the validation part; out of fold where there is none because too few pictures are held out; None if nothing
    was measured."""
    test: Metric | None
    """None if there is no test part, if it has fewer than 30 different pictures, or if the user stopped before."""
    small_test: Metric | None
    """On a test part of fewer than 30 different pictures that the folders hold; its interval is wide."""
    out_of_fold: Metric | None
    """Repeated cross-validation, in place of a test part that is too small."""
    out_of_fold_reason: str
    regression: Regression | None
    """How it compares with the run whose parts it has; None without one, or where nothing was tested in both."""
    mirror: bool
    """Whether mirror images were trained on."""
    l2: float | None
    temperature: float
    unknown: Unknown
    """What it does with pictures that show none of the classes."""
    sets: tuple[Promise, ...]
    """Each share of sets that hold the true class, and the probability from which on a class is in one."""
    precision: Precision
    views_computed: int
    """Views whose features the engine computed; all others came from the store."""
    notes: tuple[str, ...]
    ladder: tuple[Rung, ...]
    """The regimes that were tried, where a time was given; else none."""
    better: Better
    """What to do for a better model."""
    seconds: float

    @cached_property
    def model(self) -> Model:
        """The trained model, opened."""
        return load_classifier(self.run)

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        used = f"{counted(self.pictures.used, 'picture')} of {len(self.classes)} classes"
        aside = f"; {self.pictures.set_aside} set aside" if self.pictures.set_aside else ""
        measured = (("Validation", self.validation), ("Test", self.test or self.small_test))
        rows = [
            ("Used", f"{used}{aside}"),
            ("Model", f"{self.network}, {self.regime}: {self.regime_reason}"),
            *((name, str(metric)) for name, metric in measured if metric),
            *(("Note", note) for note in self.notes[:MOST_NOTES]),
            ("Report", link(self.report, self.report)),
        ]
        return card(self.run, rows)

    @property
    def next_commands(self) -> tuple[tuple[str, str], ...]:
        """What to do now, as command, ready to be typed, and what it does."""
        run = as_typed(self.run)
        return (
            (f"eyespot predict {run} PICTURES", "classes and probabilities of new pictures"),
            (f"eyespot serve {run}", "a page to try it"),
            (f"eyespot studio {run}", "a page to look inside: every layer, and the sum behind every number"),
            (f"eyespot val {run} FOLDER", "accuracy on other labelled pictures"),
        )


def result_of(
    fitted: Fitted,
    measured: Measurements,
    *,
    choice: Choice,
    before: Before | None,
    job: Job,
    data: str,
    notes: Sequence[str],
) -> TrainResult:
    """before: the run that it is compared with. data: as given. notes: what neither the data nor the model gave."""
    prepared, scores, folder = measured.prepared, measured.scores, job.folder.path
    assert folder is not None
    said = (*prepared.notes, *prepared.notes_on_list, *fitted.notes, *measured.notes, *notes)
    return TrainResult(
        run=printable(str(folder)),
        bundle=printable(str(folder / FOLDER)),
        report=printable(str(folder / REPORT)),
        network=fitted.trunk.network.name,
        regime=fitted.regime,
        regime_reason=_reason(fitted, choice, job),
        classes=prepared.data_set.classes,
        pictures=PictureCount(used=len(prepared.hashed), set_aside=len(prepared.set_aside)),
        set_aside=tuple(prepared.set_aside),
        exclusion=prepared.judged.exclusion,
        list_gain=measured.list_gain,
        series=measured.series,
        doubtful=fitted.findings.doubtful,
        more=fitted.findings.more.expected if fitted.findings.more else None,
        validation=_overall(scores.validation) or scores.out_of_fold,
        test=_overall(scores.test),
        small_test=_overall(scores.small_test),
        out_of_fold=scores.out_of_fold,
        out_of_fold_reason=scores.out_of_fold_reason,
        **_as_learned(fitted, measured),
        views_computed=fitted.views_computed + measured.views_computed,
        **_compared(before, measured, said),
        **_climbed(fitted, measured, job, data),
        seconds=round(job.clock.spent, 2),
    )


def _as_learned(fitted: Fitted, measured: Measurements) -> dict[str, Any]:
    """How it was fitted, and what it refuses and promises."""
    return {
        "mirror": fitted.mirror,
        "l2": fitted.l2,
        "temperature": fitted.temperature.value,
        "unknown": measured.refusals.unknown,
        "sets": measured.refusals.sets,
        "precision": measured.precision,
    }


def _climbed(fitted: Fitted, measured: Measurements, job: Job, data: str) -> dict[str, Any]:
    """What was tried, and what could be."""
    more = fitted.findings.more
    better = better_of(
        measured.prepared,
        job.options,
        run=printable(str(job.folder.path)),
        data=data,
        validation=_overall(measured.scores.validation),
        more=more.expected if more else None,
        only_head=fitted.regime == "frozen" and len(fitted.ladder) < 2,
    )
    return {"ladder": fitted.ladder, "better": better}


def _compared(before: Before | None, measured: Measurements, notes: Sequence[str]) -> dict[str, Any]:
    """The comparison with the run before, if one was given, and all notes: what there is to say of it comes first."""
    regression, said = None, list[str]()
    if before:
        regression = regression_of(before, measured)
        nothing = f"no picture was tested here that {before.run} was tested on: nothing is compared"
        said = [*(regression.sentences if regression else [nothing]), *before.notes]
    return {"regression": regression, "notes": tuple(dict.fromkeys([*said, *notes]))}


def _overall(part: PartMetrics | None) -> Metric | None:
    return part.overall if part else None


def _reason(fitted: Fitted, choice: Choice, job: Job) -> str:
    """Why this regime: where several were tried, they decided."""
    if fitted.instead:
        return f"{choice.reason}, but {fitted.instead}"
    if job.options.time is not None and choice.climbs:
        return f"the best on the validation pictures within {job.options.time:.0f} s"
    if choice.is_bettered:
        return choice.reason
    if fitted.regime != choice.regime:
        return f"{choice.regime} was stopped before it had learned anything"
    return choice.reason
