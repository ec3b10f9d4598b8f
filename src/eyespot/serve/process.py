"""uvicorn in this process, with ends of its own: whatever signal ends it, what was accepted is answered first."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from eyespot.serve.connections import LimitedConnection, State
from eyespot.serve.crowd import MOST_CONNECTIONS

BACKLOG = 512
KEEP_ALIVE_SECONDS = 60
OPEN_FILES = MOST_CONNECTIONS + 500
"""What the system should let a server have open: where there is no room for a connection, none is accepted."""
STOP_SECONDS = 60
"""Within which accepted requests are finished. Only many that want heat maps by occlusion may take longer together:
what is left of them is cut off."""


class Server(uvicorn.Server):
    """Ends at SIGTERM and Ctrl-C: it listens no more, answers what it has taken, and returns."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        started: Callable[[], None],
        hang_up: Callable[[], None],
        ends: Callable[[], None] = lambda: None,
        tls: ssl.SSLContext | None = None,
        proxies: frozenset[str] = frozenset(),
    ) -> None:
        """started: called once it listens.
        hang_up: called soon after SIGHUP, where the system has that and the server runs without a terminal.
        ends: called once it is told to stop, before what it has taken is answered.
        tls: for a server over HTTPS.
        proxies: addresses whose word on their clients is believed.
        """
        logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every damaged form
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
        if tls is not None:
            self.config.load()
            self.config.ssl = tls
        self.server_state: State = State(proxies)
        self._started, self._hang_up, self._ends = started, hang_up, ends
        self._was_hung_up = False

    @property
    def accepted(self) -> int:
        """Requests whose heads came whole."""
        return self.server_state.accepted

    @property
    def answered(self) -> int:
        """Requests that were answered, of whatever kind."""
        return self.server_state.total_requests

    @property
    def was_interrupted(self) -> bool:
        """True after Ctrl-C."""
        return signal.SIGINT in self._captured_signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Raises OSError if another server has begun to listen on the same port meanwhile."""
        _ask_for_open_files()
        try:
            await super().startup(sockets)
            if any(each.fileno() < 0 for each in sockets or []):  # uvloop closes what cannot listen, and is silent
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        except OSError:
            await self.lifespan.shutdown()
            raise
        self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called once it is told to stop."""
        self._ends()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if self._was_hung_up:
            self._was_hung_up = False
            self._hang_up()
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Within it signals end the server; afterwards they are not raised again, as uvicorn would do."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {number: self.handle_exit for number in (signal.SIGINT, signal.SIGTERM)}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        if hasattr(signal, "SIGHUP") and not _has_terminal():
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._note_hang_up)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note_hang_up(self, number: int, frame: object) -> None:
        self._was_hung_up = True  # and no more: a handler may come between any two steps of what it would call


def _ask_for_open_files() -> None:
    """Has the system let this process open as many files as it may need, where a person may raise that."""
    try:
        import resource
    except ImportError:  # Windows knows no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _has_terminal() -> bool:
    """True if a person started the server in a terminal: closing that, which is a SIGHUP too, ends it."""
    return any(os.isatty(number) for number in (0, 1))
