"""What `train` returns of a run: what was fitted and measured, and why it was this regime."""

from __future__ import annotations

from collections.abc import Sequence

from eyespot.bundle.files import FOLDER
from eyespot.names import printable
from eyespot.records import Metric, PartMetrics
from eyespot.regimes.choice import Choice
from eyespot.regimes.fitted import Fitted
from eyespot.reporting.measure import Measurements
from eyespot.reporting.train_result import PictureCount, TrainResult
from eyespot.runs.folder import REPORT
from eyespot.runs.job import Job


def result_of(fitted: Fitted, measured: Measurements, *, choice: Choice, job: Job, notes: Sequence[str]) -> TrainResult:
    """notes: those of the run that neither the data nor the model gave."""
    prepared, scores, folder = measured.prepared, measured.scores, job.folder.path
    assert folder is not None
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
        validation=_overall(scores.validation) or scores.out_of_fold,
        test=_overall(scores.test),
        small_test=_overall(scores.small_test),
        out_of_fold=scores.out_of_fold,
        out_of_fold_reason=scores.out_of_fold_reason,
        mirror=fitted.mirror,
        l2=fitted.l2,
        temperature=fitted.temperature.value,
        precision=measured.precision,
        views_computed=fitted.views_computed + measured.views_computed,
        notes=tuple(dict.fromkeys([*prepared.notes, *fitted.notes, *measured.notes, *notes])),
        ladder=fitted.ladder,
        seconds=round(job.clock.spent, 2),
    )


def _overall(part: PartMetrics | None) -> Metric | None:
    return part.overall if part else None


def _reason(fitted: Fitted, choice: Choice, job: Job) -> str:
    """Why this regime: where several were tried, they decided."""
    if fitted.instead:
        return f"{choice.reason}, but {fitted.instead}"
    if choice.climbs:
        return f"the best on the validation pictures within {job.options.time:.0f} s"
    if fitted.regime != choice.regime:
        return f"{choice.regime} was stopped before it had learned anything"
    return choice.reason
