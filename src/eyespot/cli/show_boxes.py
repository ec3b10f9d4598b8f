"""What people see of what detectors do, too: results on standard output, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eyespot.cli import afterwards, show, show_multilabel
from eyespot.cli.columns import in_column
from eyespot.cli.show import MOST_CLASSES, line, notes, say, set_aside
from eyespot.evaluate.trust import series_sentences
from eyespot.words import counted

if TYPE_CHECKING:
    from eyespot.answering.detections import DetectionValResult
    from eyespot.answering.multilabel_results import MultilabelValResult
    from eyespot.answering.results import ValResult
    from eyespot.detecting.result import DetectorResult
    from eyespot.evaluate.box_records import DetectionScores
    from eyespot.multilabel.result import MultilabelResult
    from eyespot.reporting.result import TrainResult

BETTER = (
    "train on more pictures with boxes",
    "on blood cells 10, 30, 100 and 205 of them gave a mAP50 of 0.641, 0.761, 0.844 and 0.871",
)
"""By docs/figures.md."""


def trained(result: TrainResult | DetectorResult | MultilabelResult) -> None:
    """The closing summary of `train`."""
    from eyespot.detecting.result import DetectorResult
    from eyespot.multilabel.result import MultilabelResult

    if isinstance(result, MultilabelResult):
        show_multilabel.trained(result)
        return
    if not isinstance(result, DetectorResult):
        show.trained(result)
        return
    pictures, boxes = (sum(getattr(part, name) for part in result.parts) for name in ("pictures", "boxes"))
    classes = counted(len(result.classes), "class", "classes")
    size = f"{result.image_width} x {result.image_height}"
    line("Used", f"{counted(pictures, 'picture')} with {counted(boxes, 'box', 'boxes')} of {classes} ({result.format})")
    line("Trained", f"a detector on {result.network}, images of {size} px, {counted(result.steps, 'step')}")
    set_aside(result.set_aside, "all are listed in predictions.csv")
    notes(result.notes, "result.json has them all")
    line("Validation", str(result.validation or "none"))
    line("Test", str(result.test or "none"))
    for label, sentence in series_sentences(result.series):
        line(label, sentence)
    if result.on_labels:
        line("Labels", result.on_labels)
    line("Time", f"{result.seconds:.1f} s, {counted(result.views_computed, 'view')} computed")
    afterwards.next_steps(result.report, result.next_commands[:2], BETTER)


def validated(result: ValResult | DetectionValResult | MultilabelValResult) -> None:
    """The summary of `val`."""
    from eyespot.answering.detections import DetectionValResult
    from eyespot.answering.multilabel_results import MultilabelValResult

    if isinstance(result, MultilabelValResult):
        show_multilabel.validated(result)
        return
    if not isinstance(result, DetectionValResult):
        show.validated(result)
        return
    line("Read", f"{counted(result.pictures, 'picture')}, part {result.part}")
    set_aside(result.set_aside, "--json names them all")
    notes(result.notes)
    line("mAP50", str(result.map50))
    line("mAP50-95", str(result.map50_95))
    line("At", f"a threshold of {result.threshold:.2f}: {_at_threshold(result)}")
    shown = result.per_class[:MOST_CLASSES]
    heading, *names = in_column(["class", *(each.name for each in shown)])
    say(f"{'':12}{heading}  {'AP50':24}{'AP50-95':9}{'precision':11}{'recall':8}boxes")
    for each, name in zip(shown, names, strict=True):
        ap50 = f"{each.ap50.value:.3f} ({each.ap50.low:.3f} to {each.ap50.high:.3f})" if each.ap50 else "not measured"
        figures = [_figure(value) for value in (each.ap50_95, each.precision, each.recall)]
        say(f"{'':12}{name}  {ap50:24}{figures[0]:9}{figures[1]:11}{figures[2]:8}{each.boxes:>5}")
    if len(shown) < len(result.per_class):
        line("", f"... and {len(result.per_class) - len(shown)} other classes; --json names them all")


def _at_threshold(scores: DetectionScores) -> str:
    return f"precision {_figure(scores.precision)}, recall {_figure(scores.recall)}, F1 {_figure(scores.f1)}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
