"""What the ladder may try after the frozen regime."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from eyespot.regimes.learned import Attempt


@dataclass(frozen=True)
class Candidate:
    """A regime that may be tried, by the first of its attempts that the time allows."""

    regime: Literal["partial", "full"]
    what: str
    """What it would train, in words."""
    attempts: Callable[[], Iterable[Attempt]]
    """What trains most first; each is made when it is asked for."""
    fewest: int
    """Epochs; fewer are no useful part of the regime."""
    most: int
    """Times the regime's own number of epochs, at most, where there is time for them: with more the pictures would be
    learned by heart, sooner where they are not drawn anew in each epoch."""
