"""What the features say of the pictures themselves, beside the model that is fitted on them."""

from __future__ import annotations

import numpy as np

from eyespot.data.groups import effective_count
from eyespot.evaluate.doubts import is_suspicious
from eyespot.evaluate.label_noise import believed
from eyespot.evaluate.learning_curve import MorePictures
from eyespot.evaluate.metrics import wilson_fraction
from eyespot.heads.fit import FittedHead, are_torn, folds_of, repeated_logits
from eyespot.heads.head import HeadOptions, Samples
from eyespot.heads.learning_curve import expect_with_more
from eyespot.records import Metric, Record

VERSION = 5
"""Changes whenever the same features would give other findings."""
MATTERS = 0.05
"""Share of the pictures that are in series from which it is worth the time to say what they would have done."""
MOST_FOR_CURVE = 5_000
"""Pictures up to which a curve takes a second or two."""
REPEATS, WORTH_REPEATING = 5, 1_000
"""Cross-validation is repeated with other folds where the pictures are worth no more than so many: which folds are
drawn then moves its accuracy by .01 and more."""
TURNS = 1
"""Parts of each size that the curve is read from: `audit` takes more of them."""


class Findings(Record):
    """What was found; None where it was not looked for."""

    together: Metric | None = None
    """Cross-validation."""
    torn: Metric | None = None
    """The same, had it torn the series apart."""
    doubtful: int | None = None
    """Pictures whose label cross-validation speaks against."""
    more: MorePictures | None = None
    """What twice the pictures would bring."""
    folds_tear: bool = False
    """Whether the series are so few that cross-validation tears them apart."""


def find(samples: Samples, options: HeadOptions, fitted: FittedHead) -> Findings:
    """What is worth saying of the pictures that the head was fitted on."""
    group = samples.group
    folds_tear = group is not None and are_torn(group, folds_of(samples.labels, seed=options.seed, group=group))
    together, torn = (None, None) if folds_tear else _torn(samples, options, fitted)
    believes = believed(fitted.out_of_fold, samples.labels)
    more = None
    if len(samples) <= MOST_FOR_CURVE:
        more = expect_with_more(samples, options, l2=fitted.chosen.l2, turns=TURNS, rotated=fitted.rotated)
    return Findings(
        together=together,
        torn=torn,
        doubtful=int(is_suspicious(believes, samples.labels).sum()),
        more=more,
        folds_tear=folds_tear,
    )


def steadied(samples: Samples, options: HeadOptions, fitted: FittedHead) -> np.ndarray:
    """Logits (repeats, N, classes) out of fold, repeated where which folds are drawn moves the figure much."""
    repeats = _repeats(samples)
    if repeats == 1:
        return fitted.out_of_fold[None]
    return repeated_logits(samples, options, repeats=repeats, rotated=fitted.rotated)


def _repeats(samples: Samples) -> int:
    worth = len(samples) if samples.group is None else effective_count(samples.group)
    return REPEATS if worth <= WORTH_REPEATING and len(samples) <= MOST_FOR_CURVE else 1


def _torn(samples: Samples, options: HeadOptions, fitted: FittedHead) -> tuple[Metric | None, Metric | None]:
    """Cross-validation, and the same had it torn the series apart; None where few pictures are in series."""
    group = samples.group
    if group is None or _share_in_series(group) < MATTERS:
        return None, None
    together = _accuracy(steadied(samples, options, fitted), samples, worth=effective_count(group))
    torn = repeated_logits(samples, options, repeats=_repeats(samples), torn=True, rotated=fitted.rotated)
    return together, _accuracy(torn, samples, worth=None)


def _share_in_series(group: np.ndarray) -> float:
    """Of the pictures, by their groups (N,)."""
    counts = np.unique(group, return_counts=True)[1]
    return float(counts[counts > 1].sum() / len(group))


def _accuracy(logits: np.ndarray, samples: Samples, *, worth: float | None) -> Metric:
    """Of logits (repeats, N, classes)."""
    right = logits.argmax(axis=2) == samples.labels
    return wilson_fraction(float(right.mean()), len(samples), worth=worth)
