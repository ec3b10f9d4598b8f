"""Connections of clients that are slow, or too many: closed, while others are answered."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from unittest.mock import Mock

import pytest

from eyespot.serve import bodies, connections
from eyespot.serve.app import make_app
from eyespot.serve.process import Server
from eyespot.serve.run import listening

pytestmark = pytest.mark.enable_socket
WAIT_SECONDS = 60
HEAD = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def server(service) -> Server:
    """A server that does not run yet."""
    return Server(make_app(service), started=lambda: None, hang_up=lambda: None)


@pytest.fixture
def connect(server, monkeypatch) -> Iterator[Callable[[], socket.socket]]:
    """A function that opens connections to the server, which runs in this process."""
    sockets = listening("127.0.0.1", 0, token=None)
    sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # little is enough for a client to be slow
    port, started = sockets[0].getsockname()[1], threading.Event()
    monkeypatch.setattr(server, "_started", started.set)
    thread = threading.Thread(target=server.run, args=(sockets,))
    thread.start()
    assert started.wait(WAIT_SECONDS)
    with ExitStack() as opened:
        yield lambda: opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS))
    server.should_exit = True
    thread.join()
    for each in sockets:
        each.close()


def all_of(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionError:
        pass
    return received


def is_answered(connection: socket.socket, picture: bytes) -> bool:
    connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(picture) + picture)
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status == 200


@pytest.mark.parametrize("sent", [b"", b"POST /pre", HEAD], ids=["nothing", "half a line", "half a head"])
def test_a_head_that_does_not_come_is_waited_for_no_longer_than_may_be(connect, monkeypatch, sent):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    slow = connect()
    slow.sendall(sent)
    assert all_of(slow) == b""


def test_a_second_head_on_a_kept_connection_is_waited_for_no_longer(connect, monkeypatch, picture):
    connection = connect()
    assert is_answered(connection, picture())
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    connection.sendall(b"GET /heal")
    assert all_of(connection) == b""


def test_a_body_that_does_not_come_is_answered_408_and_closed(connect, monkeypatch):
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    slow = connect()
    slow.sendall(HEAD + b"Content-Length: 1000\r\n\r\nabc")
    answer = all_of(slow)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the request did not come within" in answer


def test_a_body_that_nobody_reads_is_closed_after_a_while(connect, monkeypatch):
    monkeypatch.setattr(connections, "MESSAGE_SECONDS", 0.05)
    slow = connect()
    slow.sendall(HEAD + b"Content-Length: 900000000\r\n\r\nabc")
    assert all_of(slow).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("happens", ["pause_writing", "shutdown"])
def test_a_client_that_does_not_take_its_answers_is_closed(server, monkeypatch, happens):
    """While the server goes on, much must wait for it; at the end a little is enough."""
    monkeypatch.setattr(connections, "TAKE_SECONDS", 0.01)
    transport = Mock(**{"get_write_buffer_size.return_value": 5, "get_extra_info.return_value": None})

    async def happen() -> None:
        aborted = asyncio.Event()
        transport.abort.side_effect = aborted.set
        connection = connections.LimitedConnection(server.config, server.server_state, {})
        connection.connection_made(transport)
        getattr(connection, happens)()
        await asyncio.wait_for(aborted.wait(), WAIT_SECONDS)
        connection.connection_lost(None)

    asyncio.run(happen())


def test_a_client_that_goes_without_its_answers_is_no_mistake_of_ours(connect, picture, capfd):
    gone = connect()
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    gone.sendall(b"GET /page/answers.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 300)
    connection = connect()
    assert all(is_answered(connection, picture()) for _ in range(50))
    gone.close()
    assert all(is_answered(connection, picture()) for _ in range(3))
    assert capfd.readouterr().err == ""


def test_a_request_that_was_accepted_and_not_answered_is_told_from_the_others(connect, server):
    gone = connect()
    gone.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
    assert gone.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    gone.close()
    connection = connect()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert all_of(connection).startswith(b"HTTP/1.1 200 OK")
    assert (server.accepted, server.answered) == (2, 1)


def test_connections_beyond_the_limit_are_closed_and_those_before_are_answered(connect, monkeypatch, picture):
    first = connect()
    assert is_answered(first, picture())
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 1)
    assert all_of(connect()) == b""
    assert is_answered(first, picture())


def test_requests_in_a_row_without_waiting_are_answered_in_order(connect, picture):
    connection = connect()
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection.sendall(request * 3 + b"GET /model HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answers = all_of(connection)
    assert answers.count(b"HTTP/1.1 200 OK") == 4
    assert answers.rindex(b'"status": "ok"') < answers.index(b'"classes"')


def test_many_requests_in_a_row_are_no_long_head(connect):
    connection = connect()
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 10_000 + b"\r\n\r\n"
    closing = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    sender = threading.Thread(target=connection.sendall, args=(request * 40 + closing,))
    sender.start()
    assert all_of(connection).count(b"HTTP/1.1 200 OK") == 41
    sender.join()


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"x" * 70_000,
        HEAD + b"X: x\r\n" * 20_000,
        HEAD + b"X: " + b"x" * 1_000_000,
        CHUNKED + b"X: x\r\n" * 20_000,
        CHUNKED + b"X: " + b"x" * 1_000_000,
    ],
    ids=["first line", "headers", "header", "headers behind the body", "header behind the body"],
)
def test_a_head_that_is_too_long_is_refused_wherever_it_stands(connect, sent):
    connection = connect()
    with suppress(ConnectionError):  # closed before all was sent
        connection.sendall(sent)
    answer = all_of(connection)
    assert answer == b"" or b"head is too long" in answer


def test_a_client_that_waits_for_the_servers_consent_gets_it(connect, picture):
    connection, data = connect(), picture()
    connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(data))
    assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(data)
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_is_too_large_gets_no_consent(connect):
    connection = connect()
    connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 900000000\r\n\r\n")
    assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
