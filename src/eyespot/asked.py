"""When a person asked. A command counts its time from there: what it imports before it can begin is her time, too."""

from __future__ import annotations

import time
from contextvars import ContextVar

COMMAND: ContextVar[float | None] = ContextVar("command", default=None)
"""When the command began, as `time.perf_counter` says it; None in a program that called a function."""


def began() -> float:
    """When what is done now was asked for, as `time.perf_counter` says it."""
    command = COMMAND.get()
    return time.perf_counter() if command is None else command
