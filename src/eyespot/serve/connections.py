"""HTTP/1.1 connections with limits that uvicorn leaves to a proxy: on their number, on heads, and on slow clients."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from collections import deque
from typing import Any, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from eyespot.serve.bodies import BODY_SECONDS

MOST_CONNECTIONS = 1000
MOST_HEAD_BYTES = 2**16
"""Of a request's first line and headers, and of those after its body."""
HEAD_SECONDS = 10.0
"""From the connection, or from its next request's first byte, to the end of the head."""
MESSAGE_SECONDS = BODY_SECONDS + 5
"""For the rest. The application gives up first, and says so."""
TAKE_SECONDS = 30.0
"""For a client to take what waits to be sent to it."""
LINGER_SECONDS = 0.25
"""Once the server is told to stop, a silent connection is kept this long: what is under way to it is still answered."""
TOO_LONG = "The request's head is too long."

Stage = Literal["head", "body", "whole"]


class State(ServerState):
    """What the connections of a server share."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted = 0
        """Requests whose heads came whole. Each is to be answered, whatever ends the server."""


class LimitedConnection(HttpToolsProtocol):
    """One client's connection."""

    server_state: State

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._stage: Stage = "head"
        self._timed: Stage = "whole"
        self._timer: TimerHandle | None = None
        self._taking: TimerHandle | None = None
        self._head_bytes = 0
        self._unfinished_bytes = 0
        self._is_last = False
        self._unanswered: deque[RequestResponseCycle] = deque()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._set_timer()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._unfinished_bytes += len(data)  # what is found in it sets this to zero
        super().data_received(data)
        if self._is_too_long() and not self.transport.is_closing():
            self.send_400_response(TOO_LONG)
        if self._stage != self._timed:
            self._set_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stage = "whole"
        self._set_timer()
        self._set_taking(timed=False)
        for each in self._unanswered:  # uvicorn tells only the newest
            each.disconnected = True
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        super().send_400_response(TOO_LONG if self._is_too_long() else msg)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._stage, self._head_bytes, self._unfinished_bytes = "head", 0, 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count_head(len(name) + len(value) + len(": \r\n"))

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._stage = "body"
        self._unanswered.append(self.cycle)
        self.server_state.accepted += 1
        if self._is_last:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._unfinished_bytes = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stage, self._unfinished_bytes = "whole", 0

    def on_response_complete(self) -> None:
        self._unanswered.popleft()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Called when much waits to be sent."""
        super().pause_writing()
        self._set_taking(timed=True)

    def resume_writing(self) -> None:
        """Called when the client has taken most of it."""
        super().resume_writing()
        self._set_taking(timed=self._is_last)

    def shutdown(self) -> None:
        """Called when the server is to stop: the answer under way, or to come in a moment, is the last one."""
        if self._is_last:
            super().shutdown()
            return
        self._is_last = True
        if self._taking is None:
            self._set_taking(timed=True)
        if self._is_silent():
            self.loop.call_later(LINGER_SECONDS, self._close_if_silent)
        else:
            self.cycle.keep_alive = False

    def _count_head(self, count: int) -> None:
        """Raises ValueError if the head becomes too long: the parser stops, and the client is told."""
        self._head_bytes, self._unfinished_bytes = self._head_bytes + count, 0
        if self._is_too_long():
            raise ValueError

    def _is_too_long(self) -> bool:
        return self._head_bytes + self._unfinished_bytes > MOST_HEAD_BYTES

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

    def _set_taking(self, *, timed: bool) -> None:
        """Waits for the client to take its answers, or does not any more."""
        if self._taking is not None:
            self._taking.cancel()
        self._taking = self.loop.call_later(TAKE_SECONDS, self._abort_if_not_taken) if timed else None

    def _abort_if_not_taken(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()
