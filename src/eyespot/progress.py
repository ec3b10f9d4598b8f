"""How recipes tell how far they are, and how that is shown. They do not print: whoever calls them decides."""

from __future__ import annotations

import functools
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from eyespot.names import printable_lines

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[str, int, int], None]
"""Called with the step in words, what is done and what there is in all; 0 in all where that is not known."""
COUNTED = {
    *("computing features", "measuring on val", "measuring on test", "predicting", "measuring"),
    *("asking the first", "asking the second"),
}
"""Steps that count pictures, so that pictures per second mean something."""
SHOWN_EVERY_SECONDS = 0.05
LINE_EVERY_SECONDS = 10.0
"""Where lines are kept, as those of a CI or of nohup are."""
NOTEBOOK_AFTER_SECONDS = 0.5
"""In a notebook, whose cell would flicker for what takes no time."""
P = ParamSpec("P")
R = TypeVar("R")

ANNOUNCED = -1
"""In all, where the step is a sentence that is to stay on the screen."""


def announce(progress: Progress, *sentences: str) -> None:
    """Says what is worth knowing before the work is done."""
    for sentence in sentences:
        progress(sentence, ANNOUNCED, ANNOUNCED)


def silent(step: str, done: int, total: int) -> None:
    """Tells nobody."""


@contextmanager
def shown() -> Iterator[Progress]:
    """A bar with speed and time left, on a terminal or in a notebook; else a line every ten seconds."""
    notebook = in_notebook()
    if notebook and importlib.util.find_spec("ipywidgets"):  # without it Rich shows nothing there
        from rich.console import Console

        with _bars(Console(), after=NOTEBOOK_AFTER_SECONDS) as tell:
            yield tell
    elif not notebook and sys.stderr.isatty():
        from rich.console import Console

        with _bars(Console(stderr=True), after=0.0) as tell:
            yield tell
    else:
        yield lines()


def shows_progress(verb: Callable[P, R]) -> Callable[P, R]:
    """A decorator: in a notebook the verb shows how far it is, unless it is told whom to tell by `progress`."""

    @functools.wraps(verb)
    def call(*args: P.args, **options: P.kwargs) -> R:
        if "progress" in options or not in_notebook():
            return verb(*args, **options)
        with shown() as progress:
            options["progress"] = progress
            return verb(*args, **options)

    return call


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook, as Rich tells. Imports nothing elsewhere."""
    if "IPython" not in sys.modules:
        return False
    from rich.console import Console

    return Console().is_jupyter


def lines() -> Progress:
    """Progress as plain lines on standard error: what takes less than ten seconds says nothing."""
    steps: dict[str, tuple[float, int]] = {}
    shown = time.monotonic()

    def tell(words: str, done: int, total: int) -> None:
        nonlocal shown
        if total == ANNOUNCED:
            _write(words)
            return
        now, step = time.monotonic(), words.partition(":")[0]
        began, first = steps.setdefault(step, (now, done))
        if now - shown < LINE_EVERY_SECONDS:
            return
        shown = now
        of = f" {done:,} of {total:,}" if total else f" {done:,}" if done else ""
        left = (now - began) * (total - done) / (done - first) if total > done > first else 0.0
        _write(f"{words}{of}{f', {left:.0f} s left' if left else ''}")

    return tell


def _write(words: str) -> None:
    with suppress(OSError):  # what cannot be written there is lost, and nothing with it
        print(printable_lines(words), file=sys.stderr, flush=True)


@contextmanager
def _bars(console: Console, *, after: float) -> Iterator[Progress]:
    """A bar for each step, gone when all is done. after: seconds before any is shown."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(compact=True),
    )
    bar = Bar(*columns, console=console, transient=True)
    steps: dict[str, tuple[Any, float, int]] = {}
    begun, shown = time.monotonic(), 0.0

    def tell(words: str, done: int, total: int) -> None:
        nonlocal shown
        if total == ANNOUNCED:
            console.print(printable_lines(words), markup=False, highlight=False, soft_wrap=True)
            return
        now, step = time.monotonic(), words.partition(":")[0]  # what follows a colon may change from call to call
        if now - begun < after or (step in steps and done < total and now - shown < SHOWN_EVERY_SECONDS):
            return  # showing each of 70,000 pictures would take longer than reading them
        shown = now
        if not bar.live.is_started:
            bar.start()
        if step not in steps:
            steps[step] = (bar.add_task(words, total=total, speed=""), time.monotonic(), done)
        task, began, first = steps[step]
        seconds = time.monotonic() - began
        speed = f"{(done - first) / seconds:.0f}/s" if step in COUNTED and seconds > 0.5 else ""
        bar.update(task, description=words, completed=done, total=total, speed=speed)

    try:
        yield tell
    finally:
        bar.stop()
