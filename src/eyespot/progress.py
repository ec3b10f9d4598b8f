"""How recipes tell how far they are. They do not print: whoever calls them decides what to show."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the step in words, what is done and what there is in all; 0 in all where that is not known."""

ANNOUNCED = -1
"""In all, where the step is a sentence that is to stay on the screen."""


def announce(progress: Progress, sentence: str) -> None:
    """Says what is worth knowing before the work is done."""
    progress(sentence, ANNOUNCED, ANNOUNCED)


def silent(step: str, done: int, total: int) -> None:
    """Tells nobody."""
