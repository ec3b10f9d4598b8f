"""A plugin of pytest while coverage is measured: no thread is lost because another one begins at the same moment.

Each new thread installs what traces it. Python 3.11 raises RuntimeError in one of two that do so together, before the
thread has done anything.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

TRIES = 1000


class PatientSys:
    """`sys`, as `threading` uses it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)

    @staticmethod
    def settrace(function: Callable[..., Any] | None) -> None:
        for _ in range(TRIES):
            try:
                return sys.settrace(function)
            except RuntimeError:  # another thread is about to
                time.sleep(0.001)
        return sys.settrace(function)


threading._sys = PatientSys()  # type: ignore[attr-defined]
