"""The files of a detector's run that people open: tables, pictures, and the report, which comes last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from eyespot.bundle.files import FOLDER
from eyespot.detecting.curves import curves_png, curves_svg, drawn_curves
from eyespot.detecting.fit import FittedDetector
from eyespot.detecting.labels import Labels, labels_png
from eyespot.detecting.report import NOTHING, report_of
from eyespot.detecting.result import BoxedCount, DetectorResult
from eyespot.detecting.series import series_found
from eyespot.detecting.written import Written
from eyespot.files import write_whole, writing
from eyespot.names import printable
from eyespot.reporting.figures import cells_png
from eyespot.runs.folder import ARGS, REPORT
from eyespot.runs.job import Job
from eyespot.runs.tables import write_csv, write_json, write_table

PARTS = ("train", "val", "test")


def result_of(fitted: FittedDetector, written: Written, *, job: Job, notes: Sequence[str]) -> DetectorResult:
    """notes: those of the run that neither the data nor the training gave."""
    prepared, folder, manifest = fitted.prepared, job.folder.path, written.manifest
    assert folder is not None
    height, width = fitted.preprocess.crop_hw
    unread = [each for judged in written.judged.values() for each in judged.set_aside]
    return DetectorResult(
        run=printable(str(folder)),
        bundle=printable(str(folder / FOLDER)),
        report=printable(str(folder / REPORT)),
        network=fitted.network.name,
        format=prepared.format,
        classes=prepared.classes,
        parts=tuple(
            BoxedCount(
                part=part,
                pictures=len(prepared.part(part)),
                boxes=sum(int((~each.boxes.ignored).sum()) for each in prepared.part(part)),
            )
            for part in PARTS
        ),
        set_aside=(*prepared.set_aside, *unread),
        image_width=width,
        image_height=height,
        views=fitted.views,
        steps=fitted.steps,
        threshold=manifest.threshold,
        validation=manifest.validation,
        test=manifest.test,
        series=series_found(prepared, written),
        doubtful_boxes=tuple(written.doubts.records(manifest.classes)),
        views_computed=fitted.views_computed,
        notes=tuple(dict.fromkeys([*prepared.notes, *fitted.notes, *notes])),
        seconds=round(job.clock.spent, 2),
    )


def write_outputs(
    result: DetectorResult, fitted: FittedDetector, written: Written, job: Job, *, args: Mapping[str, object]
) -> None:
    """Everything beside the bundle; the report comes last, so that a report means a finished run.

    args: what `args.json` says.
    """
    folder = job.folder.path
    assert folder is not None
    with writing(f"the model in {folder} is complete and usable, but its report"):
        write_json(folder / ARGS, args)
        write_csv(folder / "split.csv", ("picture", "part", "boxes"), _split_rows(fitted))
        write_table(folder / "results.csv", fitted.table)
        write_csv(
            folder / "predictions.csv",
            ("picture", "part", "class", "probability", "left", "top", "right", "bottom", "set_aside"),
            _prediction_rows(result, written),
        )
        write_whole(folder / "labels.png", labels_png(Labels.of(fitted.prepared.parts, result.classes)))
        measured, curves = written.measured(), ""
        if measured:
            cells, drawn = measured.scores.cells, drawn_curves(measured.matched, measured.scores)
            write_whole(folder / "confusion_matrix.png", cells_png(cells, result.classes, nothing=NOTHING))
            write_whole(folder / "precision_recall.png", curves_png(drawn))
            curves = curves_svg(drawn)
        write_json(folder / "result.json", result.model_dump(mode="json", by_alias=True))
        manifest = written.manifest
        report = report_of(
            folder.name,
            result,
            fitted,
            manifest=manifest,
            measured=measured,
            doubts=written.doubts,
            curves=curves,
        )
        write_whole(folder / REPORT, report.encode())


def _split_rows(fitted: FittedDetector) -> Iterator[tuple[object, ...]]:
    for part in PARTS:
        yield from ((each.picture.name, part, len(each.boxes)) for each in fitted.prepared.part(part))


def _prediction_rows(result: DetectorResult, written: Written) -> Iterator[tuple[object, ...]]:
    """Every box of at least the threshold, in pictures that were not trained on; then what was left out."""
    for part, judged in written.judged.items():
        for each, found in zip(judged.pictures, judged.founds, strict=True):
            labels, scores, boxes = (np.asarray(values).tolist() for values in (found.labels, found.scores, found.xyxy))
            for label, score, box in zip(labels, scores, boxes, strict=True):
                if score >= result.threshold:
                    sides = (f"{side:.2f}" for side in box)
                    yield each.picture.name, part, result.classes[label], f"{score:.4f}", *sides, ""
    for left in result.set_aside:
        yield left.picture, "", "", "", "", "", "", "", left.reason
