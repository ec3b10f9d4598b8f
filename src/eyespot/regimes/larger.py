"""A larger network under a head of its own, where a time that was given is not used up and one is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from eyespot.regimes.answers import Answers, weighed
from eyespot.regimes.fitted import Fitted
from eyespot.regimes.weighing import Climbed, Verdict
from eyespot.runs.clock import Decisions
from eyespot.runs.job import Job

LARGER = ("efficientnet_lite2", "efficientnet_lite1")
"""The most accurate first: with 30 photos of each of ten kinds of clothing a head has about one point more on them."""
TAKES_MORE = 2.5
"""Times what the default network takes to answer, at most."""
ROOM = 1.25
"""Its features may take so much longer than a few pictures tell: nothing ends them in the midst."""
MEASURING_SECONDS = 15
"""To convert one for the first time, and to find out what it takes."""


@dataclass(frozen=True)
class Larger:
    """A network that is larger than the default one, and installed."""

    network: str
    seconds: Callable[[], float]
    """What its features take here and now, by a few."""
    fit: Callable[[], tuple[Fitted, Answers | None]]
    """Gives a head on it, and its answers to the pictures that the best so far is judged by."""


def try_larger(climbed: Climbed, offered: Iterable[Larger], job: Job, *, reserve: float) -> bool:
    """Whether one of them, the first that the time allows, takes the place of the best so far: by the ladder's rule.

    reserve: seconds to be left on the clock for what comes after the default network.
    """
    for offer in offered:
        decisions = Decisions(job.clock, f"frozen {offer.network}")
        if decisions.is_tried(partial(_is_time_for, offer, job, reserve=TAKES_MORE * reserve)):
            began = decisions.began()
            return _weigh(climbed, *offer.fit(), decisions, began=began)
    return False


def _is_time_for(offer: Larger, job: Job, *, reserve: float) -> bool:
    if job.clock.is_up(reserve=reserve + MEASURING_SECONDS):
        return False
    return not job.clock.is_up(reserve=reserve + ROOM * offer.seconds())


def _weigh(climbed: Climbed, other: Fitted, answers: Answers | None, decisions: Decisions, *, began: float) -> bool:
    if answers is None or climbed.answers is None:
        return False
    found = weighed(climbed.answers, answers, other.prepared.series)
    is_kept, why = decisions.is_kept(lambda: found.is_better), found.in_words(climbed.best.regime)
    trained = f"the head alone, on {other.trunk.network.name}"
    climbed.climb(other, answers, trained, decisions, began=began, verdict=Verdict(is_kept, why))
    return is_kept
