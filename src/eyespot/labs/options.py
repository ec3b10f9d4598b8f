"""What is asked of an experiment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from eyespot.errors import OptionError
from eyespot.keywords import seconds_of
from eyespot.labs.definition import Lab
from eyespot.labs.figures import MOST_SEEDS
from eyespot.labs.phrases import language_of

LEAST_SECONDS = 5.0
LARGEST_SEED = 2**31


@dataclass(frozen=True)
class LabOptions:
    """The options of `lab`, checked. Raises OptionError for a value that cannot be used."""

    seeds: int = 5
    """Rounds: each draws its own test pictures and first weights."""
    seed: int = 0
    """The first of them; the others follow."""
    time: str | float | None = None
    """For all of it; rounds that do not fit are not begun."""
    guess: int | None = None
    """What the person thinks comes out: the number of one of the lab's guesses, from 1."""
    lang: str | None = None
    """"en" or "zh"; None for the environment's."""
    model: str | Path | None = None
    """The network that is looked into: one of the catalogue, or a run."""
    out: str | Path = "runs"
    """The folder in which `lab/NAME` is made."""
    effort: float = 1.0
    """Share of the steps that are taken: to try a new lab, not for its answers."""

    def __post_init__(self) -> None:
        for name, given in (("seeds", self.seeds), ("seed", self.seed), ("guess", self.guess or 0)):
            if not isinstance(given, int) or isinstance(given, bool):
                raise OptionError(f"the option {name} must be a whole number, not {given!r}")
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise OptionError(f"the option seeds must be a whole number from 1 to {MOST_SEEDS}, not {self.seeds}")
        if not 0 <= self.seed < LARGEST_SEED:
            raise OptionError(f"the option seed must be a whole number from 0 to {LARGEST_SEED - 1}, not {self.seed}")
        if not self.limit_seconds >= LEAST_SECONDS:  # nor if it is no number
            raise OptionError(f"the option time must be at least {LEAST_SECONDS:g} s, not {self.time}")
        if not 0 < self.effort <= 1:
            raise OptionError(f"the option effort must be above 0 and at most 1, not {self.effort}")
        language_of(self.lang)

    @property
    def limit_seconds(self) -> float:
        """The time in seconds; infinite where none was given."""
        if self.time is None:
            return math.inf
        try:
            return seconds_of(self.time) if isinstance(self.time, str) else float(self.time)
        except ValueError:
            raise OptionError(f"the option time must be a time such as 30s or 2m, not {self.time!r}") from None

    def require_fit(self, name: str, lab: Lab) -> None:
        """Raises OptionError for a guess that the lab does not have, and for a network where it takes none."""
        count = len(lab.guesses)
        if self.guess is not None and not 1 <= self.guess <= count:
            listed = ", ".join(f"{number} {each.en}" for number, each in enumerate(lab.guesses, 1))
            raise OptionError(f"the option guess must be a number from 1 to {count}, not {self.guess}: {listed}")
        if self.model is not None and not lab.takes_model:
            raise OptionError(f"the lab {name} trains networks of its own: leave the option model out")
