"""What `predict` and `val` return; the keys are those of `--json`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from eyespot.records import Calibration, ClassMetric, Fraction, MixedUp, Record, SetAside


class ClassProbability(Record):
    """One class and its probability."""

    class_: str = Field(serialization_alias="class")
    probability: Fraction


class Prediction(Record):
    """The likeliest classes of one picture; none, and the reason, where it cannot be read."""

    picture: str
    predictions: tuple[ClassProbability, ...]
    set_aside: str | None = None
    note: str | None = None
    """What makes the answer doubtful, in words."""

    def __str__(self) -> str:
        return ", ".join(f"{answer.class_} {answer.probability:.3f}" for answer in self.predictions)

    @staticmethod
    def header() -> tuple[str, ...]:
        """The columns of `rows`."""
        return ("picture", "rank", "class", "probability", "set_aside")

    def rows(self) -> Iterator[tuple[object, ...]]:
        """A line of a table for each class that is named, or one with the reason why none is."""
        for rank, answer in enumerate(self.predictions, start=1):
            yield self.picture, rank, answer.class_, f"{answer.probability:.6f}", ""
        if self.set_aside is not None:
            yield self.picture, 0, "", "", self.set_aside


class ValResult(Record):
    """How a model does on labelled pictures."""

    model: str
    data: str
    part: str
    """The part that was read: train, val, test, or all of an unsplit folder."""
    accuracy: Fraction
    low: Fraction
    high: Fraction
    n: int
    per_class: tuple[ClassMetric, ...]
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    """Empty if there are more than 100 classes."""
    mixed_up: tuple[MixedUp, ...]
    """Every kind of mistake, the most frequent first."""
    calibration: Calibration
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float
