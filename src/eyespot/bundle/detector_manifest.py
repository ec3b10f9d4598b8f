"""What a detector's bundle says of itself: a file of its own, so that naming classes starts without it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from eyespot.bundle.manifest import FORMAT_VERSION, DataSummary, KnownPictures, distinct
from eyespot.evaluate.box_records import DetectionScores
from eyespot.records import Fraction, Network, PrecisionName, Preprocess, Record


class DetectorManifest(Record):
    """`manifest.json` of a detector's bundle."""

    format_version: Literal[2, 3, 4] = FORMAT_VERSION
    task: Literal["detection"] = "detection"
    name: str
    created: str
    """Date and time, ISO 8601."""
    network: Network
    """The frozen trunk's."""
    strides: tuple[Literal[8, 16, 32], ...] = Field(min_length=1)
    """Pixels of the image between two places, of each map that is looked at."""
    classes: tuple[str, ...] = Field(min_length=1)
    preprocess: Preprocess
    """Its `fit` is letterbox."""
    precision: PrecisionName
    threshold: Fraction
    """Least score of a box that is answered; chosen on the validation pictures for the best F1."""
    iou: Fraction
    """Of two boxes of a class that overlap by more only the surer one is answered."""
    most: int = Field(ge=1)
    """Boxes that are answered for a picture, at most."""
    validation: DetectionScores | None
    test: DetectionScores | None
    data: DataSummary
    seed: int
    graph_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    versions: dict[str, str]
    pictures: KnownPictures
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """Of all else here, and so of the graph, too; None before format 4."""

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        return distinct(classes)
