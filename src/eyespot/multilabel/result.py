"""What `train` returns of a model of several labels; the keys are those of `--json` and of result.json."""

from __future__ import annotations

from pydantic import Field

from eyespot.evaluate.multilabel_records import MultilabelScores
from eyespot.evaluate.trust import SeriesFound
from eyespot.names import as_typed
from eyespot.records import Record, SetAside


class LabelledCount(Record):
    """Pictures and labels of one part."""

    part: str
    pictures: int
    labels: int
    """That its pictures have, together."""
    without: int
    """Pictures that have none."""


class TogetherCount(Record):
    """Two labels that pictures have together."""

    first: str
    second: str
    pictures: int


class MultilabelResult(Record):
    """What `train` made of pictures with several labels, and measured."""

    run: str
    """The run folder."""
    bundle: str
    report: str
    task: str = "multilabel"
    network: str
    regime: str = "frozen"
    classes: tuple[str, ...]
    """The labels."""
    most_labels: int = Field(ge=0)
    """Of one picture."""
    parts: tuple[LabelledCount, ...]
    set_aside: tuple[SetAside, ...]
    thresholds: tuple[float, ...]
    """Of each label: the probability from which on it is answered."""
    thresholds_from: str
    """The answers that they had the best F1 on, in words."""
    validation: MultilabelScores | None
    test: MultilabelScores | None
    out_of_fold: MultilabelScores | None
    """Of cross-validation, where too few pictures were held out to be the measure."""
    together: tuple[TogetherCount, ...]
    """Labels that pictures have together, the most frequent pairs first."""
    series: SeriesFound
    views_computed: int
    """Views that were computed; all others came from the store."""
    notes: tuple[str, ...]
    seconds: float

    @property
    def scores(self) -> MultilabelScores | None:
        """Those that the model is to be judged by."""
        return self.out_of_fold or self.test or self.validation

    @property
    def next_commands(self) -> tuple[tuple[str, str], ...]:
        """What to do now, as command, ready to be typed, and what it does."""
        run = as_typed(self.run)
        return (
            (f"eyespot predict {run} PICTURES", "the labels of new pictures"),
            (f"eyespot val {run} LIST", "average precision and F1 on other pictures with labels"),
            (f"eyespot serve {run}", "the model behind an address, with a page to try it"),
        )
