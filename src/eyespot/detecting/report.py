"""The report of a detector's run: one HTML file that carries everything it shows, runs no script and loads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eyespot import machine
from eyespot.bundle.detector_manifest import DetectorManifest
from eyespot.detecting.doubts import Doubts
from eyespot.detecting.fit import FittedDetector
from eyespot.detecting.result import BoxedCount, DetectorResult
from eyespot.detecting.shown import doubted, shown
from eyespot.detecting.written import Measured
from eyespot.evaluate.box_records import DetectionScores
from eyespot.evaluate.metrics import LARGEST_MATRIX
from eyespot.evaluate.trust import series_sentences
from eyespot.records import SetAside
from eyespot.reporting.page import rendered
from eyespot.reporting.report import Cell, cell_of
from eyespot.words import counted

NOTHING = "(nothing)"


@dataclass(frozen=True)
class DetectorReport:
    """What the report shows beside figures and pictures."""

    title: str
    created: str
    classes: tuple[str, ...]
    parts: tuple[BoxedCount, ...]
    threshold: float
    validation: DetectionScores | None
    notes: tuple[str, ...]
    trust: tuple[str, ...]
    """What makes the figures more, or less, worth believing."""
    set_aside: tuple[SetAside, ...]
    how: tuple[tuple[str, str], ...]
    machine: str
    next_commands: tuple[tuple[str, str], ...]


def report_of(
    title: str,
    result: DetectorResult,
    fitted: FittedDetector,
    *,
    manifest: DetectorManifest,
    measured: Measured | None,
    doubts: Doubts,
    curves: str,
) -> str:
    """The report as HTML. title: the run's name; curves: HTML."""
    from markupsafe import Markup

    scores, pictures = measured.scores if measured else None, None
    threshold, levels = manifest.threshold, manifest.preprocess.levels
    if measured:
        pictures = shown(measured.judged, measured.matched, manifest.classes, threshold=threshold, levels=levels)
    return rendered(
        "detecting/report.html.jinja",
        report=_said(title, result, fitted, manifest),
        scores=scores,
        other=manifest.validation if measured and measured.part == "test" else None,
        part_word="test" if measured and measured.part == "test" else "validation",
        named=[*manifest.classes, NOTHING],
        rows=_matrix(scores, len(manifest.classes)) if scores and len(manifest.classes) <= LARGEST_MATRIX else [],
        shown=pictures,
        doubted=list(doubted(doubts, manifest.classes, threshold=threshold, levels=levels)),
        curves=Markup(curves),
    )


def _said(title: str, result: DetectorResult, fitted: FittedDetector, manifest: DetectorManifest) -> DetectorReport:
    return DetectorReport(
        title=title,
        created=manifest.created,
        classes=manifest.classes,
        parts=tuple(each for each in result.parts if each.pictures),
        threshold=manifest.threshold,
        validation=manifest.validation,
        notes=result.notes,
        trust=tuple(words for _, words in series_sentences(result.series)),
        set_aside=result.set_aside,
        how=tuple(_how(result, fitted, manifest)),
        machine=machine.describe(),
        next_commands=result.next_commands,
    )


def _matrix(scores: DetectionScores, classes: int) -> list[list[Cell]]:
    counts = [[0] * (classes + 1) for _ in range(classes + 1)]
    for true, said, count in scores.cells:
        counts[true][said] = count
    return [
        [cell_of(count, sum(row), right=across == down) for across, count in enumerate(row)]
        for down, row in enumerate(counts)
    ]


def _how(result: DetectorResult, fitted: FittedDetector, manifest: DetectorManifest) -> Iterator[tuple[str, str]]:
    plan, size = fitted.plan, manifest.preprocess
    yield (
        "Network",
        f"{manifest.network.name}, frozen, and a detector on its maps at strides {_listed(manifest.strides)}",
    )
    yield "Images", f"{size.crop_hw[1]} x {size.crop_hw[0]} px, the whole picture in each, {size.filter}"
    yield "Trained on", f"{counted(manifest.data.trained_on, 'picture')}, {counted(fitted.views, 'view')} of each"
    yield (
        "Steps",
        f"{fitted.steps} of {plan.batch} views, AdamW, highest rate {plan.lr:g}, weight decay {plan.weight_decay:g}",
    )
    yield (
        "Suppression",
        f"of boxes of a class that overlap by more than {manifest.iou:g} the surest; {manifest.most} at most",
    )
    yield "Precision", manifest.precision
    yield "Seed", str(manifest.seed)
    yield "Model hash", f"{manifest.graph_sha256[:16]}; the same data, options and seed give the same"
    yield "Data fingerprint", manifest.data.fingerprint
    yield "Time", f"{result.seconds:.1f} s; {counted(result.views_computed, 'view')} computed, the others were stored"
    yield "Versions", ", ".join(f"{name} {version}" for name, version in manifest.versions.items())


def _listed(strides: tuple[int, ...]) -> str:
    return ", ".join(map(str, strides))
