"""Whether a run on more pictures got worse than the run before it, on the pictures that both were tested on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from eyespot.data.groups import effective_count
from eyespot.data.written_lists import read_list
from eyespot.evaluate.metrics import wilson
from eyespot.evaluate.paired import SIGNIFICANCE, Comparison, holm, paired
from eyespot.names import printable
from eyespot.records import Difference, Fraction, Metric, Record
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
    difference: Difference
    """Of the two accuracies (Bonett and Price)."""
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
        yield (
            f"on the {counted(self.after.n, 'picture')} that {self.run} was tested on, {self.after.accuracy:.3f} of "
            f"the answers are right, and {self.before.accuracy:.3f} of that run's: {self.difference}, {self._verdict}"
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


@dataclass(frozen=True)
class Both:
    """What two runs made of the same pictures, at least one."""

    labels: np.ndarray
    """(N,), class index of each picture."""
    before: np.ndarray
    """(N,), whether the run before was right."""
    after: np.ndarray
    series: np.ndarray | None = None
    """(N,), a number that pictures of one series share; None where each stands by itself."""

    def of_class(self, label: int) -> Both:
        own = self.labels == label
        series = None if self.series is None else self.series[own]
        return Both(self.labels[own], self.before[own], self.after[own], series)

    @property
    def comparison(self) -> Comparison:
        return paired(self.before, self.after, series=self.series)

    @property
    def p_worse(self) -> float:
        """One-sided mid-p: what is just as much belongs by half to each side, so both sides come to 1."""
        return 1 - self.comparison.p_better


@dataclass(frozen=True)
class Before:
    """A run before, as far as it is compared with."""

    run: str
    answers: Mapping[str, str]
    """The class that it answered to each picture that it was tested on, by content."""
    unknown: int = 0
    """Pictures that it was tested on and whose content it does not tell."""

    @property
    def notes(self) -> Iterator[str]:
        if self.unknown:
            missing = counted(self.unknown, "picture")
            yield f"{missing} that {self.run} was tested on cannot be compared: not named in its {SPLIT}"


def run_before(run: Path) -> Before:
    """The run, read: before anything is trained, so that what is wrong with its files is said in time.

    Raises DataError where they are damaged.
    """
    name = printable(str(run))
    if not (run / PREDICTIONS).is_file():  # it is a model without its run
        return Before(name, {})
    content_of = {}
    if (run / SPLIT).is_file():
        split = read_list(run / SPLIT, needed=("picture", "content_hash"), what=WRITTEN)
        content_of = {entry["picture"]: entry["content_hash"] for entry in split}
    answers = read_list(run / PREDICTIONS, needed=("picture", "part", "answer"), what=WRITTEN)
    tested = [entry for entry in answers if entry["part"] == "test"]
    contents = [entry["content_hash"] or content_of.get(entry["picture"], "") for entry in tested]
    known = {content: entry["answer"] for content, entry in zip(contents, tested, strict=True) if content}
    return Before(name, known, unknown=contents.count(""))


def regression_of(before: Before, measured: Measurements) -> Regression | None:
    """The comparison with a run on the pictures that both were tested on; None without any."""
    test, known = measured.answers.get("test"), before.answers
    rows = [row for row, each in enumerate(test.pictures) if each.content in known] if test else []
    if test is None or not rows:
        return None
    names, labels = measured.prepared.data_set.classes, test.labels[rows]
    pictures = [test.pictures[row] for row in rows]
    answers = [(known[each.content], names[label]) for each, label in zip(pictures, labels, strict=True)]
    both = Both(
        labels,
        before=np.array([answer == name.strip() for answer, name in answers]),
        after=test.middle.argmax(axis=1)[rows] == labels,
        series=measured.prepared.group(pictures),
    )
    return regression(before.run, names, both)


def regression(run: str, classes: Sequence[str], both: Both) -> Regression:
    """The comparison of two runs. run: the one before, as it is called; classes: names of all of them."""
    in_all, n = both.comparison, len(both.labels)
    worth = None if both.series is None else effective_count(both.series)
    return Regression(
        run=run,
        before=wilson(int(both.before.sum()), n, worth=worth),
        after=wilson(int(both.after.sum()), n, worth=worth),
        difference=in_all.gain,
        p=both.p_worse,
        worse=in_all.is_worse,
        smallest_seen=in_all.smallest_seen,
        classes=_per_class(classes, both),
    )


def _per_class(classes: Sequence[str], both: Both) -> tuple[ClassRegression, ...]:
    tested = np.unique(both.labels).tolist()
    members = [both.of_class(label) for label in tested]
    ps = holm([own.p_worse for own in members])
    return tuple(
        ClassRegression(
            name=classes[label],
            n=len(own.labels),
            before=float(own.before.mean()),
            after=float(own.after.mean()),
            p=p,
            worse=p < SIGNIFICANCE,
        )
        for label, own, p in zip(tested, members, ps, strict=True)
    )
