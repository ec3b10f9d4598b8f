"""The files of the run that people open: tables and the report, which comes last, so that it means a finished run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from eyespot.bundle.files import FOLDER
from eyespot.evaluate.box_records import Estimate
from eyespot.evaluate.multilabel import multilabel_scores
from eyespot.evaluate.trust import SeriesFound
from eyespot.files import write_whole, writing
from eyespot.multilabel.fit import FittedLabels
from eyespot.multilabel.report import report_of
from eyespot.multilabel.result import LabelledCount, MultilabelResult, TogetherCount
from eyespot.multilabel.written import Written
from eyespot.names import printable
from eyespot.records import Part
from eyespot.runs.folder import ARGS, REPORT
from eyespot.runs.job import Job
from eyespot.runs.tables import write_csv, write_json

PARTS: tuple[Part, ...] = ("train", "val", "test")
MOST_PAIRS = 1000
"""Of labels that pictures have together, in result.json."""


def result_of(fitted: FittedLabels, written: Written, *, job: Job, notes: Sequence[str]) -> MultilabelResult:
    """notes: those of the run that neither the data nor the training gave."""
    prepared, folder, manifest = written.prepared, job.folder.path, written.manifest
    assert folder is not None
    return MultilabelResult(
        run=printable(str(folder)),
        bundle=printable(str(folder / FOLDER)),
        report=printable(str(folder / REPORT)),
        network=fitted.trunk.network.name,
        classes=manifest.classes,
        most_labels=prepared.most_labels,
        parts=tuple(_count(written, part) for part in PARTS),
        set_aside=tuple(prepared.set_aside),
        thresholds=manifest.thresholds,
        thresholds_from=manifest.thresholds_from,
        validation=manifest.validation,
        test=manifest.test,
        out_of_fold=manifest.out_of_fold,
        together=tuple(_together(written)),
        series=_series(written),
        views_computed=written.views_computed,
        notes=tuple(dict.fromkeys([*prepared.notes, *fitted.notes, *notes])),
        seconds=round(job.clock.spent, 2),
    )


def write_outputs(
    result: MultilabelResult, fitted: FittedLabels, written: Written, job: Job, *, args: Mapping[str, object]
) -> None:
    """Everything beside the bundle. args: what `args.json` says."""
    folder = job.folder.path
    assert folder is not None
    with writing(f"the model in {folder} is complete and usable, but its report"):
        write_json(folder / ARGS, args)
        rows = [(each.picture.name, each.picture.part, each.picture.label) for each in written.prepared.hashed]
        write_csv(folder / "split.csv", ("picture", "part", "labels"), rows)
        write_csv(folder / "results.csv", ("label", "l2", "mirror", "threshold"), _heads(fitted, result))
        write_csv(
            folder / "predictions.csv",
            ("picture", "part", "labels", "answered", *(f"p({name})" for name in result.classes), "set_aside"),
            _predictions(result, written),
        )
        write_json(folder / "result.json", result.model_dump(mode="json", by_alias=True))
        write_whole(folder / REPORT, report_of(folder.name, result, fitted, written).encode())


def _count(written: Written, part: Part) -> LabelledCount:
    pictures = written.prepared.part(part)
    counts = [len(each.picture.labels or ()) for each in pictures]
    return LabelledCount(part=part, pictures=len(pictures), labels=sum(counts), without=counts.count(0))


def _together(written: Written) -> Iterator[TogetherCount]:
    """Pairs of labels, the most frequent first."""
    prepared = written.prepared
    truths = prepared.truths(prepared.hashed).astype(np.int64)
    counts = np.triu(truths.T @ truths, 1)
    pairs = np.argwhere(counts)
    order = np.argsort(-counts[tuple(pairs.T)], kind="stable")[:MOST_PAIRS]
    for one, other in pairs[order].tolist():
        first, second = prepared.classes[one], prepared.classes[other]
        yield TogetherCount(first=first, second=second, pictures=int(counts[one, other]))


def _series(written: Written) -> SeriesFound:
    prepared = written.prepared
    series = prepared.series
    trained = series.names(each.content for each in prepared.part("train"))

    def shared(part: Part) -> int:
        return sum(series.of.get(each.content) in trained for each in prepared.part(part))

    return SeriesFound(
        series=len(series),
        pictures=len(series.of),
        named=sum(content in prepared.named for content in series.of),
        largest=series.largest,
        cut=series.cut,
        shared=shared("test"),
        shared_val=shared("val"),
        apart=_apart(written, trained),
    )


def _apart(written: Written, trained: set[str]) -> Estimate | None:
    """mAP on the test pictures that are in no series with a training picture; None where all are, or none."""
    told, series = written.told.get("test"), written.prepared.series
    if told is None:
        return None
    apart = np.array([series.of.get(each.content) not in trained for each in told.pictures])
    if apart.all() or not apart.any():
        return None
    group = written.prepared.group([each for each, is_apart in zip(told.pictures, apart, strict=True) if is_apart])
    return multilabel_scores(
        told.truths[apart],
        told.chances[apart],
        written.manifest.classes,
        thresholds=np.array(written.manifest.thresholds),
        series=group,
    ).map


def _heads(fitted: FittedLabels, result: MultilabelResult) -> Iterator[tuple[object, ...]]:
    for k, name in enumerate(result.classes):
        l2 = fitted.heads.l2[k]
        yield name, "" if np.isnan(l2) else f"{l2:.6g}", int(fitted.heads.mirror[k]), f"{result.thresholds[k]:.6f}"


def _predictions(result: MultilabelResult, written: Written) -> Iterator[tuple[object, ...]]:
    """Every picture with its labels and what was answered to it; then what was left out."""
    for part, told in written.told.items():
        for row, each in enumerate(told.pictures):
            answered = "|".join(np.array(result.classes)[written.said[part][row]])
            chances = (f"{chance:.4f}" for chance in told.chances[row])
            yield each.picture.name, part, "|".join(each.picture.labels or ()), answered, *chances, ""
    for left in result.set_aside:
        yield left.picture, "", "", "", *([""] * len(result.classes)), left.reason
