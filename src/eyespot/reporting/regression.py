"""Whether a run on more pictures got worse than the run before it, on the pictures that both were tested on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from eyespot.data.written_lists import read_list
from eyespot.evaluate.metrics import wilson
from eyespot.evaluate.paired import SIGNIFICANCE, Comparison, holm, paired
from eyespot.names import printable
from eyespot.records import Fraction, Metric, Record
from eyespot.reporting.measure import Measurements
from eyespot.runs.folder import PREDICTIONS, SPLIT
from eyespot.words import counted, some

WRITTEN = "what a run writes of its pictures"


class ClassRegression(Record):
    """The same for the pictures of one class."""

    name: str
    n: int = Field(ge=1)
    """Pictures that both were tested on."""
    before: Fraction
    """Share of right answers of the run before."""
    after: Fraction
    p: Fraction
    """One-sided mid-p, by Holm's rule for all classes together: how likely chance alone would make a class so much
    worse that is not."""
    worse: bool


class Regression(Record):
    """How this run compares with the one before."""

    run: str
    """The one before."""
    before: Metric
    """Its accuracy on the pictures that both were tested on."""
    after: Metric
    difference: float
    """Of the two accuracies."""
    low: float
    """Lower end of its 95 % interval (Bonett and Price)."""
    high: float
    p: Fraction
    """One-sided mid-p (McNemar): how likely chance alone would make a run so much worse that is not."""
    worse: bool
    """Whether it is worse in all, at p below 0.05."""
    smallest_seen: float | None
    """The smallest difference that so many pictures usually show; None where they could not show any."""
    classes: tuple[ClassRegression, ...]

    @property
    def worse_classes(self) -> tuple[ClassRegression, ...]:
        return tuple(each for each in self.classes if each.worse)

    @property
    def is_worse(self) -> bool:
        """In all, or in a class."""
        return self.worse or bool(self.worse_classes)

    @property
    def sentences(self) -> Iterator[str]:
        """What there is to say, the whole first."""
        interval = f"95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f}"
        yield (
            f"on the {counted(self.after.n, 'picture')} that {self.run} was tested on, {self.after.accuracy:.3f} of "
            f"the answers are right, and {self.before.accuracy:.3f} of that run's: {100 * self.difference:+.1f} points "
            f"({interval}), {self._verdict}"
        )
        if self.worse_classes:
            worse = [
                f"{each.name!r} ({each.after:.3f} where it was {each.before:.3f}, {counted(each.n, 'picture')})"
                for each in self.worse_classes
            ]
            yield f"it got worse in {some(worse)}: look at what came to {'it' if len(worse) == 1 else 'them'}"

    @property
    def _verdict(self) -> str:
        if self.worse:
            return "it got worse"
        if self.smallest_seen is None:
            return "and so few pictures cannot show whether it got worse"
        return (
            f"no sign that it got worse (a difference under {100 * self.smallest_seen:.1f} points usually gives none)"
        )


def regression_of(run: Path, measured: Measurements) -> Regression | None:
    """The comparison with a run, on the pictures that it was tested on, and that this one was, too; None without any.

    Raises DataError where the run's own files are damaged.
    """
    test = measured.answers.get("test")
    before = _answers_on_test(run)
    rows = [row for row, each in enumerate(test.pictures) if each.content in before] if test else []
    if test is None or not rows:
        return None
    names, labels = measured.prepared.data_set.classes, test.labels[rows]
    right = test.middle.argmax(axis=1)[rows] == labels
    contents = [test.pictures[row].content for row in rows]
    was_right = np.array(
        [before[content] == names[label].strip() for content, label in zip(contents, labels, strict=True)]
    )
    series = measured.prepared.group([test.pictures[row] for row in rows])
    in_all = paired(was_right, right, series=series)
    low, high = in_all.interval
    return Regression(
        run=printable(str(run)),
        before=wilson(int(was_right.sum()), len(rows)),
        after=wilson(int(right.sum()), len(rows)),
        difference=in_all.difference,
        low=low,
        high=high,
        p=_p_worse(in_all),
        worse=in_all.is_worse,
        smallest_seen=in_all.smallest_seen,
        classes=_per_class(names, labels, was_right, right, series),
    )


def _per_class(
    names: Sequence[str], labels: np.ndarray, was_right: np.ndarray, right: np.ndarray, series: np.ndarray | None
) -> tuple[ClassRegression, ...]:
    tested = np.unique(labels)
    members = [labels == label for label in tested]
    in_series = np.arange(len(labels)) if series is None else series
    ps = holm([_p_worse(paired(was_right[own], right[own], series=in_series[own])) for own in members])
    return tuple(
        ClassRegression(
            name=names[label],
            n=int(own.sum()),
            before=float(was_right[own].mean()),
            after=float(right[own].mean()),
            p=p,
            worse=p < SIGNIFICANCE,
        )
        for label, own, p in zip(tested, members, ps, strict=True)
    )


def _p_worse(comparison: Comparison) -> float:
    """One-sided mid-p: what is just as much belongs by half to each side, so both sides come to 1."""
    return 1 - comparison.p_better


def _answers_on_test(run: Path) -> Mapping[str, str]:
    """The class that the run answered to each picture that it was tested on, by content."""
    if not all((run / name).is_file() for name in (SPLIT, PREDICTIONS)):  # it is a model without its run
        return {}
    split = read_list(run / SPLIT, needed=("picture", "content_hash"), what=WRITTEN)
    content_of = {entry["picture"]: entry["content_hash"] for entry in split}
    answers = read_list(run / PREDICTIONS, needed=("picture", "part", "answer"), what=WRITTEN)
    return {content_of[entry["picture"]]: entry["answer"] for entry in answers if entry["part"] == "test"}
