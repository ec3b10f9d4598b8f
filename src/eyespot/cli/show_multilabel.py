"""What people see of what models of several labels do: results on standard output, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from eyespot.cli import afterwards
from eyespot.cli.columns import in_column
from eyespot.cli.show import MOST_CLASSES, line, notes, say, set_aside
from eyespot.evaluate.trust import series_sentences
from eyespot.words import counted

if TYPE_CHECKING:
    from eyespot.answering.multilabel_results import MultilabelValResult
    from eyespot.evaluate.multilabel_records import MultilabelScores
    from eyespot.multilabel.result import MultilabelResult


BETTER = (
    "train on more pictures, or on larger images",
    "--imgsz 320 took the mAP on 600 pictures of clothing from 0.653 to 0.678",
)
"""By docs/multilabel.md."""


def trained(result: MultilabelResult) -> None:
    """The closing summary of `train`."""
    pictures = sum(each.pictures for each in result.parts)
    labels = f"{counted(len(result.classes), 'label')}, {result.most_labels} per picture at most"
    line("Read", f"{counted(pictures, 'picture')} with {labels}")
    line("Trained", f"a head for each label on {result.network}, frozen")
    set_aside(result.set_aside, "all are listed in predictions.csv")
    notes(result.notes, "result.json has them all")
    if result.out_of_fold:
        line("Cross-val.", str(result.out_of_fold))
    for label, found in (("Validation", result.validation), ("Test", result.test)):
        if found or not result.out_of_fold:
            line(label, str(found or "none"))
    for label, sentence in series_sentences(result.series):
        line(label, sentence)
    line("Time", f"{result.seconds:.1f} s, {counted(result.views_computed, 'view')} computed")
    afterwards.next_steps(result.report, result.next_commands[:2], BETTER)


def validated(result: MultilabelValResult) -> None:
    """The summary of `val`."""
    line("Read", f"{counted(result.pictures, 'picture')}, part {result.part}")
    set_aside(result.set_aside, "--json names them all")
    notes(result.notes)
    scores(result)


def scores(found: MultilabelScores) -> None:
    """The figures, and those of each label."""
    line("mAP", str(found.map))
    line("Micro F1", f"{found.micro_f1}; precision {_figure(found.precision)}, recall {_figure(found.recall)}")
    line("Macro F1", str(found.macro_f1))
    line("All right", f"{found.exact_match} of the pictures; Hamming loss {found.hamming_loss.value:.3f}")
    shown = found.per_class
    if len(shown) > MOST_CLASSES:
        shown = tuple(sorted(shown, key=lambda each: each.ap.value if each.ap else math.inf)[:MOST_CLASSES])
    heading, *names = in_column(["label", *(each.name for each in shown)])
    say(f"{'':12}{heading}  {'AP':24}{'F1':24}{'threshold':11}pictures")
    for each, name in zip(shown, names, strict=True):
        ap, f1 = (
            f"{of.value:.3f} ({of.low:.3f} to {of.high:.3f})" if of else "not measured" for of in (each.ap, each.f1)
        )
        say(f"{'':12}{name}  {ap:24}{f1:24}{each.threshold:<11.2f}{each.support:>8}")
    if len(shown) < len(found.per_class):
        line("", f"... and {len(found.per_class) - len(shown)} other labels; --json names them all")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
