"""A model of several labels per picture in Python: `eyespot.load(run)`, then `predict` and `evaluate`. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Unpack

import numpy as np

from eyespot.answering.multilabel_results import LabelPrediction, LabelProbability, MultilabelValResult
from eyespot.answering.opened import Answered
from eyespot.answering.opened_labels import OpenedLabels
from eyespot.bundle.multilabel_manifest import MultilabelManifest
from eyespot.data.data_set import Picture
from eyespot.data.handed import Pictures, listed
from eyespot.data.handed_sets import Data, path_of
from eyespot.data.levels import FLAT_NOTE
from eyespot.data.read_as import AS_IT_IS, ReadAs, ReadKeywords, read_as
from eyespot.errors import OptionError
from eyespot.progress import Progress, silent

MEASURED_BY = "this model is measured by lists of several labels, which are"


class MultilabelModel(OpenedLabels):
    """A trained model of several labels, ready to answer. Made by `load`."""

    def predict(
        self,
        pictures: Pictures,
        *,
        threshold: float | None = None,
        how: ReadAs = AS_IT_IS,
        progress: Progress = silent,
    ) -> list[LabelPrediction]:
        """The labels of each picture, in the order given; folders are searched through.

        pictures: of any kind that `Model.predict` takes.
        threshold: probability from which on a label is answered, 0 to 1; None for each label's own, which had the best
            F1 in cross-validation.
        how: which column of a table names pictures.
        """
        thresholds = thresholds_of(self.manifest, threshold)
        found, left = listed(pictures, how)
        answered = self.answers([(each, None) for each in found], doing="predicting", progress=progress)
        named = [self._named(number, each, answered, thresholds) for number, each in enumerate(found)]
        return named + [
            LabelPrediction(picture=each.picture, labels=(), probabilities=(), set_aside=each.reason) for each in left
        ]

    def evaluate(
        self,
        data: Data | None = None,
        *,
        split: str = "auto",
        progress: Progress = silent,
        **reading: Unpack[ReadKeywords],
    ) -> MultilabelValResult:
        """Average precision and F1 with their intervals, and everything else that `eyespot val` measures.

        data: a list of pictures with labels, of any kind that `train` takes; None for the pictures that the run kept.
        split: the part to read: train, val, test or all; auto is test, else val, else all.
        reading: `image_column`, `label_column` and `split_column`, as `train` has them.
        """
        from eyespot.answering.multilabel_evaluation import label_evaluation  # which `predict` does without

        path = None if data is None else path_of(data, MEASURED_BY)
        return label_evaluation(self, path, split=split, progress=progress, how=read_as(**reading))

    def _named(self, number: int, picture: Picture, answered: Answered, thresholds: np.ndarray) -> LabelPrediction:
        if number in answered.reasons:
            reason = answered.reasons[number]
            return LabelPrediction(picture=picture.name, labels=(), probabilities=(), set_aside=reason)
        chances = label_probabilities(answered.answers[number].probabilities, self.classes, thresholds)
        return LabelPrediction(
            picture=picture.name,
            labels=answered_labels(chances),
            probabilities=chances,
            note=FLAT_NOTE if number in answered.flat else None,
        )


def label_probabilities(
    row: np.ndarray, classes: Sequence[str], thresholds: np.ndarray
) -> tuple[LabelProbability, ...]:
    """The same of each label. row: (K,), as the graph gives them. thresholds: (K,)."""
    return tuple(
        LabelProbability(class_=name, probability=min(1.0, max(0.0, p)), threshold=least, answered=p >= least)
        for name, p, least in zip(classes, row.tolist(), thresholds.tolist(), strict=True)
    )


def answered_labels(chances: Iterable[LabelProbability]) -> tuple[str, ...]:
    """Those that are answered, the surest first."""
    return tuple(each.class_ for each in sorted(chances, key=lambda each: -each.probability) if each.answered)


def thresholds_of(manifest: MultilabelManifest, threshold: float | None) -> np.ndarray:
    """Those of each label, (K,), or the one that a person gives for all. Raises OptionError for what cannot be."""
    if threshold is None:
        return np.array(manifest.thresholds)
    if not 0 <= threshold <= 1:
        raise OptionError(f"the option threshold cannot be {threshold}: give a number from 0 to 1")
    return np.full(len(manifest.classes), threshold)
