"""A small served model, and pictures of one colour."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from box_bundle import write_box_bundle
from color_bundle import write_color_bundle
from PIL import Image
from starlette.testclient import TestClient

from eyespot.serve.app import make_app
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
