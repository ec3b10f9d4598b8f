"""A server as a process of its own: signals, connections, a model that is replaced under load."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import uvicorn
from color_bundle import SHARPNESS, color_probabilities, write_color_bundle
from server_process import WAIT_SECONDS, Process

from eyespot.bundle.files import place_bundle, read_bundle
from eyespot.data.pictures import read_image
from eyespot.serve.process import Server

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals"),
]


@pytest.fixture
def start(warm_cache) -> Iterator[object]:
    """A function that starts servers, which end with the test."""
    started: list[Process] = []

    def begin(run: Path, *options: str) -> Process:
        started.append(Process(run, *options, cache=warm_cache))
        return started[-1]

    yield begin
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait()
        for pipe in (each.process.stdout, each.process.stderr):
            if pipe is not None:
                pipe.close()


def ask(connection: http.client.HTTPConnection, picture: bytes, **headers: str) -> tuple[int, dict[str, object]]:
    connection.request("POST", "/predict", body=picture, headers=headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_it_says_where_it_is_answers_and_ends_with_0_at_sigterm(bundle, start, picture):
    server = start(bundle)
    connection = server.connection()
    status, said = ask(connection, picture())
    assert (status, said["answers"][0]["predictions"][0]["class"]) == (200, "red")
    connection.close()
    assert server.end() == 0
    assert server.line("Stopped") == "Stopped     after 1 request, 1 answered"
    assert server.process.stderr.read() == ""


def test_ctrl_c_ends_it_in_a_sentence(bundle, start):
    server = start(bundle)
    assert server.end(signal.SIGINT) == 130
    assert server.process.stderr.read() == "eyespot: stopped\n"


def test_a_request_that_is_under_way_at_sigterm_is_answered_and_none_after_it(bundle, start, picture):
    server = start(bundle)
    data = picture()
    under_way = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS)
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n\r\n"
    under_way.sendall(head.encode() + data[:100])
    until_taken(server)
    server.process.send_signal(signal.SIGTERM)
    until_refused(server)
    under_way.sendall(data[100:])
    answer = read_all(under_way)
    under_way.close()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer
    assert b'"class": "red"' in answer
    assert server.process.wait(WAIT_SECONDS) == 0


def until_taken(server: Process) -> None:
    """Waits until the server has seen all that was sent before."""
    connection = server.connection()
    connection.request("GET", "/healthz")
    assert connection.getresponse().read()
    connection.close()


def until_refused(server: Process) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", server.port)).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.02)
    raise AssertionError("the server still listens")


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def test_what_is_on_a_kept_connection_when_sigterm_comes_is_answered(bundle, start, picture):
    """Clients with connections of their own ask in a row; each request that was sent whole gets its whole answer."""
    server = start(bundle)
    data, answered, broken = picture(), [], []

    def client() -> None:
        with closing(server.connection()) as connection:
            try:
                while True:
                    answered.append(ask(connection, data)[0])
            except ConnectionRefusedError:
                return
            except (http.client.HTTPException, OSError) as error:
                broken.append(error)

    clients = [threading.Thread(target=client) for _ in range(8)]
    for each in clients:
        each.start()
    while len(answered) < 50:
        time.sleep(0.01)
    assert server.end() == 0
    for each in clients:
        each.join()
    assert set(answered) == {200}
    assert server.line("Stopped") == f"Stopped     after {len(answered)} requests, {len(answered)} answered"
    assert all(isinstance(error, ConnectionResetError) for error in broken)  # a connection nobody had accepted yet


@pytest.mark.skipif(sys.platform == "win32", reason="it takes what Windows does not have")
def test_models_are_replaced_under_load_without_a_failed_or_a_wrong_answer(tmp_path, start, picture):
    run = tmp_path / "run"
    write_color_bundle(run / "bundle")
    server = start(run)
    manifest = read_bundle(run).manifest
    fingerprints, preprocess = {manifest.graph_sha256[:12]: SHARPNESS}, manifest.preprocess
    data = picture((120, 110, 100))
    failed, seen = [], []
    stop = threading.Event()

    def client() -> None:
        with closing(server.connection()) as connection:
            while not stop.is_set():
                status, said = ask(connection, data)
                if status == 200:
                    seen.append((said["fingerprint"], said["answers"][0]["predictions"][0]["probability"]))
                else:
                    failed.append(said)

    clients = [threading.Thread(target=client) for _ in range(4)]
    for each in clients:
        each.start()
    for sharpness in (2.0, 4.0, 6.0):
        draft = write_color_bundle(run / "draft", sharpness=sharpness)
        fingerprints[read_bundle(draft).manifest.graph_sha256[:12]] = sharpness
        place_bundle(draft, run / "bundle")
        server.process.send_signal(signal.SIGHUP)
        server.line("Serving     another model")
    (run / "bundle" / "manifest.json").write_text("{")
    server.process.send_signal(signal.SIGHUP)
    server.line("Refused     a new model")
    stop.set()
    for each in clients:
        each.join()
    assert failed == []
    image = read_image(data, preprocess)
    for fingerprint, probability in set(seen):
        expected = color_probabilities(image, sharpness=fingerprints[fingerprint])
        assert probability == pytest.approx(max(expected), abs=1e-6)
    assert server.end() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="it takes what Windows does not have")
@pytest.mark.parametrize("terminal", [0, 1, None])
def test_closing_the_terminal_ends_a_server_that_has_one(monkeypatch, terminal):
    monkeypatch.setattr(os, "isatty", lambda number: number == terminal)
    heard = []
    server = Server(lambda scope, receive, send: None, started=lambda: None, hang_up=lambda: heard.append("hang-up"))
    before = signal.getsignal(signal.SIGHUP)
    with server.capture_signals():
        assert (signal.getsignal(signal.SIGHUP) == before) == (terminal is not None)
        if terminal is None:
            signal.raise_signal(signal.SIGHUP)
            assert heard == []
            asyncio.run(server.on_tick(1))
            assert heard == ["hang-up"]
    assert signal.getsignal(signal.SIGHUP) == before


def test_long_work_is_ended_before_what_was_taken_is_answered(monkeypatch):
    happened = []

    async def answer_the_rest(server, sockets=None):
        happened.append("answered")

    monkeypatch.setattr(uvicorn.Server, "shutdown", answer_the_rest)
    server = Server(lambda *asked: None, started=list, hang_up=list, ends=lambda: happened.append("ended"))
    asyncio.run(server.shutdown())
    assert happened == ["ended", "answered"]


def test_a_token_opens_the_server(bundle, start, picture):
    token = "a-token-that-is-long-enough"
    server = start(bundle, "--token", token)
    connection = server.connection()
    assert ask(connection, picture())[0] == 401
    assert ask(connection, picture(), Authorization=f"Bearer {token}")[0] == 200
    connection.close()
    assert token not in "".join(server.lines.queue)


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 400_000 + b"\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
    ids=["garbage", "no host", "two hosts", "long head", "negative length", "two lengths", "no chunk"],
)
def test_requests_that_are_none_are_refused_and_the_next_is_answered(module_server, sent, picture):
    with socket.create_connection(("127.0.0.1", module_server.port), timeout=WAIT_SECONDS) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            answer = read_all(connection)
        except OSError:
            answer = b""  # closed before all was sent
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 403"))
    connection = module_server.connection()
    assert ask(connection, picture())[0] == 200
    connection.close()


@pytest.fixture(scope="module")
def module_server(bundle, warm_cache):
    server = Process(bundle, cache=warm_cache)
    yield server
    server.end()
    server.process.stdout.close()
    server.process.stderr.close()
