"""Average precision of small, middle and large boxes, by thirds of the data's own sizes.

COCO's limits, 32 x 32 and 96 x 96 pixels, say nothing about pictures of cells or of fields. What counts in a range of
sizes is as there: T.-Y. Lin et al. 2014, Microsoft COCO, arXiv:1405.0312, and `areaRng` of pycocotools 2.0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluate.average_precision import AveragePrecision, average_precision
from eyespot.evaluate.box_matches import MOST, Found, Truth, matches, to_be_found
from eyespot.evaluate.boxes import areas


@dataclass(frozen=True)
class SizePrecision:
    """Average precision of the boxes in a range of sizes."""

    from_area: float
    """Square pixels of the picture."""
    to_area: float | None
    """Square pixels of the picture; None: there is no upper end."""
    truths: int
    """True boxes of these sizes that were to be found."""
    measured: AveragePrecision


def thirds(truths: Sequence[Truth]) -> tuple[tuple[float, float], ...]:
    """The three ranges of areas that hold a third of the boxes to be found each, smallest first.

    The first begins at 0 and the last has no end. No box has a size where two of them meet, so it is in one of them.
    None at all where the boxes have no three sizes.
    """
    found: list[NDArray[np.float64]] = [_sizes(truth) for truth in truths]
    sizes = np.concatenate([np.zeros(0), *found])
    if not len(sizes):
        return ()
    first, second = (_next_gap(sizes, at) for at in np.quantile(sizes, [1 / 3, 2 / 3]).tolist())
    if not first < second < sizes.max():
        return ()
    return (0.0, first), (first, second), (second, math.inf)


def by_size(
    truths: Sequence[Truth], founds: Sequence[Found], *, classes: int, most: int = MOST
) -> tuple[SizePrecision, ...]:
    """Average precision in each third of the sizes, smallest first; none where the boxes have no three sizes.

    Boxes of other sizes are ignored: finding them is no mistake, not finding them neither.

    truths, founds: a picture each, in the same order.
    classes: number of classes.
    most: boxes of a class in a picture that count.
    """
    measured = []
    for low, high in thirds(truths):
        found = matches(truths, founds, classes=classes, most=most, area=(low, high))
        measured.append(
            SizePrecision(
                from_area=low,
                to_area=high if math.isfinite(high) else None,
                truths=int(found.counted.sum()),
                measured=average_precision(found),
            )
        )
    return tuple(measured)


def _next_gap(sizes: NDArray[np.float64], at: float) -> float:
    """The middle between the sizes up to that one and the next larger; infinite where none is larger."""
    return float(sizes[sizes <= at].max() + sizes[sizes > at].min(initial=math.inf)) / 2


def _sizes(truth: Truth) -> NDArray[np.float64]:
    return np.asarray(areas(truth.xyxy), np.float64)[to_be_found(truth)]
