"""What `compare` returns: whether the second of two models is better than the first; the keys are those of `--json`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eyespot.evaluate.box_records import Estimate
from eyespot.evaluate.paired import Verdict
from eyespot.records import Difference, Fraction, Metric, Record, SetAside
from eyespot.words import counted


class Compared(Record):
    """What was compared, and what came of it."""

    data: str
    part: Literal["test", "val", "all"]
    """The pictures that were compared: test, which includes those that are new to both models; val, which helped to
    choose one of them or both; or all of these."""
    pictures: int = Field(ge=1)
    """That were compared."""
    left_out: int = Field(ge=0)
    """Pictures that one of the models was trained on, or both."""
    classes: tuple[str, ...]
    verdict: Verdict
    """Of the second model."""
    smallest_seen: Fraction | None
    """The smallest difference that pictures like these usually show, in 80 % of cases; None where they show none."""
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.verdict != "no difference":
            return f"the second is {self.verdict} than the first"
        pictures = counted(self.pictures, "picture")
        if self.smallest_seen is None:
            return f"no difference can be seen with {pictures}: so few cannot show any"
        least = f"{100 * self.smallest_seen:.1f} points"
        return f"no difference can be seen with {pictures} (a difference under {least} usually cannot)"


class MeasuredModel(Metric):
    """A model's accuracy on the pictures that were compared."""

    model: str


class ClassDifference(Record):
    """How the second model differs on pictures of one class; None where there were none."""

    name: str
    pictures: int = Field(ge=0)
    won: int = Field(ge=0)
    lost: int = Field(ge=0)
    difference: Difference | None
    """Of the share that is answered right."""
    p: Fraction | None
    """For all classes together (Holm): where the models are equal, one of them is below 0.05 in 5 % of cases."""
    verdict: Verdict | None


class CompareResult(Compared):
    """Two models that name classes, compared."""

    first: MeasuredModel
    second: MeasuredModel
    won: int = Field(ge=0)
    """Pictures that the second has right, and the first wrong."""
    lost: int = Field(ge=0)
    """Pictures that the second has wrong, and the first right."""
    difference: Difference
    """Of the accuracies."""
    p: Fraction
    """How likely equal models would differ so much by chance (McNemar's mid-p)."""
    per_class: tuple[ClassDifference, ...]


class MeasuredDetector(Record):
    """How well a detector finds the boxes in the pictures that were compared."""

    model: str
    map50: Estimate
    map50_95: Estimate


class ClassBoxDifference(Record):
    """How the second detector differs on boxes of one class; None where there were none."""

    name: str
    boxes: int = Field(ge=0)
    ap50: Difference | None


class CompareDetectorsResult(Compared):
    """Two detectors, compared. The verdict is on mAP50-95, from resamples of the pictures."""

    first: MeasuredDetector
    second: MeasuredDetector
    boxes: int = Field(ge=1)
    """That were to be found."""
    map50: Difference
    map50_95: Difference
    per_class: tuple[ClassBoxDifference, ...]
