"""What the verbs return, and print with `--json`. The keys are stable: docs/json.md names them all."""

from __future__ import annotations

import os

from pydantic import Field

from eyespot.records import Calibration, ClassMetric, Fraction, Metric, Precision, Record, Rung, SetAside


class PictureCount(Record):
    """How many pictures were used, and how many files were not."""

    used: int
    set_aside: int


class TrainResult(Record):
    """What `train` made and measured."""

    run: str
    """The run folder."""
    bundle: str
    report: str
    network: str
    regime: str
    regime_reason: str
    """Why this regime, in words."""
    classes: tuple[str, ...]
    pictures: PictureCount
    set_aside: tuple[SetAside, ...]
    validation: Metric | None
    """On the validation part; out of fold where there is none because too few pictures are held out; None where nothing
    was measured."""
    test: Metric | None
    """None where there is no test part, where it has fewer than 30 pictures, or where the user stopped before."""
    small_test: Metric | None
    """On a test part of fewer than 30 pictures that the folders hold; its interval is wide."""
    out_of_fold: Metric | None
    """Repeated cross-validation, in place of a test part that is too small."""
    out_of_fold_reason: str
    mirror: bool
    """Whether mirror images were trained on."""
    l2: float | None
    temperature: float
    precision: Precision
    views_computed: int
    """Views whose features the engine computed; all others came from the store."""
    notes: tuple[str, ...]
    ladder: tuple[Rung, ...]
    """The regimes that were tried, where a time was given; else none."""
    seconds: float

    @property
    def next_commands(self) -> tuple[tuple[str, str], ...]:
        """What to do now, as command, ready to be typed, and what it does."""
        run = as_typed(self.run)
        return (
            (f"eyespot predict {run} PICTURES", "classes and probabilities of new pictures"),
            (f"eyespot val {run} FOLDER", "accuracy on other labelled pictures"),
        )


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


class MixedUp(Record):
    """How often pictures of a class were given another one's name."""

    class_: str = Field(serialization_alias="class")
    answer: str
    n: int


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
    """Empty where there are more than 100 classes."""
    mixed_up: tuple[MixedUp, ...]
    """Every kind of mistake, the most frequent first."""
    calibration: Calibration
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float


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


class ExportResult(Record):
    """The exported files, and the proof that they answer as the run does."""

    files: tuple[str, ...]
    bytes: int
    part: str
    """The run's pictures that were compared: val, where it has some."""
    checks: tuple[ExportCheck, ...]
    """In fp32; where int8 is kept, of the model that it was made from."""
    bf16: ExportCheck | None
    """None where this machine has no such arithmetic."""
    int8: Int8Check | None
    """None where it was not asked for."""
    notes: tuple[str, ...]
    seconds: float


class EmbedResult(Record):
    """Where features were written, and of what."""

    out: str
    pictures: int
    features: int
    """Length of each feature vector."""
    computed: int
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float


class CacheResult(Record):
    """The store's size, or what was removed from it."""

    folder: str
    entries: int
    bytes: int
    file_bytes: int
    max_bytes: int
    cleared: bool


class InfoResult(Record):
    """This installation and this machine."""

    version: str
    python: str
    system: str
    cores: int
    engine: str
    precision: str
    decoder: str
    extras: dict[str, bool]
    cache: CacheResult


def as_typed(path: str) -> str:
    """The path as a command line on this system takes it: in quotes where it needs them."""
    if os.name == "nt":
        from subprocess import list2cmdline

        return list2cmdline([path])
    from shlex import quote

    return quote(path)
