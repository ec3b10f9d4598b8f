"""One box that a detector told, what is around it, and how sure the network is of it while some of that is hidden.

Needs no torch. How sure it is: the largest product, over all places, of the class's score there and of how far the box
told there overlaps the one in question; after Petsiuk and others 2021, "Black-box explanation of object detectors via
saliency maps", arXiv:2006.03204, section 3.2. So a box that a neighbouring place tells instead does not count as lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.answering.opened_detector import BATCH, OpenedDetector
from eyespot.data.framed import Framed
from eyespot.engine.gate import BOXES, SCORES
from eyespot.engine.run import in_batches
from eyespot.evaluate.boxes import iou
from eyespot.records import Window

REACH = 3
"""Times the box's own width and height: so much of the picture around its middle is looked at."""

Sides = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclass(frozen=True)
class ToldBox:
    """A box as the network tells it."""

    label: int
    """Index of its class."""
    sides: Sides
    """In pixels of the image."""
    place: int
    """Index of the place that tells it."""


class Surroundings:
    """A box and what is around it, as far as the picture reaches."""

    def __init__(self, detector: OpenedDetector, framed: Framed, told: ToldBox) -> None:
        self._detector, self._image, self._told = detector, framed.image, told
        left, top, right, bottom = told.sides
        height, width = framed.shown_hw
        self._rows = _around(top, bottom, most=height)
        self._columns = _around(left, right, most=width)
        self.window = Window(
            left=self._columns.start / width,
            top=self._rows.start / height,
            width=(self._columns.stop - self._columns.start) / width,
            height=(self._rows.stop - self._rows.start) / height,
        )

    @property
    def image(self) -> NDArray[np.uint8]:
        """What is there, (H, W, C)."""
        return self._image[self._rows, self._columns]

    def shares(self, sides: Sides) -> Sides:
        """A box in pixels of the whole image as shares of the width and height of this part, 0..1."""
        starts, sizes = (self._columns.start, self._rows.start), self.image.shape[1::-1]
        left, top, right, bottom = (
            min(1.0, max(0.0, (side - starts[axis % 2]) / sizes[axis % 2])) for axis, side in enumerate(sides)
        )
        return left, top, right, bottom

    def ask(self, images: Iterable[NDArray[np.uint8]]) -> Iterator[float]:
        """How sure the network is of the box, with each of these (H, W, C) in place of what is there."""
        whole = ((None, self._with(image)) for image in images)
        for _, outputs in self._detector.engine(BATCH).stream(in_batches(whole, BATCH)):
            for boxes, scores in zip(outputs[BOXES], outputs[SCORES], strict=True):
                overlap = iou(boxes, [self._told.sides])[:, 0]
                yield float((overlap * scores[:, self._told.label]).max().clip(0, 1))

    def _with(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        whole = self._image.copy()
        whole[self._rows, self._columns] = image
        return whole


def place_of(index: int, image_hw: tuple[int, int], strides: Sequence[int]) -> tuple[int, Sides]:
    """The stride of the map that a place is on, and the square of the image that it stands for, in pixels.

    index: among the places of all maps, in the order of `strides`, row by row.
    """
    for stride in strides:
        rows, columns = (side // stride for side in image_hw)
        if index < rows * columns:
            row, column = divmod(index, columns)
            return stride, (column * stride, row * stride, (column + 1) * stride, (row + 1) * stride)
        index -= rows * columns
    raise IndexError(index)


def _around(first: float, last: float, *, most: int) -> slice:
    """The pixels `REACH` times as far as from `first` to `last`, of a side of `most`; at least one."""
    more = (last - first) * (REACH - 1) / 2
    start = min(max(0, int(first - more)), most - 1)
    return slice(start, max(start + 1, min(most, round(last + more))))
