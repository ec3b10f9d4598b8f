"""What is found out of an exported model before it is written."""

from __future__ import annotations

from eyespot.records import Fraction, Record


class ExportCheck(Record):
    """How an exported model's answers compare with the run's, in one runtime."""

    runtime: str
    pictures: int
    same: int
    """Pictures with the same likeliest class."""
    largest_difference: float
    """Of any probability."""
    close: tuple[str, ...]
    """Pictures with another likeliest class, whose two best lie closer together than rounding."""
    different: tuple[str, ...]
    """All others with another likeliest class; none in fp32, or nothing is written."""


class Int8Check(Record):
    """Whether the model in int8 is worth having."""

    pictures: int
    """That accuracy was measured on: those whose class the model knows."""
    accuracy_fp32: Fraction
    accuracy: Fraction
    """In int8."""
    speedup: float
    """How many times as fast, one picture at a time: the median over pictures."""
    faster: int
    """Of the pictures that were timed in both, those that int8 was faster on."""
    timed: int
    kept: bool
    verdict: str
    """Kept or not, and why, in words."""
    answers: ExportCheck
    """How they compare with the run's."""
