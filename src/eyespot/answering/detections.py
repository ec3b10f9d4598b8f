"""What a detector answers, and how it does on pictures whose boxes are known; the keys are those of `--json`."""

from __future__ import annotations

from pydantic import Field

from eyespot.records import DetectionScores, Fraction, Record, SetAside


class Detection(Record):
    """One box."""

    class_: str = Field(serialization_alias="class")
    probability: Fraction
    """The score of the class: how well the box fits, as the model expects it."""
    xyxy: tuple[float, float, float, float]
    """Left, top, right and bottom in pixels of the picture held upright."""


class Detections(Record):
    """The boxes in one picture, the surest first; none, and the reason, where it cannot be read."""

    picture: str
    width: int
    """In pixels, of the picture held upright; 0 where it cannot be read."""
    height: int
    detections: tuple[Detection, ...]
    set_aside: str | None = None
    note: str | None = None
    """What makes the answer doubtful, in words."""


class DetectionValResult(DetectionScores):
    """How a detector does on pictures whose boxes are known: the scores, and on what."""

    model: str
    data: str
    part: str
    classes: tuple[str, ...]
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float
