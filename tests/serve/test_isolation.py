"""A picture may end its decoder, and nothing else: its sender is told, and nobody else notices."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from failing_pictures import failing_path, failing_picture
from server_process import Process

from eyespot.bundle.files import read_bundle
from eyespot.data.apart_worker import Answer
from eyespot.data.framed import Framed
from eyespot.serve import classification, decoding_child, pictures
from eyespot.serve.batching import MOST_SLOW, Batching
from eyespot.serve.classification import ServedClassifier

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
    hanging = [threading.Thread(target=lambda: told.append(ask(server, failing_picture("wait")))) for _ in range(6)]
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


def test_a_worker_that_waits_for_a_slow_decoder_is_relieved_and_ends_with_what_it_is_at(
    bundle, shared_cache, monkeypatch
):
    began, go_on, told = threading.Event(), threading.Event(), []

    def decoded(data: bytes, preprocess: object) -> Framed:
        if data == b"slow":
            told.append(threading.get_ident())
            began.set()
            go_on.wait(60)
        return Framed(np.zeros((32, 32, 3), np.uint8), (32, 32), (32, 32))

    monkeypatch.setattr(classification, "read_sent", decoded)
    served = ServedClassifier.of(read_bundle(bundle))
    batching = Batching(workers=1, places=9)

    async def ask() -> None:
        slow = [asyncio.create_task(batching.answers([b"slow"], served, client="one")) for _ in range(MOST_SLOW + 1)]
        for number in range(MOST_SLOW):
            await asyncio.to_thread(began.wait, 60)
            began.clear()
            batching.relieve(told[number])
            batching.relieve(0)  # a thread of somebody else
        await batching.answers([b"quick"], served, client="two")
        assert len(told) == MOST_SLOW, "the fifth waits"
        go_on.set()
        await asyncio.gather(*slow)

    asyncio.run(ask())
    assert len(told) == MOST_SLOW + 1
    assert (len(batching._threads), batching._slow) == (1, Counter())
    batching.stop()


@pytest.mark.parametrize("read", [pictures.read_sent, pictures.frame_sent])
@pytest.mark.parametrize(("format", "end"), [("GIF", None), ("PNG", 200)], ids=["whole", "cut off"])
def test_what_a_process_answers_is_what_would_be_made_of_the_picture_here(bundle, picture, read, format, end):
    preprocess = read_bundle(bundle).manifest.preprocess
    data = picture(size_wh=(90, 70), format=format)[:end]
    said, content = decoding_child._job(read)({"preprocess": preprocess.model_dump_json()}, data)
    file = io.BytesIO(b"".join(content.pieces))
    answer = Answer(json.loads(json.dumps(said)), content.size, lambda count: bytearray(file.read(count)))
    found = pictures._framed(preprocess, answer)
    assert answer.left == 0
    if end is None:
        here = read(data, preprocess)
        assert np.array_equal(found.image, here.image)
        assert (found.picture_hw, found.shown_hw) == (here.picture_hw, here.shown_hw)
    else:
        assert (found.status, str(found)) == (400, "the picture is cut off: the file ends too early")
