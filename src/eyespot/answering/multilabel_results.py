"""What a model of several labels answers, and how it does on pictures whose labels are known; keys as in `--json`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from eyespot.evaluate.multilabel_records import MultilabelScores
from eyespot.records import Fraction, Record, SetAside


class LabelProbability(Record):
    """One label of a picture, and whether it is answered."""

    class_: str = Field(serialization_alias="class")
    probability: Fraction
    threshold: Fraction
    """From which on it is answered."""
    answered: bool

    def __str__(self) -> str:
        return f"{self.class_} {self.probability:.3f}"


class LabelPrediction(Record):
    """The labels of one picture; the reason, where it cannot be read."""

    picture: str
    labels: tuple[str, ...]
    """Those that are answered, the surest first; none is an answer, too."""
    probabilities: tuple[LabelProbability, ...]
    """Of all labels, in the order of the model's classes."""
    set_aside: str | None = None
    note: str | None = None
    """What makes the answer doubtful, in words."""

    @property
    def surest_first(self) -> list[LabelProbability]:
        return sorted(self.probabilities, key=lambda each: -each.probability)

    def __str__(self) -> str:
        answered = [str(each) for each in self.surest_first if each.answered]
        nearest = max(self.probabilities, key=lambda each: each.probability, default=None)
        return ", ".join(answered) or (f"no label (most like {nearest})" if nearest else "no label")

    @staticmethod
    def header() -> tuple[str, ...]:
        """The columns of `rows`."""
        return ("picture", "class", "probability", "threshold", "answered", "set_aside")

    def rows(self) -> Iterator[tuple[object, ...]]:
        """A line of a table for each label, the surest first, or one with the reason why there is none."""
        for each in self.surest_first:
            yield (
                self.picture,
                each.class_,
                f"{each.probability:.6f}",
                f"{each.threshold:.6f}",
                int(each.answered),
                "",
            )
        if self.set_aside is not None:
            yield self.picture, "", "", "", "", self.set_aside


class MultilabelValResult(MultilabelScores):
    """How a model of several labels does on pictures whose labels are known: the scores, and on what."""

    model: str
    data: str
    part: str
    classes: tuple[str, ...]
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float
