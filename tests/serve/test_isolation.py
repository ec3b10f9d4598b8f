"""A picture may end its decoder, and nothing else: its sender is told, and nobody else notices."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator

import pytest
from failing_pictures import failing_path, failing_picture
from server_process import Process

from eyespot.serve.batching import Batching

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def server(bundle, warm_cache) -> Iterator[Process]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", failing_path())
        process = Process(bundle, "--decode-seconds", "6", cache=warm_cache)
    yield process
    assert process.end() == 0
    for pipe in (process.process.stdout, process.process.stderr):
        assert pipe is not None
        pipe.close()


def ask(server: Process, data: bytes) -> tuple[int, dict]:
    connection = server.connection()
    connection.request("POST", "/predict", data)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("abort", "the picture cannot be decoded: it ended its decoder"),
        pytest.param(
            "allocate",
            "the picture does not fit into this machine's memory",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to its addresses"),
        ),
    ],
)
def test_its_sender_is_told_and_the_next_picture_is_answered(server, picture, kind, reason):
    for _ in range(3):
        status, answer = ask(server, failing_picture(kind))
        assert (status, answer["error"]) in [(400, reason), (400, "the picture takes more than 6 s to decode")]
        assert ask(server, picture())[0] == 200


def test_while_pictures_hang_others_are_answered(server, picture):
    told: list[tuple[int, dict]] = []
    hanging = [threading.Thread(target=lambda: told.append(ask(server, failing_picture("loop")))) for _ in range(6)]
    for thread in hanging:
        thread.start()
    answered = [ask(server, picture(seed=seed))[0] for seed in range(3)]
    assert answered == [200] * 3
    assert not told, "others waited until the pictures that hang were given up"
    for thread in hanging:
        thread.join()
    assert [(status, answer["error"]) for status, answer in told] == [
        (400, "the picture takes more than 6 s to decode")
    ] * 6
    assert ask(server, picture())[0] == 200


def test_a_worker_that_waits_for_a_slow_decoder_is_relieved_and_ends_with_what_it_is_at():
    batching = Batching(workers=2, places=3)
    first, second = batching._threads
    batching.relieve(first)
    batching.relieve(first)
    batching.relieve(0)  # a thread of somebody else
    assert len(batching._threads) == 2
    assert second in batching._threads
    assert list(batching._relieved) == [first]
    batching.stop()
