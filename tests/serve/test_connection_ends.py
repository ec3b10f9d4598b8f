"""How a connection ends, step by step: its transport writes down what is done to it, its application answers when told.

What a network does to it in whichever order is in `test_connections.py`.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from wire import WAIT_SECONDS, all_of

from eyespot.serve import connections
from eyespot.serve.clients import client_of
from eyespot.serve.connections import LimitedConnection
from eyespot.serve.process import Server

HEAD = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}


class Talk:
    """A connection of the running loop."""

    def __init__(self, *, peer: str = "127.0.0.1", proxies: tuple[str, ...] = ()) -> None:
        self.clients: list[str] = []
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        server = Server(self, started=list, hang_up=list, proxies=frozenset(proxies))
        self.transport = Mock(**{"get_write_buffer_size.return_value": 0, "is_closing.return_value": False})
        self.transport.get_extra_info.side_effect = lambda name: (peer, 50_000) if name == "peername" else None
        self.transport.close.side_effect = lambda: self.transport.is_closing.configure_mock(return_value=True)
        self.connection = LimitedConnection(server.config, server.server_state, {})
        self.connection.connection_made(self.transport)

    @property
    def written(self) -> bytes:
        return b"".join(call.args[0] for call in self.transport.write.call_args_list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Says `hello`, the first letter at once and the others when told."""
        self.clients.append(client_of(scope).name)
        await send(START)
        await send({"type": "http.response.body", "body": b"h", "more_body": True})
        self.begun.set()
        await self.go_on.wait()
        await send({"type": "http.response.body", "body": b"ello"})


def run(happen: Callable[[], Any]) -> None:
    """Runs it in a loop of its own, for no longer than may be."""
    asyncio.run(asyncio.wait_for(happen(), WAIT_SECONDS))


async def until(is_so: Callable[[], Any]) -> None:
    while not is_so():
        await asyncio.sleep(0)


def test_a_body_that_breaks_once_its_answer_has_begun_gets_no_second_answer_within_the_first():
    async def happen() -> None:
        talk = Talk()
        talk.connection.data_received(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        await talk.begun.wait()
        talk.connection.data_received(b"no chunk\r\n")
        talk.go_on.set()
        await until(lambda: not talk.connection.tasks)
        assert talk.written.endswith(b"\r\n\r\nh")
        talk.transport.abort.assert_called_once_with()
        talk.connection.connection_lost(None)

    run(happen)


def test_an_answer_that_ends_after_its_connection_does_not_end_that_again(monkeypatch):
    async def happen() -> None:
        talk = Talk()
        monkeypatch.setattr(connections, "MESSAGE_SECONDS", 0)
        talk.connection.data_received(HEAD + b"Connection: close\r\nContent-Length: 1000\r\n\r\nx")
        await until(lambda: talk.transport.close.called)
        await talk.begun.wait()
        talk.go_on.set()
        await until(lambda: not talk.connection.tasks)
        assert talk.transport.close.call_count == 1
        talk.transport.write_eof.assert_not_called()
        assert talk.connection.server_state.total_requests == 1
        talk.connection.connection_lost(None)

    run(happen)


def test_a_refusal_over_https_where_no_half_can_be_closed_ends_the_connection_a_little_later(monkeypatch):
    async def happen() -> None:
        talk = Talk()
        talk.transport.can_write_eof.return_value = False
        monkeypatch.setattr(connections, "PART_SECONDS", 0)
        talk.connection.data_received(b"GARBAGE\r\n\r\n")
        assert talk.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        talk.transport.close.assert_not_called()
        talk.transport.write_eof.assert_not_called()
        await until(lambda: talk.transport.close.called)
        talk.connection.connection_lost(None)

    run(happen)


def test_a_request_that_comes_while_the_server_stops_is_answered_as_the_last_one(monkeypatch):
    async def happen() -> None:
        talk = Talk()
        monkeypatch.setattr(connections, "LINGER_SECONDS", 0)
        talk.connection.shutdown()
        talk.connection.data_received(GET + b"\r\n")
        await talk.begun.wait()
        await asyncio.sleep(0.01)  # the moment in which a silent one would have been closed
        talk.transport.close.assert_not_called()
        talk.go_on.set()
        await until(lambda: talk.transport.close.called)
        assert b"\r\nconnection: close\r\n" in talk.written
        assert talk.written.endswith(b"\r\n\r\nhello")
        talk.connection.connection_lost(None)

    run(happen)


def test_who_is_slow_already_when_the_server_stops_is_not_waited_for_anew(monkeypatch):
    async def happen() -> None:
        talk = Talk()
        talk.transport.get_write_buffer_size.return_value = 5
        monkeypatch.setattr(connections, "TAKE_SECONDS", 0)
        talk.connection.pause_writing()
        monkeypatch.setattr(connections, "TAKE_SECONDS", 1000)
        talk.connection.shutdown()
        await until(lambda: talk.transport.abort.called)
        talk.connection.connection_lost(None)

    run(happen)


def test_who_has_taken_all_in_the_last_moment_is_not_cut_off(monkeypatch):
    async def happen() -> None:
        talk = Talk()
        monkeypatch.setattr(connections, "TAKE_SECONDS", 0)
        talk.connection.shutdown()
        await until(lambda: talk.transport.get_write_buffer_size.called)
        talk.transport.abort.assert_not_called()
        talk.connection.connection_lost(None)

    run(happen)


@pytest.mark.parametrize(
    ("peer", "said", "name"),
    [
        ("10.0.0.5", b"X-Forwarded-For: 192.0.2.9\r\n", "192.0.2.9"),
        ("10.0.0.5", b"", "10.0.0.5"),
        ("10.0.0.6", b"X-Forwarded-For: 192.0.2.9\r\n", "10.0.0.6"),
        ("127.0.0.1", b"", "127.0.0.1:50000"),
    ],
    ids=["a proxy", "a proxy that names nobody", "no proxy of ours", "this computer"],
)
def test_a_proxy_names_who_takes_turns_and_nobody_else_does(peer, said, name):
    async def happen() -> None:
        talk = Talk(peer=peer, proxies=("10.0.0.5",))
        talk.connection.data_received(GET + said + b"\r\n")
        await talk.begun.wait()
        assert talk.clients == [name]
        talk.go_on.set()
        await until(lambda: not talk.connection.tasks)
        talk.connection.connection_lost(None)

    run(happen)


@pytest.mark.enable_socket
def test_a_client_that_takes_its_answers_late_gets_them_all(connect, monkeypatch):
    paused, pause = threading.Event(), LimitedConnection.pause_writing

    def noted(connection: LimitedConnection) -> None:
        pause(connection)
        paused.set()

    monkeypatch.setattr(LimitedConnection, "pause_writing", noted)
    slow = connect()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asked = b"GET /page/main.js HTTP/1.1\r\nHost: localhost\r\n"
    slow.sendall((asked + b"\r\n") * 89 + asked + b"Connection: close\r\n\r\n")
    assert paused.wait(WAIT_SECONDS), "all of it went through at once"
    answers = all_of(slow)
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 90
    length = int(answers.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    assert answers.count(answers[-length:]) == 90
