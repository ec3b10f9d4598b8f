"""Connections of clients that are slow, or too many: closed, while others are answered."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from contextlib import suppress
from unittest.mock import Mock

import pytest
from wire import WAIT_SECONDS, all_of

from eyespot import machine
from eyespot.serve import bodies, connections, crowd
from eyespot.serve.batching import MORE_WORKERS

pytestmark = pytest.mark.enable_socket
HEAD = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"


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


def test_where_there_is_no_room_the_connection_that_has_waited_longest_makes_some(connect, monkeypatch, picture):
    monkeypatch.setattr(crowd, "MOST_CONNECTIONS", 2)
    slow, idle = connect(), connect()
    slow.sendall(b"POST /pre")
    assert is_answered(idle, picture())
    assert is_answered(connect(), picture())
    assert all_of(slow) == b""
    assert is_answered(idle, picture())


def test_slow_connections_of_one_address_leave_room_for_others_also_without_the_token(connect, monkeypatch, picture):
    monkeypatch.setattr(crowd, "MOST_CONNECTIONS", 20)
    head = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer wrong\r\nContent-Length: 9\r\n\r\n"
    for sent in (b"GET /", head + b"x") * 20:
        with suppress(ConnectionError):
            connect("127.0.0.2").sendall(sent)
    assert all(is_answered(connect(), picture(seed=seed)) for seed in range(5))


def test_a_request_that_has_come_keeps_its_place(connect, monkeypatch, picture, service):
    monkeypatch.setattr(crowd, "MOST_CONNECTIONS", 1)
    go_on, read = threading.Event(), service.served.read
    monkeypatch.setattr(type(service.served), "read", lambda self, data: go_on.wait(WAIT_SECONDS) and read(data))
    first = connect()
    data = picture()
    first.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(data) + data)
    while not service.batching.taken:
        pass
    assert all_of(connect()) == b""
    go_on.set()
    assert first.recv(65536).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"Content-Length: 900000000\r\n\r\nabc", 413),
        (HEAD.replace(b"127.0.0.1", b"evil.example") + b"Content-Length: 1000\r\n\r\nabc", 403),
        (HEAD + b"Content-Length: 0\r\n\r\n", 400),
        (HEAD + b"Origin: http://evil.example\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\nx", 403),
        (b"POST /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nabc", 404),
    ],
)
def test_a_refused_request_ends_its_connection_and_the_answer_arrives(connect, sent, status):
    """Also where much comes behind it, which nobody reads: a closed socket with bytes in it would be reset."""
    for rest in (b"", bytes(3_000_000)):
        connection = connect()
        with suppress(ConnectionError):
            connection.sendall(sent + rest)
        head, _, body = all_of(connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert head.lower().count(b"\r\nconnection: close") == 1
        assert list(json.loads(body)) == ["error"]


def test_the_pictures_of_a_client_that_goes_are_forgotten(connect, monkeypatch, picture, service):
    go_on, read, decoded = threading.Event(), service.served.read, []
    monkeypatch.setattr(
        type(service.served),
        "read",
        lambda self, data: decoded.append(data) or (go_on.wait(WAIT_SECONDS) and read(data)),
    )
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\n\r\n' + picture(seed=seed) + b"\r\n"
        for seed in range(30)
    ]
    body = b"".join(parts) + b"--b--\r\n"
    gone = connect()
    kind = b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n" % len(body)
    gone.sendall(HEAD + kind + body)
    workers = machine.cores() + MORE_WORKERS
    while len(decoded) < workers:
        time.sleep(0.01)
    gone.close()
    while service.batching.taken > workers:
        time.sleep(0.01)
    go_on.set()
    assert is_answered(connect(), picture())
    assert len(decoded) == workers + 1
    assert service.intake.held == 0


def test_more_requests_in_a_row_than_anybody_sends_are_not_all_taken(connect):
    connection = connect()
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3000)
    answers = all_of(connection)
    assert answers.count(b"HTTP/1.1 200 OK") == connections.MOST_PIPELINED


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


def test_a_broken_body_whose_sender_waits_for_consent_is_refused_and_no_mistake_of_ours(connect, picture, capfd):
    broken = connect()
    broken.sendall(HEAD + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n")
    assert all_of(broken).count(b"HTTP/1.1 ") == 1
    assert is_answered(connect(), picture())
    assert capfd.readouterr().err == ""
