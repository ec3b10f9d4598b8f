"""`events.jsonl`: what happens in a run, a line each, written as it happens, for whoever draws it meanwhile."""

from __future__ import annotations

import errno
import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

_Key: TypeAlias = tuple[str, str | None, int | None, int | None]
EVENTS = "events.jsonl"
LINES = 100
"""Of the steps of one training, at most, beside one for each epoch."""


@dataclass(frozen=True)
class Event:
    """One line, but for its time. None is what it does not say."""

    phase: str
    """What the run does, in the words that its progress has, or "done", "stopped", "resumed"."""
    regime: str | None = None
    step: int | None = None
    epoch: int | None = None
    loss: float | None = None
    """Of the batch, or of the epoch where it ends."""
    validation_loss: float | None = None
    accuracy: float | None = None
    """On validation pictures, or in cross-validation; with "done" the run's figure."""
    average_precision: float | None = None
    """Of a detector, with "done": the mean over classes and overlaps from 0.50 to 0.95."""
    n: int | None = None
    """With "validation pictures": how many each accuracy from here on is measured on."""
    worth: float | None = None
    """As many independent pictures as these are worth, where some are of one series."""
    rung: Mapping[str, object] | None = None
    """With "rung": a regime that was tried on the way up, and what came of it, as the ladder of result.json has it."""

    @property
    def key(self) -> _Key:
        """What it tells of; two lines of one step are not written."""
        return self.phase, self.regime, self.step, self.epoch


class Events:
    """The file of one run. A run that goes on repeats some of its work to the same bits: no line is written again."""

    def __init__(self, folder: Path | None = None, notes: list[str] | None = None) -> None:
        """folder: of the run; None where nothing is to be written. notes: takes why no more can be."""
        self._path, self._notes = None if folder is None else folder / EVENTS, [] if notes is None else notes
        self._before: Counter[_Key] = Counter()
        """Of the run's earlier lives, and of steps of this one; what is told again is one of them."""
        if self._path is not None and self._path.is_file():
            with self._or_a_note():
                self._before = _read(self._path)
            self.tell(Event("resumed"))

    def tell(self, event: Event) -> None:
        """Writes a line, whole, unless it is there already."""
        if self._path is None:
            return
        if self._before[event.key] > 0:
            self._before[event.key] -= event.step is None
            return
        self._before[event.key] += event.step is not None
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": time, **{name: _finite(value) for name, value in asdict(event).items()}})
        with self._or_a_note(), self._path.open("ab", buffering=0) as file:
            data = f"{line}\n".encode()
            if (written := file.write(data)) != len(data):
                file.truncate(file.tell() - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextmanager
    def _or_a_note(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._notes.append(f"{self._path} ends early, for it cannot be written ({error.strerror or error})")
            self._path = None

    def following(self, progress: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
        """The same progress, which also tells each phase as it begins."""
        last = ""

        def told(step: str, done: int, total: int) -> None:
            nonlocal last
            phase = step.partition(":")[0]  # what follows a colon may change from call to call
            if phase != last:
                last = phase
                self.tell(Event(phase))
            progress(step, done, total)

        return told if self._path else progress


def _read(path: Path) -> Counter[_Key]:
    """The lines of a file, from which the last goes where it was not finished."""
    data = path.read_bytes()
    whole = data.rpartition(b"\n")
    if whole[2]:
        with path.open("r+b") as file:
            file.truncate(len(data) - len(whole[2]))
    found: Counter[_Key] = Counter()
    for line in whole[0].splitlines():
        try:
            said = json.loads(line)
            found[Event(**{name: value for name, value in said.items() if name != "time"}).key] += 1
        except (ValueError, TypeError, AttributeError):  # a person's own line
            continue
    del found[Event("resumed").key], found[Event("stopped").key]  # each is news every time
    return found


def _finite(value: object) -> object:
    """JSON has no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
