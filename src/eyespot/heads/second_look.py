"""What heads say of each label that had trained neither on the picture nor on any whose label was doubtful at first.

Wrong labels speak for one another: a head that has trained on some of them believes the others more. Left out, they
no longer do: of as many suspects as labels that were turned at random, two in a hundred more were.
"""

from __future__ import annotations

import numpy as np

from eyespot.evaluate.doubts import is_suspicious
from eyespot.evaluate.label_noise import believed
from eyespot.heads.fit import LOOSE, FittedHead, settled
from eyespot.heads.head import HeadOptions, Samples
from eyespot.heads.problems import Problems
from eyespot.heads.rotation import Rotated


def second_look(samples: Samples, options: HeadOptions, fitted: FittedHead, *, fold: np.ndarray) -> np.ndarray:
    """Calibrated probabilities (N, classes) of every picture, by heads of the other folds without doubtful labels.

    fitted: on these samples; its answers out of fold say which labels are doubtful.
    fold: of each picture, (N,), 0 and up.
    """
    labels = samples.labels
    first = believed(fitted.out_of_fold, labels)
    trusted = ~is_suspicious(first, labels)
    if trusted.all():
        return first
    rotated = fitted.rotated or Rotated.of(samples)
    trained_on = (fold[:, None] != np.arange(fold.max() + 1)) & trusted[:, None]  # (N, folds)
    problems = Problems(
        rotated,
        settled(options, samples),
        mirror=fitted.chosen.mirror,
        trained_on=trained_on,
    )
    heads = problems.minimise(np.repeat(fitted.chosen.l2, trained_on.shape[1]), tolerance=LOOSE)
    logits = np.empty_like(fitted.out_of_fold)
    for number, head in enumerate(heads):
        logits[fold == number] = rotated.logits(head, fold == number)
    return believed(logits, labels)
