"""What is written down of how well the labels of pictures are told."""

from __future__ import annotations

from pydantic import Field

from eyespot.evaluate.box_records import Estimate
from eyespot.records import Fraction, Record


class LabelScores(Record):
    """How well one label is told; None where no picture has it, or it was never answered."""

    name: str
    support: int = Field(ge=0)
    """Pictures that have it."""
    threshold: Fraction
    """Probability from which on it is answered."""
    ap: Estimate | None
    """Average precision: 1 where every picture that has it is ranked before all others; `share` is what chance has."""
    share: Fraction
    """Of the pictures, that have it."""
    precision: Fraction | None
    """At the threshold, as are recall and F1."""
    recall: Fraction | None
    f1: Estimate | None


class MultilabelScores(Record):
    """Everything measured on one part of the data. Means over labels are over those that a picture has."""

    pictures: int = Field(ge=1)
    labels: int = Field(ge=0)
    """That the pictures have, together."""
    map: Estimate
    """Mean of the labels' average precisions (macro)."""
    micro_ap: Estimate
    """Average precision of all pairs of picture and label in one ranking."""
    macro_f1: Estimate
    """Mean of the labels' F1, each at its own threshold."""
    micro_f1: Estimate
    """F1 of all pairs together."""
    precision: Fraction | None
    """Of all pairs that were answered."""
    recall: Fraction | None
    """Of all pairs that are there."""
    exact_match: Estimate
    """Share of pictures with exactly the right labels."""
    hamming_loss: Estimate
    """Share of all pairs of picture and label that are wrong."""
    calibration_error: Fraction
    """Expected calibration error of all pairs, ten bins of equal width: by how much probabilities miss shares."""
    per_class: tuple[LabelScores, ...]

    def __str__(self) -> str:
        return f"mAP {self.map}, F1 {self.micro_f1.value:.3f}, all labels right {self.exact_match.value:.3f}"
