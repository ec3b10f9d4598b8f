"""HTTP/1.1 connections with limits that uvicorn leaves to a proxy: on their number, on heads, and on slow clients."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from typing import Any, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from eyespot.serve.bodies import BODY_SECONDS

MOST_CONNECTIONS = 1000
MOST_HEAD_BYTES = 2**16
HEAD_SECONDS = 10.0
"""From the connection, or from its next request's first byte, to the end of the head."""
MESSAGE_SECONDS = BODY_SECONDS + 5
"""For the rest. The application gives up first, and says so."""
LINGER_SECONDS = 0.25
"""Once the server is told to stop, a silent connection is kept so long: what is under way to it is still answered."""

Stage = Literal["head", "body", "whole"]


class LimitedConnection(HttpToolsProtocol):
    """One client's connection."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._stage: Stage = "head"
        self._timed: Stage = "whole"
        self._timer: TimerHandle | None = None
        self._head_bytes = 0
        self._is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._set_timer()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._stage == "head":
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The request's head is too long.")
        if self._stage != self._timed:
            self._set_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stage = "whole"
        self._set_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._stage, self._head_bytes = "head", 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._stage = "body"
        if self._is_last:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stage = "whole"

    def shutdown(self) -> None:
        """Called when the server is to stop: the answer under way, or to come in a moment, is the last one."""
        if self._is_last:
            super().shutdown()
            return
        self._is_last = True
        if self._is_silent():
            self.loop.call_later(LINGER_SECONDS, self._close_if_silent)
        else:
            self.cycle.keep_alive = False

    def _is_silent(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_if_silent(self) -> None:
        if self._is_silent():
            self.transport.close()

    def _set_timer(self) -> None:
        """Waits for the end of the stage, and no longer than may be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timed = self._stage
        if self._stage != "whole":
            seconds = HEAD_SECONDS if self._stage == "head" else MESSAGE_SECONDS
            self._timer = self.loop.call_later(seconds, self.transport.close)
