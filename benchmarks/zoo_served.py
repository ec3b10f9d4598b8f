"""Rows of the failure zoo: a server that strangers ask."""

from __future__ import annotations

import http.client
import json
import os
import resource
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from servers import HOST, Running, ask, eyespot, served
from zoo_ground import Case, Ground, Missed, Row, must

from eyespot.bundle.files import FOLDER, GRAPH

SLOW, OTHER_ADDRESS = 1000, "127.0.0.2"
ASKED = 10
"""Requests of the other client."""
WITHIN, DEADLINE = 1.0, 10.0
"""Seconds within which others are answered, and the sender of a picture that hangs its decoder."""
HANGS_HW = (61, 97)
HOOK = f"""
from PIL import TiffImagePlugin
load = TiffImagePlugin.TiffImageFile.load
def hanging(picture, *args, **options):
    while picture.size == {HANGS_HW[::-1]}:
        pass
    return load(picture, *args, **options)
TiffImagePlugin.TiffImageFile.load = hanging
"""
"""Read by every Python that begins: a TIFF of that size keeps its decoder busy for ever."""


def _photo(ground: Ground, folder: Path) -> Case:
    return Case(ground.photos("circle")[0])


def _seconds(server: Running, body: bytes) -> float:
    """That another client waits for its answer."""
    began = time.perf_counter()
    try:
        connection = server.connection(seconds=60)
        status, _ = ask(connection, body)
        connection.close()
    except OSError as error:
        raise Missed(f"the other client got no answer: {error}") from None
    must(status == 200, f"the other client got status {status}")
    return time.perf_counter() - began


@contextmanager
def _slow_ones(port: int) -> Iterator[None]:
    """Connections of one client that send a byte each second."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    sockets, ended = list[socket.socket](), threading.Event()

    def send() -> None:
        while not ended.wait(1.0):
            for each in sockets:
                try:
                    each.send(b"x")
                except OSError:
                    continue

    thread = threading.Thread(target=send)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * SLOW)), hard))
        for _ in range(SLOW):
            try:
                sockets.append(socket.create_connection((HOST, port), timeout=2, source_address=(OTHER_ADDRESS, 0)))
                sockets[-1].send(b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n")
            except OSError:  # refused, which is one way to bear it
                continue
        thread.start()
        yield
    finally:
        ended.set()
        if thread.is_alive():
            thread.join()
        for each in sockets:
            each.close()


def _others_answered(ground: Ground, case: Case) -> str:
    body = case.data.read_bytes()
    with served(eyespot(ground.run)) as server:
        _seconds(server, body)
        with _slow_ones(server.port):
            worst = max(_seconds(server, body) for _ in range(ASKED))
    must(worst <= WITHIN, f"another client waited {worst:.1f} s")
    return f"another client waits {1000 * worst:.0f} ms at most"


def _status(server: Running, body: bytes, **headers: str) -> int:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
    connection.putrequest("POST", "/predict", skip_host=True)
    told = {"Host": f"{HOST}:{server.port}", "Content-Length": str(len(body)), **headers}
    for name, value in told.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body)
    status = connection.getresponse().status
    connection.close()
    return status


def _refused_pages(ground: Ground, case: Case) -> str:
    body = case.data.read_bytes()
    with served(eyespot(ground.run)) as server:
        hostile = {
            "a page of another site": {"Origin": "https://evil.example"},
            "a page in a frame without origin": {"Origin": "null"},
            "a name that was made to lead here": {"Host": "evil.example"},
            "the same with its own origin": {"Host": "evil.example", "Origin": "http://evil.example"},
        }
        for what, headers in hostile.items():
            status = _status(server, body, **headers)
            must(status == 403, f"{what} got status {status}")
        must(_status(server, body) == 200, "its own page gets no answer")
    return f"{len(hostile)} of {len(hostile)} kinds get 403; its own page is answered"


def _kept_on(ground: Ground, case: Case) -> str:
    run = Path(shutil.copytree(ground.run, ground.folder / "served"))
    body, graph = case.data.read_bytes(), run / FOLDER / GRAPH
    with served(eyespot(run)) as server:
        connection = server.connection()
        before = ask(connection, body)
        draft = graph.with_name("draft")
        draft.write_bytes(graph.read_bytes()[:-1000])
        draft.replace(graph)
        time.sleep(3)
        after = ask(connection, body)
        connection.close()
        said = server.stop()
    must(before[0] == 200 and after == before, f"the answer is now {after}")
    line = next((line for line in said.splitlines() if line.startswith("Refused")), "")
    must(line, "no line says that it was refused")
    return " ".join(line.split())


def _hanging(ground: Ground, folder: Path) -> Case:
    path = folder / "hangs.tif"
    Image.new("RGB", HANGS_HW[::-1], "white").save(path)
    (folder / "sitecustomize.py").write_text(HOOK)
    return Case(path)


def _next_served(ground: Ground, case: Case) -> str:
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(case.data.parent), before)))
    try:
        with served(eyespot(ground.run)) as server:
            body, got = ground.photos("circle")[0].read_bytes(), dict[str, object]()
            _seconds(server, body)
            sender = threading.Thread(target=_sent, args=(server, case.data.read_bytes(), got), daemon=True)
            sender.start()
            time.sleep(0.5)
            worst = max(_seconds(server, body) for _ in range(ASKED))
            sender.join(DEADLINE)
            if not got:
                server.process.kill()
                server.process.wait()
            must(got, f"its sender has no answer after {DEADLINE:.0f} s")
    finally:
        os.environ["PYTHONPATH"] = before
    must(worst <= WITHIN, f"another client waited {worst:.1f} s")
    return f"its sender is told: {got['said']}; another client waits {1000 * worst:.0f} ms at most"


def _sent(server: Running, body: bytes, got: dict[str, object]) -> None:
    connection = server.connection(seconds=DEADLINE)
    connection.request("POST", "/predict", body=body, headers={"Content-Type": "image/tiff"})
    response = connection.getresponse()
    got |= {"status": response.status, "said": json.loads(response.read()).get("error")}


ROWS = (
    Row(
        "slow-client",
        "a client opens 1,000 connections and sends a byte a second",
        "engineer",
        "another client is answered within 1 s",
        _photo,
        _others_answered,
        "has none",
    ),
    Row(
        "hanging-decoder",
        "a picture keeps its decoder busy for ever",
        "engineer",
        "its sender gets a sentence within 10 s, another client is answered within 1 s",
        _hanging,
        _next_served,
        "has none",
    ),
    Row(
        "broken-swap",
        "a damaged model is put in the served one's place",
        "engineer",
        "the same answer as before, and a line that says why",
        _photo,
        _kept_on,
        "has none",
    ),
    Row(
        "hostile-page",
        "a web page makes the browser ask the server on this computer",
        "teacher",
        "403 for every kind; its own page is answered",
        _photo,
        _refused_pages,
        "has none",
    ),
)
