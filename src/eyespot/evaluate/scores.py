"""The scores of a run, and which of them to trust first."""

from __future__ import annotations

from eyespot.evaluate.verdict import Measured
from eyespot.records import Metric, PartMetrics, Scores


class RunScores(Scores):
    """The scores that a bundle keeps, with what is told of them in the run's report."""

    out_of_fold_detail: PartMetrics | None
    """The answers of cross-validation per class, where they were kept."""
    out_of_fold_reason: str
    """Why cross-validation was run, as one sentence; empty if it was not."""


def most_trusted_first(scores: Scores) -> list[tuple[Measured, PartMetrics | Metric]]:
    """What was measured: on test, then out of fold, on a small test, on validation."""
    found: tuple[tuple[Measured, PartMetrics | Metric | None], ...] = (
        ("test", scores.test),
        ("out-of-fold", scores.out_of_fold),
        ("test", scores.small_test),
        ("validation", scores.validation),
    )
    return [(measured, each) for measured, each in found if each is not None]


def overall(score: PartMetrics | Metric) -> Metric:
    """The accuracy on all pictures of the part."""
    return score.overall if isinstance(score, PartMetrics) else score
