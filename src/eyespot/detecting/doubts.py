"""The labels that a trained detector speaks against, on the pictures that it was not trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.answering.box_evaluation import Judged
from eyespot.bundle.detector_manifest import DetectorManifest
from eyespot.detecting.result import DoubtfulBox
from eyespot.evaluate.box_doubts import BoxDoubt, doubtful_boxes


@dataclass(frozen=True, eq=False)
class Doubts:
    """What there is to look at."""

    judged: Judged
    """The pictures of all parts that were answered."""
    found: list[BoxDoubt]

    @classmethod
    def of(cls, manifest: DetectorManifest, parts: Iterable[Judged]) -> Doubts:
        """Those of all parts together: the more pictures there are, the better each class is known."""
        judged = Judged.of(parts)
        return cls(
            judged,
            doubtful_boxes(judged.truths, judged.founds, classes=len(manifest.classes), threshold=manifest.threshold),
        )

    def records(self, classes: Sequence[str]) -> Iterator[DoubtfulBox]:
        """As they are written down."""
        for each in self.found:
            truth, found = self.judged.truths[each.picture], self.judged.founds[each.picture]
            box = truth.xyxy if each.truth is not None else found.xyxy
            left, top, right, bottom = np.asarray(box, float)[_index(each)].round(2).tolist()
            yield DoubtfulBox(
                picture=self.judged.pictures[each.picture].picture.name,
                why=each.why,
                class_=None if each.truth is None else classes[int(np.asarray(truth.labels)[each.truth])],
                likelier=None if each.found is None else classes[int(np.asarray(found.labels)[each.found])],
                score=each.score,
                xyxy=(left, top, right, bottom),
            )


def _index(doubt: BoxDoubt) -> int:
    """Of the box, or else of what is found."""
    index = doubt.found if doubt.truth is None else doubt.truth
    assert index is not None
    return index
