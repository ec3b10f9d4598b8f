"""The studio's pages and what they ask for, as an application for this computer's own browser alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from eyespot.errors import RequestError
from eyespot.serve.app import CONTENT_TYPES, PAGE_HEADERS, Doorman, page_files, refused, unknown
from eyespot.serve.metrics import Metrics
from eyespot.serve.safety import Gate
from eyespot.studio import (
    collect_endpoints,
    errors_endpoints,
    kernels_endpoints,
    labs_endpoints,
    network_endpoints,
    runs_endpoints,
    training_endpoints,
)
from eyespot.studio.desk import Desk
from eyespot.studio.history import History
from eyespot.studio.lobby import Lobby
from eyespot.studio.run_number import run_number
from eyespot.studio.same_run import SameRun
from eyespot.studio.training import Training


def make_app(desk: Desk | None, folder: Path | None = None) -> FastAPI:
    """The application for the network on this desk; without one, for whoever chooses a run first, or makes it.

    folder: in which runs lie and pictures are collected; the current one by default.
    """
    folder = Path.cwd() if folder is None else folder
    lobby, training = Lobby(desk, _screens), Training(folder)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        training.close()
        lobby.close()

    app = _pages(lambda: lobby.desk.number if lobby.desk else None, lifespan)
    app.state.lobby = lobby
    runs_endpoints.add_to(app, lobby, folder)
    collect_endpoints.add_to(app, folder, training)
    app.mount("", lobby)
    return app


def make_app_of_training(history: History) -> FastAPI:
    """The application for a run that has no model yet: its training can be followed, and no more."""
    name, number = (history.folder.name, run_number(history.folder)) if history.folder else ("", "")
    app = _pages(lambda: number)
    network_endpoints.add_none_to(app, name, number)
    runs_endpoints.add_none_to(app, name, number)
    training_endpoints.add_to(app, history)
    return app


def _pages(open_now: Callable[[], str | None], lifespan: Any = None) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=lifespan)
    app.add_middleware(SameRun, open_now=open_now)
    app.add_middleware(Doorman, gate=Gate(None), metrics=Metrics())
    app.add_exception_handler(RequestError, refused)
    app.add_exception_handler(HTTPException, unknown)

    @app.get("/")
    async def index() -> Response:
        return _file("index.html")

    @app.get("/page/{name}")
    async def page(name: str) -> Response:
        return _file(name)

    return app


def _screens(desk: Desk) -> ASGIApp:
    """What answers for the network on a desk."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    network_endpoints.add_to(app, desk)
    errors_endpoints.add_to(app, desk)
    labs_endpoints.add_to(app, desk)
    kernels_endpoints.add_to(app, desk)
    training_endpoints.add_to(app, desk.history)
    return app.router  # what is around it has the whole application already


@cache
def _studio_files() -> dict[str, tuple[str, bytes]]:
    """Content type and content of the studio's own files, by name, before those of the served page."""
    folder = files("eyespot.studio") / "page"
    own = [each for place in (folder, folder / "words") for each in place.iterdir() if each.is_file()]
    kinds = {each.name: (CONTENT_TYPES.get(f".{each.name.rpartition('.')[2]}"), each) for each in own}
    return page_files() | {name: (kind, each.read_bytes()) for name, (kind, each) in kinds.items() if kind}


def _file(name: str) -> Response:
    if name not in _studio_files():
        raise HTTPException(404)
    content_type, content = _studio_files()[name]
    return Response(content, headers={"content-type": content_type, **PAGE_HEADERS})
