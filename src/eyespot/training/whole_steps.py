"""Ctrl-C between two steps of training, never within one: half a step would leave weights that no replay comes to."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class WholeSteps:
    """Within it Ctrl-C waits for `between`, which raises KeyboardInterrupt then. A second Ctrl-C does not wait.

    It does nothing outside the main thread, or where Ctrl-C is ignored.
    """

    def __init__(self) -> None:
        self._before: Any = None
        self._asked = False

    def __enter__(self) -> Self:
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler) and threading.current_thread() is threading.main_thread():
            self._before = handler
            signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if error is None:
            self.between()

    def between(self) -> None:
        """To be called after each step."""
        if self._asked:
            self._asked = False
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            self._before(number, frame)
        self._asked = True
