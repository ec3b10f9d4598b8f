"""What the features say of the pictures themselves, beside the model that is fitted on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eyespot.data.groups import effective_count
from eyespot.evaluate.metrics import wilson
from eyespot.heads.fit import FittedHead, torn_logits
from eyespot.heads.head import HeadOptions, Samples
from eyespot.records import Metric

MATTERS = 0.05
"""Share of the pictures that are in series from which it is worth the time to say what they would have done."""


@dataclass(frozen=True)
class Findings:
    """What was found; None where it was not looked for."""

    together: Metric | None = None
    """Cross-validation."""
    torn: Metric | None = None
    """The same, had it torn the series apart."""


def find(samples: Samples, options: HeadOptions, fitted: FittedHead) -> Findings:
    """What is worth saying of the pictures that the head was fitted on."""
    group = samples.group
    if group is None or _share_in_series(group) < MATTERS:
        return Findings()
    together = _accuracy(fitted.out_of_fold, samples, worth=effective_count(group))
    return Findings(together, _accuracy(torn_logits(samples, options, fitted.chosen), samples, worth=None))


def _share_in_series(group: np.ndarray) -> float:
    """Of the pictures, by their groups (N,)."""
    counts = np.unique(group, return_counts=True)[1]
    return float(counts[counts > 1].sum() / len(group))


def _accuracy(logits: np.ndarray, samples: Samples, *, worth: float | None) -> Metric:
    right = logits.argmax(axis=1) == samples.labels
    return wilson(int(right.sum()), len(right), worth=worth)
