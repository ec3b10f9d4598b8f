"""HTTP/1.1 connections with limits that uvicorn leaves to a proxy: on their number, on heads, and on slow clients.

A connection whose request is refused ends with the answer: what the client still sends is not read as a request.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from collections import deque
from typing import Any, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from eyespot.serve.bodies import BODY_SECONDS
from eyespot.serve.clients import KEY, Client, forwarded_for, is_here, place_of
from eyespot.serve.crowd import Crowd
from eyespot.serve.heads import refusal, why_refused

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
PART_SECONDS = 1.0
"""After an answer that ends the connection: what a client is still sending is taken and dropped, so that the answer
reaches it."""
MOST_PIPELINED = 100
"""Requests that a client may send before the first of them is answered."""
TOO_LONG = "the request's head is too long: 64 KB are read"
NO_HTTP = "the request is no HTTP/1.1"

Stage = Literal["head", "body", "whole"]


class State(ServerState):
    """What the connections of a server share."""

    def __init__(self, proxies: frozenset[str] = frozenset()) -> None:
        """proxies: whose word on their clients is believed."""
        super().__init__()
        self.crowd = Crowd(proxies)
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
        self._is_last = self._is_parting = self._is_deaf = False
        self._refused: str | None = None
        self._place = ""
        self._is_in_crowd = self._is_waiting = self._has_begun = False
        self._client = Client()
        self._unanswered: deque[tuple[RequestResponseCycle, Client]] = deque()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._place = place_of(self.client[0] if self.client else "", self.server[0] if self.server else "")
        self._is_in_crowd = self._is_waiting = True
        if self.server_state.crowd.enter(self, self._place):
            self._set_timer()
        else:
            self.make_room()

    @property
    def is_ending(self) -> bool:
        """Whether nothing may be written any more."""
        return self._is_parting or self.transport.is_closing()

    def make_room(self) -> None:
        """Called where another connection needs the place of this one."""
        self._leave_crowd()
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._is_deaf or self.is_ending:
            return
        self._unfinished_bytes += len(data)  # what is found in it sets this to zero
        super().data_received(data)
        if self._is_too_long() and not self.transport.is_closing():
            self.send_400_response(TOO_LONG)
        if self._stage != self._timed:
            self._set_timer()
        self._note_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stage = "whole"
        self._set_timer()
        self._set_taking(timed=False)
        self.pipeline.clear()
        for cycle, client in self._unanswered:  # uvicorn tells only the newest
            cycle.disconnected = True
            client.leave()
        self._leave_crowd()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no request, once those before it are answered, and ends the connection."""
        if self._is_parting:
            return
        broken = self._unanswered.pop()[0] if self._stage == "body" and self._unanswered else None
        if broken is not None:
            self._client.leave()
            broken.disconnected = True
        if self._unanswered:
            self.pipeline = deque(each for each in self.pipeline if each[0] is not broken)
            self._unanswered[-1][0].keep_alive = False
            self._stage, self._is_deaf = "whole", True
        elif broken is not None and broken.response_started:
            self.transport.abort()
        else:
            sentence = TOO_LONG if self._is_too_long() else self._refused or NO_HTTP
            self.transport.write(refusal(sentence, self.server_state.default_headers))
            self.part()

    def part(self) -> None:
        """Ends the connection: what was written still reaches the client, and what it sends is dropped."""
        if self.is_ending:
            return
        is_all = self._stage == "whole" and not self.pipeline and not self._is_deaf
        self._is_parting, self._stage = True, "whole"
        self._set_timer()
        if is_all:
            self.transport.close()
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._timer = self.loop.call_later(PART_SECONDS, self.transport.close)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._stage, self._head_bytes, self._unfinished_bytes = "head", 0, 0
        self._has_begun = True

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._stage == "head":  # one behind the body is none that anybody has checked
            super().on_header(name, value)
        self._count_head(len(name) + len(value) + len(": \r\n"))

    def on_headers_complete(self) -> None:
        """Raises ValueError for a head that is refused: the parser stops, and the client is told."""
        self._refused = why_refused(
            self.parser.get_http_version(), self.url, self.headers, is_upgrade=self.parser.should_upgrade()
        )
        if self._refused is None and len(self._unanswered) == MOST_PIPELINED:
            self._refused = f"more than {MOST_PIPELINED} requests were sent before one was answered"
        if self._refused is not None:
            raise ValueError
        self._client = self.scope[KEY] = Client(self._client_name(), is_whole=False)  # type: ignore[literal-required]
        super().on_headers_complete()
        self.cycle.transport = _Parting(self)  # type: ignore[assignment]
        self._stage = "body"
        self._unanswered.append((self.cycle, self._client))
        self.server_state.accepted += 1
        self._is_deaf = self.parser.should_upgrade()  # the parser reads on as if that were granted
        if self._is_last or self._is_deaf:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._unfinished_bytes = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stage, self._unfinished_bytes = "whole", 0
        self._client.is_whole = True

    def on_response_complete(self) -> None:
        self._unanswered.popleft()
        if self._is_parting:
            self.server_state.total_requests += 1
        else:
            super().on_response_complete()
        self._note_waiting()

    def pause_writing(self) -> None:
        """Called when much waits to be sent."""
        super().pause_writing()
        self._set_taking(timed=True)
        self._note_waiting()

    def resume_writing(self) -> None:
        """Called when the client has taken most of it."""
        super().resume_writing()
        self._set_taking(timed=self._is_last)
        self._note_waiting()

    def shutdown(self) -> None:
        """Called when the server is to stop: the answer under way, or to come in a moment, is the last one."""
        self._is_last = True
        if self._taking is None:
            self._set_taking(timed=True)
        if self._is_silent():
            self.loop.call_later(LINGER_SECONDS, self._close_if_silent)
        else:
            self.cycle.keep_alive = False

    def _client_name(self) -> str:
        """Under which a request takes turns: on this computer a connection is a client, and a proxy names its own."""
        proxies = self.server_state.crowd.proxies
        name = forwarded_for(self.headers, proxies) if self._place in proxies else None
        if name is not None:
            return name
        return f"{self._place}:{self.client[1]}" if self.client and is_here(self._place) else self._place

    def _note_waiting(self) -> None:
        """Tells the crowd whether the connection waits for its client, and since when."""
        is_waiting = self._stage != "whole" or not self._unanswered or self.flow.write_paused
        if self._is_in_crowd and (is_waiting != self._is_waiting or self._has_begun):
            crowd = self.server_state.crowd
            (crowd.waits if is_waiting else crowd.works)(self, self._place)
        self._is_waiting, self._has_begun = is_waiting, False

    def _leave_crowd(self) -> None:
        if self._is_in_crowd:
            self._is_in_crowd = False
            self.server_state.crowd.leave(self, self._place)

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


class _Parting:
    """The transport as the answer to a request sees it, which closes it in a way that the answer survives."""

    def __init__(self, connection: LimitedConnection) -> None:
        self._connection, self.write = connection, connection.transport.write

    def is_closing(self) -> bool:
        return self._connection.is_ending

    def close(self) -> None:
        self._connection.part()
