"""The studio's pages and what they ask for, as an application for this computer's own browser alone."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException

from eyespot.errors import RequestError
from eyespot.serve.app import CONTENT_TYPES, PAGE_HEADERS, Doorman, page_files, refused, unknown
from eyespot.serve.metrics import Metrics
from eyespot.serve.safety import Gate
from eyespot.studio import errors_endpoints, kernels_endpoints, network_endpoints, training_endpoints
from eyespot.studio.desk import Desk
from eyespot.studio.history import History


def make_app(desk: Desk) -> FastAPI:
    """The application for the network on this desk."""
    app = _pages()
    network_endpoints.add_to(app, desk)
    errors_endpoints.add_to(app, desk)
    kernels_endpoints.add_to(app, desk)
    training_endpoints.add_to(app, desk.history)
    return app


def make_app_of_training(history: History) -> FastAPI:
    """The application for a run that has no model yet: its training can be followed, and no more."""
    app = _pages()
    network_endpoints.add_none_to(app, history.folder.name if history.folder else "")
    training_endpoints.add_to(app, history)
    return app


def _pages() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
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
