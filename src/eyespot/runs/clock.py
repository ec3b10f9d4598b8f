"""The time that a run may take, and what was decided by it: written down, so that a replay decides alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from eyespot.distributed.world import World, broadcast
from eyespot.errors import OptionError
from eyespot.names import printable
from eyespot.runs.folder import RunFolder
from eyespot.runs.options import TrainOptions
from eyespot.version import VERSION

T = TypeVar("T")
Reason: TypeAlias = Literal["whole", "by the clock", "by the user"]


class Journal:
    """`args.json` of one run: what was asked, what was decided and the time spent."""

    def __init__(self, folder: RunFolder, *, data: str, options: TrainOptions) -> None:
        self._folder, self._data, self._options = folder, data, options
        self.fingerprint: str | None = None
        """Of the data; None before the pictures are read."""

    def write(self, clock: Clock) -> None:
        """Brings it up to date where the run's folder is there."""
        self._folder.write_args(self.entries(clock))

    def entries(self, clock: Clock) -> dict[str, Any]:
        return {
            "command": "train",
            "version": VERSION,
            "data": printable(self._data),
            **self._options.model_dump(mode="json"),
            "given": sorted(self._options.model_fields_set),
            "fingerprint": self.fingerprint,
            "decisions": clock.decisions,
            "replays": clock.replays,
            "spent_seconds": round(clock.spent, 2),
        }


class Clock:
    """The clock of one run, also of one that goes on after it was killed."""

    def __init__(
        self,
        seconds: float | None = None,
        *,
        started: float | None = None,
        spent: float = 0.0,
        decisions: dict[str, Any] | None = None,
        replays: str | None = None,
        journal: Journal | None = None,
        world: World | None = None,
    ) -> None:
        """seconds: that the run may take; None for as many as it needs.
        started: what `time.perf_counter` said then; None for now. spent: seconds before that.
        decisions: those that were made already.
        replays: the run whose decisions these are, where every one is to be taken from it; None for a run of its own.
        journal: where every decision is written down at once; None for nowhere.
        """
        self.decisions = dict(decisions or {})
        self.replays = replays
        self._seconds, self._journal, self._world = seconds, journal, world or World()
        self._started = (time.perf_counter() if started is None else started) - spent

    @property
    def spent(self) -> float:
        """Seconds since the run began, without those between a kill and going on."""
        return time.perf_counter() - self._started

    @property
    def is_set(self) -> bool:
        return self._seconds is not None

    @property
    def remaining(self) -> float:
        """Seconds that are left; infinite without a limit, and in a replay, which takes the time it takes."""
        if self._seconds is None or self.replays:
            return math.inf
        return self._seconds - self.spent

    def allow(self, what: str, choose: Callable[[], float]) -> float:
        """Sets the time of a run that had none: the seconds, from its first one on, that `choose` gives.

        what: names the decision.
        """
        seconds = self.decide(what, lambda: round(choose(), 1))
        self._seconds = seconds
        return seconds

    def decide(self, what: str, choose: Callable[[], T]) -> T:
        """What `choose` gives, or what was decided before under that name; every rank gets the writer's.

        choose: gives what JSON can say.
        Raises OptionError in a replay of a run that did not decide this.
        """
        if what not in self.decisions:
            if self.replays:
                raise OptionError(
                    f"{self.replays} cannot be replayed: its args.json does not say what it decided on {what!r}; it "
                    "was stopped before, or is of another version"
                )
            self.decisions[what] = broadcast(choose(), self._world)
            self.write_down()
        chosen: T = self.decisions[what]
        return chosen

    def measure(self, what: str, find: Callable[[], T]) -> T:
        """What `find` gives, or gave before a kill. A replay, which decides nothing by it, measures itself."""
        if self.replays:
            self.decisions[what] = broadcast(find(), self._world)
        return self.decide(what, find)

    def recall(self, decisions: dict[str, Any]) -> None:
        """Takes over what another run decided, unless it was decided here."""
        self.decisions = decisions | self.decisions
        self.write_down()

    def correct(self, what: str, chosen: Any) -> None:
        """Puts right what was decided: a person stopped what the clock would have let go on."""
        self.decisions[what] = chosen
        self.write_down()

    def known(self, what: str) -> Any:
        """What was decided before under that name; None where nothing was."""
        return self.decisions.get(what)

    def write_down(self) -> None:
        """Brings the journal up to date: what was decided, and the seconds spent so far."""
        if self._journal is not None:
            self._journal.write(self)

    def is_up(self, *, reserve: float) -> bool:
        """Whether fewer than `reserve` seconds are left: on every rank what the writer's clock says."""
        if self.remaining == math.inf:
            return False
        return bool(broadcast(self.remaining < reserve, self._world))


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
    asked: int | None = None
    """How many of the pictures that are held out; None for all."""
    no_gain: bool = False
    """Whether mirror images were left out since they do not help."""
    stopped: bool = False
    """Whether a person ended it there."""


@dataclass(frozen=True)
class Decisions:
    """Those on one training."""

    clock: Clock
    key: str
    """Names the training among those of its run: "frozen", "partial stage5", "full", "scratch". "finishing" is what
    comes after the last one."""

    def epochs(self, choose: Callable[[], float]) -> float:
        return self.clock.decide(f"{self.key}: epochs", choose)

    def gives_way(self, judge: Callable[[], bool]) -> bool:
        return self.clock.decide(f"{self.key}: gives way", judge)

    def is_tried(self, judge: Callable[[], bool]) -> bool:
        return self.clock.decide(f"{self.key}: tried", judge)

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

    def left(self, find: Callable[[], float]) -> float:
        """Seconds of the time when it ended."""
        return self.clock.decide(f"{self.key}: left", lambda: round(find(), 1))

    @property
    def has_seconds(self) -> bool:
        return self.clock.known(self._seconds) is not None

    @property
    def _seconds(self) -> str:
        return f"{self.key}: seconds"

    @property
    def _trained(self) -> str:
        return f"{self.key}: trained"
