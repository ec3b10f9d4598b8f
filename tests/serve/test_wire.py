"""Requests that another program could read otherwise, byte by byte: refused in a sentence, and nothing after them."""

import http.client
import json
import time
from contextlib import suppress

import pytest
from wire import all_of

from eyespot.serve.heads import why_refused

pytestmark = pytest.mark.enable_socket
HOST = b"Host: localhost\r\n"
POST = b"POST /predict HTTP/1.1\r\n" + HOST
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
CHUNKS = b"\r\n\r\n1\r\nx\r\n0\r\n\r\n"
SECOND = b"GET /model HTTP/1.1\r\n" + HOST + b"\r\n"

REFUSED = {
    "another encoding before chunked": POST + b"Transfer-Encoding: gzip, chunked" + CHUNKS,
    "chunked twice in a line": POST + b"Transfer-Encoding: chunked, chunked" + CHUNKS,
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked" + CHUNKS,
    "two encodings": POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked" + CHUNKS,
    "identity": POST + b"Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nx",
    "an odd chunked": POST + b"Transfer-Encoding: xchunked" + CHUNKS,
    "chunked with a parameter": POST + b"Transfer-Encoding: chunked;q=1" + CHUNKS,
    "an empty encoding": POST + b"Transfer-Encoding: \r\nContent-Length: 1\r\n\r\nx",
    "chunked in HTTP/1.0": b"POST /predict HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked" + CHUNKS,
    "a length and chunks": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked" + CHUNKS,
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3" + CHUNKS,
    "a length twice": POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "a list of lengths": POST + b"Content-Length: 1, 1\r\n\r\nx",
    "a length with a sign": POST + b"Content-Length: +1\r\n\r\nx",
    "a negative length": POST + b"Content-Length: -1\r\n\r\nx",
    "a length in hexadecimal": POST + b"Content-Length: 0x1\r\n\r\nx",
    "a length beyond numbers": POST + b"Content-Length: 99999999999999999999999\r\n\r\nx",
    "a blank before the colon": GET + b"X : y\r\n\r\n",
    "a folded header": GET + b"X: y\r\n z\r\n\r\n",
    "a blank before the first header": b"GET /healthz HTTP/1.1\r\n " + HOST + b"\r\n",
    "lines that end too soon": GET.replace(b"\r\n", b"\n") + b"\n",
    "a lone CR": GET + b"X: y\rZ: z\r\n\r\n",
    "a NUL in a value": GET + b"X: y\0z\r\n\r\n",
    "a NUL in a name": GET + b"X\0: y\r\n\r\n",
    "a NUL in the address": b"GET /healthz\0 HTTP/1.1\r\n" + HOST + b"\r\n",
    "letters that are none in the address": b"GET /health\xff HTTP/1.1\r\n" + HOST + b"\r\n",
    "a whole URL": b"GET http://evil.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "another server's URL": b"GET http://localhost/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT evil.example:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/2": b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/2's own beginning": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.2": b"GET /healthz HTTP/1.2\r\n" + HOST + b"\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "another method": b"EVIL /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a body behind an upgrade": POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx",
    "chunks behind an upgrade": POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked" + CHUNKS,
    "a chunk without its length": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a chunk that goes on": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
    "a chunk's length in C": POST + b"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
    "a chunk's remark of a megabyte": POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 2**20 + b"\r\nx\r\n",
    "an address of a megabyte": b"GET /" + b"a" * 2**20 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
}


def answers_in(received: bytes) -> list[tuple[int, dict[str, object]]]:
    """Each answer's status and JSON."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        found.append((int(head.split()[1]), json.loads(rest[:length])))
        received = rest[length:]
    return found


def test_what_is_no_plain_request_is_refused_and_nothing_after_it_is_read(connect):
    found = {}
    for kind, sent in REFUSED.items():
        connection = connect()
        with suppress(ConnectionError):
            connection.sendall(sent + SECOND)
        answers = answers_in(all_of(connection))
        found[kind] = [status for status, _ in answers]
        assert all(list(said) == ["error"] and "\n" not in said["error"] for _, said in answers), kind
    assert found == {kind: [400] for kind in REFUSED}


def test_requests_before_it_are_answered_first(connect):
    for kind, sent in REFUSED.items():
        connection = connect()
        with suppress(ConnectionError):
            connection.sendall(GET + b"\r\n" + sent + SECOND)
        statuses = [status for status, _ in answers_in(all_of(connection))]
        assert statuses in ([200], [200, 400]), kind


def test_headers_behind_a_body_say_nothing(connect):
    """They come after the token was looked for, or before, as the network has it."""
    connection = connect()
    body = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\nHost: evil\r\nOrigin: http://evil\r\n\r\n"
    connection.sendall(POST + body)
    [(status, said)] = answers_in(all_of(connection))
    assert (status, "is not a picture" in str(said["error"])) == (415, True)


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_another_protocol_is_not_spoken_and_the_request_answered(connect, protocol):
    connection = connect()
    connection.sendall(GET + b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n" + SECOND)
    [(status, said)] = answers_in(all_of(connection))
    assert (status, said["status"]) == (200, "ok")


def test_many_who_wait_for_consent_are_as_many_connections_and_no_more(connect, picture):
    for _ in range(30):
        connect().sendall(POST + b"Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n")
    connection = connect()
    data = picture()
    connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(data) + data)
    response = http.client.HTTPResponse(connection)
    response.begin()
    assert response.status == 200


def test_a_half_line_of_an_old_protocol_is_no_request(connect, monkeypatch):
    from eyespot.serve import connections

    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    connection = connect()
    connection.sendall(b"GET /healthz\r\n")
    assert b"200" not in all_of(connection)


@pytest.mark.parametrize("target", [b"//evil.example/", b"///", b"/\\evil.example", b"/@evil.example", b"/;x", b"/%00"])
def test_odd_addresses_are_nowhere(connect, target):
    connection = connect()
    connection.sendall(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    received = all_of(connection)
    [(status, _)] = answers_in(received)
    assert status == 404
    assert b"evil" not in received


def test_a_client_that_sends_on_is_cut_off(connect, monkeypatch):
    from eyespot.serve import connections

    monkeypatch.setattr(connections, "PART_SECONDS", 0.05)
    connection = connect()
    connection.sendall(POST + b"Content-Length: 900000000\r\n\r\n")
    with pytest.raises(ConnectionError):
        send_on(connection)


def send_on(connection):
    while True:
        connection.sendall(bytes(1000))
        time.sleep(0.001)


CHUNKED, LENGTH = (b"transfer-encoding", b" Chunked"), (b"content-length", b"1")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([LENGTH, LENGTH], "more than one Content-Length or Transfer-Encoding: send one"),
        ([CHUNKED, CHUNKED], "more than one Content-Length or Transfer-Encoding: send one"),
        ([LENGTH, CHUNKED], "more than one Content-Length or Transfer-Encoding: send one"),
        ([CHUNKED], None),
        ([LENGTH], None),
    ],
)
def test_a_head_with_two_ends_is_refused_even_where_the_parser_takes_it(headers, words):
    """The parser at hand refuses them itself; an older or a later one may be more lenient."""
    said = why_refused("1.1", b"/predict", [(b"host", b"localhost"), *headers], is_upgrade=False)
    assert said is None if words is None else words in said
