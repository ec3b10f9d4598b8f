"""What the bundle of a model of several labels says of itself: a file of its own, as a detector's has."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from eyespot.bundle.manifest import FORMAT_VERSION, Agreement, DataSummary, KnownPictures, distinct
from eyespot.evaluate.multilabel_records import MultilabelScores
from eyespot.records import Fraction, Network, Precision, Preprocess, Record


class MultilabelManifest(Record):
    """`manifest.json` of such a bundle."""

    format_version: Literal[3, 4] = FORMAT_VERSION
    task: Literal["multilabel"] = "multilabel"
    name: str
    created: str
    """Date and time, ISO 8601."""
    network: Network
    regime: Literal["frozen"] = "frozen"
    classes: tuple[str, ...] = Field(min_length=1)
    """The labels that a picture may have."""
    preprocess: Preprocess
    precision: Precision
    thresholds: tuple[Fraction, ...]
    """Of each label: the probability from which on it is answered."""
    thresholds_from: str
    """The answers that they had the best F1 on, in words."""
    validation: MultilabelScores | None
    test: MultilabelScores | None
    out_of_fold: MultilabelScores | None
    """Of cross-validation, where too few pictures were held out."""
    data: DataSummary
    seed: int
    graph_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    agreement: Agreement | None = None
    """None until the written graph was asked."""
    versions: dict[str, str]
    pictures: KnownPictures
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """Of all else here, and so of the graph, too; None before format 4."""

    @property
    def unknown(self) -> None:
        """No such model says that a picture shows none of its classes by likeness: it may have no label."""

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        return distinct(classes)

    @model_validator(mode="after")
    def _fits(self) -> MultilabelManifest:
        if len(self.thresholds) != len(self.classes):
            raise ValueError(f"{len(self.classes)} labels need as many thresholds, not {len(self.thresholds)}")
        return self
