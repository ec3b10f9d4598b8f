"""Connections of clients that are slow, or too many: closed, while others are answered."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from eyespot.serve import bodies, connections
from eyespot.serve.app import make_app
from eyespot.serve.process import Server
from eyespot.serve.run import listening

pytestmark = pytest.mark.enable_socket
WAIT_SECONDS = 60
HEAD = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def connect(service) -> Iterator[Callable[[], socket.socket]]:
    """A function that opens connections to a server in this process."""
    sockets = listening("127.0.0.1", 0, token=None)
    port, started = sockets[0].getsockname()[1], threading.Event()
    server = Server(make_app(service), started=started.set, hang_up=lambda: None)
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
