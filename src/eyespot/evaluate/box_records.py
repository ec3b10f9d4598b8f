"""What is written down of how well a detector finds boxes."""

from __future__ import annotations

from pydantic import Field

from eyespot.records import Fraction, Record
from eyespot.words import counted


class Estimate(Record):
    """A figure with its 95 % interval, from resamples of the pictures."""

    value: Fraction
    low: Fraction
    high: Fraction

    def __str__(self) -> str:
        return f"{self.value:.3f} (95 % interval {self.low:.3f} to {self.high:.3f})"


class ClassDetection(Record):
    """How well the boxes of one class are found; None where there was no such box, or none was answered."""

    name: str
    boxes: int = Field(ge=0)
    """That were to be found."""
    ap50: Estimate | None
    """Average precision where a box counts as found if it overlaps by at least half."""
    ap50_95: Fraction | None
    """The mean over overlaps from 0.50 to 0.95."""
    precision: Fraction | None
    """At the model's threshold, as are recall and F1."""
    recall: Fraction | None
    f1: Fraction | None


class SizeDetection(Record):
    """How well boxes of one size are found."""

    from_side: float = Field(ge=0)
    """Square root of the smallest area, pixels of the picture."""
    to_side: float | None
    """Of the largest; None without an end."""
    boxes: int = Field(ge=0)
    map50: Fraction | None


class DetectionScores(Record):
    """Everything measured of a detector on one part of the data; COCO's figures (arXiv:1405.0312)."""

    map50: Estimate
    map50_95: Estimate
    map75: Fraction
    pictures: int = Field(ge=1)
    boxes: int = Field(ge=1)
    """That were to be found."""
    threshold: Fraction
    """Of precision, recall, F1 and the confusions."""
    precision: Fraction | None
    recall: Fraction | None
    f1: Fraction | None
    per_class: tuple[ClassDetection, ...]
    by_size: tuple[SizeDetection, ...]
    """Thirds of the boxes, the smallest first."""
    cells: tuple[tuple[int, int, int], ...]
    """Numbers of the true class and of the answer, and boxes; the number after the last class is nothing: a box that
    was missed, or that is not there."""

    def __str__(self) -> str:
        of = f"{counted(self.pictures, 'picture')}, {counted(self.boxes, 'box', 'boxes')}"
        return f"mAP50 {self.map50}, mAP50-95 {self.map50_95}, {of}"
