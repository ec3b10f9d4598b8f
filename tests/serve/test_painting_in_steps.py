"""`POST /paint/finer`: previews while a picture becomes better, one at a time, and none that nobody waits for."""

import asyncio
import base64
import io
import json
import threading
import time
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from eyespot.errors import MissingExtra, RequestError
from eyespot.serve import painting_in_steps
from eyespot.serve.app import make_app
from eyespot.serve.painting import ServedPainter
from eyespot.serve.painting_in_steps import InSteps
from eyespot.serve.service import Service
from eyespot.styling import published

pytestmark = pytest.mark.skipif(not published.is_installed(), reason="needs the extra style")
optimise = pytest.importorskip("eyespot.styling.optimise", reason="needs the extra train")
WAIT_SECONDS = 20


@pytest.fixture
def service(bundle, shared_cache):
    service = Service(bundle, painter=ServedPainter(cache_folder=shared_cache))
    yield service
    service.stop()


@pytest.fixture(scope="module")
def files(picture):
    return {"photo": picture((90, 120, 60), size_wh=(48, 40)), "painting": picture(size_wh=(60, 50))}


class Step(NamedTuple):
    """A step as far as its client sees it: a black picture, at half of the photo's size."""

    number: int
    style: float = 0.5
    content: float = 0.25
    picture: Any = np.zeros((20, 24, 3), np.uint8)


class Steps:
    """Stands for what paints: a step whenever the test lets it take one."""

    def __init__(self):
        self.may, self.taken, self.has_ended = threading.Semaphore(0), 0, threading.Event()

    def __call__(self, photo, paintings, see, how, budget, *, begin):
        try:
            while budget.spent(self.taken) < 1:
                assert self.may.acquire(timeout=WAIT_SECONDS)
                self.taken += 1
                yield Step(self.taken)
        finally:
            self.has_ended.set()


@pytest.fixture
def steps(monkeypatch, service):
    """Steps in the hands of the test; every one of them gives a preview."""
    steps = Steps()
    monkeypatch.setattr(optimise, "painted", steps)
    monkeypatch.setattr(painting_in_steps, "PREVIEW_SECONDS", 0)
    monkeypatch.setattr(InSteps, "_looking", SimpleNamespace(stages=(), content_stages=(), see=None))
    return steps


class Asked:
    """A request to an application in this loop, whose client may go."""

    def __init__(self, app, files, query=""):
        self.status, self.lines = None, asyncio.Queue()
        self._gone = asyncio.Event()
        self._body = [form(files)]
        headers = [(b"host", b"localhost"), (b"content-type", b"multipart/form-data; boundary=b")]
        scope = {"type": "http", "asgi": {"version": "3.0"}, "method": "POST", "path": "/paint/finer"}
        scope |= {"query_string": query.encode(), "headers": headers, "http_version": "1.1", "root_path": ""}
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    def go(self):
        self._gone.set()

    async def line(self):
        return json.loads(await asyncio.wait_for(self.lines.get(), WAIT_SECONDS))

    async def _receive(self):
        if self._body:
            return {"type": "http.request", "body": self._body.pop()}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self.status = message.get("status", self.status)
        if message.get("body"):
            await self.lines.put(message["body"])


def form(files):
    head = 'Content-Disposition: form-data; name="{}"; filename="x"'
    parts = [b"--b\r\n" + head.format(name).encode() + b"\r\n\r\n" + data + b"\r\n" for name, data in files.items()]
    return b"".join(parts) + b"--b--\r\n"


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png)))).astype(int)


def test_the_fast_picture_comes_first_then_finer_ones_until_the_time_is_up(service, files):
    with TestClient(make_app(service), base_url="http://localhost") as client:
        at_once = client.post("/paint?imgsz=40", files=files)
        started = time.monotonic()
        answer = client.post("/paint/finer?imgsz=40&time=2", files=files)
        metrics = client.get("/metrics").text
    assert time.monotonic() - started < 2 + WAIT_SECONDS  # that and a step, and torch may have to be loaded
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    first, *finer = [json.loads(line) for line in answer.text.splitlines()]
    assert (first["way"], first["steps"], first["style"]) == ("fast", 0, None)
    assert base64.b64decode(first["png"]) == at_once.content
    assert [each["way"] for each in finer] == ["optimise"] * len(finer)
    assert finer[-1]["steps"] >= 1
    assert 0 < finer[-1]["style"] < 2
    assert pixels(finer[-1]["png"]).shape == pixels(first["png"]).shape == (33, 40, 3)
    assert 'eyespot_painted_pictures_total{way="optimise"} 1.0' in metrics
    assert 'eyespot_requests_total{path="/paint/finer",status="200"} 1.0' in metrics


def test_each_step_is_seen_with_the_photos_colors_where_they_are_wanted(service, files, steps):
    async def run():
        asked = Asked(make_app(service), files, "keep_colors=1&time=30")
        assert (await asked.line())["steps"] == 0
        for number in (1, 2):
            steps.may.release()
            said = await asked.line()
            assert (said["steps"], said["style"], said["content"]) == (number, 0.5, 0.25)
        service.end_long_work()  # the server is told to stop
        steps.may.release()
        assert (await asked.line())["steps"] == 3
        await asyncio.wait_for(asked.task, WAIT_SECONDS)
        return said

    said = asyncio.run(run())
    photo, painted = pixels(base64.b64encode(files["photo"])), pixels(said["png"])
    assert painted.shape == photo.shape
    assert painted.mean() < photo.mean() / 2  # black
    assert np.ptp(painted, axis=2).max() > 10  # and not without color


def test_one_picture_at_a_time_and_when_the_client_goes_the_place_is_free_after_a_step(service, files, steps):
    async def run():
        app = make_app(service)
        first = Asked(app, files)
        await first.line()
        second = Asked(app, files)
        refused = await second.line()
        assert second.status == 429
        assert refused == {
            "error": "another picture is being painted in steps: wait for it, or have this one painted at once"
        }
        first.go()
        await asyncio.wait_for(first.task, WAIT_SECONDS)
        steps.may.release()
        assert await asyncio.to_thread(steps.has_ended.wait, WAIT_SECONDS)
        while service.finer._place.locked():
            await asyncio.sleep(0.01)
        assert steps.taken == 1
        third = Asked(app, files)
        assert (await third.line())["way"] == "fast"
        assert third.status == 200
        third.go()
        steps.may.release()
        await asyncio.wait_for(third.task, WAIT_SECONDS)

    asyncio.run(run())


def test_a_client_that_is_slow_gets_the_newest_preview():
    async def run():
        previews = painting_in_steps.Previews()
        for number in range(3):
            previews.put({"steps": number}, is_last=number == 2)
        await asyncio.sleep(0)
        return [json.loads(line) async for line in previews.lines()]

    assert asyncio.run(run()) == [{"steps": 2}]


def test_a_mistake_of_ours_is_the_last_line_and_leaves_the_place_free(service, files, monkeypatch, capfd):
    def broken(*arguments, **options):
        raise ValueError("in /home/someone/secret.py")

    monkeypatch.setattr(optimise, "painted", broken)
    with TestClient(make_app(service), base_url="http://localhost") as client:
        for _ in range(2):
            last = json.loads(client.post("/paint/finer?imgsz=40", files=files).text.splitlines()[-1])
            assert last == {"error": "the server failed: its log says more"}
    assert "secret.py" in capfd.readouterr().err


def test_without_any_strength_the_photo_comes_and_nothing_else(service, files):
    with TestClient(make_app(service), base_url="http://localhost") as client:
        [line] = client.post("/paint/finer?strength=0", files=files).text.splitlines()
    assert (pixels(json.loads(line)["png"]) == pixels(base64.b64encode(files["photo"]))).all()


@pytest.mark.parametrize(("query", "words"), [("time=1", "time must be a number from 2 to 30"), ("steps=9", "'steps'")])
def test_another_query_is_refused_in_a_sentence(service, files, query, words):
    with TestClient(make_app(service), base_url="http://localhost") as client:
        refused = client.post(f"/paint/finer?{query}", files=files)
    assert refused.status_code == 400
    assert words in refused.json()["error"]


def test_more_memory_than_there_is_is_refused_before_anything_is_painted(service, files, monkeypatch):
    monkeypatch.setattr("eyespot.machine.memory_bytes", lambda: 400_000_000)
    with TestClient(make_app(service), base_url="http://localhost") as client:
        refused = client.post("/paint/finer", files=files)
    assert refused.status_code == 413
    assert "of memory, and this machine has 0.4 GB" in refused.json()["error"]


def test_whoever_was_told_to_come_back_has_the_next_turn(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(painting_in_steps, "time", SimpleNamespace(monotonic=lambda: now[0]))
    steps = painting_in_steps.InSteps()
    monkeypatch.setattr(steps._pool, "submit", lambda *given: None)
    steps.require_free("one")
    steps.begin(None, None, "one")
    for name in ("one", "other"):
        with pytest.raises(RequestError, match="another picture is being painted"):
            steps.require_free(name)
    steps._place.release()
    with pytest.raises(RequestError):
        steps.require_free("one")
    steps.require_free("other")
    now[0] += painting_in_steps.TURN_SECONDS + 1
    steps.require_free("one")
    steps.stop()


def test_what_is_begun_while_another_is_painted_or_the_server_ends_is_refused_and_the_place_is_kept_right(monkeypatch):
    steps = InSteps()
    with monkeypatch.context() as patch:
        patch.setattr(steps._pool, "submit", lambda *given: None)
        steps.begin(None, None, "one")
        with pytest.raises(RequestError, match="another picture is being painted in steps: wait for it"):
            steps.begin(None, None, "other")
    assert steps._place.locked()
    steps._place.release()
    steps.stop()
    with pytest.raises(RuntimeError):
        steps.begin(None, None, "one")
    assert not steps._place.locked()


def test_a_preview_that_comes_when_nobody_looks_any_more_is_dropped():
    async def run():
        previews = painting_in_steps.Previews()
        previews.stop()
        previews.put({"steps": 1}, is_last=True)
        await asyncio.sleep(0)
        return previews.is_unwanted, [line async for line in previews.lines()]

    assert asyncio.run(run()) == (True, [])


def test_weights_that_are_not_installed_are_the_last_line(service, files, monkeypatch):
    def missing(*arguments, **options):
        raise MissingExtra("painting in steps", extra="style")

    monkeypatch.setattr(optimise, "painted", missing)
    with TestClient(make_app(service), base_url="http://localhost") as client:
        last = json.loads(client.post("/paint/finer?imgsz=40", files=files).text.splitlines()[-1])
    assert last == {"error": str(MissingExtra("painting in steps", extra="style"))}
    assert not service.finer._place.locked()


def test_where_a_thread_cannot_give_way_none_is_asked_to(monkeypatch):
    """Elsewhere the number would be that of another process."""
    asked = []
    monkeypatch.setattr(painting_in_steps.os, "setpriority", lambda *given: asked.append(given), raising=False)
    for system, count in (("darwin", 0), ("win32", 0), ("linux", 1)):
        monkeypatch.setattr(painting_in_steps.sys, "platform", system)
        if system == "linux" and not hasattr(painting_in_steps.os, "PRIO_PROCESS"):
            continue
        painting_in_steps._give_way()
        assert len(asked) == count
