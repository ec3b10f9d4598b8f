"""What `predict` and `val` return; the keys are those of `--json`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from eyespot.card import bar, card
from eyespot.records import Calibration, ClassMetric, Fraction, Metric, MixedUp, Record, SetAside

ESTIMATES = (
    "These boxes are estimates from the class activation map, no detector's: one a picture, around what most raised "
    "the score of its likeliest class, in the middle part that the network sees. They do not tell where the thing "
    "ends, or whether there are two: correct them before you train on them."
)
"""What a `Where` can tell, and what it cannot."""


class ClassProbability(Record):
    """One class and its probability."""

    class_: str = Field(serialization_alias="class")
    probability: Fraction

    @property
    def label(self) -> str:
        """The class."""
        return self.class_

    def __str__(self) -> str:
        return f"{self.class_} {self.probability:.3f}"


class Prediction(Record):
    """The likeliest classes of one picture; none, and the reason, where it cannot be read."""

    picture: str
    predictions: tuple[ClassProbability, ...]
    set_aside: str | None = None
    note: str | None = None
    """What makes the answer doubtful, in words."""
    known: bool | None = None
    """False where the picture is refused: it shows none of the classes. None where that was not judged."""
    sure: bool | None = None
    """False where no class is as likely as was asked for. None where nothing was."""
    likeness: float | None = None
    """How like the pictures of the nearest class it is, at most 1; None of a model that cannot tell."""
    set_: tuple[str, ...] | None = Field(default=None, serialization_alias="set")
    """Classes of which one is the true one as often as was asked for, the likeliest first; None where no set was."""

    @property
    def label(self) -> str | None:
        """The likeliest class; None where the picture is refused or cannot be read, and where no class is sure."""
        answered = self.predictions and self.known is not False and self.sure is not False
        return self.predictions[0].class_ if answered else None

    @property
    def probability(self) -> float | None:
        """Of `label`; None where that is."""
        return None if self.label is None else self.predictions[0].probability

    def __str__(self) -> str:
        if self.known is False:
            return f"none of these (most like {self.predictions[0]})"
        if self.sure is False:
            return f"not sure (most like {self.predictions[0]})"
        named = ", ".join(map(str, self.predictions))
        return named if self.set_ is None else f"{named}; {' or '.join(self.set_)}"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        rows = [(each.class_, bar(each.probability)) for each in self.predictions]
        refused = "none of these" if self.known is False else "not sure" if self.sure is False else ""
        said = [refused, *filter(None, (self.set_aside, self.note))]
        return card(self.picture, rows, below="; ".join(filter(None, said)))

    @staticmethod
    def header() -> tuple[str, ...]:
        """The columns of `rows`."""
        return ("picture", "rank", "class", "probability", "set_aside", "known", "sure", "likeness", "set")

    def rows(self) -> Iterator[tuple[object, ...]]:
        """A line of a table for each class that is named, or one with the reason why none is."""
        known, sure = ("" if each is None else int(each) for each in (self.known, self.sure))
        likeness = "" if self.likeness is None else f"{self.likeness:.6f}"
        judged = known, sure, likeness, " or ".join(self.set_ or ())
        for rank, answer in enumerate(self.predictions, start=1):
            yield self.picture, rank, answer.class_, f"{answer.probability:.6f}", "", *judged
        if self.set_aside is not None:
            yield self.picture, 0, "", "", self.set_aside, *judged


class Where(Record):
    """A box around what the class activation map of a class shows: an estimate, no detector's answer."""

    class_: str = Field(serialization_alias="class")
    """The likeliest of the picture."""
    xyxy: tuple[float, float, float, float]
    """Left, top, right and bottom in pixels of the picture held upright."""
    width: int
    """In pixels, of the picture held upright."""
    height: int
    method: Literal["class activation map"] = "class activation map"

    def __str__(self) -> str:
        left, top, right, bottom = map(round, self.xyxy)
        sides = f"left {left}, top {top}, right {right}, bottom {bottom} of {self.width} x {self.height} px"
        return f"{self.class_} estimated at {sides}"


class PlacedPrediction(Prediction):
    """The likeliest classes of one picture, and about where the first of them is."""

    where: Where | None = None
    """None where the picture cannot be read, or where nothing in it raises the score of the class."""

    def __str__(self) -> str:
        return f"{super().__str__()}; {self.where or 'no box'}"

    @staticmethod
    def header() -> tuple[str, ...]:
        """The columns of `rows`: those of a prediction, then those of the box."""
        return (*Prediction.header(), "left", "top", "right", "bottom", "width", "height", "method")

    def rows(self) -> Iterator[tuple[object, ...]]:
        """The lines of a prediction; the likeliest class has its box."""
        box: tuple[object, ...] = ("",) * 7
        if self.where is not None:
            box = (*self.where.xyxy, self.where.width, self.where.height, self.where.method)
        for at, row in enumerate(super().rows()):
            yield *row, *(box if at == 0 else ("",) * len(box))


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
    refused: int | None
    """Pictures that the model refused; None of one that refuses none. They count as what they were likeliest."""
    accepted: Metric | None
    """The accuracy on all others; None where nothing was refused."""
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

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        overall = Metric(accuracy=self.accuracy, low=self.low, high=self.high, n=self.n)
        shares = [(each.name, bar(each.recall)) for each in self.per_class if each.recall is not None]
        rows = [("Accuracy", str(overall)), *shares]
        return card(f"{self.model} on {self.data}, part {self.part}", rows, below="of each class the share found")
