"""What `train` returns; the keys are those of `--json` and of result.json."""

from __future__ import annotations

from eyespot.names import as_typed
from eyespot.records import Metric, Precision, Record, Rung, SetAside


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
    """On the validation part; out of fold where there is none because too few pictures are held out; None if nothing
    was measured."""
    test: Metric | None
    """None if there is no test part, if it has fewer than 30 pictures, or if the user stopped before."""
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
