"""What the ladder may try above the frozen regime: the trainings, what each costs here, and how it is prepared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from eyespot.building.backbone import Backbone
from eyespot.regimes.cuts import Cuts
from eyespot.regimes.fitted import Fitted
from eyespot.regimes.full import KEY, full_cost, full_defaults, full_tuning
from eyespot.regimes.partial import Cut, cut_at, partial_cost, partial_tuning
from eyespot.regimes.plans import Defaults
from eyespot.regimes.run_training import Cost
from eyespot.regimes.tuned import Tuning
from eyespot.runs.job import Job


@dataclass(frozen=True)
class Attempt:
    """One training that may be tried."""

    key: str
    """Names it among the trainings of the run."""
    defaults: Defaults
    cost: Callable[[], Cost]
    """Measures what it would take."""
    prepare: Callable[[Defaults], Tuning]


@dataclass(frozen=True)
class Candidate:
    """A regime that may be tried, by the first of its attempts that the time allows."""

    regime: Literal["partial", "full"]
    what: str
    """What it would train, in words."""
    attempts: Callable[[], Iterable[Attempt]]
    """What trains most first; each is made when it is asked for."""


def candidates(frozen: Fitted, backbone: Backbone, cuts: Callable[[], Cuts], job: Job) -> list[Candidate]:
    """Those that were asked for, or all, in the order of the ladder.

    frozen: fitted on the train part alone.
    cuts: gives those of the backbone; asked only where it is cut.
    Raises OptionError for a cut that is not there, and for a new tail that does not fit.
    """
    wanted, freeze = job.options.regime, job.options.freeze
    if freeze is not None:
        next(cut_at(frozen, backbone, job, cuts().stages))
    found = []
    if wanted in ("auto", "partial"):
        found.append(
            Candidate("partial", "everything after a cut", lambda: _behind_cuts(frozen, backbone, cuts(), job))
        )
    if wanted in ("auto", "full") and freeze is None:
        found.append(Candidate("full", "everything", lambda: [_everything(frozen, backbone, job)]))
    return found


def _behind_cuts(frozen: Fitted, backbone: Backbone, cuts: Cuts, job: Job) -> Iterator[Attempt]:
    for cut in cut_at(frozen, backbone, job, cuts.stages):
        yield _behind(cut, frozen, job)


def _behind(cut: Cut, frozen: Fitted, job: Job) -> Attempt:
    return Attempt(
        cut.key,
        cut.defaults,
        cost=lambda: partial_cost(frozen, cut, job),
        prepare=lambda defaults: partial_tuning(frozen, cut, job, defaults=defaults),
    )


def _everything(frozen: Fitted, backbone: Backbone, job: Job) -> Attempt:
    return Attempt(
        KEY,
        full_defaults(frozen),
        cost=lambda: full_cost(frozen, backbone, job),
        prepare=lambda defaults: full_tuning(frozen, backbone, job, defaults=defaults),
    )
