"""Cross-validation of a network that learns from scratch: one training for each fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eyespot.heads.fit import folds_of
from eyespot.records import Part
from eyespot.regimes.answers import Answers
from eyespot.regimes.on_images import by_content
from eyespot.regimes.plans import Defaults
from eyespot.regimes.scratch_training import Making


def out_of_fold(making: Making, parts: Sequence[Part], defaults: Defaults) -> Answers:
    """Answers to every picture of these parts by networks that had not seen it, trained for as many epochs."""
    from eyespot.training.loop import one_thread, scores

    prepared, job = making.prepared, making.job
    pictures = by_content(prepared.part(*parts))
    labels = prepared.labels(pictures)
    fold = folds_of(labels, seed=job.options.seed)
    logits = np.zeros((1, len(fold), len(prepared.data_set.classes)), np.float32)
    options = job.options.model_copy(update={"epochs": defaults.epochs, "patience": None})
    fold_making = Making(making.images, prepared, making.network, making.augmentation, replace(job, options=options))
    for held_out in range(fold.max() + 1):
        job.progress("cross-validation", held_out, int(fold.max()) + 1)
        seen, unseen = (
            making.images.examples(
                prepared, [pictures[row] for row in rows], augmentation=augmentation, seed=job.options.seed
            )
            for rows, augmentation in (
                (np.flatnonzero(fold != held_out), making.augmentation),
                (np.flatnonzero(fold == held_out), None),
            )
        )
        training, _ = fold_making.training(seen, None, defaults)
        with one_thread():
            for _ in training.run():
                pass
            logits[0, fold == held_out] = _two_columns(scores(training.averaged, unseen, device=job.device).numpy())
    return Answers(pictures, labels, logits)


def _two_columns(scores: np.ndarray) -> np.ndarray:
    """A sigmoid's one score z as (0, z), whose softmax is (1 - p, p)."""
    return np.concatenate([np.zeros_like(scores), scores], axis=1) if scores.shape[1] == 1 else scores
