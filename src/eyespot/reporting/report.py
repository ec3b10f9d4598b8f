"""The report of a run: one HTML file that carries everything it shows, runs no script and loads nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eyespot.evaluate import verdict
from eyespot.evaluate.metrics import LARGEST_MATRIX, most_confused
from eyespot.evaluate.promises import USUAL, fewest
from eyespot.evaluate.verdict import RunScores, most_trusted_first, overall
from eyespot.files import write_whole
from eyespot.places import InStudio
from eyespot.records import ClassMetric, Metric, MixedUp, Part, PartMetrics, Rung, SetAside
from eyespot.reporting import figures
from eyespot.reporting.page import HEAT_LEVELS, rendered
from eyespot.reporting.unknown import LeftOut, Refusals

PAIRS = 5
"""Mistakes named in words beside the confusion matrix."""
MORE_PAIRS = 40
"""The same where there are more than `LARGEST_MATRIX` classes, and no matrix."""
MOST_ROWS = 200
"""Classes in a table; `manifest.json` has the figures of all of them."""
PART_WORDS: Mapping[Part, str] = {"train": "training", "val": "validation", "test": "test"}
PART_OF: Mapping[verdict.Measured, Part] = {"test": "test", "validation": "val", "out-of-fold": "train"}


@dataclass(frozen=True)
class Mistake:
    """A picture that was answered wrongly, with a thumbnail to judge by."""

    picture: str
    part: Part
    label: str
    """Name of the true class."""
    answer: str
    """Name of the class that was answered."""
    probability: float
    """Of the answer, 0..1."""
    thumbnail: bytes
    """A small JPEG: two dozen of them, 224 pixels wide, keep the report under 1 MB."""
    content: str
    """The hash of the picture's bytes, by which the studio knows it."""


@dataclass(frozen=True)
class Report:
    """Everything that the report of a run shows; what is None or empty is left out or said to be absent."""

    title: str
    """Name of the run."""
    created: str
    """Date and time, ISO 8601."""
    classes: tuple[str, ...]
    counts: Mapping[Part, Mapping[str, int]]
    """Pictures used, per part and class."""
    scores: RunScores
    refusals: Refusals | None = None
    """What it does with pictures that show none of the classes."""
    how: tuple[tuple[str, str], ...] = ()
    """What was done, as label and value: network, regime, precision, views, L2, seed, seconds, versions."""
    ladder: tuple[Rung, ...] = ()
    """The regimes that were tried, in order."""
    machine: str = ""
    next_commands: tuple[tuple[str, str], ...] = ()
    """What to do now, as command and what it does."""
    mistakes: tuple[Mistake, ...] = ()
    """Most confident first."""
    wrong: int = 0
    """Wrong answers in all, of which those are the surest."""
    set_aside: tuple[SetAside, ...] = ()
    trust: tuple[str, ...] = ()
    """What the pictures themselves say of the figures: series, doubtful labels, what more of them would bring."""
    notes: tuple[str, ...] = ()
    """Warnings about the data, one sentence each: imbalance, duplicates across parts."""
    studio: InStudio | None = None
    """Where the studio shows the run; None where it cannot."""


@dataclass(frozen=True)
class Result:
    """An accuracy, on which pictures it was measured, and its details where there are any."""

    measured: verdict.Measured
    metric: Metric
    detail: PartMetrics | None

    @property
    def sentence(self) -> str:
        return verdict.accuracy_sentence(self.metric, self.measured)

    @property
    def part(self) -> Part:
        """The pictures' part."""
        return PART_OF[self.measured]

    @property
    def per_class(self) -> tuple[ClassMetric, ...]:
        return self.detail.per_class if self.detail else ()


@dataclass(frozen=True)
class ClassRow:
    """One line of the table of classes."""

    metric: ClassMetric
    right: int
    bar: str


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix; `heat` are its CSS classes, empty if the count is 0."""

    count: int
    heat: str


def results(scores: RunScores) -> tuple[Result, ...]:
    """What was measured, the most trustworthy first."""
    return tuple(
        Result(measured, overall(found), found if isinstance(found, PartMetrics) else scores.out_of_fold_detail)
        for measured, found in most_trusted_first(scores)
    )


def write_report(report: Report, path: Path) -> None:
    """The report at `path`: complete or, if the machine stops on the way, not there. The folder must exist."""
    write_whole(path, render(report).encode())


def render(report: Report) -> str:
    """The report as HTML."""
    from markupsafe import Markup

    found = results(report.scores)
    return rendered(
        "reporting/report.html.jinja",
        report=report,
        results=found,
        detailed=next((result for result in found if result.detail), None),
        parts=[part for part in PART_WORDS if report.counts.get(part)],
        part_words=PART_WORDS,
        largest_matrix=LARGEST_MATRIX,
        drawn_classes=figures.DRAWN_CLASSES,
        most_rows=MOST_ROWS,
        verdict=verdict,
        class_rows=_class_rows,
        matrix=_matrix,
        pairs=_pairs,
        number_of={name: number for number, name in enumerate(report.classes)},
        usual=USUAL,
        fewest=fewest(USUAL),
        shown_left_out=_shown_left_out,
        noticed_svg=_noticed_svg,
        interval_svg=lambda metric: Markup(figures.interval_svg(metric)),
        reliability_svg=lambda bins, title: Markup(figures.reliability_svg(bins, title)),
        markup=Markup,
    )


def _class_rows(detail: PartMetrics) -> list[ClassRow]:
    """The `MOST_ROWS` weakest classes, weakest first by F1; those without a figure at the end."""
    right = {label: count for label, answer, count in detail.cells if label == answer}
    weakest = sorted(enumerate(detail.per_class), key=lambda each: math.inf if each[1].f1 is None else each[1].f1)
    return [
        ClassRow(metric, right.get(index, 0), figures.bar_svg(metric.recalled, "recall"))
        for index, metric in weakest[:MOST_ROWS]
    ]


def _matrix(detail: PartMetrics) -> list[list[Cell]]:
    return [
        [cell_of(count, sum(row), right=across == down) for across, count in enumerate(row)]
        for down, row in enumerate(detail.confusion)
    ]


def _shown_left_out(found: tuple[LeftOut, ...]) -> list[LeftOut]:
    """The classes that would be noticed most; of more than `MOST_ROWS` the first."""
    return sorted(found, key=lambda each: -each.noticed.share)[:MOST_ROWS]


def _noticed_svg(each: LeftOut) -> str:
    from markupsafe import Markup

    return Markup(figures.bar_svg(each.noticed.metric, "noticed"))


def cell_of(count: int, total: int, *, right: bool) -> Cell:
    level = math.ceil(HEAT_LEVELS * count / total) if count else 0
    return Cell(count, f"{'right' if right else 'wrong'} share{level}" if level else "")


def _pairs(detail: PartMetrics) -> tuple[MixedUp, ...]:
    most = PAIRS if len(detail.per_class) <= LARGEST_MATRIX else MORE_PAIRS
    return most_confused(detail.cells, [c.name for c in detail.per_class], most)
