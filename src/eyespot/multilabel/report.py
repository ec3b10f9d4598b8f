"""The report of a model of several labels: one HTML file that carries everything, runs no script and loads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from eyespot import machine
from eyespot.evaluate.multilabel_records import MultilabelScores
from eyespot.evaluate.trust import series_sentences
from eyespot.multilabel.fit import FittedLabels
from eyespot.multilabel.result import LabelledCount, MultilabelResult
from eyespot.multilabel.shown import mistakes
from eyespot.multilabel.written import Written
from eyespot.records import SetAside
from eyespot.reporting.page import HEAT_LEVELS, rendered
from eyespot.words import counted

MOST_TOGETHER = 30
"""Labels in the table of which go together."""
MOST_ROWS = 200
PART_WORDS = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class MultilabelReport:
    """What the report shows beside figures and pictures."""

    title: str
    created: str
    classes: tuple[str, ...]
    most_labels: int
    parts: tuple[LabelledCount, ...]
    notes: tuple[str, ...]
    trust: tuple[str, ...]
    """What makes the figures more, or less, worth believing."""
    set_aside: tuple[SetAside, ...]
    how: tuple[tuple[str, str], ...]
    machine: str
    next_commands: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Together:
    """One cell of the table of labels that go together."""

    count: int
    heat: str


def report_of(title: str, result: MultilabelResult, fitted: FittedLabels, written: Written) -> str:
    """The report as HTML. title: the run's name."""
    manifest = written.manifest
    names, rows = _together(written)
    return rendered(
        "multilabel/report.html.jinja",
        report=MultilabelReport(
            title=title,
            created=manifest.created,
            classes=manifest.classes,
            most_labels=result.most_labels,
            parts=tuple(each for each in result.parts if each.pictures),
            notes=result.notes,
            trust=tuple(words for _, words in series_sentences(result.series)),
            set_aside=result.set_aside,
            how=tuple(_how(result, fitted, written)),
            machine=machine.describe(),
            next_commands=result.next_commands,
        ),
        scores=written.scores,
        on=_on(written),
        others=list(_others(written)),
        thresholds_from=manifest.thresholds_from,
        most_rows=MOST_ROWS,
        mistakes=list(mistakes(written)) if written.scores else [],
        names=names,
        rows=rows,
    )


def _on(written: Written) -> str:
    """The pictures that the figures are of, in words, after their number."""
    if written.part == "train":
        return "pictures, each answered by heads that had not seen it (cross-validation)"
    return f"{PART_WORDS[written.part]} pictures"


def _others(written: Written) -> Iterator[tuple[str, MultilabelScores]]:
    """What else was measured."""
    manifest = written.manifest
    for word, scores in (("Test", manifest.test), ("Validation", manifest.validation)):
        if scores is not None and scores is not written.scores:
            yield word, scores


def _together(written: Written) -> tuple[list[str], list[list[Together]]]:
    """The most frequent labels, and how many pictures have each two of them; on the diagonal, how many have the one."""
    prepared = written.prepared
    truths = prepared.truths(prepared.hashed).astype(np.int64)
    kept = np.sort(np.argsort(-truths.sum(axis=0), kind="stable")[:MOST_TOGETHER])
    counts = truths[:, kept].T @ truths[:, kept]
    rows = []
    for at, row in enumerate(counts.tolist()):
        most = max(counts[at][at], 1)
        rows.append([_cell(count, count / most, own=across == at) for across, count in enumerate(row)])
    return [prepared.classes[k] for k in kept.tolist()], rows


def _cell(count: int, share: float, *, own: bool) -> Together:
    if not count or own:
        return Together(count, "")
    return Together(count, f"right{max(1, round(HEAT_LEVELS * share))}")


def _how(result: MultilabelResult, fitted: FittedLabels, written: Written) -> Iterator[tuple[str, str]]:
    manifest = written.manifest
    size, l2 = manifest.preprocess, fitted.heads.l2[np.isfinite(fitted.heads.l2)]
    yield "Network", f"{manifest.network.name}, frozen, and a logistic head for each label on its features"
    yield "Images", f"{size.crop_hw[1]} x {size.crop_hw[0]} px, {size.filter}"
    yield "Trained on", counted(manifest.data.trained_on, "picture")
    if len(l2):
        yield "L2", f"{l2.min():.3g} to {l2.max():.3g}, each label's best in cross-validation"
    yield "Mirror images", f"used for {int(fitted.heads.mirror.sum())} of {counted(len(manifest.classes), 'label')}"
    yield (
        "Probabilities",
        f"made to mean what they say by Platt's two numbers for each label, on {result.thresholds_from}",
    )
    yield "Precision", manifest.precision.name
    yield "Seed", str(manifest.seed)
    yield "Model hash", f"{manifest.graph_sha256[:16]}; the same data, options and seed give the same"
    yield "Data fingerprint", manifest.data.fingerprint
    yield "Time", f"{result.seconds:.1f} s; {counted(result.views_computed, 'view')} computed, the others were stored"
    yield "Versions", ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
