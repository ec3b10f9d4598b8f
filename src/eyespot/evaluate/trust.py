"""What makes the figures of a run more, or less, worth believing, in sentences for its reader."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pydantic import Field

from eyespot.evaluate.box_records import Estimate
from eyespot.records import Difference, Fraction, Metric, Record
from eyespot.words import counted


class SeriesFound(Record):
    """Pictures that belong together, such as near-copies or those of one group, and what they do to the figures."""

    series: int = Field(ge=0)
    pictures: int = Field(ge=0)
    """That are in one."""
    named: int = Field(default=0, ge=0)
    """Of these, how many the person's file puts into a group."""
    largest: int = Field(ge=0)
    """Pictures of the largest."""
    cut: int = Field(ge=0)
    """Pictures of groups that were too large to be series, and were taken apart where they are least alike."""
    shared: int = Field(ge=0)
    """Test pictures, in folders that came split, that are in a series with a training picture."""
    shared_val: int = Field(default=0, ge=0)
    """Validation pictures, alike."""
    apart: Metric | Estimate | None
    """On the other test pictures, the accuracy or a detector's mAP50; None where none is shared."""
    together: Metric | None = None
    """Cross-validation; None where so few pictures are in series that it makes no difference."""
    torn: Metric | None = None
    """The same, had it torn the series apart."""
    folds_tear: bool = False
    """Whether the series are so few that cross-validation tears them apart, and its figure is too good."""

    def notes(self) -> Iterator[str]:
        """What a reader of the figures must know."""
        if self.folds_tear:
            yield (
                "series and groups are so few that cross-validation tears them apart: its figure is too good, since "
                "pictures of one group are on both sides; take pictures of more groups"
            )


class MoreExpected(Record):
    """What twice the pictures would bring, as far as those that are there tell."""

    pictures: int = Field(ge=1)
    """That are there."""
    points: tuple[tuple[float, Fraction], ...]
    """Pictures trained on, and the share of wrong answers to others."""
    gain: float
    """Of accuracy."""
    low: float
    high: float

    def __str__(self) -> str:
        low, high = (f"{max(100 * each, 0):.1f}" for each in (self.low, self.high))
        return f"with twice as many pictures expect {100 * self.gain:+.1f} points ({low} to {high})"


class Gain(Record):
    """By how much a model is better than another on some pictures."""

    n: int = Field(ge=1)
    """Pictures that both were asked about."""
    difference: Difference
    """Of the shares of right answers."""


class ListGain(Record):
    """What a person's list of decisions is worth: a model that follows it, beside one that does not."""

    judged: Gain
    """On the test pictures that it leaves in, with the classes that it gives them."""
    as_found: Gain
    """On all test pictures, with the classes that they have without it."""

    def __str__(self) -> str:
        judged, found = self.judged, self.as_found
        if judged == found:
            return f"with your list {judged.difference} on the {counted(judged.n, 'test picture')}"
        return (
            f"with your list {judged.difference} on {counted(judged.n, 'test picture')} as you judged them, "
            f"{found.difference} on the {found.n} as they are without it"
        )


def trust_sentences(
    series: SeriesFound, doubtful: int | None, more: MoreExpected | None, list_gain: ListGain | None = None
) -> Iterator[tuple[str, str]]:
    """What is worth saying of a run's pictures, each a label and a sentence's words without its end.

    doubtful: training pictures whose label cross-validation speaks against. more: what twice the pictures would bring.
    list_gain: what the person's list is worth.
    """
    yield from series_sentences(series)
    if list_gain:
        yield "List", str(list_gain)
    if doubtful:
        yield (
            "Labels",
            f"{counted(doubtful, 'training picture')} whose label the others speak against: eyespot audit looks twice, "
            "at all pictures, and shows such labels",
        )
    if more:
        yield "More", str(more)


def series_sentences(found: SeriesFound) -> Iterator[tuple[str, str]]:
    """The same of the series alone."""
    if found.series or found.cut:
        yield "Series", "; ".join(_found(found))
    if found.shared or found.shared_val:
        yield "Shared", "; ".join(_shared(found))
    if found.together and found.torn and found.torn.accuracy - found.together.accuracy > _error(found.together):
        yield (
            "Series",
            f"cross-validation gives {found.together.accuracy:.3f}; had it torn the series apart, it would have "
            f"claimed {found.torn.accuracy:.3f}",
        )


def _found(found: SeriesFound) -> Iterator[str]:
    if found.series:
        pictures = counted(found.pictures, "picture")
        makes = "split" if found.folds_tear else "split and fold"
        yield (
            f"{found.series} series of {pictures} that {_why(found)}: each stays on one side of every {makes} that "
            "eyespot makes"
        )
    if found.cut:
        yield (
            f"{counted(found.cut, 'picture')} were so much alike that they were taken apart where they are least so: "
            "if they show few different things, --group says which belong together"
        )


def _why(found: SeriesFound) -> str:
    """What the pictures of a series have in common, in words."""
    if not found.named:
        return "show the same or were taken in a row"
    if found.named == found.pictures:
        return "your file of groups puts together"
    return "your file of groups puts together, show the same or were taken in a row"


def _shared(found: SeriesFound) -> Iterator[str]:
    what = "near-copy, or another picture of their group," if found.named else "near-copy"
    for count, part in ((found.shared, "test"), (found.shared_val, "validation")):
        if count:
            have = f"{counted(count, f'{part} picture')} {'has' if count == 1 else 'have'} a {what} in train"
            without = f": without them it is {found.apart}" if found.apart else ": there are no others"
            yield f"{have}, which may make the {part} figure too good{without if part == 'test' else ''}"


def _error(metric: Metric) -> float:
    """The standard error that its interval stands for."""
    return max((metric.high - metric.low) / (2 * 1.96), math.ulp(1.0))
