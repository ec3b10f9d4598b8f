"""What clients are told that may get another answer later, and what the log is told of our own mistakes.

Needs no package of the extra `serve`: it is imported before their absence is said.
"""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress

from eyespot.errors import RequestError


class Busy(RequestError):
    """There is no room for a request now."""

    def __init__(self, why: str = "the server is busy") -> None:
        super().__init__(503, f"{why}: try again in a moment")


class OurMistake(RequestError):
    """An error of ours, which standard error shows and clients do not see."""

    def __init__(self) -> None:
        super().__init__(500, "the server failed: its log says more")


def show_mistake() -> None:
    """Writes the exception at hand to standard error; nothing where nobody reads that any more: the server goes on."""
    with suppress(OSError):
        traceback.print_exc(file=sys.stderr)
