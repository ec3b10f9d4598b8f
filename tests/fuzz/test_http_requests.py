"""A slice of `benchmarks/fuzz_requests.py`: damaged requests over sockets, and right answers between them."""

import http.client
import io
import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
from color_bundle import color_probabilities, write_color_bundle
from fuzz.answers import answers_in, fault_of
from fuzz.http_requests import request
from PIL import Image
from server_process import Process

pytestmark = pytest.mark.enable_socket
COUNT = 600
SILENT_SECONDS = 0.02
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")


def picture(format: str) -> bytes:
    pixels = np.random.default_rng(0).normal((200, 60, 40), 30, (32, 32, 3)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format)
    return file.getvalue()


@pytest.fixture(scope="module")
def server(tmp_path_factory, warm_cache) -> Iterator[Process]:
    started = Process(write_color_bundle(tmp_path_factory.mktemp("fuzz") / "bundle"), cache=warm_cache)
    yield started
    if started.process.poll() is None:
        started.end()
    for pipe in (started.process.stdout, started.process.stderr):
        pipe.close()


def received(port: int, sent: bytes) -> bytes:
    """What comes back until the connection is closed, or nothing comes any more."""
    found = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(sent)
        connection.settimeout(SILENT_SECONDS)
        while chunk := connection.recv(65536):
            found += chunk
    return found


def test_damaged_requests_get_sentences_and_others_their_right_answers(server):
    pictures = [picture(format) for format in FORMATS]
    valid = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    pixels = np.asarray(Image.open(io.BytesIO(pictures[1])))
    expected = color_probabilities(pixels)
    statuses, faults = Counter(), []
    for number in range(COUNT):
        sent = request(number, pictures)
        try:
            for said in answers_in(received(server.port, sent), heads_only=b"HEAD" in sent):
                statuses[said.status] += 1
                faults += [(number, fault)] if (fault := fault_of(said)) else []
        except ValueError as error:
            faults.append((number, str(error)))
        if number % 20 == 0:
            valid.request("POST", "/predict", body=pictures[1])
            answer = json.loads(valid.getresponse().read())["answers"][0]["predictions"]
            found = [{each["class"]: each["probability"] for each in answer}[name] for name in ("red", "green", "blue")]
            np.testing.assert_allclose(found, expected, atol=1e-4)
    valid.close()
    assert faults == []
    assert {200, 400, 403, 404, 405, 415} <= statuses.keys()
    assert server.end() == 0
    assert server.process.stderr.read() == ""
