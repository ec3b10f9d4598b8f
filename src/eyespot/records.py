"""What crosses a file or the network, as validated records: unknown keys and wrong types are refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from eyespot.words import counted, from_to

Part = Literal["train", "val", "test"]
PrecisionName = Literal["fp32", "bf16"]
View = Literal["identity", "mirror"]
Fraction = Annotated[float, Field(ge=0, le=1)]
WINDOW_STEPS = 64
"""Of a pixel: what is resized of a picture, where not all of it is, begins and ends at whole steps, so that every
resize can compute the same places without a rounding."""
MOST_RESIZED_PIXELS = 2**24
"""Very long pictures would grow beyond memory when resized in full: above this only the crop is computed."""


class Record(BaseModel):
    """The base of every record: frozen, and strict about its keys. Checks are compiled when a record is first made."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Levels(Record):
    """The numbers of pictures with more than 8 bits that become black and white: those of a data set, for all of it."""

    integers: tuple[float, float] | None
    """Of pictures that hold whole numbers; None where there were none: then their bits say what black and white are."""
    floats: tuple[float, float] | None
    """Of pictures that hold floats; None where there were none: then 0 and 1."""

    def __str__(self) -> str:
        named = (("whole numbers", self.integers), ("floats", self.floats))
        return " and ".join(f"{name} from {from_to(*found)}" for name, found in named if found)

    @model_validator(mode="after")
    def _rise(self) -> Levels:
        for found in (self.integers, self.floats):
            if found and not found[0] < found[1]:
                raise ValueError(f"black, {found[0]}, must be a lower number than white, {found[1]}")
        return self


class Preprocess(Record):
    """How a picture becomes numbers: resized so that its shorter side is `short_side`, then cut to the centre; or, with
    `fit` letterbox, resized as a whole to fit into `crop_hw`, at its top left corner, the rest filled with the mean;
    or, with `fit` squash, resized to a square of `short_side`, whatever its shape, then cut to the centre.

    The network then sees (value - mean) / scale per channel, values being 0..255.
    """

    short_side: int = Field(ge=1, le=4096)
    """Length of the shorter side after resizing, pixels."""
    crop_hw: tuple[int, int]
    """Height and width of the centre crop, pixels; at most `short_side` each."""
    filter: Literal["bilinear", "bicubic"]
    """Resampling filter, antialiased as Pillow does it."""
    color: Literal["rgb", "gray"]
    """Channels of the image: three or one."""
    mean: tuple[float, ...]
    """Subtracted per channel, on the scale 0..255."""
    scale: tuple[float, ...]
    """Divided by per channel, on the scale 0..255."""
    exact: bool = True
    """The pixels of resizing the whole picture and then cutting, bit for bit, as publishers of weights do it; without
    it only the crop is resized, and large JPEGs are decoded at a fraction of their size: faster, a few levels off."""
    levels: Levels | None = None
    """What is black and white in pictures with more than 8 bits; None, and not written, where none was learned from."""
    fit: Literal["crop", "letterbox", "squash"] = "crop"
    """Not written where it is `crop`, which earlier versions know alone. A letterbox keeps the whole picture: where its
    boxes are looked for. Squashed are pictures for some published weights, and never for a trained model."""

    @model_serializer(mode="wrap")
    def _without_defaults(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said: dict[str, Any] = serialize(self)
        if self.levels is None:
            said.pop("levels", None)
        if self.fit == "crop":
            said.pop("fit", None)
        return said

    @property
    def filling(self) -> tuple[int, ...]:
        """The color of what a letterbox leaves free, per channel: the mean, as a whole level."""
        return tuple(round(value) for value in self.mean)

    @property
    def channels(self) -> int:
        return 3 if self.color == "rgb" else 1

    @model_validator(mode="after")
    def _fits(self) -> Preprocess:
        if not 1 <= min(self.crop_hw) <= max(self.crop_hw) <= self.short_side:
            raise ValueError(f"crop_hw {self.crop_hw} must lie between 1 and short_side {self.short_side}")
        if len(self.mean) != self.channels or len(self.scale) != self.channels:
            raise ValueError(f"mean and scale need {self.channels} values each for color {self.color!r}")
        if min(self.scale) <= 0:
            raise ValueError("scale must be above zero")
        return self


class Window(Record):
    """The part of a picture that the network sees, as fractions of the upright picture's width and height."""

    left: Fraction
    top: Fraction
    width: Fraction
    height: Fraction


class Metric(Record):
    """An accuracy that never travels without its 95 % interval (Wilson) and sample size."""

    accuracy: Fraction
    low: Fraction
    high: Fraction
    n: int = Field(ge=1)

    def __str__(self) -> str:
        return f"{self.accuracy:.3f} (95 % interval {self.low:.3f} to {self.high:.3f}, {counted(self.n, 'picture')})"


class Difference(Record):
    """By how much a figure of one model is higher than another's, with its 95 % interval."""

    value: float = Field(ge=-1, le=1)
    low: float = Field(ge=-1, le=1)
    high: float = Field(ge=-1, le=1)

    def __str__(self) -> str:
        return f"{100 * self.value:+.1f} points (95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f})"


class Rung(Record):
    """One regime that training tried on its way up, and what came of it."""

    regime: str
    trained: str
    """What was trained, in words."""
    seconds: float = Field(ge=0)
    validation: Metric | None
    """None where there are no validation pictures, or where it was not begun."""
    verdict: str
    """Kept or not, and why, in words."""
    kept: bool
    """True where it was the best so far; the last one kept is the model."""


class ClassMetric(Record):
    """Precision, recall and F1 of one class; None where the denominator is zero.

    The first two are shares of pictures and have 95 % intervals (Wilson); F1 is no share, and has none.
    """

    name: str
    precision: Fraction | None
    precision_low: Fraction | None = None
    precision_high: Fraction | None = None
    recall: Fraction | None
    recall_low: Fraction | None = None
    recall_high: Fraction | None = None
    f1: Fraction | None
    support: int = Field(ge=0)

    @property
    def recalled(self) -> Metric | None:
        """The recall with its interval."""
        if self.recall is None or self.recall_low is None or self.recall_high is None:
            return None
        return Metric(accuracy=self.recall, low=self.recall_low, high=self.recall_high, n=self.support)

    """Pictures that belong to this class."""


class CalibrationBin(Record):
    """Answers whose confidence lies in one tenth: how sure they were, and how often they were right."""

    low: Fraction
    high: Fraction
    confidence: Fraction
    accuracy: Fraction
    n: int = Field(ge=1)
    worth: float | None = None
    """As many independent answers as these are worth, where some are of one series; None for n."""


class Calibration(Record):
    """How far confidence and accuracy lie apart, before and after dividing the logits by `temperature`."""

    temperature: float = Field(gt=0)
    fitted_on: str
    """The scores that the temperature was fitted on, in words."""
    measured_on: str = "pictures"
    """The pictures that were measured, in words."""
    cross_fitted: bool = False
    """True where no other pictures could be measured than those the temperature was fitted on: `after` then divides
    every answer by a temperature that was fitted without it, on the other folds' answers."""
    ece_before: Fraction
    """Expected calibration error with ten equal-width bins (Guo et al. 2017, arXiv:1706.04599)."""
    ece_after: Fraction
    bins_before: tuple[CalibrationBin, ...]
    bins_after: tuple[CalibrationBin, ...]
    n: int = Field(ge=1)


class Precision(Record):
    """The number format the features were computed in, and its measured agreement with fp32."""

    name: PrecisionName
    agreement: Fraction | None
    """Share of compared pictures with the same first answer in fp32; None where fp32 itself ran."""
    low: Fraction | None = None
    """Lower end of the 95 % interval (Wilson) of that share."""
    high: Fraction | None = None
    largest_difference: Fraction | None
    """Largest difference of any probability; None where fp32 itself ran."""
    n: int = Field(ge=0)
    """Pictures compared."""


class SetAside(Record):
    """A file that was not used, and why."""

    picture: str
    reason: str


class Network(Record):
    """A network of the zoo, by name, with the arguments that build it."""

    name: str
    arguments: dict[str, int | float | str | bool] = {}
    cut: str = ""
    """The stage after which `tail` took the place of all that the network of that name has there."""
    tail: str = ""
    """New layers in words, as `train` takes them; empty where the network has its own."""


class MixedUp(Record):
    """How often pictures of a class were given another one's name."""

    class_: str = Field(serialization_alias="class")
    answer: str
    n: int


class PartMetrics(Record):
    """Everything measured on one part of the data."""

    overall: Metric
    per_class: tuple[ClassMetric, ...]
    cells: tuple[tuple[int, int, int], ...]
    """The confusion matrix without its zeros, row by row: number of the true class, of the answer, and pictures."""

    @property
    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """The whole matrix, where classes are few: rows are the true classes, columns the answers."""
        rows = [[0] * len(self.per_class) for _ in self.per_class]
        for label, answer, count in self.cells:
            rows[label][answer] = count
        return tuple(map(tuple, rows))

    @model_validator(mode="before")
    @classmethod
    def _without_zeros(cls, found: Any) -> Any:
        """Format 1 had the whole matrix: of 2,000 classes that is four million numbers, nearly all of them 0."""
        if not (isinstance(found, dict) and isinstance(rows := found.get("confusion"), list)):
            return found
        if not all(isinstance(row, list) for row in rows):
            raise ValueError("the confusion matrix has rows")
        cells = [(label, answer, n) for label, row in enumerate(rows) for answer, n in enumerate(row) if n != 0]
        return {**{key: value for key, value in found.items() if key != "confusion"}, "cells": cells}

    @model_validator(mode="after")
    def _fits(self) -> PartMetrics:
        classes = len(self.per_class)
        if not all(0 <= label < classes and 0 <= answer < classes and n > 0 for label, answer, n in self.cells):
            raise ValueError(f"a cell of the confusion matrix is none of {classes} classes, or empty")
        return self


class Scores(Record):
    """How good a model is, by the pictures of each part; None for what was not measured."""

    calibration: Calibration | None
    validation: PartMetrics | None
    test: PartMetrics | None
    small_test: PartMetrics | None = None
    """On a test part that is too small to be the measure: worth showing, not worth relying on."""
    out_of_fold: Metric | None
    """Mean accuracy of cross-validation; n is the number of distinct pictures."""
