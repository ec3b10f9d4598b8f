"""Lives: work done in a process of its own, forked from one that has imported all, and killed where that is asked."""

from __future__ import annotations

import os
import resource
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FILE_STEPS = ("fsync", "link", "mkdir", "rename", "replace", "rmdir", "unlink")
"""Of `os`: what changes names of files, or waits for the disk."""
FATAL = (signal.SIGKILL, signal.SIGXFSZ)
_STEPS = "steps "
Say = Callable[[str], None]


@dataclass(frozen=True)
class Death:
    """When a life is ended; with nothing given it comes to its own end."""

    after: float | None = None
    """Seconds to SIGKILL, from outside."""
    step: int | None = None
    """Of the file steps, the one before which it kills itself."""
    size: int | None = None
    """Bytes beyond which none of its files may grow: the system kills it in the midst of a write, which stays half."""


@dataclass(frozen=True)
class Life:
    """One that is over."""

    said: list[str]
    """What it had said when it died, whole lines."""
    killed: bool
    failed: bool
    """It ended by itself, and not well: standard error has why."""
    steps: int
    """File steps that it took; 0 where it was killed."""
    seconds: float


@dataclass(frozen=True)
class Living:
    """One that is going on."""

    child: int
    heard: int
    death: Death
    since: float

    def ended(self) -> Life:
        """The life, once it is over."""
        if self.death.after is not None:
            time.sleep(max(0.0, self.since + self.death.after - time.perf_counter()))
            os.kill(self.child, signal.SIGKILL)
        with os.fdopen(self.heard, encoding="utf-8") as file:
            said = file.read().rpartition("\n")[0].splitlines()
        _, status = os.waitpid(self.child, 0)
        seconds = time.perf_counter() - self.since
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) in FATAL
        steps = int(said.pop().removeprefix(_STEPS)) if said and said[-1].startswith(_STEPS) else 0
        return Life(said, killed, status != 0 and not killed, steps, seconds)


def begun(work: Callable[[Say], Any], death: Death | None = None) -> Living:
    """A life that does `work`, which gets a function to say a line with: what was said is heard also of the dead."""
    heard, said = os.pipe()
    since, child = time.perf_counter(), os.fork()
    if child == 0:
        os.close(heard)
        _live(work, said, death or Death())
    os.close(said)
    return Living(child, heard, death or Death(), since)


def _live(work: Callable[[Say], Any], said: int, death: Death) -> None:
    """The process of one life, whose end this is."""
    steps, status = 0, 1

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == death.step:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return call

    def say(line: str) -> None:
        os.write(said, f"{line}\n".encode())

    try:
        for name in FILE_STEPS:
            setattr(os, name, counted(getattr(os, name)))
        if death.size is not None:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (death.size, death.size))
        work(say)
        say(f"{_STEPS}{steps}")
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
