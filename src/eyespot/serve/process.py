"""uvicorn in this process, with ends of its own: whatever signal ends it, what was accepted is answered first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from eyespot.serve.connections import LimitedConnection

BACKLOG = 512
KEEP_ALIVE_SECONDS = 60
STOP_SECONDS = 60
"""Within which accepted requests are finished; none takes that long."""


class Server(uvicorn.Server):
    """Ends at SIGTERM and Ctrl-C: it listens no more, answers what it has taken, and returns."""

    def __init__(self, app: ASGIApp, *, hang_up: Callable[[], None]) -> None:
        """hang_up: called at SIGHUP, where the system has that."""
        super().__init__(
            uvicorn.Config(
                app,
                http=LimitedConnection,
                ws="none",
                lifespan="on",
                access_log=False,
                log_level="error",
                server_header=False,
                headers=[("x-content-type-options", "nosniff")],
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self._hang_up = hang_up

    @property
    def answered(self) -> int:
        """Requests that were answered, of whatever kind."""
        return self.server_state.total_requests

    @property
    def was_interrupted(self) -> bool:
        """True after Ctrl-C."""
        return signal.SIGINT in self._captured_signals

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Within it signals end the server; afterwards they are not raised again, as uvicorn would do."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {number: self.handle_exit for number in (signal.SIGINT, signal.SIGTERM)}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        if hasattr(signal, "SIGHUP"):
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda number, frame: self._hang_up())
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
