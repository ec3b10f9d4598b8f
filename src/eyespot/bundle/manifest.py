"""What a bundle says of itself: all that is needed to answer as the trained model did, and all that was measured."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, field_validator

from eyespot.records import Calibration, Metric, Network, PartMetrics, Precision, Preprocess, Record

FORMAT_VERSION: Final = 1


class DataSummary(Record):
    """The pictures a model comes from."""

    name: str
    fingerprint: str
    """Changes with any picture, class or part; not with file names."""
    trained_on: int = Field(ge=1)
    """Pictures that the head was fitted on."""
    used: int = Field(ge=1)
    set_aside: int = Field(ge=0)


class Manifest(Record):
    """`manifest.json` of a bundle."""

    format_version: Literal[1] = FORMAT_VERSION
    task: Literal["classification"] = "classification"
    name: str
    created: str
    """Date and time, ISO 8601."""
    network: Network
    regime: Literal["frozen", "scratch"]
    classes: tuple[str, ...] = Field(min_length=2)
    preprocess: Preprocess
    precision: Precision
    temperature: float = Field(gt=0)
    """The logits were divided by it inside the graph."""
    calibration: Calibration | None
    validation: PartMetrics | None
    test: PartMetrics | None
    out_of_fold: Metric | None
    data: DataSummary
    seed: int
    graph_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    versions: dict[str, str]

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(classes)) < len(classes):
            raise ValueError("every class is named once")
        return classes
