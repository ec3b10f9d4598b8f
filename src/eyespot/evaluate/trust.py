"""What makes the figures of a run more, or less, worth believing, in sentences for its reader."""

from __future__ import annotations

import math
from collections.abc import Iterator

from eyespot.records import Metric, MoreExpected, SeriesFound
from eyespot.words import counted


def trust_sentences(series: SeriesFound, doubtful: int | None, more: MoreExpected | None) -> Iterator[tuple[str, str]]:
    """What is worth saying of a run's pictures, each a label and a sentence's words without its end.

    doubtful: pictures whose label cross-validation speaks against. more: what twice the pictures would bring.
    """
    yield from series_sentences(series)
    if doubtful:
        yield (
            "Labels",
            f"{counted(doubtful, 'picture')} whose label the other pictures speak against: `eyespot audit` shows them",
        )
    if more:
        yield "More", str(more)


def series_sentences(found: SeriesFound) -> Iterator[tuple[str, str]]:
    """The same of the series alone."""
    if found.series:
        yield (
            "Series",
            f"{found.series} series of {counted(found.pictures, 'picture')} that show the same or were taken in a row: "
            "each stays on one side of every split and fold that eyespot makes",
        )
    if found.cut:
        yield (
            "Series",
            f"{counted(found.cut, 'picture')} were so much alike that they were taken apart where they are least so: "
            "if they show few different things, --group says which belong together",
        )
    if found.shared:
        without = f"without them it is {found.apart}" if found.apart else "there are no others"
        yield (
            "Shared",
            f"{counted(found.shared, 'test picture')} {'has' if found.shared == 1 else 'have'} a near-copy in train, "
            f"which makes the test figure too good: {without}",
        )
    if found.together and found.torn and found.torn.accuracy - found.together.accuracy > _error(found.together):
        yield (
            "Series",
            f"cross-validation gives {found.together.accuracy:.3f}; had it torn the series apart, it would have "
            f"claimed {found.torn.accuracy:.3f}",
        )


def _error(metric: Metric) -> float:
    """The standard error that its interval stands for."""
    return max((metric.high - metric.low) / (2 * 1.96), math.ulp(1.0))
