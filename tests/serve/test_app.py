"""What stands around every answer: mistakes after its beginning, clients that go, explanations that cannot be had."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient

from eyespot.errors import UnreadablePicture
from eyespot.serve.app import Doorman, make_app
from eyespot.serve.asked_pictures import Asked
from eyespot.serve.clients import KEY, Client
from eyespot.serve.metrics import Metrics
from eyespot.serve.safety import Gate
from eyespot.serve.served import Answer
from eyespot.serve.service import Service

START = {"type": "http.response.start", "status": 200, "headers": []}


def opened(app: Any, client: Client, sent: list[Any]) -> Any:
    """A request of this client to an application behind a doorman."""
    scope = {"type": "http", "scheme": "http", "path": "/model", "method": "GET", "headers": [(b"host", b"localhost")]}

    async def send(message: Any) -> None:
        sent.append(message)

    return Doorman(app, Gate(None), Metrics())({**scope, KEY: client}, None, send)


def test_a_mistake_after_an_answers_beginning_is_told_to_the_log_and_begins_no_second_answer(capfd):
    async def broken(scope, receive, send):
        await send(START)
        raise ValueError("in /home/someone/secret.py")

    sent = []
    asyncio.run(opened(broken, Client(), sent))
    assert [each["type"] for each in sent] == ["http.response.start"]
    assert "secret.py" in capfd.readouterr().err


@pytest.mark.parametrize("is_gone", [True, False])
def test_what_is_done_for_a_client_that_goes_ends_quietly_and_what_the_server_cancels_is_cancelled(is_gone, capfd):
    client, sent = Client(), []

    async def happen() -> bool:
        begun = asyncio.Event()

        async def waits(scope, receive, send):
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(opened(waits, client, sent))
        await begun.wait()
        if is_gone:
            client.leave()
        else:
            task.cancel()  # as uvicorn does with what takes too long at the end
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(happen()) is not is_gone
    assert sent == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("is_gone", [True, False])
def test_an_answer_that_comes_when_its_asker_has_gone_is_no_mistake(is_gone):
    mistakes = []

    async def happen() -> list[Any]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: mistakes.append(context))
        asked = Asked(1, "one", loop)
        if is_gone:
            asked.future.cancel()
        asked.put(0, Answer(size_wh=(4, 3)))
        await asyncio.wait([asked.future])
        await asyncio.sleep(0)
        return [asked.future.cancelled(), asked.answers]

    assert asyncio.run(happen()) == [is_gone, [Answer(size_wh=(4, 3))]]
    assert mistakes == []


def test_a_picture_that_cannot_be_explained_is_refused_with_the_reason(bundle, shared_cache, picture):
    class Blind:
        similar = True

        def __call__(self, data, class_name, *, heat_map, similar):
            raise UnreadablePicture("is cut off")

    with TestClient(make_app(Service(bundle, explain=lambda bundle: Blind())), base_url="http://localhost") as client:
        refused = client.post("/predict?heat_map=1", content=picture())
        assert (refused.status_code, refused.json()) == (400, {"error": "the picture is cut off"})
        assert client.post("/predict", content=picture()).status_code == 200
