"""What is decided of each training of a run: every name that `args.json` has for it is written and read here alone.

A decision that was made before, by the run that is replayed or that goes on, is taken from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from eyespot.runs.clock import Clock

Reason: TypeAlias = Literal["whole", "by the clock", "by the user"]


@dataclass(frozen=True)
class Ended:
    """Where a training ended, and why."""

    steps: int
    ended: Reason


@dataclass(frozen=True)
class Fits:
    """What the time allows of the frozen regime."""

    pictures: int
    mirror: bool
    tapped: bool = False  # earlier versions do not say
    """Whether activations are kept on the way."""


@dataclass(frozen=True)
class Decisions:
    """Those on one training."""

    clock: Clock
    key: str
    """Names the training among those of its run: "frozen", "partial stage5", "full", "scratch". "finishing" is what
    comes after the last one."""

    def epochs(self, choose: Callable[[], int]) -> int:
        return self.clock.decide(f"{self.key}: epochs", choose)

    def is_kept(self, judge: Callable[[], bool]) -> bool:
        return self.clock.decide(f"{self.key}: kept", judge)

    def fits(self, find: Callable[[], Fits]) -> Fits:
        return Fits(**self.clock.decide(f"{self.key}: fits", lambda: asdict(find())))

    @property
    def ended(self) -> Ended | None:
        """None where it has not ended yet."""
        known = self.clock.known(self._trained)
        return None if known is None else Ended(**known)

    def end(self, at: Ended) -> None:
        """Writes down where it ended, unless that is known."""
        self.clock.decide(self._trained, lambda: asdict(at))

    def correct_end(self, at: Ended) -> None:
        """A person stopped what would have gone on."""
        self.clock.correct(self._trained, asdict(at))

    def began(self) -> float:
        """Seconds on the run's clock when it began, in the first life of the run."""
        return self.clock.measure(f"{self.key}: began", lambda: round(self.clock.spent, 1))

    def seconds(self, find: Callable[[], float], *, digits: int = 1) -> float:
        """What it took, or takes, rounded."""
        return self.clock.measure(self._seconds, lambda: round(find(), digits))

    @property
    def has_seconds(self) -> bool:
        return self.clock.known(self._seconds) is not None

    @property
    def _seconds(self) -> str:
        return f"{self.key}: seconds"

    @property
    def _trained(self) -> str:
        return f"{self.key}: trained"
