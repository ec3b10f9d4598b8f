"""How a run could become better, and what that may bring as far as anything measured tells."""

from __future__ import annotations

from math import ceil

from eyespot.evaluate.paired import smallest_seen
from eyespot.evaluate.trust import MoreExpected
from eyespot.names import as_typed
from eyespot.records import Metric, Record
from eyespot.regimes.ladder import too_little
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.turns import NO_TIME
from eyespot.runs.options import TrainOptions
from eyespot.words import counted

TIME, DOUBLED = "5m", 150
"""What is named, and the seconds from which on twice as many are."""
MENDED = "trains more of the network, which took away 37 % of the mistakes on 3,781 photos of clothing"
"""By docs/figures.md: from 0.898 to 0.936."""
LADDER_ENDS = "the ladder ends at frozen: "


class Better(Record):
    """What to do for a better model."""

    command: str
    """As it is typed."""
    expects: str
    """What it may bring, in words."""


def better_of(
    prepared: Prepared,
    options: TrainOptions,
    *,
    run: str,
    data: str,
    validation: Metric | None,
    more: MoreExpected | None,
    only_head: bool,
) -> Better:
    """More time where it was too short for all pictures, or where none was given and they can show what it brings; else
    more pictures.

    data: what was trained on, as it was given. validation, more: as in the result. only_head: nothing else was tried.
    """
    left_out = sum(each.reason == NO_TIME for each in prepared.set_aside)
    if left_out and options.time:
        return Better(command=_longer(options, data), expects=f"there was no time for {left_out:,} of the pictures")
    few = too_little(prepared.different("train"), prepared.different("val"), classes=len(prepared.data_set.classes))
    climbs = options.time is None and options.regime == "auto" and only_head
    climbs = climbs and not options.parts_of
    if climbs and validation and not few:
        seen, part = _seen_by(validation), f"your validation part of {counted(validation.n, 'picture')}"
        if seen is not None:
            return Better(
                command=_longer(options, data), expects=f"{MENDED}; {part} hardly shows a gain below {seen:.0f} points"
            )
        mistakes = counted(round((1 - validation.accuracy) * validation.n), "mistake")
        few = f"{part} has {mistakes} left, too few to show that more time makes anything better"
    said = [str(more)] if more else ["more pictures help most"]
    said += [few.removeprefix(LADDER_ENDS)] if climbs and few else []
    return Better(command=f"eyespot add {as_typed(run)} NEW", expects="; ".join(said))


def _seen_by(validation: Metric) -> float | None:
    """The smallest gain, in points, that the accuracy on the validation pictures usually shows; None where there are
    not so many mistakes left."""
    wrong = 1 - validation.accuracy
    least = smallest_seen(differing=max(wrong, 1 / validation.n), count=validation.n)
    return None if least is None or least > wrong else 100 * least


def _longer(options: TrainOptions, data: str) -> str:
    """The same with more time; of what was asked for with other options the command is not known here."""
    asked = options.model_fields_set - {"name", "time"}
    time = f"{ceil(options.time / 30)}m" if options.time and options.time > DOUBLED else TIME
    return f"the same command with --time {time}" if asked else f"eyespot train {as_typed(data)} --time {time}"
