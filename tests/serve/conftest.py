"""A small served model, and pictures of one colour."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from box_bundle import write_box_bundle
from color_bundle import write_color_bundle
from PIL import Image
from starlette.testclient import TestClient
from wire import WAIT_SECONDS

from eyespot.serve.app import make_app
from eyespot.serve.process import Server
from eyespot.serve.run import listening
from eyespot.serve.service import Service

HOME = "http://localhost:8000"
Picture = Callable[..., bytes]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that knows colours. Not to be changed."""
    return write_color_bundle(tmp_path_factory.mktemp("served") / "bundle")


@pytest.fixture
def service(bundle: Path, warm_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("EYESPOT_CACHE", str(warm_cache))
    return Service(bundle)


@pytest.fixture(scope="session")
def refusing_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, and gray is none of its colours. Not to be changed."""
    return write_color_bundle(tmp_path_factory.mktemp("refusing") / "bundle", refuses=True)


@pytest.fixture
def refusing_client(refusing_bundle: Path, shared_cache: Path) -> Iterator[TestClient]:
    """The same as `client`, of the model that refuses."""
    with TestClient(make_app(Service(refusing_bundle)), base_url=HOME, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """Asks the application in this process, as a program on this computer would."""
    with TestClient(make_app(service), base_url=HOME, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def box_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector's bundle that finds coloured squares. Not to be changed."""
    return write_box_bundle(tmp_path_factory.mktemp("served") / "bundle", measured=True)


@pytest.fixture
def detector(box_bundle: Path, shared_cache: Path) -> Service:
    return Service(box_bundle)


@pytest.fixture
def boxes_client(detector: Service) -> Iterator[TestClient]:
    """The same as `client`, of the detector."""
    with TestClient(make_app(detector), base_url=HOME, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def picture() -> Picture:
    """A function that makes a picture file: noise around a colour, different for every seed."""

    def make(
        color: tuple[int, ...] = (200, 40, 40), size_wh: tuple[int, int] = (48, 40), *, seed: int = 0, **save: object
    ) -> bytes:
        random = np.random.default_rng(seed)
        pixels = random.normal(color, 30, (size_wh[1], size_wh[0], len(color))).clip(0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels.squeeze()).save(file, **{"format": "PNG", **save})
        return file.getvalue()

    return make


@pytest.fixture
def server(service) -> Server:
    """A server that does not run yet."""
    return Server(make_app(service), started=lambda: None, hang_up=lambda: None)


@pytest.fixture
def connect(server, monkeypatch) -> Iterator[Callable[..., socket.socket]]:
    """A function that opens connections to the server, which runs in this process."""
    sockets = listening("127.0.0.1", 0, token=None)
    sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # little is enough for a client to be slow
    port, started = sockets[0].getsockname()[1], threading.Event()
    monkeypatch.setattr(server, "_started", started.set)
    thread = threading.Thread(target=server.run, args=(sockets,))
    thread.start()
    assert started.wait(WAIT_SECONDS)
    with ExitStack() as opened:

        def connection(source: str = "127.0.0.1") -> socket.socket:
            made = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS, source_address=(source, 0))
            return opened.enter_context(made)

        yield connection
    server.should_exit = True
    thread.join()
    for each in sockets:
        each.close()
