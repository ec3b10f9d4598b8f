"""How near a picture came to its painting and to its photo, after each step: kept, as CSV, and as lines."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from eyespot.palette import BOXES, INK
from eyespot.reporting.canvas import Point, Ticks
from eyespot.reporting.lines import Line, Plot
from eyespot.runs.tables import as_csv

if TYPE_CHECKING:
    from eyespot.styling.optimise import Step

LEAST = 1e-4
"""Below this a loss is nothing."""
MOST_POINTS = 300
"""Of a line, which is 300 units wide."""


@dataclass(frozen=True)
class Loss:
    """What there was after a step."""

    step: int
    seconds: float
    """Since the start."""
    width: int
    """Of the picture at that step, pixels."""
    height: int
    style: float
    content: float
    stages: Mapping[str, float]
    """The style at each stage by itself."""


class Losses:
    """The losses of a picture that is being painted."""

    def __init__(self, started: float) -> None:
        """started: what `time.monotonic` said when the time began."""
        self.started = started
        self.taken: list[Loss] = []

    def take(self, step: Step) -> None:
        """Keeps those of a step that was just taken."""
        height, width = step.waves.size_hw
        seconds = time.monotonic() - self.started
        self.taken.append(Loss(step.number, seconds, width, height, step.style, step.content, step.stages))

    def csv(self) -> bytes:
        """A line a step."""
        stages = list(self.taken[0].stages) if self.taken else []
        header = ("step", "seconds", "width", "height", "style", "content", *(f"style_{stage}" for stage in stages))
        rows = (
            (each.step, f"{each.seconds:.3f}", each.width, each.height, *map(_figure, _numbers(each)))
            for each in self.taken
        )
        return as_csv(header, rows)

    def plot(self) -> Plot:
        """The losses over the steps, each a tenth of the one above at the next mark; at least one step is there."""
        taken = self.taken[:: math.ceil(len(self.taken) / MOST_POINTS)]
        if taken[-1] is not self.taken[-1]:
            taken.append(self.taken[-1])
        decades = _decades(number for each in taken for number in _numbers(each))

        def line(name: str, losses: Iterable[float], number: int | None) -> Line:
            points = [self._point(each, loss, decades) for each, loss in zip(taken, losses, strict=True)]
            color = INK if number is None else BOXES[number % len(BOXES)]
            return Line(name, color, points, is_main=number is None)

        stages = list(taken[0].stages)
        lines = [line(f"style, {stage}", [each.stages[stage] for each in taken], n) for n, stage in enumerate(stages)]
        lines.append(line("content", [each.content for each in taken], len(stages)))
        lines.append(line("style, all stages", [each.style for each in taken], None))
        up = tuple((place, f"{10.0**decade:g}") for place, decade in _evenly(decades))
        return Plot(tuple(lines), self._sizes(), up, ("steps; a line stands where a size is done", "loss"))

    def _point(self, loss: Loss, value: float, decades: Sequence[int]) -> Point:
        up = (math.log10(max(value, LEAST)) - decades[0]) / (decades[-1] - decades[0])
        return loss.step / self.taken[-1].step, up

    def _sizes(self) -> Ticks:
        """The last step of each size."""
        ends = [
            each for each, after in pairwise(self.taken) if (each.width, each.height) != (after.width, after.height)
        ]
        return tuple((each.step / self.taken[-1].step, str(each.step)) for each in (*ends, self.taken[-1]))


def _decades(losses: Iterable[float]) -> range:
    """The powers of ten between which they lie, two at least."""
    logs = [math.log10(max(each, LEAST)) for each in losses]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return range(low, max(high, low + 1) + 1)


def _evenly(decades: range) -> Iterable[tuple[float, int]]:
    return ((number / (len(decades) - 1), decade) for number, decade in enumerate(decades))


def _numbers(loss: Loss) -> tuple[float, ...]:
    return (loss.style, loss.content, *loss.stages.values())


def _figure(number: float) -> str:
    return f"{number:.6g}"
